"""Brock and Mirman's economy: household optimality, the leader's value, and an invariant, none from the closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

import envs
from envs.brock_mirman import BrockMirman, Parameters, gini, saving_rate
from envs.game import Array
from envs.solution import solution, solve

INSTANCES = [{}, {"al": 0.25, "be": 0.8, "ph": 0.6, "A": 2.0}, {"al": 0.5, "be": 0.95, "ph": 0.1, "A": 0.5}]


def test_reference_figures() -> None:
    found = solve("brock_mirman")
    assert found["tau_star"] == pytest.approx(0.156, abs=1e-12)
    assert found["aggregate_saving"] == pytest.approx(0.324, abs=1e-12)
    assert found["tau_myopic"] == pytest.approx(0.230769, abs=5e-7)
    assert [found[name] for name in ("s_q0.2", "s_q1", "s_q5")] == pytest.approx([0.0910, 0.324, 0.6639], abs=5e-5)


@pytest.mark.parametrize("instance", INSTANCES)
def test_households_satisfy_their_euler_equation(instance: dict[str, float]) -> None:
    """1 / c = be (1 - tau') r' / c' for every household in the game, under taxes that vary from year to year."""
    p, exact = Parameters(**instance), solution("brock_mirman", **instance)
    game, random = BrockMirman(games=3, followers=50, **instance), np.random.default_rng(0)
    observations, marginal_utility = game.reset(1), None
    for _ in range(20):
        tau, K = random.uniform(0.05, 0.4, (3, 1)), observations.leader
        step = game.step(tau, exact.follower_rule(observations.follower, tau))
        public = tau * p.A * K**p.al
        consumption = np.exp(step.follower_reward - p.ph * np.log(public))
        if marginal_utility is not None:
            net_return = p.be * (1 - tau) * p.al * p.A * K ** (p.al - 1)
            np.testing.assert_allclose(marginal_utility * consumption / net_return, 1, rtol=1e-12)
        marginal_utility, observations = 1 / consumption, step.observations


def test_no_deviation_of_a_price_taker_gains() -> None:
    """3000 random saving paths of one household under the equilibrium's prices, among them small changes."""
    p, random, years = Parameters(), np.random.default_rng(0), 150
    tau, K = p.optimal_tax, 0.1
    for q in (0.3, 1.0, 4.0):
        s = float(saving_rate(p, np.array(q)))
        scale = np.repeat([0.01, 0.1, 1.0], 1000)[:, None]
        rates = np.clip(s * np.exp(scale * random.normal(size=(3000, years))), 0.001, 0.999)
        rates[0] = s
        k, capital, payoff = np.full(3000, q * K), K, np.zeros(3000)
        for year in range(years):
            Y = p.A * capital**p.al
            income = (1 - tau) * ((1 - p.al) * Y + p.al * Y / capital * k)
            payoff += p.be**year * np.log((1 - rates[:, year]) * income)
            k, capital = rates[:, year] * income, p.al * p.be * (1 - tau) * Y
        assert payoff[0] > payoff[1:].max()


@pytest.mark.parametrize("instance", INSTANCES)
def test_the_leader_by_value_iteration(instance: dict[str, float]) -> None:
    """On a grid of ln K and one of tau, households at their saving rate; the slope of the value is al (1 + ph) / ..."""
    p = Parameters(**instance)
    log_K, taxes, saved = np.linspace(-4, 1, 31), np.linspace(0.001, 0.6, 1198), p.al * p.be
    output = np.log(p.A) + p.al * log_K[:, None]
    now = np.log((1 - saved) * (1 - taxes)) + p.ph * np.log(taxes) + (1 + p.ph) * output
    after = np.log(saved * (1 - taxes)) + output
    value = np.zeros_like(log_K)
    for _ in range(1 + math.ceil(math.log(1e-9) / math.log(p.be))):
        slope = np.polyfit(log_K, value, 1)  # the iterates are exactly linear in ln K
        choices = now + p.be * np.polyval(slope, after)
        value = choices.max(axis=1)
    assert taxes[choices.argmax(axis=1)] == pytest.approx(solve("brock_mirman", **instance)["tau_star"], abs=0.0003)
    assert slope[0] == pytest.approx(p.al * (1 + p.ph) / (1 - p.al * p.be), rel=1e-8)
    if not instance:
        assert slope[0] == pytest.approx(0.692308, abs=5e-7)


def constant_tax_returns(taxes: Array) -> Array:
    """The leader's discounted return in the game for each constant tax, all games from the same households."""
    game, exact = BrockMirman(games=len(taxes), followers=40, horizon=1000), solution("brock_mirman")
    game.reset(0)
    game.state["capital"][:] = game.state["capital"][0]
    seen, total = game._observe(), np.zeros(len(taxes))
    for year in range(250):
        step = game.step(taxes[:, None], exact.follower_rule(seen.follower, taxes[:, None]))
        total, seen = total + 0.9**year * step.leader_reward, step.observations
    return total


def test_the_best_constant_tax_in_the_game() -> None:
    taxes = np.linspace(0.146, 0.166, 201)
    assert taxes[constant_tax_returns(taxes).argmax()] == pytest.approx(0.156, abs=1.1e-4)


def test_a_myopic_leader_loses() -> None:
    far_sighted, myopic = constant_tax_returns(np.array([0.156, 0.3 / 1.3]))
    assert far_sighted - myopic > 0.05


def test_shares_and_gini_are_constants_of_motion() -> None:
    game, exact = BrockMirman(games=5, followers=200), solution("brock_mirman")
    observations, taxes = game.reset(3), np.random.default_rng(0).uniform(0.05, 0.5, (99, 5, 1))
    shares = observations.follower[..., 0] / observations.follower[..., 1]
    ginis = []
    for tau in taxes:
        step = game.step(tau, exact.follower_rule(observations.follower, tau))
        observations = step.observations
        ginis.append(step.indicators["capital_gini"])
        assert step.indicators["saving_rate"] == pytest.approx(0.324, abs=1e-12)
    np.testing.assert_allclose(observations.follower[..., 0] / observations.follower[..., 1], shares, rtol=1e-9)
    assert np.ptp(ginis, axis=0).max() < 1e-12
    assert np.min(ginis) > 0.3


def test_equal_saving_rates_shrink_the_gini() -> None:
    game = BrockMirman(games=4, followers=50)
    game.reset(0)
    ginis = [game.step(np.full((4, 1), 0.2), np.full((4, 50, 1), 0.3)).indicators["capital_gini"] for _ in range(5)]
    assert (np.diff(ginis, axis=0) < 0).all()


def test_initial_households_cover_poor_and_rich() -> None:
    game = BrockMirman(games=200, followers=100)
    seen = game.reset(0)
    q = seen.follower[..., 0] / seen.follower[..., 1]
    steady = game.parameters.steady_capital
    assert (q < 0.2).mean() > 0.05
    assert (q > 3).mean() > 0.02
    assert seen.leader.min() < 0.5 * steady
    assert seen.leader.max() > 2 * steady
    np.testing.assert_allclose(seen.follower[..., 0].mean(axis=1), seen.leader[:, 0], rtol=1e-12)


def test_the_steady_state_stays_put() -> None:
    game, exact = BrockMirman(followers=3), solution("brock_mirman")
    game.reset(0)
    game.state["capital"][:] = game.parameters.steady_capital
    seen = game._observe()
    tau = exact.leader_rule(seen.leader)
    after = game.step(tau, exact.follower_rule(seen.follower, tau)).observations
    np.testing.assert_allclose(after.follower, seen.follower, rtol=1e-12)


def test_rewards_and_motion_follow_the_formulas() -> None:
    settings = {"al": 0.3, "be": 0.85, "ph": 0.4, "A": 1.5}
    game, random = envs.make("brock_mirman", games=2, followers=3, **settings), np.random.default_rng(0)
    seen = game.reset(5)
    tau, s = random.uniform(0.1, 0.5, (2, 1)), random.uniform(0.1, 0.9, (2, 3, 1))
    step = game.step(tau, s)
    for b in range(2):
        k = seen.follower[b, :, 0]
        K = sum(k) / 3
        Y = 1.5 * K**0.3
        rewards = []
        for i in range(3):
            net = (1 - tau[b, 0]) * (0.7 * Y + 0.3 * Y / K * k[i])
            rewards.append(math.log((1 - s[b, i, 0]) * net) + 0.4 * math.log(tau[b, 0] * Y))
            assert step.follower_reward[b, i] == pytest.approx(rewards[i])
            assert step.observations.follower[b, i, 0] == pytest.approx(s[b, i, 0] * net)
        assert step.leader_reward[b] == pytest.approx(sum(rewards) / 3)
        assert step.indicators["output"][b] == pytest.approx(Y)


def test_one_household_of_many_moves_prices_by_little() -> None:
    """The strategic effect that the solution ignores: the gain from a wrong constant rate falls with N."""
    gains = []
    for N in (4, 16, 64):
        rates = np.linspace(0.9, 1.1, 41)
        game, exact = BrockMirman(games=41, followers=N, horizon=1000), solution("brock_mirman")
        game.reset(0)
        game.state["capital"][:] = game.parameters.steady_capital
        seen, payoff = game._observe(), np.zeros(41)
        for year in range(200):
            tau = np.full((41, 1), 0.156)
            s = exact.follower_rule(seen.follower, tau)
            s[:, 0, 0] *= rates
            step = game.step(tau, s)
            payoff, seen = payoff + 0.9**year * step.follower_reward[:, 0], step.observations
        gains.append(payoff.max() - payoff[20])
    assert gains[0] > gains[1] > gains[2]
    assert gains[2] < 1e-3


def test_gini_of_known_distributions() -> None:
    assert gini(np.ones((1, 7)))[0] == pytest.approx(0, abs=1e-15)
    assert gini(np.array([[0.0, 0.0, 0.0, 1.0]]))[0] == pytest.approx(0.75)
    draws = np.exp(norm.ppf((np.arange(20_000) + 0.5) / 20_000))[None]
    assert gini(draws)[0] == pytest.approx(2 * norm.cdf(1 / math.sqrt(2)) - 1, abs=1e-3)
