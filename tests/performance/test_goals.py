"""The benchmark's page: what is reached, what is missed, and nothing about what was not measured."""

from __future__ import annotations

from typing import Any

from tests.campaigns.benchmark_goals import GOALS, page, update_growth


def measured(update: float) -> dict[str, Any]:
    speed = {"simulator_years": 4000.0, "acting_years": 1.0, "acting_household_years": 1.9e6}
    iteration = {"games": 4, "seconds": 1.2}
    return {
        "simulator": [
            {"games": 1, "followers": 1000, "dtype": "float64", **speed, "simulator_household_years": 4e6},
            {"games": 8, "followers": 1000, "dtype": "float64", **speed, "simulator_household_years": 9e6},
            {"games": 64, "followers": 100, "dtype": "float64", **speed, "simulator_household_years": 7e6},
        ],
        "iteration": [
            {"followers": 100, **iteration, "update_milliseconds": 8.0},
            {"followers": 1000, **iteration, "update_milliseconds": update},
        ],
        "machine": {"processor": "a processor", "cores": 2, "memory_gib": 24.0, "load_average": [0.1, 0.2, 0.3]},
        "threads": 1,
        "method": "medians",
    }


def reached(content: dict[str, Any]) -> dict[str, str]:
    lines = [line.strip("| ").split(" | ") for line in page(content).splitlines() if line.startswith("| ")]
    return {line[0]: line[3] for line in lines if line[0] in {goal.what for goal in GOALS}}


def test_goals_are_judged_by_the_worst_size_and_left_out_where_nothing_was_measured() -> None:
    said = reached(measured(update=8.4))
    assert said == {
        "simulator, float64, lowest at B N >= 6400": "no",  # one of two large sizes; small ones do not count
        "simulator, float64, lowest at B N >= 6400, first goal": "yes",
        "simulator, float64, B = 1, N = 1000": "yes",
        "with policies, float64, B = 8, N = 1000": "no",
        "update of both sides, N = 1000": "yes",
        "dearest update over cheapest, all N": "yes",
        "iteration of 300 years and 100 updates, N = 100": "yes",
        "iteration of 300 years and 100 updates, N = 1000, first goal": "yes",
        "iteration of 300 years and 100 updates, N = 1000": "yes",
    }
    slow = reached(measured(update=12.0))
    assert {what for what in said if said[what] != slow[what]} == {
        "update of both sides, N = 1000",
        "dearest update over cheapest, all N",
    }
    assert update_growth({"iteration": []}) is None
