"""The networks: actors and critics of both sides, and the features they read.

Everything inside is in network units: observations as features of order one (`features`), actions as `u` in [-1, 1]
per coordinate (`to_unit`, `to_natural`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import torch
from gymnasium.spaces import Box
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import silu

from envs.game import Array
from envs.scaling import FeatureScaling, coordinate, from_coordinate
from rllib_smfg.settings import Squash

Float32 = NDArray[np.float32]


def features(observation: Array, scaling: FeatureScaling) -> Float32:
    """Observations (..., d) in natural units as features (..., d) of order one."""
    result = np.empty(observation.shape, dtype=np.float32)
    for k in range(observation.shape[-1]):
        result[..., k] = scaling.feature(k, observation[..., k])
    return result


class Features:
    """`features` that remembers its last result: the same observations are acted on, then recorded.

    Observations are told apart by their values, as whoever plays may write the next year's into the same array.
    """

    def __init__(self, scaling: FeatureScaling) -> None:
        self._scaling = scaling
        self._observation: Array = np.empty(0)
        self._result: Float32 | None = None

    def __call__(self, observation: Array) -> Float32:
        """Features of observations; what is returned must not be written to."""
        if self._result is None or not np.array_equal(observation, self._observation):
            self._observation, self._result = observation.copy(), features(observation, self._scaling)
        return self._result


def to_unit(action: Array, space: Box) -> Float32:
    """Natural actions (..., a) as u in [-1, 1]."""
    low, high = coordinate(space.low, space), coordinate(space.high, space)
    unit = np.empty(action.shape, dtype=np.float32)
    for k in range(action.shape[-1]):  # numpy is slow along short last axes
        unit[..., k] = (coordinate(action[..., k], space) - low[k]) * (2.0 / (high[k] - low[k])) - 1.0
    return unit


def to_natural(unit: NDArray[np.floating], space: Box) -> Array:
    """u in [-1, 1] as natural actions (..., a), clipped to the box; each component is in one piece of memory."""
    low, high = coordinate(space.low, space), coordinate(space.high, space)
    natural = np.empty((unit.shape[-1], *unit.shape[:-1]))
    for k in range(len(natural)):
        even = low[k] + (unit[..., k].astype(np.float64) + 1.0) * (0.5 * (high[k] - low[k]))
        natural[k] = np.clip(from_coordinate(even, space), float(space.low[k]), float(space.high[k]))
    return np.moveaxis(natural, 0, -1)


class Network(nn.Module):
    """A multilayer perceptron beside a low-order polynomial of the same inputs.

    Inputs come in two parts: `own` (..., do), one row per household, and `shared` (..., ds), one row per transition
    that broadcasts against it; the first layer is split accordingly. The polynomial part (linear for actors, quadratic
    for critics) carries slopes and curvatures of smooth games exactly, and leaves to the perceptron what they miss.
    """

    curvature: nn.Parameter | None
    unit = staticmethod(torch.relu_)

    def __init__(self, own: int, shared: int, hidden: Sequence[int], outputs: int, quadratic: bool = False) -> None:
        super().__init__()
        self.first_own = nn.Linear(own, hidden[0])
        self.first_shared = linear(shared, hidden[0])
        self.middle = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(hidden))
        self.last = nn.Linear(hidden[-1], outputs)
        self.linear_own = linear(own, outputs)
        self.linear_shared = linear(shared, outputs)
        self.curvature = nn.Parameter(torch.zeros(own + shared, own + shared)) if quadratic else None
        with torch.no_grad():  # start from an almost constant function
            for layer in (self.last, self.linear_own, self.linear_shared):
                layer.weight.mul_(0.1)
            self.last.bias.zero_()

    def forward(self, own: Tensor, shared: Tensor) -> Tensor:
        """Outputs (..., outputs)."""
        rows = own.shape[:-1]
        first, polynomial = self._apart(own, shared) if self.curvature is None else self._joined(own, shared)
        h = self._deeper(self.unit(first).flatten(0, -2))
        out: Tensor = self.last(h).view(*rows, -1) + polynomial
        return out

    def terms(self, own: Tensor, shared: Tensor) -> Tensor:
        """All (..., t) that the output of a network with a quadratic part is linear in, beside its constant; own
        (..., do) and shared (..., ds).
        """
        x = torch.cat([own, shared], -1)
        h = self._deeper(self.unit(self.first_own(own) + self.first_shared(shared)))
        return torch.cat([h, x, (x.unsqueeze(-1) * x.unsqueeze(-2)).flatten(-2)], -1)

    def linear_weights(self) -> list[Tensor]:
        """The weights of `terms`, in their order."""
        assert self.curvature is not None
        return [self.last.weight, self.linear_own.weight, self.linear_shared.weight, self.curvature]

    def _deeper(self, h: Tensor) -> Tensor:
        """From the first hidden layer (..., hidden) to the last."""
        for layer in self.middle:
            h = self.unit(layer(h))
        return h

    def _apart(self, own: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """First layer (..., hidden) and linear part (..., outputs); what is shared is embedded once."""
        first = added(self.first_own(own), self.first_shared(shared))
        return first, added(self.linear_own(own), self.linear_shared(shared))

    def _joined(self, own: Tensor, shared: Tensor) -> tuple[Tensor, Tensor]:
        """The same with a quadratic part, which needs all inputs x of a row: the polynomial is (x'C + a')x."""
        assert self.curvature is not None
        rows = own.shape[:-1]
        x = torch.cat([own, shared.expand(*rows, shared.shape[-1])], -1).flatten(0, -2)
        embedding = torch.cat([self.first_own.weight, self.first_shared.weight], -1).T.contiguous()
        slope = torch.cat([self.linear_own.weight, self.linear_shared.weight], -1)
        polynomial = (torch.addmm(slope, x, self.curvature) * x).sum(-1)
        return torch.addmm(self.first_own.bias, x, embedding), polynomial.view(*rows, 1)


def added(x: Tensor, y: Tensor) -> Tensor:
    """x + y, in x's place where nothing is to be differentiated (otherwise autograd would copy all of x)."""
    return x + y if torch.is_grad_enabled() else x.add_(y)


