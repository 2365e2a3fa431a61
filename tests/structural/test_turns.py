"""Shares of a run as updates: nobody's turn is lost to what decimal fractions are in binary."""

from __future__ import annotations

import pytest

from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.turns import due, leads, settles


@pytest.mark.parametrize(
    ("updates", "lead_in", "settling", "first", "after"),
    [
        (10, 0.3, 0.4, 3, 6),
        (10, 0.3, 0.7, 3, 3),
        (160, 0.15, 0.35, 24, 104),
        (10, 0.0, 0.0, 0, 10),
        (7, 0.1, 0.4, 1, 5),
    ],
)
def test_the_leader_moves_between_its_lead_in_and_the_settling(
    updates: int, lead_in: float, settling: float, first: int, after: int
) -> None:
    settings = StructuralSettings(updates=updates, lead_in=lead_in, settling=settling)
    assert [k for k in range(updates) if leads(settings, k)] == list(range(first, after))
    assert [k for k in range(updates) if settles(settings, k)] == list(range(after, updates))


def test_the_first_refinement_goes_all_the_way_and_later_ones_half() -> None:
    settings = StructuralSettings(updates=160, lead_in=0.15, settling=0.35, refinements=8)
    found = {k: due(settings, k) for k in range(160)}
    moments = [k for k, refinement in found.items() if refinement]
    assert (moments[0], moments[-1], len(moments)) == (104, 159, 8)
    assert [found[k] for k in moments] == [1.0, *[0.5] * 7]


def test_without_a_settling_nothing_is_refined() -> None:
    settings = StructuralSettings(updates=10, settling=0.0)
    assert all(due(settings, k) == 0 for k in range(10))
