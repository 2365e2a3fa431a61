"""Who moves in which update of a run: the leader in its middle, followers always, a rule at its best at the end."""

from __future__ import annotations

import math

import numpy as np

from rllib_smfg.structural.settings import StructuralSettings

NEARLY = 1e-9  # shares of a run are decimal fractions, which few binary ones are


def leads(settings: StructuralSettings, update: int) -> bool:
    """Whether the leader is not held still, by the lead-in or the settling."""
    return _first(settings.updates * settings.lead_in) <= update < _settled_from(settings)


def settles(settings: StructuralSettings, update: int) -> bool:
    """Whether the leader holds still for good, but for refinements."""
    return update >= _settled_from(settings)


def due(settings: StructuralSettings, update: int) -> float:
    """How much of the way to its best a rule goes as an update begins, 0 where it stays.

    The first refinement begins the settling, the last its last update.

    Where the hill is highest is a matter of luck, and moves as followers settle: from the second refinement on the rule
    goes half of the way, and so is a running mean of what they found.
    """
    start, last = _settled_from(settings), settings.updates - 1
    if start > last or not settings.refinements:
        return 0.0
    moments = [round(moment) for moment in np.linspace(start, last, settings.refinements)]
    if update not in moments:
        return 0.0
    return 1.0 if update == start else 0.5


def _settled_from(settings: StructuralSettings) -> int:
    """The first update of the settling; `updates` where there is none."""
    return _first(settings.updates * (1 - settings.settling))


def _first(update: float) -> int:
    return math.ceil(update - NEARLY)
