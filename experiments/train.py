"""`smfg train CONFIG`: every seed from its start, or from its latest checkpoint, to the report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console

from envs import InvalidSetting
from experiments.config import Experiment
from experiments.files import refuse_overwriting, write_text
from experiments.interrupts import Interrupted
from experiments.loading import dump, find, load, load_experiment
from experiments.progress import display
from experiments.quiet import quieten
from experiments.ray_session import ray_session
from experiments.run_report import report
from experiments.trainer import is_finished, train_seed

CONFIG = "config.yaml"


def run(
    console: Console,
    *,
    config: str | None,
    overrides: Sequence[str],
    output: Path | None,
    resume: Path | None,
    command: str,
) -> None:
    """Trains all seeds, then evaluates and compares what they learned.

    Nothing is written before the whole configuration has been accepted. Raises InvalidSetting, or Interrupted once
    what can be saved is saved.
    """
    experiment, folder = _planned(config, overrides, output, resume)
    quieten()
    experiment.algorithm_config(experiment.training.seeds[0])
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / CONFIG, f"# {command}\n{dump(experiment)}")
    say = (
        f"{experiment.game.name}, N = {experiment.game.followers}, seeds {list(experiment.training.seeds)} -> {folder}"
    )
    console.print(say, soft_wrap=True, highlight=False, markup=False)
    try:
        _train(console, experiment, folder)
        report(console, experiment, folder, command)
    except Interrupted as stop:
        raise Interrupted(f"{stop}; go on with: smfg train --resume {folder}", stop.number) from None
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; go on from the latest checkpoint with: smfg train --resume {folder}") from None


def _train(console: Console, experiment: Experiment, folder: Path) -> None:
    """Trains the seeds that are not finished, one after the other."""
    seeds = {seed: seed_folder(folder, seed) for seed in experiment.training.seeds}
    pending = [seed for seed in seeds if not is_finished(experiment, seeds[seed])]
    if not pending:
        return
    with ray_session(experiment.training.env_runners + experiment.training.learners), display(console) as screen:
        for seed in pending:
            train_seed(experiment, seed, seeds[seed], screen)


def seed_folder(folder: Path, seed: int) -> Path:
    """Where a run keeps what belongs to one seed."""
    return folder / f"seed_{seed}"


def _planned(
    config: str | None, overrides: Sequence[str], output: Path | None, resume: Path | None
) -> tuple[Experiment, Path]:
    """What to train, and where it goes."""
    if resume is not None and output is not None:
        raise InvalidSetting("--output and --resume: give one of them; a resumed run stays in its folder")
    if resume is not None:
        return _resumed(config, overrides, resume), resume
    if config is None:
        raise InvalidSetting("train needs a configuration (for example: smfg train quickstart), or --resume DIR")
    experiment = load_experiment(config, overrides)
    folder = output or Path("runs") / f"{find(config).stem}-{datetime.now():%Y%m%d-%H%M%S}"
    refuse_overwriting(folder)
    return experiment, folder


def _resumed(config: str | None, overrides: Sequence[str], folder: Path) -> Experiment:
    """The experiment of a run's folder; game and algorithm must be as they were, the rest may be changed."""
    if not (folder / CONFIG).is_file():
        raise InvalidSetting(f"{folder}: holds no run to resume ({CONFIG} is missing)")
    started = load(Experiment, folder / CONFIG)
    experiment = load(Experiment, folder / CONFIG, overrides) if config is None else load_experiment(config, overrides)
    for section in ("game", "algorithm"):
        before, now = (dict(getattr(each, section)) for each in (started, experiment))
        for name in before | now:
            if before.get(name) != now.get(name):
                raise InvalidSetting(
                    f"{section}.{name} = {now.get(name)}: the run in {folder} was started with {before.get(name)};"
                    " leave it so, or start a new run with --output"
                )
    return experiment