def linear(inputs: int, outputs: int) -> nn.Linear:
    """A linear map without bias; of no inputs, too (which torch's own initialisation would warn of)."""
    layer = nn.Linear(max(inputs, 1), outputs, bias=False)
    if not inputs:
        layer.in_features, layer.weight = 0, nn.Parameter(layer.weight[:, :0].detach().clone())
    return layer


def clip(output: Tensor) -> Tensor:
    """Outputs as actions u in [-1, 1], unchanged within."""
    return output.clamp(-1.0, 1.0)


# squash -> (outputs to actions, actions to outputs)
SQUASH: dict[Squash, tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]] = {
    "clip": (clip, clip),
    "tanh": (torch.tanh, lambda action: torch.atanh(action.clamp(-0.999, 0.999))),
}


class Actor(Network):
    """A deterministic policy: `forward` gives unbounded outputs, `act` the actions u in [-1, 1] made of them.

    With `clip`, an actor that has reached a bound still feels its critic's gradient (`losses.actor_loss`), so it can
    come back; with `tanh` the gradient vanishes there.
    """

    def __init__(
        self,
        own: int,
        shared: int,
        hidden: Sequence[int],
        action: Box,
        start: Sequence[float] | None,
        squash: Squash = "clip",
    ) -> None:
        super().__init__(own, shared, hidden, int(np.prod(action.shape)))
        self.to_action, to_output = SQUASH[squash]
        if start is not None:
            unit = torch.from_numpy(to_unit(np.asarray(start, dtype=np.float64), action))
            with torch.no_grad():
                self.last.bias.copy_(to_output(unit))

    def act(self, own: Tensor, shared: Tensor) -> Tensor:
        """Actions u (..., a)."""
        return self.to_action(self(own, shared))


class SmoothActor(Actor):
    """An actor of SiLUs: where a policy's own slopes are differentiated along paths, those of ReLUs are a staircase."""

    unit = staticmethod(silu)


class Critic(Network):
    """A value Q of order one: discounted rewards times (1 - discount), in units of the game's reward scale.

    Its units are SiLUs: actors climb its derivative, and that of a network of ReLUs is a staircase.
    """

    unit = staticmethod(silu)

    def __init__(self, own: int, shared: int, hidden: Sequence[int], quadratic: bool) -> None:
        super().__init__(own, shared, hidden, 1, quadratic)

    def forward(self, own: Tensor, shared: Tensor) -> Tensor:
        """Values (...,)."""
        return super().forward(own, shared).squeeze(-1)
