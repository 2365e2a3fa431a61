"""A government of a few interpretable numbers: each instrument a constant plus its responses to named observations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor, nn

from envs.game import InvalidSetting
from envs.registry import nearest
from rllib_smfg.networks import SQUASH, to_unit
from rllib_smfg.settings import Squash

# instrument -> the observations it responds to
Responses = Mapping[str, Sequence[str]]


class RuleActor(nn.Module):
    """u = constant + response . features, with `responds` (a, d) saying which responses are there at all.

    Like `networks.Actor`, in network units: `forward` gives unbounded outputs, `act` the actions u in [-1, 1].
    """

    responds: Tensor

    def __init__(
        self, own: int, action: Box, start: Sequence[float] | None, responds: Tensor | None, squash: Squash = "clip"
    ) -> None:
        super().__init__()
        size = int(np.prod(action.shape))
        self.to_action, to_output = SQUASH[squash]
        self.constant = nn.Parameter(torch.zeros(size))
        self.response = nn.Parameter(torch.zeros(size, own))
        self.register_buffer("responds", torch.zeros(size, own) if responds is None else responds)
        if start is not None:
            with torch.no_grad():
                unit = to_unit(np.asarray(start, dtype=np.float64), action)
                self.constant.copy_(to_output(torch.from_numpy(unit)))

    def forward(self, own: Tensor, shared: Tensor) -> Tensor:
        """Outputs (..., a) of features (..., d); `shared` is what others do, which a leader does not see."""
        return self.constant + own @ (self.response * self.responds).T

    def act(self, own: Tensor, shared: Tensor) -> Tensor:
        """Actions u (..., a)."""
        return self.to_action(self(own, shared))

    def places(self) -> list[int]:
        """The observations that any instrument responds to."""
        return [int(k) for k in self.responds.any(0).nonzero().flatten()]


def responding(responses: Responses, instruments: Sequence[str], observes: Sequence[str]) -> Tensor:
    """`responds` (a, d) of responses by name; raises InvalidSetting for a name that the game does not have."""
    mask = torch.zeros(len(instruments), len(observes))
    for instrument, seen in responses.items():
        if instrument not in instruments:
            raise InvalidSetting(f"leader_rule: no instrument '{instrument}'{nearest(instrument, list(instruments))}")
        for name in seen:
            if name not in observes:
                raise InvalidSetting(f"leader_rule: the leader does not see '{name}'{nearest(name, list(observes))}")
            mask[instruments.index(instrument), observes.index(name)] = 1.0
    return mask
