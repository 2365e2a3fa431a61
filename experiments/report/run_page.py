"""The page of a run of `smfg train`."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from envs import InvalidSetting, make
from envs.economy.game import Economy
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, load
from experiments.report import economy_sections, learning_figures, words
from experiments.report.comparison_page import cell, welfare_tables
from experiments.report.page import Cell, Code, Page, PageSection, PageTable, Tile
from experiments.report.writing import compact, shown
from experiments.results.comparison import COLUMNS, FILE, learned_row, read_rows
from experiments.results.figures import Rows
from experiments.results.tables import headline, label, number
from experiments.results.welfare_tables import LIVED, Standings
from experiments.studies.exploitability.report import FAILED, FAILED_MEANS
from experiments.training.log import read_progress_rows
from policies.free_market import free_market
from rllib_smfg.economics.history import pooled, record_history
from rllib_smfg.economics.welfare import ConsumptionEquivalent
from rllib_smfg.metrics import RETURNS, headlines
from rllib_smfg.playing import one_thread
from rllib_smfg.statistics.summaries import Summary
from rllib_smfg.storage import checkpoints

HOUSEHOLDS = 3200  # played at the same time by each seed, over all its episodes
EPISODES = 16
TRIMMED = 4  # seeds from which an inter-quartile mean leaves any out


@dataclass(frozen=True)
class Run:
    """What `smfg train` left in a folder."""

    folder: Path
    experiment: Experiment
    command: str
    summary: dict[str, Any]
    comparison: dict[str, dict[str, Summary]]
    standings: Standings
    progress: dict[int, Rows]

    @property
    def learned(self) -> str:
        """The comparison's row of the run's own policies."""
        return learned_row(self.experiment)


def read_run(folder: Path) -> Run:
    """Reads a finished run; raises InvalidSetting where there is none, or it is not finished."""
    config = folder / "config.yaml"
    if not config.is_file():
        raise InvalidSetting(f"{folder}: holds no run (config.yaml is missing); name the folder of smfg train")
    for name in ("summary.json", FILE):
        if not (folder / name).is_file():
            raise InvalidSetting(
                f"{folder}: is not finished ({name} is missing); finish it: smfg train --resume {quote(str(folder))}"
            )
    experiment = load(Experiment, config)
    first = config.read_text(encoding="utf-8").splitlines()[0]
    comparison, standings = _read_rows(folder / FILE)
    return Run(
        folder,
        experiment,
        first.removeprefix("# ") if first.startswith("# ") else "smfg train",
        _json(folder / "summary.json"),
        comparison,
        standings,
        {
            seed: read_progress_rows(checkpoints.seed_folder(folder, seed) / "progress.csv")
            for seed in experiment.training.seeds
        },
    )


def run_page(run: Run, made: str) -> Page:
    """The whole page; plays episodes of the trained policies where the game is an economy."""
    experiment = run.experiment
    game, seeds = experiment.game, list(experiment.training.seeds)
    years = sum(int(rows[-1]["years"]) for rows in run.progress.values() if rows)
    trained = f"{len(seeds)} seeds" if len(seeds) > 1 else "1 seed"
    subtitle = f"{trained}, {years:,} years played in {_duration(run.summary['wall_seconds'])}."
    if game.name == "economy":
        title = f"A government and {game.followers:,} households"
        known = game.own_settings()
        told = [f"{name} {known[name]}" for name in ("preset", "task", "weighting", "shock") if name in known]
        subtitle += f" Economy: {', '.join(told)}." if told else ""
        summary, sections = _economy(run)
    else:
        title = f"{game.name}: a leader and {game.followers:,} followers"
        summary, sections = words.of_known_game(experiment, run.comparison), []
    sections = [_policies(run), _learning(run), *sections, *_exploitability(run), _details(run)]
    kind = f"{experiment.algorithm.title}: what a run has shown"
    return Page(kind, title, subtitle, made, summary, _tiles(run), sections)


def _economy(run: Run) -> tuple[list[str], list[PageSection]]:
    """Sentences, and the sections that show the economies at work."""
    settings, seed = run.experiment.game.settings(), run.experiment.evaluation.seed
    episodes = max(2, min(EPISODES, HOUSEHOLDS // settings["followers"]))
    game = make(**{**settings, "games": episodes})
    assert isinstance(game, Economy)
    learned, free = [], []
    with one_thread():
        for number in run.experiment.training.seeds:
            policies = checkpoints.read_policies(checkpoints.find(checkpoints.seed_folder(run.folder, number)))
            learned.append(record_history(game, *policies.policies(game, seed), seed))
            free.append(record_history(game, free_market(game), policies.follower_policy(game, seed), seed))
    both = pooled(learned), pooled(free)
    return words.of_economy(run.experiment, run.comparison, game.horizon, *both), economy_sections.sections(*both)


def _tiles(run: Run) -> list[Tile]:
    seen = run.comparison[run.learned]
    names = [name for name in COLUMNS if name in seen] if "per_capita_gdp" in seen else headlines(seen)[:5]
    gain = run.standings[run.learned].gain if run.learned in run.standings else None
    first = [Tile("Consumption equivalent", f"{number(gain.mean)} %", _against(gain))] if gain else []
    return first + [
        Tile(
            _label(name),
            shown(name, seen[name].mean),
            f"{shown(name, seen[name].ci_low)} to {shown(name, seen[name].ci_high)}",
        )
        for name in names
    ]


def _against(gain: ConsumptionEquivalent) -> str:
    return f"{number(gain.ci_low)} to {number(gain.ci_high)}, against {gain.reference}"


def _policies(run: Run) -> PageSection:
    names = headlines(run.comparison[run.learned])
    horizon = make(**{**run.experiment.game.settings(), "games": 1}).horizon
    ends = {policy: _end(row["years"].mean, horizon) for policy, row in run.comparison.items()}
    rows = [
        [Cell(policy, ends[policy]), *(cell(name, row[name]) for name in names)]
        for policy, row in run.comparison.items()
    ]
    episodes = run.experiment.evaluation.final_episodes
    told = (
        f"Mean over the years of an episode, then over {episodes} episodes that are the same for every policy; below it"
        " the 95 % bootstrap interval. Click a column's head to sort."
    )
    table = PageTable(["Policy", *map(_label, names)], rows)
    panels = learning_figures.policies(run.comparison, names[:6])
    text = [told, *([LIVED] if any(ends.values()) else [])]
    found = welfare_tables(run.standings, run.experiment.game.followers, episodes)
    return PageSection("policies", "Policies", text, [*found, table], panels)


def _end(years: float, horizon: int) -> str:
    """In words, when episodes end early."""
    return f"ends in year {years:.0f} of {horizon}, on average" if years < horizon else ""


def _learning(run: Run) -> PageSection:
    summaries = run.summary["indicators"]
    rows = []
    for k, seed in enumerate(run.experiment.training.seeds):
        values = [(name, summaries[name]["per_seed"][k]) for name in summaries]
        rows.append([Cell(f"seed {seed}", value=seed), *(Cell(shown(n, _number(v)), value=v) for n, v in values)])
    iqm = [
        Cell("inter-quartile mean"),
        *(Cell(shown(n, _number(s["iqm"])), value=s["iqm"]) for n, s in summaries.items()),
    ]
    table = PageTable(["Seed", *map(_label, summaries)], [*rows, iqm] if len(rows) >= TRIMMED else rows)
    names = [name for name in summaries if name not in RETURNS]
    spread = "Lines: mean over seeds; bands: from the lowest to the highest." if len(rows) > 1 else "One seed."
    return PageSection(
        "learning",
        "Learning",
        [f"Years played are those of training, exploration included. {spread}"],
        tables=[table],
        panels=learning_figures.curves(list(run.progress.values()), names),
    )


def _exploitability(run: Run) -> list[PageSection]:
    """What `smfg exploitability --json` has left in the run's folder."""
    rows = []
    for path in sorted(run.folder.rglob("exploitability*.json")):
        for found in _json(path)["exploitability"]:
            gain, share = found["gain"], found["of_own_return"]["value"]
            failed = f"; {FAILED}" if gain["value"] < 0 else ""
            span = f"{compact(gain['ci_low'])} to {compact(gain['ci_high'])}{failed}"
            cells = [Cell(compact(gain["value"]), span, gain["value"]), Cell(f"{100 * share:.3g} %", value=share)]
            rows.append([Cell(found["name"]), Cell(path.relative_to(run.folder).as_posix()), *cells])
    if not rows:
        return []
    text = (
        "What one player could gain by leaving the learned policies while all others keep to them; 0 in an equilibrium."
    )
    table = PageTable(["Player", "File", "Gain", "Of its own return"], rows, named=2)
    below = any(row[2].value is not None and row[2].value < 0 for row in rows)
    return [PageSection("exploitability", "Exploitability", [text, *([FAILED_MEANS] if below else [])], [table])]


