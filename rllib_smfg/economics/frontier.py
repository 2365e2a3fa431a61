"""Constant policies of an economy that no other surpasses, between growth, welfare and equality."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from envs import InvalidSetting, make
from envs.game import Array
from policies.frontier import Actions, Indicators, Objective, best, bounds, refine, spread, undominated
from rllib_smfg.economics.constant_search import MIXED_STARTS, play_each, play_often, search_settings, split
from rllib_smfg.metrics import over_horizon
from rllib_smfg.playing import one_thread
from rllib_smfg.storage.files import write_json

# indicator -> 1 if more of it is better, -1 if less is
CRITERIA = {"per_capita_gdp": 1.0, "social_welfare": 1.0, "wealth_gini": -1.0}
# what is searched for: weights of log GDP, of a household's mean reward and of the wealth gini's distance from 1.
# (1, 0, 10) is the end of the paper's figure 4b that values equality most.
WEIGHTS = ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 10), (1, 50, 0), (0, 1, 1))
# episodes a candidate plays: with one alone, the search would chase those that luck kept from collapse
EPISODES = 4
POPULATION, GENERATIONS = 16, 8
FINALISTS, FINAL_EPISODES = 10, 16


@dataclass(frozen=True)
class FrontierPoint:
    """A constant policy in natural units, and its indicators: means over `FINAL_EPISODES` episodes."""

    leader_action: list[float]
    follower_action: list[float]
    indicators: dict[str, float]


def constant_frontier(settings: Mapping[str, Any], seed: int, file: Path | None = None) -> list[FrontierPoint]:
    """Constant policies that no other one found surpasses in one of `CRITERIA` without losing in another, years that an
    ended episode did not live included (`over_all_years`); what is told of them are means over the years lived.

    settings: what `envs.make` takes; seed: of the luck of the search. Sorted by GDP, largest first. With a `file`, what
    it holds is taken if it was found under the same settings; otherwise it is searched and written there.
    Raises InvalidSetting for a game that is no economy.
    """
    settings = search_settings({**settings, "games": 1})
    if settings["name"] != "economy":
        raise InvalidSetting(f"game '{settings['name']}' has no frontier of {', '.join(CRITERIA)}: must be 'economy'")
    found_under = {"game": settings, "seed": seed, **_search_effort()}
    known = _read_found(file, found_under) if file else None
    if known is not None:
        return known
    with one_thread():
        points = _search(settings, seed)
    if file:
        write_json(file, {"settings": found_under, "points": [asdict(point) for point in points]})
    return points


def _search(settings: Mapping[str, Any], seed: int) -> list[FrontierPoint]:
    """Every objective's best from common starts, then all of them under common luck that the search has not seen."""
    game = make(**settings)
    low, high = bounds(game)
    horizon = game.horizon

    def play(candidates: Actions) -> Indicators:
        results = over_all_years(play_each(settings, np.repeat(candidates, EPISODES, axis=0), seed), horizon)
        return {name: values.reshape(-1, EPISODES).mean(1) for name, values in results.items()}

    starts = spread(low, high, MIXED_STARTS, seed)
    seen = play(starts)
    finalists = []
    for weights in WEIGHTS:
        objective = _objective_of(weights, settings["followers"])
        first = best(starts, objective(seen), POPULATION)
        finalists.append(refine(play, objective, first, low, high, GENERATIONS, seed)[:FINALISTS])
    candidates = np.unique(np.concatenate(finalists), axis=0)
    points = [_point_of(settings, candidate, seed + 1) for candidate in candidates]
    counted = [over_all_years({k: np.array(v) for k, v in point.indicators.items()}, horizon) for point in points]
    keep = undominated(np.array([[sign * each[name] for name, sign in CRITERIA.items()] for each in counted]))
    kept = [point for point, kept in zip(points, keep, strict=True) if kept]
    return sorted(kept, key=lambda point: -point.indicators["per_capita_gdp"])


def over_all_years(indicators: Mapping[str, Array], horizon: int) -> dict[str, Array]:
    """The indicators with those of `metrics.UNLIVED` as means over all years of the horizon."""
    return {**indicators, **over_horizon(indicators, horizon)}


def _objective_of(weights: tuple[float, float, float], followers: int) -> Objective:
    def weighted(indicators: Indicators) -> Array:
        growth = np.log(np.maximum(indicators["per_capita_gdp"], 1.0))
        welfare, equality = indicators["social_welfare"] / followers, 1 - indicators["wealth_gini"]
        return weights[0] * growth + weights[1] * welfare + weights[2] * equality

    return weighted


def _point_of(settings: Mapping[str, Any], candidate: Actions, seed: int) -> FrontierPoint:
    results = play_often(settings, candidate, FINAL_EPISODES, seed)
    leader, follower = split(settings, candidate)
    return FrontierPoint(leader, follower, {name: float(np.mean(values)) for name, values in results.items()})


def _search_effort() -> dict[str, Any]:
    return {
        "starts": MIXED_STARTS,
        "population": POPULATION,
        "generations": GENERATIONS,
        "finalists": FINALISTS,
        "episodes": [EPISODES, FINAL_EPISODES],
        "criteria": CRITERIA,
        "weights": [list(weights) for weights in WEIGHTS],
        "years": "all of the horizon",
    }


def _read_found(file: Path, found_under: Mapping[str, Any]) -> list[FrontierPoint] | None:
    """What was found before under the same settings; None where nothing was, or the file cannot be read."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["settings"] != found_under:
            return None
        return [FrontierPoint(**point) for point in content["points"]]
    except (OSError, ValueError, KeyError, TypeError):
        return None
