"""SMFRL inside RLlib: runs in each layout, restores everything, and evaluation leaves no trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from envs import InvalidSetting
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.smfrl import SMFRL


def small(**training: Any) -> SMFRLConfig:
    settings = {
        "years_per_iteration": 20,
        "warm_up_years": 20,
        "updates_per_iteration": 3,
        "transitions_per_update": 16,
        "hidden": [8],
        **training,
    }
    config = SMFRLConfig().game("stage_game", games=2, followers=10).training(**settings)
    return config.debugging(seed=3, log_level="ERROR")


def weights(algorithm: SMFRL) -> dict[str, np.ndarray]:
    state = algorithm.learner_group.get_weights()
    return {f"{side}/{name}": np.asarray(value) for side in state for name, value in state[side].items()}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.mark.parametrize(("runners", "learners"), [(0, 0), (2, 0), (0, 1)])
def test_trains_saves_restores_and_goes_on(runners: int, learners: int, ray_local: None, tmp_path: Path) -> None:
    config = small().env_runners(num_env_runners=runners).learners(num_learners=learners)
    algorithm = config.build_algo()
    before = weights(algorithm)
    results = [algorithm.train() for _ in range(2)]
    after = weights(algorithm)
    assert not same(before, after)
    assert results[-1]["num_env_steps_sampled_lifetime"] == 40
    assert np.isfinite(results[-1]["learners"]["leader"]["critic_loss"])
    if runners == 0:
        acting = algorithm.env_runner.module["follower"].actor.state_dict()
        assert all(np.array_equal(after[f"follower/actor.{k}"], v.numpy()) for k, v in acting.items())
    algorithm.save_to_path(tmp_path / "checkpoint")
    twin = SMFRL.from_checkpoint(tmp_path / "checkpoint")
    assert same(weights(twin), after)
    assert twin.replay.size == algorithm.replay.size
    assert twin.train()["num_env_steps_sampled_lifetime"] == 60
    algorithm.stop()
    twin.stop()


def test_two_and_two_iterations_equal_four_bit_for_bit(ray_local: None, tmp_path: Path) -> None:
    straight = small().build_algo()
    for _ in range(4):
        straight.train()
    halfway = small().build_algo()
    for _ in range(2):
        halfway.train()
    halfway.save_to_path(tmp_path / "checkpoint")
    torch.manual_seed(12345)  # what happened to the process in between must not matter
    resumed = SMFRL.from_checkpoint(tmp_path / "checkpoint")
    for _ in range(2):
        resumed.train()
    assert same(weights(straight), weights(resumed))
    for algorithm in (straight, halfway, resumed):
        algorithm.stop()


def test_evaluation_leaves_no_trace(ray_local: None) -> None:
    def run(evaluated: bool) -> dict[str, np.ndarray]:
        config = small()
        if evaluated:
            config.evaluation(evaluation_interval=1, evaluation_duration=2, evaluation_duration_unit="episodes")
        algorithm = config.build_algo()
        for _ in range(2):
            result = algorithm.train()
        if evaluated:
            assert np.isfinite(result["evaluation"]["env_runners"]["leader_return"])
            held = algorithm.replay.get_state()
            algorithm.evaluate()
            assert algorithm.replay.size == held["size"]
            assert algorithm.replay.get_state()["random"] == held["random"]
        algorithm.train()
        found = weights(algorithm)
        algorithm.stop()
        return found

    assert same(run(evaluated=False), run(evaluated=True))


def test_held_leader_stays_while_its_critic_learns(ray_local: None) -> None:
    algorithm = small(leader_held_years=1000).build_algo()
    before = weights(algorithm)
    algorithm.train()
    after = weights(algorithm)
    algorithm.stop()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert not any(name.startswith("leader/actor.") for name in changed)
    assert any(name.startswith("leader/critic.") for name in changed)
    assert any(name.startswith("follower/actor.") for name in changed)


def test_impossible_configurations_are_refused() -> None:
    with pytest.raises(InvalidSetting, match="no training setting 'actor_lrr': did you mean 'actor_lr'"):
        small(actor_lrr=1.0)
    with pytest.raises(InvalidSetting, match="transitions_per_update = 0: must be at least 1"):
        small(transitions_per_update=0).validate()
    with pytest.raises(InvalidSetting, match="joint view sees every household"):
        small(leader_view="joint", households_per_transition=4).validate()
    with pytest.raises(InvalidSetting, match="num_learners = 2"):
        small().learners(num_learners=2).validate()
    with pytest.raises(InvalidSetting, match="no game"):
        SMFRLConfig().validate()
