"""Paths in torch are the numpy game under the same policies and luck; their derivatives are those of each concept."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from structural_parts import DOUBLE, built, constant_rule, networks, sides
from torch import nn

from envs.arithmetic import ArithmeticGame, Arrays, Mean, Outcome, namespace
from envs.game import Array
from envs.scaling import FeatureScaling
from rllib_smfg.networks import features, to_natural, to_unit
from rllib_smfg.structural import paths
from rllib_smfg.structural.paths import Play, Returns, draw_luck, path_years, returns, unseen_ends


def played(
    game: ArithmeticGame, leader: Any, follower: Any, years: int, seed: int = 5, seen_leader: Any = None
) -> Returns:
    luck = draw_luck(game, seed, years, DOUBLE)
    return returns(Play(game, *sides(game), leader, follower, seen_leader), luck, game.discount)


def stepped(game: ArithmeticGame, leader: nn.Module, follower: nn.Module, years: int, seed: int) -> Any:
    """Discounted sums (B,) of both sides in the numpy game, stepped as runners step it, on the same luck."""
    game.reset(0)
    random = np.random.default_rng(seed)
    game._start_random = game._shock_random = random
    game._start(np.arange(game.n_games))
    game._start_random = np.random.default_rng(0)  # those that end start anew with luck that nobody else meets
    seen = game._observe()
    sums, weight, alive = np.zeros((2, game.n_games)), 1.0, np.ones(game.n_games, dtype=bool)
    for _ in range(years):
        with torch.no_grad():
            own = torch.from_numpy(features(seen.leader, game.leader_scaling).astype(np.float64))
            told = to_natural(leader(own, own[..., :0]).clamp(-1, 1).numpy(), game.leader_action_space)
            shared = torch.from_numpy(to_unit(told, game.leader_action_space).astype(np.float64))[:, None]
            own = torch.from_numpy(features(seen.follower, game.follower_scaling).astype(np.float64))
            answer = to_natural(follower(own, shared).clamp(-1, 1).numpy(), game.follower_action_space)
        step = game.step(told, answer)
        sums[0] += weight * alive * step.leader_reward / game.leader_reward_scale
        sums[1] += weight * alive * step.follower_reward.mean(-1) / game.follower_reward_scale
        weight, alive = weight * game.discount, alive & ~step.done
        seen = step.observations
    return sums, alive


GAMES: dict[str, dict[str, Any]] = {
    "stage_game": {},
    "linear_quadratic": {},
    "income_tax": {},
    "static_hsv": {},
    "brock_mirman": {},
    "aiyagari": {},
    "krusell_smith": {},
    "economy": {"preset": "calibrated", "task": "social_welfare"},
}


@pytest.mark.parametrize("name", GAMES)
def test_returns_are_those_of_the_numpy_game(name: str) -> None:
    game = built(name, games=3, followers=20, horizon=50, **GAMES[name])
    leader, follower = networks(game)
    expected, alive = stepped(game, leader, follower, 6, seed=7)
    assert alive.any()
    with torch.no_grad():
        found = played(game, leader, follower, 6, seed=7)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found.leader.numpy(), expected[0], rtol=1e-5, atol=1e-5 * scale)
    np.testing.assert_allclose(found.follower.numpy(), expected[1], rtol=1e-5, atol=1e-5 * scale)
    np.testing.assert_array_equal(found.lived[alive].numpy(), np.ones(alive.sum()))


def test_the_same_luck_is_met_by_all_policies_that_are_compared() -> None:
    game = built("linear_quadratic", games=2, followers=5)
    one, other = (draw_luck(game, [3, 4], 5, DOUBLE) for _ in range(2))
    assert torch.equal(one.first["x"], other.first["x"])
    assert all(torch.equal(a["eps"], b["eps"]) for a, b in zip(one.shocks, other.shocks, strict=True))
    assert not torch.equal(one.first["x"], draw_luck(game, [3, 5], 5, DOUBLE).first["x"])


def test_a_path_is_as_long_as_its_weight_says() -> None:
    assert path_years(0.0, 0.002, 50, ends=False) == 1
    years = path_years(0.9, 0.002, 50, ends=False)
    assert 0.9**years < 0.002 <= 0.9 ** (years - 1)
    assert path_years(0.9, 0.002, 50, ends=True) == 50
    assert path_years(1.0, 0.002, 40, ends=False) == 40


# --- concepts --------------------------------------------------------------------------------------------------------
class Answers(nn.Module):
    """Followers whose output is a multiple of the leader's."""

    def forward(self, own: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
        return 0.3 * shared.expand(*own.shape[:-1], 1)


def test_total_lets_this_year_s_reaction_in_and_partial_leaves_it_out_by_hand() -> None:
    """Leader's cost (abar + kappa g)^2 / 2 + rl g^2 / 2 with abar = slope g."""
    game = built("stage_game", games=2, followers=3)
    p, u, unit = game.parameters, 0.2, 3.0  # of g in one of u
    g, slope = unit * u, 0.3 * 5.0 / 3.0
    expected = {
        "total": -unit * g * ((slope + p.kappa) ** 2 + p.rl),
        "partial": -unit * g * ((slope + p.kappa) * p.kappa + p.rl),
    }
    for concept, by_hand in expected.items():
        leader = constant_rule(game, [u])
        seen = deepcopy(leader).requires_grad_(False) if concept == "partial" else None
        played(game, leader, Answers(), 1, seen_leader=seen).leader.mean().backward()
        assert float(leader.constant.grad) == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize("concept", ["total", "partial"])
def test_what_follows_from_the_state_is_in_both_derivatives(concept: str) -> None:
    """Finite differences of two years in the leader's number; `partial` tells followers of the old one."""
    game = built("linear_quadratic", games=2, followers=4)
    _, follower = networks(game)

    def worth(u: float, seen: Any = None) -> float:
        return float(played(game, constant_rule(game, [u]), follower, 3, seen_leader=seen).leader.detach().mean())

    leader = constant_rule(game, [0.1])
    seen = deepcopy(leader).requires_grad_(False) if concept == "partial" else None
    played(game, leader, follower, 3, seen_leader=seen).leader.mean().backward()
    expected = (worth(0.1 + 1e-5, seen) - worth(0.1 - 1e-5, seen)) / 2e-5
    assert float(leader.constant.grad) == pytest.approx(expected, rel=1e-6)


# --- ends ------------------------------------------------------------------------------------------------------------
class Spends(ArithmeticGame):
    """What is left halves with what the leader spends; a game ends when less than a quarter is left.

    Each year is worth the root of what is left, which is no number, and has no derivative, once it is below 0.
    """

    name = "spends"
    leader_observes = ("left",)
    follower_observes = ("left",)
    instruments = ("spent",)
    decisions = ("nothing",)
    discount = 0.5

    def __init__(self, *, games: int = 2, followers: int = 1, horizon: int = 20) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.leader_observation_space = self.follower_observation_space = Box(-np.inf, np.inf, (1,), np.float64)
        self.leader_action_space = self.follower_action_space = Box(0.0, 1.0, (1,), np.float64)
        self.leader_scaling = self.follower_scaling = FeatureScaling.linear((1.0,))

    def first_state(self, random: np.random.Generator, games: int) -> Arrays:
        return {"left": np.linspace(1.0, 100.0, games)[:, None]}

    def shocks(self, random: np.random.Generator, year: NDArray[np.int64]) -> Arrays:
        return {}

    def observe(self, state: Arrays, mean: Mean) -> tuple[Sequence[Any], Sequence[Any]]:
        return (state["left"],), (state["left"],)

    def advance(
        self, state: Arrays, leader: Sequence[Any], follower: Sequence[Any], shocks: Arrays, mean: Mean
    ) -> Outcome:
        left = state["left"]
        reward = namespace(left).sqrt(left)
        following = left - leader[0]
        strain = (1 - left) * (left < 1)
        return Outcome(reward, reward + 0 * follower[0], {"left": following}, following < 0.25, strain)


def test_what_comes_after_an_end_does_not_count_and_has_no_derivative() -> None:
    game = Spends(games=2)
    leader = constant_rule(game, [0.2])  # .6 a year
    found = played(game, leader, Still(), 4)
    one = 1 + 0.5 * np.sqrt(0.4)  # the first game lives for two years: 1, .4, then below 0
    other = sum(0.5**k * np.sqrt(100 - 0.6 * k) for k in range(4))
    np.testing.assert_allclose(found.leader.detach().numpy(), [one, other], rtol=1e-12)
    np.testing.assert_allclose(found.follower.detach().numpy(), [one, other], rtol=1e-12)
    np.testing.assert_allclose(found.lived.numpy(), [1.5 / 1.875, 1.0], rtol=1e-12)
    np.testing.assert_allclose(found.strain.detach().numpy(), [0.5 * 0.6, 0.0], rtol=1e-12)
    found.leader.sum().backward()
    slope = -0.5 * 0.5 / (2 * np.sqrt(0.4)) - 0.5 * sum(0.5**k * k / (2 * np.sqrt(100 - 0.6 * k)) for k in range(4))
    assert float(leader.constant.grad) == pytest.approx(slope, rel=1e-12)


class Still(nn.Module):
    """Followers who do the same whatever they see."""

    def forward(self, own: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
        return torch.zeros(*own.shape[:-1], 1, dtype=own.dtype)


def test_acting_out_of_bounds_is_counted_and_has_a_derivative() -> None:
    game = Spends(games=2)
    leader = constant_rule(game, [-1.5])
    found = played(game, leader, Still(), 3)
    np.testing.assert_allclose(found.outside.detach().numpy(), [0.25, 0.25])
    found.outside.mean().backward()
    assert float(leader.constant.grad) == pytest.approx(-1.0)


def test_followers_are_told_what_is_enacted() -> None:
    """What a leader announces is within its bounds, whatever its outputs are."""
    game = built("stage_game", games=1, followers=2)
    told: list[Array] = []

    class Listens(Still):
        def forward(self, own: torch.Tensor, shared: torch.Tensor) -> torch.Tensor:
            told.append(shared.detach().numpy().copy())
            return super().forward(own, shared)

    played(game, constant_rule(game, [4.0]), Listens(), 1)
    np.testing.assert_array_equal(told[0], np.ones((1, 1, 1)))


def test_paths_too_large_for_one_graph_are_played_again_for_the_same_derivatives(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    game = built("economy", games=2, followers=20, horizon=50, **GAMES["economy"])
    leader, follower = networks(game)
    years, played_years, advance = 11, [0], game.advance

    def counted(*given: Any) -> Outcome:
        played_years[0] += 1
        return advance(*given)

    monkeypatch.setattr(game, "advance", counted)
    weights = [*leader.parameters(), *follower.parameters()]

    def slopes() -> tuple[torch.Tensor, ...]:
        play = Play(game, *sides(game), leader, follower, followers_learn=True)
        found = returns(play, draw_luck(game, 5, years, DOUBLE), game.discount)
        return torch.autograd.grad((found.leader + found.follower - found.follower_outside).mean(), weights)

    expected = slopes()
    assert played_years == [years]
    monkeypatch.setattr(paths, "ONE_GRAPH", 0)
    found = slopes()
    assert played_years == [3 * years]
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)
    assert any(slope.abs().max() > 0 for slope in expected)


@pytest.mark.parametrize(
    ("lived", "strain", "told"), [(1.0, 0.0, ""), (0.97, 0.0, ""), (0.4, 0.1, ""), (0.4, 0.0, "they live for 40% of")]
)
def test_ends_that_no_derivative_sees_are_told(lived: float, strain: float, told: str) -> None:
    one = torch.ones(3)
    found = Returns(one, one, strain * one, 0 * one, 0 * one, lived * one)
    assert (told in unseen_ends(found)) if told else unseen_ends(found) == ""
