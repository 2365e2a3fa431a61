"""The verification itself: it accepts the exact rules, refuses wrong ones, and names what they are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from envs.game import Array, InvalidSetting
from envs.solution import SOLVED_GAMES, Solution, solution
from experiments.loading import SHIPPED, load_experiment
from experiments.verify.acceptance import LABELS, judge, label
from experiments.verify.learning import Case
from experiments.verify.readings import read
from experiments.verify.run import Outcome, _keep, cases, of_size, run
from policies import FollowerPolicy, LeaderPolicy


class ExactLeader(LeaderPolicy):
    def __init__(self, exact: Solution, scale: float = 1.0) -> None:
        self.exact, self.scale = exact, scale

    def act(self, observation: Array) -> Array:
        return self.scale * self.exact.leader_rule(observation)


class ExactFollower(FollowerPolicy):
    def __init__(self, exact: Solution, scale: float = 1.0) -> None:
        self.exact, self.scale = exact, scale

    def act(self, observation: Array, leader_action: Array) -> Array:
        return self.scale * self.exact.follower_rule(observation, leader_action)


SIZES = [(game, followers) for game in SOLVED_GAMES for followers in (16, 100, 1000) if game != "aiyagari"]
# few households have an interest rate of their own, and its leader decides nothing
SIDES = [(game, side) for game in SOLVED_GAMES for side in ("leader", "follower") if game != "aiyagari"]


@pytest.mark.parametrize(("game", "followers"), [*SIZES, ("aiyagari", 1000)])
def test_exact_rules_are_accepted(game: str, followers: int) -> None:
    exact = solution(game, followers=followers)
    readings = read(game, ExactLeader(exact), ExactFollower(exact), followers)
    failed = [check for check in judge(game, followers, [readings]) if not check.passed]
    assert not failed


@pytest.mark.parametrize(("game", "side"), [*SIDES, ("aiyagari", "follower")])
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


@pytest.mark.parametrize(("reading", "value"), [("interest_rate", 0.0276), ("consumption_error", 0.031)])
def test_aiyagaris_bounds_are_a_quarter_point_and_three_per_cent(reading: str, value: float) -> None:
    right = {"interest_rate": 0.0282, "consumption_error": 0.029, "euler_error": 0.1}
    assert all(check.passed for check in judge("aiyagari", 1000, [right]))
    assert not all(check.passed for check in judge("aiyagari", 1000, [right, {**right, reading: value}]))


def test_a_game_with_one_equilibrium_has_no_label() -> None:
    exact = solution("aiyagari", followers=1000)
    outcome = Outcome(Case("aiyagari", 1000), {1: read("aiyagari", ExactLeader(exact), ExactFollower(exact), 1000)})
    outcome.conclude()
    assert outcome.labels == []
    assert outcome.passed


def test_households_learn_to_consume_as_aiyagaris_do(ray_local: None) -> None:
    """The first iterations of `smfg verify aiyagari`, with few households: far from done, but well on the way."""
    few = ["game.followers=100", "training.iterations=12"]
    experiment = load_experiment(SHIPPED / "verify" / "aiyagari.yaml", few)
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
    control = Outcome(Case("linear_quadratic", 100, follower_gradient="team"), {1: readings})
    control.conclude()
    assert control.passed
    game = solution("linear_quadratic", followers=100)
    found = read("linear_quadratic", ExactLeader(game), ExactFollower(game), 100)
    wrong = replace(control, readings={1: found})
    wrong.conclude()
    assert not wrong.passed


def test_cases_track_n_and_have_controls() -> None:
    found = cases(["linear_quadratic", "income_tax"])
    assert [case.followers for case in found if not case.control] == [16, 100, 1000, 100]
    assert sum(case.control for case in found) == 2
    for case in found:
        assert case.experiment().game.followers == case.followers


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
        outcome = Outcome(Case(game, 100), {1: read(game, ExactLeader(exact), ExactFollower(exact), 100)})
        outcome.conclude()
        outcomes.append(outcome)
        _keep(path, [outcome], "--seeds 1")
    _keep(path, outcomes[:1], "--seeds 2")
    kept = json.loads(path.read_text())["cases"]
    assert [(case["game"], case["command"][-1]) for case in kept] == [("static_hsv", "1"), ("income_tax", "2")]


def test_smfrl_finds_the_equilibrium(tmp_path: Path) -> None:
    """The quick version of `smfg verify`: stage_game and income_tax at N = 100, one seed."""
    written = tmp_path / "verify.json"
    code = run(Console(quiet=True), [], seeds=1, quick=True, output=written)
    outcomes = json.loads(written.read_text())["cases"]
    assert [outcome["game"] for outcome in outcomes] == ["stage_game", "income_tax"]
    failed = [check for outcome in outcomes for check in outcome["checks"] if not check["passed"]]
    assert not failed
    assert code == 0
