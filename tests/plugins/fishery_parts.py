"""A package of somebody else's, written outside the repository: a game as arithmetic, an outlook, two rules."""

from __future__ import annotations

from pathlib import Path

GAME = '''
"""Fishers and a tax on catches, as arithmetic."""
from dataclasses import dataclass

import numpy as np
from gymnasium.spaces import Box

from envs.arithmetic import ArithmeticGame, Outcome
from envs.scaling import FeatureScaling
from policies import FollowerPolicy, LeaderPolicy


class Fishery(ArithmeticGame):
    name = "fishery"
    discount = 0.8
    leader_observes = ("stock",)
    follower_observes = ("stock",)
    instruments = ("tax",)
    decisions = ("effort",)

    def __init__(self, *, games=1, followers=20, horizon=20, growth=0.4):
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.growth = growth
        self.leader_observation_space = self.follower_observation_space = Box(0.0, 1.0, (1,), np.float64)
        self.leader_action_space = self.follower_action_space = Box(0.0, 1.0, (1,), np.float64)
        self.leader_scaling = self.follower_scaling = FeatureScaling.linear(width=(0.5,), shift=(0.5,))
        self.follower_outlook = Catch()
        self.state = {"stock": np.ones((self.n_games, 1))}

    def first_state(self, random, games):
        return {"stock": random.uniform(0.5, 1.0, (games, 1))}

    def shocks(self, random, year):
        return {}

    def observe(self, state, mean):
        return (state["stock"],), (state["stock"],)

    def advance(self, state, leader, follower, shocks, mean):
        s, (tax,), (effort,) = state["stock"], leader, follower
        catch = 0.5 * effort * s
        reward = (1 - tax) * catch + tax * mean(catch) - effort**2 / 4
        stock = s + self.growth * s * (1 - s) - mean(catch)
        return Outcome(mean(catch), reward, {"stock": stock}, indicators={"mean_catch": mean(catch), "tax": tax})


@dataclass(frozen=True)
class Catch:
    """What a fisher knows of its year: the reward, and how much less fish is there."""

    carried: int = 1
    needs_leader: bool = True
    seen_again: tuple = ()

    def __call__(self, xp, observation, action, leader_action):
        catch = 0.5 * action[0] * observation[0]
        return (1 - leader_action[0]) * catch - action[0] ** 2 / 4, (observation[0] - catch,)

    def found(self, xp, carried):
        return ()


class Steady(LeaderPolicy):
    """The same tax every year."""

    def __init__(self, game, tax=0.5):
        self.tax = tax

    def act(self, observation):
        return np.full((len(observation), 1), self.tax)


class Idle(FollowerPolicy):
    """Fishers who do not fish."""

    def __init__(self, game):
        pass

    def act(self, observation, leader_action):
        return np.zeros((*observation.shape[:2], 1))


class Half(ArithmeticGame):
    """Not written to the end."""


class Extended(Fishery):
    """A game that extends another."""

    def __init__(self, *, bonus=0.0, **settings):
        super().__init__(**settings)
        self.bonus = bonus
'''
CONFIG = """
game: {name: PACKAGE:Fishery, followers: 8, games: 2, growth: 0.3}
algorithm:
  hidden: [8]
  years_per_iteration: 40
  warm_up_years: 40
  updates_per_iteration: 2
  transitions_per_update: 16
training: {iterations: 2, checkpoint_interval: 1, seeds: [1], env_runners: 2}
evaluation: {interval: 0, final_episodes: 2}
comparison: {baselines: [random]}
"""
STRUCTURAL = """
game: {name: PACKAGE:Fishery, followers: 8, games: 2}
algorithm: {method: structural, economies: 4, household_years: 1000, updates_per_iteration: 5}
training: {iterations: 2, checkpoint_interval: 2, seeds: [1]}
evaluation: {interval: 0, final_episodes: 2}
comparison: {baselines: [random]}
"""


def write_package(folder: Path, package: str, config: str = CONFIG) -> Path:
    """A folder with the package, and a configuration beside it that names its game."""
    (folder / package).mkdir(parents=True)
    (folder / package / "__init__.py").write_text(GAME)
    path = folder / "mine.yaml"
    path.write_text(config.replace("PACKAGE", package))
    return path
