"""Transitions of the economy `calibrated` with households who know the whole path."""

from envs.economy.foresight.setting import Government, Setting, Start, survey_start
from envs.economy.foresight.solve import Transition, transition

__all__ = ["Government", "Setting", "Start", "Transition", "survey_start", "transition"]
