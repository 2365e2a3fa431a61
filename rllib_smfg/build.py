"""Builds both sides' networks to fit a game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.spaces import Box

from envs.game import InvalidSetting, StackelbergMeanFieldGame
from envs.outlook import Outlook
from envs.plugins import ModuleFolder, folder_of
from envs.scaling import FeatureScaling
from rllib_smfg.foresight import Budget, ForesightedCritic
from rllib_smfg.mean_field import view_size
from rllib_smfg.networks import Actor, Critic
from rllib_smfg.settings import LearningSettings


@dataclass(frozen=True)
class Interface:
    """All that networks need to know of a game: spaces in natural units, scalings, the number of followers."""

    leader_observation: Box
    leader_action: Box
    follower_observation: Box
    follower_action: Box
    leader_scaling: FeatureScaling
    follower_scaling: FeatureScaling
    followers: int
    leader_outlook: Outlook | None = None
    follower_outlook: Outlook | None = None

    def __getstate__(self) -> dict[str, Any]:
        """First where the outlooks' modules are, then the fields: another process imports them as it unpickles."""
        outlooks = (self.leader_outlook, self.follower_outlook)
        folders = {folder_of(type(each).__module__) for each in outlooks if each is not None}
        return {"_modules_in": [ModuleFolder(folder) for folder in folders if folder], **vars(self)}

    @classmethod
    def of(cls, game: StackelbergMeanFieldGame) -> Interface:
        """The interface of a game."""
        return cls(
            game.leader_observation_space,
            game.leader_action_space,
            game.follower_observation_space,
            game.follower_action_space,
            game.leader_scaling,
            game.follower_scaling,
            game.n_followers,
            game.leader_outlook,
            game.follower_outlook,
        )

    @property
    def household_size(self) -> int:
        """How many numbers describe one household's state and action."""
        return _size(self.follower_observation) + _size(self.follower_action)


def leader_actor(interface: Interface, settings: LearningSettings, start: Sequence[float] | None = None) -> Actor:
    """pi^l(s^l); `start` is the action (al,) it gives before learning, in natural units (default: mid-range)."""
    return Actor(
        _size(interface.leader_observation), 0, settings.hidden, interface.leader_action, start, settings.squash
    )


def follower_actor(interface: Interface, settings: LearningSettings, start: Sequence[float] | None = None) -> Actor:
    """pi^f(s^f, a^l), or pi^f(s^f) where followers do not see the leader's action."""
    seen = _size(interface.leader_action) if settings.followers_see_leader else 0
    return Actor(
        _size(interface.follower_observation),
        seen,
        settings.hidden,
        interface.follower_action,
        start,
        settings.squash,
    )


def leader_critic(interface: Interface, settings: LearningSettings) -> Critic:
    """Q^l(s^l, a^l, population)."""
    view = settings.leader_view
    own = _size(interface.leader_observation) + _size(interface.leader_action)
    population = view_size(view, interface.household_size, interface.followers, settings.mean_field)
    if settings.leader_outlook:
        assert interface.leader_outlook is not None, "see check_outlooks"
        budget = Budget(interface.leader_outlook, interface.leader_scaling, interface.leader_action)
        return ForesightedCritic(budget, population, settings.hidden, view != "joint", settings.discount)
    return Critic(own, population, settings.hidden, quadratic=view != "joint")


def follower_critic(interface: Interface, settings: LearningSettings) -> Critic:
    """Q^f(s^f, a^f, a^l, population)."""
    view = settings.follower_view
    seen = _size(interface.leader_action) if settings.household_critic_sees_leader else 0
    population = view_size(view, interface.household_size, interface.followers, settings.mean_field)
    if settings.follower_outlook:
        assert interface.follower_outlook is not None, "see check_outlooks"
        leader_action = interface.leader_action if seen else None
        budget = Budget(
            interface.follower_outlook, interface.follower_scaling, interface.follower_action, leader_action
        )
        return ForesightedCritic(budget, seen + population, settings.hidden, view != "joint", settings.discount)
    return Critic(interface.household_size, seen + population, settings.hidden, quadratic=view != "joint")


def check_outlooks(interface: Interface, settings: LearningSettings) -> None:
    """Raises InvalidSetting for an outlook that the game does not have, that reads what followers do not see, or that
    says nothing of slopes where they are to be learned.
    """
    for side in ("leader", "follower"):
        outlook = getattr(interface, f"{side}_outlook")
        if getattr(settings, f"{side}_outlook") and outlook is None:
            raise InvalidSetting(f"{side}_outlook = true: this game has none; say false")
    needed = settings.follower_outlook and interface.follower_outlook and interface.follower_outlook.needs_leader
    if needed and not settings.household_critic_sees_leader:
        raise InvalidSetting("follower_outlook = true: needs followers_see_leader = true, as it reckons with taxes")
    if settings.learns_slopes and not (interface.follower_outlook and interface.follower_outlook.seen_again):
        raise InvalidSetting("follower_critic = slopes: households of this game see nothing again that they leave")


def check_start(name: str, start: Sequence[float], box: Box) -> None:
    """Raises InvalidSetting for an actor's first action that is no action: of another size, or out of bounds."""
    action = np.asarray(start, dtype=np.float64)
    if action.shape != box.shape:
        side = name.removesuffix("_start")
        raise InvalidSetting(f"{name} has {action.size} numbers: the {side} of this game acts with {_size(box)}")
    for number, low, high in zip(action.tolist(), box.low.tolist(), box.high.tolist(), strict=True):
        if not low <= number <= high:
            raise InvalidSetting(f"{name} = {list(start)}: {number:g} must lie in [{low:g}, {high:g}]")


def row_floats(interface: Interface, settings: LearningSettings, households: int) -> int:
    """How many numbers a transition of the replay holds, with so many of its households (see `losses.Batch`)."""
    leader = 2 * _size(interface.leader_observation) + _size(interface.leader_action)
    followers = min(households, interface.followers) * (2 * interface.household_size + 1)
    mean_field = view_size("mean_field", interface.household_size, interface.followers, settings.mean_field)
    return leader + followers + 2 * mean_field + 2


def _size(space: Box) -> int:
    return int(np.prod(space.shape))
