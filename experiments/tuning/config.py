"""What a search is (tune_configs/*.yaml): a base configuration, the space of its settings, a scheduler."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from envs import InvalidSetting, make
from envs.registry import game_hints, game_settings, nearest
from envs.written import mistyped
from experiments.configuration.config import Experiment, Section
from experiments.configuration.loading import load_experiment
from experiments.configuration.shipped import SEARCHES, shipped
from experiments.tuning.trial_training import chosen
from rllib_smfg.metrics import columns, indicators_of
from rllib_smfg.settings import DEFAULT_YEARS

EVALUATION = "evaluation/"
FEW = 20  # households that are enough to ask a game what it reports
Factor = Annotated[float, Field(gt=0, le=100)]
SpaceValues = dict[str, dict[str, Any]]  # section -> key -> value


class Distribution(Section):
    """Where a setting is drawn from; exactly one of these."""

    uniform: tuple[float, float] | None = Field(None, description="[low, high]")
    log_uniform: tuple[float, float] | None = Field(None, description="[low, high], uniform in the logarithm")
    integers: tuple[int, int] | None = Field(None, description="[low, high], both included")
    choice: list[Any] | None = Field(None, min_length=1, description="one of these values")

    @model_validator(mode="before")
    @classmethod
    def _known(cls, values: Any) -> Any:
        if not isinstance(values, dict) or set(values) - set(cls.model_fields):
            raise InvalidSetting(f"must be one of {', '.join(cls.model_fields)}, for example {{uniform: [0, 1]}}")
        return values

    @model_validator(mode="after")
    def _one_kind(self) -> Distribution:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise InvalidSetting(f"must be one of {', '.join(type(self).model_fields)}, found {given or 'none'}")
        bounds = self.bounds()
        if bounds and not bounds[0] < bounds[1]:
            raise InvalidSetting(f"{given[0]} = {list(bounds)}: must be [low, high] with low < high")
        if self.log_uniform and self.log_uniform[0] <= 0:
            raise InvalidSetting(f"log_uniform = {list(self.log_uniform)}: low must be above 0")
        return self

    def bounds(self) -> tuple[float, float] | None:
        """Low and high; None for a choice."""
        return self.uniform or self.log_uniform or self.integers

    def extremes(self) -> list[Any]:
        """Values that must all be valid settings, so that every draw is one."""
        return list(self.bounds() or self.choice or ())


class Search(Section):
    """What is searched for, and how."""

    base: str = Field(description="configuration that every trial starts from: a shipped one's name, or a YAML file")
    metric: str = Field("leader_return", description="indicator of the evaluations, e.g. leader_return, per_capita_gdp")
    mode: Literal["max", "min"] = Field("max", description="whether the largest or the smallest is best")
    trials: int = Field(16, ge=1, le=100_000, description="trials; with pbt, the members of the population")
    parallel: int | None = Field(None, ge=1, description="trials at a time; empty: as many as there are CPUs for")
    sampler: Literal["random", "optuna"] = Field("random", description="who draws settings: chance, or Optuna's TPE")
    scheduler: Literal["asha", "pbt", "none"] = Field("asha", description="who stops or replaces trials")
    seed: int = Field(0, ge=0, lt=2**31, description="luck of the search; that of training is training.seeds")


class Asha(Section):
    """Asynchronous successive halving (Li et al. 2020): at each rung only the best 1/reduction_factor go on."""

    first_rung: int = Field(10, ge=1, le=10**8, description="iterations that every trial has")
    reduction_factor: float = Field(3.0, gt=1, le=100, description="rungs are this factor apart, and keep 1/factor")


class Pbt(Section):
    """Population-based training (Jaderberg et al. 2017): the worst take over the best's weights, and vary settings."""

    interval: int = Field(10, ge=1, le=10**8, description="iterations between exchanges")
    synchronous: bool = Field(True, description="exchanges wait until all members are there; otherwise none waits")
    quantile: float = Field(0.25, gt=0, le=0.5, description="share of the population that is replaced, and copied")
    resample: float = Field(0.25, ge=0, le=1, description="probability that a setting is drawn anew")
    factors: tuple[Factor, Factor] = Field((0.8, 1.25), description="else it is multiplied by one of these two")


