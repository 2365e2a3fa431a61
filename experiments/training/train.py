"""`smfg train CONFIG`: every seed from its start, or from its latest checkpoint, to the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from rich.console import Console

from envs import InvalidSetting
from envs.plugins import FOLDER
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, find_configuration, load, load_experiment
from experiments.training.progress import Mirrored, display
from experiments.training.summary import report
from experiments.training.trainer import is_finished, train_seed
from rllib_smfg.processes.interrupts import Interrupted, Stopped
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.processes.ray_session import ray_session
from rllib_smfg.processes.ray_start import NoRay
from rllib_smfg.storage.checkpoints import CHECKPOINTS, CONFIG, ERROR, seed_folder
from rllib_smfg.storage.files import write_text
from rllib_smfg.storage.owners import taken
from rllib_smfg.storage.places import Place, new_or_resumed


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
    quieten()
    if config is None and resume is None:
        raise InvalidSetting("train needs a configuration (for example: smfg train quickstart), or --resume DIR")
    new = None if resume or config is None else _checked(load_experiment(config, overrides))
    place = new_or_resumed(find_configuration(config).stem if config else "", output, resume, storage)
    if place.resumed and place.bucket is None:
        _refuse_without_run(place)
    with taken(place, lambda text: _say(console, text)) as own:
        _train(console, new or _checked(_resumed(config, overrides, own)), own, command)


def _train(console: Console, experiment: Experiment, place: Place, command: str) -> None:
    """The same at a place that belongs to this process."""
    folder, game, seeds = place.folder, experiment.game, list(experiment.training.seeds)
    write_text(folder / CONFIG, f"# {command}\n{dump(experiment)}")
    _say(console, f"{game.name}, N = {game.followers}, seeds {seeds} -> {place.where}")
    from_latest = f"go on from the latest checkpoint with: smfg train --resume {quote(place.where)}"
    try:
        place.push()
        train_pending(console, experiment, folder, place)
        report(console, experiment, folder, command)
        place.push()
    except Interrupted as stop:
        if not isinstance(stop, Stopped):
            place.push()
        raise stop.going_on(f"go on with: smfg train --resume {quote(place.where)}") from None
    except KeyboardInterrupt:
        raise Interrupted(f"stopped; {from_latest}") from None
    except OSError as error:
        raise Stopped(f"stopped: {error.filename or folder}: {error.strerror or error}; {from_latest}") from error
    except NoRay:
        if not place.resumed:  # nothing was trained: a new folder goes again
            (folder / CONFIG).unlink()
            place.push()
        raise
    except InvalidSetting:
        raise
    except Exception as error:
        error.add_note(f"smfg: training stopped at this; {from_latest}")
        raise


def train_pending(console: Console, experiment: Experiment, folder: Path, place: Place | None = None) -> None:
    """Trains the seeds that are not finished, side by side; a place's bucket follows every checkpoint.

    A single one, or where there is room for no more, is trained in this process.
    """
    seeds = {seed: seed_folder(folder, seed) for seed in experiment.training.seeds}
    pending = [seed for seed in seeds if not is_finished(experiment, seeds[seed])]
    if not pending:
        return
    for seed in pending:
        (seeds[seed] / ERROR).unlink(missing_ok=True)
    with ray_session(experiment.training.env_runners + experiment.training.learners), display(console) as screen:
        if len(pending) > 1:
            from experiments.tuning.seeds import train_side_by_side  # which trains by `trainer`, as this does

            if train_side_by_side(experiment, {seed: seeds[seed] for seed in pending}, screen, place):
                return
        for seed in pending:
            shown = Mirrored(screen, seeds[seed] / CHECKPOINTS, place) if place and place.bucket else screen
            train_seed(experiment, seed, seeds[seed], shown)


def _refuse_without_run(place: Place) -> None:
    if not (place.folder / CONFIG).is_file():
        raise InvalidSetting(f"{place.where}: holds no run to resume ({CONFIG} is missing)")


def _checked(experiment: Experiment) -> Experiment:
    """The experiment, unless its algorithm cannot be built; raises InvalidSetting."""
    experiment.algorithm_config(experiment.training.seeds[0])
    return experiment


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def _resumed(config: str | None, overrides: Sequence[str], place: Place) -> Experiment:
    """The experiment of a run's folder; game and algorithm must be as they were, the rest may be changed."""
    _refuse_without_run(place)
    folder = place.folder
    started = load(Experiment, folder / CONFIG)
    experiment = load(Experiment, folder / CONFIG, overrides) if config is None else load_experiment(config, overrides)
    for section in ("game", "algorithm"):
        before, now = (dict(getattr(each, section)) for each in (started, experiment))
        for name in before | now:
            if name != FOLDER and before.get(name) != now.get(name):
                raise InvalidSetting(
                    f"{section}.{name} = {now.get(name)}: the run in {place.where} was started with {before.get(name)};"
                    " leave it so, or start a new run with --output"
                )
    return experiment
