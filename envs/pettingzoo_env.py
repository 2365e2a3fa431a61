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

from gymnasium.spaces import Box
from pettingzoo import AECEnv, ParallelEnv
from pettingzoo.utils import AgentSelector

from envs.game import Array, InvalidSetting
from envs.single_game import GOVERNMENT, GameOrName, SingleGame, Vector, Year

ByAgent = dict[str, Any]


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

    def observation_space(self, agent: str) -> Box:
        """What `agent` can see."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """What `agent` can do."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: ByAgent | None = None) -> None:
        """Starts anew at the government's turn; with a seed, everything that follows is determined by it."""
        self._single.reset(seed)
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
        """What `agent` sees now: the government (dl,), a household (df + al,)."""
        return self._single.informed_observation(agent)

    def step(self, action: Any) -> None:
        """Takes the action of the agent whose turn it is (None if its game is over); the last household's ends a year.

        Raises ValueError if an action has the wrong shape or is not a number.
        """
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

    def render(self) -> str | None:
        """The latest year in one line, where the render mode is "ansi"."""
        return self._single.describe() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _finish_year(self, year: Year) -> None:
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

    def observation_space(self, agent: str) -> Box:
        """What `agent` can see."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Box:
        """What `agent` can do."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: ByAgent | None = None) -> tuple[dict[str, Vector], ByAgent]:
        """Starts anew; with a seed, everything that follows is determined by it. Returns observations and infos."""
        self._single.reset(seed)
        self.agents = self.possible_agents[:]
        return self._observations(), {agent: {} for agent in self.agents}

    def step(
        self, actions: dict[str, Array]
    ) -> tuple[dict[str, Vector], dict[str, float], dict[str, bool], dict[str, bool], ByAgent]:
        """Plays one year; returns observations, rewards, terminations, truncations and infos by agent.

        Raises KeyError if an agent has not acted, ValueError if an action has the wrong shape or is not a number.
        """
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
        """The latest year in one line, where the render mode is "ansi"."""
        return self._single.describe() if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Nothing to release."""

    def _observations(self) -> dict[str, Vector]:
        return {agent: self._single.observation(agent) for agent in self.possible_agents}


def _checked_render_mode(render_mode: str | None) -> str | None:
    if render_mode not in (None, "ansi"):
        raise InvalidSetting(f"render_mode = {render_mode!r}: must be None or 'ansi'")
    return render_mode
