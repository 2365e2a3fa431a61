"""Whether what is seen comes to networks as features of order one, which a game's scaling makes of it."""

from __future__ import annotations

import numpy as np

from envs.game import Observations, StackelbergMeanFieldGame
from rllib_smfg.networks import to_natural

LARGEST_FEATURE, LEAST_SPREAD = 20.0, 0.02  # of what is seen in its first years by who plays at random
ROUNDING = 1e-6  # spread of what is the same in all games
YEARS_SEEN = 2


def out_of_scale(game: StackelbergMeanFieldGame) -> str:
    """What there is to say of an observation whose feature is far from order one; empty where there is none.

    Such a feature is learned from wrongly, or not at all. It is asked of the first years of play at random.
    """
    seen = _seen_at_random(game)
    for side, scaling in (("leader", game.leader_scaling), ("follower", game.follower_scaling)):
        names = getattr(game, f"{side}_observes", [str(k + 1) for k in range(len(scaling.unit))])
        for k, name in enumerate(names):
            x = np.concatenate([getattr(each, side)[..., k].flatten() for each in seen])
            feature = scaling.feature(k, x)
            size, spread = float(np.median(np.abs(feature))), float(np.std(feature))
            if size > LARGEST_FEATURE or ROUNDING < spread < LEAST_SPREAD:
                right = f"shift = {np.median(x):.3g} and width = {np.std(x):.2g}"
                return (
                    f"game '{game.name}': the {side}'s observation '{name}' is a feature of size {size:.2g} and spread"
                    f" {spread:.2g}, which is learned from wrongly: let {side}_scaling make it of order one,"
                    f" {'by unit, shift and width' if scaling.logarithmic[k] else right}"
                )
    return ""


def _seen_at_random(game: StackelbergMeanFieldGame) -> list[Observations]:
    """What is seen in the first years of actions from all over their boxes."""
    random = np.random.default_rng(0)
    seen = [game.reset(0)]
    for _ in range(YEARS_SEEN):
        leader = random.uniform(-1.0, 1.0, (game.n_games, *game.leader_action_space.shape))
        follower = random.uniform(-1.0, 1.0, (game.n_games, game.n_followers, *game.follower_action_space.shape))
        natural = to_natural(leader, game.leader_action_space), to_natural(follower, game.follower_action_space)
        seen.append(game.step(*natural).observations)
    return seen
