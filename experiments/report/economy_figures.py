"""What happens in the economies of a policy: year by year, between households, and against a free market."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes

from envs.economy.indicators import by_tenth, lorenz_curve
from envs.game import Array
from experiments.report.drawing import INK, MUTED, SERIES, YEARS, Panel, amounts, band, log_amounts, panel, percent
from experiments.report.writing import SHARES
from experiments.results.tables import headline, label
from rllib_smfg.economics.history import INCOMES, History, Snapshot
from rllib_smfg.statistics.summaries import interval

OVER_YEARS = {
    "per_capita_gdp": "Dollars a household",
    "social_welfare": "Sum of the households' rewards of a year",
    "wealth_gini": "0: all own the same; 1: one owns everything",
    "income_gini": "Of incomes after tax",
    "mean_consumption": "Dollars a household",
    "mean_saving_rate": "Share that is not consumed",
    "mean_hours": "Hours a household works in a year",
    "mean_marginal_rate": "Tax on one more dollar of income",
}
COLOURS = dict(zip(("learned", "free market"), SERIES, strict=False))
AT_THE_START = "tenth of households by first wealth, poorest first"
LEVELS, PROGRESSIVITY = {"tau (income)": 0, "tau_a (assets)": 2}, {"xi (income)": 1, "xi_a (assets)": 3}


def over_years(histories: Mapping[str, History]) -> list[Panel]:
    """Indicators year by year: mean over the economies that live, band over nine tenths of them."""

    def lived(axis: Axes) -> None:
        for name, history in histories.items():
            years = np.arange(1, len(history.lived) + 1)
            axis.plot(years, history.lived, color=COLOURS[name], label=name)
        axis.set_xlabel("year")
        percent(axis)
        axis.set_ylim(-0.03, 1.03)

    panels = [panel("Economies that live", "Share of the episodes that have not ended", lived)]
    known = next(iter(histories.values())).indicators
    return panels + [_indicator(name, note, histories) for name, note in OVER_YEARS.items() if name in known]


def _indicator(name: str, note: str, histories: Mapping[str, History]) -> Panel:
    def draw(axis: Axes) -> None:
        for policy, history in histories.items():
            values = history.indicators[name]
            years = np.arange(1, len(values) + 1)
            band(axis, years, *_spread(values), policy, COLOURS[policy])
        axis.set_xlabel("year")
        amounts(axis)
        if name in SHARES:
            percent(axis)

    return panel(headline(label(name)), note, draw)


def government(history: History) -> list[Panel]:
    """What the government does, year by year."""

    def lines(which: Mapping[str, int]) -> Panel:
        def draw(axis: Axes) -> None:
            for (name, k), colour in zip(which.items(), SERIES, strict=False):
                values = history.actions[:, :, k]
                band(axis, np.arange(1, len(values) + 1), *_spread(values), name if len(which) > 1 else None, colour)
            axis.set_xlabel("year")
            percent(axis)

        return panel(*titles[next(iter(which))], draw)

    titles = {
        "tau (income)": ("Level of taxes", "tau and tau_a of the schedules"),
        "xi (income)": ("Progressivity of taxes", "xi and xi_a of the schedules"),
        "spending": ("Public spending", "Share of GDP"),
    }
    return [lines(LEVELS), lines(PROGRESSIVITY), lines({"spending": 4})]


def inequality(snapshots: Mapping[int, Snapshot]) -> list[Panel]:
    """Lorenz curves and the distribution of wealth, by year."""

    def lorenz(axis: Axes) -> None:
        axis.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
        for (year, seen), colour in zip(snapshots.items(), YEARS, strict=False):
            population, held = lorenz_curve(np.maximum(seen.wealth, 0) + 1e-7)
            axis.plot(population, held.mean(0), color=colour, label=f"year {year}")
        axis.set_xlabel("share of households, poorest first")
        percent(axis, "x")
        percent(axis)

    def density(axis: Axes) -> None:
        for (year, seen), colour in zip(snapshots.items(), YEARS, strict=False):
            wealth = np.log10(np.maximum(seen.wealth.ravel(), 1.0))
            edges = np.arange(np.floor(wealth.min() * 4) / 4, wealth.max() + 0.5, 0.25)
            share = np.histogram(wealth, edges)[0] / wealth.size
            axis.stairs(share, 10**edges, color=colour, label=f"year {year}", fill=False, linewidth=1.6)
        axis.set_xlabel("wealth at the end of the year, dollars")
        log_amounts(axis, "x")
        percent(axis)

    def held(axis: Axes) -> None:
        for (year, seen), colour in zip(snapshots.items(), YEARS, strict=False):
            tenths = by_tenth(seen.wealth, seen.wealth)
            _tenths(axis, _ratio(tenths, tenths.sum(-1, keepdims=True)), colour, f"year {year}")
        percent(axis)
        axis.set_xlabel("tenth of households by wealth, poorest first")

    return [
        panel("Wealth of each tenth", "Share of all wealth", held),
        panel("Lorenz curves of wealth", "What the poorest hold; dotted: equality", lorenz),
        panel("Distribution of wealth", "Share of households; four steps a power of ten", density),
    ]


def taxes(snapshots: Mapping[int, Snapshot]) -> list[Panel]:
    """The income-tax schedule where incomes lie, and what households pay by tenth of income."""

    def schedule(axis: Axes) -> None:
        for (year, seen), colour in zip(snapshots.items(), YEARS, strict=False):
            if seen.marginal_rate is None or seen.average_rate is None:
                continue
            low, high = np.quantile(seen.income, (0.01, 0.99))
            inside = (low <= INCOMES) & (high >= INCOMES)
            axis.plot(INCOMES[inside], seen.marginal_rate.mean(0)[inside], color=colour, label=f"year {year}")
            axis.plot(INCOMES[inside], seen.average_rate.mean(0)[inside], color=colour, linestyle="--")
        axis.set_xlabel("income of a year, dollars")
        log_amounts(axis, "x")
        percent(axis)

    def effective(taxed: str, amount: str) -> Callable[[Axes], None]:
        def draw(axis: Axes) -> None:
            for (year, seen), colour in zip(snapshots.items(), YEARS, strict=False):
                paid, base = getattr(seen, taxed), getattr(seen, amount)
                _tenths(axis, _ratio(by_tenth(paid, base), by_tenth(base, base)), colour, f"year {year}")
            percent(axis)
            axis.set_xlabel("tenth of households by that amount, poorest first")

        return draw

    ruled = any(seen.marginal_rate is None for seen in snapshots.values())
    note = "Solid: on one more dollar; dashed: average"
    panels = [] if ruled else [panel("Income-tax schedule", note, schedule)]
    return [
        *panels,
        panel("Income tax paid", "As a share of income", effective("income_tax", "income")),
        panel("Wealth tax paid", "As a share of wealth before tax", effective("asset_tax", "assets")),
    ]


def gains(learned: History, free: History) -> list[Panel]:
    """Who gains and who loses against a free market, by tenth of wealth before the first year."""
    change = learned.utility - free.utility
    ranked_by = learned.first_wealth

    def levels(axis: Axes) -> None:
        for (name, colour), history in zip(COLOURS.items(), (learned, free), strict=True):
            _tenths(axis, by_tenth(history.utility, ranked_by), colour, name)
        axis.set_xlabel(AT_THE_START)

    def mean(axis: Axes) -> None:
        _bars(axis, *decile_intervals(by_tenth(change, ranked_by), learned.seeds))
        amounts(axis)

    def better(axis: Axes) -> None:
        _bars(axis, *decile_intervals(by_tenth((change > 0).astype(np.float64), ranked_by), learned.seeds))
        axis.set_ylim(0, 1.02)
        percent(axis)

    return [
        panel("Lifetime utility", "Rewards of all years, discounted to the first", levels),
        panel("Change in lifetime utility", "Learned government minus free market", mean),
        panel("Households that gain", "Share better off than under a free market", better),
    ]


def decile_intervals(values: Array, seeds: int) -> tuple[Array, Array]:
    """Means (10,) and 95 % intervals (10, 2) of values (E, 10): over seeds where there are several, else episodes."""
    observations = values.reshape(seeds, -1, values.shape[-1]).mean(1) if seeds > 1 else values
    return observations.mean(0), np.array([interval(tenth) for tenth in observations.T])


def _tenths(axis: Axes, values: Array, colour: str, name: str) -> None:
    """A line over the tenths of the households, from values (E, 10)."""
    tenths = np.arange(1, values.shape[1] + 1)
    axis.plot(tenths, values.mean(0), color=colour, marker="o", markersize=3, label=name)
    axis.set_xticks(tenths)


def _ratio(above: Array, below: Array) -> Array:
    """above / below; not a number, and not drawn, where there is nothing below."""
    nothing = np.full(np.broadcast(above, below).shape, np.nan)
    ratio: Array = np.divide(above, below, out=nothing, where=below != 0)
    return ratio


def _bars(axis: Axes, middle: Array, bounds: Array) -> None:
    """A bar a tenth (10,), with its interval (10, 2)."""
    tenths = np.arange(1, len(middle) + 1)
    axis.bar(tenths, middle, color=[SERIES[0] if value >= 0 else SERIES[1] for value in middle], width=0.75, alpha=0.85)
    axis.vlines(tenths, bounds[:, 0], bounds[:, 1], color=INK, linewidth=1.2)
    axis.axhline(0, color=MUTED, linewidth=0.8)
    axis.set_xticks(tenths)
    axis.set_xlabel(AT_THE_START)


def _spread(values: Array) -> tuple[Array, Array, Array]:
    """Mean, 5th and 95th percentile over episodes (T, E), of those that live."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # years that no episode lived to see
        low, high = np.nanquantile(values, (0.05, 0.95), axis=1)
        return np.nanmean(values, axis=1), low, high
