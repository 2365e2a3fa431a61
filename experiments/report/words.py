"""What a run has shown, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from envs.economy.indicators import TENTHS, by_tenth
from envs.solution import SOLVED_GAMES
from experiments.configuration.config import Experiment
from experiments.report.economy_figures import decile_intervals
from experiments.report.writing import amount, compact, listed, times
from experiments.results.comparison import TITLES, learned_row
from rllib_smfg.economics.history import History
from rllib_smfg.statistics.summaries import Summary

SummaryRows = Mapping[str, Mapping[str, Summary]]
FREE, CONSTANT = TITLES["free_market_learned"], TITLES["best_constant"]
ABOUT_EQUAL = 1.1  # a ratio of outputs that is not worth calling a difference


def of_economy(experiment: Experiment, rows: SummaryRows, horizon: int, learned: History, free: History) -> list[str]:
    """What happened to output, to inequality and to whom."""
    own = rows[learned_row(experiment)]
    sentences = [_alive(own, horizon)]
    if FREE in rows:
        sentences.append(_against_free_market(own, rows[FREE]))
    if CONSTANT in rows:
        sentences.append(_against_constant(own, rows[CONSTANT]))
    return [*sentences, _who_gains(learned, free), certainty(experiment)]


def _alive(seen: Mapping[str, Summary], horizon: int) -> str:
    years, gdp = seen["years"].mean, seen["per_capita_gdp"]
    lives = (
        f"lives all {horizon} years" if years >= horizon else f"ends after {years:.3g} of {horizon} years on average"
    )
    return (
        f"Under the learned policy an economy {lives}. Output averages {amount(gdp.mean)} dollars a household"
        f" (95 % interval: {amount(gdp.ci_low)} to {amount(gdp.ci_high)}), the wealth gini"
        f" {seen['wealth_gini'].mean:.2f} and social welfare {seen['social_welfare'].mean:.3g}."
    )


def _against_free_market(seen: Mapping[str, Summary], free: Mapping[str, Summary]) -> str:
    ratio = seen["per_capita_gdp"].mean / free["per_capita_gdp"].mean
    output = "about the same output"
    if not 1 / ABOUT_EQUAL < ratio < ABOUT_EQUAL:
        less = f"{100 * ratio:.2g} % of the output" if ratio > 0.01 else f"{times(1 / ratio)} less output"
        output = f"{times(ratio)} the output" if ratio > 1 else less
    change = seen["wealth_gini"].mean - free["wealth_gini"].mean
    inequality = "equally unequal wealth" if abs(change) < 0.01 else f"a wealth gini {abs(change):.2f} "
    inequality += "" if abs(change) < 0.01 else ("higher" if change > 0 else "lower")
    return (
        f"Compared with a free market in which the same households act by the same rule, that is {output} and"
        f" {inequality}; that economy lives {free['years'].mean:.3g} years."
    )


def _against_constant(seen: Mapping[str, Summary], constant: Mapping[str, Summary]) -> str:
    ratio = constant["per_capita_gdp"].mean / seen["per_capita_gdp"].mean
    better = f"{times(ratio)} as much" if ratio >= ABOUT_EQUAL else "no more"
    return (
        f"The best constant policy found, which also dictates what households do, produces {better}"
        f" ({amount(constant['per_capita_gdp'].mean)} dollars a household): it is the yardstick for growth,"
        " not an equilibrium."
    )


def _who_gains(learned: History, free: History) -> str:
    _, bounds = decile_intervals(by_tenth(learned.utility - free.utility, learned.first_wealth), learned.seeds)
    gain, lose = np.flatnonzero(bounds[:, 0] > 0) + 1, np.flatnonzero(bounds[:, 1] < 0) + 1
    unclear = len(bounds) - len(gain) - len(lose)
    if unclear == len(bounds):
        return "Who gains and who loses against the free market is not clear in any tenth of wealth."
    parts = [_tenths(gain, "better off"), _tenths(lose, "worse off")]
    if unclear:
        parts.append(f"for {_number(unclear)} the sign is not clear")
    said = listed([part for part in parts if part])
    return f"Against the free market, by tenths of wealth before the first year (1 is the poorest), {said}."


def _tenths(which: Sequence[int] | np.ndarray, how: str) -> str:
    """Which tenths are better or worse off."""
    if len(which) == 0:
        return ""
    if len(which) == TENTHS:
        return f"all ten are {how} in lifetime utility"
    run = len(which) > 2 and which[-1] - which[0] == len(which) - 1
    names = f"{which[0]} to {which[-1]}" if run else listed([str(k) for k in which])
    return f"{'tenths' if len(which) > 1 else 'tenth'} {names} {'are' if len(which) > 1 else 'is'} {how}"


def _number(count: int) -> str:
    return ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")[count]


def certainty(experiment: Experiment) -> str:
    """What the intervals mean, given the number of seeds."""
    seeds, episodes = len(experiment.training.seeds), experiment.evaluation.final_episodes
    if seeds == 1:
        return (
            f"This is one training seed: the intervals tell the luck of {episodes} episodes and nothing about how"
            " another training run would end."
        )
    return (
        f"Intervals are over {seeds} training seeds of {episodes} episodes each"
        + (" (fewer than five: take them as an indication)." if seeds < 5 else ".")
        + " All policies meet the same luck."
    )


def of_known_game(experiment: Experiment, rows: SummaryRows) -> list[str]:
    """For a game that is no economy: what was learned, and what it is set against."""
    own = learned_row(experiment)
    returns = rows[own]["leader_return"]
    others = [f"{policy}: {compact(row['leader_return'].mean)}" for policy, row in rows.items() if policy != own]
    against = f" ({'; '.join(others)})" if others else ""
    name = experiment.game.name
    solution = [f"The exact solution of this game: smfg solve {name}."] if name in SOLVED_GAMES else []
    return [
        f"The leader's return is {compact(returns.mean)} (95 % interval: {compact(returns.ci_low)} to"
        f" {compact(returns.ci_high)}){against}.",
        *solution,
        certainty(experiment),
    ]
