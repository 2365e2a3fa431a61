"""What followers do before they learn, where nothing else is said: keep what they carry as it is."""

from __future__ import annotations

import numpy as np
from gymnasium.spaces import Box

from envs.arithmetic import ArithmeticGame, plain_mean
from envs.game import Array
from envs.scaling import coordinate, from_coordinate
from rllib_smfg.structural.households import saving_decision

BISECTIONS = 40


def steady_start(game: ArithmeticGame, seed: int = 0) -> list[float] | None:
    """The constant decision (af,) under which the mean of what households carry stays as it begins.

    Other decisions, and the leader's, are in the middle of their ranges. None where nothing is carried, or where no
    constant decision keeps it.
    """
    if game.carried is None:
        return None
    random = np.random.default_rng(seed)
    state = game.first_state(random, game.n_games)
    shocks = game.shocks(random, np.zeros(game.n_games, dtype=np.int64))
    leader = [np.full((game.n_games, 1), x) for x in _middle(game.leader_action_space)]
    box, k = game.follower_action_space, saving_decision(game)
    middle = _middle(box)
    low, high = float(coordinate(box.low, box)[k]), float(coordinate(box.high, box)[k])

    def growth(x: float) -> float:
        chosen = middle.copy()
        chosen[k] = float(from_coordinate(np.array(x), box))
        shape = (game.n_games, game.n_followers)
        follower = [np.full(shape, each) for each in chosen]
        following = game.advance(state, leader, follower, shocks, plain_mean).state
        return float(np.mean(following[str(game.carried)]) - np.mean(state[str(game.carried)]))

    rising = growth(high) > growth(low)
    if growth(low) * growth(high) > 0:
        return None
    for _ in range(BISECTIONS):
        place = (low + high) / 2
        if (growth(place) > 0) == rising:
            high = place
        else:
            low = place
    middle[k] = float(from_coordinate(np.array((low + high) / 2), box))
    return [float(x) for x in middle]


def _middle(box: Box) -> Array:
    """The middle of a box on the scale on which it is even."""
    low, high = coordinate(box.low, box), coordinate(box.high, box)
    return from_coordinate((low + high) / 2, box)
