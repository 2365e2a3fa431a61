"""Krusell and Smith's economy: its laws, its published figures, their algorithm, and the economy as a game.

Published: the chances of Den Haan, Judd and Juillard (2010, JEDC 34, table 1); ln K' = .095 + .962 ln K in booms and
.085 + .965 ln K in recessions with R2 .999998 (Krusell and Smith 1998), where the employed supply .3271 units of labour
instead of 1 / .9, so that their K is smaller by that factor.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

import envs
from envs import InvalidSetting
from envs.economy.krusell_smith import BOOM, RECESSION, Parameters
from envs.economy.krusell_smith_path import CapitalPath, Forecast, drawn_phases, first_shares, simulate
from envs.economy.krusell_smith_solution import (
    BURN_IN,
    ForecastEquilibrium,
    KrusellSmithHousehold,
    usual_forecast_equilibrium,
)
from envs.economy.markov import stationary
from envs.game import Array
from envs.krusell_smith import LARGEST_SHARE, KrusellSmith
from policies import FollowerPolicy
from rllib_smfg.known_games.krusell_smith import krusell_smith as reading

LABOUR_THEN = 0.3271


@pytest.fixture(scope="module")
def exact() -> ForecastEquilibrium:
    return usual_forecast_equilibrium(Parameters())


# --- the laws --------------------------------------------------------------------------------------------------------
def test_chances_are_those_of_den_haan_judd_and_juillard() -> None:
    published = [
        [0.525, 0.35, 0.03125, 0.09375],
        [0.038889, 0.836111, 0.002083, 0.122917],
        [0.09375, 0.03125, 0.291667, 0.583333],
        [0.009115, 0.115885, 0.024306, 0.850694],
    ]
    np.testing.assert_allclose(Parameters().transition.reshape(4, 4), published, atol=1e-6)


def test_chances_keep_unemployment_and_last_as_long_as_they_say() -> None:
    p = Parameters(phase=5.0, boom_unemployment=0.03, recession_unemployment=0.08, recession_search=3.0)
    chain = p.transition.reshape(4, 4)
    np.testing.assert_allclose(chain.sum(axis=1), 1)
    recession_out, recession_in, boom_out, boom_in = stationary(chain)
    assert recession_out + recession_in == pytest.approx(0.5)
    assert boom_out / (boom_out + boom_in) == pytest.approx(0.03)
    assert recession_out / (recession_out + recession_in) == pytest.approx(0.08)
    stays = p.transition / p.phases[:, None, :, None]
    assert 1 / (1 - stays[RECESSION, 0, RECESSION, 0]) == pytest.approx(3.0)
    assert 1 / (1 - stays[BOOM, 0, BOOM, 0]) == pytest.approx(1.5)
    assert 1 / (1 - p.phases[BOOM, BOOM]) == pytest.approx(5.0)


@pytest.mark.parametrize("benefit", [0.0, 0.15])
def test_what_is_earned_is_what_labour_is_paid(benefit: float) -> None:
    p = Parameters(benefit=benefit)
    for phase in (RECESSION, BOOM):
        gross, wage = p.prices(39.0, p.tfp[phase], p.labour[phase])
        idle, busy = (p.earned(e, wage, p.labour[phase]) for e in (0.0, 1.0))
        u = p.unemployment[phase]
        assert u * idle + (1 - u) * busy == pytest.approx(wage * p.labour[phase])
        output = p.tfp[phase] * 39.0**p.alpha * p.labour[phase] ** (1 - p.alpha)
        assert wage * p.labour[phase] + (gross - 1 + p.delta) * 39.0 == pytest.approx(output)
        assert idle == pytest.approx(benefit * wage)


@pytest.mark.parametrize(
    "changes",
    [{"beta": 1.0}, {"swing": -0.1}, {"phase": 1.0}, {"boom_unemployment": 0.001, "recession_unemployment": 0.4}],
)
def test_parameters_out_of_bounds_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(InvalidSetting, match=next(iter(changes))):
        Parameters(**changes)
    with pytest.raises(InvalidSetting):
        envs.make("krusell_smith", **changes)


# --- their algorithm -------------------------------------------------------------------------------------------------
def test_the_forecast_is_that_of_1998(exact: ForecastEquilibrium) -> None:
    larger = np.log(Parameters().hours / LABOUR_THEN)
    slopes, intercepts = np.array([0.965, 0.962]), np.array([0.085, 0.095])
    np.testing.assert_allclose(exact.forecast.slope, slopes, atol=2e-3)
    middle = np.log(39.5)
    published = intercepts + (1 - slopes) * larger + slopes * middle
    np.testing.assert_allclose(exact.forecast.intercept + exact.forecast.slope * middle, published, atol=2e-3)
    assert exact.forecast.r_squared.min() > 0.999995
    errors = exact.forecast.errors(exact.path, BURN_IN)
    assert errors.max() < 0.0035
    assert errors.mean() < 0.0015


def test_with_a_benefit_it_is_that_of_the_computational_suite() -> None:
    """Maliar, Maliar and Valli (2010): slopes .9656 and .9632; K about 39.3, their own simulation's."""
    found = usual_forecast_equilibrium(Parameters(benefit=0.15))
    np.testing.assert_allclose(found.forecast.slope, [0.9656, 0.9632], atol=2e-3)
    assert found.mean_capital == pytest.approx(39.3, rel=0.01)
    assert found.mean_capital < usual_forecast_equilibrium(Parameters()).mean_capital  # who is insured saves less


