"""Trains SMFRL on a known game and reads off what it learned."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.config import Experiment
from experiments.loading import SHIPPED, load_experiment
from experiments.verify.readings import Readings, read


@dataclass(frozen=True)
class Case:
    """One line of work: a game at one N under one pair of gradients; `control` expects the check to fail."""

    game: str
    followers: int
    leader_gradient: str = "total"
    follower_gradient: str = "game"

    @property
    def control(self) -> bool:
        """Whether it is a negative control."""
        return (self.leader_gradient, self.follower_gradient) != ("total", "game")

    @property
    def name(self) -> str:
        """What the table calls it."""
        gradients = f", {self.leader_gradient}/{self.follower_gradient}" if self.control else ""
        return f"{self.game}, N = {self.followers}{gradients}"

    def experiment(self) -> Experiment:
        """The shipped configuration of the game, with this case's settings."""
        return load_experiment(
            SHIPPED / "verify" / f"{self.game}.yaml",
            [
                f"game.followers={self.followers}",
                f"algorithm.leader_gradient={self.leader_gradient}",
                f"algorithm.follower_gradient={self.follower_gradient}",
            ],
        )


def learn(case: Case, seed: int) -> Readings:
    """Trains one seed and returns its readings. Runs in a process of its own, beside other seeds."""
    from experiments.quiet import quieten

    quieten()
    experiment = case.experiment()
    algorithm = experiment.algorithm_config(seed).build_algo()
    try:
        for _ in range(experiment.training.iterations):
            algorithm.train()
        leader, follower = algorithm.trained_policies().policies()
    finally:
        algorithm.stop()
    return read(case.game, leader, follower, case.followers)
