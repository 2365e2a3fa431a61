"""Whole numbers are whole numbers, numbers are numbers, true is not 1: in YAML, in --set and in Python alike."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from envs import InvalidSetting, make
from envs.written import mistyped
from experiments.compare.config import Comparing
from experiments.configuration.config import Experiment
from experiments.configuration.loading import load, load_experiment
from experiments.tuning.config import Tuning
from policies import registry

# section.key -> whether it is a whole number
WHOLE = ("game.followers", "game.games", "game.horizon", "training.iterations", "training.seeds", "evaluation.episodes")
WHOLE += ("algorithm.updates_per_iteration", "algorithm.hidden", "comparison.search_seed")
REAL = ("algorithm.actor_lr", "algorithm.target_step", "game.crra", "game.saving_rate_min", "algorithm.leader_start")
LISTS = ("training.seeds", "algorithm.hidden", "algorithm.leader_start")
BINARY = ("algorithm.followers_see_leader", "algorithm.leader_outlook")


def written(name: str, value: str) -> str:
    return f"[{value}]" if name in LISTS else value


@pytest.mark.parametrize(
    "value", ["yes", "no", "on", "off", "true", "False", "010", "-010", "1:30", '"10"', "'10'", "ten"]
)
@pytest.mark.parametrize("name", WHOLE)
def test_whole_numbers_on_the_command_line(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=r"must be (a )?whole number") as mistake:
        load_experiment("quickstart", [f"{name}={written(name, value)}"])
    assert str(mistake.value).startswith(f"--set {name}=")
    assert "\n" not in str(mistake.value)


@pytest.mark.parametrize("value", ["yes", "off", '"0.5"', "010", "1:30.5", "half"])
@pytest.mark.parametrize("name", REAL)
def test_numbers_on_the_command_line(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=r"must be (a )?number") as mistake:
        load_experiment("quickstart", [f"{name}={written(name, value)}"])
    assert "\n" not in str(mistake.value)


@pytest.mark.parametrize("value", ["1", "0", '"yes"', '"true"', "1.0", "never"])
@pytest.mark.parametrize("name", BINARY)
def test_true_and_false_on_the_command_line(name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match="must be true or false"):
        load_experiment("quickstart", [f"{name}={value}"])


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("followers: yes", "game.followers = True: must be a whole number, not true or false"),
        ("followers: 010", "game.followers = '010': must be a whole number, without quotes or leading zeros"),
        ('followers: "10"', "game.followers = '10': must be a whole number, without quotes"),
        ('horizon: "5"', "horizon = '5': must be a whole number, without quotes"),
        ("horizon: on", "horizon = True: must be a whole number, not true or false"),
        ("horizon: 5.5", "horizon = 5.5: must be a whole number"),
        ("population: no", "population = False: must be text"),
        ("1: 2", "'1' is not the name of a setting"),
    ],
)
def test_in_a_file_with_its_line(line: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text(f"game:\n  name: economy\n  {line}\n")
    with pytest.raises(InvalidSetting) as mistake:
        load_experiment(tmp_path / "odd.yaml")
    assert str(mistake.value).startswith(f"{tmp_path / 'odd.yaml'}:3: {fault}")


def test_seeds_of_yes_and_no(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("game: {name: economy}\ntraining:\n  seeds: [yes, no]\n")
    with pytest.raises(InvalidSetting, match=r"odd.yaml:3: training.seeds = \[True, False\]: must be whole numbers"):
        load_experiment(tmp_path / "odd.yaml")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("game.followers", "16", 16),
        ("game.followers", "1e1", 10),
        ("game.followers", "10.0", 10),
        ("game.followers", "0x10", 16),
        ("game.followers", "1_000", 1000),
        ("training.seeds", "[0, 7]", (0, 7)),
        ("algorithm.actor_lr", "1e-3", 1e-3),
        ("algorithm.actor_lr", ".5e-3", 5e-4),
        ("algorithm.actor_lr", "1.e-3", 1e-3),
        ("algorithm.actor_lr", "1", 1.0),
        ("algorithm.actor_lr", "[[0, 1e-3], [100, 1e-4]]", [(0, 1e-3), (100, 1e-4)]),
        ("algorithm.followers_see_leader", "off", False),
        ("algorithm.households_per_transition", "null", None),
    ],
)
def test_what_is_right_is_read(name: str, value: str, read: Any) -> None:
    experiment = load_experiment("quickstart", [f"{name}={value}"])
    section, key = name.split(".")
    assert getattr(getattr(experiment, section), key) == read


def test_python_is_asked_alike() -> None:
    values = load_experiment("quickstart").model_dump(mode="json")
    for section, key, value in (("game", "followers", True), ("training", "iterations", "3"), ("game", "horizon", "5")):
        wrong = {**values, section: {**values[section], key: value}}
        with pytest.raises(ValueError, match="must be a whole number"):
            Experiment.model_validate(wrong)
    with pytest.raises(InvalidSetting, match=r"sigma = '0.1': must be a number, without quotes"):
        make("stage_game", sigma="0.1")
    with pytest.raises(InvalidSetting, match="followers = True: must be a whole number"):
        make("stage_game", followers=True)
    with pytest.raises(InvalidSetting, match="credit = 'much': must be a number"):
        registry.leader("us_federal", make("economy", followers=3), credit="much")


def test_other_configurations_are_asked_alike(tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("search: {base: quickstart, trials: yes}\nspace: {algorithm: {actor_lr: {uniform: [0.1, 0.2]}}}\n")
    with pytest.raises(InvalidSetting, match=r"search.trials = True: must be a whole number"):
        load(Tuning, path)
    row = "{name: a, leader: free_market, follower: random}"
    path.write_text(f"game: {{name: economy}}\nrows: [{row}]\nevaluation: {{seeds: [010]}}\n")
    with pytest.raises(InvalidSetting, match=r"evaluation.seeds = \['010'\]: must be whole numbers"):
        load(Comparing, path)


@pytest.mark.parametrize(
    ("value", "hint", "fault"),
    [
        (3, int, None),
        (None, int | None, None),
        (None, int, "must be a whole number"),
        ((1, 2), tuple[int, ...], None),
        (
            [1, True],
            tuple[int, ...],
            "must be whole numbers, not true or false (as which yes, no, on and off are read)",
        ),
        ({"a": 1}, int, "must be a whole number"),
        ({"a": 1}, dict[str, int], None),  # judged by others
        ("x", float | list[tuple[float, float]], "must be a number"),
        (float("nan"), float, None),  # a number's bounds are judged by others
        (float("inf"), int, "must be a whole number"),
    ],
)
def test_the_question_itself(value: Any, hint: Any, fault: str | None) -> None:
    assert mistyped(value, hint) == fault or (fault and str(mistyped(value, hint)).startswith(fault))
