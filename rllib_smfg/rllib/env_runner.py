"""Plays B games of N households as arrays, leader first, and returns replay rows instead of per-agent episodes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import ArrayLike
from ray.rllib.callbacks.utils import make_callback
from ray.rllib.core import COMPONENT_RL_MODULE
from ray.rllib.env.env_context import EnvContext
from ray.rllib.env.env_runner import EnvRunner
from ray.rllib.utils import force_list
from ray.rllib.utils.checkpoints import Checkpointable
from ray.rllib.utils.metrics import (
    EPISODE_MODULE_RETURN_MEAN,
    NUM_AGENT_STEPS_SAMPLED,
    NUM_AGENT_STEPS_SAMPLED_LIFETIME,
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    NUM_EPISODES,
    NUM_EPISODES_LIFETIME,
    NUM_MODULE_STEPS_SAMPLED,
    NUM_MODULE_STEPS_SAMPLED_LIFETIME,
    WEIGHTS_SEQ_NO,
)

from envs import StackelbergMeanFieldGame, make
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.collect import record, sampled_households
from rllib_smfg.learned import Exploration, GivenFollower, LearnedFollower, LearnedLeader
from rllib_smfg.memory import keep_freed_memory
from rllib_smfg.replay_buffer import ReplayArrays
from rllib_smfg.rllib.episodes import Episode, RunningEpisodes, columns, or_nan
from rllib_smfg.rllib.modules import FOLLOWER, LEADER, spaces_of
from rllib_smfg.rollout import PlayedYear, evaluate, play
from rllib_smfg.schedule import value_at


@dataclass
class Fragment:
    """Replay rows, with the two counts RLlib asks of what a runner returns."""

    rows: ReplayArrays
    years: int
    households: int
    weights: int = 0  # number of the weights they were played with, see `Learner`

    def env_steps(self) -> int:
        """Years played, over all games."""
        return self.years

    def agent_steps(self) -> int:
        """Decisions taken by government and households."""
        return self.years * (self.households + 1)

    def __len__(self) -> int:
        return self.years


class PopulationEnvRunner(EnvRunner, Checkpointable):
    """One batched forward pass per side and year, whatever the number of households."""

    def __init__(self, *, config: Any, **kwargs: Any) -> None:
        super().__init__(config=config, **kwargs)
        torch.set_num_threads(config.torch_threads)
        keep_freed_memory()
        self._weights_seq_no = 0
        self.years_sampled = self._years_played = 0
        self.about_to_evaluate = False
        self._callbacks = [cls() for cls in force_list(config.callbacks_class)]
        self.make_env()
        self.make_module()

    # --- what RLlib asks of a runner -----------------------------------------------------------------------------
    def make_env(self) -> None:
        """Builds the games, and the random streams of actions and of household sampling."""
        self.game = make(**self.config.game_settings())
        seeds = np.random.SeedSequence([self.config.seed or 0, self.worker_index or 0]).spawn(4)
        self._action_random = np.random.default_rng(seeds[0])
        self._household_random = np.random.default_rng(seeds[1])
        self._observations = self.game.reset(int(seeds[2].generate_state(1)[0]))
        self._episodes = RunningEpisodes(self.game.n_games)
        shown = self.config.metrics_num_episodes_for_smoothing
        self._ended: deque[Episode] = deque(maxlen=max(shown, self.game.n_games))
        given = self.config.follower
        self._given = given.follower(self.game, int(seeds[3].generate_state(1)[0])) if given else None

        context = EnvContext(
            self.config.game_settings(), self.worker_index or 0, num_workers=self.config.num_env_runners
        )
        self._call_back("on_environment_created", env=self.game, env_context=context)

    def _call_back(self, name: str, **what: Any) -> None:
        """Calls RLlib's callback of this name; episodes of a population are none of RLlib's."""
        given = getattr(self.config, f"callbacks_{name}")
        about = {"env_runner": self, "metrics_logger": self.metrics, **what}
        make_callback(name, callbacks_objects=self._callbacks, callbacks_functions=given, kwargs=about)

    def make_module(self) -> None:
        """Builds both actors, where they act."""
        spec = self.config.get_multi_rl_module_spec(spaces=self.get_spaces(), inference_only=True)
        self.module = spec.build()
        for side in (LEADER, FOLLOWER):
            self.module[side].to(self.config.acting_device(self.worker_index or 0))

    def get_spaces(self) -> dict[str, Any]:
        """Observation and action space of each module."""
        return dict(spaces_of(self.config.interface(), self.config.learning_settings()))

    def assert_healthy(self) -> None:
        """Raises where the runner cannot play."""
        assert self.game is not None
        assert self.module is not None

    def sample(
        self,
        *,
        num_timesteps: int | None = None,
        num_episodes: int | None = None,
        explore: bool | None = None,
        force_reset: bool = False,
        random_actions: bool = False,
        years_played: int = 0,
        shares: Mapping[int, int] | None = None,
        **_: Any,
    ) -> list[Fragment]:
        """Plays on and returns rows of the years it played; with `num_episodes`, evaluates instead.

        It plays its share of `shares` (years by runner), or as many years as configured. Exploration is what its
        schedules say after `years_played` years of all runners; `explore` is the configured one unless it says
        otherwise. An evaluation plays whole episodes, or a runner of evaluations `num_timesteps` years, in games of its
        own without exploration, and returns no rows.
        """
        evaluates, self.about_to_evaluate = self.about_to_evaluate or self.config.in_evaluation, False
        if num_episodes:
            fragments = self._evaluate(num_episodes)
        elif num_timesteps and evaluates:
            fragments = self._evaluate_years(math.ceil(num_timesteps))
        else:
            years = shares[self.worker_index] if shares else (num_timesteps or self.config.years_per_runner())
            fragments = self._sample(
                years, years_played, force_reset, self.config.explore if explore is None else explore
            )
        self._call_back("on_sample_end", samples=fragments)
        return fragments

    def _sample(self, wanted: int, years_played: int, force_reset: bool, explore: bool) -> list[Fragment]:
        if force_reset:
            self._observations = self.game.reset()
        at_once = self.config.years_at_once()
        years = -(-wanted // at_once) * at_once // self.game.n_games
        self._years_played = years_played
        rows = self._play_on(years, explore)
        self._log_years(years * self.game.n_games)
        return [Fragment(rows, years * self.game.n_games, self.game.n_followers, self._weights_seq_no)]

    def get_metrics(self) -> dict[str, Any]:
        """Metrics since the last call."""
        result: dict[str, Any] = self.metrics.reduce()
        return result

    def stop(self) -> None:
        """Nothing to release: games are arrays."""

    # --- playing -------------------------------------------------------------------------------------------------
    def _play_on(self, years: int, explore: bool) -> ReplayArrays:
        """Plays all games for some years; a replay row of each game and year."""
        leader, follower = self._policies(self._exploration() if explore else None)
        statistics = self.config.learning_settings().mean_field
        rows = []
        for year in islice(play(self.game, leader, follower, self._observations), years):
            households = sampled_households(
                self.game.n_followers, self.config.households_kept(), self._household_random
            )
            rows.append(record(self.game, leader, follower, year, households, statistics))
            self._count_episodes(year)
            self._observations = year.step.observations
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    def _exploration(self) -> Exploration:
        config, years = self.config, self._years_played
        return Exploration(
            value_at(config.leader_noise, years),
            value_at(config.follower_noise, years),
            value_at(config.common_noise, years),
            self._action_random,
            config.leader_lasting_noise,
        )

    def _policies(self, exploration: Exploration | None) -> tuple[LearnedLeader, LearnedFollower | GivenFollower]:
        config = self.config
        interface = self.module[LEADER].model_config["interface"]
        sees_leader = config.learning_settings().followers_see_leader
        leader = LearnedLeader(self.module[LEADER].actor, interface, exploration)
        if self._given is not None:
            return leader, GivenFollower(self._given, interface)
        return leader, LearnedFollower(self.module[FOLLOWER].actor, interface, sees_leader, exploration)

    def evaluated_policies(self, game: StackelbergMeanFieldGame) -> tuple[LeaderPolicy, FollowerPolicy]:
        """Both sides without exploration, for a game of their own."""
        leader, follower = self._policies(None)
        given = self.config.follower
        return leader, given.follower(game, self.config.evaluation_seed + 1) if given else follower

    def _evaluate(self, episodes: int) -> list[Fragment]:
        game = make(**{**self.config.game_settings(), "games": episodes})
        results = evaluate(game, *self.evaluated_policies(game), seed=self._evaluation_seed())
        for name, values in results.items():
            self.metrics.log_value(name, float(np.mean(values)), window=1)
        self._log_episodes(results["leader_return"], results["follower_return"], results["years"])
        self._log_count(episodes)
        years = int(results["years"].sum())
        self._log_steps(years)
        return [Fragment({}, years, game.n_followers)]

    def _evaluate_years(self, wanted: int) -> list[Fragment]:
        """Plays so many years of all games together; means over years played, and over episodes that ended."""
        game = make(**{**self.config.game_settings(), "games": min(self.game.n_games, wanted)})
        years, episodes, ended = -(-wanted // game.n_games), RunningEpisodes(game.n_games), []
        policies = self.evaluated_policies(game)
        for year in islice(play(game, *policies, game.reset(self._evaluation_seed())), years):
            for name, values in year.step.indicators.items():
                self.metrics.log_value(name, float(np.mean(values)), window=years)
            ended += episodes.ended(year)
        leader, follower, lived = columns(ended)
        for name, each in {"leader_return": leader, "follower_return": follower, "years": lived}.items():
            self.metrics.log_value(name, float(or_nan(each).mean()), window=1)
        self._log_episodes(leader, follower, lived)
        self._log_count(len(ended))
        self._log_steps(years * game.n_games)
        return [Fragment({}, years * game.n_games, game.n_followers)]

    def _evaluation_seed(self) -> int:
        """The luck of evaluation games: runners that evaluate side by side meet luck of their own."""
        seed: int = self.config.evaluation_seed
        return seed + max(0, (self.worker_index or 0) - 1)

    def _count_episodes(self, year: PlayedYear) -> None:
        """Remembers the episodes that end in this year."""
        self._ended.extend(self._episodes.ended(year))
        self._log_count(int(year.step.done.sum()))

    def _log_episodes(self, leader: ArrayLike, follower: ArrayLike, years: ArrayLike) -> None:
        """Episodes under RLlib's names: the return is the government's sum of rewards, the length is in years.

        Module "follower" has the mean household's return. Where no episode has ended all is nan, and not left out:
        searches want their metric in every result.
        """
        returns, households, lived = or_nan(leader), or_nan(follower), or_nan(years)
        for name, each in (("return", returns), ("len", lived)):
            self.metrics.log_value(f"episode_{name}_mean", float(each.mean()), window=1)
            self.metrics.log_value(f"episode_{name}_min", float(each.min()), reduce="min", window=1)
            self.metrics.log_value(f"episode_{name}_max", float(each.max()), reduce="max", window=1)
        self.metrics.log_value((EPISODE_MODULE_RETURN_MEAN, LEADER), float(returns.mean()), window=1)
        self.metrics.log_value((EPISODE_MODULE_RETURN_MEAN, FOLLOWER), float(households.mean()), window=1)

    def _log_count(self, episodes: int) -> None:
        self.metrics.log_value(NUM_EPISODES, episodes, reduce="sum")
        self.metrics.log_value(NUM_EPISODES_LIFETIME, episodes, reduce="lifetime_sum")

    def _log_ended(self) -> None:
        """Logs means over the episodes that ended lately.

        The years of episodes that still run are left out: they would show how old the games are, which all start at
        once, more than how well they are governed.
        """
        self._log_episodes(*columns(self._ended))
        for name in self._ended[-1].indicators if self._ended else ():
            mean = float(np.mean([episode.indicators[name] for episode in self._ended]))
            self.metrics.log_value(("indicators", name), mean, window=1)

    def _log_years(self, years: int) -> None:
        self._log_ended()
        self.years_sampled += years
        self._log_steps(years)

    def _log_steps(self, years: int) -> None:
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED, years, reduce="sum")
        self.metrics.log_value(NUM_ENV_STEPS_SAMPLED_LIFETIME, years, reduce="lifetime_sum", with_throughput=True)
        for side, count in ((LEADER, years), (FOLLOWER, years * self.game.n_followers)):
            for name in (NUM_AGENT_STEPS_SAMPLED, NUM_MODULE_STEPS_SAMPLED):
                self.metrics.log_value((name, side), count, reduce="sum")
            for name in (NUM_AGENT_STEPS_SAMPLED_LIFETIME, NUM_MODULE_STEPS_SAMPLED_LIFETIME):
                self.metrics.log_value((name, side), count, reduce="lifetime_sum")

    # --- state ---------------------------------------------------------------------------------------------------
    def play_state(self) -> dict[str, Any]:
        """Where play stands: games, observations, random streams. With it, play goes on exactly."""
        return {
            "game": self.game.get_state(),
            "observations": self._observations,
            **self._episodes.get_state(),
            "ended": list(self._ended),
            "actions": self._action_random.bit_generator.state,
            "households": self._household_random.bit_generator.state,
            "given": deepcopy(self._given),
        }

    def set_play_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `play_state`."""
        self.game.set_state(state["game"])
        self._observations = state["observations"]
        self._episodes.set_state(state)
        ended = [episode for episode in state["ended"] if isinstance(episode, Episode)]  # older ones knew no returns
        self._ended = deque(ended, maxlen=self._ended.maxlen)
        self._action_random.bit_generator.state = state["actions"]
        self._household_random.bit_generator.state = state["households"]
        self._given = deepcopy(state["given"])

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        """Weights and counts; RLlib hands it from runner to runner, so where play stands is not in it."""
        state: dict[str, Any] = {NUM_ENV_STEPS_SAMPLED_LIFETIME: self.years_sampled}
        if self._check_component(COMPONENT_RL_MODULE, components, not_components):
            state[COMPONENT_RL_MODULE] = self.module.get_state(
                components=self._get_subcomponents(COMPONENT_RL_MODULE, components),
                not_components=self._get_subcomponents(COMPONENT_RL_MODULE, not_components),
                **kwargs,
            )
            state[WEIGHTS_SEQ_NO] = self._weights_seq_no
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes weights newer than its own, and counts."""
        if COMPONENT_RL_MODULE in state:
            number = state.get(WEIGHTS_SEQ_NO, 0)
            if number == 0 or self._weights_seq_no < number:
                weights = state[COMPONENT_RL_MODULE]
                self.module.set_state(ray.get(weights) if isinstance(weights, ray.ObjectRef) else weights)
            self._weights_seq_no = max(self._weights_seq_no, number)
        self.years_sampled = state.get(NUM_ENV_STEPS_SAMPLED_LIFETIME, self.years_sampled)

    def get_ctor_args_and_kwargs(self) -> tuple[tuple[()], dict[str, Any]]:
        """How to build it again."""
        return (), {"config": self.config}

    def get_checkpointable_components(self) -> list[tuple[str, Checkpointable]]:
        """The module."""
        return [(COMPONENT_RL_MODULE, self.module)]
