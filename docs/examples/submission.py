"""An example for the competition: `smfg compete households docs/examples/submission.py:CarefulHouseholds`.

Needs nothing but numpy. docs/competition.md tells what the numbers are and what a submission may do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class CarefulHouseholds:
    """Saves most of its income, the more the richer it is, and works the more the abler it is."""

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Saving rate and share of working time (B, n, 2) for (ability, assets) (B, n, 2) and the government (B, 5)."""
        ability, assets = observation[..., 0], observation[..., 1]
        saving_rate = 0.90 + 0.08 * assets / (assets + 1e5)
        working_time = 0.4 + 0.3 * ability / (1 + ability)
        return np.stack([saving_rate, working_time], axis=-1)


class ProgressiveGovernment:
    """Taxes incomes and assets progressively, the more the wealthier the richest tenth is than the poorer half."""

    def act(self, observation: Array) -> Array:
        """(tau, xi, tau_a, xi_a, spending share) (B, 5) for means of the richest tenth and the poorer half (B, 6)."""
        richest, poorer_half = observation[:, 0], observation[:, 3]
        inequality = np.clip(richest / np.maximum(poorer_half, 1.0) / 100, 0.0, 1.0)
        none = np.zeros_like(inequality)
        return np.stack([0.05 + 0.1 * inequality, 0.03 * inequality, none, 0.02 * inequality, none], axis=-1)
