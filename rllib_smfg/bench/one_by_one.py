"""One-by-one best response: the two sides of structural SMFRL, never both in the same update.

Followers answer a leader that holds still; then the leader moves among followers whose rule holds still; and so on.
Everything else, the steps themselves, their rates and the settling at the end, is structural SMFRL's.
"""

from __future__ import annotations

from rllib_smfg.bench.learners import TURN
from rllib_smfg.rllib.structural.config import StructuralSMFRLConfig
from rllib_smfg.rllib.structural.learner import StructuralRLlibLearner
from rllib_smfg.structural.learner import StructuralLearner


class OneByOneLearner(StructuralLearner):
    """Learns both sides in turns of `TURN` updates."""

    def _turns(self, share: float) -> dict[str, float]:
        """Of one side alone; followers have the first turn, the lead-in and the settling."""
        leaders = self.update_number // TURN % 2 == 1
        return self._leaders_turn(share) if leaders and self._leads() else self._followers_turn(share)


class OneByOneRLlibLearner(StructuralRLlibLearner):
    """RLlib's Learner around it."""

    both_sides = OneByOneLearner


class OneByOneConfig(StructuralSMFRLConfig):
    """Configures it; the settings are structural SMFRL's."""

    def get_default_learner_class(self) -> type[StructuralRLlibLearner]:
        """Its Learner."""
        return OneByOneRLlibLearner
