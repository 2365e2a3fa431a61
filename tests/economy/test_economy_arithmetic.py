"""The economies as arithmetic: torch computes what the numpy game does, derivatives are right, means are declared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from economies import random_year

import envs
from envs.arithmetic import ArithmeticGame, Outcome, plain_mean
from envs.economy.game import Economy
from envs.economy.presets import PRESETS

TASKS = [(preset, task) for preset, parameters in PRESETS.items() for task in parameters.laws.tasks]
GAMES: list[dict[str, Any]] = [{"name": "aiyagari"}] + [
    {"name": "economy", "preset": preset, "task": task, "crra": crra} for preset, task in TASKS for crra in (1.0, 2.0)
]
FURTHER = {
    "transfer": 0.5,
    "consumption_tax_rate": 0.3,
    "wealth_tax_exemption": 1e6,
    "labour_income_tax_rate": 0.4,
    "capital_income_tax_rate": 0.4,
}
GAMES.append({"name": "economy", "preset": "calibrated", "task": "weighted", "instruments": FURTHER})
GAMES.append({"name": "economy", "preset": "calibrated", "task": "social_welfare", "instruments": ["transfer"]})
EXACT = {"rtol": 1e-12, "atol": 1e-12}


def built(name: str, games: int = 6, followers: int = 40, **settings: Any) -> ArithmeticGame:
    game = envs.make(name, games=games, followers=followers, **settings)
    assert isinstance(game, ArithmeticGame)
    return game


def actions(game: ArithmeticGame, random: np.random.Generator, narrow: float = 0.0) -> tuple[Any, Any]:
    """Anything within the boxes, (B, al) and (B, N, af)."""
    sides = []
    for box, shape in (
        (game.leader_action_space, (game.n_games,)),
        (game.follower_action_space, (game.n_games, game.n_followers)),
    ):
        low, high = box.low + narrow * (box.high - box.low), box.high - narrow * (box.high - box.low)
        sides.append(random.uniform(low, high, (*shape, *box.shape)))
    return sides[0], sides[1]


def tensors(arrays: Any, dtype: torch.dtype = torch.float64) -> Any:
    if isinstance(arrays, dict):
        return {name: tensors(x, dtype) for name, x in arrays.items()}
    x = torch.as_tensor(np.array(arrays))
    return x.to(dtype) if x.is_floating_point() else x


def columns(action: Any) -> list[Any]:
    """(B, al) to instruments (B, 1); (B, N, af) to decisions (B, N)."""
    per_game = action.ndim == 2
    return [action[:, k, None] if per_game else action[..., k] for k in range(action.shape[-1])]


def advance(
    game: ArithmeticGame, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any = plain_mean
) -> Outcome:
    return game.advance(state, columns(leader), columns(follower), shocks, mean)


@pytest.mark.parametrize("settings", GAMES, ids=lambda settings: "-".join(map(str, settings.values())))
def test_torch_computes_what_the_game_does(settings: dict[str, Any]) -> None:
    game = built(**settings)
    random, luck = np.random.default_rng(1), np.random.default_rng()
    game.reset(seed=1)
    lived = 0
    for _ in range(12):
        leader, follower = actions(game, random)
        luck.bit_generator.state = game._shock_random.bit_generator.state
        shocks = tensors(game.shocks(luck, game.year))
        state = tensors(game.state.arrays())
        seen = game.observe(state, plain_mean)
        now = game._observe()
        np.testing.assert_allclose(torch.cat(list(seen[0]), -1), now.leader, **EXACT)
        wide = [x.expand(state["assets"].shape) for x in seen[1]]
        np.testing.assert_allclose(torch.stack(wide, -1), now.follower, **EXACT)
        assert (len(seen[0]), len(seen[1])) == (len(game.leader_observes), len(game.follower_observes))
        outcome = advance(game, state, torch.tensor(leader), torch.tensor(follower), shocks)
        transition = game._transition(leader, follower)
        np.testing.assert_array_equal(outcome.ended[:, 0], transition.terminated)
        np.testing.assert_allclose(outcome.follower_reward, transition.follower_reward, **EXACT)
        fine = (
            ~(game.flows.consumption <= 0.001).all(-1) if hasattr(game, "flows") else np.ones(game.n_games, dtype=bool)
        )
        np.testing.assert_allclose(
            outcome.leader_reward[fine, 0], transition.leader_reward[fine], rtol=1e-9, atol=1e-12
        )
        assert torch.isfinite(outcome.leader_reward).all()
        lived += int((~transition.terminated).sum())
        for name, x in game.state.arrays().items():
            np.testing.assert_allclose(outcome.state[name], x, rtol=1e-10, atol=1e-12 * np.abs(x).max(), err_msg=name)
        again = np.flatnonzero(transition.terminated)
        if again.size:
            game._start(again)
    assert lived > 12


@pytest.mark.parametrize("preset", list(PRESETS))
def test_wild_states_come_to_the_same(preset: str) -> None:
    ended = 0
    for seed in range(60):
        year = random_year(seed, 3, 9, preset, crra=(1.0, 2.0)[seed % 2])
        game = built("economy", games=3, followers=9, preset=preset, crra=year.parameters.crra, task="social_welfare")
        assert isinstance(game, Economy)
        game.state = replace(year.state, capital=year.state.capital * (1 - 2 * (seed % 5 == 0)))
        leader, follower = actions(game, np.random.default_rng(seed))
        luck = np.random.default_rng()
        luck.bit_generator.state = game._shock_random.bit_generator.state
        shocks = tensors(game.shocks(luck, game.year))
        outcome = advance(game, tensors(game.state.arrays()), *map(torch.tensor, (leader, follower)), shocks)
        transition = game._transition(leader, follower)
        np.testing.assert_array_equal(outcome.ended[:, 0], transition.terminated)
        np.testing.assert_allclose(outcome.follower_reward, transition.follower_reward, **EXACT)
        np.testing.assert_allclose(outcome.leader_reward[:, 0], transition.leader_reward, **EXACT)
        assert game.flows is not None
        unit = np.abs(game.flows.capital) + np.abs(game.flows.total_assets) + np.abs(game.flows.debt) + 1.0
        for name, x in game.state.arrays().items():
            # books are differences of much larger numbers
            size = np.abs(x) + unit * (name in ("capital", "debt"))
            assert (np.abs(outcome.state[name].numpy() - 1.0 * x) <= 1e-12 * size).all(), (seed, name)
        ended += int(transition.terminated.sum())
    assert 20 < ended < 180


def path(
    game: ArithmeticGame, years: int, mean: Any = plain_mean, dtype: torch.dtype = torch.float64, seed: int = 0
) -> tuple[Any, list[torch.Tensor]]:
    """A path's rewards as a function of what both sides do, and of assets.

    The function takes places (years, B, al) and (years, B, N, af) in [0, 1] near what is usual, and logs (B, N) of
    factors on assets; it returns all rewards and the last features of the leader. With it come places to take it at.
    """
    random = np.random.default_rng(seed)
    state = tensors(dict(game.first_state(random, game.n_games)), dtype)
    shocks = [tensors(dict(game.shocks(random, game.year + t)), dtype) for t in range(years)]
    shape = (years, game.n_games)
    places = [
        random.uniform(0.2, 0.8, (*shape, *game.leader_action_space.shape)),
        random.uniform(0.2, 0.8, (*shape, game.n_followers, *game.follower_action_space.shape)),
        random.normal(0, 0.1, (game.n_games, game.n_followers)),
    ]

    def inside(box: Any, place: torch.Tensor) -> torch.Tensor:
        low, high = (torch.as_tensor(np.asarray(x, dtype=np.float64), dtype=dtype) for x in (box.low, box.high))
        five = (0.7, 0.4, 0.1, 0.1, 0.3)
        usual = {10: (*five, 0.2, 0.2, 0.2, 0.2, 0.2), 5: five, 2: (0.8, 0.3), 1: (0.1,)}[len(box.low)]
        return low + (torch.tensor(usual, dtype=dtype) + 0.1 * place) * (high - low)

    def rewards(leaders: torch.Tensor, followers: torch.Tensor, logs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        now = dict(state, assets=(state["assets"] + 1e4) * torch.exp(logs))
        collected = []
        for t in range(years):
            leader = inside(game.leader_action_space, leaders[t])
            outcome = advance(game, now, leader, inside(game.follower_action_space, followers[t]), shocks[t], mean)
            assert outcome.ended.shape == (game.n_games, 1)
            assert not outcome.ended.any()
            collected += [outcome.leader_reward, outcome.follower_reward]
            now = dict(outcome.state)
        seen = game.observe(now, mean)[0]
        return (*collected, *(game.leader_scaling.feature(k, x, torch) for k, x in enumerate(seen)))

    return rewards, [torch.tensor(place, dtype=dtype, requires_grad=True) for place in places]


PLAYED = [
    {"name": "aiyagari"},
    {"name": "economy", "preset": "calibrated", "task": "social_welfare"},
    {"name": "economy", "preset": "calibrated", "task": "weighted"},
    {"name": "economy", "preset": "calibrated", "task": "weighted", "instruments": FURTHER},
    {"name": "economy", "preset": "taxai", "task": "gdp", "saving_rate_min": 0.9},
    {"name": "economy", "preset": "paper", "task": "gdp", "saving_rate_min": 0.95},
    {"name": "economy", "preset": "paper", "task": "gini", "saving_rate_min": 0.95},
]


@pytest.mark.parametrize("settings", PLAYED, ids=lambda settings: "-".join(map(str, settings.values())))
def test_derivatives_of_a_path_agree_with_finite_differences(settings: dict[str, Any]) -> None:
    rewards, places = path(built(games=2, followers=5, **settings), years=3)
    assert torch.autograd.gradcheck(rewards, places, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("settings", PLAYED, ids=lambda settings: "-".join(map(str, settings.values())))
def test_households_who_take_means_as_given_do_not_touch_each_other(settings: dict[str, Any]) -> None:
    game = built(games=2, followers=5, **settings)
    rewards, places = path(game, years=4, mean=lambda x: plain_mean(x).detach())
    theirs = torch.stack(rewards(*places)[1:8:2])
    others = torch.autograd.grad(theirs[..., 1:].sum(), places[1:], retain_graph=True)
    for slope in others:
        assert (slope[..., 0, :] == 0).all() if slope.ndim == 4 else (slope[:, 0] == 0).all()
    own = torch.autograd.grad(theirs[..., 0].sum(), places[1:])
    assert (own[0][:, :, 0] != 0).any()
    assert (own[1][:, 0] != 0).all()
    # with plain means they do
    rewards, places = path(game, years=4)
    theirs = torch.stack(rewards(*places)[1:8:2])
    (moved,) = torch.autograd.grad(theirs[..., 1:].sum(), places[2])
    assert (moved[:, 0] != 0).all()


@pytest.mark.parametrize("settings", PLAYED, ids=lambda settings: "-".join(map(str, settings.values())))
def test_a_mean_may_tell_each_households_own_share_of_it_apart(settings: dict[str, Any]) -> None:
    def own_share(x: torch.Tensor) -> torch.Tensor:
        return plain_mean(x).detach() + (x - x.detach()) / x.shape[-1]

    game = built(games=2, followers=5, **settings)
    plain, places = path(game, years=1)
    shared, _ = path(game, years=1, mean=own_share)
    full, own = plain(*places)[1], shared(*places)[1]
    torch.testing.assert_close(own, full, rtol=1e-12, atol=0)
    (slopes,) = torch.autograd.grad(own.sum(), places[1])
    for i in range(5):
        (slope,) = torch.autograd.grad(full[:, i].sum(), places[1], retain_graph=True)
        torch.testing.assert_close(slopes[:, :, i], slope[:, :, i])
    # and a second year goes on from there
    torch.testing.assert_close(
        path(game, years=2, mean=own_share)[0](*places2(game))[3], path(game, years=2)[0](*places2(game))[3]
    )


def places2(game: ArithmeticGame) -> list[torch.Tensor]:
    return path(game, years=2)[1]


@pytest.mark.parametrize("preset", list(PRESETS))
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_derivatives_are_finite_where_a_game_fails(preset: str, dtype: torch.dtype) -> None:
    game = built("economy", games=5, followers=8, preset=preset)
    random = np.random.default_rng(3)
    for wrong in ("capital", "assets", "income", "everything", "nothing owned"):
        state = tensors(dict(game.first_state(random, 5)), dtype)
        for name in state if wrong == "everything" else [wrong]:
            if name == "nothing owned":
                state["assets"] = state["assets"] * 0
            elif state[name].is_floating_point():
                state[name] = state[name] * -1 if wrong != "everything" else state[name] * 0
        state = {name: x.requires_grad_() if x.is_floating_point() else x for name, x in state.items()}
        leader, follower = (torch.tensor(x, dtype=dtype, requires_grad=True) for x in actions(game, random))
        collected, now = torch.zeros((), dtype=dtype), state
        for _ in range(2):
            outcome = advance(game, now, leader, follower, tensors(game.shocks(random, game.year), dtype))
            now = outcome.state
            collected = collected + outcome.leader_reward.sum() + outcome.follower_reward.sum() + outcome.strain.sum()
        assert torch.isfinite(collected)
        for slope in torch.autograd.grad(collected, [leader, follower, state["assets"], state["capital"]]):
            assert torch.isfinite(slope).all(), wrong
        if wrong in ("capital", "everything"):
            assert outcome.ended.all()


@pytest.mark.parametrize("settings", PLAYED, ids=lambda settings: "-".join(map(str, settings.values())))
def test_single_precision_stays_single_and_close(settings: dict[str, Any]) -> None:
    game = built(games=2, followers=5, **settings)
    double, places = path(game, years=3)
    single, _ = path(game, years=3, dtype=torch.float32)
    for one, other in zip(double(*places), single(*(place.detach().float() for place in places)), strict=True):
        assert other.dtype == torch.float32
        torch.testing.assert_close(other.double(), one.detach(), rtol=2e-3, atol=2e-3)


def test_names_fit_boxes_and_say_what_a_rule_looks_at() -> None:
    for settings in GAMES:
        game = built(**settings)
        assert len(game.instruments) == game.leader_action_space.shape[0]
        assert len(game.decisions) == game.follower_action_space.shape[0]
        assert len(game.leader_observes) == game.leader_observation_space.shape[0]
        assert len(game.follower_observes) == game.follower_observation_space.shape[0]
        state = game.first_state(np.random.default_rng(0), 2)
        assert game.carried in state
        assert game.carried in game.follower_observes
    calibrated = built("economy", preset="calibrated")
    assert {"capital_to_gdp", "debt_to_gdp", "interest_rate"} <= set(calibrated.leader_observes)


def test_what_nobody_looks_at_is_not_worked_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranking households is the dearest step of a year; a rule on debt and capital needs none."""
    game = built("economy", preset="calibrated", task="social_welfare")
    state = tensors(dict(game.first_state(np.random.default_rng(0), 6)))
    monkeypatch.setattr(torch, "argsort", None)
    monkeypatch.setattr(torch, "sort", None)
    leader, follower = map(torch.tensor, actions(game, np.random.default_rng(0)))
    outcome = advance(game, state, leader, follower, tensors(game.shocks(np.random.default_rng(0), game.year)))
    seen = game.observe(outcome.state, plain_mean)[0]
    assert seen[game.leader_observes.index("debt_to_gdp")].shape == (6, 1)
    with pytest.raises(TypeError):
        seen[game.leader_observes.index("top_assets")]


