"""The laws of Krusell and Smith (1998), "Income and wealth heterogeneity in the macroeconomy", JPE 106: a quarter.

Booms and recessions alternate; in either, households find and lose work. Y = z K^alpha L^(1 - alpha), per household,
with z and the labour L of each phase; households own all capital and may not borrow. Their calibration, in the units of
Den Haan, Judd and Juillard (2010, JEDC 34), who add an unemployment benefit of .15 that the employed pay for.

Arrays over both are in the order (recession, boom) and (unemployed, employed).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.game import InvalidSetting

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
RECESSION, BOOM = 0, 1
UNEMPLOYED, EMPLOYED = 0, 1
SHORTEST = 1.001  # quarters: what lasts a single one has no chance to stay
# of the chance to stay unemployed, where a recession begins and where it ends, to that where the new phase lasts
LONGER_AS_IT_BEGINS, SHORTER_AS_IT_ENDS = 1.25, 0.75
BOUNDS = {
    "beta": (0.5, 0.999),
    "alpha": (0.01, 0.99),
    "delta": (0.001, 1.0),
    "swing": (0.0, 0.5),
    "phase": (SHORTEST, 1000.0),
    "boom_unemployment": (0.0, 0.5),
    "recession_unemployment": (0.0, 0.5),
    "boom_search": (SHORTEST, 100.0),
    "recession_search": (SHORTEST, 100.0),
    "benefit": (0.0, 1.0),
}


@dataclass(frozen=True)
class Parameters:
    """`beta`, `alpha`, `delta`: a quarter's discount factor, capital's share, depreciation.

    swing: z is 1 + swing in booms, 1 - swing in recessions. phase: quarters that either lasts on average.
    *_unemployment: shares of the households. *_search: quarters that unemployment lasts where the phase does.
    benefit: of the unemployed, as a share of the wage of a unit of labour (the employed supply 1 / .9 units).

    Raises InvalidSetting where one is outside its bounds, or where the shares cannot be kept by any chance of losing
    one's work.
    """

    beta: float = 0.99
    alpha: float = 0.36
    delta: float = 0.025
    swing: float = 0.01
    phase: float = 8.0
    boom_unemployment: float = 0.04
    recession_unemployment: float = 0.1
    boom_search: float = 1.5
    recession_search: float = 2.5
    benefit: float = 0.0

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidSetting(f"{name} = {getattr(self, name)}: must be between {low:g} and {high:g}")
        if not np.all((self.becomes_unemployed >= 0) & (self.becomes_unemployed <= 1)):
            raise InvalidSetting(
                f"boom_unemployment = {self.boom_unemployment:g}, recession_unemployment ="
                f" {self.recession_unemployment:g}: nobody's chances keep these shares; bring them nearer together"
            )

    @property
    def unemployment(self) -> Vector:
        """Shares (2,)."""
        return np.array([self.recession_unemployment, self.boom_unemployment])

    @property
    def hours(self) -> float:
        """Labour that each of the employed supplies: such that labour is 1 in a recession of their calibration."""
        return 1 / 0.9

    @property
    def labour(self) -> Vector:
        """L (2,), per household."""
        return (1 - self.unemployment) * self.hours

    @property
    def tfp(self) -> Vector:
        """z (2,)."""
        return np.array([1 - self.swing, 1 + self.swing])

    @property
    def phases(self) -> Matrix:
        """Chances (2, 2) of the phase of the next quarter (column) after this one's (row)."""
        stays = 1 - 1 / self.phase
        return np.array([[stays, 1 - stays], [1 - stays, stays]])

    @cached_property
    def becomes_unemployed(self) -> NDArray[np.float64]:
        """Chances (2, 2, 2) of being unemployed next quarter: by this phase, the next, and this quarter's employment.

        Unemployment is the share of its phase in every quarter: u(z') = u(z) p(stay) + (1 - u(z)) p(lose work).
        """
        lasting = 1 - 1 / np.array([self.recession_search, self.boom_search])
        stays = np.diag(lasting)
        stays[BOOM, RECESSION] = LONGER_AS_IT_BEGINS * lasting[RECESSION]
        stays[RECESSION, BOOM] = SHORTER_AS_IT_ENDS * lasting[BOOM]
        now, then = self.unemployment[:, None], self.unemployment[None, :]
        loses = (then - now * stays) / (1 - now)
        return np.stack([stays, loses], axis=-1)

    @property
    def transition(self) -> NDArray[np.float64]:
        """Chances (2, 2, 2, 2): phase, employment, next phase, next employment."""
        chance = np.moveaxis(self.becomes_unemployed, -1, 1)  # phase, employment, next phase
        chance = np.stack([chance, 1 - chance], axis=-1)
        found: NDArray[np.float64] = chance * self.phases[:, None, :, None]
        return found

    @property
    def golden_capital(self) -> float:
        """Capital per household where alpha K^(alpha - 1) = 1 / beta - 1 + delta at the mean z and L of both phases."""
        return float((self.alpha / (1 / self.beta - 1 + self.delta)) ** (1 / (1 - self.alpha)) * self.labour.mean())

    def prices(self, capital: Any, tfp: Any, labour: Any) -> tuple[Any, Any]:
        """What a unit of capital is a quarter later (1 + r), and the wage of a unit of labour."""
        per_labour = capital / labour
        gross = 1 + self.alpha * tfp * per_labour ** (self.alpha - 1) - self.delta
        return gross, (1 - self.alpha) * tfp * per_labour**self.alpha

    def earned(self, employed: Any, wage: Any, labour: Any) -> Any:
        """What a household earns after tax, by whether it is `employed` (1 or 0): the employed pay for the benefits."""
        paid_by_each = self.benefit * (1 - labour / self.hours) / labour  # of the wage, a unit of labour
        return wage * (employed * self.hours * (1 - paid_by_each) + (1 - employed) * self.benefit)
