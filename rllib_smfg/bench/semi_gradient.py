"""AC-SMFG (Zeng et al. 2025, arXiv 2509.15392) in continuous games: one loop of semi-gradients on three time scales.

In every iteration each side takes one step of entropy-regularised actor-critic along what was just played: followers as
price takers, the leader by the part of its gradient that holds households' policy fixed, at a tenth of followers' rate
(`learners.SEMI_GRADIENT`). Theirs is analysed for finite states and actions, with softmax policies and a mean field
that is estimated on the way; here policies are Gaussian networks, and the mean field is that of the N who play.
"""

from __future__ import annotations

from typing import Any

from rllib_smfg.rllib.modules import LEADER
from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig
from rllib_smfg.rllib.population_ppo.learner import PopulationPPOLearner

SLOWER = 0.1  # the leader's learning rate over followers'


class SemiGradientLearner(PopulationPPOLearner):
    """Steps of both sides, the leader's at its own rate."""

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """The optimizer of a side."""
        own = (config or self.config).copy(copy_frozen=False)
        if module_id == LEADER:
            own.lr = SLOWER * own.lr
        super().configure_optimizers_for_module(module_id, own)


class SemiGradientConfig(PopulationPPOConfig):
    """Configures it; the settings are `PopulationPPOConfig`'s."""

    def get_default_learner_class(self) -> type[PopulationPPOLearner]:
        """Its Learner."""
        return SemiGradientLearner
