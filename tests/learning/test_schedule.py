"""Settings that change over the years, and exploration by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from envs import InvalidSetting
from experiments.configuration.loading import load_experiment
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.schedule import least_value, value_at


def test_a_schedule_joins_its_points_and_stays_at_the_last() -> None:
    schedule = [[0, 0.4], [100, 0.2], [200, 0.1]]
    assert [value_at(schedule, years) for years in (0, 50, 100, 150, 200, 900)] == pytest.approx(
        [0.4, 0.3, 0.2, 0.15, 0.1, 0.1]
    )
    assert value_at(0.3, 900) == 0.3
    assert (least_value(schedule), least_value(0.3)) == (0.1, 0.3)


def test_exploration_is_what_its_schedule_says_after_the_years_of_all_runners(ray_local: None) -> None:
    falls = [[0, 0.3], [100, 0.0]]
    config = SMFRLConfig().game("stage_game", games=4, followers=5).debugging(seed=1)
    config.training(leader_noise=falls, follower_noise=falls, common_noise=falls, years_per_iteration=40)
    algorithm = config.build_algo()
    actor = algorithm.get_module("leader").actor

    def off_the_rule(years: int) -> float:
        (fragment,) = algorithm.sample_years(years_played=years)
        state = torch.from_numpy(fragment.rows["leader_state"])
        with torch.inference_mode():
            rule = actor.act(state, state[..., :0]).numpy()
        return float(np.abs(fragment.rows["leader_action"] - rule).mean())

    assert off_the_rule(0) > 2 * off_the_rule(70) > 0
    assert off_the_rule(100) == pytest.approx(0.0, abs=1e-6)
    algorithm.stop()


@pytest.mark.parametrize(("sampling", "runners"), [("synchronous", 0), ("asynchronous", 1)])
def test_training_hands_its_years_to_exploration(sampling: str, runners: int, ray_local: None) -> None:
    ends = [[0, 0.3], [40, 0.3], [41, 0.0]]
    config = SMFRLConfig().game("stage_game", games=4, followers=5).debugging(seed=1)
    config.env_runners(num_env_runners=runners)
    config.training(leader_noise=ends, years_per_iteration=40, warm_up_years=1000, sampling=sampling)
    algorithm = config.build_algo()
    for _ in range(3):
        algorithm.train()
    assert algorithm.replay.size == 120
    state = torch.from_numpy(algorithm.replay.get_state()["arrays"]["leader_state"])
    with torch.inference_mode():
        rule = algorithm.get_module("leader").actor.act(state, state[..., :0]).numpy()
    off = np.abs(algorithm.replay.get_state()["arrays"]["leader_action"] - rule)[:, 0]
    assert off[:80].mean() > 0.1  # years_played was 0 and 40
    assert off[80:] == pytest.approx(np.zeros(40), abs=1e-6)
    algorithm.stop()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([[5, 0.1], [100, 0.0]], "a schedule must be"),
        ([[0, 0.1], [100, 0.0], [50, 0.0]], "with rising years"),
        (-0.1, "follower_noise"),
    ],
)
def test_schedules_that_cannot_be_are_refused(value: Any, said: str) -> None:
    with pytest.raises(InvalidSetting, match=said):
        load_experiment("smfrl", [f"algorithm.follower_noise={value}"])


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ([[0, 0.1], [100, -0.1]], r"common_noise = .*must be not negative"),
        ([[0, 0.1], [100, 0.0], [50, 0.0]], "with rising years"),
        ([], "a schedule must be"),
    ],
)
def test_schedules_that_cannot_be_are_refused_without_a_file_too(schedule: list[list[float]], said: str) -> None:
    config = SMFRLConfig().game("stage_game", followers=5).training(common_noise=schedule)
    with pytest.raises(InvalidSetting, match=said):
        config.validate()


def test_damping_must_stay_above_0_and_its_years_rise() -> None:
    with pytest.raises(InvalidSetting, match="slope_damping"):
        load_experiment("smfrl", ["algorithm.slope_damping=0.0"])
    for schedule in (0.0, -1.0, [[0, 0.1], [100, 0.0]]):
        config = SMFRLConfig().game("stage_game", followers=5).training(slope_damping=schedule)
        with pytest.raises(InvalidSetting, match=r"slope_damping = .*: must be above 0"):
            config.validate()
    config = SMFRLConfig().game("stage_game", followers=5).training(slope_damping=[[0, 0.1], [100, 0.2], [50, 0.1]])
    with pytest.raises(InvalidSetting, match="with rising years"):
        config.validate()
