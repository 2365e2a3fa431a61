"""The family of rules in which the best is looked for: taxes that follow debt, and instruments that stay as they are.

tau = `tau` + `response` (B / Y - B_0 / Y_0), with B_0 / Y_0 the debt of the first year; everything else is constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs import make
from envs.economy.calibration import US_PROGRESSIVITY
from envs.economy.game import Economy
from envs.economy.presets import CALIBRATED
from envs.game import Array, InvalidSetting
from envs.registry import nearest
from policies import LeaderPolicy
from policies.debt_rule import DEBT_RESPONSE
from policies.us_system import US_LEVEL

Vector = NDArray[np.float64]
NAMES = ("tau", "xi", "asset_tau", "asset_xi", "spending", "response", "transfer")
USUAL = NAMES[:-1]
RESPONSE, TRANSFER = NAMES.index("response"), NAMES.index("transfer")
# the US system, at which every search starts
US = np.array([US_LEVEL, US_PROGRESSIVITY, 0.0, 0.0, CALIBRATED.usual_spending_share, DEBT_RESPONSE, 0.0])
# a change that matters about as much in each
WIDTHS = np.array([0.05, 0.06, 0.004, 0.002, 0.03, 0.03, 0.05])
LEAST_RESPONSE, MOST_RESPONSE = 0.045, 0.4  # below, debt settles nowhere
MOST_TRANSFER = 1.0  # of mean income


@dataclass(frozen=True)
class RuleFamily:
    """The instruments that are chosen, by name, and bounds (low, high) of those that shall have other than the game's.

    Raises InvalidSetting for a name that is none, or bounds that do not rise or lie outside the game's.
    """

    free: Sequence[str] = USUAL
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.free, *self.bounds):
            if name not in NAMES:
                raise InvalidSetting(f"instrument '{name}'{nearest(name, list(NAMES))}")
        if not self.free or len(set(self.free)) < len(self.free):
            raise InvalidSetting(f"instruments {list(self.free)}: must be at least one, and none twice")
        low, high = game_bounds()
        for name, (least, most) in self.bounds.items():
            k = NAMES.index(name)
            if not low[k] <= least < most <= high[k]:
                raise InvalidSetting(f"bounds of {name} = {least:g}:{most:g}: must rise within {low[k]:g}:{high[k]:g}")

    @property
    def places(self) -> list[int]:
        """Where the free instruments stand among all."""
        return [NAMES.index(name) for name in self.free]

    @property
    def gives(self) -> bool:
        """Whether a transfer to everybody is among them."""
        return "transfer" in self.free

    def limits(self) -> tuple[Vector, Vector]:
        """Smallest and largest value of each free instrument."""
        low, high = game_bounds()
        for name, (least, most) in self.bounds.items():
            low[NAMES.index(name)], high[NAMES.index(name)] = least, most
        return low[self.places], high[self.places]

    def rules(self, chosen: Array) -> Vector:
        """All instruments (..., 7), with the free ones as chosen (..., n) and the others as in the US system."""
        rules = np.tile(US, (*chosen.shape[:-1], 1))
        rules[..., self.places] = chosen
        return rules

    def start(self) -> Vector:
        """The US system's, within the bounds."""
        found: Vector = np.clip(US[self.places], *self.limits())
        return found

    def widths(self) -> Vector:
        """A change of each that matters about as much."""
        found: Vector = WIDTHS[self.places]
        return found


def family_game(family: RuleFamily, **settings: Any) -> Economy:
    """The economy whose government has the instruments of a family; settings as of `envs.make`."""
    opened = {"transfer": MOST_TRANSFER} if family.gives else None
    game = make("economy", preset="calibrated", task="social_welfare", instruments=opened, **settings)
    assert isinstance(game, Economy)
    return game


def rule_family(instruments: str, bounds: Sequence[str]) -> RuleFamily:
    """A family as it is written: NAME,NAME and NAME=LOW:HIGH; raises InvalidSetting where it cannot be read."""
    narrower = {}
    for text in bounds:
        name, _, span = text.partition("=")
        try:
            low, high = (float(edge) for edge in span.split(":"))
        except ValueError:
            raise InvalidSetting(f"bounds '{text}': must be NAME=LOW:HIGH") from None
        narrower[name.strip()] = low, high
    return RuleFamily(tuple(name.strip() for name in instruments.split(",") if name.strip()), narrower)


class RulesOfGames(LeaderPolicy):
    """One rule (7,) for all games, or one for each, (B, 7)."""

    def __init__(self, game: Economy, rules: Array) -> None:
        self._rules, self._space = np.atleast_2d(rules), game.leader_action_space
        self._seen = 6 + game.parameters.laws.leader_sees.index("debt_to_gdp")
        self._debt = game.parameters.debt_to_gdp
        self._columns = list(range(5)) + ([TRANSFER] if game.parameters.further_instruments else [])

    def act(self, observation: Array) -> Array:
        """Actions (B, 5), (B, 6) where there is a transfer."""
        excess = observation[:, self._seen].astype(np.float64) - self._debt
        said = self._rules[:, self._columns]
        actions = np.broadcast_to(said, (len(observation), said.shape[1])).copy()
        actions[:, 0] += self._rules[:, RESPONSE] * excess
        clipped: Array = np.clip(actions, self._space.low, self._space.high)
        return clipped


def game_bounds() -> tuple[Vector, Vector]:
    """Smallest and largest value of every instrument that the game allows."""
    p = CALIBRATED
    most = np.array([p.tau_cap, p.xi_cap, p.asset_tau_cap, p.asset_xi_cap, p.spending_cap]) * p.share_high
    least = np.array([0.0, 0.0, 0.0, 0.0, 0.01])
    return np.append(least, [LEAST_RESPONSE, 0.0]), np.append(most, [MOST_RESPONSE, MOST_TRANSFER])
