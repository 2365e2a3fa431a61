"""All trials of a benchmark, as many side by side as there are cores; each is on disk as soon as it has ended."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from envs import InvalidSetting
from envs.registry import nearest
from envs.text_files import read_object
from rllib_smfg.bench.learners import CONTENDERS, Shipped, contender
from rllib_smfg.bench.trial import IDENTITY, Trial, failed, tried
from rllib_smfg.processes.interrupts import Interrupted
from rllib_smfg.processes.ray_session import ray_session, side_by_side
from rllib_smfg.storage.files import write_json

FIRST_SEED = 11  # settings were found on seeds 1 to 5
TRIALS = "trials"  # in the benchmark's folder
Result = dict[str, Any]


def planned(games: Mapping[str, Shipped], learners: Sequence[str], seeds: int, cpu_seconds: float) -> list[Trial]:
    """Every learner on every game, seed by seed, so that what is there when it is stopped can be compared.

    learners: none: all. Raises InvalidSetting for an unknown one, and for a time without end.
    """
    if not math.isfinite(cpu_seconds):
        raise InvalidSetting(f"--cpu-seconds {cpu_seconds:g}: must be a number of seconds")
    chosen = {name: contender(name) for name in learners or CONTENDERS}
    runs = {(game, name): each.run(shipped) for game, shipped in games.items() for name, each in chosen.items()}
    return [
        Trial(game, name, seed, cpu_seconds, run)
        for seed in range(FIRST_SEED, FIRST_SEED + seeds)
        for (game, name), run in runs.items()
        if run is not None
    ]


def chosen_games(asked: Sequence[str], known: Sequence[str]) -> list[str]:
    """The games asked for, each once (none: all); raises InvalidSetting for one that is no game of the benchmark."""
    for name in asked:
        if name not in known:
            raise InvalidSetting(f"game '{name}' is not in the benchmark{nearest(name, list(known))}")
    return list(dict.fromkeys(asked)) or list(known)


def run_trials(trials: Sequence[Trial], folder: Path, say: Callable[[str], None]) -> None:
    """Runs what the folder does not hold yet; each result is a file in its folder `TRIALS`.

    Trials that failed are tried again. Raises InvalidSetting where the folder holds another budget's results, and
    Interrupted where it was stopped.
    """
    kept = folder / TRIALS
    kept.mkdir(parents=True, exist_ok=True)
    before = stored(kept)
    _refuse_another_budget(trials, before, folder)
    done = {_key(result) for result in before if "error" not in result}
    missing = [trial for trial in trials if _key(trial.identity()) not in done]
    say(f"{len(trials)} trials, {len(trials) - len(missing)} of them are there already")
    try:
        if missing:
            _run(missing, kept, say)
    except (KeyboardInterrupt, Interrupted) as stop:
        number = stop.number if isinstance(stop, Interrupted) else signal.SIGINT
        ended = {_key(result) for result in stored(kept)} & {_key(trial.identity()) for trial in trials}
        raise Interrupted(f"stopped; {len(ended)} of {len(trials)} trials are stored", number) from None


def stored(folder: Path) -> list[Result]:
    """The results in a folder; raises InvalidSetting where a file holds something else."""
    found = {path: read_result(path) for path in sorted(folder.glob("*.json"))}
    for path, result in found.items():
        if not {*IDENTITY} <= set(result):
            raise InvalidSetting(f"{path}: is no trial of smfg bench; remove it, or name another --output")
    return list(found.values())


def read_result(path: Path) -> Result:
    """The JSON object of a file; raises InvalidSetting where it is none."""
    return read_object(path, "holds no results of smfg bench", "must be what smfg bench wrote")


def _run(trials: Sequence[Trial], folder: Path, say: Callable[[str], None]) -> None:
    calls = {k: (trial,) for k, trial in enumerate(trials)}

    def lost(k: int, error: Exception) -> Result:
        return failed(trials[k], error)

    with ray_session(processes=0):
        results = side_by_side(tried, calls, lost, max_calls=1, max_retries=0)  # a process each
        for done, (k, result) in enumerate(results, start=1):
            trial = trials[k]
            write_json(folder / f"{trial.game}-{trial.learner}-{trial.seed}.json", result)
            say(f"[{done}/{len(trials)}] {trial.name}: {_in_words(result)}")


def _in_words(result: Result) -> str:
    if "error" in result:
        return f"FAILED, {result['error']}"
    share, gain = result["share"], result["exploitability"]
    error = "" if result["within"] is None else f"error {share:.3g} of its bound ({_verdict(result)}), "
    gained = "" if gain is None else f"a household gains {gain['gain']:.3g} ({gain['unit']}), "
    return f"{error}{gained}{result['iterations']} iterations, {result['used']:.0f} s of CPU"


def _verdict(result: Result) -> str:
    return "within" if result["within"] else "beyond"


def _key(result: Mapping[str, Any]) -> tuple[Any, ...]:
    return (result["game"], result["learner"], result["seed"])


def _refuse_another_budget(trials: Sequence[Trial], known: Sequence[Result], folder: Path) -> None:
    others = {result["cpu_seconds"] for result in known} - {trial.cpu_seconds for trial in trials}
    if others and trials:
        raise InvalidSetting(
            f"--cpu-seconds {trials[0].cpu_seconds:g}: {folder} holds trials of {min(others):g};"
            " say the same, or name another --output"
        )
