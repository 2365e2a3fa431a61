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

    def update(self) -> dict[str, float]:
        """One update of the side whose turn it is; returns what is logged."""
        share = self.update_number / self.settings.updates
        logs = self._leaders_turn(share) if self._leader_moves(share) else self._followers_turn(share)
        logs |= {f"{side}/skipped_steps": float(steps) for side, steps in self.skipped.items()}
        self.update_number += 1
        return logs

    def _leader_moves(self, share: float) -> bool:
        """Followers have the first turn, the lead-in and the settling."""
        s = self.settings
        governs = self.game.governed and s.lead_in <= share < 1 - s.settling
        return governs and self.update_number // TURN % 2 == 1


class OneByOneRLlibLearner(StructuralRLlibLearner):
    """RLlib's Learner around it."""

    both_sides = OneByOneLearner


class OneByOneConfig(StructuralSMFRLConfig):
    """Configures it; the settings are structural SMFRL's."""

    def get_default_learner_class(self) -> type[StructuralRLlibLearner]:
        """Its Learner."""
        return OneByOneRLlibLearner
