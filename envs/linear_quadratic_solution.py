"""Exact feedback Stackelberg equilibrium of the linear-quadratic game, and exact exploitability of any linear rules.

Feedback: nobody can commit. The followers' rule is optimal for every g given later play, and the leader's gain is
optimal given that rule. Noise adds constants to the values and leaves the gains as they are (certainty equivalence).
Values are V = (Vxx x^2 + 2 Vxz x z + Vzz z^2) / 2 for a follower and U z^2 / 2 for the leader. Everything holds for
any N, with n = 1/N and n = 0 for the mean-field limit.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace

import numpy as np
from scipy.linalg import LinAlgError, solve_discrete_are, solve_discrete_lyapunov

from envs.game import Array, InvalidSetting
from envs.linear_quadratic import Parameters
from envs.solution import CONCEPTS, Solution

GAME_CONCEPTS = tuple(CONCEPTS)
TOLERANCE = 1e-14
MOST_ROUNDS = 10_000


@dataclass(frozen=True)
class LinearRules:
    """Follower a_i = -(Fx x_i + Fz z + Fg g) and leader g = -K z."""

    Fx: float
    Fz: float
    Fg: float
    K: float

    def population(self, p: Parameters) -> tuple[float, float, float]:
        """(f, Ab, Cb) of the population under any g: abar = -f z - Fg g, z' = Ab z + Cb g."""
        f = self.Fx + self.Fz
        return f, p.A + p.D - p.B * f, p.C - p.B * self.Fg


def solution(p: Parameters, followers: float, concept: str) -> Solution:
    """The equilibrium gains K Fx Fz Fg, the leader's value U, and one follower's value Vxx Vxz Vzz.

    Raises InvalidSetting where the value iteration does not converge or an optimum has the wrong curvature.
    """
    n = 0.0 if math.isinf(followers) else 1 / followers
    rules, U = _equilibrium(p, n, concept)
    V = _value(p, *_closed_loop(p, n, rules))
    values = {**asdict(rules), "U": U, "Vxx": V[0, 0], "Vxz": V[0, 1], "Vzz": V[1, 1]}
    values = {name: float(value) for name, value in values.items()}

    def leader_rule(observation: Array) -> Array:
        return -rules.K * observation

    def follower_rule(observation: Array, leader_action: Array) -> Array:
        x, z, g = observation[..., :1], observation[..., 1:], leader_action[:, None, :]
        action: Array = -(rules.Fx * x + rules.Fz * z + rules.Fg * g)
        return action

    return Solution("linear_quadratic", followers, concept, values, leader_rule, follower_rule)


# --- equilibrium: value iteration from zero ---------------------------------------------------------------------
# Reactions and gains come with the curvature of the cost in the own action, which must be positive in the end.
def _equilibrium(p: Parameters, n: float, concept: str) -> tuple[LinearRules, float]:
    react, evaluate = (_team_reaction, _team_value) if concept.endswith("team") else (_game_reaction, _game_value)
    lead = _partial_gain if concept.startswith("partial") else _stackelberg_gain
    V: Array = np.zeros((2, 2))
    U = 0.0
    with np.errstate(all="ignore"):  # divergence is found below
        for _ in range(MOST_ROUNDS):
            reaction, follower_curvature = react(p, n, V)
            K, leader_curvature = lead(p, U, reaction)
            rules = replace(reaction, K=K)
            V_new, U_new = evaluate(p, n, V, rules), _leader_value(p, U, rules)
            change = max(np.abs(V_new - V).max(), abs(U_new - U))
            V, U = V_new, U_new
            size = max(np.abs(V).max(), abs(U))
            if not np.isfinite(size):
                break
            if change < TOLERANCE * max(1.0, size):
                _check_curvature(follower_curvature, leader_curvature)
                return rules, float(U)
    raise InvalidSetting(
        f"linear_quadratic, {concept}, has no equilibrium here: the value iteration does not converge; "
        "larger R, Rl or a smaller gam, A or M may help"
    )


def _check_curvature(follower: float, leader: float) -> None:
    for whose, curvature in (("the followers'", follower), ("the leader's", leader)):
        if not curvature > 0:
            raise InvalidSetting(
                f"{whose} cost is not convex in the own action ({curvature:.3g} <= 0): raise R, Rl or M"
            )


