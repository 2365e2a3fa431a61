"""The exact gain of households over frozen play."""

from dataclasses import replace

import numpy as np
import pytest

from envs import InvalidSetting, aiyagari, make
from envs.economy.taxation import Brackets
from policies import FollowerPolicy, registry
from policies.constant import ConstantLeader
from rllib_smfg.exploitability import exact
from rllib_smfg.exploitability.frozen_path import frozen_play
from rllib_smfg.exploitability.household_problems import has_household_problem, household_problem


@pytest.fixture(scope="module")
def calibrated():
    return make(name="economy", preset="calibrated", task="social_welfare", games=3, followers=1000, horizon=60)


@pytest.fixture(scope="module")
def planners(calibrated):
    return registry.leader("us_system", calibrated), registry.follower("planning", calibrated)


class Perturbed(FollowerPolicy):
    """Households whose saving is off by a share of what they consume."""

    def __init__(self, follower, by):
        self.follower, self.by = follower, by

    def act(self, observation, leader_action):
        actions = np.array(self.follower.act(observation, leader_action))
        actions[..., 0] = 1 - (1 + self.by) * (1 - actions[..., 0])
        return actions


def test_planners_gain_about_a_tenth_of_a_per_cent_whatever_the_grid(calibrated, planners):
    usual = exact.household_gain(calibrated, *planners, seed=5)
    fine = exact.household_gain(calibrated, *planners, seed=5, states=21, points=400)
    assert 0.03 < usual.of_consumption.value < 0.3
    np.testing.assert_allclose(usual.per_game, fine.per_game, atol=0.01)
    assert usual.of_own_return.value < 0.1
    assert len(usual.by_wealth) == 10
    assert np.mean(usual.by_wealth) == pytest.approx(usual.of_consumption.value)
    assert calibrated.horizon == 60


def test_who_plays_worse_gains_more(calibrated, planners):
    leader, follower = planners
    own = exact.household_gain(calibrated, leader, follower, seed=1)
    lavish = exact.household_gain(calibrated, leader, Perturbed(follower, 0.1), seed=1)
    assert lavish.of_consumption.value > own.of_consumption.value + 0.3


@pytest.mark.parametrize("crra", [1.0, 2.0])
def test_no_other_plan_does_better_than_the_response(crra):
    game = make(name="economy", preset="calibrated", games=1, followers=1000, horizon=60, crra=crra)
    leader = registry.leader("us_system", game)
    # plans were solved at crra = 1; the path of anybody will do
    follower = registry.follower("constant", game, action=[0.9, 0.41])
    problem = household_problem(game)
    play = frozen_play(game, leader, follower, seed=2, years=60)[0]
    response = exact.best_response(problem, play)
    best = exact._score(problem, play, response, 0).gained.mean()
    random = np.random.default_rng(0)
    wavering = 1 + 0.03 * random.standard_normal((3, 2, 60))
    steady = [
        np.full((2, 60), factors) for factors in ([[1.0], [1.05]], [[1.0], [0.95]], [[1.03], [1.0]], [[0.97], [1.0]])
    ]
    for consumed, worked in [*wavering, *steady]:
        changed = [
            replace(plan, consumption=c * plan.consumption, labour=w * plan.labour)
            for plan, c, w in zip(response.plans, consumed, worked, strict=True)
        ]
        other = replace(response, plans=changed)
        assert exact._score(problem, play, other, 0).gained.mean() < best


def test_from_a_later_year_and_off_the_path(calibrated, planners):
    found = exact.household_gains(calibrated, *planners, 3, sinces=(0, 20), shifts=(0.0, 0.1))
    assert [(each.since, each.shift) for each in found] == [(0, 0.0), (20, 0.0), (0, 0.1), (20, 0.1)]
    assert all(each.years == (80 if each.since == 0 else 60) for each in found)
    assert all(each.of_consumption.value > 0 for each in found)
    assert found[0].per_game != found[2].per_game


