"""Aiyagari's stationary equilibrium: chains, published rates, first-order conditions; and his economy as a game.

Published: Aiyagari (1994), table II, net return to capital in per cent. His chain has 7 states from -3 to 3 standard
deviations. His numbers carry the errors of his own approximation, which later solutions put at a tenth of a percentage
point at moderate risk and more where risk is large and lasting.
"""

from __future__ import annotations

import numpy as np
import pytest

import envs
from envs import InvalidSetting
from envs.aiyagari import economy_of
from envs.economy.aiyagari import (
    Equilibrium,
    Parameters,
    aiyagari_household,
    equilibrium,
    saving_plan,
    usual_equilibrium,
)
from envs.economy.household_problem import Conditions, Household, euler_errors, hsv, solve_household
from envs.economy.markov import rouwenhorst, stationary, tauchen
from envs.economy.stationary import asset_grid, long_run, quantile_share
from policies import FollowerPolicy
from policies.constant import ConstantLeader
from rllib_smfg.known_games.readings import aiyagari as reading


# --- chains ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("persistence", [0.0, 0.6, 0.97])
def test_rouwenhorsts_chain_has_the_autoregressions_moments(persistence: float) -> None:
    x, transition = rouwenhorst(9, persistence, 0.2)
    np.testing.assert_allclose(transition.sum(axis=1), 1)
    np.testing.assert_allclose(transition @ x, persistence * x, atol=1e-12)
    np.testing.assert_allclose(transition @ x**2 - (transition @ x) ** 2, 0.04, rtol=1e-9)
    share = stationary(transition)
    np.testing.assert_allclose(share @ transition, share, atol=1e-12)
    assert share @ x**2 == pytest.approx(0.04 / (1 - persistence**2))


def test_tauchens_chain_is_near_the_autoregression() -> None:
    x, transition = tauchen(31, 0.6, 0.2, reach=4.0)
    assert x[-1] == pytest.approx(4 * 0.2 / 0.8)
    np.testing.assert_allclose(transition.sum(axis=1), 1)
    np.testing.assert_allclose((transition @ x)[5:-5], 0.6 * x[5:-5], atol=1e-3)


# --- the equilibrium -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sigma", "rho", "mu", "published", "within"),
    [
        (0.2, 0.0, 1.0, 4.1666, 0.05),
        (0.2, 0.6, 3.0, 3.8767, 0.05),
        (0.2, 0.9, 3.0, 3.2903, 0.1),
        (0.4, 0.6, 3.0, 2.7835, 0.15),
        (0.4, 0.9, 1.0, 3.3054, 0.1),
        (0.4, 0.9, 5.0, -0.3456, 0.3),
    ],
)
def test_interest_rates_are_those_of_aiyagari(
    sigma: float, rho: float, mu: float, published: float, within: float
) -> None:
    parameters = Parameters(mu, rho, sigma)
    found = equilibrium(parameters, aiyagari_household(parameters, "tauchen", states=7, points=120), tolerance=1e-4)
    assert 100 * found.interest_rate == pytest.approx(published, abs=within)
    assert found.saving_rate == pytest.approx(0.08 * 0.36 / (found.interest_rate + 0.08))


@pytest.fixture(scope="module")
def exact() -> Equilibrium:
    return usual_equilibrium(Parameters())


def test_the_capital_market_clears_and_households_optimise(exact: Equilibrium) -> None:
    p, h, plan = exact.parameters, exact.household, exact.plan
    assert exact.capital == pytest.approx(p.capital_per_labour(exact.interest_rate) * exact.long_run.labour, rel=0.01)
    assert exact.interest_rate < 1 / p.beta - 1
    errors, free = euler_errors(h, Conditions(exact.wage, exact.interest_rate), plan)
    assert errors[free].mean() < 2e-4
    assert np.quantile(errors[free], 0.99) < 3e-3
    # where the limit binds, households would rather have more now
    cash = exact.wage * h.ability[:, None] + (1 + exact.interest_rate) * h.assets
    np.testing.assert_allclose(plan.consumption + plan.next_assets, cash, rtol=1e-9)
    assert np.all(np.diff(plan.consumption, axis=1) > 0)
    assert np.all(np.diff(plan.consumption, axis=1) <= np.diff(cash, axis=1) * (1 + 1e-9))


def test_more_risk_and_more_aversion_lower_the_rate() -> None:
    def rate(**changes: float) -> float:
        parameters = Parameters(**changes)
        return equilibrium(
            parameters, aiyagari_household(parameters, states=5, points=60), tolerance=1e-4
        ).interest_rate

    calm = rate(mu=2.0, rho=0.3, sigma=0.2)
    assert rate(mu=2.0, rho=0.3, sigma=0.4) < calm
    assert rate(mu=2.0, rho=0.8, sigma=0.2) < calm
    assert rate(mu=5.0, rho=0.3, sigma=0.2) < calm


def test_without_risk_consumption_is_permanent_income() -> None:
    """At beta (1 + r) = 1 and a certain income, c = W + r a whatever the curvature."""
    beta, wage = 0.96, 1.2
    h = Household(beta, 3.0, 0.0, 1.0, 1.0, np.ones(2), np.full((2, 2), 0.5), asset_grid(20.0, 150))
    plan = saving_plan(h, wage, 1 / beta - 1)
    near = h.assets < 10
    np.testing.assert_allclose(plan.consumption[0, near], (wage + (1 / beta - 1) * h.assets)[near], rtol=2e-3)


