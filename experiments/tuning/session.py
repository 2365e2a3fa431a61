"""A search in Ray Tune's words: distributions, schedulers, Optuna; and running it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ray import tune
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from ray.tune.search import BasicVariantGenerator
from rich.console import Console

from envs import InvalidSetting
from experiments.configuration.config import Experiment
from experiments.training.log import read_progress_rows
from experiments.tuning.config import Distribution, Tuning
from experiments.tuning.display import TrialsDisplay
from experiments.tuning.trial_training import Goal, Work, search_trial, trial_number
from experiments.tuning.tune_run import TUNE, in_one_line, processes, refuse_scattering, resources, run_config
from rllib_smfg.processes.ray_session import ray_session
from rllib_smfg.rllib.resumable_population import ResumablePopulation, going_on_from
from rllib_smfg.storage.buckets import for_arrow, join
from rllib_smfg.storage.ownership import refuse_strangers_files
from rllib_smfg.storage.places import Place

OLD_NAMES = {
    "population": "rllib_smfg.rllib.resumable_population",
    "trial_training": "experiments.tuning.trial_training",
    "trials": "experiments.tuning.trials",
    "trials_display": "experiments.tuning.display",
    "tune_run": "experiments.tuning.tune_run",
    "tuning_config": "experiments.tuning.config",
    "tuning_session": "experiments.tuning.session",
}

CLOCK = "iteration"  # a column of progress.csv, and so of every result
KEPT = 4  # of Tune's own copies of a trial's checkpoints, with which a population exchanges weights


def search(console: Console, tuning: Tuning, experiment: Experiment, place: Place) -> tuple[dict[str, str], int]:
    """Runs the trials, or goes on with them; returns why some failed, and how many are unfinished after Ctrl-C."""
    aim, settings = goal(tuning), experiment.model_dump(mode="json")
    folder = place.folder.resolve()
    work = Work("", settings, experiment.training.seeds[0], str(folder), "", place.bucket, aim)
    trainable = tune.with_resources(search_trial, resources(settings))
    state = for_arrow(join(place.bucket, TUNE)) if place.bucket else str(folder / TUNE)
    wanted = tune_config(tuning, experiment.training.iterations)
    param_space = {"work": work, **space(tuning)}  # for a resumed search, too: Tune's state has references alone
    with ray_session(1 + processes(settings)), TrialsDisplay(console, tuning.search.trials, aim.column) as display:
        refuse_scattering(folder, place.bucket)
        if place.resumed and tune.Tuner.can_restore(state):
            _refuse_strangers_state(place)
            with going_on_from(reached(folder)):
                know_old_names()
                tuner = tune.Tuner.restore(state, trainable, param_space=param_space, resume_errored=True)
            display.ended = tuner.get_results().num_terminated  # where all are done, nothing will tell the display
        else:
            kept = tune.CheckpointConfig(num_to_keep=KEPT)
            run = run_config(folder, display, place.bucket, checkpoint_config=kept)
            tuner = tune.Tuner(trainable, param_space=param_space, tune_config=wanted, run_config=run)
        results = tuner.fit()
    errors = {trial_number(Path(each.path).name): in_one_line(each.error) for each in results if each.error}
    return errors, tuning.search.trials - display.ended


def reached(folder: Path) -> int:
    """The last iteration of the trial that has come furthest; 0 where none has begun."""
    progress = [path for trial in folder.glob("trial_*") for path in trial.glob("seed_*/progress.csv")]
    return max((int(row["iteration"]) for path in progress for row in read_progress_rows(path)), default=0)


def know_old_names() -> None:
    """Lets Tune read the state of a search that began when modules stood elsewhere: its pickles name them."""
    for old, new in OLD_NAMES.items():
        sys.modules.setdefault(f"experiments.{old}", import_module(new))


def _refuse_strangers_state(place: Place) -> None:
    """Tune keeps its state in pickles."""
    if place.bucket is None:
        refuse_strangers_files(place.folder / TUNE)


def goal(tuning: Tuning) -> Goal:
    """What trials are told to look for."""
    return Goal(tuning.search.metric, tuning.search.mode, hand_over=tuning.search.scheduler == "pbt")


# --- distributions ---------------------------------------------------------------------------------------------------
def space(tuning: Tuning) -> dict[str, Any]:
    """`section.key` -> Tune's domain."""
    return {name: _domain(distribution) for name, distribution in tuning.settings()}


def _domain(distribution: Distribution) -> Any:
    if distribution.uniform:
        return tune.uniform(*distribution.uniform)
    if distribution.log_uniform:
        return tune.loguniform(*distribution.log_uniform)
    if distribution.integers:
        low, high = distribution.integers
        return tune.randint(low, high + 1)
    return tune.choice(list(distribution.choice or ()))


def within_bounds(tuning: Tuning) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Brings settings that a population has varied back into their bounds, and to whole numbers where they must be."""
    bounds = {name: limits for name, each in tuning.settings() if (limits := each.bounds())}
    whole = {name for name, each in tuning.settings() if each.integers}

    def bring_back(config: dict[str, Any]) -> dict[str, Any]:
        for name, (low, high) in bounds.items():
            value = min(max(config[name], low), high)
            config[name] = round(value) if name in whole else value
        return config

    return bring_back


# --- schedulers and samplers -----------------------------------------------------------------------------------------
def tune_config(tuning: Tuning, iterations: int) -> tune.TuneConfig:
    """Everything Tune has to know of the search but where it is kept; raises InvalidSetting where Optuna is missing."""
    return tune.TuneConfig(
        num_samples=tuning.search.trials,
        max_concurrent_trials=None if tuning.search.sampler == "random" else tuning.search.parallel,
        scheduler=_scheduler(tuning, iterations),
        search_alg=_sampler(tuning),
        trial_dirname_creator=_own_id,
    )


def _own_id(trial: Any) -> str:
    return str(trial.trial_id)


def _sampler(tuning: Tuning) -> Any:
    if tuning.search.sampler == "random":
        return BasicVariantGenerator(max_concurrent=tuning.search.parallel or 0, random_state=tuning.search.seed)
    if find_spec("optuna") is None:
        raise InvalidSetting("search.sampler = optuna: Optuna is not installed; pip install 'rllib-smfg[search]'")
    import optuna
    from ray.tune.search.optuna import OptunaSearch

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return OptunaSearch(metric=goal(tuning).column, mode=tuning.search.mode, seed=tuning.search.seed)


def _scheduler(tuning: Tuning, iterations: int) -> TrialScheduler:
    pbt, asha = tuning.pbt, tuning.asha
    aim: dict[str, Any] = {"time_attr": CLOCK, "metric": goal(tuning).column, "mode": tuning.search.mode}
    if tuning.search.scheduler == "asha":
        first = min(asha.first_rung, iterations)
        return ASHAScheduler(**aim, max_t=iterations, grace_period=first, reduction_factor=asha.reduction_factor)
    if tuning.search.scheduler == "pbt":
        return ResumablePopulation(
            **aim,
            perturbation_interval=pbt.interval,
            quantile_fraction=pbt.quantile,
            resample_probability=pbt.resample,
            perturbation_factors=pbt.factors,
            hyperparam_mutations={name: each.choice or _domain(each) for name, each in tuning.settings()},
            custom_explore_fn=within_bounds(tuning),
            synch=pbt.synchronous,
        )
    return FIFOScheduler()
