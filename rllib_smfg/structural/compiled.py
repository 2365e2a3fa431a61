"""A year as one compiled function.

A year of an economy is hundreds of operations on a few thousand numbers, and most of their time is torch's overhead.
Where a run plays years enough to repay it, a year is traced once (`torch.export`) and compiled (`torch.compile`): the
same arithmetic, rounded in another order. Where that cannot be (no C++ compiler, a game that looks at its numbers to
decide what to compute), the year is played as it is written, and `why_not` says why.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.utils._pytree as pytree
from torch import Tensor, nn
from torch.func import functional_call

TOLERANCE = 1e-3  # of the largest number of its kind: how far a compiled year may be from the written one
LEAST = 1e-9
# torch 2.13 spoils derivatives on CPUs where a buffer is used again in place
OPTIONS: dict[str, str | int | bool | Callable[..., Any]] = {"inplace_buffers": False}

log = logging.getLogger(__name__)
Weights = dict[str, Tensor]
Carried = dict[str, Tensor]  # what a year is handed and hands on to the next
# what stays or is drawn (tensors, in dicts, lists and tuples), what is carried -> what is carried on
Written = Callable[[Any, Carried], Carried]


class Differs(RuntimeError):
    """A compiled year is not the written one: the game's arithmetic is no pure function of what it is handed."""


class Compiled:
    """Plays years as one function of tensors, which is compiled when first played, with and without derivatives.

    All calls must be handed the same arithmetic and tensors of the same names, shapes and dtypes.
    why_not: why it plays the year as it is written instead, empty where it does not. seconds: what compiling took.
    """

    def __init__(self, what: str) -> None:
        self.what, self.why_not, self.seconds = what, "", 0.0
        self._years: dict[bool, _Year] = {}

    def __call__(self, written: Written, fixed: Any, carried: Carried) -> Carried:
        """What `written` makes of them."""
        derived = torch.is_grad_enabled()
        if derived not in self._years and not self.why_not:
            self._compile(derived, written, fixed, carried)
        return written(fixed, carried) if self.why_not else self._years[derived](fixed, carried)

    def _compile(self, derived: bool, written: Written, fixed: Any, carried: Carried) -> None:
        """Compiles the year and plays it beside the written one; what stands against it is `why_not`."""
        started = time.monotonic()
        log.warning("compiling %s, which takes some 10 to 20 seconds the first time on a machine", self.what)
        try:
            self._years[derived] = year = _Year(written, fixed, carried)
            _check(year(fixed, carried), written(fixed, carried), fixed)
        except Exception as error:  # whatever the tracer, the compiler or the game's own text could not do
            self.why_not = next(iter(str(error).strip().splitlines()), type(error).__name__)
            log.warning("%s is played as it is written, more slowly: %s", self.what, self.why_not)
        self.seconds += time.monotonic() - started


class _Year:
    """A year traced and compiled, for tensors like those that it is built from."""

    def __init__(self, written: Written, fixed: Any, carried: Carried) -> None:
        # what has a derivative once a year has been played: in the first nothing has, and that were two functions
        following = carried
        for _ in range(2):
            following = written(fixed, following)
        if {name: x.shape for name, x in following.items()} != {name: x.shape for name, x in carried.items()}:
            raise Differs("what a year hands on has other names or shapes than what it was handed")
        self.derived = {name for name, x in following.items() if x.requires_grad}
        distinct = pytree.tree_map(lambda x: x.detach().clone(), (fixed, carried))
        exported = torch.export.export(_Program(written), distinct, strict=False)
        self.function = torch.compile(exported.module().forward, dynamic=False, fullgraph=True, options=OPTIONS)

    def __call__(self, fixed: Any, carried: Carried) -> Carried:
        entering = {name: _entering(x, name in self.derived) for name, x in carried.items()}
        following: Carried = self.function(fixed, entering)
        return following


class _Program(nn.Module):
    """A year as `torch.export` wants it; nobody's weights are its own."""

    def __init__(self, written: Written) -> None:
        super().__init__()
        self.written = written

    def forward(self, fixed: Any, carried: Carried) -> Carried:
        following = self.written(fixed, carried)
        return {name: following[name] for name in carried}


def weights_of(network: Any) -> Weights:
    """All tensors of a network by name; none of what is no network."""
    if not isinstance(network, nn.Module):
        return {}
    return dict(network.named_parameters()) | dict(network.named_buffers())


def playing_by(network: nn.Module, weights: Weights) -> Callable[[Tensor, Tensor], Tensor]:
    """A network that plays by these weights."""

    def act(own: Tensor, shared: Tensor) -> Tensor:
        outputs: Tensor = functional_call(network, weights, (own, shared))
        return outputs

    return act


def _entering(x: Tensor, derived: bool) -> Tensor:
    """x as a year's input: no tensor that is another input as well, and always or never with a derivative."""
    if derived and torch.is_grad_enabled():
        return x if x.requires_grad else x.detach().requires_grad_()
    return x.detach()


def _check(here: Carried, written: Carried, fixed: Any) -> None:
    """Raises Differs where a year, or its derivative in what has one, is not the written one's."""
    for one, other in zip(_numbers(here, fixed), _numbers(written, fixed), strict=True):
        size = float(torch.nan_to_num(other, 0.0, 0.0, 0.0).abs().max())
        if not torch.allclose(one, other, rtol=0.0, atol=TOLERANCE * size + LEAST, equal_nan=True):
            raise Differs(f"a compiled year is off by {float((one - other).abs().max()):.2g} of {size:.2g}")


def _numbers(following: Carried, fixed: Any) -> list[Tensor]:
    """All that comes out of a year, and the derivative of all of it."""
    found = [following[name] for name in sorted(following)]
    numbers = [x.detach().double() for x in found]
    moved = [x for x in found if x.requires_grad]
    inputs = [x for x in pytree.tree_leaves(fixed) if x.requires_grad]
    if moved and inputs:
        whole = torch.stack([x.mean() for x in moved]).sum()
        slopes = torch.autograd.grad(whole, inputs, allow_unused=True, materialize_grads=True)
        numbers += [slope.double() for slope in slopes]
    return [x for x in numbers if x.numel()]
