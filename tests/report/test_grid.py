"""Grids: what is planned, what is collected, and the page that is drawn of it."""

from __future__ import annotations

import html as html_text
import io
import json
import re
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import made_up
import numpy as np
import pytest
from browser import look
from matplotlib.figure import Figure
from rich.console import Console

from envs import InvalidSetting
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, load
from experiments.configuration.shipped import SHIPPED
from experiments.grid.config import EXPLOITABILITY, Grid, GridSetting, restricted, trials
from experiments.grid.exploitability import shares
from experiments.grid.results import ResultRow, Results, read_results, write_results
from experiments.grid.reuse import reuse
from experiments.grid.run import run
from experiments.report import grid_figures
from experiments.report.grid_page import grid_page, published
from experiments.report.make import run as report
from experiments.report.markdown import markdown
from experiments.report.page import render
from experiments.report.writing import shown
from experiments.tuning.trials import Trial
from rllib_smfg.statistics.seeds import iqm

GRIDS = sorted((SHIPPED / "grids").glob("*.yaml"))
RESULTS = Path(__file__).parents[2] / "docs/results"
TINY = """
title: Tiny
shows: [assumption, figure6]
groups:
  "N=20":
    set: [game.followers=20, game.games=4, game.horizon=6]
    methods: {Rule-based: rule_based, SMFRL: {equal: smfrl}}
frontier: null
mixture: {group: "N=20", method: SMFRL, shares: [0, 0.5, 1]}
scales:
  quick:
    groups: ["N=20"]
    seeds: [1, 2]
    episodes: 4
    exploitability: [1]
    set: [training.iterations=2, algorithm.years_per_iteration=24, algorithm.warm_up_years=24,
          algorithm.updates_per_iteration=2, evaluation.interval=1, evaluation.episodes=2]
  full: {groups: ["N=20"], seeds: [1, 2]}
"""
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def saved(name: str, shows: list[str], rows: list) -> Path:
        write_results(tmp_path / name, "smfg grid table3", shows, rows)
        return tmp_path / name

    return saved


def page(path: Path) -> str:
    return html_text.unescape(render(grid_page(read_results(path), "made now")))


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
def test_every_shipped_grid_can_be_planned(path: Path) -> None:
    grid = load(Grid, path)
    if grid.of is not None:
        assert (path.parent / f"{grid.of}.yaml").is_file()
        return
    for scale in grid.scales:
        for setting, each in trials(grid, scale).items():
            assert len(each) == len(grid.scales[scale].seeds) >= 5
            assert GridSetting.parse(str(setting)) == setting
            Experiment.model_validate(each[0].experiment)


def test_published_bounds_are_those_of_the_authors_program() -> None:
    """Only the paper's own method saves at least half in the published runs; on equal bounds nobody has to."""
    for name in ("table1", "table3"):
        for setting, each in trials(load(Grid, SHIPPED / "grids" / f"{name}.yaml"), "full").items():
            game = each[0].experiment["game"]
            assert game.get("saving_rate_min") == (0.5 if setting.bounds == "published" else None), setting
            assert game["weighting"] == "unweighted"


@pytest.mark.parametrize("name", ["table1", "table3"])
def test_every_row_has_its_published_value(name: str) -> None:
    rows = {
        (setting.group, setting.method) for setting in trials(load(Grid, SHIPPED / "grids" / f"{name}.yaml"), "full")
    }
    absent = {(group, method) for group, method in rows if not published(name, group, method)}
    assert absent == (set() if name == "table1" else {("N=1000", "AI Economist"), ("N=1000", "AI Economist-BC")})


def test_the_file_gives_back_what_was_written(save: Save) -> None:
    rows = made_up.table3()
    found = read_results(save("results.csv", ["table3"], rows))
    assert found.command == "smfg grid table3"
    assert [(r.run, r.seed, r.setting, r.indicator, r.years) for r in found.rows] == [
        (r.run, r.seed, r.setting, r.indicator, r.years) for r in rows
    ]
    assert np.allclose([r.value for r in found.rows], [r.value for r in rows], rtol=1e-7)


def test_a_damaged_file_is_refused_with_its_line(save: Save) -> None:
    path = save("results.csv", ["table3"], made_up.table3())
    path.write_text(path.read_text() + "run,one,setting\n")
    lines = path.read_text().count("\n")
    with pytest.raises(InvalidSetting, match=rf"results.csv:{lines}: not a row"):
        read_results(path)
    path.write_text("a,b\n")
    with pytest.raises(InvalidSetting, match="holds no results of smfg grid"):
        read_results(path)


