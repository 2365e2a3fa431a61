"""Transitions of the economy `calibrated` with households who know the whole path."""

from envs.economy.foresight.rounds import Closure
from envs.economy.foresight.setting import SURVEYED, Government, Start, TransitionSetting, survey_start, surveyed
from envs.economy.foresight.solve import TOLERANCE, TransitionPath, equivalent_of_utility, transition
from envs.economy.foresight.steady import Steady, steady_state

__all__ = [
    "SURVEYED",
    "TOLERANCE",
    "Closure",
    "Government",
    "Start",
    "Steady",
    "TransitionPath",
    "TransitionSetting",
    "equivalent_of_utility",
    "steady_state",
    "survey_start",
    "surveyed",
    "transition",
]
