"""SMFRL as an RLlib Algorithm: sample years, keep them, update both sides, hand the weights back."""

from __future__ import annotations

from typing import Any

from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
    WEIGHTS_SEQ_NO,
)

from rllib_smfg.replay_buffer import ReplayArrays, ReplayBuffer
from rllib_smfg.rllib.config import SMFRLConfig
from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.rllib.population import PopulationAlgorithm

REPLAY = "replay"


class SMFRL(PopulationAlgorithm):
    """Stackelberg mean-field reinforcement learning (algorithm 1 of arXiv 2403.12093)."""

    @classmethod
    def get_default_config(cls) -> SMFRLConfig:
        """The defaults."""
        return SMFRLConfig(cls)

    def setup(self, config: SMFRLConfig) -> None:
        """Builds runners and learner, then the replay."""
        super().setup(config)
        self.replay = ReplayBuffer(self.config.replay_capacity, self.config.seed)
        self._weights = 0  # number of the learner's latest weights; every iteration of updates makes new ones

    def training_step(self) -> None:
        """One iteration: years from the runners, updates of both sides, weights back."""
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER), reduce="item"):
            fragments = self.sample_years() if self.config.sampling == "synchronous" else self._years_played_meanwhile()
        if not fragments:
            return
        for fragment in fragments:
            self.replay.add(fragment.rows)
        self.metrics.log_value("replay_size", self.replay.size, window=1)
        if self.years() < self.config.warm_up_years:
            return
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER), reduce="item"):
            batch = to_batch(self.replay.sample(self.config.updates_per_iteration * self.config.transitions_per_update))
            results = self.learner_group.update(batch=batch, timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: self.years()})
            self.metrics.aggregate(results, key=LEARNER_RESULTS)
            self._weights = int(self.metrics.peek((LEARNER_RESULTS, LEADER, WEIGHTS_SEQ_NO)))
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER), reduce="item"):
            self.env_runner_group.sync_weights(from_worker_or_learner_group=self.learner_group, inference_only=True)

    def _years_played_meanwhile(self) -> list[Any]:
        """Years asked for an iteration ago, played while the learner learned, and the next ones asked for.

        They were played with the weights of before that iteration's updates: never older, as a runner that is late
        (`sample_timeout_s`) is not counted on, and what it brings too late is not learned from.
        """
        if not self.years_requested():
            self.request_years()
        fragments = self.requested_years()
        recent = [fragment for fragment in fragments if self._weights - fragment.weights <= 1]
        if len(recent) < len(fragments):
            self.hand_out_weights()
        self.request_years()
        if recent:
            self.metrics.log_value("weights_age", self._weights - min(each.weights for each in recent), window=1)
        return recent

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        """The state of any algorithm on a population runner, and the replay."""
        state = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(REPLAY, components, not_components):
            state[REPLAY] = self.replay.get_state()
            state[WEIGHTS_SEQ_NO] = self._weights
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `get_state`."""
        super().set_state(state)
        if REPLAY in state:
            self.replay.set_state(state[REPLAY])
            self._weights = state.get(WEIGHTS_SEQ_NO, 0)


FOLLOWER_ROWS = (
    "follower_state", "follower_action", "follower_reward", "next_follower_state", "next_follower_action",
)  # fmt: skip


def to_batch(rows: ReplayArrays) -> MultiAgentBatch:
    """Replay rows as RLlib's batch: household arrays under "follower", everything else under "leader"."""
    follower = {name: values for name, values in rows.items() if name in FOLLOWER_ROWS}
    leader = {name: values for name, values in rows.items() if name not in FOLLOWER_ROWS}
    size = len(rows["leader_reward"])
    return MultiAgentBatch({LEADER: SampleBatch(leader), FOLLOWER: SampleBatch(follower)}, env_steps=size)
