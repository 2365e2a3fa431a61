"""What a finished run leaves: summary.json, training curves, all seeds' progress.csv, and the comparison."""

from __future__ import annotations

import csv
import io
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from rich.console import Console

from experiments.configuration.config import Experiment
from experiments.results.comparison import FILE, Evaluations, compare_policies, kept_obstacle, read_rows, show
from experiments.results.figures import training_curves
from experiments.training.log import read_progress_rows
from rllib_smfg.metrics import RETURNS, headlines
from rllib_smfg.playing import evaluate_policies
from rllib_smfg.statistics.summaries import summarise_all
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.checkpoints import Progress
from rllib_smfg.storage.files import write_json, write_text
from rllib_smfg.structural import certificate

PACKAGES = ("rllib-smfg", "ray", "torch", "numpy", "scipy", "gymnasium")


def report(console: Console, experiment: Experiment, folder: Path, command: str) -> None:
    """Evaluates every seed's last checkpoint, writes everything down and prints the comparison."""
    seeds = {seed: checkpoints.seed_folder(folder, seed) for seed in experiment.training.seeds}
    last = [checkpoints.find(path) for path in seeds.values()]
    trained = [checkpoints.read_policies(path) for path in last]
    evaluation = experiment.evaluation
    results: Evaluations = []
    for path, policies in zip(seeds.values(), trained, strict=True):
        results.append(evaluate_policies(policies, episodes=evaluation.final_episodes, seed=evaluation.seed))
        episodes = {name: values.tolist() for name, values in results[-1].items()}
        write_json(path / "evaluation.json", {"seed": evaluation.seed, "episodes": episodes})
    write_json(
        folder / "summary.json", _summary(experiment, results, [checkpoints.read_progress(path) for path in last])
    )
    progress = {seed: read_progress_rows(path / "progress.csv") for seed, path in seeds.items()}
    _write_progress(folder / "progress.csv", progress)
    title = f"{experiment.algorithm.title}, {experiment.game.name}, N = {experiment.game.followers}"
    indicators = [name for name in results[0] if name not in RETURNS]
    training_curves(folder / "training_curves.png", title, list(progress.values()), indicators)
    compare_policies(experiment, trained, results, folder, command)
    show(console, experiment, *read_rows(folder / FILE))
    if why := kept_obstacle(folder / FILE):
        console.print(f"no consumption equivalents: {why}", soft_wrap=True, highlight=False, markup=False)
    if experiment.algorithm.family == "structural":
        certificate.write(console, trained, seeds, evaluation.seed)
    written = f"{folder}: summary.json, comparison.json, progress.csv, training_curves.png, seed_*/checkpoints"
    console.print(written, soft_wrap=True, highlight=False, markup=False)


def _summary(experiment: Experiment, results: Evaluations, progress: list[Progress]) -> dict[str, Any]:
    """What summary.json holds: indicators over seeds, and what led to them."""
    summaries = summarise_all(results)
    return {
        "indicators": {name: summaries[name].designed() for name in headlines(summaries)},
        "config": experiment.model_dump(mode="json"),
        "seeds": list(experiment.training.seeds),
        "env_steps": sum(each.years for each in progress),
        "wall_seconds": sum(each.seconds for each in progress),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "run from its sources, not installed"
    return found


def _write_progress(path: Path, seeds: dict[int, list[dict[str, float]]]) -> None:
    """All seeds' rows in one file, with the seed as the first column."""
    rows = [{"seed": seed, **row} for seed, each in seeds.items() for row in each]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())
