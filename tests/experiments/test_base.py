"""`base:` in a configuration: another file's values hold where this one has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envs import InvalidSetting
from experiments.compare.config import Comparing
from experiments.configuration.config import Experiment
from experiments.configuration.loading import load, load_experiment
from experiments.configuration.shipped import SEARCHES, SHIPPED
from experiments.grid.config import Grid
from experiments.studies.pretrain import Pretraining
from experiments.tuning.config import Tuning

ROOT = Path(__file__).resolve().parents[2]
RECORDED = json.loads((ROOT / "tests" / "data" / "shipped_configurations.json").read_text())
MODELS = {model.__name__: model for model in (Experiment, Comparing, Grid, Pretraining, Tuning)}
BASE = "game: {name: stage_game, followers: 20}\nalgorithm:\n  hidden: [16]\ntraining: {seeds: [3]}\n"


@pytest.mark.parametrize("name", RECORDED)
def test_a_shipped_file_says_what_it_said_when_it_was_written_out(name: str) -> None:
    file = SEARCHES.parent / name if name.startswith("tune_configs") else SHIPPED / name
    recorded = RECORDED[name]
    assert load(MODELS[recorded["model"]], file).model_dump(mode="json") == recorded["values"]


def test_a_method_s_file_has_at_most_ten_lines() -> None:
    for path in (SHIPPED / "methods").glob("*.yaml"):
        assert len(path.read_text().splitlines()) <= 10, path.name


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder / "mine.yaml"


def test_a_setting_of_the_file_goes_before_the_base_s(tmp_path: Path) -> None:
    path = written(tmp_path, mine="base: lower\ngame: {followers: 30}\n", lower=BASE)
    experiment = load_experiment(path, ["training.iterations=7"])
    assert experiment.game.settings() == {"name": "stage_game", "games": 4, "followers": 30}
    assert experiment.algorithm.hidden == (16,)
    assert (experiment.training.seeds, experiment.training.iterations) == ((3,), 7)


def test_a_base_may_have_a_base_and_be_a_shipped_one(tmp_path: Path) -> None:
    files = {"mine": "base: sub/middle.yaml\ngame: {followers: 9}\n"}
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "middle.yaml").write_text("base: smfrl_bc\ngame: {horizon: 20}\n")
    experiment = load_experiment(written(tmp_path, **files))
    assert experiment.game.settings()["horizon"] == 20
    assert experiment.game.followers == 9
    assert experiment.algorithm.pretrain == "real_data/maddpg"


def test_a_copy_may_name_the_shipped_file_of_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "quickstart.yaml").write_text("base: quickstart\ngame: {followers: 9}\n")
    assert load_experiment(tmp_path / "quickstart.yaml").training == load_experiment("quickstart").training


def test_a_mistake_in_the_base_is_found_there(tmp_path: Path) -> None:
    path = written(tmp_path, mine="base: lower\n", lower=BASE + "evaluation:\n  interval: -1\n")
    with pytest.raises(InvalidSetting, match=r"^\S+lower.yaml:6: evaluation.interval = -1"):
        load_experiment(path)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"mine": "base: quickstrat\n"}, "mine.yaml:1: base = 'quickstrat': no such file .*did you mean 'quickstart'"),
        ({"mine": "base: [a]\n"}, r"mine.yaml:1: base = \['a'\]: no such file"),
        ({"mine": "base: mine\n"}, "mine.yaml:1: base = 'mine': no such file"),
        ({"mine": "base: lower\n", "lower": "base: mine\n"}, "lower.yaml:1: base = 'mine': goes round in a circle"),
    ],
)
def test_a_base_that_cannot_be_is_refused(files: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match=said):
        load_experiment(written(tmp_path, **files))
