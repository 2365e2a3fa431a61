"""The two methods of `smfg verify`: one default for all games, or settings of each; their results are kept apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from verify_parts import ExactFollower, ExactLeader

from envs.game import InvalidSetting
from envs.solution import SOLVED_GAMES, solution
from experiments.verify.kept import kept_cases
from experiments.verify.learning import Case, VerifiedMethod, configuration
from experiments.verify.run import CaseOutcome, _keep, chosen_cases, learned_by, run, usual_size
from rllib_smfg.known_games.readings import read
from rllib_smfg.rllib.structural.config import StructuralSMFRLConfig

# A quarter is discounted by .99 and takes longer to see through; a gini that nothing pulls back asks for exact saving.
LONGER = ("krusell_smith", "brock_mirman")


def exact_outcome(game: str, method: VerifiedMethod) -> CaseOutcome:
    """A case that the exact rules play."""
    exact = solution(game, followers=100)
    readings = read(game, ExactLeader(exact), ExactFollower(exact), 100)
    outcome = CaseOutcome(Case(game, 100, method=method), {1: readings})
    outcome.conclude()
    return outcome


@pytest.mark.parametrize("game", SOLVED_GAMES)
def test_a_structural_file_holds_n_and_years_only(game: str) -> None:
    values = yaml.safe_load(configuration(game, "structural").read_text(encoding="utf-8"))
    assert set(values) == {"game", "algorithm", "training"}
    assert set(values["game"]) == {"name", "followers"}
    assert values["game"]["name"] == game
    assert values["algorithm"] == {"method": "structural"}
    assert set(values["training"]) == {"iterations"}


@pytest.mark.parametrize("game", [game for game in SOLVED_GAMES if game not in LONGER])
def test_a_structural_run_is_as_long_as_the_default(game: str) -> None:
    usual = StructuralSMFRLConfig()
    case = Case(game, usual_size(game))
    assert case.experiment().training.iterations * usual.updates_per_iteration == usual.updates


def test_a_game_without_settings_for_a_method_is_left_out_or_refused() -> None:
    assert "krusell_smith" not in {case.game for case in chosen_cases([], "smfrl", quick=False, followers=None)}
    assert "krusell_smith" in {case.game for case in chosen_cases([], "structural", quick=False, followers=None)}
    with pytest.raises(InvalidSetting, match="krusell_smith: has no settings for method 'smfrl'"):
        chosen_cases(["krusell_smith"], "smfrl", quick=False, followers=None)


@pytest.mark.parametrize("game", learned_by("smfrl"))
def test_both_methods_learn_the_same_game(game: str) -> None:
    one, other = (Case(game, 100, method=method).experiment().game for method in ("structural", "smfrl"))
    ours, theirs = solution(game, followers=100), solution(game, followers=100, **_own(other, game))
    assert ours.values == theirs.values
    assert one.own_settings() == {}


def _own(game, name: str) -> dict[str, float]:
    """Parameters of the economy that a file names, without what is about play."""
    return {key: value for key, value in game.own_settings().items() if key != "horizon"}


def test_both_are_the_cases_of_the_one_and_the_other() -> None:
    found = chosen_cases(["stage_game"], "both", quick=False, followers=100)
    one, other = (chosen_cases(["stage_game"], m, quick=False, followers=100) for m in ("structural", "smfrl"))
    assert found == [*one, *other]
    assert {case.method for case in one} == {"structural"}
    assert len(one) == 3


def test_quick_games_are_not_chosen() -> None:
    with pytest.raises(InvalidSetting, match="--quick verifies stage_game and income_tax; name games, or leave it out"):
        chosen_cases(["aiyagari"], "structural", quick=True, followers=None)


def test_the_same_case_by_another_method_is_another_case(tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    _keep(path, [exact_outcome("income_tax", "structural")], "--seeds 1")
    _keep(path, [exact_outcome("income_tax", "smfrl")], "--seeds 1")
    _keep(path, [exact_outcome("income_tax", "smfrl")], "--seeds 2")
    kept = json.loads(path.read_text())["cases"]
    assert [case["command"] for case in kept] == [
        "smfg verify income_tax --method structural --seeds 1",
        "smfg verify income_tax --method smfrl --seeds 2",
    ]


def test_results_of_before_count_as_smfrl(tmp_path: Path) -> None:
    path = tmp_path / "verify.json"
    old = {**exact_outcome("income_tax", "smfrl").as_json(), "command": "smfg verify income_tax --seeds 5"}
    del old["method"]
    path.write_text(json.dumps({"cases": [old]}))
    (known,) = kept_cases(path)
    assert (known["method"], known["command"]) == ("smfrl", "smfg verify income_tax --method smfrl --seeds 5")
    _keep(path, [exact_outcome("income_tax", "structural")], "--seeds 1")
    _keep(path, [exact_outcome("income_tax", "smfrl")], "--seeds 1")
    assert [case["method"] for case in kept_cases(path)] == ["structural", "smfrl"]


@pytest.mark.parametrize(
    "content", ["{", "[]", "{}", '{"cases": [{"game": "x"}]}', '{"cases": [], "instance_seed": 3}']
)
def test_a_file_of_something_else_is_refused_before_training(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(InvalidSetting, match="name another file"):
        run(Console(quiet=True), ["income_tax"], seeds=1, quick=False, output=path)
    assert path.read_text() == content
