"""What policies are worth to households: discounted consumption equivalents against a reference, paired by episode."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import InvalidSetting, StackelbergMeanFieldGame
from envs.economy.game import Economy
from envs.economy.households import consumption_equivalent, utility_of_public_goods_too
from envs.economy.parameters import EconomyParameters
from envs.game import Array
from rllib_smfg.statistics.summaries import paired_draws, percentile_interval

PER_CENT = 100
Content = dict[str, Any]
# what `content` says of a row
ROW = ("consumption_equivalent", "by_wealth", "ended_early", "ends", "reference")


@dataclass(frozen=True)
class ConsumptionEquivalent:
    """By what per cent all consumption under the reference would have to rise for every year to be worth as much.

    Of the average household and episode, years weighted by the discount factor, transition included. ci_low and
    ci_high: 95 % interval over the same episodes, and over training seeds where there are several. per_seed: of each
    training seed. by_wealth: of each tenth of the households by first wealth, poorest first.
    """

    reference: str
    mean: float
    ci_low: float
    ci_high: float
    per_seed: list[float]
    by_wealth: list[float]


def measurable(game: StackelbergMeanFieldGame) -> bool:
    """Whether the game's rewards are utilities that consumption equivalents can be worked out of."""
    return isinstance(game, Economy) and game.parameters.laws.utility is utility_of_public_goods_too


def obstacle(parameters: EconomyParameters) -> str:
    """Why there are no consumption equivalents in an economy; empty where there are."""
    try:
        consumption_equivalent(parameters, 0.0, 0.0)
    except InvalidSetting as error:
        return str(error)
    return ""


def compared(
    parameters: EconomyParameters, reference: str, worth: Array, reference_worth: Array
) -> ConsumptionEquivalent:
    """Of what episodes were worth by tenth (training seeds K, episodes E, 10), and of the reference's (L, E, 10).

    See `rollout.Episodes.worth`. Episodes of both met the same luck. The bootstrap draws both sides' training seeds
    separately and the same episodes for both.
    """

    def per_cent(gain: Any) -> Any:
        return [PER_CENT * consumption_equivalent(parameters, float(each), 0.0) for each in np.atleast_1d(gain)]

    own, other = worth.mean(axis=-1), reference_worth.mean(axis=-1)
    gains = [each.mean(axis=1) for each in paired_draws(own, other)]
    low, high = percentile_interval(np.concatenate(gains))
    (mean,), (ci_low,), (ci_high,) = per_cent(own.mean() - other.mean()), per_cent(low), per_cent(high)
    return ConsumptionEquivalent(
        reference=reference,
        mean=mean,
        ci_low=ci_low,
        ci_high=ci_high,
        per_seed=per_cent(own.mean(axis=1) - other.mean()),
        by_wealth=per_cent(worth.mean(axis=(0, 1)) - reference_worth.mean(axis=(0, 1))),
    )


def content(
    found: ConsumptionEquivalent | None, years: NDArray[Any], ended_early: NDArray[Any], reference: str | None
) -> Content:
    """What every JSON says of a row whose episodes, of any shape, lived so many years: null for the consumption
    equivalent where there is none; the share of episodes that end early, and when they do in words.
    """
    told: Content = asdict(found) if found else {}
    interval = {name: told[name] for name in ("mean", "ci_low", "ci_high", "per_seed")} if found else None
    return {
        "consumption_equivalent": interval,
        "by_wealth": told.get("by_wealth"),
        "ended_early": float(np.mean(ended_early)),
        "ends": ending(years, ended_early),
        "reference": reference,
    }


def read(row: Content) -> ConsumptionEquivalent | None:
    """The consumption equivalent out of a row that `content` wrote; None where it has none."""
    interval = row.get("consumption_equivalent")
    if interval is None:
        return None
    return ConsumptionEquivalent(row["reference"], **interval, by_wealth=row["by_wealth"])


def ending(years: NDArray[Any], ended_early: NDArray[Any]) -> str:
    """In words when episodes, of any shape, ended before their horizon (mean, first and last); empty where none did."""
    ended = np.asarray(ended_early, dtype=bool)
    if not ended.any():
        return ""
    first, last = int(years[ended].min()), int(years[ended].max())
    when = f"year {years[ended].mean():.0f}" + (f" ({first} to {last})" if first < last else "")
    share = PER_CENT * ended.mean()
    return f"ends in {when}" if ended.all() else f"{share:.2g} % end early, in {when}"
