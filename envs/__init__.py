"""The games: economies built on microfoundations, and games whose solution is known exactly."""

from envs.game import InvalidSetting, Observations, StackelbergMeanFieldGame, Step
from envs.registry import make

__all__ = ["InvalidSetting", "Observations", "StackelbergMeanFieldGame", "Step", "make"]
