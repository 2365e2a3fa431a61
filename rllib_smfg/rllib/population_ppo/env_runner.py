"""Plays B games of N households who remember, and returns whole trajectories of a few of them."""

from __future__ import annotations

from itertools import islice
from typing import Any

import torch

from envs import StackelbergMeanFieldGame
from policies import LeaderPolicy
from policies.free_market import free_market
from rllib_smfg.collect import sampled_households
from rllib_smfg.networks import Features
from rllib_smfg.recurrent import RecurrentFollower, RecurrentLeader
from rllib_smfg.replay_buffer import ReplayArrays
from rllib_smfg.rllib.env_runner import Fragment, PopulationEnvRunner
from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.rllib.population_ppo.experience import (
    DrawingFollower,
    DrawingLeader,
    follower_year,
    leader_year,
    trajectories,
)
from rllib_smfg.rollout import play


class PopulationPPORunner(PopulationEnvRunner):
    """Every household keeps a memory of its own; all are moved on in one batch a year."""

    def make_module(self) -> None:
        """Builds both actors, and the policies that play with them from iteration to iteration."""
        super().make_module()
        interface, sees_leader = self.config.interface(), self.config.learning_settings().followers_see_leader
        leader, follower = self.module[LEADER].actor, self.module[FOLLOWER].actor
        self._leader = DrawingLeader(leader, interface, self._action_random)
        self._follower = DrawingFollower(follower, interface, sees_leader, self._action_random)
        self._economy = Features(interface.leader_scaling)
        self._in_free_market = False

    def sample(self, *, free_market: bool = False, **kwargs: Any) -> list[Fragment]:
        """Plays on for the configured years, in whole sequences; see PopulationEnvRunner.

        In a free market the government acts at its lower bounds, and there are no trajectories of it.
        """
        self._in_free_market = free_market
        return super().sample(**kwargs)

    def _play_on(self, years: int, explore: bool) -> ReplayArrays:
        """Plays all games for some years; trajectories named "leader/..." and "follower/..."."""
        game, government = self.game, self._government()
        households = sampled_households(game.n_followers, self.config.households_kept(), self._household_random)
        rows: dict[str, list[ReplayArrays]] = {LEADER: [], FOLLOWER: []}
        starts = game.year == 0
        for year in islice(play(game, government, self._follower, self._observations), years):
            if not self._in_free_market:
                rows[LEADER].append(leader_year(game, self._leader, year, starts))
            rows[FOLLOWER].append(follower_year(game, self._follower, self._economy, year, starts, households))
            self._count_episodes(year)
            self._observations, starts = year.step.observations, year.step.done
        length = self.config.sequence_years
        return {
            f"{side}/{name}": values
            for side, played in rows.items()
            if played
            for name, values in trajectories(played, length).items()
        }

    def _government(self) -> LeaderPolicy:
        return free_market(self.game) if self._in_free_market else self._leader

    def evaluated_policies(self, game: StackelbergMeanFieldGame) -> tuple[RecurrentLeader, RecurrentFollower]:
        """Both sides without chance, with memories of their own."""
        leader, follower, interface = self._leader, self._follower, self.config.interface()
        households = RecurrentFollower(follower.network, interface, follower.sees_leader)
        return RecurrentLeader(leader.network, interface), households

    def play_state(self) -> dict[str, Any]:
        """Where play stands, memories included."""
        games, households = self.game.n_games, self.game.n_followers
        memories = self._leader.memory.of(games, 1).numpy(), self._follower.memory.of(games, households).numpy()
        return {**super().play_state(), "memories": memories}

    def set_play_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `play_state`."""
        super().set_play_state(state)
        government, households = (torch.from_numpy(memory.copy()) for memory in state["memories"])
        self._leader.memory.keep(government)
        self._follower.memory.keep(households)
