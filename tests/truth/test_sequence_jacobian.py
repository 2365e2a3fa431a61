"""Small shocks in the untaxed case against sequence-jacobian (Auclert et al., Econometrica 2021)."""

from dataclasses import replace

import numpy as np
import pytest

from envs.economy.foresight import TransitionSetting, steady_state, transition
from envs.economy.presets import CALIBRATED

ssj = pytest.importorskip("sequence_jacobian", reason="dev extra: pip install sequence-jacobian")

YEARS = 200
UNTAXED = replace(
    CALIBRATED,
    labour_disutility=0.0,
    consumption_tax=0.0,
    share_low=1e-9,
    public_spending_weight=0.0,
    superstar_entry=0.0,  # what lies beyond its grid that library extrapolates
)


class Idle:
    """A government that does nothing."""

    def act(self, observation):
        return np.zeros((len(observation), 5))


@pytest.fixture(scope="module")
def setting():
    found = TransitionSetting.of(UNTAXED, states=3, points=150)
    return replace(found, household=replace(found.household, assets=found.household.assets / 50))


def linear_response(setting, start, shock):
    """Deviations of capital at the end of a year, per unit, from the sequence-space Jacobian of the same economy."""
    from sequence_jacobian import create_model, hetblocks, simple

    household, p = setting.household, setting.parameters
    unit = float((start.share * household.assets).sum())  # its tolerances are absolute: amounts in units of assets
    earning = household.hours * household.ability / unit

    def grids():
        e_grid, Pi, a_grid = earning, household.transition, household.assets / unit
        return e_grid, Pi, a_grid

    def income(w, e_grid):
        y = w * e_grid
        return y

    @simple
    def firm(K, L, Z, alpha, delta):
        r = alpha * Z * (K(-1) / L) ** (alpha - 1) - delta
        w = (1 - alpha) * Z * (K(-1) / L) ** alpha
        return r, w

    @simple
    def clearing(A, K):
        gap = A - K
        return gap

    block = hetblocks.hh_sim.hh.add_hetinputs([income, grids])
    model = create_model([block, firm, clearing])
    labour = float((start.share * earning[:, None]).sum())
    known = {"eis": 1.0, "beta": household.discount, "alpha": p.capital_share, "delta": p.depreciation}
    steady = model.steady_state({**known, "Z": p.tfp, "L": labour, "K": 1.0})
    assert steady["gap"] == pytest.approx(0, abs=2e-3)
    found = model.solve_impulse_linear(steady, ["K"], ["gap"], {"Z": p.tfp * shock})
    return unit * found["K"]


def test_a_small_shock_to_productivity_is_answered_as_the_linear_response_says(setting):
    shock = 1e-3 * 0.8 ** np.arange(YEARS)
    start = steady_state(setting, Idle(), debt_to_gdp=0.0).start
    still = transition(setting, start, Idle(), years=YEARS, tolerance=1e-9)
    found = transition(setting, start, Idle(), years=YEARS, productivity=1 + shock, tolerance=1e-9)
    ours = found.capital[1:] - still.capital[1:]
    theirs = linear_response(setting, start, shock)[:-1]
    largest = np.abs(theirs).max()
    assert largest > 1e-4 * still.capital[0]
    np.testing.assert_allclose(ours[:100], theirs[:100], atol=0.02 * largest)