class Tuning(Section):
    """A whole search."""

    search: Search
    changes: SpaceValues = Field(
        default_factory=dict, description="settings of the base that are changed in all trials"
    )
    space: dict[str, dict[str, Distribution]] = Field(min_length=1, description="settings that are searched")
    asha: Asha = Asha()
    pbt: Pbt = Pbt()

    @model_validator(mode="after")
    def _whole_space_is_valid(self) -> Tuning:
        if self.search.scheduler == "pbt" and self.search.sampler == "optuna":
            raise InvalidSetting("sampler = optuna: population-based training draws settings itself; must be random")
        if self.search.scheduler == "pbt" and self.search.trials < 2:
            raise InvalidSetting("trials = 1: a population has at least 2 members")
        base = self.experiment()
        _refuse_unknown_metric(base, self.search.metric)
        for name, distribution in self.settings():
            section, key = name.split(".")
            _refuse_unknown(base, section, key)
            _refuse_unfit(name, distribution, _hint(base, section, key))
        experiment = base.model_dump(mode="json")
        for values in self.corners():
            self._checked(values, lambda values: chosen(experiment, values))
        self._refuse_judging_too_early(base)
        return self

    def corners(self) -> Iterator[dict[str, Any]]:
        """Draws that must all be valid: every extreme value, alone and with every one of the same section's others."""
        extremes = {name: distribution.extremes() for name, distribution in self.settings()}
        for name, values in extremes.items():
            for value in values:
                yield {name: value}
        for one, other in combinations(extremes, 2):
            if one.split(".")[0] == other.split(".")[0]:
                for first, second in product(extremes[one], extremes[other]):
                    yield {one: first, other: second}

    def refuse_unbuildable(self) -> None:
        """Raises InvalidSetting where the base, or a draw, makes no algorithm; needs RLlib."""
        base = self.experiment()
        base.algorithm_config(base.training.seeds[0])
        experiment = base.model_dump(mode="json")
        for values in self.corners():
            self._checked(values, lambda values: chosen(experiment, values).algorithm_config(base.training.seeds[0]))

    @staticmethod
    def _checked(values: dict[str, Any], build: Callable[[dict[str, Any]], Any]) -> None:
        try:
            build(values)
        except (ValidationError, InvalidSetting) as error:
            where = ", ".join(f"space.{name} = {value!r}" for name, value in values.items())
            raise InvalidSetting(f"{where}: {_reason(error)}") from None

    def _refuse_judging_too_early(self, base: Experiment) -> None:
        """Trials are compared for the first time once all that learns has begun to."""
        judged = {"asha": ("asha.first_rung", self.asha.first_rung), "pbt": ("pbt.interval", self.pbt.interval)}
        if self.search.scheduler not in judged:
            return
        name, first = judged[self.search.scheduler]
        begins = max(_learning_begins(base, values) for values in ({}, *self.corners()))
        if first <= begins < base.training.iterations:
            raise InvalidSetting(
                f"{name} = {first}: trials would be judged before both sides have learned, which begins with"
                f" iteration {begins}; must be above {begins}"
            )

    def settings(self) -> Iterator[tuple[str, Distribution]]:
        """`section.key` and its distribution."""
        for section, keys in self.space.items():
            for key, distribution in keys.items():
                yield f"{section}.{key}", distribution

    def experiment(self) -> Experiment:
        """The base with its changes; evaluations come as often as the search needs them, each with a checkpoint.

        Raises InvalidSetting.
        """
        changed = [
            f"{section}.{key}={yaml.safe_dump(value, default_flow_style=True).strip().removesuffix('...').strip()}"
            for section, keys in self.changes.items()
            for key, value in keys.items()
        ]
        try:
            experiment = load_experiment(self.search.base, changed)
        except InvalidSetting as error:
            raise InvalidSetting(str(error).replace("--set ", "changes: ", 1)) from None
        training, evaluation = experiment.training, experiment.evaluation
        if len(training.seeds) > 1:
            raise InvalidSetting(f"training.seeds = {list(training.seeds)}: a trial of a search trains one seed")
        if evaluation.interval == 0:
            raise InvalidSetting("evaluation.interval = 0: a search needs evaluations, must be at least 1")
        if self.search.scheduler == "pbt" and self.pbt.interval % evaluation.interval:
            raise InvalidSetting(
                f"pbt.interval = {self.pbt.interval}: must be a multiple of evaluation.interval = {evaluation.interval}"
            )
        each = training.model_copy(update={"checkpoint_interval": evaluation.interval})
        return experiment.model_copy(update={"training": each})


