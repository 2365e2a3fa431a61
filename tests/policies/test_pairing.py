"""Nobody answers taxes that are not levied, nobody acts on plans for another household, nobody acts out of bounds."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.game import Array
from envs.registry import GAMES
from experiments.configuration.config import Experiment
from policies import FollowerPolicy, LeaderPolicy, registry
from policies.action_bounds import within
from policies.constant import ConstantFollower, ConstantLeader
from policies.given import Given
from policies.mixed import MixedFollowers
from policies.planning_household import DEPENDS_ON, PLANS, SOLVED_FOR, PlanningHousehold
from rllib_smfg.build import Interface, follower_actor
from rllib_smfg.cloning.imitation import imitated_leader
from rllib_smfg.economics.tax_schedules import drawn
from rllib_smfg.learned import LearnedFollower
from rllib_smfg.rollout import evaluate, play
from rllib_smfg.settings import LearningSettings


def economy(**settings):
    return make("economy", **{"preset": "calibrated", "games": 2, "followers": 20, "horizon": 5, **settings})


class Listening(FollowerPolicy):
    """Households that remember what they were told."""

    def __init__(self) -> None:
        self.heard: list[Array] = []

    def act(self, observation: Array, leader_action: Array) -> Array:
        self.heard.append(np.array(leader_action))
        return np.full((*observation.shape[:2], 2), 0.5)


# --- what is announced is what is levied -----------------------------------------------------------------------------
class Far(LeaderPolicy):
    """A government that asks for more than it may."""

    def act(self, observation: Array) -> Array:
        return np.tile([0.9, -1.0, 0.5, 0.0, 0.19], (len(observation), 1))


def test_households_hear_what_is_levied() -> None:
    game, households = economy(), Listening()
    year = next(play(game, Far(), households, game.reset(0)))
    low, high = game.leader_action_space.low, game.leader_action_space.high
    levied = [high[0], low[1], high[2], low[3], 0.19]
    assert households.heard[0] == pytest.approx(np.tile(levied, (2, 1)))
    np.testing.assert_array_equal(year.leader_action, households.heard[0])


def test_households_answer_an_announcement_out_of_bounds_as_what_is_levied() -> None:
    """FAULTS.md A3: tau_a = .5 was announced, .04 levied, and the announcement answered."""
    game = economy(followers=100)
    households = registry.follower("planning", game)
    box = game.leader_action_space
    far, near = ([0.281, 0.181, tau_a, box.low[3], 0.19] for tau_a in (0.5, box.high[2]))
    found = [evaluate(game, ConstantLeader(action), households, seed=3) for action in (far, near)]
    for name, values in found[0].items():
        np.testing.assert_array_equal(values, found[1][name])


# --- actions out of bounds -------------------------------------------------------------------------------------------
OUTSIDE = {
    ("leader", (0.281, 0.181, 0.5, 0, 0.19)): "tau_a = 0.5: must be between 4e-05 and 0.03992",
    ("leader", (0.281, 0.181, 0, 0, 0.9)): "spending share = 0.9: must be between 0.0004 and 0.3992",
    ("leader", (-0.1, 0.181, 0, 0, 0.19)): "tau = -0.1: must be between",
    ("leader", (0.281, float("nan"), 0, 0, 0.19)): "xi = nan: must be between",
    ("leader", (0.281, 0.181)): "action has 2 numbers: the leader of 'economy' acts with 5",
    ("follower", (1.2, 0.3)): "saving rate = 1.2: must be between 0.001 and 0.998",
    ("follower", (0.5, -0.3)): "share of time worked = -0.3: must be between 0.001 and 0.998",
}


@pytest.mark.parametrize(("given", "remedy"), OUTSIDE.items(), ids=range(len(OUTSIDE)))
def test_a_constant_action_out_of_bounds_is_refused_in_one_line(given: tuple, remedy: str) -> None:
    side, action = given
    build = registry.leader if side == "leader" else registry.follower
    with pytest.raises(InvalidSetting) as mistake:
        build("constant", economy(), action=list(action))
    assert remedy in str(mistake.value)
    assert "\n" not in str(mistake.value)


def test_starts_out_of_bounds_are_refused() -> None:
    for side, start in (("leader", [0.9, 0.1, 0, 0, 0.19]), ("follower", [0.5, 2.0])):
        settings = {"game": {"name": "economy", "preset": "calibrated"}, "algorithm": {f"{side}_start": start}}
        with pytest.raises(ValueError, match=f"algorithm.{side}_start: .* must be between"):
            Experiment.model_validate(settings)


def test_zero_stands_for_the_least_tax() -> None:
    game = economy()
    found = registry.leader("constant", game, action=[0.281, 0.181, 0.0, 0.0, 0.19]).act(game.reset(0).leader)
    assert found[0].tolist() == pytest.approx([0.281, 0.181, 4e-5, 1e-5, 0.19])


@pytest.mark.parametrize("name", [name for name in GAMES if name != "economy"])
def test_numbers_of_other_games_are_named_by_their_place(name: str) -> None:
    game = make(name)
    high = np.array(game.leader_action_space.high, dtype=np.float64)
    np.testing.assert_allclose(within(game, "leader", high), high)
    with pytest.raises(InvalidSetting, match="number 1 of the leader's action"):
        within(game, "leader", high + 1000.0)


# --- schedules that are no action ------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rule", "taxes"), [("us_federal", "[0.256, 0.0945, 0, 0]"), ("saez", "[0.47, 0.0005, 0, 0]")])
def test_planning_for_a_schedule_that_is_not_announced_is_refused(rule: str, taxes: str) -> None:
    game = economy()
    leader, households = registry.leader(rule, game), registry.follower("planning", game)
    with pytest.raises(InvalidSetting) as mistake:
        evaluate(game, leader, households, seed=0)
    assert f"taxes: {taxes}" in str(mistake.value)
    assert "\n" not in str(mistake.value)
    settings = {"leader": rule, "follower": "planning", "method": "rule_based"}
    experiment = Experiment.model_validate({"game": {"name": "economy", "preset": "calibrated"}, "algorithm": settings})
    with pytest.raises(InvalidSetting, match="no action"):
        experiment.algorithm_config(1)
    told = registry.follower("planning", game, taxes=[0.256, 0.0945, 0, 0])
    assert evaluate(game, leader, told, seed=0)["years"].min() > 0


def test_households_that_learned_to_read_announcements_are_refused_as_well() -> None:
    game = economy()
    interface, settings = Interface.of(game), LearningSettings(hidden=(4,))
    actor, blind = follower_actor(interface, settings), LearningSettings(hidden=(4,), followers_see_leader=False)
    rule = registry.leader("us_federal", game)
    with pytest.raises(InvalidSetting, match="real_data"):
        evaluate(game, rule, LearnedFollower(actor, interface, sees_leader=True), seed=0)
    unread = LearnedFollower(follower_actor(interface, blind), interface, sees_leader=False)
    assert evaluate(game, rule, unread, seed=0)["years"].min() > 0
    mixed = MixedFollowers(
        {"a": registry.follower("random", game), "b": registry.follower("planning", game)}, {"a": 0.5, "b": 0.5}, 20
    )
    with pytest.raises(InvalidSetting, match="no action"):
        next(play(game, rule, mixed, game.reset(0)))


def test_a_schedule_that_is_no_action_is_not_imitated() -> None:
    settings = {"name": "economy", "preset": "calibrated", "followers": 20}
    interface = Interface.of(make(**settings))
    with pytest.raises(InvalidSetting, match="no action to imitate"):
        imitated_leader(Given("us_federal"), Given("random"), settings, interface, LearningSettings())


def test_rules_that_learners_start_as_are_looked_at_before_anything_is_written() -> None:
    game = {"name": "economy", "preset": "calibrated", "followers": 20}
    with pytest.raises(ValueError, match="no action to imitate"):
        Experiment.model_validate({"game": game, "algorithm": {"leader_imitates": "us_federal"}})
    planners = {"leader_imitates": "us_system", "follower_imitates": "planning"}
    assert Experiment.model_validate({"game": game, "algorithm": planners})
    with pytest.raises(ValueError, match="solved for crra = 1"):
        Experiment.model_validate({"game": {**game, "crra": 3.0}, "algorithm": planners})


def test_the_schedule_command_tells_planners_the_nearest_taxes() -> None:
    found = drawn("us_federal", "planning", year=1, seed=0)
    assert 0.02 < found.economy["interest_rate"] < 0.06


# --- plans for another household -------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", DEPENDS_ON)
def test_plans_are_for_the_parameters_they_were_solved_for(name: str) -> None:
    game = economy()
    game.parameters = replace(game.parameters, **{name: getattr(game.parameters, name) * 0.9})
    with pytest.raises(InvalidSetting, match=f"were solved for {name} = ") as mistake:
        registry.follower("planning", game)
    assert "\n" not in str(mistake.value)


def test_crra_3_is_refused_over_planners() -> None:
    with pytest.raises(InvalidSetting, match="solved for crra = 1, this game has crra = 3: must be 1"):
        registry.follower("planning", economy(crra=3.0))


def test_a_file_of_plans_that_does_not_say_what_for_is_refused(tmp_path: Path) -> None:
    with np.load(PLANS) as known:
        weights = {name: known[name] for name in known.files if name != SOLVED_FOR}
    np.savez(tmp_path / "plans.npz", **weights)
    with pytest.raises(InvalidSetting, match="make it again"):
        PlanningHousehold(economy(), file=tmp_path / "plans.npz")


CLONED = {"maximal_hours": 0.5, "ability_sd": 0.5, "superstar_multiple": 0.5, "consumption_tax": 2.0}


@pytest.mark.parametrize(("name", "factor"), CLONED.items())
def test_households_of_the_survey_are_for_the_economy_they_were_cloned_in(name: str, factor: float) -> None:
    game = economy()
    assert registry.follower("real_data", game)
    game.parameters = replace(game.parameters, **{name: getattr(game.parameters, name) * factor})
    with pytest.raises(InvalidSetting, match=name):
        registry.follower("real_data", game)


def test_what_families_did_does_not_depend_on_what_they_like() -> None:
    game = economy(crra=3.0)
    households = registry.follower("real_data", game)
    assert len(list(islice(play(game, registry.leader("us_system", game), households, game.reset(0)), 2))) == 2


def test_constant_followers_outside_a_narrowed_saving_rate_are_refused() -> None:
    game = economy(saving_rate_min=0.5)
    with pytest.raises(InvalidSetting, match=r"saving rate = 0.2: must be between 0.5 and 0.998"):
        registry.follower("constant", game, action=[0.2, 0.5])
    assert ConstantFollower([0.6, 0.5]).act(game.reset(0).follower, np.zeros((2, 5))).shape == (2, 20, 2)
