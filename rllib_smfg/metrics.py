"""Which numbers are kept of an iteration, and in which group a reader finds each: `economy/per_capita_gdp`, ...

economy, government, households (game, where there is no economy): the training games, with exploration. Means over the
episodes that ended lately (16, or one a game if there are more), each itself a mean over the years it lived;
empty until one has ended. evaluation: episodes without exploration, the same luck every time. losses,
learning: means over the iteration's updates. timing in seconds; faults: counts since the run began.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import StackelbergMeanFieldGame
from rllib_smfg.methods import Family

# what is compared, in this order, where a game reports it
HEADLINES = (
    "per_capita_gdp",
    "social_welfare",
    "income_gini",
    "wealth_gini",
    "years",
    "leader_return",
    "follower_return",
)
RETURNS = ("years", "leader_return", "follower_return")
# what a year counts as that an ended episode did not live, where a policy is chosen by a mean over years: no output,
# rewards of 0 (below all that anybody alive gets), one household that owns everything
UNLIVED = {"per_capita_gdp": 0.0, "social_welfare": 0.0, "income_gini": 1.0, "wealth_gini": 1.0}

# indicator -> group; indicators of the games with known solutions, which name none of these, go to "game"
GROUPS = {
    "per_capita_gdp": "economy",
    "social_welfare": "economy",
    "income_gini": "economy",
    "wealth_gini": "economy",
    "capital": "economy",
    "wage": "economy",
    "interest_rate": "economy",
    "capital_output_ratio": "economy",
    "top_10_wealth_share": "economy",
    "bottom_50_wealth_share": "economy",
    "debt": "government",
    "debt_to_gdp": "government",
    "spending_to_gdp": "government",
    "tax_revenue": "government",
    "spending": "government",
    "mean_marginal_rate": "government",
    "mean_assets": "households",
    "mean_income": "households",
    "mean_consumption": "households",
    "mean_saving_rate": "households",
    "mean_hours": "households",
}
# what the learner reports of each side -> where it goes
LEARNER = {
    "critic_loss": "losses/{side}_critic",
    "actor_loss": "losses/{side}_actor",
    "action_gradient": "learning/{side}_action_gradient",
    "saturation": "learning/{side}_saturation",
    "actor_learning_rate": "learning/{side}_actor_rate",
    "critic_learning_rate": "learning/{side}_critic_rate",
}
PROXIMAL_LEARNER = {
    "vf_loss": "losses/{side}_critic",
    "policy_loss": "losses/{side}_actor",
    "entropy": "learning/{side}_entropy",
    "vf_explained_var": "learning/{side}_explained_variance",
    "default_optimizer_learning_rate": "learning/{side}_rate",
}
STRUCTURAL_LEARNER = {
    "loss": "losses/{side}",
    "discounted_return": "learning/{side}_discounted_return",
    "strain": "learning/{side}_strain",
    "lived": "learning/{side}_lived",
}
LEARNERS: dict[Family, dict[str, str]] = {
    "gradient": LEARNER,
    "proximal": PROXIMAL_LEARNER,
    "structural": STRUCTURAL_LEARNER,
    "rules": {},
}
SIDES = ("leader", "follower")
TIMERS = {
    "env_runner_sampling_timer": "timing/sampling_seconds",
    "learner_update_timer": "timing/update_seconds",
    "synch_weights": "timing/weights_seconds",
}
FIRST = ("iteration", "years", "seconds")
OTHERS = (
    "timing/years_per_second",
    "timing/peak_memory_mib",
    "faults/runner_restarts",
    "faults/learner_restarts",
    "learning/replay_transitions",
    "learning/weights_age",
    "learning/free_market",
)


def grouped(indicator: str) -> str:
    """An indicator of training with its group."""
    return f"{GROUPS.get(indicator, 'game')}/{indicator}"


def counted(indicator: str) -> str:
    """The name under which evaluations keep an indicator as a mean over all years of the horizon, for searches.

    Other indicators are no means over the years lived, or nobody can say what they are after the end.
    """
    return f"{indicator}_of_horizon" if indicator in UNLIVED else indicator


def over_horizon(indicators: Mapping[str, NDArray[Any]], horizon: int) -> dict[str, NDArray[Any]]:
    """Those of `UNLIVED`, means over years lived, as means over all years of the horizon; by their own names.

    Otherwise an early end would be a gain wherever the years to come are the worst.
    """
    lived = indicators["years"] / horizon
    return {
        name: indicators[name] * lived + unlived * (1 - lived)
        for name, unlived in UNLIVED.items()
        if name in indicators
    }


def headlines(names: Mapping[str, Any]) -> list[str]:
    """The names worth comparing: `HEADLINES` for an economy, all of them for a known game."""
    if "per_capita_gdp" in names:
        return [name for name in HEADLINES if name in names]
    return [*(name for name in names if name not in RETURNS), *RETURNS]


def indicators_of(game: StackelbergMeanFieldGame) -> list[str]:
    """The indicators a game reports of a year; plays one."""
    game.reset(0)
    leader = np.broadcast_to(game.leader_action_space.low, (game.n_games, *game.leader_action_space.shape))
    box = game.follower_action_space
    return list(game.step(leader, np.broadcast_to(box.low, (game.n_games, game.n_followers, *box.shape))).indicators)


def columns(indicators: list[str], family: Family = "gradient") -> list[str]:
    """The columns of progress.csv: all that an iteration can have, whether or not the first one has it."""
    learner = [place.format(side=side) for place in LEARNERS[family].values() for side in SIDES]
    searched = [counted(name) for name in indicators if name in UNLIVED]
    evaluation = [f"evaluation/{name}" for name in (*indicators, *RETURNS, *searched)]
    return [*FIRST, *map(grouped, indicators), *evaluation, *learner, *TIMERS.values(), *OTHERS]


def of_iteration(result: Mapping[str, Any], seconds: float) -> dict[str, float]:
    """The numbers of one `Algorithm.train()` that took `seconds`; those that are missing or NaN are left out."""
    runners, learners = result.get("env_runners", {}), result.get("learners", {})
    years = float(runners.get("num_env_steps_sampled", 0))
    row: dict[str, Any] = {grouped(name): value for name, value in runners.get("indicators", {}).items()}
    for side in SIDES:
        for name, place in (LEARNER | PROXIMAL_LEARNER | STRUCTURAL_LEARNER).items():
            if name in learners.get(side, {}):
                row[place.format(side=side)] = learners[side][name]
    row |= {place: result.get("timers", {}).get(name) for name, place in TIMERS.items()}
    row["timing/years_per_second"] = years / seconds if seconds > 0 else None
    row["timing/peak_memory_mib"] = peak_memory_mib()
    row["faults/runner_restarts"] = result.get("fault_tolerance", {}).get("num_remote_worker_restarts")
    row["learning/replay_transitions"] = result.get("replay_size")
    row["learning/weights_age"] = result.get("weights_age")
    row["learning/free_market"] = result.get("free_market")
    return {name: float(value) for name, value in row.items() if value is not None and np.isfinite(float(value))}


def peak_memory_mib() -> float:
    """The most memory this process has held, in MiB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
