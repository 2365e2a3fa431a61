"""Years of an iteration are what the configuration says, whoever plays them."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest
from contract_parts import tiny

from envs import InvalidSetting
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig


@pytest.mark.parametrize("runners", [1, 2, 3, 7, 64, 75])
def test_any_number_of_runners_plays_the_same_years(runners: int) -> None:
    config = SMFRLConfig().game("stage_game", games=4, followers=5).training(years_per_iteration=300)
    config.env_runners(num_env_runners=runners).validate()
    shares = config.shares(300, range(1, runners + 1))
    assert sum(shares.values()) == 300
    assert len(shares) == runners
    assert max(shares.values()) - min(shares.values()) in (0, 4)


REFUSED: dict[str, tuple[type, dict[str, Any], int]] = {
    "years_per_iteration = 25: must be a multiple of 2, .*; say 24 or 26": (
        SMFRLConfig,
        {"years_per_iteration": 25},
        0,
    ),
    "num_env_runners = 13: .* at most 12 runners can play; say so, or years_per_iteration = 26": (SMFRLConfig, {}, 13),
    "years_per_iteration = 20: must be a multiple of 8, .*; say 16 or 24": (
        PopulationPPOConfig,
        {"years_per_iteration": 20},
        0,
    ),
    "years_per_iteration = 24: 2 runners .* multiple of 16; say 16 or 32": (PopulationPPOConfig, {}, 2),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_divided_is_said_before_training(reason: str) -> None:
    cls, settings, runners = REFUSED[reason]
    with pytest.raises(InvalidSetting, match=reason) as error:
        tiny(cls, **settings).env_runners(num_env_runners=runners).validate()
    assert "\n" not in str(error.value)


def test_years_that_are_not_configured_depend_on_the_game_alone() -> None:
    for runners in (0, 1, 5):
        config = SMFRLConfig().game("stage_game", games=8, followers=5).env_runners(num_env_runners=runners)
        config.validate()
        assert config.years_in_iteration() == 304
    proximal = PopulationPPOConfig().game("stage_game", games=4, followers=5)
    proximal.validate()
    assert proximal.years_in_iteration() == 320


@pytest.mark.parametrize("sampling", ["synchronous", "asynchronous"])
def test_a_lost_runner_s_share_is_made_up(sampling: str, ray_local: None) -> None:
    config = tiny(SMFRLConfig, years_per_iteration=22, sampling=sampling).env_runners(num_env_runners=2)
    config.fault_tolerance(restart_failed_env_runners=False, ignore_env_runner_failures=True)
    algorithm = config.build_algo()
    algorithm.train()
    assert algorithm.years() == algorithm.replay.size == 22
    processes = algorithm.env_runner_group.foreach_env_runner(lambda _: os.getpid(), local_env_runner=False)
    os.kill(processes[0], signal.SIGKILL)
    for iteration in (2, 3):
        algorithm.train()
        assert algorithm.years() == algorithm.replay.size == 22 * iteration
    algorithm.stop()


def test_the_ai_economist_s_runners_make_up_whole_trajectories(ray_local: None) -> None:
    config = tiny(PopulationPPOConfig, years_per_iteration=32).env_runners(num_env_runners=2)
    config.fault_tolerance(restart_failed_env_runners=False, ignore_env_runner_failures=True)
    algorithm = config.build_algo()
    (process, _) = algorithm.env_runner_group.foreach_env_runner(lambda _: os.getpid(), local_env_runner=False)
    os.kill(process, signal.SIGKILL)
    algorithm.train()
    assert algorithm.years() == 32
    algorithm.stop()
