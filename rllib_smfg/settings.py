"""The settings of every learner, as plain data: each has its name, type, default, bounds and sentence here alone.

YAML's section `algorithm`, `--set`, the keywords of `training` and the reference are made from these classes.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from envs.game import InvalidSetting
from envs.registry import nearest
from policies.given import Given
from rllib_smfg.bounds import (
    BOUNDS,
    COUNT,
    NOISE,
    RATE,
    SEEDS,
    SHARE,
    SIZE,
    SOME_HOUSEHOLDS,
    SOME_YEARS,
    UNITS,
    WEIGHT,
    YEARS,
    Bounds,
    check,
    setting,
    stated,
)
from rllib_smfg.schedule import Scheduled

DEFAULT_YEARS = 300  # of an iteration, where nothing is said

View = Literal["own", "mean_field", "joint"]
LeaderGradient = Literal["total", "partial"]
FollowerGradient = Literal["game", "team"]
Statistic = Literal["mean", "standard_deviation", "quantiles"]
CriticTarget = Literal["values", "slopes"]  # of what is carried into next year
Squash = Literal["clip", "tanh"]
Sampling = Literal["synchronous", "asynchronous"]  # whether runners play while the learner learns
Device = Literal["cpu", "cuda", "auto"]  # where the learner computes


@stated
@dataclass(frozen=True)
class LearningSettings:
    """What both sides' critics see, which derivative each actor follows, and how networks move.

    leader_view, follower_view: what a critic sees of the population beside its own state and action
        (own: nothing, mean_field: the mean field L, joint: every household's state and action; a household's critic
        then sees the leader's action, too, even where households do not).
    follower_critic: `values`, by temporal differences, or `slopes` alone: each update solves the envelope condition
        for the weights that it is linear in (`foresight.fit_slopes`); needs follower_outlook.
    squash: `clip` lets the critic's gradient through at a bound, so an actor can come back; `tanh` (the authors'
        choice) loses it there.
    """

    leader_view: View = setting("mean_field", "what the leader's critic sees of the population")
    follower_view: View = setting("mean_field", "what the followers' critic sees of the population")
    followers_see_leader: bool = setting(True, "followers observe this year's leader action (Stackelberg)")
    leader_gradient: LeaderGradient = setting(
        "total", "total: through the followers' reaction (Stackelberg); partial: the mean field held fixed"
    )
    follower_gradient: FollowerGradient = setting("game", "game: others held fixed; team: all move together")
    mean_field: tuple[Statistic, ...] = setting(("mean",), "statistics that make up the mean field", several=True)
    leader_outlook: bool = setting(False, "the leader's critic knows what its budget makes of an action")
    follower_outlook: bool = setting(False, "the households' critic knows the same of theirs")
    follower_critic: CriticTarget = setting("values", "what the households' critic learns: values or slopes")
    discount: float = setting(
        0.975,
        "weight of next year's value; empty: the game's own",
        Bounds(0, 1, below=True, optional=True),
        unset=True,
    )
    hidden: tuple[int, ...] = setting((64, 64), "units of each hidden layer", UNITS)
    target_step: float = setting(
        0.01, "share by which targets move towards networks, an update", Bounds(0, 1, above=True, below=True)
    )
    squash: Squash = setting("clip", "how actors keep within bounds: clip (can come back), tanh (the authors)")
    bound_penalty: float = setting(1.0, "weight of (actor output beyond [-1, 1])^2", WEIGHT)
    huber_threshold: float = setting(10.0, "temporal-difference errors beyond it count linearly", SIZE)

    @property
    def household_critic_sees_leader(self) -> bool:
        """Whether a household's critic is told the leader's action: with a joint view it is told everybody's."""
        return self.followers_see_leader or self.follower_view == "joint"

    @property
    def learns_slopes(self) -> bool:
        """Whether the households' critic learns slopes in place of values."""
        return self.follower_critic == "slopes"

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for field in fields(self):
            _check_choice(field.name, getattr(self, field.name), hints[field.name])
        if self.learns_slopes and not self.follower_outlook:
            raise InvalidSetting("follower_critic = slopes: needs follower_outlook = true")
        if self.learns_slopes and self.follower_gradient == "team":
            raise InvalidSetting("follower_critic = slopes: needs follower_gradient = game")
        for field in fields(self):
            if field.name in BOUNDS:
                check(field.name, getattr(self, field.name))
        if not self.mean_field:
            raise InvalidSetting("mean_field is empty: must name at least one statistic")


@dataclass
class RunSettings:
    """What every configuration of a game has."""

    torch_threads: int = setting(
        1, "threads of each process; small updates are fastest with 1", Bounds(1, 256, whole=True)
    )
    evaluation_seed: int = setting(
        1_000_000, "seed of the evaluation games", Bounds(0, SEEDS, below=True, whole=True), of_run=True
    )


