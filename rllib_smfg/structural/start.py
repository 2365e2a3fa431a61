"""What both sides do before they learn: followers keep what they carry, a rule does as a given government does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from gymnasium.spaces import Box

from envs.arithmetic import ArithmeticGame, plain_mean
from envs.game import Array
from envs.scaling import coordinate, from_coordinate
from policies.given import Given
from rllib_smfg.networks import features, to_unit
from rllib_smfg.rule import RuleActor, responding
from rllib_smfg.structural.households import carried_names, saving_decisions

BISECTIONS = 40
SPREAD = 0.5  # of what it responds to, in features


def steady_start(game: ArithmeticGame, seed: int = 0) -> list[float] | None:
    """The constant decision (af,) under which the mean of what households carry stays as it begins.

    Other decisions, and the leader's, are in the middle of their ranges. None where nothing is carried, or where no
    constant decision keeps it.
    """
    names = carried_names(game)
    chosen = _middle(game.follower_action_space)
    for name, k in zip(names, saving_decisions(game), strict=True):
        kept = _keeping(game, name, k, chosen, seed)
        if kept is None:
            return None
        chosen[k] = kept
    return [float(x) for x in chosen] if names else None


def _keeping(game: ArithmeticGame, name: str, k: int, chosen: Array, seed: int) -> float | None:
    """The decision k, beside the others that are `chosen`, under which the mean of a carried number stays."""
    random = np.random.default_rng(seed)
    state = game.first_state(random, game.n_games)
    shocks = game.shocks(random, np.zeros(game.n_games, dtype=np.int64))
    leader = [np.full((game.n_games, 1), x) for x in _middle(game.leader_action_space)]
    box, shape = game.follower_action_space, (game.n_games, game.n_followers)
    low, high = float(coordinate(box.low, box)[k]), float(coordinate(box.high, box)[k])

    def decision(x: float) -> float:
        return float(from_coordinate(np.array(x), box))

    def growth(x: float) -> float:
        follower = [np.full(shape, decision(x) if place == k else each) for place, each in enumerate(chosen)]
        following = game.advance(state, leader, follower, shocks, plain_mean).state
        return float(np.mean(following[name]) - np.mean(state[name]))

    rising = growth(high) > growth(low)
    if growth(low) * growth(high) > 0:
        return None
    for _ in range(BISECTIONS):
        place = (low + high) / 2
        if (growth(place) > 0) == rising:
            high = place
        else:
            low = place
    return decision((low + high) / 2)


def _middle(box: Box) -> Array:
    """The middle of a box on the scale on which it is even."""
    low, high = coordinate(box.low, box), coordinate(box.high, box)
    return from_coordinate((low + high) / 2, box)


def imitated_rule(
    given: Given, game: ArithmeticGame, responses: Mapping[str, Sequence[str]], seed: int = 0
) -> dict[str, torch.Tensor]:
    """The numbers of a rule with these `responses`, by least squares on what a government does around the first year.

    What the rule responds to is moved by `SPREAD` features to either side.
    """
    responds = responding(responses, game.instruments, game.leader_observes)
    seen = game.reset(seed).leader[:1].astype(np.float64)
    places = [int(k) for k in responds.any(0).nonzero().flatten()]
    random = np.random.default_rng(seed)
    observed = np.repeat(seen, 64, axis=0)
    for k in places:
        moved = game.leader_scaling.feature(k, observed[:, k]) + SPREAD * random.standard_normal(len(observed))
        observed[:, k] = game.leader_scaling.observed(k, moved)
    policy = given.leader(game, seed)
    unit = to_unit(policy.act(observed), game.leader_action_space).astype(np.float64)
    x = features(observed, game.leader_scaling).astype(np.float64)
    rule = RuleActor(x.shape[1], game.leader_action_space, None, responds)
    with torch.no_grad():
        for k in range(unit.shape[1]):
            own = [int(place) for place in responds[k].nonzero().flatten()]
            found = np.linalg.lstsq(np.column_stack([np.ones(len(x)), x[:, own]]), unit[:, k], rcond=None)[0]
            rule.constant[k] = float(found[0])
            for place, slope in zip(own, found[1:], strict=True):
                rule.response[k, place] = float(slope)
    return rule.state_dict()
