"""The sections that show economies at work, out of histories of a learned policy and of a free market."""

from __future__ import annotations

from experiments.report import economy_figures
from experiments.report.page import PageSection
from rllib_smfg.economics.history import History

SCHEDULE = (
    "tau is the level and xi the progressivity of the tax of Heathcote, Storesletten and Violante (2017), in the preset"
    " paper x - (1 - tau) / (1 - xi) x^(1 - xi) on x dollars."
)
SAME = (
    "The same households under the learned government and under a free market, with the same luck; a year that an"
    " economy does not live to see counts 0."
)


def sections(learned: History, free: History) -> list[PageSection]:
    """Five sections; `free` holds the same households, under the same luck, in a free market."""
    episodes, seeds = len(learned.first_wealth), learned.seeds
    played = f"{episodes} episodes ({seeds} seeds)" if seeds > 1 else f"{episodes} episodes"
    over = f"the means of {seeds} seeds" if seeds > 1 else played
    years = f"Mean over the economies that live, band from the 5th to the 95th percentile; {played}."
    least = "Free market: the same households under the least taxes and spending there are."
    alive = f"Households of all economies that live in the year; {played}."
    both, seen = {"learned": learned, "free market": free}, learned.snapshots
    return [
        PageSection("economy", "Over the years", [f"{years} {least}"], panels=economy_figures.over_years(both)),
        PageSection("government", "Government", [f"{SCHEDULE} {years}"], panels=economy_figures.government(learned)),
        PageSection("wealth", "Wealth", [alive], panels=economy_figures.inequality(seen)),
        PageSection("taxes", "Taxes", [f"Under the learned government. {alive}"], panels=economy_figures.taxes(seen)),
        PageSection(
            "gains",
            "Gains and losses",
            [f"{SAME} Bars: mean; lines: 95 % interval over {over}."],
            panels=economy_figures.gains(learned, free),
        ),
    ]
