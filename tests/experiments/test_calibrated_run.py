"""What train, evaluate and report say of a run in the calibrated economy: consumption equivalents come first."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from experiments.commands.main import app
from experiments.results.comparison import TITLES

RUN = """
game: {name: economy, preset: calibrated, task: social_welfare, followers: 100, games: 2, horizon: 40}
algorithm: {method: rule_based, leader: {name: constant, action: [.281, .181, .03, 0, .19]}, follower: planning}
training: {iterations: 1, seeds: [1]}
evaluation: {interval: 0, episodes: 2, final_episodes: 6}
comparison: {baselines: [random]}
"""
US, OWN = "us_system over planning households", "constant, planning households"


def smfg(*arguments: object) -> tuple[int, str, str]:
    """Exit code, what was printed, and what was said of mistakes."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = app([str(argument) for argument in arguments], standalone_mode=False)
    return code, " ".join(out.getvalue().split()), err.getvalue()


@pytest.fixture(scope="module")
def run(ray_local: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    folder = tmp_path_factory.mktemp("calibrated")
    (folder / "rules.yaml").write_text(RUN)
    code, printed, err = smfg("train", folder / "rules.yaml", "--output", folder / "run")
    assert code == 0, err
    return folder / "run", printed


def test_a_run_is_compared_with_the_us_system_first(run: tuple[Path, str]) -> None:
    folder, printed = run
    rows = json.loads((folder / "comparison.json").read_text())["policies"]
    assert list(rows) == [US, OWN, TITLES["random"]]
    for row in rows.values():
        assert row["reference"] == US
        assert len(row["by_wealth"]) == 10
        assert {"mean", "ci_low", "ci_high"} <= set(row["consumption_equivalent"])
    gain = rows[OWN]["consumption_equivalent"]
    assert gain["ci_low"] < gain["mean"] < 0
    assert rows[OWN]["by_wealth"][9] == min(rows[OWN]["by_wealth"])
    assert (rows[OWN]["ended_early"], rows[TITLES["random"]]["ended_early"]) == (0.0, 1.0)
    assert rows[TITLES["random"]]["ends"].startswith("ends in year")
    assert printed.index("consumption equivalent against us_system") < printed.rindex("per-capita")
    assert "ends in year" in printed
    assert f"Ends early: {TITLES['random']}" in printed


def test_evaluate_says_the_same(run: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = run
    code, printed, err = smfg("evaluate", folder / "seed_1", "--by-wealth", "--json", tmp_path / "x.json")
    assert code == 0, err
    found = json.loads((tmp_path / "x.json").read_text())
    row = json.loads((folder / "comparison.json").read_text())["policies"][OWN]
    for name in ("consumption_equivalent", "by_wealth", "ended_early", "reference"):
        assert found[name] == row[name]
    assert printed.index("consumption equivalent against us_system") < printed.index("per-capita")
    assert "by tenth of households" in printed
    assert "social welfare, sum" in printed


def test_evaluate_takes_another_reference(run: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = run
    code, printed, _ = smfg("evaluate", folder / "seed_1", "--reference", "free_market", "--json", tmp_path / "x.json")
    assert code == 0
    found = json.loads((tmp_path / "x.json").read_text())
    assert found["reference"] == "free_market over planning households"
    assert found["consumption_equivalent"]["mean"] > 50
    assert "by tenth of households" not in printed
    code, _, err = smfg("evaluate", folder / "seed_1", "--reference", "fre_market")
    assert (code, err.count("\n")) == (2, 1)
    assert "did you mean 'free_market'" in err


def test_the_report_shows_them_by_tenth(run: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = run
    code, _, err = smfg("report", folder, "--output", tmp_path / "page.md")
    assert code == 0, err
    lines = (tmp_path / "page.md").read_text().splitlines()
    tables = [line for line in lines if line.startswith(("| Policy", f"| {US}", f"| {OWN}", f"| {TITLES['random']}"))]
    assert tables[0].startswith("| Policy | Consumption equivalent, % | Ends early | Interest rate, % | K / Y | B / Y")
    assert tables[1].startswith(f"| {US} | 0 ")
    assert tables[3].startswith(f"| {TITLES['random']}: ends in year")
    assert tables[4] == f"| Policy | {' | '.join(str(k) for k in range(1, 11))} |"
    assert any(line.startswith(f"| {TITLES['random']} (ends in year") for line in lines)


REFUSED = {
    ("algorithm.leader=us_federal",): "taxes: [0.256, 0.0945, 0, 0]",
    ("algorithm.leader=saez",): "taxes: [0.47, 0.0005, 0, 0]",
    ("game.crra=3",): "solved for crra = 1",
    ("algorithm.leader={name: constant, action: [.3, .2, .5, 0, .19]}",): "tau_a = 0.5: must be between",
    ("algorithm.follower={name: constant, action: [.3, 1.5]}",): "share of time worked = 1.5: must be between",
}


@pytest.mark.parametrize(("overrides", "remedy"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_would_be_silently_wrong_is_refused_before_anything_is_written(
    overrides: tuple[str, ...], remedy: str, tmp_path: Path
) -> None:
    (tmp_path / "rules.yaml").write_text(RUN)
    options = [word for each in overrides for word in ("--set", each)]
    code, _, err = smfg("train", tmp_path / "rules.yaml", "--output", tmp_path / "run", *options)
    assert (code, err.count("\n")) == (2, 1)
    assert remedy in err
    assert not (tmp_path / "run").exists()
