"""The choices that make up one member of the SMFRL family, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from envs.game import InvalidSetting
from envs.registry import nearest
from rllib_smfg.bounds import check

DEFAULT_YEARS = 300  # of an iteration, where nothing is said

View = Literal["own", "mean_field", "joint"]
LeaderGradient = Literal["total", "partial"]
FollowerGradient = Literal["game", "team"]
Statistic = Literal["mean", "standard_deviation", "quantiles"]
Worth = Literal["values", "slopes"]  # of what is carried into next year
Squash = Literal["clip", "tanh"]
Sampling = Literal["synchronous", "asynchronous"]  # whether runners play while the learner learns
Device = Literal["cpu", "cuda", "auto"]  # where the learner computes


@dataclass(frozen=True)
class LearningSettings:
    """What both sides' critics see, which derivative each actor follows, and how fast.

    leader_view, follower_view: what a critic sees of the population beside its own state and action
        (own: nothing, mean_field: the mean field L, joint: every household's state and action; a household's critic
        then sees the leader's action, too, even where households do not).
    followers_see_leader: households observe this year's leader action before they act (Stackelberg order).
    leader_gradient: `total` lets the followers' reaction to the leader's action into the derivative (Stackelberg);
        `partial` holds the mean field fixed, as algorithm 1 of the paper prints it.
    follower_gradient: `game` holds the other households fixed; `team` differentiates the whole population's actions.
    leader_outlook, follower_outlook: this side's critic knows its own budget (`envs.outlook`), and learns only what
        comes after; games without an outlook refuse it.
    follower_critic: what the households' critic learns: `values`, by temporal differences, or `slopes` alone: each
        update solves the envelope condition for the weights that it is linear in (`foresight.fit_slopes`); needs
        follower_outlook.
    squash: how actors keep within their bounds: `clip` lets the critic's gradient through at a bound, so an actor can
        come back; `tanh` (the authors' choice) loses it there.
    """

    leader_view: View = "mean_field"
    follower_view: View = "mean_field"
    followers_see_leader: bool = True
    leader_gradient: LeaderGradient = "total"
    follower_gradient: FollowerGradient = "game"
    mean_field: tuple[Statistic, ...] = ("mean",)
    leader_outlook: bool = False
    follower_outlook: bool = False
    follower_critic: Worth = "values"

    discount: float = 0.975
    hidden: tuple[int, ...] = (64, 64)
    target_step: float = 0.01  # share by which target networks move towards the networks in each update
    squash: Squash = "clip"
    bound_penalty: float = 1.0  # weight of (distance of an actor's output beyond [-1, 1])^2
    huber_threshold: float = 10.0  # temporal-difference errors beyond it count linearly

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
        for name in ("discount", "hidden", "target_step", "bound_penalty", "huber_threshold"):
            check(name, getattr(self, name))
        if not self.mean_field:
            raise InvalidSetting("mean_field is empty: must name at least one statistic")


def _check_choice(name: str, value: Any, hint: Any) -> None:
    if hint is bool and not isinstance(value, bool):
        raise InvalidSetting(f"{name} = {value!r}: must be True or False")
    if get_origin(hint) is tuple and not isinstance(value, tuple):
        raise InvalidSetting(f"{name} = {value!r}: must be a list")
    for item in value if isinstance(value, tuple) else (value,):
        choices = get_args(get_args(hint)[0] if isinstance(value, tuple) else hint)
        if choices and all(isinstance(choice, str) for choice in choices) and item not in choices:
            raise InvalidSetting(f"{name} = {item!r}{nearest(str(item), list(choices))}")
