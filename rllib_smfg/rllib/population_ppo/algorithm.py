"""The AI Economist as an RLlib Algorithm: households in a free market first, then households and government."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ENV_RUNNER_SAMPLING_TIMER,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
)

from rllib_smfg.rllib.env_runner import Fragment
from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.rllib.population import PopulationAlgorithm
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig


class PopulationPPO(PopulationAlgorithm):
    """Proximal policy optimisation of both sides, with RLlib's loss (Zheng et al. 2022, two-phase curriculum)."""

    @classmethod
    def get_default_config(cls) -> PopulationPPOConfig:
        """The defaults."""
        return PopulationPPOConfig(cls)

    def training_step(self) -> None:
        """One iteration: years from the runners, passes over them, weights back."""
        free_market = self.years() < self.config.free_market_years
        self.metrics.log_value("free_market", float(free_market), window=1)
        with self.metrics.log_time((TIMERS, ENV_RUNNER_SAMPLING_TIMER), reduce="item"):
            fragments = self.sample_years(free_market=free_market)
        if not fragments:
            return
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER), reduce="item"):
            years = {NUM_ENV_STEPS_SAMPLED_LIFETIME: self.years()}
            results = self.learner_group.update(batch=to_batch(fragments), timesteps=years)
            self.metrics.aggregate(results, key=LEARNER_RESULTS)
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER), reduce="item"):
            self.env_runner_group.sync_weights(from_worker_or_learner_group=self.learner_group, inference_only=True)


def to_batch(fragments: list[Fragment]) -> MultiAgentBatch:
    """The trajectories of all runners as RLlib's batch; a side without any has no part in it."""
    sides: dict[str, dict[str, Any]] = {LEADER: {}, FOLLOWER: {}}
    for name in fragments[0].rows:
        side, column = name.split("/")
        sides[side][column] = np.concatenate([fragment.rows[name] for fragment in fragments])
    batches = {side: SampleBatch(columns) for side, columns in sides.items() if columns}
    return MultiAgentBatch(batches, env_steps=sum(fragment.years for fragment in fragments))