def _game_reaction(p: Parameters, n: float, V: Array) -> tuple[LinearRules, float]:
    """First-order condition R a + M (abar + n a) + gam B [dV/dx + n dV/dz] = 0, the same rule imposed on all."""
    cx = p.gam * p.B * (V[0, 0] + n * V[0, 1])
    cz = p.gam * p.B * (V[0, 1] + n * V[1, 1])
    m = p.M + p.B * cz
    c = p.R + 2 * n * p.M + p.B * cx + n * p.B * cz
    Fx = cx * p.A / (c - n * m)
    Fz = (-m * Fx + cx * p.D + cz * (p.A + p.D)) / (c + m * (1 - n))
    Fg = (cx + cz) * p.C / (c + m * (1 - n))
    return LinearRules(Fx, Fz, Fg, K=0.0), c


def _game_value(p: Parameters, n: float, V: Array, rules: LinearRules) -> Array:
    stage, transition = _closed_loop(p, n, rules)
    value: Array = stage + p.gam * transition.T @ V @ transition
    return value


def _team_reaction(p: Parameters, n: float, V: Array) -> tuple[LinearRules, float]:
    """The team's problem splits into deviations x - z with value V[0, 0] and the mean with value V[1, 1], at any N."""
    P, Vm = V[0, 0], V[1, 1]
    deviation_curvature = p.R + p.gam * p.B**2 * P
    mean_curvature = p.R + 2 * p.M + p.gam * p.B**2 * Vm
    Fx = p.gam * p.B * P * p.A / deviation_curvature
    fm = p.gam * p.B * Vm * (p.A + p.D) / mean_curvature
    Fg = p.gam * p.B * Vm * p.C / mean_curvature
    return LinearRules(Fx, fm - Fx, Fg, K=0.0), min(deviation_curvature, mean_curvature)


def _team_value(p: Parameters, n: float, V: Array, rules: LinearRules) -> Array:
    f, Ab, Cb = rules.population(p)
    P = p.Q + p.R * rules.Fx**2 + p.gam * V[0, 0] * (p.A - p.B * rules.Fx) ** 2
    mean_action = f - rules.Fg * rules.K
    Vm = p.Q * (1 - p.H) ** 2 + (p.R + 2 * p.M) * mean_action**2 + p.gam * V[1, 1] * (Ab - Cb * rules.K) ** 2
    return np.diag([P, Vm])


def _stackelberg_gain(p: Parameters, U: float, reaction: LinearRules) -> tuple[float, float]:
    """The leader's optimum with the followers' reaction in it (total derivative)."""
    f, Ab, Cb = reaction.population(p)
    curvature = p.Rl + p.Ml * reaction.Fg**2 + p.gam * U * Cb**2
    return (p.gam * U * Ab * Cb + p.Ml * f * reaction.Fg) / curvature, curvature


def _partial_gain(p: Parameters, U: float, reaction: LinearRules) -> tuple[float, float]:
    """The leader's first-order condition with abar held fixed."""
    _, Ab, Cb = reaction.population(p)
    return p.gam * U * p.C * Ab / (p.Rl + p.gam * U * p.C * Cb), p.Rl + p.gam * U * p.C**2


def _leader_value(p: Parameters, U: float, rules: LinearRules) -> float:
    f, Ab, Cb = rules.population(p)
    stage = p.Ql + p.Rl * rules.K**2 + p.Ml * (f - rules.Fg * rules.K) ** 2
    return stage + p.gam * U * (Ab - Cb * rules.K) ** 2


# --- exploitability of given rules ------------------------------------------------------------------------------
@dataclass(frozen=True)
class BestResponseCost:
    """Discounted costs under given rules, and under one player's best response to them.

    `follower_gain` (kx, kz): the deviator's best a = -(kx x + kz z); `leader_gain` K: the leader's best g = -K z.
    """

    follower_cost: float
    follower_best_cost: float
    follower_gain: tuple[float, float]
    leader_cost: float
    leader_best_cost: float
    leader_gain: float

    @property
    def follower_exploitability(self) -> float:
        """What one follower gains by its best response while all others and the leader keep their rules, >= 0."""
        return self.follower_cost - self.follower_best_cost

    @property
    def leader_exploitability(self) -> float:
        """What the leader gains by its best response to the followers' rule, >= 0."""
        return self.leader_cost - self.leader_best_cost


