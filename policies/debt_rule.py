"""Governments whose taxes follow debt and whose other instruments stay as they are."""

from __future__ import annotations

import numpy as np

from envs.economy.instruments import INSTRUMENTS, at_rest
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from policies.policy import LeaderPolicy
from policies.tax_rule import economy
from policies.us_system import REVENUE_OF_TAU, SURPLUS_RESPONSE

DEBT_RESPONSE = SURPLUS_RESPONSE / REVENUE_OF_TAU  # of the level of taxes to debt over GDP, in `us_system`


class DebtRule(LeaderPolicy):
    """tau = `tau` + `response` (B / Y - `debt`), within what the game allows; the rest is constant.

    tau: level of the income tax where debt is as it should be; xi: progressivity; asset_tau, asset_xi: the same of the
    tax on assets; spending: share of GDP (default: the preset's usual); debt: over GDP (default: that of the first
    year); response (default: that of `us_system`).
    Raises InvalidSetting for a game whose government does not see its debt (all presets but `calibrated`), and for an
    instrument outside what it allows.
    """

    def __init__(
        self,
        game: StackelbergMeanFieldGame,
        tau: float,
        xi: float,
        asset_tau: float = 0.0,
        asset_xi: float = 0.0,
        spending: float | None = None,
        debt: float | None = None,
        response: float = DEBT_RESPONSE,
    ) -> None:
        parameters, space = economy(game).parameters, game.leader_action_space
        if "debt_to_gdp" not in parameters.laws.leader_sees:
            raise InvalidSetting("government 'debt_rule' needs to see its debt: game.preset must be 'calibrated'")
        spending = parameters.usual_spending_share if spending is None else spending
        named = {"tau": tau, "xi": xi, "asset_tau": asset_tau, "asset_xi": asset_xi, "spending": spending}
        for (name, value), high in zip(named.items(), space.high[: len(INSTRUMENTS)], strict=True):
            if not 0 <= value <= high:
                raise InvalidSetting(f"{name} = {value:g}: must be between 0 and {high:g}")
        # prices and ratios follow the six group means
        self._seen = 6 + parameters.laws.leader_sees.index("debt_to_gdp")
        self._debt = parameters.debt_to_gdp if debt is None else debt
        self._response, self._space = response, space
        self._action = np.concatenate([list(named.values()), at_rest(parameters)])

    def act(self, observation: Array) -> Array:
        """Actions (B, al); further instruments are as in games without them."""
        actions = np.tile(self._action, (len(observation), 1))
        actions[:, 0] += self._response * (observation[:, self._seen].astype(np.float64) - self._debt)
        clipped: Array = np.clip(actions, self._space.low, self._space.high)
        return clipped
