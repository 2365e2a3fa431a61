"""An economy with further instruments, and what a government does in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from envs import make
from envs.economy.instruments import FURTHER
from policies.given import Given

ALL = tuple(FURTHER)
DEBT = 9  # the place of debt over GDP in what a government sees


def economy(instruments: Any = ALL, games: int = 2, followers: int = 40, preset: str = "calibrated") -> Any:
    return make("economy", preset=preset, games=games, followers=followers, instruments=instruments)


def acted(game: Any, policy: Any, excess_debt: float = 0.0) -> np.ndarray:
    """What a government does in the first year, with debt over GDP so much beyond that of the calibration."""
    seen = np.array(game.reset(seed=1).leader)
    seen[:, DEBT] = game.parameters.debt_to_gdp + excess_debt
    actions: np.ndarray = Given.of(policy).leader(game, 0).act(seen)
    first: np.ndarray = actions[0]
    return first
