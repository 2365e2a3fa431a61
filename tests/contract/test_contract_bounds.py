"""Bounds of settings stand once: YAML, `--set` and Python refuse the same, in one line, before anything is built."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from contract_parts import tiny

from envs import InvalidSetting
from experiments.configuration.loading import load_experiment
from rllib_smfg.bounds import BOUNDS, Bounds
from rllib_smfg.configuration.sections import ALGORITHMS
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig
from rllib_smfg.settings import LearningSettings

CONFIGS = {"gradient": SMFRLConfig, "proximal": PopulationPPOConfig}


def bad_values(bounds: Bounds) -> list[Any]:
    beyond = [bounds.low if bounds.above else bounds.low - 1, bounds.high if bounds.below else bounds.high * 2 + 1]
    bad: list[Any] = [*beyond, math.nan, math.inf, "many"]
    if bounds.whole:
        bad.append(1.5)
    if bounds.scheduled:
        bad += [[[0, bounds.high], [10, math.nan]], [[0, bounds.high], [10, beyond[0]]], [[5, bounds.high]], []]
    return [[value] for value in bad] + [[]] if bounds.several else bad


CASES = [
    (family, name, value)
    for family in CONFIGS
    for name in ALGORITHMS[family].model_fields
    if name in BOUNDS
    for value in bad_values(BOUNDS[name])
]


@pytest.mark.parametrize(("family", "name", "value"), CASES)
def test_yaml_and_python_refuse_the_same(family: Any, name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        ALGORITHMS[family](**{name: value})
    with pytest.raises(InvalidSetting, match=name) as error:
        tiny(CONFIGS[family]).training(**{name: value}).validate()
    assert "\n" not in str(error.value)


def test_every_number_of_an_algorithm_has_bounds() -> None:
    for family in CONFIGS:
        for name, value in ALGORITHMS[family]():
            if isinstance(value, int | float) and not isinstance(value, bool):
                assert name in BOUNDS, name


SEEN = {
    "actor_lr": -1,
    "warm_up_years": math.nan,
    "bound_penalty": -1,
    "households_per_transition": 99,
    "critic_lr": math.nan,
    "leader_start": [0.1, 0.2],
    "follower_start": [0.5, math.nan],
    "huber_threshold": 0,
    "mean_field": [],
    "replay_capacity": 10**9,
    "followers_see_leader": "yes",
}


@pytest.mark.parametrize("name", SEEN)
def test_what_was_trained_without_complaint_is_refused(name: str) -> None:
    with pytest.raises(InvalidSetting, match=name) as error:
        tiny(SMFRLConfig, **{name: SEEN[name]}).validate()
    assert "\n" not in str(error.value)


def test_starts_must_be_actions(tiny: Path) -> None:
    config = SMFRLConfig().game("stage_game", followers=5).training(leader_start=[1e9])
    with pytest.raises(InvalidSetting, match=r"leader_start = \[1000000000.0\]: 1e\+09 must lie in"):
        config.validate()
    with pytest.raises(InvalidSetting, match="leader_start"):
        load_experiment(tiny, ["algorithm.leader_start=[1e9]"])


def test_more_memory_than_there_is_is_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"updates_per_iteration = 1000000 x .* GB, and this machine has") as error:
        tiny(SMFRLConfig, transitions_per_update=10**6, updates_per_iteration=10**6).validate()
    assert "\n" not in str(error.value)
    with pytest.raises(InvalidSetting, match="replay_capacity = 100000000"):
        SMFRLConfig().game("economy", followers=10**4).training(
            replay_capacity=10**8, households_per_transition=10**4
        ).validate()


def test_runners_and_games_have_bounds_too() -> None:
    with pytest.raises(InvalidSetting, match="num_env_runners = -1"):
        tiny(SMFRLConfig).env_runners(num_env_runners=-1).validate()
    with pytest.raises(InvalidSetting, match="games = 0"):
        tiny(SMFRLConfig).update_from_dict({"num_envs_per_env_runner": 0}).validate()
    with pytest.raises(InvalidSetting, match="households_per_game = 99: must be at most followers = 5"):
        tiny(PopulationPPOConfig, households_per_game=99).validate()


def test_learning_settings_are_checked_wherever_they_are_made() -> None:
    for wrong in ({"huber_threshold": 0.0}, {"bound_penalty": -1.0}, {"hidden": ()}, {"target_step": math.nan}):
        with pytest.raises(InvalidSetting, match=next(iter(wrong))):
            LearningSettings(**wrong)
