"""Learning that starts from a clone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ray.rllib.algorithms.algorithm import Algorithm

from envs import InvalidSetting, make
from policies.behavior_cloned import SHIPPED
from rllib_smfg.build import Interface
from rllib_smfg.cloning.pretrained import pretrained_follower
from rllib_smfg.export import load_policies, save_policies
from rllib_smfg.policy_networks import follower_network
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.settings import LearningSettings

CLONE = SHIPPED / "real_data" / "maddpg"


def config(source: str | Path, game: dict[str, Any] | None = None, **training: Any) -> SMFRLConfig:
    settings = {"games": 2, "followers": 6, "horizon": 5} | (game or {})
    small = {"years_per_iteration": 10, "updates_per_iteration": 2, "transitions_per_update": 8, "warm_up_years": 5}
    return SMFRLConfig().game("economy", **settings).training(pretrain=str(source), **small | training)


@pytest.mark.usefixtures("ray_local")
@pytest.mark.parametrize("sees_leader", [True, False])
def test_actor_and_target_start_as_the_clone(sees_leader: bool) -> None:
    algorithm = config(CLONE, followers_see_leader=sees_leader).debugging(seed=1).build_algo()
    try:
        clone = load_policies(CLONE).follower
        learner, runner = (
            algorithm.learner_group._learner.module["follower"].unwrapped(),
            algorithm.get_module("follower"),
        )
        state = torch.randn(7, 2)
        wanted = clone(state, torch.zeros(1, 5))
        for actor in (learner.actor, learner.target_actor, runner.actor):
            seen = torch.rand(1, 5)[:, : 5 if sees_leader else 0]
            assert torch.allclose(actor(state, seen), wanted, atol=1e-6)
        algorithm.train()
        assert not torch.equal(learner.actor.last.weight, clone.last.weight)
    finally:
        algorithm.stop()


@pytest.mark.usefixtures("ray_local")
def test_a_restored_algorithm_needs_the_clone_no_more(tmp_path: Path) -> None:
    shutil.copytree(CLONE, tmp_path / "clone")
    algorithm = config(tmp_path / "clone").build_algo()
    algorithm.train()
    algorithm.save_to_path(str(tmp_path / "saved"))
    weights = algorithm.get_module("follower").get_state()
    algorithm.stop()
    shutil.rmtree(tmp_path / "clone")
    restored = Algorithm.from_checkpoint(str(tmp_path / "saved"))
    again = restored.get_module("follower").get_state()
    assert all(np.array_equal(weights[name], again[name]) for name in weights)
    restored.train()
    restored.stop()


def test_a_shipped_clone_is_known_by_its_name() -> None:
    weights = config("real_data/maddpg").pretrained()
    assert weights is not None
    assert torch.equal(weights["last.weight"], load_policies(CLONE).follower.last.weight)


@pytest.mark.parametrize(
    ("source", "game", "training", "reason"),
    [
        ("real_data/mlp", {}, {}, "follower network is gaussian, not actor"),
        ("real_data/ai_economist", {}, {}, "follower network is recurrent, not actor"),
        (CLONE, {}, {"hidden": [128, 128]}, r"hidden is \[64, 64\], not \[128, 128\]"),
        (CLONE, {}, {"squash": "tanh"}, "squash is clip, not tanh"),
        (CLONE, {"saving_rate_min": 0.5}, {}, r"least follower action is \[0.001, 0.001\], not \[0.5, 0.001\]"),
        (CLONE, {"preset": "taxai"}, {}, "least follower action"),
        ("nowhere", {}, {}, "nowhere: holds no policies"),
    ],
)
def test_a_clone_for_something_else_is_refused_in_one_line(
    source: str | Path, game: dict[str, Any], training: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidSetting, match=reason) as error:
        config(source, game, **training).validate()
    assert "\n" not in str(error.value)


def test_followers_that_answer_to_the_leader_cannot_become_blind(tmp_path: Path) -> None:
    trained = load_policies(CLONE)
    trained.follower.linear_shared.weight.data[0, 0] = 0.5
    save_policies(trained, tmp_path)
    interface = Interface.of(make("economy", games=1, followers=5))
    seeing, blind = LearningSettings(), LearningSettings(followers_see_leader=False)
    weights = pretrained_follower(tmp_path, "actor", interface, seeing)
    follower_network("actor", interface, seeing).load_state_dict(weights)
    with pytest.raises(InvalidSetting, match="see the leader's action"):
        pretrained_follower(tmp_path, "actor", interface, blind)
