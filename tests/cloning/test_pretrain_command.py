"""`smfg pretrain`: from a configuration to folders of clones and their loss curves."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from rich.console import Console

from envs import InvalidSetting
from experiments.commands.main import app
from experiments.configuration.loading import load
from experiments.configuration.shipped import SHIPPED
from experiments.studies.pretrain import Pretraining, run
from rllib_smfg.cloning.networks import NETWORKS
from rllib_smfg.export import load_policies

SMALL = ("survey.households=2000", "fit.epochs=2", "clone.hidden=[16, 16]", "clone.hidden_ai_economist=[16, 8]")


def pretrain(output: Path, *overrides: str) -> str:
    console = Console(file=io.StringIO(), width=120)
    run(console, "pretrain_survey", [*SMALL, *overrides], output)
    text = console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def test_every_network_of_figure_7_gets_a_folder_and_a_curve(tmp_path: Path) -> None:
    said = pretrain(tmp_path / "clones")
    for name, kind in NETWORKS.items():
        clone = load_policies(tmp_path / "clones" / name)
        assert clone.leader is None
        assert clone.settings.followers_see_leader == kind.sees_leader
        assert f"{name}: {kind.loss_name}" in said
    rows = list(csv.DictReader((tmp_path / "clones" / "losses.csv").open()))
    assert [(row["network"], row["epoch"]) for row in rows] == [(name, str(k)) for name in NETWORKS for k in (1, 2)]
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        assert float(second["training"]) < float(first["training"])
    assert (tmp_path / "clones" / "losses.png").read_bytes().startswith(b"\x89PNG")
    assert load(Pretraining, tmp_path / "clones" / "config.yaml").fit.epochs == 2


def test_the_same_configuration_gives_the_same_clones(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        pretrain(tmp_path / name, "clone.networks=[maddpg]", f"fit.seed={seed}")
    a, b, c = ((tmp_path / name / "maddpg" / "follower.safetensors").read_bytes() for name in "abc")
    assert a == b != c


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        (["clone.networks=[mlpp]"], "mlp"),
        (["survey.source=nowhere.csv"], "nowhere.csv"),
        (["fit.batch=100"], "8"),
        (["fit.batch=2048"], "at most"),
        (["survey.targets=mine"], "as_published"),
        (["fit.epoch=3"], "epochs"),
    ],
)
def test_what_cannot_be_cloned_is_refused_before_anything_is_written(
    tmp_path: Path, overrides: list[str], reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason) as error:
        pretrain(tmp_path / "clones", *overrides)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_only_an_economy_has_households_that_a_survey_tells_of(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("game: {name: stage_game}\n")
    with pytest.raises(InvalidSetting, match="must be 'economy'"):
        load(Pretraining, tmp_path / "other.yaml")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "something").write_text("precious")
    with pytest.raises(InvalidSetting):
        pretrain(tmp_path)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("pretrain_*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_name_every_setting(path: Path) -> None:
    assert load(Pretraining, path)
    text = path.read_text()
    for section in Pretraining.model_fields.values():
        if section.annotation is not None and section.annotation.__name__ != "Game":
            assert all(f"  {name}:" in text for name in section.annotation.model_fields), section


def test_the_command_line_knows_it(tmp_path: Path) -> None:
    arguments = [
        "pretrain",
        "pretrain_survey",
        "--output",
        str(tmp_path / "clones"),
        "--set",
        "clone.networks=[mf_marl]",
    ]
    for override in SMALL:
        arguments += ["--set", override]
    from typer.testing import CliRunner

    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert load_policies(tmp_path / "clones" / "mf_marl").leader is None