def best_response_cost(
    rules: LinearRules,
    parameters: Parameters | None = None,
    *,
    followers: float = math.inf,
    x0: float = 1.0,
    z0: float = 1.0,
    sigma: float = 0.0,
) -> BestResponseCost:
    """Exact exploitability of linear rules from the state (x0, z0), by scipy's discrete algebraic Riccati solver.

    With N = `followers` a deviator moves abar by its share 1/N; at math.inf it does not. `sigma` adds the expected
    cost of future noise (0: the deterministic cost). Raises InvalidSetting if costs under the rules are infinite.
    """
    p = parameters or Parameters()
    n = 0.0 if math.isinf(followers) else 1 / followers
    start = np.array([x0, z0])
    noise = sigma**2 * np.array([[1.0, n], [n, n]])  # covariance of the noise in (x, z)
    own = _value(p, *_closed_loop(p, n, rules))
    best, gain = _solve_riccati(p, *_deviation(p, n, rules))
    leader_own = _value(p, *_leader_closed_loop(p, rules))
    leader_best, leader_gain = _solve_riccati(p, *_leader_deviation(p, rules))
    return BestResponseCost(
        follower_cost=_expected(p, own, start, noise),
        follower_best_cost=_expected(p, best, start, noise),
        follower_gain=(float(gain[0, 0]), float(gain[0, 1])),
        leader_cost=_expected(p, leader_own, start[1:], noise[1:, 1:]),
        leader_best_cost=_expected(p, leader_best, start[1:], noise[1:, 1:]),
        leader_gain=float(leader_gain[0, 0]),
    )


def _closed_loop(p: Parameters, n: float, rules: LinearRules) -> tuple[Array, Array]:
    """One follower's stage cost matrix and the transition of (x, z) when everybody follows the rules."""
    transition, control, stage, cost, cross = _deviation(p, n, rules)
    a = np.array([[-rules.Fx, -rules.Fz + rules.Fg * rules.K]])
    return stage + cost * a.T @ a + cross @ a + a.T @ cross.T, transition + control @ a


def _deviation(p: Parameters, n: float, rules: LinearRules) -> tuple[Array, Array, Array, Array, Array]:
    """One follower's problem given the others: X' = T X + b a, cost [X' S X + r a^2 + 2 X' c a] / 2, X = (x, z).

    abar = n a + others (x, z). Returns T (2, 2), b (2, 1), S (2, 2), r (1, 1), c (2, 1).
    """
    K, others = rules.K, np.array([n * rules.Fx, -rules.Fx - (1 - n) * (rules.Fz - rules.Fg * rules.K)])
    z_row = np.array([0.0, p.A + p.D - p.C * K]) + p.B * others
    transition = np.stack([np.array([p.A, p.D - p.C * K]), z_row])
    distance = np.array([[1.0, -p.H]])
    cost = np.array([[p.R + 2 * p.M * n]])
    return transition, p.B * np.array([[1.0], [n]]), p.Q * distance.T @ distance, cost, p.M * others[:, None]


def _leader_closed_loop(p: Parameters, rules: LinearRules) -> tuple[Array, Array]:
    transition, control, stage, cost, cross = _leader_deviation(p, rules)
    return stage + cost * rules.K**2 - 2 * cross * rules.K, transition - control * rules.K


def _leader_deviation(p: Parameters, rules: LinearRules) -> tuple[Array, Array, Array, Array, Array]:
    """The leader's problem given the followers' reaction: as `_deviation` with the state z and the action g."""
    f, Ab, Cb = rules.population(p)
    stage, cost, cross = p.Ql + p.Ml * f**2, p.Rl + p.Ml * rules.Fg**2, p.Ml * f * rules.Fg
    return tuple(np.array([[entry]]) for entry in (Ab, Cb, stage, cost, cross))  # type: ignore[return-value]


def _value(p: Parameters, stage: Array, transition: Array) -> Array:
    """V = stage + gam transition' V transition."""
    scaled = math.sqrt(p.gam) * transition
    if np.abs(np.linalg.eigvals(scaled)).max() >= 1:
        raise InvalidSetting("the state explodes under these rules faster than gam discounts it: no finite cost")
    value: Array = solve_discrete_lyapunov(scaled.T, stage)
    return value


def _solve_riccati(
    p: Parameters, transition: Array, control: Array, stage: Array, cost: Array, cross: Array
) -> tuple[Array, Array]:
    """Value matrix and gain (action = -gain @ state) of a discounted linear-quadratic problem."""
    A, B = math.sqrt(p.gam) * transition, math.sqrt(p.gam) * control
    try:
        value = solve_discrete_are(A, B, stage, cost, s=cross)
    except (LinAlgError, ValueError) as error:
        raise InvalidSetting(f"no best response exists to these rules: {error}") from error
    return value, np.linalg.solve(cost + B.T @ value @ B, B.T @ value @ A + cross.T)


def _expected(p: Parameters, value: Array, start: Array, noise: Array) -> float:
    """Discounted cost from `start`, with noise of this covariance entering every later state."""
    return float(0.5 * start @ value @ start + 0.5 * p.gam / (1 - p.gam) * np.trace(value @ noise))