def test_a_table_shows_the_paper_beside_both_of_ours(save: Save) -> None:
    path = save("results.csv", ["table3"], made_up.table3())
    text, results = page(path), read_results(path)
    values = {float(value) for value in re.findall(r'data-value="([^"]+)"', text)}
    assert 1.01e13 in values
    for bounds in ("published", "equal"):
        seeds = list(results.per_seed(f"N=100 / SMFG / {bounds}", "per_capita_gdp").values())
        assert len(seeds) == 5
        assert iqm(seeds).value in values
    for source in ("paper", "ours, as published", "ours, equal bounds", "best found"):
        assert f">{source}<" in text
    assert "5 seeds" in text
    assert "1.06e13" in text or "10.6 trillion" in text


@pytest.mark.parametrize(
    ("shows", "rows", "panels"),
    [
        (["figure3"], made_up.table3(), 5),
        (["figure4"], made_up.table3(), 2),
        (["figure5"], made_up.figure5(), 4),
        (["figure7"], made_up.figure7(), 2),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and isinstance(value[0], str) else "",
)
def test_every_figure_is_drawn_and_says_its_seeds(save: Save, shows: list[str], rows: list, panels: int) -> None:
    text = page(save("results.csv", shows, rows))
    notes = re.findall(r"<figcaption>.*?</figcaption>", text, re.DOTALL)
    assert len(notes) == panels
    assert all("5 seeds" in note for note in notes)
    assert text.count("<svg ") == panels


def test_few_seeds_are_admitted(save: Save) -> None:
    rows = [row for row in made_up.table3() if row.seed <= 2]
    assert "Some rows rest on 2 seeds" in page(save("results.csv", ["table3"], rows))


def test_as_markdown_the_tables_hold_the_same_numbers(save: Save) -> None:
    """For docs/results.md: whoever has the results file makes the same text."""
    path = save("results.csv", ["table3"], made_up.table3())
    text = markdown(grid_page(read_results(path), "made now"))
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    smfg = next(row for row in rows if row[:2] == ["SMFG", "paper"])
    assert smfg[2:] == ["$10.1tn", "96.9", "0.51", "0.53", "300"]
    ours = iqm(list(read_results(path).per_seed("N=100 / SMFG / equal", "income_gini").values()))
    found = next(row for row in rows if row[:2] == ["SMFG", "ours, equal bounds (5 seeds)"])
    assert found[4] == f"{ours.value:.3g} ({ours.low:.3g} to {ours.high:.3g})"


def test_in_a_browser(save: Save, tmp_path: Path) -> None:
    path = save("results.csv", ["table3", "figure3", "figure4"], made_up.table3())
    path.with_suffix(".html").write_text(render(grid_page(read_results(path), "made now")), encoding="utf-8")
    seen = look(path.with_suffix(".html"), tmp_path, width=390)
    assert seen.console == []
    assert seen.measured["width"] <= seen.measured["wanted"] == 390
    assert seen.measured["drawings"] == 7
    assert seen.measured["empty"] == 0


def test_exploitability_stands_beside_the_rows_that_learn(save: Save) -> None:
    """Two more columns, where it was measured, empty for rows without it and for the paper."""
    gains = dict(zip(EXPLOITABILITY, (0.018, 0.95), strict=True))
    rows = [ResultRow("a/seed_1", 1, "N=100 / SMFG / equal", name, None, value) for name, value in gains.items()]
    assert "E_f" not in page(save("without.csv", ["table3"], made_up.table3()))
    text = markdown(grid_page(read_results(save("with.csv", ["table3"], [*made_up.table3(), *rows])), "made now"))
    table = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("|")]
    assert table[0][-2:] == ["E_f", "E_l"]
    last = {row[1]: row[-2:] for row in table if row[0] == "SMFG"}
    assert last["ours, equal bounds (5 seeds)"] == ["1.8 % (1 seed)", "95 % (1 seed)"]
    assert last["ours, as published (5 seeds)"] == last["paper"] == ["", ""]


