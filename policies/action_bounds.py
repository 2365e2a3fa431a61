"""Whether an action that somebody wrote down is one that the game allows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from envs.economy.game import Economy
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame

# what the numbers of an economy's actions are called
ECONOMY = {
    "leader": ("tau", "xi", "tau_a", "xi_a", "spending share"),
    "follower": ("saving rate", "share of time worked"),
}
# Bounds lie a little inside of what they bound (a tax of .0005, not of 0): a number so near to one, as a share of the
# range, stands for it. So 0 is the least of a tax and the least working time, in every preset.
NEAR = 0.0025


def within(game: StackelbergMeanFieldGame, side: str, action: Sequence[float], setting: str = "action") -> Array:
    """The action (al,) or (af,) of a side, leader or follower, with numbers `NEAR` a bound put on it.

    Raises InvalidSetting that names the first number outside its bounds, or how many there must be.
    """
    space = getattr(game, f"{side}_action_space")
    size = space.shape[0]
    if len(action) != size:
        raise InvalidSetting(f"{setting} has {len(action)} numbers: the {side} of '{game.name}' acts with {size}")
    values = np.asarray(action, dtype=np.float64)
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    slack = NEAR * (high - low)
    allowed = (values >= low - slack) & (values <= high + slack)
    for k in np.flatnonzero(~allowed)[:1]:
        raise InvalidSetting(
            f"{setting}: {_name(game, side, k)} = {values[k]:g}: must be between {low[k]:g} and {high[k]:g}"
        )
    return np.clip(values, low, high)


def _name(game: StackelbergMeanFieldGame, side: str, k: int) -> str:
    if not isinstance(game, Economy):
        return f"number {k + 1} of the {side}'s action"
    names = ECONOMY[side]
    return names[k] if k < len(names) else game.instruments[k]