def test_a_finer_grid_changes_little(exact: ForecastEquilibrium) -> None:
    p = Parameters()
    fine = KrusellSmithHousehold.of(p, points=400)
    plan = fine.plan(exact.forecast)
    coarse = exact.household
    for phase, employed in ((RECESSION, 0), (BOOM, 1)):
        for k in (2, 5):
            again = np.interp(coarse.assets, fine.assets, plan[phase, employed, k])
            usual = (coarse.assets > 1) & (coarse.assets < 150)
            np.testing.assert_allclose(exact.consumption[phase, employed, k][usual], again[usual], rtol=2e-3)


def test_without_a_cycle_and_unemployment_consumption_is_permanent_income() -> None:
    """At beta (1 + r) = 1 for ever, c = earnings + r a."""
    p = Parameters(swing=0.0, boom_unemployment=0.0, recession_unemployment=0.0, benefit=0.0)
    h = KrusellSmithHousehold.of(p)
    golden = p.golden_capital
    stays = Forecast(np.full(2, np.log(golden)), np.zeros(2), np.ones(2))
    plan = h.plan(stays)
    at = int(np.argmin(np.abs(h.capital - golden)))
    assert h.capital[at] == pytest.approx(golden, rel=0.05)
    gross, wage = p.prices(golden, 1.0, p.labour[BOOM])
    assert gross * p.beta == pytest.approx(1.0)
    here = np.array([np.interp(golden, h.capital, plan[BOOM, 1, :, k]) for k in range(len(h.assets))])
    usual = (h.assets > 5) & (h.assets < 100)
    wanted = wage * p.hours + (gross - 1) * h.assets
    np.testing.assert_allclose(here[usual], wanted[usual], rtol=5e-3)


def test_shares_add_up_and_capital_is_what_is_carried() -> None:
    p = Parameters()
    h = KrusellSmithHousehold.of(p, points=80)
    phases = drawn_phases(p, 50, 3)
    carried = 0.9 * np.broadcast_to(h.assets, (2, 80)) + 2.0
    first = first_shares(p, h.assets, int(phases[0]))
    assert first.sum() == pytest.approx(1)
    assert (first * h.assets).sum() == pytest.approx(p.golden_capital, rel=0.01)
    path = simulate(p, h.assets, lambda capital, phase: carried, phases, first, keep_every=10)
    np.testing.assert_allclose(path.capital[1:], 0.9 * path.capital[:-1] + 2.0, rtol=1e-10)
    for quarter, share in path.kept:
        assert share.sum() == pytest.approx(1)
        assert share[0].sum() == pytest.approx(p.unemployment[phases[quarter]])


def test_a_forecast_that_is_wrong_shows() -> None:
    phases = drawn_phases(Parameters(), 400, 1)
    capital = np.empty(400)
    capital[0] = 40.0
    for t in range(399):
        capital[t + 1] = np.exp((0.12, 0.14)[phases[t]] + 0.965 * np.log(capital[t]))
    path = CapitalPath(capital, phases, [])
    right = Forecast.fitted(path, 10)
    np.testing.assert_allclose(right.intercept, [0.12, 0.14], atol=1e-9)
    assert right.r_squared.min() > 1 - 1e-9
    assert right.errors(path, 10).max() < 1e-9
    wrong = Forecast(right.intercept + 0.001, right.slope, right.r_squared)
    assert wrong.errors(path, 10).max() == pytest.approx(0.001 / (1 - 0.965), rel=0.05)
    noisy = CapitalPath(capital * np.exp(0.01 * np.random.default_rng(0).standard_normal(400)), phases, [])
    assert Forecast.fitted(noisy, 10).r_squared.min() < 0.99


# --- the game --------------------------------------------------------------------------------------------------------
class Planner(FollowerPolicy):
    """The exact rule, scaled."""

    def __init__(self, exact: ForecastEquilibrium, scale: float = 1.0) -> None:
        self.exact, self.scale = exact, scale

    def act(self, observation: Array, leader_action: Array) -> Array:
        shares = np.stack([self.exact.consumed_share(seen) for seen in observation.astype(np.float64)])
        return np.clip(self.scale * shares, 0.01, LARGEST_SHARE)[..., None]


def game(**settings: int) -> KrusellSmith:
    found = envs.make("krusell_smith", **settings)
    assert isinstance(found, KrusellSmith)
    return found