def test_all_columns_are_in_sight_on_a_desktop(save: Save, tmp_path: Path) -> None:
    gains = dict(zip(EXPLOITABILITY, (0.018, 0.95), strict=True))
    rows = [
        ResultRow(f"a/seed_{seed}", seed, "N=100 / SMFG / equal", name, None, value * seed)
        for name, value in gains.items()
        for seed in (1, 2, 3)
    ]
    path = save("wide.csv", ["table3"], [*made_up.table3(), *rows])
    shown_page = render(grid_page(read_results(path), "made now"))
    assert (
        "td.number small { display: block; color: var(--muted); font-size: .8em; white-space: normal; }" in shown_page
    )
    path.with_suffix(".html").write_text(shown_page, encoding="utf-8")
    assert look(path.with_suffix(".html"), tmp_path, width=1280).measured["cut"] == 0


def test_what_rounding_leaves_of_an_exploitability_is_nothing() -> None:
    assert shown("government_exploitability", -1e-14) == "0 %"
    assert shown("household_exploitability", 5e-5) == "0.005 %"


def test_shares_are_those_of_the_finite_game_and_of_the_government() -> None:
    measured = json.loads((RESULTS / "exploitability_game.json").read_text())
    found = shares(measured)
    gains = {each["name"]: each["gain"]["value"] / each["own_return"]["value"] for each in measured["exploitability"]}
    assert found["household_exploitability"] == pytest.approx(gains["household, N = 100"])
    assert found["government_exploitability"] == pytest.approx(gains["government"])


def test_exploitability_of_a_seed_that_is_not_trained_is_refused(tmp_path: Path) -> None:
    (tmp_path / "grid.yaml").write_text(TINY.replace("exploitability: [1]", "exploitability: [1, 7]"))
    with pytest.raises(InvalidSetting, match="exploitability of seed 7: must be one of the scale's seeds"):
        load(Grid, tmp_path / "grid.yaml")


def test_some_groups_of_a_scale_can_be_run_alone() -> None:
    grid = load(Grid, SHIPPED / "grids/table1.yaml")
    kept = restricted(grid, "full", ["N=100-BC"])
    assert {setting.group for setting in trials(kept, "full")} == {"N=100-BC"}
    assert trials(kept, "quick") == trials(grid, "quick")
    assert restricted(grid, "full", []) == grid
    with pytest.raises(InvalidSetting, match=r"--group 'N=1000-BC'.*N=100-BC"):
        restricted(grid, "quick", ["N=1000-BC"])  # a group of the other scale
    with pytest.raises(InvalidSetting, match="no groups"):
        restricted(load(Grid, SHIPPED / "grids/figure7.yaml"), "quick", ["N=100"])


def test_a_grid_that_is_there_already_says_how_to_go_on(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY)
    (tmp_path / "run").mkdir()
    (tmp_path / "run/results.csv").write_text("")
    how = {"scale": "quick", "only": [], "output": tmp_path / "run", "resume": False, "command": "smfg grid tiny.yaml"}
    with pytest.raises(InvalidSetting, match=r"not empty; .* go on with smfg grid tiny.yaml --resume$"):
        run(Console(quiet=True), str(tmp_path / "tiny.yaml"), report=report, **how)
    assert [each.name for each in (tmp_path / "run").iterdir()] == ["results.csv"]


