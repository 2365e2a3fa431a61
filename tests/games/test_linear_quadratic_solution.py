"""The Riccati solver against problems written out for all N followers, one-dimensional searches and scipy's solver."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import solve_discrete_are, solve_discrete_lyapunov
from scipy.optimize import minimize_scalar

from envs import InvalidSetting
from envs.game import Array
from envs.linear_quadratic import Parameters
from envs.linear_quadratic_solution import LinearRules, best_response_cost
from envs.solution import solve

TABLE = [  # N, concept, Fx, Fz, Fg, K, U (THEORY.md, C.2)
    (math.inf, "stackelberg", 0.627987, -0.234013, 0.218875, 0.228740, 1.370559),
    (1000, "stackelberg", 0.627761, -0.233993, 0.218760, 0.228822, 1.370692),
    (100, "stackelberg", 0.625722, -0.233815, 0.217726, 0.229568, 1.371900),
    (16, "stackelberg", 0.613805, -0.232721, 0.211713, 0.234085, 1.379218),
    (math.inf, "partial", 0.627987, -0.238140, 0.216582, 0.294118, None),
    (math.inf, "team", 0.627987, -0.435481, 0.106948, 0.365610, None),
    (math.inf, "partial_team", 0.627987, -0.442687, 0.102945, 0.435950, None),
]


def draw(random: np.random.Generator) -> dict[str, float]:
    names = {"A": (0.5, 1.1), "D": (-0.2, 0.2), "B": (0.5, 1.2), "C": (-0.8, 0.8), "Q": (0.3, 2), "H": (-0.5, 1)}
    names |= {"R": (0.3, 1.5), "M": (-0.1, 0.5), "Ql": (0.3, 2), "Rl": (0.3, 2), "Ml": (0.1, 1), "gam": (0.6, 0.95)}
    return {name: random.uniform(*bounds) for name, bounds in names.items()}


INSTANCES = [{}, *(draw(np.random.default_rng(seed)) for seed in range(6))]


def rules_of(followers: float, concept: str = "stackelberg", **instance: float) -> LinearRules:
    figures = solve("linear_quadratic", followers=followers, concept=concept, **instance)
    return LinearRules(*(figures[name] for name in ("Fx", "Fz", "Fg", "K")))


def riccati(gam: float, T: Array, b: Array, S: Array, r: Array, c: Array) -> tuple[Array, Array]:
    """Value and gain of min sum gam^t [X' S X + a' r a + 2 X' c a] / 2, X' = T X + b a."""
    T, b = math.sqrt(gam) * T, math.sqrt(gam) * b
    value = solve_discrete_are(T, b, S, r, s=c)
    return value, np.linalg.solve(r + b.T @ value @ b, b.T @ value @ T + c.T)


@pytest.mark.parametrize(("followers", "concept", "Fx", "Fz", "Fg", "K", "U"), TABLE)
def test_reference_table(
    followers: float, concept: str, Fx: float, Fz: float, Fg: float, K: float, U: float | None
) -> None:
    found = solve("linear_quadratic", followers=followers, concept=concept)
    for name, expected in (("Fx", Fx), ("Fz", Fz), ("Fg", Fg), ("K", K), ("U", U)):
        assert expected is None or found[name] == pytest.approx(expected, abs=5.1e-7)


def test_reference_values_and_closed_loop() -> None:
    found, rules = solve("linear_quadratic"), rules_of(math.inf)
    assert [found[name] for name in ("Vxx", "Vxz", "Vzz")] == pytest.approx([1.282594, -0.504028, 0.215222], abs=6e-7)
    _, Ab, Cb = rules.population(Parameters())
    assert Ab - Cb * rules.K == pytest.approx(0.4417, abs=5e-5)


# --- one follower among N, all N states written out -------------------------------------------------------------
def written_out(p: Parameters, rules: LinearRules, N: int) -> tuple[Array, Array, Array, Array, Array]:
    """Follower 0's problem in the state (x_1, ..., x_N): the others and the leader play `rules`."""
    mean, first = np.full((1, N), 1 / N), np.eye(N)[:1]
    g = -rules.K * mean
    everyone = -(rules.Fx * np.eye(N) + np.ones((N, 1)) @ (rules.Fz * mean + rules.Fg * g))
    others = everyone.copy()
    others[0] = 0
    T = p.A * np.eye(N) + np.ones((N, 1)) @ (p.D * mean + p.C * g) + p.B * others
    distance = first - p.H * mean
    abar_of_others = mean @ others
    cost = np.array([[p.R + 2 * p.M / N]])
    return T, p.B * first.T, p.Q * distance.T @ distance, cost, p.M * abar_of_others.T


@pytest.mark.parametrize("N", [2, 16, 100])
@pytest.mark.parametrize("instance", INSTANCES)
def test_no_follower_of_n_can_do_better(instance: dict[str, float], N: int) -> None:
    p, rules = Parameters(**instance), rules_of(N, **instance)
    _, gain = riccati(p.gam, *written_out(p, rules, N))
    expected = np.full(N, (rules.Fz - rules.Fg * rules.K) / N)
    expected[0] += rules.Fx
    np.testing.assert_allclose(gain[0], expected, atol=1e-9)


@pytest.mark.parametrize("N", [3, 12])
def test_exploitability_equals_that_of_the_problem_written_out(N: int) -> None:
    p, rules = Parameters(), LinearRules(0.5, -0.1, 0.1, 0.4)
    T, b, S, r, c = written_out(p, rules, N)
    state = np.random.default_rng(0).normal(size=N)
    best, gain = riccati(p.gam, T, b, S, r, c)
    a = -np.full((1, N), (rules.Fz - rules.Fg * rules.K) / N)
    a[0, 0] -= rules.Fx
    own = solve_discrete_lyapunov(math.sqrt(p.gam) * (T + b @ a).T, S + a.T @ r @ a + c @ a + a.T @ c.T)
    found = best_response_cost(rules, p, followers=N, x0=state[0], z0=state.mean())
    assert found.follower_cost == pytest.approx(state @ own @ state / 2, rel=1e-10)
    assert found.follower_best_cost == pytest.approx(state @ best @ state / 2, rel=1e-10)
    kx, kz = found.follower_gain
    assert kz == pytest.approx(N * gain[0, 1], abs=1e-10)
    assert kx + kz / N == pytest.approx(gain[0, 0], abs=1e-10)


@pytest.mark.parametrize("N", [math.inf, 1000, 100, 16])
@pytest.mark.parametrize("instance", INSTANCES)
def test_equilibrium_rules_are_not_exploitable(instance: dict[str, float], N: float) -> None:
    """Riccati best responses with population and leader frozen: the gains come back."""
    p, rules = Parameters(**instance), rules_of(N, **instance)
    found = best_response_cost(rules, p, followers=N)
    assert found.follower_gain == pytest.approx((rules.Fx, rules.Fz - rules.Fg * rules.K), abs=1e-9)
    assert found.leader_gain == pytest.approx(rules.K, abs=1e-9)
    assert found.follower_exploitability == pytest.approx(0, abs=1e-12)
    assert found.leader_exploitability == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("N", [math.inf, 100, 3])
@pytest.mark.parametrize("instance", INSTANCES[:4])
def test_followers_are_right_off_the_leader_path(instance: dict[str, float], N: float) -> None:
    """For any g of this year, one follower's lowest cost over its own a, all else at the rule, is at the rule."""
    p, figures, n = Parameters(**instance), solve("linear_quadratic", followers=N, **instance), 1 / N
    rules = rules_of(N, **instance)
    V = np.array([[figures["Vxx"], figures["Vxz"]], [figures["Vxz"], figures["Vzz"]]])
    random = np.random.default_rng(3)
    for x, z, g in random.normal(size=(5, 3)):
        others = -rules.Fx * (z - n * x) - (1 - n) * (rules.Fz * z + rules.Fg * g)

        def cost(a: float, x: float = x, z: float = z, g: float = g, others: float = others) -> float:
            abar = n * a + others
            after = np.array([p.A * x + p.D * z + p.B * a, (p.A + p.D) * z + p.B * abar]) + p.C * g
            stage = p.Q * (x - p.H * z) ** 2 + p.R * a**2 + 2 * p.M * a * abar
            return float(stage + p.gam * after @ V @ after)

        best = minimize_scalar(cost, bracket=(-1, 1), tol=1e-12)
        assert -(rules.Fx * x + rules.Fz * z + rules.Fg * g) == pytest.approx(best.x, abs=2e-7)


# --- teams: the planner's problem for all N actions ---------------------------------------------------------------
@pytest.mark.parametrize("instance", INSTANCES)
def test_a_team_plays_what_its_planner_would(instance: dict[str, float]) -> None:
    """One planner sets all five actions to minimise the mean cost, on the leader's path and off it."""
    N, p, rules = 5, Parameters(**instance), rules_of(5, "team", **instance)
    mean, ones = np.full((1, N), 1 / N), np.ones((N, 1))
    T = p.A * np.eye(N) + (p.D - p.C * rules.K) * ones @ mean
    distance = np.eye(N) - p.H * ones @ mean
    cost = (p.R * np.eye(N) + 2 * p.M * ones @ mean) / N
    value, gain = riccati(p.gam, T, p.B * np.eye(N), p.Q * distance.T @ distance / N, cost, np.zeros((N, N)))
    np.testing.assert_allclose(gain, rules.Fx * np.eye(N) + (rules.Fz - rules.Fg * rules.K) * ones @ mean, atol=1e-9)
    x, g = np.random.default_rng(4).normal(size=N), 0.8
    pushed = (p.A * np.eye(N) + p.D * ones @ mean) @ x + p.C * g
    planned = np.linalg.solve(cost + p.gam * p.B**2 * value, -p.gam * p.B * value @ pushed)
    np.testing.assert_allclose(planned, -(rules.Fx * x + rules.Fz * x.mean() + rules.Fg * g), atol=1e-9)


# --- leaders ------------------------------------------------------------------------------------------------------
def leader_cost(p: Parameters, rules: LinearRules, K: float, years: int = 400) -> float:
    """Discounted cost of g = -K z from z = 1, followers at their rule; summed year by year."""
    z, cost = 1.0, 0.0
    for year in range(years):
        g = -K * z
        abar = -(rules.Fx + rules.Fz) * z - rules.Fg * g
        cost += p.gam**year * (p.Ql * z**2 + p.Rl * g**2 + p.Ml * abar**2) / 2
        z = (p.A + p.D) * z + p.B * abar + p.C * g
    return cost


@pytest.mark.parametrize(("concept", "N"), [("stackelberg", math.inf), ("stackelberg", 16), ("team", math.inf)])
@pytest.mark.parametrize("instance", INSTANCES[:4])
def test_leader_against_search_over_gains(instance: dict[str, float], concept: str, N: float) -> None:
    p, rules = Parameters(**instance), rules_of(N, concept, **instance)
    best = minimize_scalar(lambda K: leader_cost(p, rules, K), bracket=(rules.K - 0.3, rules.K + 0.2), tol=1e-10)
    assert best.x == pytest.approx(rules.K, abs=1e-6)
    assert solve("linear_quadratic", followers=N, concept=concept, **instance)["U"] == pytest.approx(2 * best.fun)


@pytest.mark.parametrize("concept", ["partial", "partial_team"])
@pytest.mark.parametrize("instance", INSTANCES[:4])
def test_a_partial_leader_rests_where_its_cost_is_flat_at_fixed_actions(
    instance: dict[str, float], concept: str
) -> None:
    p, rules = Parameters(**instance), rules_of(math.inf, concept, **instance)
    U, abar = 2 * leader_cost(p, rules, rules.K), -(rules.Fx + rules.Fz) + rules.Fg * rules.K

    def cost(g: float) -> float:
        return (p.Rl * g**2 + p.gam * U * (p.A + p.D + p.B * abar + p.C * g) ** 2) / 2

    assert (cost(-rules.K + 1e-4) - cost(-rules.K - 1e-4)) / 2e-4 == pytest.approx(0, abs=1e-8)


@pytest.mark.parametrize(("concept", "loss"), [("partial", 0.0038), ("team", 0.0165), ("partial_team", 0.037)])
def test_what_the_wrong_leader_loses(concept: str, loss: float) -> None:
    right, wrong = rules_of(math.inf), rules_of(math.inf, concept)
    found = best_response_cost(LinearRules(right.Fx, right.Fz, right.Fg, wrong.K))
    assert found.leader_exploitability / found.leader_best_cost == pytest.approx(loss, rel=0.02)
    assert found.leader_cost == pytest.approx(leader_cost(Parameters(), right, wrong.K), rel=1e-10)


def test_commitment_to_a_stationary_gain() -> None:
    """Followers find their best response for every K (no Fg is needed): K = 0.211844 is the leader's best."""
    p = Parameters()

    def population_gain(K: float) -> tuple[float, float]:
        kx = kz = 0.3
        for _ in range(50):
            gain = best_response_cost(LinearRules(kx, kz, 0.0, K), p).follower_gain
            kx, kz = (kx + gain[0]) / 2, (kz + gain[1]) / 2
        return kx, kz

    best = minimize_scalar(
        lambda K: leader_cost(p, LinearRules(*population_gain(K), 0.0, K), K), bracket=(0.15, 0.25), tol=1e-7
    )
    assert best.x == pytest.approx(0.211844, abs=2e-5)
    assert 2 * best.fun == pytest.approx(1.370215, abs=1e-6)


def test_exploitability_of_team_followers() -> None:
    found = best_response_cost(rules_of(math.inf, "team"))
    assert found.follower_exploitability == pytest.approx(0.01819, abs=5e-6)
    assert found.follower_exploitability / found.follower_cost == pytest.approx(0.093, abs=5e-4)


def test_one_follower_is_its_own_team() -> None:
    alone, team = rules_of(1), rules_of(1, "team")
    assert pytest.approx(team.K, abs=1e-12) == alone.K
    assert alone.Fx + alone.Fz == pytest.approx(team.Fx + team.Fz, abs=1e-12)
    assert alone.Fg == pytest.approx(team.Fg, abs=1e-12)


def test_rules_under_which_the_state_explodes_have_no_cost() -> None:
    with pytest.raises(InvalidSetting, match="no finite cost"):
        best_response_cost(LinearRules(-1.0, -1.0, 0.0, 0.0))
