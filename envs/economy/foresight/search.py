"""How the guess of a transition is improved, round after round."""

from __future__ import annotations

import numpy as np

from envs.economy import instruments
from envs.economy.actions import leader_bounds
from envs.economy.fixed_point import Mixing
from envs.economy.foresight.rounds import INSTRUMENTS, scales
from envs.economy.household_problem import Matrix, Vector
from envs.economy.parameters import EconomyParameters

PATIENCE = 25  # rounds without progress after which there is taken to be no path
DAMPING, MEMORY = 0.4, 10
LOST = 30.0  # times as far off as the best guess was: the search then goes back to it
# largest steps of a round: logarithms of capital over labour and of the units of taxes; instruments, in a guess's units
PRICES, OTHERS = 0.25, 0.1
STEPS = {"wealth_tax_rate": 0.02, "wealth_tax_progressivity": 0.01, "spending_share": 0.05}
LEAST, MOST = -0.5, 0.95  # instruments, while the path is still being looked for


def largest_steps(parameters: EconomyParameters, prices: float = PRICES) -> Vector:
    """No longer than lets a household problem be solved, (3 + al,)."""
    return np.array([prices] * 3 + [STEPS.get(name, OTHERS) for name in instruments.names(parameters)])


class GuessSearch:
    """The guess that is being improved; a step that leads nowhere is taken back, and shorter ones follow."""

    def __init__(self, guess: Matrix, parameters: EconomyParameters) -> None:
        self.guess, self.least = guess, np.inf
        self._steps = largest_steps(parameters)
        self._most = np.maximum(leader_bounds(parameters)[1] / scales(parameters), MOST)
        self._best, self._residual, self._damping = guess, np.zeros_like(guess), DAMPING
        self._mixing = Mixing(DAMPING, MEMORY)
        self._idle = 0

    @property
    def stuck(self) -> bool:
        """Whether nothing has become better for long."""
        return self._idle >= PATIENCE

    def next(self, residual: Matrix) -> bool:
        """Moves the guess, given by how much it was off; says whether it was lost, and goes on from the best."""
        off = float(np.abs(residual).max()) if np.isfinite(residual).all() else np.inf
        self._idle = 0 if off < 0.9 * self.least else self._idle + 1
        if off < self.least:
            self._best, self._residual, self.least = self.guess, residual, off
        lost = not np.isfinite(off) or off > LOST * self.least
        if lost:
            self._damping /= 2
            self._mixing = Mixing(self._damping, MEMORY)
            self.guess, residual = self._best, self._residual
        proposed = self._mixing.next(self.guess.ravel(), residual.ravel()).reshape(self.guess.shape)
        self.guess = self.guess + np.clip(proposed - self.guess, -self._steps, self._steps)
        self.guess[:, INSTRUMENTS] = np.clip(self.guess[:, INSTRUMENTS], LEAST, self._most)
        return lost
