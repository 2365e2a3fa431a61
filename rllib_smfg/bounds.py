"""Between which bounds each setting must lie: stated once, for YAML, `--set` and Python alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from numbers import Integral, Real
from typing import Any, TypeVar

from envs.game import InvalidSetting
from rllib_smfg.schedule import check_rising

Kind = TypeVar("Kind")
SEEDS = 2**31


@dataclass(frozen=True)
class Bounds:
    """What a setting must be: a number between two bounds, of which either may itself be ruled out.

    whole: no fractions. scheduled: it may also be a schedule ([[years, value], ...]) whose values all lie within.
    several: a list of at least one such number. optional: None (left empty) will do.
    """

    low: float
    high: float
    above: bool = False  # the lower bound itself is ruled out
    below: bool = False  # the upper bound itself is ruled out
    whole: bool = False
    scheduled: bool = False
    several: bool = False
    optional: bool = False

    def fault(self, value: Any) -> str | None:
        """What the value must be, or None where it is that."""
        if value is None and self.optional:
            return None
        if self.several:
            return self._fault_of_several(value)
        if self.scheduled and isinstance(value, Sequence) and not isinstance(value, str):
            return self._fault_of_schedule(value)
        kind = Integral if self.whole else Real
        if isinstance(value, bool) or not isinstance(value, kind) or not math.isfinite(value):
            return f"must be {self._kind()}{' or a schedule [[0, value], [years, value], ...]' * self.scheduled}"
        return self._fault_of_number(float(value))

    def words(self) -> str:
        """The bounds as an interval."""
        low, high = "[("[self.above], "])"[self.below]
        return f"{low}{_plain(self.low)}, {_plain(self.high)}{high}"

    def pydantic(self) -> dict[str, Any]:
        """The bounds as `pydantic.Field` takes them."""
        return {"gt" if self.above else "ge": self.low, "lt" if self.below else "le": self.high}

    def _fault_of_number(self, value: float) -> str | None:
        too_low = value <= self.low if self.above else value < self.low
        too_high = value >= self.high if self.below else value > self.high
        if not too_low and not too_high:
            return None
        if self.high <= 1:
            return f"must lie in {'[('[self.above]}{_plain(self.low)}, {_plain(self.high)}{'])'[self.below]}"
        if too_low and self.low == 0 and not self.above:
            return "must be not negative"
        if too_low:
            return f"must be {'above' if self.above else 'at least'} {_plain(self.low)}"
        return f"must be {'below' if self.below else 'at most'} {_plain(self.high)}"

    def _kind(self) -> str:
        return "a whole number" if self.whole else "a number"

    def _fault_of_several(self, values: Any) -> str | None:
        if not isinstance(values, Sequence) or isinstance(values, str) or not values:
            return f"must be a list, each of it {self._kind()} of at least {_plain(self.low)}"
        return self._first_fault(values)

    def _fault_of_schedule(self, points: Sequence[Any]) -> str | None:
        try:
            check_rising(points)
        except InvalidSetting as error:
            return str(error)
        return self._first_fault([value for _, value in points])

    def _first_fault(self, values: Sequence[Any]) -> str | None:
        single = replace(self, scheduled=False, several=False)
        faults = (single.fault(value) for value in values)
        return next((fault for fault in faults if fault), None)


def _plain(number: float) -> str:
    """A bound without exponent where it is a whole number."""
    return str(int(number)) if float(number).is_integer() else str(number)


YEARS = Bounds(0, 10**9, whole=True)
SOME_YEARS = Bounds(1, 10**9, whole=True, optional=True)
SOME_HOUSEHOLDS = Bounds(1, 10**7, whole=True, optional=True)
RATE = Bounds(0, 1, above=True, scheduled=True)
NOISE = Bounds(0, 10, scheduled=True)
UNITS = Bounds(1, 4096, whole=True, several=True)
COUNT = Bounds(1, 10**6, whole=True)
SHARE = Bounds(0, 1)
WEIGHT = Bounds(0, 10**6)
SIZE = Bounds(0, 10**9, above=True)

# what is no setting of a learner; theirs are put here by `stated`
BOUNDS: dict[str, Bounds] = {
    # the game
    "followers": Bounds(1, 10**7, whole=True),
    "games": Bounds(1, 10**5, whole=True),
    # structural SMFRL
    "updates": Bounds(1, 10**7, whole=True),
    "lead_in": SHARE,
    "settling": SHARE,
    "follower_steps": Bounds(1, 10**4, whole=True),
    "search_pairs": Bounds(0, 10**4, whole=True),
    "refinements": Bounds(0, 100, whole=True),
    "refinement_plays": Bounds(1, 10**4, whole=True),
    "refinement_precision": Bounds(0, 1),
    "search_width": Bounds(0, 1, above=True),
    "follower_lr": Bounds(0, 1, above=True),
    "leader_lr": Bounds(0, 1, above=True),
    "last_rate": SHARE,
    "economies": Bounds(1, 10**5, whole=True),
    "population": Bounds(1, 10**7, whole=True),
    "household_years": Bounds(1, 10**10, whole=True),
    "tail": Bounds(0, 0.5, above=True),
    "averaging": Bounds(0, 1, below=True),
    "tremble": SHARE,
    "settled_noise": SHARE,
    "warm_up": SHARE,
    "window_years": Bounds(1, 10**4, whole=True),
    "lasting_spread": Bounds(0, 10),
    "yearly_spread": Bounds(0, 10),
    "share_floor": Bounds(0, 0.5),
    # RLlib's
    "num_env_runners": Bounds(0, 4096, whole=True),
    "num_learners": Bounds(0, 4096, whole=True),
    "seed": Bounds(0, SEEDS, below=True, whole=True, optional=True),
}


def setting(default: Any, says: str, bounds: Bounds | None = None, **more: Any) -> Any:
    """A field of a settings class: its default, what it is in one sentence, and between what it must lie.

    more: unset (a configuration leaves it to the game), of_run (the experiment says it), several (of a list: at least
    one).
    """
    return field(default=default, metadata={"says": says, "bounds": bounds, **more})


def stated(cls: type[Kind]) -> type[Kind]:
    """Makes the bounds of a settings class known to `check`; raises ValueError where two classes differ in one."""
    for each in fields(cls):  # type: ignore[arg-type]
        bounds = each.metadata.get("bounds")
        if bounds is not None and BOUNDS.setdefault(each.name, bounds) != bounds:
            raise ValueError(f"{cls.__name__}.{each.name}: has other bounds than the setting of this name elsewhere")
    return cls


def check(name: str, value: Any) -> None:
    """Raises InvalidSetting, in one line, for a value that this setting cannot have."""
    if is_searched(value):
        raise InvalidSetting(f"{name}: is a space to search in; give the configuration to ray.tune.Tuner")
    fault = BOUNDS[name].fault(value)
    if fault:
        raise InvalidSetting(f"{name} = {value}: {fault}")


def is_searched(value: Any) -> bool:
    """Whether a value is one of Ray Tune's search spaces, which stands for many."""
    if isinstance(value, dict):
        return set(value) == {"grid_search"}
    return type(value).__module__ == "ray.tune.search.sample"
