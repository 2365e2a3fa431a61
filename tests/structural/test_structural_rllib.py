"""Structural SMFRL inside RLlib: trains, restores bit for bit, hands over what it learned, refuses what it cannot."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box

from envs import InvalidSetting, make, registry
from envs.game import Array, Observations, StackelbergMeanFieldGame, Transition
from envs.scaling import FeatureScaling
from rllib_smfg.export import load_policies, save_policies
from rllib_smfg.memory import SPARING
from rllib_smfg.networks import SmoothActor
from rllib_smfg.policy_networks import kind_of
from rllib_smfg.processes.recovery import LearnerLost, noticing_a_lost_learner
from rllib_smfg.rllib.structural import StructuralSMFRL, StructuralSMFRLConfig, learner
from rllib_smfg.rule import RuleActor

QUICK = {
    "updates": 12,
    "updates_per_iteration": 3,
    "follower_steps": 2,
    "lead_in": 0.0,
    "settling": 0.2,
    "economies": 3,
    "hidden": [8],
    "household_years": 500,
}
RULE = {"leader_policy": "rule", "leader_rule": {"g": ["z"]}}


def small(game: str = "linear_quadratic", **training: Any) -> StructuralSMFRLConfig:
    more = {"gam": 0.5} if game == "linear_quadratic" else {}
    config = StructuralSMFRLConfig().game(game, games=2, followers=10, **more)
    return config.training(**{**QUICK, **training}).debugging(seed=3, log_level="ERROR")


def weights(algorithm: StructuralSMFRL) -> dict[str, np.ndarray]:
    state = algorithm.learner_group.get_weights()
    return {f"{side}/{name}": np.array(value) for side in state for name, value in state[side].items()}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def trained(config: StructuralSMFRLConfig, iterations: int) -> StructuralSMFRL:
    algorithm = config.build_algo()
    for _ in range(iterations):
        algorithm.train()
    return algorithm


@pytest.mark.parametrize("in_one_graph", [True, False])
def test_paths_that_are_too_large_for_one_graph_give_their_years_back(
    in_one_graph: bool, monkeypatch: pytest.MonkeyPatch, ray_local: None
) -> None:
    told: list[tuple[int, ...]] = []
    monkeypatch.setattr(learner, "keep_freed_memory", lambda *threshold: told.append(threshold))
    monkeypatch.setattr(learner, "in_one_graph", lambda game, years: in_one_graph)
    small().build_algo().stop()
    assert told == ([()] if in_one_graph else [(), (SPARING,)])


# --- going on --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("more", [{}, RULE, {**RULE, "leader_search": "paired"}], ids=["network", "rule", "paired"])
def test_two_and_two_iterations_equal_four_bit_for_bit(more: dict[str, Any], ray_local: None, tmp_path: Path) -> None:
    straight, halfway = trained(small(**more), 4), trained(small(**more), 2)
    kept = weights(halfway)
    halfway.save_to_path(tmp_path / "checkpoint")
    halfway.train()
    torch.manual_seed(12345)  # what happened to the process in between must not matter
    resumed = StructuralSMFRL.from_checkpoint(tmp_path / "checkpoint")
    assert same(kept, weights(resumed))
    for _ in range(2):
        result = resumed.train()
    assert same(weights(straight), weights(resumed))
    assert not same(kept, weights(resumed))
    assert result["num_env_steps_sampled_lifetime"] > 0
    assert np.isfinite(result["learners"]["follower"]["loss"])
    assert np.isfinite(result["learners"]["leader"]["discounted_return"])
    for algorithm in (straight, halfway, resumed):
        algorithm.stop()


def test_a_remote_learner_learns_the_same(ray_local: None) -> None:
    here, there = trained(small(), 2), trained(small().learners(num_learners=1), 2)
    assert same(weights(here), weights(there))
    here.stop()
    there.stop()


STEP = {"economies": 4, "updates_per_iteration": 1, "follower_steps": 1}


def test_two_learners_share_an_update_go_on_exactly_and_again_to_the_last_bit(ray_local: None, tmp_path: Path) -> None:
    alone, one, other = (small(**STEP).learners(num_learners=k).build_algo() for k in (0, 2, 2))
    whole, halves = alone.train(), one.train()
    for result in (whole, halves):
        assert result["num_env_steps_sampled_lifetime"] == whole["num_env_steps_sampled_lifetime"] > 0
    assert halves["learners"]["follower"]["loss"] == pytest.approx(whole["learners"]["follower"]["loss"], rel=1e-4)
    both = [
        answer.get()["rl_module"]
        for answer in one.learner_group.foreach_learner(lambda learner: learner.get_state(components="rl_module"))
    ]
    assert len(both) == 2
    for side, first in both[0].items():
        assert same(first, both[1][side])
    other.train()
    first = weights(one)
    assert same(first, weights(other))
    one.save_to_path(tmp_path / "checkpoint")
    for algorithm in (one, other):
        algorithm.train()
    assert same(weights(one), weights(other))
    other.restore_from_path(tmp_path / "checkpoint")
    assert same(first, weights(other))
    other.train()
    assert same(weights(one), weights(other))
    alone.restore_from_path(tmp_path / "checkpoint")  # with fewer learners as well
    assert same(first, weights(alone))
    alone.train()
    for algorithm in (alone, one, other):
        algorithm.stop()


def test_the_error_of_one_of_several_learners_is_told_at_once(ray_local: None) -> None:
    algorithm = small(**STEP).learners(num_learners=2).build_algo()

    def break_the_second(learner: Any) -> None:
        def step() -> None:
            raise ZeroDivisionError("a mistake in a game")

        if learner.structural.together.rank:
            learner.structural._follower_step = step

    algorithm.learner_group.foreach_learner(break_the_second)
    with pytest.raises(ZeroDivisionError, match="a mistake in a game"), noticing_a_lost_learner(algorithm):
        algorithm.train()
    algorithm.stop()


def test_the_loss_of_one_of_several_learners_is_noticed(ray_local: None) -> None:
    algorithm = small(**STEP).learners(num_learners=2).build_algo()
    processes = [answer.get() for answer in algorithm.learner_group.foreach_learner(lambda _: os.getpid())]
    os.kill(processes[1], signal.SIGKILL)
    with pytest.raises(LearnerLost, match="a process of 2 learners was lost"), noticing_a_lost_learner(algorithm):
        algorithm.train()
    algorithm.stop()


def test_runners_play_the_averaged_policies(ray_local: None) -> None:
    config = small().evaluation(evaluation_interval=1, evaluation_duration=2)
    algorithm = config.build_algo()
    before = weights(algorithm)
    result = algorithm.train()
    after = weights(algorithm)
    assert {name.split(".")[0] for name in after} == {
        f"{s}/{a}" for s in ("leader", "follower") for a in ("actor", "learning")
    }
    assert not same(before, after)
    acting = algorithm.env_runner.module["follower"].actor.state_dict()
    assert all(np.array_equal(after[f"follower/actor.{k}"], v.numpy()) for k, v in acting.items())
    assert any(not np.array_equal(after[f"follower/learning.{k}"], v.numpy()) for k, v in acting.items())
    assert np.isfinite(result["evaluation"]["env_runners"]["leader_return"])
    algorithm.stop()


# --- handing over ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("more", "kind"), [({}, "smooth"), (RULE, "rule")], ids=["smooth", "rule"])
def test_what_was_learned_is_handed_over(more: dict[str, Any], kind: str, ray_local: None, tmp_path: Path) -> None:
    algorithm = trained(small(**more), 1)
    policies = algorithm.trained_policies()
    algorithm.stop()
    assert kind_of(policies.leader) == kind  # type: ignore[arg-type]
    assert kind_of(policies.follower) == "smooth"  # type: ignore[arg-type]
    folder = tmp_path / "export"
    folder.mkdir()
    save_policies(policies, folder)
    loaded = load_policies(folder)
    assert isinstance(loaded.leader, RuleActor if kind == "rule" else SmoothActor)
    game = make(**{**policies.game, "games": 4})
    seen = game.reset(1)
    acted = []
    for each in (policies, loaded):
        leader, follower = each.policies(game, 0)
        told = leader.act(seen.leader)
        acted.append((told, follower.act(seen.follower, told)))
    for one, other in zip(*acted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.ptp(acted[0][0]) > 0  # it answers what it sees
    for one, other in zip(_numbers(policies), _numbers(loaded), strict=True):
        assert torch.equal(one, other)


def _numbers(policies: Any) -> list[torch.Tensor]:
    return [x for network in (policies.leader, policies.follower) for x in network.state_dict().values()]


def test_the_tuner_trains_it(ray_local: None, tmp_path: Path) -> None:
    from ray import tune

    config = small(leader_lr=tune.grid_search([0.003]))
    results = tune.Tuner(
        StructuralSMFRL,
        param_space=config,
        run_config=tune.RunConfig(storage_path=str(tmp_path), stop={"training_iteration": 2}, verbose=0),
    ).fit()
    assert not results.errors
    (result,) = results
    assert result.config["leader_lr"] == 0.003
    assert result.metrics["training_iteration"] == 2


def test_it_learns_a_rule_from_the_us_system_in_the_calibrated_economy(ray_local: None) -> None:
    from policies.given import Given

    config = StructuralSMFRLConfig().game("economy", preset="calibrated", task="social_welfare", games=1, followers=20)
    config.training(
        **{**QUICK, "household_years": 1, "economies": 2, "tail": 0.5},
        leader_policy="rule",
        leader_rule={"income_tax_rate": ["debt_to_gdp"]},
        leader_imitates=Given("us_system"),
        follower_start=[0.73, 0.4],
    ).debugging(seed=1, log_level="ERROR")
    algorithm = config.build_algo()
    game = make("economy", preset="calibrated", games=1, followers=20)
    seen = game.reset(0)
    begun = algorithm.trained_policies().leader_policy(game, 0).act(seen.leader)
    np.testing.assert_allclose(begun, Given("us_system").leader(game, 0).act(seen.leader), atol=0.01)
    result = algorithm.train()
    after = algorithm.trained_policies().leader_policy(game, 0).act(seen.leader)
    assert np.isfinite(result["learners"]["leader"]["discounted_return"])
    assert not np.array_equal(begun, after)
    algorithm.stop()


# --- what is refused -------------------------------------------------------------------------------------------------
class Written(StackelbergMeanFieldGame):
    """A game without arithmetic."""

    name: ClassVar[str] = "written_otherwise"
    discount = 0.5

    def __init__(self, *, games: int = 1, followers: int = 3, horizon: int = 5) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.leader_observation_space = self.follower_observation_space = Box(-1.0, 1.0, (1,), np.float64)
        self.leader_action_space = self.follower_action_space = Box(-1.0, 1.0, (1,), np.float64)
        self.leader_scaling = self.follower_scaling = FeatureScaling.linear((1.0,))

    def _start(self, games: Any) -> None: ...

    def _observe(self) -> Observations:
        return Observations(np.zeros((self.n_games, 1)), np.zeros((self.n_games, self.n_followers, 1)))

    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        nothing = np.zeros(self.n_games)
        return Transition(nothing, 0 * follower_action[..., 0], nothing > 0, {})


def refused(config: StructuralSMFRLConfig, reason: str) -> None:
    with pytest.raises(InvalidSetting, match=reason) as error:
        config.validate()
    assert "\n" not in str(error.value)


def test_games_that_are_not_arithmetic_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.GAMES, "written_otherwise", f"{__name__}:Written")
    refused(small("written_otherwise"), "game '.*:Written' is not written as arithmetic .*; use method smfrl")


@pytest.mark.parametrize(
    ("training", "reason"),
    [
        ({"economies": 0}, "economies = 0: must be at least 1"),
        ({"tail": 0.9}, "tail = 0.9: must lie in"),
        ({"updates_per_iteration": 0}, "updates_per_iteration = 0: must be at least 1"),
        ({"hidden": []}, "hidden"),
        ({"leader_lr": 2.0}, "leader_lr = 2.0: must lie in"),
        ({"lead_in": 0.9}, "together at most 1"),
        ({"leader_policy": "rules"}, "did you mean 'rule'"),
        ({"leader_rule": {"g": ["z"]}}, "leader_rule: needs leader_policy = rule"),
        ({**RULE, "leader_rule": {"g": ["zz"]}}, "does not see 'zz'"),
        ({**RULE, "leader_rule": {"gg": ["z"]}}, "no instrument 'gg': did you mean 'g'"),
        ({"spread_of": {"gg": 2.0}, "lasting_spread": 0.1, "tremble": 0.0}, "no instrument 'gg': did you mean 'g'"),
        ({"leader_imitates": "us_system"}, "leader_imitates: needs leader_policy = rule"),
        ({"leader_start": [9.0]}, "leader_start"),
        ({"follower_start": [9.0]}, "follower_start"),
    ],
)
def test_impossible_configurations_are_refused(training: dict[str, Any], reason: str) -> None:
    refused(small(**training), reason)


@pytest.mark.parametrize(
    ("learners", "training", "reason"),
    [
        (2, {"economies": 3}, "economies = 3: num_learners = 2 cannot share them evenly; say economies = 2 or 4"),
        (3, {"economies": 2}, "economies = 2: num_learners = 3 cannot share them evenly; say economies = 3$"),
        (
            8,
            {"economies": 8, "household_years": 1},
            "num_learners = 8: the leader's household_years = 1 are 4 paths of 10 households .* say household_years = ",
        ),
        (5000, {}, "num_learners = 5000: must be at most 4096"),
    ],
)
def test_learners_who_cannot_share_the_games_are_refused(learners: int, training: dict[str, Any], reason: str) -> None:
    refused(small(**training).learners(num_learners=learners), reason)


def test_unknown_settings_are_refused_by_the_nearest_name() -> None:
    with pytest.raises(InvalidSetting, match="no training setting 'follower_step': did you mean 'follower_steps'"):
        small(follower_step=3)