def test_years_stand_on_an_even_axis_where_amounts_do_not(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is seen after 40 years does not squeeze what learns for 100,000."""
    rows = [
        ResultRow("r", seed, f"N=100 / {method} / both", "per_capita_gdp", years, value)
        for seed in (1, 2)
        for method, years, value in (("Free market", 40, 1e5), ("SMFG", 40_000, 1e9), ("SMFG", 100_000, 1e13))
    ]
    monkeypatch.setattr(grid_figures, "panel", lambda title, note, draw, **_: draw)
    draw, *_ = grid_figures.training_panels(read_results(save("results.csv", ["figure3"], rows)))
    axis = Figure().subplots()
    draw(axis)
    assert (axis.get_xscale(), axis.get_yscale()) == ("linear", "log")


def test_settings_of_one_experiment_are_trained_once() -> None:
    grid = load(Grid, SHIPPED / "grids/table1.yaml")
    names = {str(setting): each[0].name for setting, each in trials(grid, "full").items()}
    assert names["N=100-BC / SMFRL / published"] == names["N=100 without BC / SMFRL / published"]
    other_settings = [name for setting, name in names.items() if setting != "N=100-BC / SMFRL / published"]
    assert len(set(other_settings)) == len(other_settings)


def test_finished_trainings_of_the_same_experiment_and_seed_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three seeds one is finished there, one is not, one is here already; of other lengths none match."""
    experiment = Experiment.model_validate({"game": {"name": "stage_game", "followers": 4}}).model_dump(mode="json")
    longer = {**experiment, "training": {**experiment["training"], "iterations": 7}}
    there, here = tmp_path / "there", tmp_path / "here"
    for name, each in (("other", longer), ("same", {**experiment, "comparison": {"baselines": ["random"]}})):
        for seed in (1, 2, 3):
            (there / f"trials/{name}/seed_{seed}").mkdir(parents=True)
            (there / f"trials/{name}/seed_{seed}/progress.csv").write_text(f"{name} {seed}")
        (there / f"trials/{name}/config.yaml").write_text(dump(Experiment.model_validate(each)))
    (here / "mine/seed_3").mkdir(parents=True)
    monkeypatch.setattr("experiments.grid.reuse.is_finished", lambda experiment, folder: folder.name != "seed_2")
    screen = io.StringIO()
    reuse(Console(file=screen), [Trial("mine", experiment, seed) for seed in (1, 2, 3)], [there], here)
    assert {path.relative_to(here).as_posix(): path.read_text() for path in here.rglob("*.csv")} == {
        "mine/seed_1/progress.csv": "same 1"
    }
    assert "1 trials taken from" in screen.getvalue()


def test_trainings_can_only_be_taken_from_grids_and_by_grids_that_train(tmp_path: Path) -> None:
    how = {"scale": "quick", "only": [], "output": tmp_path / "run", "resume": False, "command": "smfg grid"}
    with pytest.raises(InvalidSetting, match=r"--reuse .*absent: holds no trainings; name the folder of a grid"):
        run(Console(quiet=True), "table3", sources=[tmp_path / "absent"], report=report, **how)
    with pytest.raises(InvalidSetting, match="--reuse: figure7 trains nothing that another grid could have trained"):
        run(Console(quiet=True), "figure7", sources=[tmp_path / "absent"], report=report, **how)
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_a_tiny_grid_from_end_to_end(ray_local: None, tmp_path: Path) -> None:
    from experiments.commands.main import app

    (tmp_path / "tiny.yaml").write_text(TINY)
    out, err = io.StringIO(), io.StringIO()
    arguments = ["grid", str(tmp_path / "tiny.yaml"), "--output", str(tmp_path / "run")]
    with redirect_stdout(out), redirect_stderr(err):
        assert app(arguments, standalone_mode=False) == 0, err.getvalue()
        before = (tmp_path / "run" / "results.csv").read_text()
        kept = [(path, path.stat().st_mtime_ns) for path in (tmp_path / "run").rglob("exploitability.json")]
        assert app([*arguments, "--resume"], standalone_mode=False) == 0, err.getvalue()
        taken = [*arguments[:-1], str(tmp_path / "again"), "--reuse", str(tmp_path / "run")]
        assert app(taken, standalone_mode=False) == 0, err.getvalue()
    assert "4 trials, 4 of them finished" in out.getvalue()
    numbers = [read_results(tmp_path / folder / "results.csv").rows for folder in ("run", "again")]
    assert numbers[0] == numbers[1]
    assert len(kept) == 1
    assert all(path.stat().st_mtime_ns == when for path, when in kept)  # found again, not measured again
    assert (tmp_path / "run" / "report.html").is_file()
    results: Results = read_results(tmp_path / "run" / "results.csv")
    strip = [line for line in before.splitlines() if not line.startswith("#")]
    assert [line for line in (tmp_path / "run" / "results.csv").read_text().splitlines() if line[0] != "#"] == strip
    for setting in ("N=20 / Rule-based / both", "N=20 / SMFRL / equal"):
        assert set(results.per_seed(setting, "per_capita_gdp")) == {1, 2}
    for indicator in EXPLOITABILITY:
        assert set(results.per_seed("N=20 / SMFRL / equal", indicator)) == {1}
        assert not results.per_seed("N=20 / Rule-based / both", indicator)
    assert results.curves("N=20 / SMFRL / equal", "years")[1].shape == (2, 2)
    half = results.per_seed("50 % SMFG / SMFG households / both", "utility")
    assert set(half) == {1, 2}
    assert not results.per_seed("0 % SMFG / SMFG households / both", "utility")
