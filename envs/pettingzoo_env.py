"""Every game as a PettingZoo environment: in turns (AEC, the government first) or all at once (Parallel).

    from envs.pettingzoo_env import StackelbergAEC

    env = StackelbergAEC("economy", followers=10)
    env.reset(seed=0)
    for agent in env.agent_iter():
        observation, reward, terminated, truncated, info = env.last()
        env.step(None if terminated or truncated else env.action_space(agent).sample())

The agents are "government", "household_0", ..., "household_{N-1}". Observations and actions are float64 in natural
units; a year's indicators are in the government's info. Meant for outside algorithms and small N: one Python call for
each household and year.
"""

from __future__ import annotations

from typing import Any, ClassVar

from gymnasium import error
from gymnasium.spaces import Box
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import AgentSelector

from envs.game import Array, InvalidSetting
from envs.registry import nearest
from envs.single_game import GOVERNMENT, GameOrName, SingleGame, SingleYear, Vector

ByAgent = dict[str, Any]


class ResetNeeded(InvalidSetting, error.ResetNeeded):
    """Something was asked of a game that has not begun, or is over."""


class StackelbergAEC(AECEnv):
    """The game in turns: the government acts, then every household in order, who sees the government's action.

    The government observes (dl,), a household (df + al,): its own observation, then the government's latest action
    (before the first year: zeros, clipped to the action space). A year's rewards arrive after the last household's
    turn. `game` is a name that `envs.make` knows or a game class, `settings` are its own, without `games`;
    `render_mode` is None or "ansi". Raises InvalidSetting for an unknown game, setting or render mode.
    """

    # not parallelizable: what the households see changes within a cycle
    metadata: ClassVar[ByAgent] = {"name": "stackelberg_aec_v0", "render_modes": ["ansi"], "is_parallelizable": False}

    def __init__(self, game: GameOrName, *, render_mode: str | None = None, **settings: Any) -> None:
        super().__init__()
        self.render_mode = _checked_render_mode(render_mode)
        self._single = SingleGame(game, settings)
        self.possible_agents = self._single.players
        self.observation_spaces = self._single.informed_observation_spaces()
        self.action_spaces = self._single.action_spaces()
        self.agents: list[str] = []
        self._begun = False

    def observation_space(self, agent: str) -> Box:
        """What `agent` can see."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """What `agent` can do."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: ByAgent | None = None) -> None:
        """Starts anew at the government's turn; with a seed, everything that follows is determined by it."""
        self._single.reset(seed)
        self._begun = True
        self._actions: dict[str, Array] = {}
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, float]] = {agent: {} for agent in self.agents}
        self._turns = AgentSelector(self.agents)
        self.agent_selection = self._turns.next()

    def observe(self, agent: str) -> Vector:
        """What `agent` sees now: the government (dl,), a household (df + al,). Raises ResetNeeded before `reset`."""
        self._refuse_before_reset("observe")
        return self._single.informed_observation(agent)

    def step(self, action: Any) -> None:
        """Takes the action of the agent whose turn it is (None if its game is over); the last household's ends a year.

        Raises ValueError if an action has the wrong shape or is not a number, ResetNeeded before `reset` and once all
        agents are gone.
        """
        self._refuse_before_reset("step")
        if not self.agents:
            raise ResetNeeded("step: the game is over and all agents are gone; call reset() first")
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        self._cumulative_rewards[agent] = 0.0
        if agent == GOVERNMENT:
            self._single.announce(action)
            self._clear_rewards()
        else:
            self._actions[agent] = action
        if self._turns.is_last():
            self._finish_year(self._single.play(self._actions))
        self.agent_selection = self._turns.next()

    def last(self, observe: bool = True) -> tuple[Any, float, bool, bool, ByAgent]:
        """What PettingZoo's `last` returns for the agent whose turn it is; raises ResetNeeded before `reset`."""
        self._refuse_before_reset("last")
        found: tuple[Any, float, bool, bool, ByAgent] = super().last(observe)
        return found

    def agent_iter(self, max_iter: int = 2**63) -> Any:
        """The agents in the order of their turns; raises ResetNeeded before `reset`."""
        self._refuse_before_reset("agent_iter")
        return super().agent_iter(max_iter)

    def render(self) -> str | None:
        """The latest year in one line, where the render mode is "ansi"; raises ResetNeeded before `reset`."""
        self._refuse_before_reset("render")
        return self._single.describe() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _refuse_before_reset(self, asked: str) -> None:
        if not self._begun:
            raise ResetNeeded(f"{asked}: the game has not begun; call reset() first")

    def _finish_year(self, year: SingleYear) -> None:
        self.rewards = year.rewards
        self._accumulate_rewards()
        self.terminations = dict.fromkeys(self.agents, year.terminated)
        self.truncations = dict.fromkeys(self.agents, year.truncated)
        self.infos[GOVERNMENT] = year.indicators


