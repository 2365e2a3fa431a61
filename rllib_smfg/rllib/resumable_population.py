"""Population-based training that can be resumed at any iteration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ray.tune.schedulers import PopulationBasedTraining

_reached: ContextVar[int] = ContextVar("reached", default=0)


@contextmanager
def going_on_from(iteration: int) -> Iterator[None]:
    """Schedulers that are made, or read from Tune's state, inside this block go on from an iteration."""
    before = _reached.set(iteration)
    try:
        yield
    finally:
        _reached.reset(before)


class ResumablePopulation(PopulationBasedTraining):
    """Ray's, whose first exchange after a resume is the next one due; takes its arguments but `burn_in_period`.

    Tune keeps a scheduler as it was before the first trial. Resumed so, members that wait for each other compare their
    iteration with the first interval's; once they are two intervals further none is below it, and all wait for ever.
    Until `burn_in_period` members only train, and the first exchange is at its end.
    """

    def __init__(self, *, perturbation_interval: int, **settings: Any) -> None:
        self._given = {"perturbation_interval": perturbation_interval, **settings}
        first = perturbation_interval * (_reached.get() // perturbation_interval + 1)
        super().__init__(perturbation_interval=perturbation_interval, burn_in_period=first, **settings)

    def __reduce__(self) -> tuple[Any, ...]:
        return _population, (self._given,)


def _population(settings: dict[str, Any]) -> ResumablePopulation:
    return ResumablePopulation(**settings)


Population = ResumablePopulation  # pickles of searches that began under this name
