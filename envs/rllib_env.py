"""Every game as a turn-based RLlib environment, for RLlib's own algorithms and small N.

A year takes two turns: the government is asked first, then every household, who sees the government's action. Rewards
arrive after the households' turn. RLlib handles each agent in Python, so use this up to N = 100 or so; the population
runner in `rllib_smfg` is made for more.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ray.rllib.connectors.env_to_module import MeanStdFilter
from ray.rllib.env.multi_agent_env import MultiAgentEnv
from ray.tune.registry import register_env

from envs.game import Array
from envs.registry import GAMES
from envs.single_game import GOVERNMENT, SingleGame, Vector

ByAgent = dict[str, Any]


def policy_of(agent: str, episode: Any = None, **kwargs: Any) -> str:
    """RLlib's `policy_mapping_fn`: "leader" for the government, "follower" for every household."""
    return "leader" if agent == GOVERNMENT else "follower"


class AgentsMeanStdFilter(MeanStdFilter):
    """RLlib's `MeanStdFilter` of each agent's observations, whose sizes may differ, on any number of runners.

    RLlib's own takes for granted that all agents observe as many numbers when it brings runners' means together.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"multi_agent": True, **kwargs})

    def merge_states(self, states: list[dict[str, Any]]) -> dict[str, Any]:
        """The means of all runners, agent by agent."""
        merged: dict[str, Any] = {}
        for agent in dict.fromkeys(agent for state in states for agent in state):
            merged = super().merge_states([{agent: state[agent]} for state in states if agent in state])
        return merged


class SMFGMultiAgentEnv(MultiAgentEnv):
    """One game, turn by turn, for agents "government", "household_0", ..., "household_{N-1}".

    `config` is {"name": a name that `envs.make` knows or a game class, and the game's own settings without `games`}.
    Observations and actions are float64 in natural units. The government observes (dl,); a household (df + al,), its
    own observation, then the government's action of the same year. When the episode ends all agents get a last
    observation, in which the government's action is still the last one it took. The year's indicators are in the
    government's info.

    Raises InvalidSetting for an unknown game or setting.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__()
        settings = dict(config)
        self._single = SingleGame(settings.pop("name"), settings)
        self.possible_agents = self._single.players
        self.agents = self.possible_agents[:]
        self.observation_spaces = self._single.informed_observation_spaces()
        self.action_spaces = self._single.action_spaces()

    def reset(self, *, seed: int | None = None, options: ByAgent | None = None) -> tuple[dict[str, Vector], ByAgent]:
        """Starts anew and asks the government; with a seed, everything that follows is determined by it."""
        self._single.reset(seed)
        return self._observe([GOVERNMENT]), {}

    def step(self, action_dict: dict[str, Array]) -> tuple[ByAgent, ByAgent, ByAgent, ByAgent, ByAgent]:
        """Takes the government's action or all households'; returns what RLlib expects, for the agents asked next.

        Raises KeyError if a household has not acted, ValueError if an action has the wrong shape or is not a number.
        """
        if GOVERNMENT in action_dict:
            self._single.announce(action_dict[GOVERNMENT])
            return self._observe(self._single.households), {}, {"__all__": False}, {"__all__": False}, {}
        year = self._single.play(action_dict)
        ended = year.terminated or year.truncated
        return (
            self._observe(self.possible_agents if ended else [GOVERNMENT]),
            year.rewards,
            {"__all__": year.terminated},
            {"__all__": year.truncated},
            {GOVERNMENT: year.indicators},
        )

    def _observe(self, agents: list[str]) -> dict[str, Vector]:
        return {agent: self._single.informed_observation(agent) for agent in agents}


def register_games() -> None:
    """Makes every game known to RLlib by its name: `PPOConfig().environment("economy", env_config={...})`."""
    for name in GAMES:
        register_env(name, partial(_named, name))


def _named(name: str, config: Mapping[str, Any]) -> SMFGMultiAgentEnv:
    return SMFGMultiAgentEnv({"name": name, **config})


register_games()
