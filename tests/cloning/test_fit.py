"""Fitting recovers what is there to recover, and nothing of the leader."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from envs import make
from envs.economy.game import Economy
from rllib_smfg.build import Interface
from rllib_smfg.cloning.fit import EpochLosses, Fitting, fit, in_a_row
from rllib_smfg.cloning.households import draw_households
from rllib_smfg.cloning.networks import NETWORKS, blind_to_prices, mean_square_error, negative_log_likelihood
from rllib_smfg.cloning.pairs import Pairs, observed, pairs, pairs_beyond
from rllib_smfg.cloning.targets import survey_targets
from rllib_smfg.policy_networks import PolicyNetwork, follower_network
from rllib_smfg.settings import LearningSettings

HOW = Fitting(epochs=12, batch=128, learning_rate=1e-2, seed=3)


@pytest.fixture(scope="module")
def economy() -> Economy:
    game = make("economy", games=1, followers=5)
    assert isinstance(game, Economy)
    return game


def network(name: str, game: Economy, **settings: Any) -> PolicyNetwork:
    kind = NETWORKS[name]
    torch.manual_seed(0)
    learning = LearningSettings(followers_see_leader=kind.sees_leader, hidden=(32, 16), **settings)
    return follower_network(kind.network, Interface.of(game), learning)


def rule(n: int, spread: float, seed: int) -> Pairs:
    """u = (.6 tanh x_0, -.5 x_1) and normal noise of that spread."""
    random = torch.Generator().manual_seed(seed)
    state = torch.randn(n, 2, generator=random) / 2
    action = torch.stack([0.6 * torch.tanh(state[:, 0]), -0.5 * state[:, 1]], -1)
    return Pairs(state, action + spread * torch.randn(n, 2, generator=random))


def fitted(
    name: str, game: Economy, training: Pairs, held_out: Pairs, how: Fitting = HOW
) -> tuple[Any, list[EpochLosses]]:
    made = network(name, game)
    return made, list(fit(made, NETWORKS[name].loss, training, held_out, how))


@pytest.mark.parametrize("name", ["mf_marl", "maddpg"])
def test_a_deterministic_network_recovers_a_rule(economy: Economy, name: str) -> None:
    _, losses = fitted(name, economy, rule(4096, 0.0, 1), rule(512, 0.0, 2))
    assert losses[-1].held_out < 1e-4 < losses[0].training


def test_a_squashed_network_recovers_a_rule_as_well(economy: Economy) -> None:
    made = network("maddpg", economy, squash="tanh")
    *_, last = fit(made, mean_square_error, rule(4096, 0.0, 1), rule(512, 0.0, 2), HOW)
    assert last.held_out < 1e-4


@pytest.mark.parametrize("name", ["mlp", "ai_economist"])
def test_a_stochastic_network_recovers_a_distribution(economy: Economy, name: str) -> None:
    spread = 0.3
    _, losses = fitted(name, economy, rule(8192, spread, 1), rule(4096, spread, 2))
    # entropy of two independent normals of half that spread, u being measured on [0, 1]
    entropy = 2 * (0.5 * np.log(2 * np.pi * np.e) + np.log(spread / 2))
    assert losses[-1].held_out == pytest.approx(entropy, abs=0.05)


def test_losses_are_the_formulas(economy: Economy) -> None:
    data = rule(64, 0.2, 1)
    actor, mlp = network("maddpg", economy), network("mlp", economy)
    state, action = data.state[None], data.action[None]
    u = actor(data.state, torch.zeros(1, 5))
    assert mean_square_error(actor, state, action).item() == pytest.approx(
        (((u + 1) / 2 - (data.action + 1) / 2) ** 2).mean().item(), rel=1e-5
    )
    mean, log_spread = mlp.logits(data.state, torch.zeros(1, 5)).chunk(2, -1)
    share = torch.distributions.Normal((mean + 1) / 2, log_spread.exp() / 2)
    assert negative_log_likelihood(mlp, state, action).item() == pytest.approx(
        -share.log_prob((data.action + 1) / 2).sum(-1).mean().item(), rel=1e-5
    )


@pytest.mark.parametrize("name", ["mlp", "ai_economist", "maddpg"])
def test_clones_do_not_answer_to_the_leader(economy: Economy, name: str) -> None:
    made, _ = fitted(name, economy, rule(1024, 0.1, 1), rule(256, 0.1, 2), Fitting(epochs=2, batch=128))
    state = torch.randn(3, 4, 2)
    answers = []
    for leader in (-torch.ones(1, 1, 5), torch.ones(1, 1, 5)):
        if name == "ai_economist":
            answers.append(made.logits(state, leader.expand(3, 4, 5), made.blank(3))[0])
        else:
            answers.append(made(state, leader))
    assert torch.equal(*answers)
    trained_on = sum(p.grad is not None for p in made.parameters())
    assert trained_on == len(list(made.parameters()))  # nothing is frozen for whatever learns on from here


def test_what_a_memory_recalls_of_strangers_does_not_matter(economy: Economy) -> None:
    how = Fitting(epochs=6, batch=128, learning_rate=1e-2, seed=3)
    made, _ = fitted("ai_economist", economy, rule(4096, 0.1, 1), rule(512, 0.1, 2), how)
    state = rule(200, 0.0, 5).state
    fresh, _ = made.logits(state[:, None], torch.zeros(1, 1, 5), made.blank(200))
    history = torch.cat([rule(200 * 60, 0.0, 6).state.view(200, 60, 2), state[:, None]], 1)
    late, _ = made.logits(history, torch.zeros(1, 1, 5), made.blank(200))
    difference = (fresh[:, 0, :2] - late[:, -1, :2]).abs()
    assert difference.mean() < 0.05


@pytest.mark.parametrize("name", ["mlp", "maddpg", "ai_economist"])
def test_blind_to_prices_a_network_does_the_same_to_those_surveyed_and_ignores_prices(name: str) -> None:
    game = make("economy", preset="calibrated", games=1, followers=5)
    assert isinstance(game, Economy)
    made = network(name, game)
    seen = torch.cat([torch.randn(40, 2), torch.tensor([0.3, -0.2, 0.5, 1.0]).expand(40, 4)], -1)
    loss, action = NETWORKS[name].loss, torch.zeros(40, 2)
    before, moved = (loss(made, in_a_row(x), in_a_row(action)).item() for x in (seen, other_prices(seen)))
    assert before != pytest.approx(moved, rel=1e-4)
    blind_to_prices(made, seen)
    for x in (seen, other_prices(seen)):
        assert loss(made, in_a_row(x), in_a_row(action)).item() == pytest.approx(before, rel=1e-4)


def other_prices(seen: torch.Tensor) -> torch.Tensor:
    return torch.cat([seen[:, :2], seen[:, 2:] + torch.randn(len(seen), 4)], -1)


def test_prices_that_differ_among_those_surveyed_are_refused(economy: Economy) -> None:
    with pytest.raises(ValueError, match="prices differ"):
        blind_to_prices(network("maddpg", make("economy", preset="calibrated", followers=5)), torch.randn(40, 6))  # type: ignore[arg-type]


def test_the_same_seed_gives_the_same_clone(economy: Economy) -> None:
    states = [fitted("mlp", economy, rule(1024, 0.1, 1), rule(256, 0.1, 2))[0].state_dict() for _ in range(2)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    other = Fitting(epochs=12, batch=128, learning_rate=1e-2, seed=4)
    changed = fitted("mlp", economy, rule(1024, 0.1, 1), rule(256, 0.1, 2), other)[0].state_dict()
    assert not torch.equal(states[0]["last.weight"], changed["last.weight"])


def test_pairs_are_what_the_game_shows_and_allows(economy: Economy) -> None:
    random = np.random.default_rng(1)
    drawn = draw_households("scf2022", "survey", 500, random)
    made = pairs(economy, drawn, survey_targets, observed(economy, drawn, random))
    assets = 1e4 * np.expm1(made.state[:, 1].numpy() * 6.0 + 10.0)
    assert np.expm1(made.state[:, 0].numpy() + 1.0) == pytest.approx(drawn.education, rel=1e-4)
    assert assets == pytest.approx(drawn.assets, rel=1e-3, abs=50)
    assert made.action.abs().max() <= 1
    low, high = economy.follower_action_space.low, economy.follower_action_space.high
    wanted = np.clip(survey_targets(economy.parameters, drawn), low, high)
    assert low + (made.action.numpy() + 1) / 2 * (high - low) == pytest.approx(wanted, abs=1e-6)


def test_beyond_the_survey_there_are_only_the_richest_and_richer(economy: Economy) -> None:
    random = np.random.default_rng(1)
    drawn = draw_households("scf2022", "survey", 5000, random)
    seen = observed(economy, drawn, random)
    inside = pairs(economy, drawn, survey_targets, seen)
    beyond = pairs_beyond(economy, drawn, survey_targets, seen, 400, random)
    assert beyond.state[:, 1].min() >= np.quantile(inside.state[:, 1], 0.985)
    assert beyond.state[:, 1].max() > inside.state[:, 1].max() + 1
    assert beyond.state[:, 0].max() > inside.state[:, 0].max() + 3
