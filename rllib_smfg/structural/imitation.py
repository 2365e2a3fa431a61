"""Where a rule starts: as near to a given government as its few numbers allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from envs.arithmetic import ArithmeticGame
from policies.given import Given
from rllib_smfg.networks import features, to_unit
from rllib_smfg.rule import RuleActor, responding

SPREAD = 0.5  # of what it responds to, in features


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
