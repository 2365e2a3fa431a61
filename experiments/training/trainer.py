"""Trains one seed: iterations, evaluations, checkpoints, and a place to stop and go on."""

from __future__ import annotations

import math
import signal
import time
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from envs import make
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump
from experiments.training.log import RunLog, settings_shown
from experiments.training.progress import Display
from rllib_smfg.economics.pictures import look
from rllib_smfg.metrics import RETURNS, columns, counted, indicators_of, of_iteration, over_horizon
from rllib_smfg.processes.interrupts import GRACE, Interrupted, Interrupts, Overdue, Stopped
from rllib_smfg.processes.recovery import LEARNER_RESTARTS, LearnerLost, noticing_a_lost_learner, train_until_years
from rllib_smfg.rollout import evaluate
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.checkpoints import CHECKPOINTS, Progress
from rllib_smfg.storage.files import clear_unfinished_files

if TYPE_CHECKING:
    from rllib_smfg.export import TrainedPolicies
    from rllib_smfg.rllib.smfrl import SMFRL

UNSAVED = 30.0  # seconds of work that may be unsaved
LOOKED_AT = 4  # economies played for pictures, of which one that lives is shown


def is_finished(experiment: Experiment, folder: Path) -> bool:
    """Whether the seed's latest checkpoint has all its iterations behind it."""
    found = checkpoints.latest(folder / CHECKPOINTS)
    return found is not None and checkpoints.read_progress(found).iteration >= experiment.training.iterations


def train_seed(experiment: Experiment, seed: int, folder: Path, screen: Display) -> None:
    """Trains one seed to its last iteration; raises Interrupted once everything is saved.

    A learner of its own that is lost is built again from the latest checkpoint, a few times.
    """
    for restarts in count():
        try:
            return _train_from_latest(experiment, seed, folder, screen, restarts)
        except LearnerLost as lost:
            if restarts == LEARNER_RESTARTS:
                raise Stopped(f"stopped: {lost}, {restarts + 1} times by now") from lost
            screen.note(f"seed {seed}: {lost}; going on from the latest checkpoint")


