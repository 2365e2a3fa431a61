"""The best rule over households who respond: paired evolution search on common random numbers, and its surroundings.

Evolution strategies (Rechenberg; Salimans et al. 2017) with two-sided differences: every direction is tried both ways
in a game with the same luck, so that differences are policy and not luck; luck is new in every round. The optimum is
then examined by a quadratic fit on common luck (flat directions), and checked by Nelder and Mead's simplex from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

from envs.economy.game import Economy
from envs.game import Array
from policies import FollowerPolicy, registry
from rllib_smfg.exploitability.exact import Interval
from rllib_smfg.exploitability.returns import episode_returns
from rllib_smfg.optimum.family import RuleFamily, RulesOfGames, family_game

Vector = NDArray[np.float64]
Advance = Callable[[float], None]


@dataclass(frozen=True)
class SearchEffort:
    """How hard is searched: rounds of so many pairs; fresh games that judge; points of the fit; simplex trials."""

    rounds: int = 100
    pairs: int = 12
    spread: float = 0.4  # of the widths, of the directions tried
    first_step: float = 0.5  # of the widths; falls to a tenth
    judges: int = 16
    points_each: int = 10  # of the quadratic fit, for each instrument
    simplex: int = 60
    games: int = 4  # of common luck, in fit and simplex


@dataclass(frozen=True)
class Lucky:
    """A gain in economies with luck: in all of them, and in the `lasting` ones, which the rule does not end."""

    gain: Interval
    economies: int
    lasting: int
    gain_of_lasting: Interval | None

    def in_words(self) -> str:
        """Both in a line."""
        of_all = f"{self.gain.in_words()} in {self.economies} economies with luck, of which {self.lasting} last"
        if self.gain_of_lasting is None or self.lasting == self.economies:
            return of_all
        return f"{of_all} ({self.gain_of_lasting.in_words()} in these)"


@dataclass(frozen=True)
class World:
    """The economy in which rules are tried, and who lives in it."""

    followers: int
    households: str
    horizon: int | None = None
    family: RuleFamily = field(default_factory=RuleFamily)

    def welfare(self, rules: Array, games: int, seed: int) -> Vector:
        """Discounted welfare of a mean household, a year, (games,), under one rule (7,) or one each, (games, 7)."""
        return self.lived(rules, games, seed)[0]

    def lived(self, rules: Array, games: int, seed: int) -> tuple[Vector, NDArray[np.bool_]]:
        """`welfare`, and which of the economies (games,) last as long as they should."""
        game = family_game(self.family, games=games, followers=self.followers, horizon=self.horizon)
        found = episode_returns(game, RulesOfGames(game, rules), self._households(game), seed)
        years = (1 - game.discount**game.horizon) / (1 - game.discount)
        return found.leader / self.followers / years, found.lasted

    def gained(self, rule: Array, base: Array, games: int, seed: int) -> Lucky:
        """What a rule (7,) gains over another on the same luck."""
        (best, lasts), (worth, _) = (self.lived(each, games, seed) for each in (rule, base))
        gain = best - worth
        of_lasting = Interval.of(gain[lasts]) if lasts.any() else None
        return Lucky(Interval.of(gain), games, int(lasts.sum()), of_lasting)

    def _households(self, game: Economy) -> FollowerPolicy:
        return registry.follower(self.households, game)


def evolve(
    family: RuleFamily, world: World, effort: SearchEffort, seed: int, advance: Advance = lambda _: None
) -> Vector:
    """The free instruments of the best rule found: the mean over the last third of the rounds."""
    random = np.random.default_rng(seed)
    low, high = family.limits()
    widths, centre = family.widths(), family.start()
    velocity, square, visited = np.zeros_like(centre), np.zeros_like(centre), []
    for number in range(effort.rounds):
        directions = random.standard_normal((effort.pairs, centre.size))
        away = effort.spread * widths * directions
        luck = int(random.integers(2**31))
        up, down = np.clip(centre + away, low, high), np.clip(centre - away, low, high)
        gained = world.welfare(family.rules(up), effort.pairs, luck) - world.welfare(
            family.rules(down), effort.pairs, luck
        )
        slope = slope_of((up - down) / widths, gained)
        velocity, square = 0.8 * velocity + 0.2 * slope, 0.95 * square + 0.05 * slope**2
        scale = np.sqrt(square / (1 - 0.95 ** (number + 1))) + 1e-12
        step = effort.first_step * 0.1 ** (number / max(effort.rounds - 1, 1))
        centre = np.clip(centre + step * widths * velocity / (1 - 0.8 ** (number + 1)) / scale, low, high)
        if number >= 2 * effort.rounds // 3:
            visited.append(centre)
        advance(1 / effort.rounds)
    found: Vector = np.mean(visited, axis=0)
    return found


def slope_of(moves: Array, gained: Vector) -> Vector:
    """The gradient (n,) that explains what moves (P, n) gained (P,); one economy that broke down counts for no more.

    By least squares with a little ridge, which is exact where welfare is straight and there are pairs enough.
    """
    typical = np.median(np.abs(gained)) + 1e-12
    bounded = np.clip(gained, -5 * typical, 5 * typical)
    ridge = 0.1 * np.mean(np.sum(moves**2, axis=1)) * np.eye(moves.shape[1])
    slope: Vector = np.linalg.solve(moves.T @ moves + ridge, moves.T @ bounded)
    return slope


@dataclass(frozen=True)
class Shape:
    """How welfare falls off around an optimum, in units of the instruments' widths.

    losses: discounted welfare lost by moving one width along each principal direction (n,), flattest first; directions
    (n, n), a row each. by_instrument: how far each can move alone before `tolerance` is lost, in its own unit.
    """

    losses: Vector
    directions: Array
    by_instrument: Vector


def shape(
    welfare: Callable[[Vector], float], family: RuleFamily, optimum: Vector, points: int, tolerance: float, seed: int
) -> Shape:
    """A quadratic fitted to welfare (of the free instruments, on one luck) at so many points around an optimum.

    Points at which welfare is no number, as where debt settles nowhere, are left out.
    """
    low, high = family.limits()
    widths, size = family.widths(), optimum.size
    random = np.random.default_rng(seed)
    tried = np.clip(optimum + 0.7 * widths * random.standard_normal((points, size)), low, high)
    moves = (tried - optimum) / widths
    lost = np.array([welfare(each) for each in tried]) - welfare(optimum)
    moves, lost = moves[np.isfinite(lost)], lost[np.isfinite(lost)]
    upper = np.triu_indices(size)
    features = np.concatenate([moves, moves[:, upper[0]] * moves[:, upper[1]]], axis=1)
    found = np.linalg.lstsq(features, lost, rcond=1e-8)[0]
    curvature = np.zeros((size, size))
    curvature[upper] = found[size:]
    curvature = -(curvature + curvature.T) / 2  # loss = x' C x
    losses, directions = np.linalg.eigh(curvature)
    alone = np.sqrt(tolerance / np.maximum(np.diag(curvature), 1e-9))
    return Shape(losses, directions.T, alone * widths)


def simplex(welfare: Callable[[Vector], float], family: RuleFamily, start: Vector, trials: int) -> Vector:
    """What Nelder and Mead find from a start in so many trials."""
    low, high = family.limits()
    start = np.clip(start, low, high)  # a mean of numbers at a bound may lie a digit beyond it
    first = np.vstack([start, start + 0.5 * np.diag(family.widths())])
    options: Any = {
        "maxfev": trials,
        "initial_simplex": np.clip(first, low, high),
        "xatol": 1e-4,
        "fatol": 1e-7,
    }

    def lost(x: Vector) -> float:
        found = welfare(x)
        return -found if np.isfinite(found) else np.inf

    found = minimize(lost, start, method="Nelder-Mead", bounds=Bounds(low, high), options=options)
    return np.asarray(found.x, dtype=np.float64)
