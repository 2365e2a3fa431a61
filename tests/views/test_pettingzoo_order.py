"""Calls out of order are answered in one line: before the first reset, after the end, with the wrong agents."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium
import numpy as np
import pytest

from envs import InvalidSetting
from envs.pettingzoo_env import StackelbergAEC, StackelbergParallel


def action(env: StackelbergAEC | StackelbergParallel, agent: str) -> np.ndarray:
    return env.action_space(agent).sample()


def everybody(env: StackelbergParallel) -> dict[str, np.ndarray]:
    return {agent: action(env, agent) for agent in env.possible_agents}


AEC: dict[str, Callable[[StackelbergAEC], object]] = {
    "step": lambda env: env.step(action(env, "government")),
    "last": lambda env: env.last(),
    "observe": lambda env: env.observe("household_0"),
    "agent_iter": lambda env: list(env.agent_iter()),
    "render": lambda env: env.render(),
}


@pytest.mark.parametrize("asked", AEC)
def test_turns_before_reset(asked: str) -> None:
    env = StackelbergAEC("stage_game", followers=2, render_mode="ansi")
    with pytest.raises(InvalidSetting, match=rf"{asked}: the game has not begun; call reset\(\) first") as error:
        AEC[asked](env)
    assert isinstance(error.value, gymnasium.error.ResetNeeded)
    assert env.agents == []
    env.reset(seed=1)
    AEC["observe"](env)


def test_turns_after_the_end() -> None:
    env = StackelbergAEC("stage_game", followers=2, horizon=1)
    env.reset(seed=1)
    for agent in env.agent_iter():
        *_, terminated, truncated, _ = env.last()
        env.step(None if terminated or truncated else action(env, agent))
    assert env.agents == []
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"the game is over and all agents are gone; call reset\(\)"):
        env.step(action(env, "government"))
    env.reset(seed=1)
    env.step(action(env, "government"))


def test_all_at_once_before_reset_and_after_the_end() -> None:
    env = StackelbergParallel("stage_game", followers=2, horizon=1, render_mode="ansi")
    with pytest.raises(InvalidSetting, match=r"step: the game has not begun; call reset\(\) first"):
        env.step(everybody(env))
    with pytest.raises(InvalidSetting, match=r"render: the game has not begun"):
        env.render()
    env.reset(seed=1)
    *_, truncated, _ = env.step(everybody(env))
    assert all(truncated.values())
    for actions in (everybody(env), {}):
        with pytest.raises(gymnasium.error.ResetNeeded, match=r"step: the game is over; call reset\(\) first"):
            env.step(actions)
    env.reset(seed=1)
    env.step(everybody(env))


def test_all_at_once_with_the_wrong_agents() -> None:
    env = StackelbergParallel("stage_game", followers=2)
    env.reset(seed=1)
    actions = everybody(env)
    missing = {agent: each for agent, each in actions.items() if agent != "household_1"}
    with pytest.raises(InvalidSetting, match=r"step: household_1 has not acted \(1 of 3 missing\)"):
        env.step(missing)
    with pytest.raises(InvalidSetting, match="step: there is no agent 'household_7': did you mean 'household_"):
        env.step({**actions, "household_7": actions["household_0"]})