def _train_from_latest(experiment: Experiment, seed: int, folder: Path, screen: Display, restarts: int) -> None:
    """Trains on from the latest whole checkpoint; `restarts` counts how often the learner was lost before."""
    (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    clear_unfinished_files(folder)
    checkpoints.clear_leftovers(folder / CHECKPOINTS)
    start = checkpoints.latest(folder / CHECKPOINTS, screen.note)
    checkpoints.set_aside_damaged(folder / CHECKPOINTS, start)
    algorithm = experiment.algorithm_config(seed).build_algo()
    try:
        progress = checkpoints.restore(start, algorithm) if start else Progress(seed, 0, 0, 0.0, {})
        indicators = indicators_of(make(**{**experiment.game.settings(), "games": 1}))
        names = columns(indicators, experiment.algorithm.family)
        wandb = experiment.training.wandb
        log = RunLog(folder, names, iteration=progress.iteration, years=progress.years, wandb=wandb)
        log.add_settings(settings_shown(experiment, seed), [f"evaluation/{name}" for name in RETURNS])
        try:
            since = f", from iteration {progress.iteration}" if start else ""
            screen.start(f"seed {seed}{since}", progress.iteration, experiment.training.iterations)
            run = _Seed(experiment, folder / CHECKPOINTS, algorithm, log, screen, progress, restarts)
            with noticing_a_lost_learner(algorithm):
                run.train()
        finally:
            log.close()
    finally:
        algorithm.stop()


class _Seed:
    """The loop over iterations and what it needs."""

    def __init__(
        self,
        experiment: Experiment,
        folder: Path,
        algorithm: SMFRL,
        log: RunLog,
        screen: Display,
        progress: Progress,
        learner_restarts: int,
    ) -> None:
        self._experiment, self._folder, self._algorithm = experiment, folder, algorithm
        self._log, self._screen, self._progress = log, screen, progress
        self._saved, self._saved_at, self._seconds = progress.iteration, time.monotonic(), 0.0
        self._faults = {"faults/runner_restarts": 0.0, "faults/learner_restarts": float(learner_restarts)}

    def train(self) -> None:
        """Goes on to the last iteration. After a signal it saves what the iteration brought, and stops."""
        training = self._experiment.training
        with Interrupts() as interrupts:
            for iteration in range(self._progress.iteration + 1, training.iterations + 1):
                try:
                    interrupts.may_give_up = self._saved == iteration - 1
                    row = self._iterate(iteration)
                    interrupts.may_give_up = False
                except Overdue:
                    raise self._stopped(signal.SIGTERM) from None
                self._finish(iteration, row, interrupts.received)
                stop = interrupts.received
                if stop is not None and iteration < training.iterations:
                    self._save(iteration)
                    raise self._stopped(stop)

    def _finish(self, iteration: int, row: dict[str, float], stop: int | None) -> None:
        """Evaluates, logs and saves what is due after an iteration.

        One that took so long that a stop would not wait for the next is saved, too, and so is half a minute's work.
        """
        training, interval = self._experiment.training, self._experiment.evaluation.interval
        regular = iteration == training.iterations or iteration % training.checkpoint_interval == 0
        save = regular or stop is not None or self._seconds > GRACE or time.monotonic() - self._saved_at > UNSAVED
        wanted = regular or stop == signal.SIGINT or (interval > 0 and iteration % interval == 0)
        if interval and wanted:
            row |= self._evaluate()
        self._log.add(row)
        if save:
            self._save(iteration)
        self._screen.update(row)

    def _save(self, iteration: int) -> None:
        """Saves an iteration, unless it is saved."""
        if self._saved == iteration:
            return
        checkpoints.save(self._folder, self._algorithm, dump(self._experiment), self._progress)
        self._saved, self._saved_at = iteration, time.monotonic()
        training = self._experiment.training
        checkpoints.keep_latest_and_best(self._folder, training.keep_checkpoints, training.checkpoint_interval)

    def _stopped(self, number: int) -> Interrupted:
        if self._saved == 0:
            return Interrupted(f"stopped in the first iteration of seed {self._progress.seed}", number)
        where = f"seed {self._progress.seed}, iteration {self._saved} of {self._experiment.training.iterations}"
        return Interrupted(f"stopped after {where}, which is saved", number)

    def _iterate(self, iteration: int) -> dict[str, float]:
        """One iteration of learning, as a row of progress.csv."""
        began = time.perf_counter()
        result, played = train_until_years(self._algorithm, self._screen.note)
        self._seconds = seconds = time.perf_counter() - began
        years = self._progress.years + played
        self._progress = replace(
            self._progress, iteration=iteration, years=years, seconds=self._progress.seconds + seconds, evaluation={}
        )
        counts = {"iteration": float(iteration), "years": float(years), "seconds": self._progress.seconds}
        return counts | self._with_faults(of_iteration(result, seconds))

    def _with_faults(self, row: dict[str, float]) -> dict[str, float]:
        """The row with what was lost so far; says what is new."""
        before, self._faults = self._faults, self._faults | {k: row[k] for k in self._faults if k in row}
        restarts = self._faults["faults/runner_restarts"]
        if restarts > before["faults/runner_restarts"]:
            self._screen.note(f"a runner was lost and has been started again ({restarts:.0f} so far)")
        return row | self._faults

    def _evaluate(self) -> dict[str, float]:
        """Plays whole episodes in games of their own, with copies of the policies and without exploration."""
        evaluation, policies = self._experiment.evaluation, self._algorithm.trained_policies()
        game = policies.make_game(games=evaluation.episodes)
        results = evaluate(game, *policies.policies(game, evaluation.seed), seed=evaluation.seed)
        searched = {counted(name): values for name, values in over_horizon(results, game.horizon).items()}
        means = {name: float(values.mean()) for name, values in {**results, **searched}.items()}
        self._progress = replace(self._progress, evaluation=means)
        if not math.isfinite(means["leader_return"]):
            where = f"seed {self._progress.seed}, iteration {self._progress.iteration}"
            self._screen.note(f"{where}: the leader's return is {means['leader_return']}: no number, so never the best")
        self._look(policies)
        return {f"evaluation/{name}": value for name, value in means.items()}

    def _look(self, policies: TrainedPolicies) -> None:
        """Histograms and pictures of one economy under the policies as they stand, for TensorBoard."""
        game, seed = policies.make_game(games=LOOKED_AT), self._experiment.evaluation.seed
        seen = look(game, *policies.policies(game, seed), seed=seed)
        if seen is not None:
            self._log.add_look(self._progress.years, seen)
