"""Runners that play while the learner learns: what is learned from is one iteration old, and never older."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_rllib import same, small, weights

from envs import InvalidSetting
from rllib_smfg.rllib.smfrl import SMFRL


def test_years_are_played_meanwhile_and_their_weights_are_one_iteration_old(ray_local: None, tmp_path: Path) -> None:
    algorithm = small(sampling="asynchronous").env_runners(num_env_runners=1).build_algo()
    before = weights(algorithm)
    results = []
    for _ in range(4):
        results.append(algorithm.train())
        assert algorithm.years_requested()
    # the first years are waited for, and so are the second ones, asked for before the first update
    assert [result["weights_age"] for result in results] == [0, 1, 1, 1]
    assert [result["num_env_steps_sampled_lifetime"] for result in results] == [20, 40, 60, 80]
    assert algorithm.replay.size == 80
    assert np.isfinite(results[-1]["learners"]["leader"]["critic_loss"])
    assert not same(before, weights(algorithm))
    algorithm.save_to_path(tmp_path / "checkpoint")
    algorithm.stop()
    twin = SMFRL.from_checkpoint(tmp_path / "checkpoint")
    assert [twin.train()["weights_age"] for _ in range(2)] == [0, 1]
    assert twin.replay.size == 120
    stale_years_are_not_learned_from(twin)
    a_killed_runner_is_survived(twin)
    twin.stop()


def stale_years_are_not_learned_from(algorithm: SMFRL) -> None:
    def take_for_old(runner: Any) -> None:
        runner._weights_seq_no = -5

    algorithm.requested_years()
    algorithm.env_runner_group.foreach_env_runner(take_for_old, local_env_runner=False)
    algorithm.request_years()
    size = algorithm.replay.size
    algorithm.train()
    assert algorithm.replay.size == size
    algorithm.train()  # the runner was given the latest weights
    assert algorithm.replay.size == size + 20


def a_killed_runner_is_survived(algorithm: SMFRL) -> None:
    size = algorithm.replay.size
    (process,) = algorithm.env_runner_group.foreach_env_runner(lambda _: os.getpid(), local_env_runner=False)
    os.kill(process, signal.SIGKILL)
    for _ in range(400):
        result = algorithm.train()
        if algorithm.replay.size >= size + 60:
            break
        time.sleep(0.1)
    assert algorithm.replay.size >= size + 60
    assert result["fault_tolerance"]["num_remote_worker_restarts"] == 1
    assert result["weights_age"] == 1


def test_a_restored_runner_plays_with_the_weights_that_were_learned(ray_local: None, tmp_path: Path) -> None:
    algorithm = small().env_runners(num_env_runners=1).build_algo()
    algorithm.train()
    algorithm.save_to_path(tmp_path / "checkpoint")
    algorithm.stop()
    twin = SMFRL.from_checkpoint(tmp_path / "checkpoint")
    learned = weights(twin)
    (played,) = twin.env_runner_group.foreach_env_runner(
        lambda runner: runner.module["follower"].actor.state_dict(), local_env_runner=False
    )
    assert all(np.array_equal(learned[f"follower/actor.{name}"], x.numpy()) for name, x in played.items())
    twin.stop()


def test_it_needs_processes_that_play() -> None:
    with pytest.raises(InvalidSetting, match="sampling = asynchronous: needs processes that play; set env_runners"):
        small(sampling="asynchronous").validate()
    with pytest.raises(InvalidSetting, match="sampling = 'asynchronus': did you mean 'asynchronous'"):
        small(sampling="asynchronus").validate()