class StackelbergParallel(ParallelEnv):
    """The game with all agents acting at once: nobody sees an action of the same year, nor the government's last.

    Without its turns the game is no Stackelberg game any more, but one of simultaneous moves: the government observes
    (dl,), a household (df,). `game`, `settings`, `render_mode` and errors as for `StackelbergAEC`.
    """

    metadata: ClassVar[ByAgent] = {"name": "stackelberg_parallel_v0", "render_modes": ["ansi"]}

    def __init__(self, game: GameOrName, *, render_mode: str | None = None, **settings: Any) -> None:
        super().__init__()
        self.render_mode = _checked_render_mode(render_mode)
        self._single = SingleGame(game, settings)
        self.possible_agents = self._single.players
        self.observation_spaces = self._single.observation_spaces()
        self.action_spaces = self._single.action_spaces()
        self.agents: list[str] = []
        self._begun = False

    def observation_space(self, agent: str) -> Box:
        """What `agent` can see."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """What `agent` can do."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: ByAgent | None = None) -> tuple[dict[str, Vector], ByAgent]:
        """Starts anew; with a seed, everything that follows is determined by it. Returns observations and infos."""
        self._single.reset(seed)
        self._begun = True
        self.agents = self.possible_agents[:]
        return self._observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, Array]
    ) -> tuple[dict[str, Vector], dict[str, float], dict[str, bool], dict[str, bool], ByAgent]:
        """Plays one year; returns observations, rewards, terminations, truncations and infos by agent.

        Raises InvalidSetting if an agent has not acted, or one that there is not has; ValueError if an action has the
        wrong shape or is not a number; ResetNeeded before `reset` and after the end.
        """
        if not self.agents:
            what = "the game is over" if self._begun else "the game has not begun"
            raise ResetNeeded(f"step: {what}; call reset() first")
        self._refuse_other_agents(actions)
        self._single.announce(actions[GOVERNMENT])
        year = self._single.play(actions)
        agents = self.agents
        if year.terminated or year.truncated:
            self.agents = []
        infos: ByAgent = {agent: {} for agent in agents}
        infos[GOVERNMENT] = year.indicators
        return (
            self._observations(),
            year.rewards,
            dict.fromkeys(agents, year.terminated),
            dict.fromkeys(agents, year.truncated),
            infos,
        )

    def render(self) -> str | None:
        """The latest year in one line, where the render mode is "ansi"; raises ResetNeeded before `reset`."""
        if not self._begun:
            raise ResetNeeded("render: the game has not begun; call reset() first")
        return self._single.describe() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _refuse_other_agents(self, actions: dict[str, Array]) -> None:
        missing = [agent for agent in self.agents if agent not in actions]
        if missing:
            raise InvalidSetting(f"step: {missing[0]} has not acted ({len(missing)} of {len(self.agents)} missing)")
        unknown = [agent for agent in actions if agent not in self.agents]
        if unknown:
            raise InvalidSetting(f"step: there is no agent '{unknown[0]}'{nearest(str(unknown[0]), self.agents)}")

    def _observations(self) -> dict[str, Vector]:
        return {agent: self._single.observation(agent) for agent in self.possible_agents}


def _checked_render_mode(render_mode: str | None) -> str | None:
    if render_mode not in (None, "ansi"):
        raise InvalidSetting(f"render_mode = {render_mode!r}: must be None or 'ansi'")
    return render_mode
