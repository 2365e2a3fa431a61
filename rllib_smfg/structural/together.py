"""Learners who share an update: each plays and differentiates games of its own, and all take the step of all games.

Everything that is drawn is drawn by every learner alike, for all games, of which it plays its own: so a game sees the
same luck however many learners there are. What they tell each other is the sum of their gradients, which games are
over, and what is needed of a median.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

Found = TypeVar("Found")


class LeftAlone(RuntimeError):
    """Another learner has stopped, or could not be reached in time."""


@dataclass
class Told:
    """What telling each other took so far: calls, bytes that a learner gave, seconds with waiting for the others."""

    calls: int = 0
    bytes: int = 0
    seconds: float = 0.0


class Together:
    """One learner among `size`, alone without a group of `torch.distributed`.

    All learners must call the same methods in the same order, with tensors of the same shapes; they raise LeftAlone
    where another one does not.
    """

    def __init__(self, group: distributed.ProcessGroup | None = None) -> None:
        self.group, self.told = group, Told()
        self.rank = 0 if group is None else distributed.get_rank(group)
        self.size = 1 if group is None else distributed.get_world_size(group)

    def own(self, games: int) -> slice:
        """This learner's among so many games; shares differ by one at most."""
        return slice(self.rank * games // self.size, (self.rank + 1) * games // self.size)

    def share(self, games: int) -> float:
        """How much of so many games is this learner's."""
        own = self.own(games)
        return float(own.stop - own.start) / games

    def summed(self, parts: Sequence[Tensor | None], weight: float) -> Sequence[Tensor | None]:
        """The sum over learners of `weight` times their parts, bit for bit the same for all of them.

        What is no number with one learner is none with any, so that all skip the same step.
        """
        if self.size == 1:
            return parts
        whole = torch.cat([weight * part.flatten() for part in parts if part is not None])
        self._counted(whole, lambda: distributed.all_reduce(whole, group=self.group))
        pieces = iter(whole.split([part.numel() for part in parts if part is not None]))
        return [None if part is None else next(pieces).view_as(part) for part in parts]

    def each(self, x: Tensor) -> Tensor:
        """Every learner's x (...), as (size, ...)."""
        if self.size == 1:
            return x[None]
        x = x.contiguous()
        found = [torch.empty_like(x) for _ in range(self.size)]
        self._counted(x, lambda: distributed.all_gather(found, x, group=self.group))
        return torch.stack(found)

    def median(self, x: Tensor) -> Tensor:
        """The lower median (a,) of all learners' x (n, a) taken together.

        It lies between the least and the largest of their own medians; only what lies there has to be told.
        """
        own = _lower_median(x)
        if self.size == 1:
            return own
        medians = self.each(own)
        low, high = medians.amin(0), medians.amax(0)
        between = (x >= low) & (x <= high)
        counts = self.each(torch.stack([(x < low).sum(0), between.sum(0)]))
        below, most = counts[:, 0].sum(0), int(counts[:, 1].max())
        inside = torch.where(between, x, torch.inf).sort(0).values[:most]
        known = self.each(inside).flatten(0, 1).sort(0).values
        place = (self.size * len(x) - 1) // 2 - below
        return known.gather(0, place[None])[0]

    def begin_alike(self, tensors: Iterable[Tensor]) -> None:
        """Gives everybody the first learner's numbers."""
        if self.size == 1:
            return
        for x in tensors:
            distributed.broadcast(x.data, 0, group=self.group)

    def leave(self) -> None:
        """Lets the others know, by an error where they wait, that this one goes on no more."""
        if self.group is not None:
            distributed.destroy_process_group(self.group)
            self.group = None  # gloo closes its connections once nobody holds it

    def _counted(self, x: Tensor, tell: Callable[[], Found]) -> Found:
        began = time.perf_counter()
        try:
            found = tell()
        except RuntimeError as error:
            raise LeftAlone("another learner has stopped, or is out of reach") from error
        self.told.calls += 1
        self.told.bytes += x.numel() * x.element_size()
        self.told.seconds += time.perf_counter() - began
        return found


def _lower_median(x: Tensor) -> Tensor:
    """Of x (n, a); torch's own, which is quicker, is not the same every time on a CUDA device."""
    return x.median(0).values if x.device.type == "cpu" else x.sort(0).values[(len(x) - 1) // 2]
