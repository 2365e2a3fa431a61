"""What becomes of the groups in a mixed population."""

from __future__ import annotations

from dataclasses import dataclass

from envs.economy.game import Economy
from envs.game import Array, StackelbergMeanFieldGame, Step
from policies import LeaderPolicy
from policies.mixed import MixedFollowers
from rllib_smfg.rollout import Measure, evaluate, indicators

# indicator of a group -> field of an economy's `Flows`, (B, N); dollars and hours a year
ECONOMY_FLOWS = {"wealth": "next_assets", "income": "income", "consumption": "consumption", "hours": "hours"}


@dataclass(frozen=True)
class GroupEvaluation:
    """`population`: see `rollout.evaluate`. `groups`: the same for each group's mean household, {group: {name: (B,)}}.

    A group has `utility` (its mean reward a year) and, in an economy, `wealth` (at the end of the year), `income`
    (before tax), `consumption` (dollars) and `hours`: means over its households and the years an episode lived.
    """

    population: dict[str, Array]
    groups: dict[str, dict[str, Array]]


def evaluate_groups(
    game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: MixedFollowers, seed: int
) -> GroupEvaluation:
    """Plays the first episode of every game to its end."""
    results = evaluate(game, leader, follower, seed, measure=_with_groups(follower))
    groups: dict[str, dict[str, Array]] = {group: {} for group in follower.households}
    for group, indicator, key in _keys(follower, game):
        groups[group][indicator] = results.pop(key)
    return GroupEvaluation(results, groups)


def _with_groups(follower: MixedFollowers) -> Measure:
    """The game's indicators and those of every group."""

    def measure(game: StackelbergMeanFieldGame, step: Step) -> dict[str, Array]:
        per_household = {"utility": step.follower_reward}
        if isinstance(game, Economy) and game.flows is not None:
            per_household |= {name: getattr(game.flows, field) for name, field in ECONOMY_FLOWS.items()}
        rows = follower.households
        means = {
            key: per_household[indicator][:, rows[group]].mean(axis=-1)
            for group, indicator, key in _keys(follower, game)
        }
        return indicators(game, step) | means

    return measure


def _keys(follower: MixedFollowers, game: StackelbergMeanFieldGame) -> list[tuple[str, str, str]]:
    """(group, indicator, name of that indicator among a year's) for every group."""
    names = ("utility", *ECONOMY_FLOWS) if isinstance(game, Economy) else ("utility",)
    return [(group, name, f"group {group}: {name}") for group in follower.households for name in names]
