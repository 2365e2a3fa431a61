"""docs/calibration.md names every column of what is seen and done, with its bounds."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from envs import make

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "calibration.md").read_text(encoding="utf-8")
GAME = make("economy", preset="calibrated", followers=20)


def rows(heading: str) -> list[list[str]]:
    """The rows of the table whose first heading this is."""
    table = PAGE.split(f"\n|{heading} |")[1].split("\n\n")[0]
    lines = [line for line in table.splitlines()[2:] if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    ("heading", "size"),
    [
        ("government observes", GAME.leader_observation_space.shape[0]),
        ("household observes", GAME.follower_observation_space.shape[0]),
        ("government's action", GAME.leader_action_space.shape[0]),
        ("household's action", GAME.follower_action_space.shape[0]),
    ],
)
def test_every_column_is_named_once_and_in_order(heading: str, size: int) -> None:
    assert [int(row[1]) for row in rows(heading)] == list(range(size))
    assert all(row[0] and row[2] for row in rows(heading))


@pytest.mark.parametrize(
    ("heading", "box"),
    [("government's action", GAME.leader_action_space), ("household's action", GAME.follower_action_space)],
)
def test_bounds_are_those_of_the_game(heading: str, box) -> None:
    for row, low, high in zip(rows(heading), box.low, box.high, strict=True):
        found = [float(number) for number in re.findall(r"[\d.]+\d", row[2])[:2]]
        np.testing.assert_allclose(found, [low, high], rtol=1e-6)


def test_columns_hold_what_they_are_said_to_hold() -> None:
    observed, state = GAME.reset(3), GAME.state
    richest = np.sort(state.assets[0])[-2:].mean()
    assert observed.leader[0, 0] == pytest.approx(richest)
    shared = [state.wage, state.interest_rate, state.capital / state.gdp, state.debt / state.gdp]
    np.testing.assert_allclose(observed.leader[0, 6:], np.concatenate(shared, axis=-1)[0])
    household = observed.follower[0]
    np.testing.assert_array_equal(household[:, 0], state.ability[0])
    np.testing.assert_array_equal(household[:, 1], state.assets[0])
    means = [state.wage[0, 0], state.interest_rate[0, 0], state.income.mean(), state.assets.mean()]
    np.testing.assert_allclose(household[:, 2:], np.tile(means, (20, 1)))
    assert GAME.parameters.maximal_hours == 5840
