"""Governments whose income tax is a schedule that no action vector of the economy can express."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from envs.economy.game import Economy
from envs.economy.instruments import INSTRUMENTS, at_rest
from envs.economy.taxation import FiscalPolicy, Schedule, check_schedule
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame, Step
from policies.policy import LeaderPolicy

SPENDING = INSTRUMENTS.index("spending_share")


class TaxRule(LeaderPolicy):
    """Taxes incomes by a schedule and, unless it `taxes_assets`, assets not at all; the rest is as the action says.

    spending_share: share of GDP that is spent. Empty: what is usual in the preset (`usual_spending_share`); in `paper`
    and `taxai` that is the least they allow, as under a free market, so that nothing but the tax tells the two apart:
    neither the paper nor its tables say what rules spent.
    Raises InvalidSetting for a game that is no economy, or a share it does not allow.
    """

    announces_taxes = False
    # whether its schedule depends on what it saw in earlier years
    remembers: bool = False
    # whether assets are taxed as the action says
    taxes_assets: bool = False

    def __init__(self, game: StackelbergMeanFieldGame, spending_share: float | None = None) -> None:
        parameters, space, self._games = economy(game).parameters, game.leader_action_space, game.n_games
        self._action = np.concatenate([space.low[: len(INSTRUMENTS)], at_rest(parameters)]).astype(np.float64)
        low, high = float(space.low[SPENDING]), float(space.high[SPENDING])
        self._action[SPENDING] = max(low, parameters.usual_spending_share)
        if spending_share is not None:
            if not low <= spending_share <= high:
                raise InvalidSetting(f"spending_share = {spending_share}: must be between {low:g} and {high:g} of GDP")
            self._action[SPENDING] = spending_share
        self._checked: dict[str, Schedule | None] = {}

    def act(self, observation: Array) -> Array:
        """Actions (B, al) that households see: no taxes (their lower bounds), the spending share, and further
        instruments as they are in games without them.
        """
        return np.broadcast_to(self._action, (len(observation), len(self._action)))

    @abstractmethod
    def schedule(self, year: NDArray[np.int64]) -> Schedule:
        """The income tax of the year that comes, where `year` (B,) is its index in each game's episode."""

    def labour_schedule(self, year: NDArray[np.int64]) -> Schedule | None:
        """A tax on earnings beside it; None: none."""
        return None

    def enact(self, game: StackelbergMeanFieldGame, leader_action: Array, follower_action: Array) -> Step:
        """Plays the year with incomes taxed by `schedule`; raises InvalidSetting for one that cannot be levied.

        Assets are taxed as the action says, if the rule `taxes_assets`, or else not at all.
        """
        if game.n_games != self._games:
            raise ValueError(f"made for {self._games} games, asked to govern {game.n_games}")
        schedules = self._schedules(game.year)
        return economy(game).step(leader_action, follower_action, taxes_assets=self.taxes_assets, **schedules)

    def levied(self, announced: FiscalPolicy, year: NDArray[np.int64]) -> FiscalPolicy:
        """What is levied in a year (B,) in place of what the rule's action announces; otherwise as `enact`."""
        return announced.with_schedules(**self._schedules(year), taxes_assets=self.taxes_assets)

    def _schedules(self, year: NDArray[np.int64]) -> dict[str, Schedule | None]:
        found = {"income_tax": self.schedule(year), "labour_tax": self.labour_schedule(year)}
        for name, schedule in found.items():
            if schedule is not None and schedule is not self._checked.get(name):
                check_schedule(schedule, self._games)
        self._checked = found
        return found


def economy(game: StackelbergMeanFieldGame) -> Economy:
    """The game as an economy; raises InvalidSetting if it is none."""
    if not isinstance(game, Economy):
        raise InvalidSetting(f"game '{game.name}' has no incomes that a tax schedule applies to: must be 'economy'")
    return game