def _details(run: Run) -> PageSection:
    versions = "\n".join(f"{name} {version}" for name, version in run.summary["versions"].items())
    seeds = ", ".join(map(str, run.experiment.training.seeds))
    first = checkpoints.seed_folder(run.folder, run.experiment.training.seeds[0])
    folder, checkpoint = (shlex.quote(str(path)) for path in (run.folder, first))
    commands = [f"{run.command}    # trains", f"smfg report {quote(str(folder))}    # makes this page"]
    commands += [f"smfg evaluate {quote(str(checkpoint))}"]
    text = (
        f"Training seeds: {seeds}. Luck of the evaluation: seed {run.experiment.evaluation.seed}. The same"
        " configuration, seeds and versions give the same numbers on the same machine."
    )
    code = [Code("\n".join(commands)), Code(dump(run.experiment), "Configuration"), Code(versions, "Versions")]
    return PageSection("details", "Reproduce", [text], code=code)


def _label(name: str) -> str:
    return headline({"per_capita_gdp": "GDP a household", "years": "years lived"}.get(name, label(name)))


def _number(value: float | None) -> float:
    """JSON's null stands for what is not a number."""
    return float("nan") if value is None else value


def _duration(seconds: float) -> str:
    return (
        f"{seconds / 3600:.1f} hours"
        if seconds >= 7200
        else f"{seconds / 60:.0f} minutes"
        if seconds >= 120
        else f"{seconds:.0f} s"
    )


def _read_rows(path: Path) -> tuple[dict[str, dict[str, Summary]], Standings]:
    _json(path)  # says so where it is none
    return read_rows(path)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise InvalidSetting(f"{path}: is damaged (no JSON)") from None
