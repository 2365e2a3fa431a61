"""Games that are played on and on: who starts anew, at what age, with which luck; and where both sides begin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from structural_parts import DOUBLE, built

from envs.arithmetic import plain_mean
from policies.given import Given
from rllib_smfg.networks import features, to_natural
from rllib_smfg.rule import RuleActor, responding
from rllib_smfg.structural.economies import Economies
from rllib_smfg.structural.start import imitated_rule, steady_start


def economies(games: int = 40, seed: int = 0, **settings: Any) -> Economies:
    game = built("linear_quadratic", games=games, followers=3, **settings)
    return Economies(game, seed, DOUBLE)


def test_ages_are_staggered_and_half_of_the_games_live_for_the_horizon() -> None:
    played = economies(400, horizon=500)
    assert (played.age < played.lives).all()
    assert (played.age >= 0).all()
    assert len(np.unique(played.age)) > 30
    whole = (played.lives == 500).mean()
    assert 0.4 < whole < 0.6
    counted = played.lives[played.lives < 500]
    assert 8 < counted.mean() < 12  # 1 / (1 - .9)
    assert played.fresh.all()


def test_games_start_anew_when_they_are_old_enough_have_ended_or_are_no_numbers() -> None:
    played = economies(6, horizon=1000)
    played.lives[:] = 10
    played.age[:] = [0, 9, 3, 3, 3, 3]
    following = {"x": torch.full((6, 3), 7.0, dtype=torch.float64)}
    following["x"][3, 1] = float("nan")
    ended = torch.tensor([[False], [False], [True], [False], [False], [False]])
    played.move_on(following, ended)
    anew = np.array([False, True, True, True, False, False])
    np.testing.assert_array_equal(played.fresh, anew)
    np.testing.assert_array_equal(played.age, np.where(anew, 0, [1, 0, 0, 0, 4, 4]))
    kept = (played.state["x"] == 7.0).all(1).numpy()
    np.testing.assert_array_equal(kept, ~anew)
    assert played.state["x"].isfinite().all()
    assert (played.lives >= 1).all()


def test_what_follows_has_no_derivative() -> None:
    played = economies(2)
    played.lives[:] = 100
    played.move_on({"x": torch.ones(2, 3, dtype=torch.float64, requires_grad=True)}, None)
    assert not played.state["x"].requires_grad


def test_play_goes_on_exactly_from_a_kept_state() -> None:
    def on(played: Economies) -> list[torch.Tensor]:
        found = []
        for _ in range(30):
            shocks = played.shocks()
            played.move_on({"x": 0.9 * played.state["x"] + shocks["eps"]}, None)
            found.append(played.state["x"].clone())
        return found

    one, other = economies(8, horizon=12), economies(8, seed=99, horizon=12)
    on(one)
    kept = one.get_state()
    first = on(one)
    other.set_state(kept)
    for a, b in zip(first, on(other), strict=True):
        assert torch.equal(a, b)
    np.testing.assert_array_equal(one.age, other.age)
    np.testing.assert_array_equal(one.lives, other.lives)
    np.testing.assert_array_equal(one.fresh, other.fresh)


def test_a_kept_state_is_not_moved_by_play() -> None:
    played = economies(4)
    kept = played.get_state()
    before = {name: x.clone() for name, x in kept["state"].items()}
    ages = kept["age"].copy()
    for _ in range(5):
        played.move_on({"x": played.state["x"] + 1}, None)
    assert all(torch.equal(before[name], x) for name, x in kept["state"].items())
    np.testing.assert_array_equal(kept["age"], ages)


# --- where followers begin -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["brock_mirman", "aiyagari", "krusell_smith", "economy"])
def test_a_steady_start_keeps_the_mean_of_what_is_carried(name: str) -> None:
    settings = {"preset": "calibrated"} if name == "economy" else {}
    game = built(name, games=1, followers=60, **settings)
    start = steady_start(game, seed=3)
    assert start is not None
    random = np.random.default_rng(3)
    state = game.first_state(random, 1)
    shocks = game.shocks(random, np.zeros(1, dtype=np.int64))
    middle = to_natural(np.zeros((1, len(game.instruments)), dtype=np.float32), game.leader_action_space)[0]
    decided = [np.full((1, 60), x) for x in start]
    following = game.advance(state, [np.full((1, 1), x) for x in middle], decided, shocks, plain_mean).state
    assert game.carried is not None
    assert following[game.carried].mean() == pytest.approx(state[game.carried].mean(), rel=1e-6)


def test_there_is_no_steady_start_where_nothing_is_carried_or_nothing_keeps_it() -> None:
    assert steady_start(built("stage_game", games=1, followers=5)) is None
    out_of_reach = built("linear_quadratic", games=1, followers=5, A=1.0, B=0.001, C=0.0, D=5.0)
    assert steady_start(out_of_reach) is None


# --- where a rule begins ---------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def economy() -> Any:
    return built("economy", preset="calibrated", games=1, followers=50)


def imitating(economy: Any, given: Given, responses: dict[str, list[str]]) -> RuleActor:
    responds = responding(responses, economy.instruments, economy.leader_observes)
    rule = RuleActor(len(economy.leader_observes), economy.leader_action_space, None, responds)
    rule.load_state_dict(imitated_rule(given, economy, responses))
    return rule


def test_an_imitated_rule_does_what_the_us_system_does_and_answers_debt_as_it_does(economy: Any) -> None:
    given = Given("us_system")
    rule = imitating(economy, given, {"income_tax_rate": ["debt_to_gdp"]})
    place = economy.leader_observes.index("debt_to_gdp")
    seen = np.repeat(economy.reset(1).leader, 5, axis=0).astype(np.float64)
    seen[:, place] += [-0.3, -0.1, 0.0, 0.1, 0.3]
    wanted = given.leader(economy, 0).act(seen)
    own = torch.from_numpy(features(seen, economy.leader_scaling))
    with torch.no_grad():
        done = to_natural(rule.act(own, own[..., :0]).numpy(), economy.leader_action_space)
    np.testing.assert_allclose(done[:, 1:], wanted[:, 1:], atol=1e-4)
    # a straight line in the logarithm of debt is not one in debt
    np.testing.assert_allclose(done[:, 0], wanted[:, 0], atol=0.01)
    response = (done[-1, 0] - done[0, 0]) / 0.6
    assert response == pytest.approx((wanted[-1, 0] - wanted[0, 0]) / 0.6, rel=0.1)
    assert rule.places() == [place]


def test_an_imitated_rule_without_responses_is_the_constant_nearest_to_it(economy: Any) -> None:
    rule = imitating(economy, Given("us_system"), {})
    assert float(rule.response.detach().abs().max()) == 0.0
    assert rule.places() == []
    wanted = Given("us_system").leader(economy, 0).act(economy.reset(0).leader)
    own = torch.zeros(1, len(economy.leader_observes))
    with torch.no_grad():
        done = to_natural(rule.act(own, own[..., :0]).numpy(), economy.leader_action_space)
    np.testing.assert_allclose(done, wanted, atol=1e-3)