@stated
@dataclass
class SMFRLSettings(RunSettings):
    """What `SMFRLConfig.training` takes beside `LearningSettings`: rates, batches, exploration, what is given."""

    actor_lr: Scheduled = setting(1e-3, "learning rate, or [[years, rate], ...] joined by straight lines", RATE)
    critic_lr: Scheduled = setting(1e-3, "learning rate, or [[years, rate], ...] joined by straight lines", RATE)
    slope_damping: Scheduled = setting(
        0.01,
        "of the least squares that find slopes; or [[years, damping], ...] joined by straight lines",
        Bounds(0, 10**12, above=True, scheduled=True),
    )
    years_per_iteration: int | None = setting(
        None, "years played an iteration, over all games and runners; empty: 300, or whole rounds of games", SOME_YEARS
    )
    updates_per_iteration: int = setting(100, "updates of both sides an iteration", COUNT)
    transitions_per_update: int = setting(128, "batch size B, transitions (years of one game)", COUNT)
    households_per_transition: int | None = setting(
        None, "m, kept with each transition; empty: 16, all for a joint view, 1 if given", SOME_HOUSEHOLDS
    )
    replay_capacity: int = setting(30_000, "transitions that the replay keeps", Bounds(1, 10**8, whole=True))
    warm_up_years: int = setting(300, "years played before the first update", YEARS)
    leader_noise: Scheduled = setting(
        0.1, "exploration, as a share of half the action's range, or [[years, share], ...]", NOISE
    )
    follower_noise: Scheduled = setting(0.1, "the same, drawn for each household", NOISE)
    common_noise: Scheduled = setting(0.05, "the same, one draw for all households of a game", NOISE)
    leader_lasting_noise: float = setting(0.0, "a part of the leader's that stays for decades", Bounds(0, 10))
    leader_held_years: int = setting(0, "years before the leader's actor learns", YEARS)
    follower_held_years: int = setting(0, "years before the followers' actor learns", YEARS)
    leader_start: tuple[float, ...] | None = setting(None, "first leader action, natural units; empty: mid-range")
    leader_imitates: Given | None = setting(None, "a rule the leader starts as; empty: leader_start")
    follower_start: tuple[float, ...] | None = setting(None, "first follower action; empty: mid-range")
    follower_imitates: Given | None = setting(None, "a rule households start as; empty: follower_start")
    follower: Given | None = setting(None, "households that are given, as planning or real_data; empty: they learn")
    pretrain: str | None = setting(None, "cloned follower to start from: its folder, or real_data/maddpg")
    sampling: Sampling = setting(
        "synchronous", "asynchronous: runners play while the learner learns, with weights an iteration old"
    )
    device: Device = setting("cpu", "where the learner computes, and networks that act in its process")


@stated
@dataclass
class StructuralRunSettings(RunSettings):
    """What `StructuralSMFRLConfig.training` takes beside `structural.settings.StructuralSettings`."""

    updates_per_iteration: int = setting(20, "updates of both sides an iteration", COUNT)
    leader_start: tuple[float, ...] | None = setting(None, "first leader action; empty: mid-range")
    follower_start: tuple[float, ...] | None = setting(None, "first follower action; empty: mid-range")
    leader_imitates: Given | None = setting(None, "a government that the leader's rule starts as")
    device: Device = setting("cpu", "where the learner plays and differentiates its games")


@stated
@dataclass
class ProximalSettings(RunSettings):
    """What `PopulationPPOConfig.training` takes: the AI Economist."""

    followers_see_leader: bool = setting(True, "followers observe this year's leader action (Stackelberg)")
    discount: float | None = setting(None, "weight of next year's value; empty: the game's own")
    hidden: tuple[int, ...] = setting((64, 32), "units of the first perceptron, of memory and second one", UNITS)
    critic_hidden: tuple[int, ...] = setting((64, 64), "units of the critics' hidden layers", UNITS)
    years_per_iteration: int | None = setting(
        None, "years played an iteration, over all games and runners; empty: 300, or whole sequences", SOME_YEARS
    )
    free_market_years: int = setting(0, "years of the first phase: no government learns", YEARS)
    households_per_game: int | None = setting(
        None, "m, whose trajectories are learned from; empty: 16, or all where there are fewer", SOME_HOUSEHOLDS
    )
    sequence_years: int = setting(20, "years that a gradient reaches back", COUNT)
    minibatches: int = setting(4, "parts of an iteration's sequences, one update each", COUNT)
    num_epochs: int = setting(10, "passes over an iteration's sequences", COUNT)
    lr: Scheduled = setting(3e-4, "learning rate, or [[years, rate], ...] joined by straight lines", RATE)
    clip_param: float = setting(0.2, "how far a probability may move, as a share", Bounds(0, 10, above=True))
    lambda_: float = setting(0.95, "decay of generalised advantage estimation", SHARE)
    entropy_coeff: float = setting(0.0, "weight of the policies' entropy", Bounds(0, 10))
    vf_loss_coeff: float = setting(1.0, "weight of the critics' loss", WEIGHT)
    vf_clip_param: float = setting(10.0, "squared errors of critics beyond it are cut off", SIZE)
    grad_clip: float | None = setting(
        0.5, "largest norm of a gradient; empty: none", Bounds(0, 10**9, above=True, optional=True)
    )
    leader_start: tuple[float, ...] | None = setting(None, "mean first leader action; empty: lower bounds")
    follower_start: tuple[float, ...] | None = setting(None, "mean first follower action; empty: mid-range")
    pretrain: str | None = setting(None, "clone to start from: its folder, or real_data/ai_economist")


def _check_choice(name: str, value: Any, hint: Any) -> None:
    if hint is bool and not isinstance(value, bool):
        raise InvalidSetting(f"{name} = {value!r}: must be True or False")
    if get_origin(hint) is tuple and not isinstance(value, tuple):
        raise InvalidSetting(f"{name} = {value!r}: must be a list")
    for item in value if isinstance(value, tuple) else (value,):
        choices = get_args(get_args(hint)[0] if isinstance(value, tuple) else hint)
        if choices and all(isinstance(choice, str) for choice in choices) and item not in choices:
            raise InvalidSetting(f"{name} = {item!r}{nearest(str(item), list(choices))}")