def test_books_balance_and_the_government_changes_nothing() -> None:
    one, other = game(games=3, followers=100), game(games=3, followers=100)
    one.reset(0)
    other.reset(0)
    p, random = one.parameters, np.random.default_rng(0)
    for _ in range(6):
        before = one.state
        boom = before["boom"][:, 0].astype(int)
        capital = before["assets"].mean(axis=1)
        action = random.uniform(0.03, 0.9, (3, 100, 1))
        a, b = one.step(np.zeros((3, 1)), action), other.step(np.ones((3, 1)), action)
        np.testing.assert_array_equal(a.follower_reward, b.follower_reward)
        output = p.tfp[boom] * capital**p.alpha * p.labour[boom] ** (1 - p.alpha)
        spent = a.indicators["consumption"] + one.state["assets"].mean(axis=1)
        np.testing.assert_allclose(spent, output + (1 - p.delta) * capital, rtol=1e-12)
        np.testing.assert_allclose(a.indicators["unemployment"], p.unemployment[boom], atol=1e-12)
        assert not a.terminated.any()


def test_rewards_are_the_utility_of_what_is_consumed() -> None:
    played = game(games=1, followers=50)
    assets, employed, capital, boom = played.reset(1).follower[0].T
    p = played.parameters
    z, labour = (1.01, 0.96 / 0.9) if boom[0] else (0.99, 1.0)
    gross = 1 + 0.36 * z * (capital / labour) ** -0.64 - 0.025
    cash = gross * assets + 0.64 * z * (capital / labour) ** 0.36 * employed / 0.9
    step = played.step(np.zeros((1, 1)), np.full((1, 50, 1), 0.07))
    np.testing.assert_allclose(step.follower_reward[0], np.log(0.07 * cash / played.usual_consumption), rtol=1e-9)
    np.testing.assert_allclose(step.final_observations.follower[0, :, 0], 0.93 * cash, rtol=1e-12)
    assert capital[0] == pytest.approx(assets.mean())
    assert p.benefit == 0


def test_each_household_moves_by_the_chances_and_all_of_them_keep_the_unemployment_rate() -> None:
    played = game(games=40, followers=100, horizon=1000)
    played.reset(0)
    counts = np.zeros((2, 2, 2, 2))
    for _ in range(400):
        phase, employed = played.state["boom"].astype(int), played.state["employed"].astype(int)
        played.step(np.zeros((40, 1)), np.full((40, 100, 1), 0.07))
        now = np.broadcast_to(phase, employed.shape), employed
        then = np.broadcast_to(played.state["boom"].astype(int), employed.shape), played.state["employed"].astype(int)
        np.add.at(counts, (*now, *then), 1)
        share = played.state["employed"].mean(axis=1, keepdims=True)
        np.testing.assert_allclose(1 - share, np.where(played.state["boom"] > 0, 0.04, 0.1), atol=1e-12)
    found = counts / counts.sum(axis=(2, 3), keepdims=True)
    np.testing.assert_allclose(found, played.parameters.transition, atol=0.012)
    # nobody is always drawn with a neighbour's luck: a household's own history follows the chances, too
    stays = counts[:, 0, :, 0].sum() / counts[:, 0].sum()
    assert 0.35 < stays < 0.65


def test_what_is_drawn_is_the_same_in_torch() -> None:
    played = game(games=4, followers=1000)
    chance = np.random.default_rng(2).uniform(0.0, 0.3, (4, 1000))
    lot = np.random.default_rng(3).random((4, 1))
    found = played._drawn(chance, lot)
    assert set(np.unique(found)) == {0.0, 1.0}
    np.testing.assert_allclose(found.sum(axis=1), chance.sum(axis=1), atol=1)
    np.testing.assert_array_equal(played._drawn(torch.from_numpy(chance), torch.from_numpy(lot)).numpy(), found)
    single = played._drawn(torch.from_numpy(chance).float(), torch.from_numpy(lot).float()).numpy()
    assert set(np.unique(single)) <= {0.0, 1.0}


def test_features_are_of_order_one() -> None:
    played = game(games=20, followers=100)
    seen = played.reset(0).follower
    scaling = played.follower_scaling
    for k in range(4):
        feature = scaling.feature(k, seen[..., k])
        assert np.abs(feature).max() < 6
        assert 0.2 < np.abs(feature).mean() < 1.5


# --- what `verify` reads ---------------------------------------------------------------------------------------------
def test_exact_households_are_read_as_exact(exact: ForecastEquilibrium) -> None:
    found = reading(Planner(exact))
    assert found["capital"] == pytest.approx(exact.mean_capital, rel=0.005)
    assert found["r_squared"] > 0.99999
    assert found["den_haan_error"] < 0.004
    assert found["euler_error"] < 3e-4


def test_households_who_spend_too_much_are_told_apart(exact: ForecastEquilibrium) -> None:
    found = reading(Planner(exact, 1.05))
    assert found["capital"] < 0.95 * exact.mean_capital


def test_households_who_do_not_see_their_employment_are_told_apart(exact: ForecastEquilibrium) -> None:
    class Unaware(Planner):
        def act(self, observation: Array, leader_action: Array) -> Array:
            seen = observation.copy()
            seen[..., 1] = 1.0
            return super().act(seen, leader_action)

    assert reading(Unaware(exact))["euler_error"] > 10 * reading(Planner(exact))["euler_error"]
