"""A side in torch sees and does what the same side does in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from structural_parts import built, sides
from torch import nn

from envs.arithmetic import plain_mean
from rllib_smfg.networks import features, to_natural
from rllib_smfg.structural.sides import Averaged, outside

GAMES: dict[str, dict[str, Any]] = {
    "stage_game": {},
    "linear_quadratic": {},
    "income_tax": {},
    "static_hsv": {},
    "brock_mirman": {},
    "aiyagari": {},
    "krusell_smith": {},
    "economy": {"preset": "calibrated"},
}


@pytest.mark.parametrize("name", GAMES)
def test_features_and_natural_actions_agree_with_those_that_policies_play_by(name: str) -> None:
    game = built(name, games=3, followers=7, **GAMES[name])
    random = np.random.default_rng(1)
    state = game.first_state(random, 3)
    seen = game.observe(state, plain_mean)
    boxes = (game.leader_action_space, game.follower_action_space)
    scalings = (game.leader_scaling, game.follower_scaling)
    for side, observed, box, scaling, rows in zip(sides(game), seen, boxes, scalings, (1, 7), strict=True):
        natural = np.stack([np.broadcast_to(x, (3, rows)) for x in observed], -1)
        found = side.features([torch.as_tensor(x) for x in observed])
        np.testing.assert_allclose(found.numpy(), features(natural, scaling), rtol=1e-5, atol=1e-6)
        u = random.uniform(-1.3, 1.3, (3, rows, len(box.low)))
        acted = torch.stack(side.natural(torch.from_numpy(u)), -1).numpy()
        np.testing.assert_allclose(acted, to_natural(np.clip(u, -1, 1), box), rtol=1e-12, atol=1e-14)
        assert (acted >= box.low - 1e-12).all()
        assert (acted <= box.high + 1e-12).all()


def test_what_nobody_looks_at_is_blank_and_need_not_be_worked_out() -> None:
    game = built("economy", preset="calibrated", games=2, followers=5)
    leader = sides(game)[0]
    state = game.first_state(np.random.default_rng(0), 2)
    seen = [torch.as_tensor(x) for x in game.observe(state, plain_mean)[0]]
    place = game.leader_observes.index("debt_to_gdp")
    whole = leader.features(seen)
    seen[place - 1] = None  # type: ignore[call-overload]
    part = leader.features(seen, [place])
    assert torch.equal(part[..., place], whole[..., place])
    assert part.shape == whole.shape
    assert (part.sum(-1) == part[..., place]).all()


def test_a_rule_of_constants_looks_at_nothing() -> None:
    game = built("linear_quadratic", games=2, followers=5)
    state = {"x": torch.ones(2, 5, dtype=torch.float64)}
    seen = game.observe(state, plain_mean)[0]
    assert sides(game)[0].features(seen, []).tolist() == [[[0.0]], [[0.0]]]


def test_a_derivative_passes_straight_through_a_bound_and_what_is_outside_is_drawn_back() -> None:
    game = built("linear_quadratic", games=1, followers=3)
    u = torch.tensor([[[-1.5], [0.2], [4.0]]], dtype=torch.float64, requires_grad=True)
    (a,) = sides(game)[1].natural(u)
    np.testing.assert_allclose(a.detach().numpy(), [[-3.0, 0.6, 3.0]])
    a.sum().backward()
    np.testing.assert_allclose(u.grad.numpy(), np.full((1, 3, 1), 3.0))
    np.testing.assert_allclose(outside(u.detach()).flatten().numpy(), [0.25, 0.0, 9.0])


def test_averaged_weights_follow_and_forget_where_they_began() -> None:
    network, average = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    averaged = Averaged(network, average, rate=0.9)
    assert torch.equal(average.weight, network.weight)
    begun = float(network.weight.detach())
    with torch.no_grad():
        network.weight.fill_(begun + 1)
    averaged.follow()
    assert float(average.weight) == pytest.approx(begun + 0.9, abs=1e-6)  # one step: 1 / 10 is kept
    for _ in range(200):
        averaged.follow()
    assert float(average.weight) == pytest.approx(begun + 1, abs=1e-6)
    with torch.no_grad():
        network.weight.fill_(begun + 2)
    averaged.follow()
    assert float(average.weight) == pytest.approx(begun + 1.1, abs=1e-6)  # by now .9 are kept
