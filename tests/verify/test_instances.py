"""Instances that nobody tuned on: drawn from the stated ranges, judged at their own parameters, counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from verify_parts import ExactFollower, ExactLeader

from envs import make
from envs.game import InvalidSetting
from envs.solution import SOLVED_GAMES, solution
from experiments.configuration.loading import load_experiment
from experiments.verify import run_instances as running
from experiments.verify.instances import RANGES, Instance, draw, fault
from experiments.verify.learning import Case, configuration
from experiments.verify.run import CaseOutcome, usual_size
from experiments.verify.run_instances import Tried, in_words, instances_summary, refuse_with_instances, run_instances
from rllib_smfg.known_games.acceptance import Check, judge, label
from rllib_smfg.known_games.readings import read

SIZES = {game: usual_size(game) for game in SOLVED_GAMES}
SLOW = ("aiyagari", "krusell_smith")  # one of their solutions takes seconds
QUICKLY = [game for game in SOLVED_GAMES if game not in SLOW]


def of(game: str, count: int, seed: int = 3) -> list[Instance]:
    return draw([game], count, seed, SIZES)


def test_every_known_game_has_ranges_of_its_own_parameters() -> None:
    assert list(RANGES) == list(SOLVED_GAMES)
    for game, ranges in RANGES.items():
        usual = vars(make(game).parameters)
        for name, (low, high) in ranges.items():
            assert low < high
            assert low <= usual[name] <= high, f"{game}: the reference instance's {name} lies outside"


@pytest.mark.parametrize("game", QUICKLY)
def test_drawn_parameters_are_within_ranges_and_can_be_verified(game: str) -> None:
    found = of(game, 40)
    assert len({instance.parameters for instance in found}) == 40
    assert len({instance.seed for instance in found}) == 40
    for instance in found:
        assert [name for name, _ in instance.parameters] == list(RANGES[game])
        for name, value in instance.parameters:
            low, high = RANGES[game][name]
            assert low <= value <= high
        assert fault(game, SIZES[game], dict(instance.parameters)) is None


def test_what_is_drawn_depends_on_the_seed_alone() -> None:
    games = ["stage_game", "income_tax", "static_hsv"]
    found = draw(games, 7, 5, SIZES)
    assert found == draw(games, 7, 5, SIZES)
    assert [instance.game for instance in found] == [*games, *games, "stage_game"]
    assert [one for one in found if one.game == "income_tax"] == draw(["income_tax"], 2, 5, SIZES)
    assert not set(found) & set(draw(games, 7, 6, SIZES))


@pytest.mark.parametrize(
    ("game", "parameters", "why"),
    [
        ("stage_game", {"beta": 0.5}, "no equilibrium exists"),
        ("stage_game", {"T": 9.0}, "leave the range of actions"),
        ("stage_game", {"beta": 0.01}, "team differs by less than"),
        ("linear_quadratic", {"C": 0.01}, "a figure is below"),
        ("static_hsv", {"v": 200.0}, "corner"),
    ],
)
def test_what_cannot_be_verified_is_drawn_again(game: str, parameters: dict[str, float], why: str) -> None:
    found = fault(game, 100, parameters)
    assert found is not None
    assert why in found
    assert fault(game, 100, {}) is None


@pytest.mark.parametrize(
    "game",
    [pytest.param(game, marks=[pytest.mark.slow] if game in SLOW else []) for game in SOLVED_GAMES],
)
def test_exact_rules_are_accepted_at_drawn_parameters(game: str) -> None:
    many = {"aiyagari": 2, "brock_mirman": 2, "krusell_smith": 1}.get(game, 10)
    for instance in of(game, many):
        parameters, followers = dict(instance.parameters), SIZES[game]
        exact = solution(game, followers=followers, **parameters)
        readings = read(game, ExactLeader(exact), ExactFollower(exact), followers, **parameters)
        checks = judge(game, followers, [readings], **parameters)
        assert all(check.passed for check in checks), instance


@pytest.mark.parametrize("game", QUICKLY)
def test_rules_of_the_reference_instance_are_refused_at_others(game: str) -> None:
    (instance,), followers = of(game, 1), 100
    parameters, usual = dict(instance.parameters), solution(game, followers=100)
    readings = read(game, ExactLeader(usual), ExactFollower(usual), followers, **parameters)
    assert not all(check.passed for check in judge(game, followers, [readings], **parameters))


@pytest.mark.parametrize("concept", ["partial", "team", "partial_team"])
@pytest.mark.parametrize("game", ["stage_game", "linear_quadratic"])
def test_other_concepts_get_their_labels_at_drawn_parameters(game: str, concept: str) -> None:
    names = {"partial": "P/G", "team": "S/T", "partial_team": "P/T"}
    for instance in of(game, 5):
        parameters = dict(instance.parameters)
        try:
            other = solution(game, followers=100, concept=concept, **parameters)
        except InvalidSetting:
            continue  # a leader who sees no reaction may have no optimum
        readings = read(game, ExactLeader(other), ExactFollower(other), 100, **parameters)
        assert label(game, 100, readings, **parameters) == names[concept]


def test_an_instance_is_trained_by_the_defaults_at_its_own_parameters() -> None:
    (instance,) = of("brock_mirman", 1)
    experiment = instance.case(10_000).experiment()
    assert experiment.game.own_settings() == dict(instance.parameters)
    usual = load_experiment(configuration("brock_mirman", "structural"))
    assert experiment.algorithm == usual.algorithm
    assert experiment.training == usual.training
    assert experiment.game.followers == usual.game.followers


def tried(errors: Mapping[str, float], game: str = "income_tax") -> Tried:
    """An instance with these errors as shares of their bounds."""
    checks = [Check(name, 0.0, error, "<= 1", error <= 1, error) for name, error in errors.items()]
    checks.append(Check("seeds nearest to S/G", 1, 1, "all", True))
    instance = Instance(game, (("epsilon", 0.4),), 12)
    return Tried(instance, CaseOutcome(instance.case(100), {12: {"t": 0.4}}, checks, ["S/G"]), 1.0)


def test_errors_count_once_by_their_narrowest_bound() -> None:
    assert tried({"t (IQM)": 0.5, "t (worst seed)": 0.25, "W (worst seed)": 0.1}).errors == {"t": 0.5, "W": 0.1}


def test_the_summary_counts_and_takes_medians() -> None:
    found = instances_summary(
        [tried({"t": 0.1, "W": 0.2}), tried({"t": 0.3, "W": 1.5}), tried({"t": 0.4, "W": 0.05})], 7
    )
    assert (found["instances"], found["passed"], found["instance_seed"]) == (3, 2, 7)
    assert found["median_error_of_bound"] == pytest.approx(0.25)
    assert found["median_worst_error_of_bound"] == pytest.approx(0.4)
    case = found["cases"][0]
    assert case["parameters"] == {"epsilon": 0.4}
    assert (case["game"], case["method"], case["followers"], case["seed"]) == ("income_tax", "structural", 100, 12)
    assert case["passed"] is True
    assert [check["what"] for check in case["checks"]] == ["t", "W", "seeds nearest to S/G"]
    assert in_words(found).startswith("2 of 3 instances pass; median error 0.25 of its bound")


@pytest.mark.parametrize("option", ["--method", "--seeds", "--followers", "--quick"])
def test_options_that_say_nothing_about_instances_are_refused(option: str) -> None:
    with pytest.raises(InvalidSetting, match=f"^{option}: .*leave it out"):
        refuse_with_instances({option: 1, "--other": None})


@pytest.mark.parametrize("content", ["{", "[]", '{"cases": []}'])
def test_results_of_something_else_are_not_written_over(tmp_path: Path, content: str) -> None:
    path = tmp_path / "verify.json"
    path.write_text(content)
    with pytest.raises(InvalidSetting, match="name another file"):
        run_instances(Console(quiet=True), ["income_tax"], count=1, instance_seed=0, output=path)
    assert path.read_text() == content


def in_turn(work: Callable[..., Any], calls: Mapping[int, tuple[Any, ...]], **options: Any) -> Iterator[tuple]:
    """`ray_session.side_by_side` in this process, the last call first."""
    for key, arguments in reversed(calls.items()):
        yield key, work(*arguments)


def test_a_tiny_run_writes_every_instance(tmp_path: Path, ray_local: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two instances, hardly trained: they miss, and that is said."""
    whole, few = Case.experiment, {"updates_per_iteration": 2, "economies": 4, "hidden": (4,)}

    def short(case: Case) -> Any:
        experiment = whole(case)
        algorithm = experiment.algorithm.model_copy(update=few)
        training = experiment.training.model_copy(update={"iterations": 1})
        return experiment.model_copy(update={"algorithm": algorithm, "training": training})

    monkeypatch.setattr(Case, "experiment", short)
    monkeypatch.setattr(running, "side_by_side", in_turn)
    path = tmp_path / "new" / "instances.json"
    games = ["income_tax", "static_hsv"]
    code = run_instances(Console(quiet=True), [*games, games[0]], count=2, instance_seed=4, output=path)
    found = json.loads(path.read_text())
    assert code == 1
    assert found["passed"] == 0
    assert found["median_error_of_bound"] > 0
    assert found["command"] == "smfg verify income_tax static_hsv --instances 2 --instance-seed 4"
    drawn = draw(games, 2, 4, SIZES)
    assert [case["game"] for case in found["cases"]] == games
    assert [case["parameters"] for case in found["cases"]] == [dict(instance.parameters) for instance in drawn]
    assert [case["seed"] for case in found["cases"]] == [instance.seed for instance in drawn]
    assert all(list(case["readings"]) == [str(case["seed"])] for case in found["cases"])

    def stopped(work: Callable[..., Any], calls: Mapping[int, tuple[Any, ...]], **options: Any) -> Iterator[tuple]:
        asked.append(list(calls))
        yield next(in_turn(work, calls))
        raise KeyboardInterrupt

    asked: list[Any] = []
    monkeypatch.setattr(running, "side_by_side", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_instances(Console(quiet=True), games, count=4, instance_seed=4, output=path)
    longer = json.loads(path.read_text())
    assert len(asked[0]) == 2
    assert longer["instances"] == 3
    assert longer["cases"][:2] == found["cases"]
    monkeypatch.setattr(running, "side_by_side", in_turn)
    run_instances(Console(quiet=True), games, count=4, instance_seed=4, output=path)
    assert json.loads(path.read_text())["cases"][:2] == found["cases"]
    assert json.loads(path.read_text())["instances"] == 4
    monkeypatch.setattr(running, "ray_session", lambda **_: pytest.fail("a Ray, though all instances are kept"))
    run_instances(Console(quiet=True), games, count=4, instance_seed=4, output=path)
