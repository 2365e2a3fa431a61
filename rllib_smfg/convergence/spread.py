"""How much an economy's indicators differ between economies of N households that are governed alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from envs import make
from envs.game import StackelbergMeanFieldGame
from policies.constant import ConstantFollower, ConstantLeader
from rllib_smfg.rollout import first_episodes

INDICATORS = ("per_capita_gdp", "income_gini", "wealth_gini", "mean_consumption")
# the same policy every year, which lets economies live: (tau, xi, tau_a, xi_a, spending), (saving rate, working time)
POLICIES = {
    "paper": ((0.1, 0.02, 0.001, 0.001, 0.001), (0.9, 0.5)),
    "calibrated": ((0.25, 0.18, 0.001, 0.001, 0.15), (0.9, 0.4)),
}
AT_ONCE = 2_000_000  # households simulated side by side


@dataclass(frozen=True)
class Spread:
    """One N: standard deviation over economies divided by their mean, by indicator, after `years` years."""

    followers: int
    economies: int
    lived: int
    years: int
    spread: dict[str, float]


def spreads(preset: str, followers: Sequence[int], economies: int, years: int, seed: int) -> Iterator[Spread]:
    """The spread at each N; economies that ended before the last year do not count."""
    for n in followers:
        last = _last_year(preset, n, economies, years, seed)
        relative = {name: float(np.std(x, ddof=1) / abs(np.mean(x))) for name, x in last.items()}
        yield Spread(n, economies, len(last[INDICATORS[0]]), years, relative)


def spread_slope(found: Sequence[Spread], indicator: str) -> float:
    """Slope of the log spread in the log of N: -1/2 where households' luck averages out."""
    n, spread = ([each.followers for each in found], [each.spread[indicator] for each in found])
    return float(np.polyfit(np.log(n), np.log(spread), 1)[0])


def _last_year(preset: str, followers: int, economies: int, years: int, seed: int) -> dict[str, np.ndarray]:
    """Indicators of the last year, one number for each economy that lived until then; not all are in memory at once."""
    together = min(economies, max(1, AT_ONCE // followers))
    found: dict[str, list[np.ndarray]] = {name: [] for name in INDICATORS}
    for group, first in enumerate(range(0, economies, together)):
        games = min(together, economies - first)
        game = make("economy", preset=preset, games=games, followers=followers, horizon=years + 1)
        indicators, lived = _play(game, preset, years, seed + group)
        for name, values in found.items():
            values.append(indicators[name][lived])
    return {name: np.concatenate(values) for name, values in found.items()}


def _play(
    game: StackelbergMeanFieldGame, preset: str, years: int, seed: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Indicators (B,) of the last year, and which games lived until then, (B,)."""
    leader, follower = POLICIES[preset]
    for year, alive in first_episodes(game, ConstantLeader(leader), ConstantFollower(follower), seed, years):
        indicators, lived = year.step.indicators, alive & ~year.step.done
    return indicators, lived
