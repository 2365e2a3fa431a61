"""The verification itself: it accepts the exact rules, refuses wrong ones, and names what they are."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from verify_parts import ExactFollower, ExactLeader

from envs.game import InvalidSetting
from envs.solution import SOLVED_GAMES, solution
from experiments.configuration.loading import load_experiment
from experiments.verify.learning import Case, VerifiedMethod, configuration
from experiments.verify.run import CaseOutcome, _keep, cases, of_size, run
from rllib_smfg.known_games.acceptance import LABELS, at_least_share, at_most, judge, label, near, relative
from rllib_smfg.known_games.readings import read

# few households have an interest rate of their own, and their leaders decide nothing
UNGOVERNED = ("aiyagari", "krusell_smith")
GOVERNED = [game for game in SOLVED_GAMES if game not in UNGOVERNED]
SIZES = [(game, followers) for game in GOVERNED for followers in (16, 100, 1000)]
SIDES = [(game, side) for game in GOVERNED for side in ("leader", "follower")]


@pytest.mark.parametrize(("game", "followers"), [*SIZES, *((game, 1000) for game in UNGOVERNED)])
def test_exact_rules_are_accepted(game: str, followers: int) -> None:
    exact = solution(game, followers=followers)
    readings = read(game, ExactLeader(exact), ExactFollower(exact), followers)
    failed = [check for check in judge(game, followers, [readings]) if not check.passed]
    assert not failed


@pytest.mark.parametrize(("game", "side"), [*SIDES, *((game, "follower") for game in UNGOVERNED)])
def test_a_rule_off_by_a_tenth_is_refused(game: str, side: str) -> None:
    exact = solution(game, followers=100)
    leader = ExactLeader(exact, 1.1 if side == "leader" else 1.0)
    follower = ExactFollower(exact, 1.1 if side == "follower" else 1.0)
    readings = read(game, leader, follower, 100)
    assert not all(check.passed for check in judge(game, 100, [readings]))


@pytest.mark.parametrize("concept", ["stackelberg", "partial", "team", "partial_team"])
def test_each_concept_of_the_linear_quadratic_game_gets_its_label(concept: str) -> None:
    exact = solution("linear_quadratic", followers=100, concept=concept)
    readings = read("linear_quadratic", ExactLeader(exact), ExactFollower(exact), 100)
    assert label("linear_quadratic", 100, readings) == LABELS[concept]


def test_one_bad_seed_is_enough_to_fail() -> None:
    exact = solution("stage_game", followers=100)
    good = read("stage_game", ExactLeader(exact), ExactFollower(exact), 100)
    bad = {**good, "g_error": 0.06}
    assert not all(check.passed for check in judge("stage_game", 100, [good, good, bad]))


def test_a_reading_that_is_no_number_is_never_the_best_one() -> None:
    seeds = [{"x": 1.0}, {"x": math.nan}, {"x": 1.01}]
    checks = [near("x", 1.0, seeds, 0.1), at_most("x", seeds, 2.0), at_least_share("x", 1.0, seeds, 0.9)]
    checks += relative("x", 1.0, seeds, 0.05, 0.1)
    assert [check.passed for check in checks] == [False] * 5
    assert [check.of_bound for check in checks] == [math.inf] * 5


def test_rules_under_which_the_state_explodes_are_read_and_refused() -> None:
    exact = solution("linear_quadratic", followers=100)
    readings = read("linear_quadratic", ExactLeader(exact), ExactFollower(exact, -1.0), 100)
    assert readings["follower_exploitability"] == math.inf
    assert not all(check.passed for check in judge("linear_quadratic", 100, [readings]))


def test_figures_that_are_no_numbers_have_no_label() -> None:
    readings = dict.fromkeys(("K", "Fx", "Fz", "Fg"), math.nan)
    assert label("linear_quadratic", 100, readings) == "none"


@pytest.mark.parametrize(("value", "share"), [(1.43, 0.0), (1.43 * 1.025, 0.5), (1.43 * 0.9, 2.0)])
def test_an_error_is_told_as_a_share_of_its_bound(value: float, share: float) -> None:
    middle, worst = relative("phi", 1.43, [{"phi": value}], 0.05, 0.10)
    assert middle.of_bound == pytest.approx(share)
    assert worst.of_bound == pytest.approx(share / 2)


@pytest.mark.parametrize(("reading", "value"), [("interest_rate", 0.0276), ("consumption_error", 0.031)])
def test_aiyagaris_bounds_are_a_quarter_point_and_three_per_cent(reading: str, value: float) -> None:
    right = {"interest_rate": 0.0282, "consumption_error": 0.029, "euler_error": 0.1}
    assert all(check.passed for check in judge("aiyagari", 1000, [right]))
    assert not all(check.passed for check in judge("aiyagari", 1000, [right, {**right, reading: value}]))


@pytest.mark.parametrize(
    ("reading", "value"),
    [("r_squared", 0.99989), ("den_haan_error", 0.0051), ("euler_error", 0.0051), ("capital", 38.6), ("capital", 40.8)],
)
def test_krusell_and_smiths_bounds_are_those_of_their_literature(reading: str, value: float) -> None:
    right = {"r_squared": 0.99991, "den_haan_error": 0.0049, "euler_error": 0.0049, "capital": 39.0}
    assert all(check.passed for check in judge("krusell_smith", 1000, [right]))
    assert not all(check.passed for check in judge("krusell_smith", 1000, [right, {**right, reading: value}]))


def test_a_game_with_one_equilibrium_has_no_label() -> None:
    exact = solution("aiyagari", followers=1000)
    outcome = CaseOutcome(Case("aiyagari", 1000), {1: read("aiyagari", ExactLeader(exact), ExactFollower(exact), 1000)})
    outcome.conclude()
    assert outcome.labels == []
    assert outcome.passed


@pytest.mark.slow
def test_households_learn_to_consume_as_aiyagaris_do(ray_local: None) -> None:
    """The first iterations of `smfg verify aiyagari`, with few households: far from done, but well on the way."""
    few = ["game.followers=100", "training.iterations=12"]
    experiment = load_experiment(configuration("aiyagari", "smfrl"), few)
    algorithm = experiment.algorithm_config(1).build_algo()
    errors = []
    try:
        for iterations in (1, experiment.training.iterations - 1):
            for _ in range(iterations):
                algorithm.train()
            errors.append(read("aiyagari", *algorithm.trained_policies().policies(), 100)["consumption_error"])
    finally:
        algorithm.stop()
    assert errors[0] > 0.1
    assert errors[1] < 0.5 * errors[0]


def test_a_control_must_fail_and_with_its_own_label() -> None:
    team = solution("linear_quadratic", followers=100, concept="team")
    readings = read("linear_quadratic", ExactLeader(team), ExactFollower(team), 100)
    control = CaseOutcome(Case("linear_quadratic", 100, follower_gradient="team"), {1: readings})
    control.conclude()
    assert control.passed
    game = solution("linear_quadratic", followers=100)
    found = read("linear_quadratic", ExactLeader(game), ExactFollower(game), 100)
    wrong = replace(control, readings={1: found})
    wrong.conclude()
    assert not wrong.passed


@pytest.mark.parametrize("method", ["structural", "smfrl"])
def test_cases_track_n_and_have_controls(method: VerifiedMethod) -> None:
    found = cases(["linear_quadratic", "income_tax"], method)
    assert [case.followers for case in found if not case.control] == [16, 100, 1000, 100]
    assert sum(case.control for case in found) == 2
    for case in found:
        experiment = case.experiment()
        assert experiment.game.followers == case.followers
        assert experiment.algorithm.method == method
        gradients = experiment.algorithm.leader_gradient, experiment.algorithm.follower_gradient
        assert gradients == (case.leader_gradient, case.follower_gradient)


@pytest.mark.parametrize("followers", [16, 100, 1000])
def test_one_size_alone_can_be_verified(followers: int) -> None:
    chosen = of_size(cases(["linear_quadratic", "income_tax"]), followers)
    assert {case.followers for case in chosen} == {followers}
    assert {case.game for case in chosen} == {"linear_quadratic"} | ({"income_tax"} if followers == 100 else set())


def test_a_size_that_nobody_verifies_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="--followers 50: these games are verified at N = 16, 100, 1000"):
        of_size(cases(["linear_quadratic"]), 50)


def test_a_case_run_again_replaces_itself_and_leaves_the_others(tmp_path: Path) -> None:
    path, outcomes = tmp_path / "verify.json", []
    for game in ("income_tax", "static_hsv"):
        exact = solution(game, followers=100)
        outcome = CaseOutcome(Case(game, 100), {1: read(game, ExactLeader(exact), ExactFollower(exact), 100)})
        outcome.conclude()
        outcomes.append(outcome)
        _keep(path, [outcome], "--seeds 1")
    _keep(path, outcomes[:1], "--seeds 2")
    kept = json.loads(path.read_text())["cases"]
    assert [(case["game"], case["command"][-1]) for case in kept] == [("static_hsv", "1"), ("income_tax", "2")]


@pytest.mark.parametrize("method", ["structural", pytest.param("smfrl", marks=pytest.mark.slow)])
def test_the_equilibrium_is_found(tmp_path: Path, method: VerifiedMethod) -> None:
    """The quick version of `smfg verify`: stage_game and income_tax at N = 100, one seed."""
    written = tmp_path / "verify.json"
    code = run(Console(quiet=True), [], seeds=None, quick=True, output=written, method=method)
    outcomes = json.loads(written.read_text())["cases"]
    assert [(outcome["game"], outcome["method"]) for outcome in outcomes] == [
        ("stage_game", method),
        ("income_tax", method),
    ]
    failed = [check for outcome in outcomes for check in outcome["checks"] if not check["passed"]]
    assert not failed
    assert code == 0
