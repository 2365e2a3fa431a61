"""Governments whose income tax is a schedule that no action vector of the economy can express."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
from numpy.typing import NDArray

from envs.economy.game import Economy
from envs.economy.taxation import Schedule, check_schedule
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame, Step
from policies.policy import LeaderPolicy


class TaxRule(LeaderPolicy):
    """Taxes incomes by a schedule and assets not at all; what is left of the action is the spending share.

    spending_share: share of GDP that is spent. Empty: what is usual in the preset (`usual_spending_share`); in `paper`
    and `taxai` that is the least they allow, as under a free market, so that nothing but the tax tells the two apart:
    neither the paper nor its tables say what rules spent.
    Raises InvalidSetting for a game that is no economy, or a share it does not allow.
    """

    announces_taxes = False

    def __init__(self, game: StackelbergMeanFieldGame, spending_share: float | None = None) -> None:
        space, self._games = economy(game).leader_action_space, game.n_games
        self._action = np.array(space.low, dtype=np.float64)
        self._action[-1] = max(self._action[-1], economy(game).parameters.usual_spending_share)
        if spending_share is not None:
            if not space.low[-1] <= spending_share <= space.high[-1]:
                raise InvalidSetting(
                    f"spending_share = {spending_share}: must be between {space.low[-1]:g} and {space.high[-1]:g}"
                )
            self._action[-1] = spending_share
        self._checked: Schedule | None = None

    def act(self, observation: Array) -> Array:
        """Actions (B, 5) that households see: no taxes (their lower bounds), and the spending share."""
        return np.broadcast_to(self._action, (len(observation), len(self._action)))

    @abstractmethod
    def schedule(self, year: NDArray[np.int64]) -> Schedule:
        """The income tax of the year that comes, where `year` (B,) is its index in each game's episode."""

    def enact(self, game: StackelbergMeanFieldGame, leader_action: Array, follower_action: Array) -> Step:
        """Plays the year with incomes taxed by `schedule`; raises InvalidSetting for one that cannot be levied."""
        if game.n_games != self._games:
            raise ValueError(f"made for {self._games} games, asked to govern {game.n_games}")
        schedule = self.schedule(game.year)
        if schedule is not self._checked:
            check_schedule(schedule, game.n_games)
            self._checked = schedule
        return economy(game).step(leader_action, follower_action, income_tax=schedule)


def economy(game: StackelbergMeanFieldGame) -> Economy:
    """The game as an economy; raises InvalidSetting if it is none."""
    if not isinstance(game, Economy):
        raise InvalidSetting(f"game '{game.name}' has no incomes that a tax schedule applies to: must be 'economy'")
    return game
