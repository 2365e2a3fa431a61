"""The US tax and transfer system as Heathcote, Storesletten and Violante (2017) sum it up, under a rule for debt."""

from __future__ import annotations

import numpy as np

from envs.economy.calibration import US_PROGRESSIVITY
from envs.economy.instruments import at_rest
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from policies.policy import LeaderPolicy
from policies.tax_rule import economy

# tau of the schedule that pays for spending and interest in the long run (`envs.economy.calibration.benchmark`)
US_LEVEL = 0.281
# by what share of GDP the primary surplus rises with debt over GDP: Bohn (1998, QJE 113), United States 1916-1995
SURPLUS_RESPONSE = 0.054
# what one unit of tau raises in the long run, as a share of GDP
REVENUE_OF_TAU = 0.86


class USSystem(LeaderPolicy):
    """Progressivity 0.181, no tax on assets, the usual spending; the level of taxes follows debt.

    level: tau where debt over GDP is that of the first year. response: by what share of GDP the primary surplus rises
    with debt over GDP; 0: taxes do not follow debt.
    Raises InvalidSetting for a game whose government does not see its debt (all presets but `calibrated`).
    """

    def __init__(
        self, game: StackelbergMeanFieldGame, level: float = US_LEVEL, response: float = SURPLUS_RESPONSE
    ) -> None:
        parameters, space = economy(game).parameters, game.leader_action_space
        if "debt_to_gdp" not in parameters.laws.leader_sees:
            raise InvalidSetting("government 'us_system' needs to see its debt: game.preset must be 'calibrated'")
        # prices and ratios follow the six group means
        self._debt = 6 + parameters.laws.leader_sees.index("debt_to_gdp")
        self._usual_debt, self._space = parameters.debt_to_gdp, space
        five = [level, US_PROGRESSIVITY, 0.0, 0.0, parameters.usual_spending_share]
        self._action, self._response = np.concatenate([five, at_rest(parameters)]), response / REVENUE_OF_TAU

    def act(self, observation: Array) -> Array:
        """Actions (B, al); further instruments are as in games without them."""
        actions = np.tile(self._action, (len(observation), 1))
        excess = observation[:, self._debt].astype(np.float64) - self._usual_debt
        actions[:, 0] += self._response * excess
        clipped: Array = np.clip(actions, self._space.low, self._space.high)
        return clipped
