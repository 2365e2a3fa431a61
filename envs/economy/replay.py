"""Replays a recorded trajectory from its start, and measures how far that is from what was recorded.

A trajectory is one economy over T years: float64 arrays whose first axis is the year index. The replay starts from the
init_* arrays and applies the recorded abilities and actions year by year; the state is never set from the file.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.actions import natural_actions
from envs.economy.arrays import total
from envs.economy.observation import observe
from envs.economy.parameters import EconomyParameters
from envs.economy.presets import preset_parameters
from envs.economy.shocks import SCENARIOS, Scenario
from envs.economy.state import Choices, EconomyState, Flows, Shock
from envs.economy.taxation import Brackets, FiscalPolicy, NoTax, Schedule, us_federal_2022
from envs.economy.transition import advance
from envs.game import InvalidSetting
from envs.registry import nearest

Trace = Mapping[str, NDArray[Any]]

INITIAL_HOUSEHOLDS = ("init_ability", "init_assets", "init_income")
INITIAL_NUMBERS = ("init_capital", "init_debt", "init_gdp")
RULES = ("preset", "tax_rule", "shock")
TAX_RULES = ("hsv", "us_federal", "saez")
# recorded output -> field of Flows, where the field is the output
RECORDED_FLOWS = {
    "assets": "assets",
    "capital": "capital",
    "debt": "debt",
    "labor": "labour",
    "wage": "wage",
    "gdp": "gdp",
    "income": "income",
    "income_tax": "income_tax",
    "asset_tax": "asset_tax",
    "consumption": "consumption",
    "next_assets": "next_assets",
    "next_capital": "next_capital",
    "next_debt": "next_debt",
    "wealth_gini": "wealth_gini",
    "income_gini": "income_gini",
    "house_reward": "reward",
    "spending": "spending",
    "tfp": "tfp",
}
HOUSEHOLD_OUTPUTS = {"assets", "income", "income_tax", "asset_tax", "consumption", "next_assets", "house_reward"}
TASKS = {"r_gdp": "gdp", "r_gini": "gini", "r_welfare": "social_welfare", "r_gdp_gini": "gdp_gini"}
OUTPUTS = (*RECORDED_FLOWS, "done", "leader_obs", "follower_obs", *TASKS)


def load_trace(path: str | Path) -> dict[str, NDArray[Any]]:
    """Reads a recorded trajectory; raises InvalidSetting for a missing, damaged or incomplete file."""
    if not Path(path).is_file():
        raise InvalidSetting(f"trajectory '{path}': no such file; must be an .npz file of recorded arrays")
    try:
        with open(path, "rb") as file:
            trace = dict(np.load(file, allow_pickle=False).items())
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, AttributeError) as error:
        raise InvalidSetting(f"trajectory '{path}': not a readable .npz file of plain arrays") from error
    _check(trace, (*_inputs(trace), *OUTPUTS))
    return trace


def replay(trace: Trace, preset: str) -> dict[str, NDArray[Any]]:
    """Every recorded output of a trajectory, computed from its inputs: OUTPUTS by name, in the file's shapes.

    Raises InvalidSetting where an input is missing or has the wrong shape, or the preset is not the recorded one.
    """
    parameters = preset_parameters(preset)
    _check(trace, _inputs(trace))
    if str(trace["preset"]) != preset:
        raise InvalidSetting(f"the trajectory was recorded under preset '{trace['preset']}', not '{preset}'")
    scenario = SCENARIOS[_rule(trace, "shock", tuple(SCENARIOS))]
    leader, follower = natural_actions(parameters, trace["gov_action"], trace["house_action"])
    state, ended = _initial_state(parameters, trace), False
    years: dict[str, list[Any]] = {name: [] for name in OUTPUTS}
    for year in range(len(leader)):
        policy = parameters.laws.fiscal_policy(parameters, state, leader[year, None], total)
        schedule = _schedule(trace, year)
        if schedule is not None:
            policy = FiscalPolicy(schedule, NoTax(), policy.spending_share)
        choices = Choices(follower[year, None, :, 0], follower[year, None, :, 1])
        flows, state = advance(parameters, state, policy, choices, _shock(trace, scenario, year))
        ended = ended or bool(flows.terminated[0]) or year + 1 >= parameters.horizon
        for name, value in _outputs(parameters, flows, state, ended).items():
            years[name].append(value)
    return {name: np.array(values) for name, values in years.items()}


def relative_differences(trace: Trace, replayed: Trace) -> dict[str, float]:
    """The largest |replayed - recorded| / |recorded| of each output; two values that are not a number are equal.

    Infinite where only one of two is a number, or the recorded value is 0 and the replayed one is not.
    """
    return {name: _largest_difference(trace[name], replayed[name]) for name in OUTPUTS}


def _initial_state(parameters: EconomyParameters, trace: Trace) -> EconomyState:
    ability, assets, income = (trace[name][None, :] for name in INITIAL_HOUSEHOLDS)
    state = parameters.laws.initial_state(parameters, ability, np.zeros(ability.shape, dtype=bool), assets, income)
    recorded = {name.removeprefix("init_"): np.full((1, 1), float(trace[name])) for name in INITIAL_NUMBERS}
    if "hours_max" in trace:
        recorded["maximal_hours"] = np.full((1, 1), float(trace["hours_max"]))
    return replace(state, **recorded)


def _shock(trace: Trace, scenario: Scenario, year: int) -> Shock:
    ability = trace["ability"][year, None]
    return Shock(ability, np.zeros(ability.shape, dtype=bool), *scenario.factors(np.array([year])))


def _schedule(trace: Trace, year: int) -> Schedule | None:
    """The rule that replaced the taxes of the government's action, if one did."""
    rule = _rule(trace, "tax_rule", TAX_RULES)
    if rule == "us_federal":
        return us_federal_2022()
    return Brackets(trace["saez_bracket_cutoffs"], trace["bracket_rates"][year]) if rule == "saez" else None


