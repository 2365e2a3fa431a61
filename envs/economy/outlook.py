"""What a household of the preset `calibrated` can tell of its choices before the year's markets clear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envs.economy.parameters import EconomyParameters
from envs.economy.instruments import names
from envs.economy.taxation import ScaledHSV
from envs.scaling import FeatureScaling

LIVED_ON = (0.05, 0.4)  # shares of assets
LEAST_AMOUNT = 1e-6  # dollars: what schedules and logarithms are taken of


@dataclass(frozen=True)
class HouseholdBudget:
    """This year's taxes as announced, at last year's prices and means; public spending is left out."""

    parameters: EconomyParameters
    scaling: FeatureScaling
    needs_leader: bool = True
    seen_again: Sequence[int] = (1,)

    @cached_property
    def _instruments(self) -> tuple[str, ...]:
        return names(self.parameters)

    @property
    def carried(self) -> int:
        """What is observed, and the logs of what can be lived on."""
        return len(self.scaling.unit) + len(LIVED_ON)

    def __call__(
        self, xp: ModuleType, observation: Sequence[Any], action: Sequence[Any], leader_action: Sequence[Any]
    ) -> tuple[Any, Sequence[Any]]:
        """Utility of consumption and toil; the observed, with the assets that are kept, as features; and the logs of
        what somebody would live on who spends all earnings and a small or a large share of assets: with them a value
        is nearly straight, among the poor, too.
        """
        p, s = self.parameters, self.scaling
        ability, assets, wage, rate, mean_income, mean_assets, *more = observation
        saved, worked = action
        announced = dict(zip(self._instruments, leader_action, strict=True))
        tau, xi, asset_tau, asset_xi = leader_action[:4]
        exempt = announced.get("wealth_tax_exemption")
        transfer = announced["transfer"] * mean_income if "transfer" in announced else None
        consumption_tax = announced.get("consumption_tax_rate", p.consumption_tax)
        earnings = wage * ability * p.maximal_hours * worked
        income = earnings + rate * assets
        if "labour_income_tax_rate" in announced:
            income = income - announced["labour_income_tax_rate"] * earnings
        if "capital_income_tax_rate" in announced:
            income = income - announced["capital_income_tax_rate"] * xp.clip(rate * assets, 0.0, None)
        left = _kept(xp, income, tau, xi, mean_income) + _kept(xp, assets, asset_tau, asset_xi, mean_assets, exempt)
        left = left if transfer is None else left + transfer
        cash = xp.clip(left, LEAST_AMOUNT, None)
        spent = xp.log((1 - saved) * cash / ((1 + consumption_tax) * p.log_consumption_unit))
        enjoyed = isoelastic(xp, spent, p.crra)
        toil = worked ** (1 + p.inverse_frisch) * (p.labour_disutility / (1 + p.inverse_frisch))
        kept = saved * cash
        after = (ability, kept, wage, rate, mean_income, mean_assets, *more)
        carried = [s.feature(k, x, xp) for k, x in enumerate(after)]
        earned = wage * ability * p.maximal_hours * p.initial_labour_share
        earned = earned if transfer is None else earned + transfer
        carried += [xp.log((earned + share * kept) / p.log_consumption_unit) for share in LIVED_ON]
        return (enjoyed - toil) / (p.utility_unit * p.typical_utility), carried

    def found(self, xp: ModuleType, carried: Sequence[Any]) -> Sequence[Any]:
        """Its assets."""
        return (carried[1],)


def isoelastic(xp: ModuleType, log_consumption: Any, crra: float) -> Any:
    """(c^(1 - theta) - 1) / (1 - theta) of ln c, which it is itself at theta = 1."""
    return log_consumption if crra == 1 else xp.expm1((1 - crra) * log_consumption) / (1 - crra)


def _kept(xp: ModuleType, amount: Any, tau: Any, xi: Any, unit: Any, exempt: Any = None) -> Any:
    """Amounts after a scaled HSV tax on what exceeds an exemption, if there is one; losses are borne in full."""
    schedule = ScaledHSV(tau, xi, unit)
    if exempt is None:
        return schedule.kept(xp.clip(amount, LEAST_AMOUNT, None)) + xp.clip(amount, None, 0.0)
    above = amount - exempt
    taxed = xp.clip(above, LEAST_AMOUNT, None)
    return amount - xp.where(above > 0, taxed - schedule.kept(taxed), 0 * taxed)