def test_strain_is_zero_at_a_distance_and_smooth() -> None:
    game = built("economy", games=1, preset="calibrated", task="social_welfare")
    state = tensors(dict(game.first_state(np.random.default_rng(0), 1)))
    shocks = tensors(game.shocks(np.random.default_rng(0), game.year[:1]))
    leader = torch.tensor([[0.37, 0.18, 4e-5, 1e-5, 0.19]])
    follower = torch.tensor([0.85, 0.4], dtype=torch.float64).expand(1, 40, 2)

    def strained(debt_to_gdp: float, poorer: float = 1.0) -> tuple[float, float, float, float]:
        debt = (debt_to_gdp * state["gdp"]).requires_grad_()
        outcome = advance(game, {**state, "debt": debt, "assets": poorer * state["assets"]}, leader, follower, shocks)
        (slope,) = torch.autograd.grad(outcome.strain.sum(), debt)
        debt, capital = (outcome.state[name] / outcome.state["gdp"] for name in ("debt", "capital"))
        return outcome.strain.item(), slope.item(), debt.item(), capital.item()

    assert strained(1.0)[:2] == (0.0, 0.0)
    met = set()
    for debt_to_gdp in (2.0, 3.0, 4.0):
        for poorer in (1.0, 0.6):
            strain, slope, debt, capital = strained(debt_to_gdp, poorer)
            expected = max(0.0, (debt - 2.5) / 1.5) ** 2 + max(0.0, (1 - capital) / 0.95) ** 2
            assert strain == pytest.approx(expected * 10 * game.leader_reward_scale)
            assert (slope > 0) == (debt > 2.5 or capital < 1)
            met.add((debt > 2.5, capital < 1))
    assert len(met) >= 3
