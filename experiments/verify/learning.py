"""Trains on a known game, by one of the two methods, and reads off what was learned."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from experiments.configuration.config import Experiment
from experiments.configuration.loading import load_experiment
from experiments.configuration.shipped import SHIPPED
from rllib_smfg.known_games.readings import Readings, read

VerifiedMethod = Literal["structural", "smfrl"]
# method -> folder of its configurations of the known games: one default for all, or settings found for each
CONFIGURATIONS: dict[VerifiedMethod, Path] = {
    "structural": SHIPPED / "verify" / "structural",
    "smfrl": SHIPPED / "verify",
}


@dataclass(frozen=True)
class Case:
    """One line of work: a game at one N, learned by one method under one pair of gradients.

    A `control` expects the check to fail. parameters: (name, value) of each that is not the reference instance's.
    """

    game: str
    followers: int
    leader_gradient: str = "total"
    follower_gradient: str = "game"
    method: VerifiedMethod = "structural"
    parameters: tuple[tuple[str, float], ...] = ()

    @property
    def control(self) -> bool:
        """Whether it is a negative control."""
        return (self.leader_gradient, self.follower_gradient) != ("total", "game")

    @property
    def name(self) -> str:
        """What the table calls it."""
        gradients = f", {self.leader_gradient}/{self.follower_gradient}" if self.control else ""
        parameters = "".join(f", {name} = {value:g}" for name, value in self.parameters)
        return f"{self.game}, N = {self.followers}{parameters}, {self.method}{gradients}"

    def experiment(self) -> Experiment:
        """The shipped configuration of the game, with this case's settings."""
        return load_experiment(
            configuration(self.game, self.method),
            [
                f"game.followers={self.followers}",
                *(f"game.{name}={value!r}" for name, value in self.parameters),
                f"algorithm.leader_gradient={self.leader_gradient}",
                f"algorithm.follower_gradient={self.follower_gradient}",
            ],
        )


def configuration(game: str, method: VerifiedMethod) -> Path:
    """The shipped file that trains a known game by a method."""
    return CONFIGURATIONS[method] / f"{game}.yaml"


def learn(case: Case, seed: int) -> Readings:
    """Trains one seed and returns its readings. Runs in a process of its own, beside other seeds."""
    from rllib_smfg.processes.quiet import quieten

    quieten()
    experiment = case.experiment()
    algorithm = experiment.algorithm_config(seed).build_algo()
    try:
        for _ in range(experiment.training.iterations):
            algorithm.train()
        leader, follower = algorithm.trained_policies().policies()
    finally:
        algorithm.stop()
    return read(case.game, leader, follower, case.followers, **dict(case.parameters))
