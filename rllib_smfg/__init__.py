"""Learning in Stackelberg mean-field games: SMFRL and its relatives on RLlib."""

from rllib_smfg.foreign import refuse_foreign_packages

__version__ = "0.1.0"

refuse_foreign_packages()
