"""Structural SMFRL as an RLlib Algorithm: the learner plays and differentiates its own games, runners only evaluate."""

from rllib_smfg.rllib.structural.algorithm import StructuralSMFRL
from rllib_smfg.rllib.structural.config import StructuralSMFRLConfig

__all__ = ["StructuralSMFRL", "StructuralSMFRLConfig"]
