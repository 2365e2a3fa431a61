"""What an economy is between two years, and what happens in one: plain records of arrays for B games of N households.

Amounts are US dollars, hours are hours a year. Per game: (B, 1) in float64. Per household: (B, N), float64 or float32.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.arrays import positive
from envs.game import Array, BoolArray


@dataclass(frozen=True)
class EconomyState:
    """Where B economies stand between two years; `income` and the prices are the last ones seen.

    Per household (B, N): ability, superstar (bool), assets, income, and assets and income in ascending order (sorting
    is the dearest step of a year, and what is taxed keeps its order; None where only the future counts, which does not
    depend on them). Per game (B, 1): the rest; `tfp` is that of the coming year, without a
    scenario's shock.
    """

    ability: Array
    superstar: BoolArray
    assets: Array
    income: Array
    capital: Array
    debt: Array
    gdp: Array
    wage: Array
    interest_rate: Array
    tfp: Array
    maximal_hours: Array
    ascending_assets: Array = None  # type: ignore[assignment]
    ascending_income: Array = None  # type: ignore[assignment]

    @classmethod
    def of(cls, arrays: Mapping[str, Any] | EconomyState) -> EconomyState:
        """The state that `arrays` describes by name."""
        return arrays if isinstance(arrays, EconomyState) else cls(**arrays)

    def arrays(self) -> dict[str, Any]:
        """What the future depends on, by name: everything but the sorted copies."""
        return {name: getattr(self, name) for name in MOVING}

    @property
    def capital_to_gdp(self) -> Array:
        """Capital over the last GDP seen, (B, 1)."""
        return self.capital / positive(self.gdp)

    @property
    def debt_to_gdp(self) -> Array:
        """Debt over the last GDP seen, (B, 1)."""
        return self.debt / positive(self.gdp)

    def with_games(self, games: NDArray[np.int64], fresh: EconomyState) -> EconomyState:
        """A copy in which the economies of `fresh`, one for each index in `games`, stand in those games' place."""
        copies: dict[str, Any] = {name: _replaced(x, games, getattr(fresh, name)) for name, x in vars(self).items()}
        return EconomyState(**copies)

    def without_games(self, games: BoolArray) -> EconomyState:
        """A copy in which everything about these games, (B,) bool, is zero."""
        copies: dict[str, Any] = {name: _replaced(x, games, 0) for name, x in vars(self).items()}
        return EconomyState(**copies)


# the names of what the future depends on
MOVING = tuple(field.name for field in fields(EconomyState) if not field.name.startswith("ascending_"))


@dataclass(frozen=True)
class Choices:
    """What the households decide, (B, N) each: saving rate, and share of the maximal working time."""

    saving_rate: Array
    labour_share: Array


@dataclass(frozen=True)
class Shock:
    """What chance brings in a year: abilities and who is a superstar (B, N); factors on TFP and on assets (B, 1)."""

    ability: Array
    superstar: BoolArray
    tfp_factor: Array
    asset_factor: Array


@dataclass(frozen=True)
class Accounts:
    """The national accounts of a year, (B, 1) each, from which the capital of the next year follows.

    transfers: what households are paid in all; spending is without it.
    """

    capital: Array
    debt: Array
    total_assets: Array
    total_consumption: Array
    spending: Array
    transfers: Array
    revenue: Array
    total_next_assets: Array
    next_debt: Array


@dataclass(frozen=True)
class Prices:
    """What the markets for labour and capital settle in a year, (B, 1) each."""

    tfp: Array
    labour: Array
    gdp: Array
    wage: Array
    interest_rate: Array


@dataclass(frozen=True)
class Budgets:
    """What happens to the households' money in a year, (B, N) each.

    income_tax: that on earnings included. post_income: after tax and transfer.
    """

    income: Array
    income_tax: Array
    asset_tax: Array
    post_income: Array
    post_assets: Array
    consumption: Array
    next_assets: Array


@dataclass
class Flows:
    """Everything that happened in one year of B economies.

    Per game (B, 1): tfp ... income_gini. Per household (B, N): ability ... reward (the utility). terminated: (B,).
    `total_...` are sums over households.
    `assets`, `capital` and `debt` are those of the start of the year, after a financial crisis if there was one.
    """

    tfp: Array
    labour: Array
    gdp: Array
    wage: Array
    interest_rate: Array
    previous_gdp: Array
    capital: Array
    debt: Array
    total_assets: Array
    total_consumption: Array
    spending: Array
    transfers: Array
    revenue: Array
    total_next_assets: Array
    next_debt: Array
    next_capital: Array
    welfare: Array
    total_marginal_rate: Array
    wealth_gini: Array
    income_gini: Array
    ability: Array
    assets: Array
    saving_rate: Array
    labour_share: Array
    hours: Array
    income: Array
    income_tax: Array
    asset_tax: Array
    post_income: Array
    post_assets: Array
    consumption: Array
    next_assets: Array
    reward: Array
    terminated: BoolArray


def _replaced(old: Array, games: NDArray[Any], new: Any) -> Array:
    copy = old.copy()
    copy[games] = new
    return copy
