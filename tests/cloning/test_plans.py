"""Plans under many tax systems, the fit to them, and a leader that starts as a rule."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from envs import InvalidSetting, make
from envs.economy.household_problem import euler_errors, solve_household
from envs.economy.presets import CALIBRATED
from experiments.commands.main import app
from policies import registry
from policies.given import Given
from policies.planning_household import PlanningHousehold
from rllib_smfg.build import Interface
from rllib_smfg.cloning.imitation import imitated_leader
from rllib_smfg.cloning.plans import answers, conditions_at, draw_taxes, household_of
from rllib_smfg.learned import Exploration, LearnedFollower, LearnedLeader
from rllib_smfg.policy_networks import follower_network, leader_network
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.settings import LearningSettings


def test_taxes_on_assets_enter_the_plan() -> None:
    """Budgets add up and Euler's equation holds with a progressive tax on assets; owning and keeping are inverses."""
    household = household_of(CALIBRATED, 5, 80)
    conditions = conditions_at(CALIBRATED, 0.045, np.array([0.3, 0.2, 0.01, 0.005]))
    np.testing.assert_allclose(
        conditions.owned_before_tax(conditions.asset_tax.kept(household.assets)), household.assets, rtol=1e-9
    )
    plan = solve_household(household, conditions, tolerance=1e-6)
    spent = (1 + CALIBRATED.consumption_tax) * plan.consumption + plan.next_assets
    there = conditions.income_tax.kept(plan.income) + conditions.asset_tax.kept(household.assets)
    np.testing.assert_allclose(spent[:, :-5], there[:, :-5], rtol=0.01)
    errors, free = euler_errors(household, conditions, plan)
    assert errors[free].mean() < 5e-3
    untaxed = solve_household(
        household, conditions_at(CALIBRATED, 0.045, np.array([0.3, 0.2, 0.0, 0.0])), tolerance=1e-6
    )
    rich = household.assets > np.median(household.assets)
    assert (plan.next_assets[:, rich] < untaxed.next_assets[:, rich]).mean() > 0.9


def test_drawn_taxes_lie_within_the_bounds_of_the_preset() -> None:
    random = np.random.default_rng(0)
    drawn = np.stack([draw_taxes(random) for _ in range(200)])
    caps = (CALIBRATED.tau_cap, CALIBRATED.xi_cap, CALIBRATED.asset_tau_cap, CALIBRATED.asset_xi_cap)
    assert (drawn >= 0).all()
    assert (drawn <= caps).all()
    assert drawn.std(axis=0).min() > 0


def test_the_same_seed_gives_the_same_answers() -> None:
    first, second = (next(answers(CALIBRATED, 1, 100, seed=3)) for _ in range(2))
    assert torch.equal(first.choice, second.choice)
    assert torch.isfinite(first.choice).all()
    assert first.choice.abs().max() <= 7.0


def test_the_command_writes_weights_that_households_act_on(tmp_path: Path) -> None:
    file = tmp_path / "plans.npz"
    sizes = ["--systems", "2", "--states", "200", "--steps", "100", "--batch", "64"]
    result = CliRunner().invoke(app, ["plan", str(file), *sizes])
    assert result.exit_code == 0, result.output
    game = make("economy", preset="calibrated", followers=10)
    seen, action = game.reset(0).follower, np.array([[0.3, 0.2, 0.0, 0.0, 0.19]])
    chosen = PlanningHousehold(game, file=file).act(seen, action)
    assert chosen.shape == (1, 10, 2)
    assert not np.array_equal(chosen, PlanningHousehold(game).act(seen, action))


def test_a_leader_starts_as_the_rule_it_imitates() -> None:
    settings = {"name": "economy", "preset": "calibrated", "games": 2, "followers": 50}
    game = make(**settings)
    interface, learning = Interface.of(game), LearningSettings(leader_view="own")
    weights = imitated_leader(Given("us_system"), Given("planning"), settings, interface, learning)
    actor = leader_network("actor", interface, learning)
    actor.load_state_dict(weights)
    seen = game.reset(5).leader
    rule = registry.leader("us_system", game).act(seen)
    half = (game.leader_action_space.high - game.leader_action_space.low) / 2
    assert (np.abs(LearnedLeader(actor, interface).act(seen) - rule) / half).max() < 0.1
    # taxes rise with debt, as the rule's do: by .063 a unit
    more = seen.copy()
    more[:, 9] += 0.5
    rise = LearnedLeader(actor, interface).act(more)[:, 0] - LearnedLeader(actor, interface).act(seen)[:, 0]
    assert (rise > 0.015).all()
    assert (rise < 0.06).all()


def test_households_start_as_the_rule_they_imitate() -> None:
    config = SMFRLConfig().game("economy", preset="calibrated", followers=100)
    config.training(leader_view="own", leader_imitates=Given("us_system"), follower_imitates=Given("planning"))
    weights = config.imitated_follower()
    assert weights is not None
    assert config.imitated_follower() is weights
    interface, learning = config.interface(), config.learning_settings()
    actor = follower_network("actor", interface, learning)
    actor.load_state_dict(weights)
    game = make("economy", preset="calibrated", games=2, followers=100)
    seen, government = game.reset(5), registry.leader("us_system", game)
    lead = government.act(seen.leader)
    rule, learned = registry.follower("planning", game), LearnedFollower(actor, interface, sees_leader=True)
    consumed = [1 - policy.act(seen.follower, lead)[..., 0] for policy in (rule, learned)]
    assert np.abs(np.log(consumed[1] / consumed[0])).mean() < 0.05


def test_households_that_imitate_start_in_no_other_way() -> None:
    config = SMFRLConfig().game("economy", preset="calibrated", followers=5)
    config.training(follower_imitates=Given("planning"), follower_start=[0.8, 0.4])
    with pytest.raises(InvalidSetting, match="must be left out, as households start by follower_imitates"):
        config.validate()


def test_lasting_noise_lasts() -> None:
    random = np.random.default_rng(0)
    exploration = Exploration(0.0, 0.0, 0.0, random, lasting=0.2)
    drawn = np.stack([exploration.of_leader((4000, 2)) for _ in range(11)])
    assert np.allclose(drawn.std(axis=1), 0.2, rtol=0.06)
    assert np.corrcoef(drawn[0].ravel(), drawn[10].ravel())[0, 1] > 0.65
    fresh = Exploration(0.2, 0.0, 0.0, random)
    first, second = (fresh.of_leader((4000, 2)).ravel() for _ in range(2))
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
