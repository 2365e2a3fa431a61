"""Households who take what the government announces to last for ever, and plan accordingly."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from envs.economy.game import Economy
from envs.economy.instruments import INSTRUMENTS, at_rest
from envs.economy.parameters import EconomyParameters
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from envs.scaling import from_coordinate
from policies.perceptron import perceptron
from policies.policy import FollowerPolicy

PLANS = Path(__file__).parent / "data" / "planned" / "plans.npz"
FOLLOWER_SEES = ("wage", "interest_rate", "mean_income", "mean_assets")
TAXES = 4  # tau, xi, tau_a, xi_a
# parameters that a plan depends on, and the name under which a file of plans keeps theirs (as JSON). What scales all
# prices alike (tfp, us_gdp, us_population) is none of them: plans are in hours of work.
DEPENDS_ON = (
    "discount",
    "crra",
    "labour_disutility",
    "inverse_frisch",
    "maximal_hours",
    "initial_labour_share",
    "ability_persistence",
    "ability_sd",
    "superstar_entry",
    "superstar_stay",
    "superstar_multiple",
    "consumption_tax",
    "capital_share",
    "depreciation",
)
SOLVED_FOR = "solved_for"


class PlanningHousehold(FollowerPolicy):
    """The plan that is best at this year's wage and interest rate, and under the taxes announced, if all of them last.

    Solved by the endogenous grid method for tax systems all over the government's range, and fitted by a small network
    (`smfg plan`), which is what acts here. Of what the interest rate is above or below its usual value half is taken
    to last. taxes: (tau, xi, tau_a, xi_a) to plan for instead of what is announced, for governments whose tax
    schedules are no action (us_federal, saez).
    Raises InvalidSetting for a game other than the economy `calibrated`, or with parameters the plans were not solved
    for, or with instruments that they were not solved for (a transfer, ...) unless `taxes` says what to plan for, or
    they are told that such instruments stay as in games without them (further_at_rest; `act` raises it where they do
    not).
    """

    takes_taxes = True

    def __init__(
        self,
        game: StackelbergMeanFieldGame,
        taxes: Sequence[float] | None = None,
        file: str | Path = PLANS,
        further_at_rest: bool = False,
    ) -> None:
        if not isinstance(game, Economy) or game.parameters.laws.follower_sees != FOLLOWER_SEES:
            raise InvalidSetting(
                "households 'planning' were solved for the economy 'calibrated': game.preset must be so"
            )
        further = [name for name, _ in game.parameters.further_instruments]
        if further and taxes is None and not further_at_rest:
            raise InvalidSetting(
                f"households 'planning' were solved without the instrument '{further[0]}': "
                "leave game.instruments empty, give them taxes to plan for, or, where it is never used, further_at_rest"
            )
        self._resting = at_rest(game.parameters) if further and taxes is None else None
        if taxes is not None and len(taxes) != TAXES:
            raise InvalidSetting(f"taxes = {list(taxes)}: must be four numbers, tau, xi, tau_a, xi_a")
        self._taxes = None if taxes is None else np.asarray(taxes, dtype=np.float64)
        self.reads_leader = taxes is None
        with np.load(file, allow_pickle=False) as known:
            self._weights = {name: known[name] for name in known.files if name != SOLVED_FOR}
            refuse_other_parameters(str(known[SOLVED_FOR]) if SOLVED_FOR in known.files else "{}", game.parameters)
        self._box = game.follower_action_space
        self._low = np.asarray(self._box.low, dtype=np.float64)
        self._high = np.asarray(self._box.high, dtype=np.float64)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, 2)."""
        if self._resting is not None and not np.allclose(leader_action[:, len(INSTRUMENTS) :], self._resting):
            raise InvalidSetting(
                "households 'planning' were told further_at_rest, and the government uses an instrument beyond the five"
            )
        taxes = leader_action[:, :TAXES] if self._taxes is None else np.tile(self._taxes, (len(leader_action), 1))
        coordinates = perceptron(self._weights, planned_for(observation), tax_features(taxes)[:, None, :])
        chosen: Array = np.clip(from_coordinate(coordinates.astype(np.float64), self._box), self._low, self._high)
        return chosen


def solved_for(parameters: EconomyParameters) -> str:
    """What plans solved for these parameters keep of them, as JSON."""
    return json.dumps({name: getattr(parameters, name) for name in DEPENDS_ON})


def refuse_other_parameters(known: str, parameters: EconomyParameters) -> None:
    """Raises InvalidSetting where plans kept other parameters (JSON) than these."""
    there = json.loads(known)
    for name in DEPENDS_ON:
        here = getattr(parameters, name)
        if name not in there:
            raise InvalidSetting(f"households 'planning': the file of plans does not say its {name}; make it again")
        if here != there[name]:
            raise InvalidSetting(
                f"households 'planning' were solved for {name} = {there[name]:g}, this game has {name} = {here:g}:"
                f" must be {there[name]:g}, or other households (learned, real_data)"
            )


def planned_for(observation: Array) -> Array:
    """Features (..., 3) of ability, assets in hours of work at ability 1, and interest rate, from what is observed."""
    ability, assets, wage, rate = (observation[..., k].astype(np.float64) for k in range(4))
    hours = np.log1p(np.maximum(assets, 0.0) / (200.0 * wage))
    features: Array = np.stack(
        [np.log(ability) / 1.5, (hours - 3.0) / 2.5, np.clip((rate - 0.04) / 0.03, -2.5, 3.0)], axis=-1
    ).astype(np.float32)
    return features


def tax_features(taxes: Array) -> Array:
    """Features (..., 4) of tau, xi, tau_a, xi_a."""
    centre, width = np.array([0.3, 0.2, 0.01, 0.003]), np.array([0.1, 0.1, 0.01, 0.003])
    features: Array = ((taxes.astype(np.float64) - centre) / width).astype(np.float32)
    return features
