"""The AI Economist as an RLlib algorithm: two phases, saved and taken up again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ppo_parts import small
from ray.rllib.algorithms.algorithm import Algorithm

from rllib_smfg.export import load_policies, save_policies
from rllib_smfg.rollout import evaluate

pytestmark = pytest.mark.usefixtures("ray_local")


def weights(algorithm: Algorithm) -> dict[str, np.ndarray]:
    state = algorithm.learner_group._learner.module.get_state()
    return {f"{side}.{name}": np.array(values) for side, part in state.items() for name, values in part.items()}


def equal(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("name", ["economy", "stage_game"])
@pytest.mark.parametrize("followers", [10, 200])
def test_it_trains_saves_and_goes_on_exactly(name: str, followers: int, tmp_path: Path) -> None:
    algorithm = small(name, followers).build_algo()
    try:
        first = weights(algorithm)
        results = [algorithm.train() for _ in range(2)]
        assert results[-1]["num_env_steps_sampled_lifetime"] == 48
        assert not equal(first, weights(algorithm))
        assert np.isfinite(results[-1]["learners"]["follower"]["policy_loss"])
        algorithm.save_to_path(str(tmp_path))
        restored = Algorithm.from_checkpoint(str(tmp_path))
        try:
            assert equal(weights(algorithm), weights(restored))
            luck = torch.get_rng_state()  # that of both: they share a process
            algorithm.train()
            torch.set_rng_state(luck)
            restored.train()
            assert equal(weights(algorithm), weights(restored))
        finally:
            restored.stop()
    finally:
        algorithm.stop()


def test_phases_switch_and_policies_can_be_exported(tmp_path: Path) -> None:
    algorithm = small("economy", 10, free_market_years=30).build_algo()
    try:
        seen = []
        before = weights(algorithm)
        for _ in range(3):
            result = algorithm.train()
            after = weights(algorithm)
            learned = {side for side in ("leader", "follower") if _changed(before, after, side)}
            seen.append((result["free_market"], learned))
            before = after
        assert seen == [(1.0, {"follower"}), (1.0, {"follower"}), (0.0, {"leader", "follower"})]
        trained = algorithm.trained_policies()
    finally:
        algorithm.stop()
    save_policies(trained, tmp_path)
    loaded = load_policies(tmp_path)
    results = [evaluate(p.make_game(games=4), *p.policies(), seed=3) for p in (trained, loaded)]
    assert all(np.array_equal(results[0][name], results[1][name]) for name in results[0])


def _changed(a: dict[str, np.ndarray], b: dict[str, np.ndarray], side: str) -> bool:
    return any(not np.array_equal(a[name], b[name]) for name in a if name.startswith(side))


def test_evaluation_and_a_second_seed() -> None:
    def trained(seed: int) -> dict[str, Any]:
        config = small("stage_game", 10).debugging(seed=seed)
        algorithm = config.evaluation(evaluation_interval=1, evaluation_duration=3).build_algo()
        try:
            found = algorithm.train()["evaluation"]["env_runners"]
            return {"return": found["leader_return"], **weights(algorithm)}
        finally:
            algorithm.stop()

    first, again, other = trained(1), trained(1), trained(2)
    assert equal(first, again)
    assert first["return"] != other["return"]


@pytest.mark.slow
def test_remote_runners_play_for_it() -> None:
    algorithm = small("stage_game", 50, free_market_years=24).env_runners(num_env_runners=2).build_algo()
    try:
        flags = [algorithm.train()["free_market"] for _ in range(3)]
        assert flags == [1.0, 0.0, 0.0]
        states = algorithm.env_runner_group.foreach_env_runner(lambda runner: runner.module.get_state())
        learned = algorithm.learner_group._learner.module.get_state(inference_only=True)
        for state in states:
            for side, part in learned.items():
                assert all(np.array_equal(part[name], state[side][name]) for name in part)
    finally:
        algorithm.stop()
