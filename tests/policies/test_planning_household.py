"""Households who plan for ever: near the exact plan, sensible in taxes, and with little to gain by anything else."""

from __future__ import annotations

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.economy.calibration import benchmark
from envs.economy.presets import CALIBRATED
from envs.game import Array
from envs.scaling import coordinate, from_coordinate
from policies import registry
from policies.planned_household import PlannedHousehold
from policies.planning_household import PlanningHousehold
from rllib_smfg.rollout import play

US = np.array([[0.281, 0.181, 0.0, 0.0, 0.19]])


def observed(ability: Array, assets: Array, rate: float = 0.04, wage: float = 50.0) -> Array:
    """Observations (1, N, 4) of every ability beside every amount of assets."""
    e, a = (x.ravel() for x in np.meshgrid(ability, assets, indexing="ij"))
    return np.stack([e, a, np.full_like(e, wage), np.full_like(e, rate)], axis=-1)[None]


def test_it_is_near_the_plan_that_is_solved_for_the_united_states() -> None:
    found = benchmark(CALIBRATED)
    game = make("economy", preset="calibrated", games=4, followers=500)
    seen = game.reset(1).follower
    exact = PlannedHousehold(found).act(seen, US)
    chosen = registry.follower("planning", game).act(seen, np.tile(US, (4, 1)))
    assert np.abs(chosen[..., 1] - exact[..., 1]).mean() < 0.02
    # of cash on hand consumed, where anything is kept
    keeps = exact[..., 0] > 0.3
    assert np.abs((1 - chosen[..., 0]) / (1 - exact[..., 0]) - 1)[keeps].mean() < 0.05


def test_taxes_move_hours_and_saving_the_way_they_should() -> None:
    households = PlanningHousehold(make("economy", preset="calibrated", followers=10))
    seen = observed(np.array([0.5, 1.0, 3.0]), np.array([1e5, 1e6]))

    def chosen(**taxes: float) -> Array:
        action = dict(zip(("tau", "xi", "tau_a", "xi_a"), (0.28, 0.18, 0.0, 0.0), strict=True)) | taxes
        return households.act(seen, np.array([[*action.values(), 0.19]]))[0]

    usual, progressive, levied = chosen(), chosen(xi=0.35, tau=0.42), chosen(tau_a=0.02)
    assert (progressive[:, 1] < usual[:, 1]).all()
    assert (levied[:, 0] < usual[:, 0]).all()


def test_a_higher_rate_of_interest_makes_them_save_more() -> None:
    households = PlanningHousehold(make("economy", preset="calibrated", followers=10))
    low, high = (households.act(observed(np.ones(1), np.array([5e5]), rate), US)[0, 0, 0] for rate in (0.02, 0.06))
    assert high > low


def test_nobody_gains_by_saving_or_working_otherwise() -> None:
    """A tenth of the households shift their log odds of saving or of hours for good; the same luck without shows what
    that is worth to them, in discounted utility."""
    game = make("economy", preset="calibrated", games=2, followers=300, horizon=200)

    class Shifted(PlanningHousehold):
        shift = np.zeros(2)

        def act(self, observation: Array, leader_action: Array) -> Array:
            chosen = super().act(observation, leader_action)
            moved = coordinate(chosen[:, :30], self._box) + self.shift
            chosen[:, :30] = np.clip(from_coordinate(moved, self._box), self._low, self._high)
            return chosen

    def worth(shift: tuple[float, float]) -> float:
        households = Shifted(game)
        households.shift = np.array(shift)
        years = play(game, registry.leader("us_system", game), households, game.reset(4))
        return float(sum(0.96**t * next(years).step.follower_reward[:, :30].mean() for t in range(80)))

    usual = worth((0.0, 0.0))
    for shift in ((0.35, 0.0), (-0.35, 0.0), (0.0, 0.35), (0.0, -0.35)):
        assert worth(shift) < usual, shift


def test_taxes_to_plan_for_can_be_given() -> None:
    game = make("economy", preset="calibrated", followers=10)
    seen, other = observed(np.ones(2), np.array([1e5])), np.array([[0.1, 0.01, 0.0, 0.0, 0.1]])
    told = registry.follower("planning", game, taxes=US[0, :4].tolist())
    np.testing.assert_array_equal(told.act(seen, other), registry.follower("planning", game).act(seen, US))


@pytest.mark.parametrize(
    ("preset", "settings", "says"),
    [("paper", {}, "calibrated"), ("calibrated", {"taxes": [0.1, 0.2]}, "four numbers")],
)
def test_what_does_not_fit_is_refused(preset: str, settings: dict[str, list[float]], says: str) -> None:
    with pytest.raises(InvalidSetting, match=says):
        registry.follower("planning", make("economy", preset=preset, followers=5), **settings)
