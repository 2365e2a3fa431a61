"""SMFRL as an RLlib Algorithm: sample years, keep them, update both sides, hand the weights back."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
)

from rllib_smfg.export import TrainedPolicies
from rllib_smfg.replay_buffer import Arrays, ReplayBuffer
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.modules import FOLLOWER, LEADER

REPLAY, PLAY, TORCH = "replay", "play", "torch_random_state"


class SMFRL(Algorithm):
    """Stackelberg mean-field reinforcement learning (algorithm 1 of arXiv 2403.12093)."""

    @classmethod
    def get_default_config(cls) -> SMFRLConfig:
        """The defaults."""
        return SMFRLConfig(cls)

    def setup(self, config: SMFRLConfig) -> None:
        """Builds runners and learner (RLlib), then the replay."""
        torch.set_num_threads(self.config.torch_threads if hasattr(self.config, "torch_threads") else 1)
        torch.manual_seed(self.config.seed or 0)
        super().setup(config)
        self.replay = ReplayBuffer(self.config.replay_capacity, self.config.seed)

    def training_step(self) -> None:
        """One iteration: years from the runners, updates of both sides, weights back."""
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER)):
            fragments = self._sample()
        for fragment in fragments:
            self.replay.add(fragment.rows)
        self.metrics.log_value("replay_size", self.replay.size, window=1)
        if self._years() < self.config.warm_up_years or not self.replay.size:
            return
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER)):
            batch = to_batch(self.replay.sample(self.config.updates_per_iteration * self.config.transitions_per_update))
            results = self.learner_group.update(batch=batch, timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: self._years()})
            self.metrics.aggregate(results, key=LEARNER_RESULTS)
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER)):
            self.env_runner_group.sync_weights(from_worker_or_learner_group=self.learner_group, inference_only=True)

    def trained_policies(self) -> TrainedPolicies:
        """Copies of both actors as they stand, with all that is needed to play without RLlib."""
        leader, follower = (deepcopy(self.get_module(side).actor) for side in (LEADER, FOLLOWER))
        config = self.config
        return TrainedPolicies(leader, follower, config.interface(), config.learning_settings(), config.env_config)

    def _sample(self) -> list[Any]:
        """Fragments of all healthy runners; none while every remote runner is restarting."""
        group = self.env_runner_group
        if group.num_remote_env_runners() == 0:
            results = [(group.local_env_runner.sample(), group.local_env_runner.get_metrics())]
        else:
            results = group.foreach_env_runner(
                lambda runner: (runner.sample(), runner.get_metrics()),
                local_env_runner=False,
                timeout_seconds=self.config.sample_timeout_s,
            )
        if results:
            self.metrics.aggregate([metrics for _, metrics in results], key=ENV_RUNNER_RESULTS)
        return [fragment for fragments, _ in results for fragment in fragments]

    def _years(self) -> int:
        return int(self.metrics.peek((ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME), default=0))

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state, the replay, and with a local runner where play stands, so that training goes on exactly."""
        state: dict[str, Any] = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(REPLAY, components, not_components):
            state[REPLAY] = self.replay.get_state()
            state[TORCH] = torch.get_rng_state()
            if self.config.num_env_runners == 0:
                state[PLAY] = self.env_runner.play_state()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `get_state`."""
        super().set_state(state)
        if REPLAY in state:
            self.replay.set_state(state[REPLAY])
            torch.set_rng_state(state[TORCH])
        if PLAY in state and self.config.num_env_runners == 0:
            self.env_runner.set_play_state(state[PLAY])


FOLLOWER_ROWS = ("follower_state", "follower_action", "follower_reward", "next_follower_state")


def to_batch(rows: Arrays) -> MultiAgentBatch:
    """Replay rows as RLlib's batch: household arrays under "follower", everything else under "leader"."""
    follower = {name: values for name, values in rows.items() if name in FOLLOWER_ROWS}
    leader = {name: values for name, values in rows.items() if name not in FOLLOWER_ROWS}
    size = len(rows["leader_reward"])
    return MultiAgentBatch({LEADER: SampleBatch(leader), FOLLOWER: SampleBatch(follower)}, env_steps=size)
