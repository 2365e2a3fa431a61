"""Structural SMFRL as an RLlib Algorithm."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray.exceptions import RayTaskError
from ray.rllib.policy.sample_batch import MultiAgentBatch, SampleBatch
from ray.rllib.utils.metrics import (
    ENV_RUNNER_RESULTS,
    LEARNER_RESULTS,
    LEARNER_UPDATE_TIMER,
    NUM_ENV_STEPS_SAMPLED,
    NUM_ENV_STEPS_SAMPLED_LIFETIME,
    SYNCH_WORKER_WEIGHTS_TIMER,
    TIMERS,
)

from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.rllib.population import PopulationAlgorithm
from rllib_smfg.rllib.structural.config import StructuralSMFRLConfig
from rllib_smfg.rllib.structural.learner import YEARS


class StructuralSMFRL(PopulationAlgorithm):
    """Both sides learn from derivatives of the game's own arithmetic (docs/algorithms/structural.md)."""

    @classmethod
    def get_default_config(cls) -> StructuralSMFRLConfig:
        """The defaults."""
        return StructuralSMFRLConfig(cls)

    def training_step(self) -> None:
        """One iteration: updates of both sides in games of the learner's own, then their weights to the runners."""
        with self.metrics.log_time((TIMERS, LEARNER_UPDATE_TIMER), reduce="item"):
            results = self._updated()
            self.metrics.aggregate(results, key=LEARNER_RESULTS)
        played = int(self.metrics.peek((LEARNER_RESULTS, LEADER, YEARS), default=0))
        self.metrics.log_value((ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED), played, reduce="sum")
        self.metrics.log_value((ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME), played, reduce="lifetime_sum")
        with self.metrics.log_time((TIMERS, SYNCH_WORKER_WEIGHTS_TIMER), reduce="item"):
            self.env_runner_group.sync_weights(from_worker_or_learner_group=self.learner_group, inference_only=True)

    def _updated(self) -> list[Any]:
        """What learners log of an iteration's updates; raises the error of the one that stopped the others, if any."""
        group = self.learner_group
        try:
            results: list[Any] = group.update(
                batch=_nothing(self.config.num_learners), timesteps={NUM_ENV_STEPS_SAMPLED_LIFETIME: self.years()}
            )
        except RayTaskError:
            answers = group.foreach_learner(lambda learner: learner.trouble, healthy_only=False)
            troubles = [answer.get() for answer in answers if answer.ok and answer.get() is not None]
            if troubles:
                raise troubles[0] from None
            raise
        return results


def _nothing(learners: int) -> MultiAgentBatch:
    """A batch of one row for each learner: RLlib's way to ask them to go on."""
    rows = {"nothing": np.zeros(max(1, learners), dtype=np.float32)}
    return MultiAgentBatch({LEADER: SampleBatch(rows), FOLLOWER: SampleBatch(rows)}, env_steps=max(1, learners))
