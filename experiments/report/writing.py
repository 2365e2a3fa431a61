"""Numbers as people read them."""

from __future__ import annotations

import math

NAMES = ((1e12, "tn"), (1e9, "bn"), (1e6, "m"), (1e3, "k"))
WORDS = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
DOLLARS = ("per_capita_gdp", "mean_assets", "mean_income", "mean_consumption")
SHARES = (
    "mean_saving_rate",
    "mean_marginal_rate",
    "interest_rate",
    "household_exploitability",
    "government_exploitability",
)


def compact(value: float) -> str:
    """1.93e12 as 1.93tn; powers of ten beyond trillions as 1e16."""
    size = abs(value)
    if not math.isfinite(value):
        return "n/a"
    if size >= 1e15:
        mantissa, exponent = f"{value:.2e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    for unit, name in NAMES:
        if size >= 0.9995 * unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def amount(value: float) -> str:
    """1.93e12 as "1.93 trillion", for sentences."""
    for unit, name in WORDS:
        if 0.9995 * unit <= abs(value) < 1e15:
            return f"{value / unit:.3g} {name}"
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else compact(value)


def shown(indicator: str, value: float) -> str:
    """An indicator's value with its unit."""
    if indicator in DOLLARS:
        return f"${compact(value)}"
    if indicator in SHARES:
        return f"{round(100 * value, 6) + 0.0:.3g} %"  # what is left of rounding is 0, not -1e-12
    return compact(value)


def times(ratio: float) -> str:
    """How many times as much: "3.2 times", "650 times"."""
    return f"{ratio:.2g} times" if ratio < 100 else f"{amount(float(f'{ratio:.2g}'))} times"


def listed(parts: list[str]) -> str:
    """a, b and c."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
