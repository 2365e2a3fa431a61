"""`smfg train CONFIG`: every seed from its start, or from its latest checkpoint, to the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from envs import InvalidSetting
from envs.plugins import FOLDER
from experiments.checkpoints import seed_folder
from experiments.config import Experiment
from experiments.files import write_text
from experiments.interrupts import Interrupted, Stopped
from experiments.loading import dump, find, load, load_experiment
from experiments.progress import Mirrored, display
from experiments.quiet import quieten
from experiments.ray_session import ray_session
from experiments.run_report import report
from experiments.storage import Place, new_or_resumed
from experiments.trainer import CHECKPOINTS, is_finished, train_seed

CONFIG = "config.yaml"


def run(
    console: Console,
    *,
    config: str | None,
    overrides: Sequence[str],
    output: Path | None,
    resume: str | None,
    command: str,
    storage: str | None = None,
) -> None:
    """Trains all seeds, then evaluates and compares what they learned; see `storage.new_or_resumed` for where.

    Nothing is written before the whole configuration has been accepted. Raises InvalidSetting, or Interrupted once
    what can be saved is saved.
    """
    experiment, place = _planned(config, overrides, output, resume, storage)
    folder = place.folder
    quieten()
    experiment.algorithm_config(experiment.training.seeds[0])
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / CONFIG, f"# {command}\n{dump(experiment)}")
    game, seeds = experiment.game, list(experiment.training.seeds)
    say = f"{game.name}, N = {game.followers}, seeds {seeds} -> {place.where}"
    console.print(say, soft_wrap=True, highlight=False, markup=False)
    from_latest = f"go on from the latest checkpoint with: smfg train --resume {place.where}"
    try:
        train_pending(console, experiment, folder, place)
        report(console, experiment, folder, command)
        place.push()
    except Interrupted as stop:
        raise stop.going_on(f"go on with: smfg train --resume {place.where}") from None
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; {from_latest}") from None
    except OSError as error:
        raise Stopped(f"stopped: {error.filename or folder}: {error.strerror or error}; {from_latest}") from error
    except InvalidSetting:
        raise
    except Exception as error:
        error.add_note(f"smfg: training stopped at this; {from_latest}")
        raise


def train_pending(console: Console, experiment: Experiment, folder: Path, place: Place | None = None) -> None:
    """Trains the seeds that are not finished, one after the other; a place's bucket follows every checkpoint."""
    seeds = {seed: seed_folder(folder, seed) for seed in experiment.training.seeds}
    pending = [seed for seed in seeds if not is_finished(experiment, seeds[seed])]
    if not pending:
        return
    with ray_session(experiment.training.env_runners + experiment.training.learners), display(console) as screen:
        for seed in pending:
            shown = Mirrored(screen, seeds[seed] / CHECKPOINTS, place) if place and place.bucket else screen
            train_seed(experiment, seed, seeds[seed], shown)


def _planned(
    config: str | None, overrides: Sequence[str], output: Path | None, resume: str | None, storage: str | None
) -> tuple[Experiment, Place]:
    """What to train, and where it goes."""
    if resume is not None:
        place = new_or_resumed("", output, resume, storage)
        return _resumed(config, overrides, place.folder), place
    if config is None:
        raise InvalidSetting("train needs a configuration (for example: smfg train quickstart), or --resume DIR")
    experiment = load_experiment(config, overrides)
    return experiment, new_or_resumed(find(config).stem, output, resume, storage)


def _resumed(config: str | None, overrides: Sequence[str], folder: Path) -> Experiment:
    """The experiment of a run's folder; game and algorithm must be as they were, the rest may be changed."""
    if not (folder / CONFIG).is_file():
        raise InvalidSetting(f"{folder}: holds no run to resume ({CONFIG} is missing)")
    started = load(Experiment, folder / CONFIG)
    experiment = load(Experiment, folder / CONFIG, overrides) if config is None else load_experiment(config, overrides)
    for section in ("game", "algorithm"):
        before, now = (dict(getattr(each, section)) for each in (started, experiment))
        for name in before | now:
            if name != FOLDER and before.get(name) != now.get(name):
                raise InvalidSetting(
                    f"{section}.{name} = {now.get(name)}: the run in {folder} was started with {before.get(name)};"
                    " leave it so, or start a new run with --output"
                )
    return experiment
