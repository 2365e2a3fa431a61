"""The US federal income tax of 2022, single filer (IRS Rev. Proc. 2021-45), the same in every year."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.economy.taxation import US_FEDERAL_CEILING, US_FEDERAL_CREDIT, Schedule, us_federal_2022
from envs.game import StackelbergMeanFieldGame
from policies.tax_rule import TaxRule


class USFederalTax(TaxRule):
    """`envs.economy.taxation.us_federal_2022` on incomes, nothing on assets.

    credit (dollars) and ceiling (dollars of taxable income beyond which nothing more is owed) are from the program of
    the paper; credit=0 and ceiling=inf give the published tax. spending_share: see `TaxRule`.
    """

    nearest_taxes = (0.256, 0.0945, 0.0, 0.0)

    def __init__(
        self,
        game: StackelbergMeanFieldGame,
        spending_share: float | None = None,
        credit: float = US_FEDERAL_CREDIT,
        ceiling: float = US_FEDERAL_CEILING,
    ) -> None:
        super().__init__(game, spending_share)
        self._schedule = us_federal_2022(credit, ceiling)

    def schedule(self, year: NDArray[np.int64]) -> Schedule:
        """The same brackets for every game and year."""
        return self._schedule
