"""`smfg compare CONFIG`: trains what is to be trained, lets every row play the same episodes, and sums up."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from shlex import quote

from rich.console import Console

from envs import InvalidSetting, make
from experiments.compare.config import Comparing, Row
from experiments.compare.contenders import EpisodeBatch, Played, batches, pairs, together
from experiments.compare.reference import with_reference
from experiments.compare.result import FILES, show_comparison, summed_up, write_comparison
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, find_configuration, load, load_experiment
from experiments.training.train import train_pending
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.processes.quiet import quieten
from rllib_smfg.processes.ray_session import ray_session, side_by_side
from rllib_smfg.rollout import Episodes
from rllib_smfg.storage.checkpoints import CONFIG
from rllib_smfg.storage.files import new_name, refuse_overwriting, write_text
from rllib_smfg.storage.owners import folder_taken

PLAN, TRAINED = "compare.yaml", "trained"


def run(
    console: Console,
    *,
    config: str | None,
    overrides: Sequence[str],
    output: Path | None,
    resume: Path | None,
    local: bool,
    command: str,
    reference: str | None = None,
    by_wealth: bool = False,
) -> None:
    """Compares, prints and writes down; `local` plays in this process alone, otherwise Ray spreads the episodes.

    reference: a row or a government, in place of what the configuration names; see `with_reference`. by_wealth: whether
    consumption equivalents by tenth of wealth are printed.
    Nothing is written before the whole configuration has been accepted. Raises InvalidSetting, or Interrupted once what
    can be saved is saved.
    """
    comparing, folder = _planned(config, overrides, output, resume)
    comparing = with_reference(comparing, reference)
    quieten()
    game = comparing.game.settings()
    experiments = [(row, _experiment(row, comparing)) for row in comparing.rows if row.train]
    given = {row.name: pairs(row, folder, game) for row in comparing.rows if not row.train}
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / PLAN, f"# {command}\n{dump(comparing)}")
    with nullcontext() if local and not experiments else ray_session(0):
        _train(console, experiments, folder)
        trained = {row.name: pairs(row, folder / TRAINED / row.folder, game) for row, _ in experiments}
        contenders = [(row, (given | trained)[row.name]) for row in comparing.rows]
        results = _play(console, list(batches(contenders, game, comparing.evaluation)), comparing.rows, local)
    found = {row.name: together(results, r) for r, row in enumerate(comparing.rows)}
    result = summed_up(found, comparing.reference, make(**{**game, "games": 1}))
    write_comparison(folder, comparing, result, command)
    show_comparison(console, comparing, result, by_wealth)
    _say(console, f"{folder}: {', '.join(FILES)}")


# --- before ----------------------------------------------------------------------------------------------------------
def _planned(
    config: str | None, overrides: Sequence[str], output: Path | None, resume: Path | None
) -> tuple[Comparing, Path]:
    if resume is not None:
        if config is not None or output is not None or overrides:
            raise InvalidSetting("--resume DIR goes on with the comparison in DIR as it is: give nothing else")
        if not (resume / PLAN).is_file():
            raise InvalidSetting(f"{resume}: holds no comparison to resume ({PLAN} is missing)")
        return load(Comparing, resume / PLAN), resume
    if config is None:
        raise InvalidSetting("compare needs a configuration (for example: smfg compare table3_quick), or --resume DIR")
    comparing = load(Comparing, find_configuration(config), overrides)
    folder = output or Path("runs") / new_name(find_configuration(config).stem)
    refuse_overwriting(folder)
    return comparing, folder


def _experiment(row: Row, comparing: Comparing) -> Experiment:
    """What a row trains: its configuration, in the comparison's game with as many games side by side as it says."""
    own = load_experiment(str(row.train), row.set)
    game = {**comparing.game.settings(), "games": own.game.games}
    experiment = Experiment.model_validate({**own.model_dump(mode="json"), "game": game})
    experiment.algorithm_config(experiment.training.seeds[0])
    return experiment


# --- training and playing --------------------------------------------------------------------------------------------
def _train(console: Console, experiments: Sequence[tuple[Row, Experiment]], folder: Path) -> None:
    """Trains every row that is not finished; each has a folder that `smfg evaluate` and `smfg train --resume` take."""
    for row, experiment in experiments:
        own = folder / TRAINED / row.folder
        own.mkdir(parents=True, exist_ok=True)
        write_text(own / CONFIG, f"# a row of smfg compare: {row.name}\n{dump(experiment)}")
        began = time.monotonic()
        try:
            with folder_taken(own, lambda text: _say(console, text)):
                train_pending(console, experiment, own)
        except Interrupted as stop:
            raise stop.going_on(f"go on with: smfg compare --resume {quote(str(folder))}") from None
        except KeyboardInterrupt:
            raise Interrupted(f"stopped; go on with: smfg compare --resume {quote(str(folder))}") from None
        _say(console, f"{row.name}: trained in {time.monotonic() - began:.0f} s")


def _play(console: Console, plan: list[EpisodeBatch], rows: Sequence[Row], local: bool) -> Played:
    """The episodes of every batch."""
    began, left = time.monotonic(), {r: sum(batch.of[0] == r for batch in plan) for r in range(len(rows))}
    results: Played = {}
    calls = {batch.of: (batch,) for batch in plan}
    for of, found in _played_here(plan) if local else side_by_side(EpisodeBatch.play, calls):
        results[of] = found
        left[of[0]] -= 1
        if not left[of[0]]:
            _say(console, f"played: {rows[of[0]].name} ({time.monotonic() - began:.0f} s)")
    return results


def _played_here(plan: list[EpisodeBatch]) -> Iterator[tuple[tuple[int, int, int], Episodes]]:
    for batch in plan:
        yield batch.of, batch.play()


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
