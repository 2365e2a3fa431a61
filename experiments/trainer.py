"""Trains one seed: iterations, evaluations, checkpoints, and a place to stop and go on."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from envs import make
from experiments import checkpoints
from experiments.checkpoints import Progress
from experiments.config import Experiment
from experiments.interrupts import Interrupted, Interrupts
from experiments.metrics import columns, indicators_of, of_iteration
from experiments.progress import Display
from experiments.run_log import RunLog
from rllib_smfg.rollout import evaluate

if TYPE_CHECKING:
    from rllib_smfg.rllib.smfrl import SMFRL

CHECKPOINTS = "checkpoints"


def is_finished(experiment: Experiment, folder: Path) -> bool:
    """Whether the seed's latest checkpoint has all its iterations behind it."""
    found = checkpoints.latest(folder / CHECKPOINTS)
    return found is not None and checkpoints.read_progress(found).iteration >= experiment.training.iterations


def train_seed(experiment: Experiment, seed: int, folder: Path, screen: Display) -> None:
    """Trains one seed to its last iteration; raises Interrupted once everything is saved."""
    (folder / CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    checkpoints.clear_leftovers(folder / CHECKPOINTS)
    start = checkpoints.latest(folder / CHECKPOINTS, screen.note)
    algorithm = experiment.algorithm_config(seed).build_algo()
    try:
        progress = checkpoints.restore(start, algorithm) if start else Progress(seed, 0, 0, 0.0, {})
        names = columns(indicators_of(make(**{**experiment.game.settings(), "games": 1})))
        log = RunLog(folder, names, iteration=progress.iteration, years=progress.years)
        try:
            since = f", from iteration {progress.iteration}" if start else ""
            screen.start(f"seed {seed}{since}", progress.iteration, experiment.training.iterations)
            _Seed(experiment, folder / CHECKPOINTS, algorithm, log, screen, progress).train()
        finally:
            log.close()
    finally:
        algorithm.stop()


class _Seed:
    """The loop over iterations and what it needs."""

    def __init__(
        self, experiment: Experiment, folder: Path, algorithm: SMFRL, log: RunLog, screen: Display, progress: Progress
    ) -> None:
        self._experiment, self._folder, self._algorithm = experiment, folder, algorithm
        self._log, self._screen, self._progress = log, screen, progress

    def train(self) -> None:
        """Goes on to the last iteration. After a signal it saves what the iteration brought, and stops."""
        training = self._experiment.training
        with Interrupts() as interrupts:
            for iteration in range(self._progress.iteration + 1, training.iterations + 1):
                row = self._iterate(iteration)
                stop, last = interrupts.received, iteration == training.iterations
                save = last or iteration % training.checkpoint_interval == 0 or stop is not None
                interval = self._experiment.evaluation.interval
                if interval and (save or iteration % interval == 0):
                    row |= self._evaluate()
                self._log.add(row)
                self._screen.update(row)
                if save:
                    checkpoints.save(self._folder, self._algorithm, self._experiment, self._progress)
                    checkpoints.keep_latest_and_best(self._folder, training.keep_checkpoints)
                if stop is not None and not last:
                    where = f"seed {self._progress.seed}, iteration {iteration} of {training.iterations}"
                    raise Interrupted(f"stopped after {where}, which is saved", stop)

    def _iterate(self, iteration: int) -> dict[str, float]:
        """One iteration of learning, as a row of progress.csv."""
        began = time.perf_counter()
        result = self._algorithm.train()
        seconds = time.perf_counter() - began
        years = self._progress.years + int(result.get("env_runners", {}).get("num_env_steps_sampled", 0))
        self._progress = replace(
            self._progress, iteration=iteration, years=years, seconds=self._progress.seconds + seconds, evaluation={}
        )
        counts = {"iteration": float(iteration), "years": float(years), "seconds": self._progress.seconds}
        return counts | of_iteration(result, seconds)

    def _evaluate(self) -> dict[str, float]:
        """Plays whole episodes in games of their own, with copies of the policies and without exploration."""
        evaluation, policies = self._experiment.evaluation, self._algorithm.trained_policies()
        results = evaluate(policies.make_game(games=evaluation.episodes), *policies.policies(), seed=evaluation.seed)
        means = {name: float(values.mean()) for name, values in results.items()}
        self._progress = replace(self._progress, evaluation=means)
        return {f"evaluation/{name}": value for name, value in means.items()}