def test_tax_schedules_that_are_no_actions_are_followed():
    calibrated = make(name="economy", preset="calibrated", games=1, followers=200, horizon=40)
    leader = registry.leader("us_federal", calibrated)
    follower = registry.follower("planning", calibrated, taxes=[0.3, 0.1, 0.0, 0.0])
    assert exact.household_gain(calibrated, leader, follower, seed=0).of_consumption.value > 0
    with pytest.raises(InvalidSetting, match="no instruments to shift"):
        exact.household_gain(calibrated, leader, follower, seed=0, shift=0.1)


def test_what_the_household_problem_does_not_know_of_is_refused(calibrated, planners):
    leader, follower = planners

    class Secretive(type(leader)):
        def enact(self, game, leader_action, follower_action):
            return game.step(leader_action, follower_action, income_tax=Brackets((0.0,), (0.5,)))

    with pytest.raises(InvalidSetting, match="does not follow from the prices and taxes"):
        exact.household_gain(calibrated, Secretive(calibrated), follower, seed=0)
    crisis = make(name="economy", preset="calibrated", games=1, followers=50, horizon=120, shock="financial_crisis")
    with pytest.raises(InvalidSetting, match="shock"):
        exact.household_gain(crisis, *(registry.leader("us_system", crisis), registry.follower("planning", crisis)), 0)


def test_years_that_no_game_lives_to_are_left_out(calibrated):
    """A government that spends nearly two fifths of output and taxes little is soon at the end of its credit."""
    leader = ConstantLeader([0.05, 0.1, 0.001, 0.001, 0.39])
    follower = registry.follower("planning", calibrated)
    (only,) = exact.household_gains(calibrated, leader, follower, 0, sinces=(0, 40), shifts=(0.0,))
    assert (only.since, only.years < 40) == (0, True)
    with pytest.raises(InvalidSetting, match="since = 40: no game lives that long"):
        exact.household_gain(calibrated, leader, follower, 0, since=40)


class Exact(FollowerPolicy):
    """The households of an exact solution."""

    def __init__(self, solution):
        self.solution = solution

    def act(self, observation, leader_action):
        return self.solution.follower_rule(observation, leader_action)


def test_the_exact_solution_of_aiyagari_gains_next_to_nothing_in_its_long_run():
    game = make(name="aiyagari", games=2, followers=1000, horizon=100)
    follower = Exact(aiyagari.solution(game.parameters, 1000, "stackelberg"))
    leader = ConstantLeader([0.5])
    start, later = exact.household_gains(game, leader, follower, 0, sinces=(0, 100), shifts=(0.0,))
    assert -0.001 < later.of_consumption.value < 0.05
    assert start.of_consumption.value > later.of_consumption.value  # the rule knows the long run's prices only


def test_games_without_a_household_problem_are_told_apart():
    assert has_household_problem(make(name="aiyagari", games=1, followers=10))
    assert not has_household_problem(make(name="economy", preset="paper", games=1, followers=10))
    with pytest.raises(InvalidSetting, match="must be aiyagari, or economy"):
        household_problem(make(name="stage_game", games=1, followers=10))


def test_households_who_know_the_path_gain_less_than_planners_where_taxes_change(calibrated):
    leader = registry.leader("debt_rule", calibrated, tau=0.332, xi=0.35, debt=-1.0)
    gains = {}
    for name in ("planning", "perfect_foresight"):
        follower = registry.follower(name, calibrated)
        gains[name] = exact.household_gain(calibrated, leader, follower, seed=4).of_consumption.value
    assert 0 < gains["perfect_foresight"] < gains["planning"]  # what is left is the luck of N households


def test_households_who_foresee_must_be_told_who_governs(calibrated):
    follower = registry.follower("perfect_foresight", calibrated)
    seen = calibrated.reset(0).follower
    with pytest.raises(RuntimeError, match="not told who governs"):
        follower.act(seen, np.zeros((3, 5)))
    with pytest.raises(InvalidSetting, match="cannot foresee it"):
        follower.meet(registry.leader("saez", calibrated))
    paper = make(name="economy", preset="paper", games=1, followers=10)
    with pytest.raises(InvalidSetting, match="must be so"):
        registry.follower("perfect_foresight", paper)