def _learning_begins(base: Experiment, values: dict[str, Any]) -> int:
    """The iterations after which both sides learn for certain: actors may be held back, updates await the warm-up."""
    settings = base.algorithm.settings() | {name.split(".")[1]: value for name, value in values.items()}
    each: int = settings.get("years_per_iteration", DEFAULT_YEARS)
    held: int = max(settings.get(name, 0) for name in ("leader_held_years", "follower_held_years", "free_market_years"))
    begins: int = max(math.ceil(held / each), math.ceil(settings.get("warm_up_years", 0) / each) - 1)
    return begins


def _refuse_unknown_metric(base: Experiment, metric: str) -> None:
    game = make(**{**base.game.settings(), "games": 1, "followers": min(base.game.followers, FEW)})
    known = [name.removeprefix(EVALUATION) for name in columns(indicators_of(game)) if name.startswith(EVALUATION)]
    if metric not in known:
        raise InvalidSetting(f"search.metric = {metric!r}: no indicator of the evaluations{nearest(metric, known)}")


def _hint(base: Experiment, section: str, key: str) -> Any:
    """What a setting may be, as a type hint."""
    fields = type(getattr(base, section)).model_fields
    return fields[key].annotation if key in fields else game_hints(base.game.name).get(key)


def _refuse_unfit(name: str, distribution: Distribution, hint: Any) -> None:
    """Raises InvalidSetting where a whole number would be drawn from a continuum; bounds are tried one by one."""
    drawn = distribution.uniform or distribution.log_uniform
    if drawn is None or mistyped(0.5, hint) is None:
        return
    wanted = mistyped(0.5, hint)
    if mistyped(1, hint) is None:
        low, high = (round(each) for each in drawn)
        raise InvalidSetting(f"space.{name}: {wanted}, as {{integers: [{low}, {high}]}}, not drawn from a continuum")
    raise InvalidSetting(f"space.{name}: {wanted}, as {{choice: [...]}}, not a number")


def _refuse_unknown(experiment: Experiment, section: str, key: str) -> None:
    sections = [name for name in Experiment.model_fields if name != "comparison"]
    if section not in sections or (section, key) == ("training", "seeds"):
        raise InvalidSetting(f"space.{section}.{key}: cannot be searched{nearest(section, sections)}")
    known = [*type(getattr(experiment, section)).model_fields]
    if section == "game":
        known += game_settings(experiment.game.name)
    if key not in known:
        raise InvalidSetting(f"space: unknown setting '{key}' in section '{section}'{nearest(key, known)}")


def _reason(error: ValueError) -> str:
    """What pydantic has against a value, without what it says around it."""
    if isinstance(error, ValidationError):
        return str(error.errors(include_url=False)[0]["msg"])
    return str(error)


def find_search(source: str | Path) -> Path:
    """The YAML file `source`, or that of tune_configs/ by its name; raises InvalidSetting."""
    if Path(source).is_file():
        return Path(source)
    known = shipped(SEARCHES)
    if str(source) in known:
        return known[str(source)]
    raise InvalidSetting(f"{source}: no such search{nearest(Path(source).stem, list(known))}")
