"""The door to the exact solutions: what it accepts, and what it says to what it does not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from envs import InvalidSetting
from envs.solution import CONCEPTS, SOLVED_GAMES, solution, solve


@pytest.mark.parametrize("game", SOLVED_GAMES)
def test_solve_gives_the_figures_of_the_solution(game: str) -> None:
    figures = solve(game, followers=100)
    assert figures == solution(game, followers=100).values
    assert all(math.isfinite(value) for value in figures.values())


@pytest.mark.parametrize(
    ("game", "names"),
    [
        ("linear_quadratic", {"K", "Fx", "Fz", "Fg", "U", "Vxx", "Vxz", "Vzz"}),
        ("stage_game", {"g_star", "g_slope", "g_intercept", "phi", "abar"}),
        ("income_tax", {"t_star", "W_star", "gbar", "corner"}),
        ("brock_mirman", {"tau_star", "aggregate_saving", "s_q0.2", "s_q1", "s_q5"}),
        ("static_hsv", {"xi_star", "hours", "W_star", "corner"}),
    ],
)
def test_figures_have_the_names_of_the_literature(game: str, names: set[str]) -> None:
    assert names <= solve(game).keys()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"game": "linear_quadratics"}, "did you mean 'linear_quadratic'"),
        ({"game": "economy"}, "no exact solution is known for game 'economy'"),
        ({"game": "income_tax", "epsillon": 0.3}, "did you mean 'epsilon'"),
        ({"game": "linear_quadratic", "concept": "stackleberg"}, "did you mean 'stackelberg'"),
        ({"game": "static_hsv", "concept": "team"}, "one of stackelberg"),
        ({"game": "brock_mirman", "concept": "partial_team"}, "one of stackelberg, partial"),
        ({"game": "stage_game", "followers": 0}, "followers = 0: must be a whole number of at least 1, or inf"),
        ({"game": "stage_game", "followers": 2.5}, "followers = 2.5"),
        ({"game": "stage_game", "followers": math.nan}, "followers = nan"),
        ({"game": "stage_game", "T": math.inf}, "T = inf: must be a finite number"),
        ({"game": "stage_game", "beta": "a lot"}, "beta = a lot: must be a finite number"),
        ({"game": "stage_game", "R": 0.6}, "R = 0.6: must be above max(0, 2 beta) = 0.6"),
        ({"game": "stage_game", "beta": -1.0, "R": 0.0}, "R = 0: must be above"),
        ({"game": "stage_game", "rl": -5.0}, "rl + m^2 must be above 0"),
        ({"game": "linear_quadratic", "gam": 1.0}, "gam = 1: must lie between 0 and 1"),
        ({"game": "linear_quadratic", "R": 0.0}, "R = 0: must be above 0"),
        ({"game": "linear_quadratic", "Rl": -1.0}, "Rl = -1: must be above 0"),
        ({"game": "linear_quadratic", "A": 2.0, "B": 0.0}, "does not converge"),
        ({"game": "linear_quadratic", "M": -3.0, "concept": "team"}, "the followers' cost is not convex"),
        ({"game": "linear_quadratic", "Ql": -10.0, "C": 1.0}, "the leader's cost is not convex"),
        ({"game": "income_tax", "epsilon": 0.0}, "epsilon = 0: must be above 0"),
        ({"game": "income_tax", "followers": 1}, "followers = 1: a lone household"),
        ({"game": "brock_mirman", "al": 1.0}, "al = 1: must lie between 0 and 1"),
        ({"game": "brock_mirman", "be": 0.0}, "be = 0: must lie between 0 and 1"),
        ({"game": "brock_mirman", "ph": 0.0}, "ph = 0: must be above 0"),
        ({"game": "static_hsv", "v": -0.1}, "v = -0.1: must be above 0"),
        ({"game": "static_hsv", "gs": 1.0}, "gs = 1: must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_solved_is_refused_in_one_line(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSetting) as refusal:
        solve(**settings)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_concepts_are_refused_or_solved_but_never_ignored() -> None:
    for game in ("stage_game", "linear_quadratic"):
        answers = {concept: tuple(solve(game, concept=concept).values()) for concept in CONCEPTS}
        assert len(set(answers.values())) == len(CONCEPTS)