def _outputs(parameters: EconomyParameters, flows: Flows, state: EconomyState, ended: bool) -> dict[str, Any]:
    seen, laws = observe(parameters, state), parameters.laws
    outputs: dict[str, Any] = {name: getattr(flows, field)[0] for name, field in RECORDED_FLOWS.items()}
    with np.errstate(all="ignore"):
        outputs |= {name: laws.tasks[task].reward(parameters, flows, total)[0] for name, task in TASKS.items()}
    # one number per game: (1,) to ()
    outputs = {name: x if name in HOUSEHOLD_OUTPUTS else x[0] for name, x in outputs.items()}
    return outputs | {"done": ended, "leader_obs": seen.leader[0], "follower_obs": seen.follower[0]}


def _largest_difference(recorded: NDArray[Any], replayed: NDArray[Any]) -> float:
    recorded, replayed = np.asarray(recorded, dtype=np.float64), np.asarray(replayed, dtype=np.float64)
    if recorded.shape != replayed.shape:
        raise InvalidSetting(f"recorded shape {recorded.shape} differs from the replayed shape {replayed.shape}")
    with np.errstate(all="ignore"):
        difference = np.abs(replayed - recorded) / np.abs(recorded)
    difference[np.isnan(difference)] = np.inf
    difference[(recorded == replayed) | (np.isnan(recorded) & np.isnan(replayed))] = 0.0
    return float(difference.max(initial=0.0))


def _inputs(trace: Trace) -> tuple[str, ...]:
    saez = ("bracket_rates", "saez_bracket_cutoffs") if str(trace.get("tax_rule")) == "saez" else ()
    hours = ("hours_max",) if str(trace.get("preset")) == "taxai" else ()
    return (*RULES, "ability", "gov_action", "house_action", *INITIAL_HOUSEHOLDS, *INITIAL_NUMBERS, *saez, *hours)


def _rule(trace: Trace, name: str, known: tuple[str, ...]) -> str:
    rule = str(trace[name])
    if rule not in known:
        raise InvalidSetting(f"the trajectory's {name} is '{rule}'{nearest(rule, list(known))}")
    return rule


def _check(trace: Trace, needed: tuple[str, ...]) -> None:
    missing = [name for name in needed if name not in trace]
    if missing:
        raise InvalidSetting(f"the trajectory has no array '{missing[0]}'; needs {', '.join(needed)}")
    ability = trace["ability"]
    if ability.ndim != 2 or 0 in ability.shape:
        raise InvalidSetting(f"the trajectory's 'ability' has shape {ability.shape}: must be (years, households)")
    years, households = ability.shape
    shapes = {"gov_action": (years, 5), "house_action": (years, households, 2)}
    shapes |= dict.fromkeys(INITIAL_HOUSEHOLDS, (households,))
    for name, shape in shapes.items():
        if trace[name].shape != shape:
            raise InvalidSetting(f"the trajectory's '{name}' has shape {trace[name].shape}: must be {shape}")