def test_the_general_method_finds_the_same_plan_and_prices_hours() -> None:
    parameters = Parameters(mu=2.0)
    h, rate = aiyagari_household(parameters, states=3, points=60), 0.03
    wage = parameters.wage(rate)
    simple, general = saving_plan(h, wage, rate), solve_household(h, Conditions(wage, rate), tolerance=1e-8)
    np.testing.assert_allclose(general.consumption, simple.consumption, rtol=1e-5)
    np.testing.assert_allclose(general.next_assets, simple.next_assets, atol=1e-4)
    # with taxes and a choice of hours: psi l^gamma = u'(c) R(y) W e H / (1 + tau_c) where l < 1
    worker = Household(0.96, 2.0, 5.0, 2.0, 1.0, h.ability, h.transition, h.assets)
    taxed = hsv(wage, rate, tau=0.3, xi=0.18, scale=1.2, consumption_tax=0.065)
    plan = solve_household(worker, taxed, tolerance=1e-7)
    pay = wage * h.ability[:, None] * taxed.income_tax.kept_at_the_margin(plan.income) / 1.065
    inner = plan.labour < 0.999
    wanted = (plan.consumption**-2.0 * pay / 5.0) ** 0.5
    np.testing.assert_allclose(plan.labour[inner], wanted[inner], rtol=0.01)
    spent = 1.065 * plan.consumption + plan.next_assets
    np.testing.assert_allclose(spent, taxed.income_tax.kept(plan.income) + h.assets, rtol=0.01)
    errors, free = euler_errors(worker, taxed, plan)
    assert errors[free].mean() < 1e-3


def test_the_long_run_reproduces_itself(exact: Equilibrium) -> None:
    h, share = exact.household, exact.long_run.share
    assert share.sum() == pytest.approx(1)
    assert share.min() >= 0
    np.testing.assert_allclose(share.sum(axis=1), stationary(h.transition), atol=1e-9)
    # what is carried over is what there is
    assert (share * exact.plan.next_assets).sum() == pytest.approx(exact.long_run.assets, rel=1e-9)
    again = long_run(h, exact.plan)
    np.testing.assert_array_equal(again.share, share)
    assert quantile_share(np.array([1.0, 3.0]), np.array([0.5, 0.5]), 0.5) == pytest.approx(0.75)


@pytest.mark.parametrize("changes", [{"mu": 0.0}, {"rho": 1.0}, {"sigma": -0.1}, {"beta": 1.0}, {"delta": 0.0}])
def test_parameters_out_of_bounds_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(changes))):
        Parameters(**changes)
    with pytest.raises(InvalidSetting):
        envs.make("aiyagari", **changes)


# --- the game --------------------------------------------------------------------------------------------------------
class Planner(FollowerPolicy):
    """The exact rule, scaled."""

    def __init__(self, exact: Equilibrium, scale: float = 1.0) -> None:
        self.exact, self.scale = exact, scale

    def act(self, observation: np.ndarray, leader_action: np.ndarray) -> np.ndarray:
        ability, assets = observation[..., 0], observation[..., 1]
        cash = self.exact.wage * ability + (1 + self.exact.interest_rate) * assets
        return np.minimum(self.scale * self.exact.consumption(cash, ability) / cash, 0.999)[..., None]


def test_exact_households_settle_on_the_exact_rate(exact: Equilibrium) -> None:
    readings = reading(ConstantLeader([0.5]), Planner(exact), 1000)
    assert readings["interest_rate"] == pytest.approx(exact.interest_rate, abs=0.0015)
    assert readings["consumption_error"] < 1e-3
    assert readings["euler_error"] < 0.01


def test_wrong_households_are_told_apart(exact: Equilibrium) -> None:
    readings = reading(ConstantLeader([0.5]), Planner(exact, 0.95), 200)
    assert abs(readings["interest_rate"] - exact.interest_rate) > 0.0025
    assert readings["consumption_error"] == pytest.approx(0.05, abs=1e-3)


def test_the_government_changes_nothing_and_books_balance() -> None:
    one, other = (envs.make("aiyagari", games=2, followers=50) for _ in range(2))
    one.reset(0)
    other.reset(0)
    action = np.random.default_rng(0).uniform(0.05, 0.9, (2, 50, 1))
    for _ in range(5):
        a, b = one.step(np.zeros((2, 1)), action), other.step(np.ones((2, 1)), action)
        np.testing.assert_array_equal(a.follower_reward, b.follower_reward)
        assert not a.terminated.any()
        np.testing.assert_allclose(a.final_observations.follower[..., 1].mean(1) * 50, one.state.capital[:, 0])
        assert np.all(a.observations.follower[..., 1] >= 0)


def test_rewards_are_the_utility_of_what_is_consumed() -> None:
    game = envs.make("aiyagari", games=1, followers=20, mu=3.0)
    seen = game.reset(1).follower[0]
    unit = economy_of(Parameters()).log_consumption_unit
    labour, capital = seen[:, 0].mean(), seen[:, 1].mean()
    rate = 0.36 * (labour / capital) ** 0.64 - 0.08
    wage = 0.64 * (capital / labour) ** 0.36
    cash = wage * seen[:, 0] + (1 + rate) * seen[:, 1]
    shares = np.linspace(0.05, 0.99, 20)
    step = game.step(np.zeros((1, 1)), shares[None, :, None])
    consumed = shares * cash
    np.testing.assert_allclose(step.follower_reward[0], ((consumed / unit) ** -2.0 - 1) / -2.0, rtol=1e-9)
    np.testing.assert_allclose(step.final_observations.follower[0, :, 1], cash - consumed, atol=1e-9)
