"""Trials that are made up, and one that is run: a game, a learner, what is stored of them."""

from __future__ import annotations

from typing import Any

BUDGET = 30.0


def stored(
    learner: str, seed: int, share: float | None, game: str = "stage_game", first: float | None = None
) -> dict[str, Any]:
    """A trial that ended with this share of its bound, as it is stored; None: it was no number."""
    within = share is not None and share <= 1
    looks = [
        {"cpu": 10.0, "share": 5.0, "within": False},
        {"cpu": 29.0, "share": share, "within": within},
    ]
    return {
        **identity(learner, seed, game),
        "share": share,
        "within": within,
        "label": "S/G",
        "readings": {},
        "first_within": first,
        "looks": looks,
        "iterations": 3,
        "used": 29.0,
        "exploitability": None,
    }


def failed(learner: str, seed: int, game: str = "stage_game") -> dict[str, Any]:
    """One whose learner ended with an exception."""
    return {**identity(learner, seed, game), "error": "ValueError: no number"}


def identity(learner: str, seed: int, game: str) -> dict[str, Any]:
    """What every trial says."""
    return {"game": game, "learner": learner, "seed": seed, "cpu_seconds": BUDGET, "followers": 100}
