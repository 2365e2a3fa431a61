"""The economy as a Stackelberg mean-field game: the government leads, the households follow, year after year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome
from envs.economy import actions
from envs.economy.ability import AbilityDraws
from envs.economy.arrays import total, total_by
from envs.economy.indicators import transfers_to_gdp
from envs.economy.instruments import INSTRUMENTS, opened
from envs.economy.instruments import names as instrument_names
from envs.economy.observation import (
    Seen,
    follower_names,
    follower_scaling,
    follower_sees,
    leader_names,
    leader_scaling,
    leader_sees,
    observe,
)
from envs.economy.outcome import outcome
from envs.economy.parameters import Abilities, EconomyParameters
from envs.economy.population import EMBEDDED, load_population
from envs.economy.presets import changed_parameters
from envs.economy.shocks import first_tfp, next_tfp, productivity_luck, scenario_of, struck_luck
from envs.economy.state import Choices, EconomyState, Flows, Shock
from envs.economy.taxation import FiscalPolicy, Schedule
from envs.economy.transition import advance
from envs.game import Array, InvalidSetting, Observations, Step, Transition
from envs.registry import nearest

DTYPES = {"float64": np.float64, "float32": np.float32}


class Economy(ArithmeticGame):
    """B economies of one government and N households.

    Leader: action (tau, xi, tau_a, xi_a, spending share) for the Heathcote-Storesletten-Violante taxes on income and on
    assets and for public spending as a share of GDP, and whatever instruments the setting of that name opens
    (`envs.economy.instruments`). Follower: action (saving rate, share of the maximal working time).
    Observations: see `observation.observe`. In `paper` and `taxai` abilities are those of the year that has passed, and
    the draw of a year takes place after its actions have been chosen; in `calibrated` households see the ability they
    will work with, and the wage and the interest rate of the year that has passed.

    `flows` holds everything that happened in the last year, games that have ended since included.
    """

    name: ClassVar[str] = "economy"
    instruments: ClassVar[tuple[str, ...]] = INSTRUMENTS
    decisions: ClassVar[tuple[str, ...]] = actions.DECISIONS
    carried: ClassVar[str] = "assets"

    # beside what `first_state` names it holds what indicators need
    state: EconomyState  # type: ignore[assignment]

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 100,
        preset: str = "paper",
        task: str = "gdp",
        horizon: int | None = None,
        population: str | Path = EMBEDDED,
        weighting: str = "survey",
        shock: str | Sequence[Any] = "none",
        saving_rate_min: float | None = None,
        saving_rate_max: float | None = None,
        crra: float | None = None,
        inequality_weight: float = 1.0,
        gdp_weight: float = 1.0,
        equality_weight: float = 1.0,
        welfare_weight: float = 1.0,
        productivity_persistence: float = EconomyParameters.productivity_persistence,
        productivity_sd: float = EconomyParameters.productivity_sd,
        parameters: Mapping[str, float] | None = None,
        instruments: Sequence[str] | Mapping[str, float] | None = None,
        dtype: str = "float64",
    ) -> None:
        """Builds an economy; raises InvalidSetting for a setting that cannot be used.

        preset: `paper`, `taxai`, `calibrated`. task: what the government is rewarded for, `gdp`, `gini`,
        `social_welfare`, `gdp_gini` (with weight `inequality_weight` on the ginis), and in `calibrated` also `weighted`
        (with `gdp_weight`, `equality_weight` and `welfare_weight`). population: `scf2022`, or the path of the survey's
        CSV file. weighting: `survey`, `unweighted`. shock: `none`, `financial_crisis` (year 100), `disaster` (years 100
        and 101), `productivity` (1 % lower from year 100, where it moves), or a list of [year, `tfp`, `assets` or
        `productivity`, factor]; one that cannot strike within the horizon is refused.
        saving_rate_min and saving_rate_max: bounds of the saving rate. crra: theta. horizon: years.
        productivity_persistence and productivity_sd: of the yearly autoregression of log productivity, which both sides
        observe where the sd is not 0. parameters: any other number of `EconomyParameters` in place of the preset's;
        what follows from them, as TFP does in `calibrated`, is worked out anew, what was fitted to data with them is
        not. instruments: what the government of `calibrated` may use beyond the five, `transfer`,
        `consumption_tax_rate`, `wealth_tax_exemption`, `labour_income_tax_rate` and `capital_income_tax_rate`: their
        names, or by name their largest values (`envs.economy.instruments`). dtype of the households' numbers:
        `float64`, `float32`.
        """
        if not isinstance(parameters, Mapping | None):
            raise InvalidSetting(f"parameters = {parameters}: must be numbers by name, as in {{depreciation: 0.07}}")
        numbers = replace(
            changed_parameters(preset, parameters or {}),
            inequality_weight=inequality_weight,
            gdp_weight=gdp_weight,
            equality_weight=equality_weight,
            welfare_weight=welfare_weight,
            productivity_persistence=productivity_persistence,
            productivity_sd=productivity_sd,
        )
        numbers = replace(numbers, further_instruments=opened(instruments, numbers.laws.further_instruments))
        self.parameters = numbers if crra is None else replace(numbers, crra=crra)
        super().__init__(
            games=games, followers=followers, horizon=self.parameters.horizon if horizon is None else horizon
        )
        self.discount = self.parameters.discount
        self.scenario = scenario_of(shock, self.horizon, productivity_sd > 0)
        self.dtype = np.dtype(DTYPES[_known("dtype", dtype, list(DTYPES))])
        self.task = self.parameters.laws.tasks[_known("task", task, list(self.parameters.laws.tasks))]
        self.leader_reward_scale = self.task.typical_reward(self.n_followers)
        self.follower_reward_scale = self.parameters.typical_utility
        if int(self.parameters.bottom_share * self.n_followers) == self.n_followers:
            raise InvalidSetting(f"bottom_share = {self.parameters.bottom_share:g}: must leave somebody at the bottom")
        laws = self.parameters.laws
        self.population = load_population(population, weighting, laws.survey_wealth)
        self._open_spaces(saving_rate_min, saving_rate_max)
        if laws.follower_outlook is not None:
            self.follower_outlook = laws.follower_outlook(self.parameters, self.follower_scaling)
        self._reported = dict(laws.also_reported)
        if "transfer" in dict(self.parameters.further_instruments):
            self._reported["transfers_to_gdp"] = transfers_to_gdp
        self.flows: Flows | None = None
        # presets differ in what is seen, games in what is done
        self.instruments = instrument_names(self.parameters)  # type: ignore[misc]
        self.leader_observes = leader_names(self.parameters)  # type: ignore[misc]
        self.follower_observes = follower_names(self.parameters)  # type: ignore[misc]
        self.state = self._first_state(self._start_random, self.n_games)

    def step(
        self,
        leader_action: Array,
        follower_action: Array,
        *,
        income_tax: Schedule | None = None,
        labour_tax: Schedule | None = None,
        taxes_assets: bool = False,
    ) -> Step:
        """Moves every game one year under actions (B, al) and (B, N, 2).

        A schedule `income_tax` takes the place of the taxes the leader's action names: incomes are taxed by it, and
        assets are not taxed, or as the action says where the rule `taxes_assets`. `labour_tax` is a tax on earnings
        beside it. The action's other instruments hold all the same.
        Raises ValueError if a shape is wrong or an action is not a number.
        """
        leader_action = self._checked("leader", leader_action, self.leader_action_space, (self.n_games,))
        follower_action = self._checked(
            "follower", follower_action, self.follower_action_space, (self.n_games, self.n_followers)
        )
        taxed = self._announced(leader_action).with_schedules(income_tax, labour_tax, taxes_assets)
        return self._finish_year(self._play_year(taxed, follower_action))

    def get_state(self) -> dict[str, Any]:
        """Everything needed to go on exactly from here, random streams included."""
        moving = ("year", "state", "flows", "_start_random", "_shock_random")
        return {name: deepcopy(self.__dict__[name]) for name in moving}

    # --- the year as arithmetic: what a learner differentiates -------------------------------------------------
    def first_state(self, random: np.random.Generator, games: int) -> dict[str, Any]:
        """Households drawn from the population, by the names of `EconomyState.arrays`; no sorted copies."""
        return self._first_state(random, games).arrays()

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> dict[str, Any]:
        """The luck of abilities, `normal` and `uniform` (B, N), and the scenario's factors on TFP and assets (B, 1).

        Where productivity moves, its luck, too: standard normal, (B, 1).
        """
        draws = AbilityDraws.sample(random, year.size, self.n_followers)
        tfp_factor, asset_factor = (factor.copy() for factor in self.scenario.factors(year))
        luck = struck_luck(self.parameters, random, self.scenario, year)
        more = {} if luck is None else {"productivity_luck": luck}
        return {**vars(draws), "tfp_factor": tfp_factor, "asset_factor": asset_factor, **more}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Seen, Seen]:
        """What both sides see, in the order of `leader_observes` and `follower_observes`."""
        sum_over, record = total_by(mean), EconomyState.of(state)
        return leader_sees(self.parameters, record, sum_over), follower_sees(self.parameters, record, sum_over)

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        """One year: markets clear, budgets roll forward, abilities move.

        As in `step`, but for games in which something is not a number: their leader's reward is finite, and no more is
        promised of it. Indicators are what `step` is for.
        """
        parameters, laws, sum_over = self.parameters, self.parameters.laws, total_by(mean)
        record = EconomyState.of(state)
        policy = laws.fiscal_policy(parameters, record, leader, sum_over)
        draws = AbilityDraws(shocks["normal"], shocks["uniform"])
        drawn = laws.next_ability(parameters, record.ability, record.superstar, draws, sum_over)
        shock = Shock(*laws.ability_at_work(record, drawn), shocks["tfp_factor"], shocks["asset_factor"])
        year = outcome(parameters, self.task, record, policy, Choices(*follower), shock, drawn, sum_over)
        tfp = next_tfp(parameters, year.state["tfp"], shocks.get("productivity_luck"))
        return replace(year, state={**year.state, "tfp": tfp})

    # --- what the base class asks for --------------------------------------------------------------------------
    def _start(self, games: NDArray[np.int64]) -> None:
        fresh = self._first_state(self._start_random, len(games))
        self.state = fresh if len(games) == self.n_games else self.state.with_games(games, fresh)

    def _observe(self) -> Observations:
        return observe(self.parameters, self.state)

    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        return self._play_year(self._announced(leader_action), follower_action)

    # --- a year ------------------------------------------------------------------------------------------------
    def _announced(self, leader_action: Array) -> FiscalPolicy:
        return self.parameters.laws.fiscal_policy(self.parameters, self.state, leader_action, total)

    def _play_year(self, policy: FiscalPolicy, follower_action: Array) -> Transition:
        follower_action = follower_action.astype(self.dtype, copy=False)
        choices = Choices(follower_action[..., 0], follower_action[..., 1])
        drawn = self._draw()
        laws, factors = self.parameters.laws, self.scenario.factors(self.year)
        luck = struck_luck(self.parameters, self._shock_random, self.scenario, self.year)
        shock = Shock(*laws.ability_at_work(self.state, drawn), *factors)
        flows, following = advance(self.parameters, self.state, policy, choices, shock)
        self.flows, self.state = flows, laws.state_after(following, drawn)
        if luck is not None:
            self.state = replace(self.state, tfp=next_tfp(self.parameters, self.state.tfp, luck))
        with np.errstate(all="ignore"):
            reward = self.task.reward(self.parameters, flows, total)[:, 0]
            also_reported = self._also_reported(flows)
        unrewarded = ~np.isfinite(reward)
        return Transition(
            np.where(unrewarded, 0.0, reward),
            flows.reward,
            flows.terminated | unrewarded,
            _indicators(flows) | also_reported,
        )

    def _draw(self) -> Abilities:
        draws = AbilityDraws.sample(self._shock_random, self.n_games, self.n_followers)
        return self.parameters.laws.next_ability(
            self.parameters, self.state.ability, self.state.superstar, draws, total
        )

    def _also_reported(self, flows: Flows) -> dict[str, Array]:
        """The preset's own indicators, (B,) each; 0 where they do not exist because the economy has failed."""
        laws = self._reported
        if not laws:
            return {}
        measured = np.stack([law(flows, self.state)[:, 0] for law in laws.values()])
        return dict(zip(laws, np.nan_to_num(measured, copy=False, nan=0.0, posinf=0.0, neginf=0.0), strict=True))

    def _first_state(self, random: np.random.Generator, games: int) -> EconomyState:
        """Households drawn from the population, and one draw of their ability, before the first year."""
        assets, surveyed, income = self.population.draw(random, games, self.n_followers)
        draws = AbilityDraws.sample(random, games, self.n_followers)
        ability, superstar = self.parameters.laws.first_ability(self.parameters, surveyed, income, draws)
        households = (ability.astype(self.dtype), superstar, assets.astype(self.dtype), income.astype(self.dtype))
        state = self.parameters.laws.initial_state(self.parameters, *households)
        luck = productivity_luck(self.parameters, random, games)
        return replace(state, tfp=first_tfp(self.parameters, state.tfp, luck))

    def _open_spaces(self, saving_rate_min: float | None, saving_rate_max: float | None) -> None:
        parameters, dtype = self.parameters, self.dtype
        low, high = actions.follower_bounds(parameters, saving_rate_min, saving_rate_max)
        least, most = actions.leader_bounds(parameters)
        if not 0 < low[0] < high[0] < 1:
            raise InvalidSetting(
                f"saving_rate_min = {low[0]:g}, saving_rate_max = {high[0]:g}: must rise, strictly between 0 and 1"
            )
        self.follower_action_space = parameters.laws.follower_box(low.astype(dtype), high.astype(dtype), dtype=dtype)
        self.leader_action_space = Box(least.astype(dtype), most.astype(dtype), dtype=dtype)
        self.leader_scaling, self.follower_scaling = leader_scaling(parameters), follower_scaling(parameters)
        self.leader_observation_space = Box(-np.inf, np.inf, (len(self.leader_scaling.unit),), dtype)
        self.follower_observation_space = Box(-np.inf, np.inf, (len(self.follower_scaling.unit),), dtype)


def _known(what: str, name: str, known: list[str]) -> str:
    if name not in known:
        raise InvalidSetting(f"unknown {what} '{name}'{nearest(str(name), known)}")
    return name


def _indicators(flows: Flows) -> dict[str, Array]:
    """What is reported of a year, (B,) each; per_capita and means are per household, amounts in dollars."""
    households = flows.reward.shape[-1]
    per_game = {
        "per_capita_gdp": flows.gdp / households,
        "social_welfare": flows.welfare,
        "income_gini": flows.income_gini,
        "wealth_gini": flows.wealth_gini,
        "capital": flows.next_capital,
        "debt": flows.next_debt,
        "wage": flows.wage,
        "interest_rate": flows.interest_rate,
        "tax_revenue": flows.revenue,
        "spending": flows.spending,
        "mean_assets": flows.total_next_assets / households,
        "mean_income": (flows.wage * flows.labour + flows.interest_rate * flows.total_assets) / households,
        "mean_consumption": flows.total_consumption / households,
        "mean_saving_rate": total(flows.saving_rate) / households,
        "mean_hours": total(flows.hours) / households,
        "mean_marginal_rate": flows.total_marginal_rate / households,
    }
    return {name: x[:, 0] for name, x in per_game.items()}
