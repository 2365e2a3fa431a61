"""Governments that followers learn to answer: the leader's own, moved by an offset in network units."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from rllib_smfg.structural.paths import Act
from rllib_smfg.structural.settings import StructuralSettings


class Spread:
    """What each of B games' government differs by; B is the settings' `economies`.

    random: the one stream that these offsets share with whoever else draws from it. With a lasting spread the offset of
    an episode stays as long as it does; else the leader trembles, each year anew.
    """

    def __init__(
        self, settings: StructuralSettings, instruments: Sequence[str], random: np.random.Generator, like: Tensor
    ) -> None:
        self.settings, self.random, self.like = settings, random, like
        self.lasting = torch.zeros(settings.economies, 1, len(instruments), dtype=like.dtype, device=like.device)
        self.widths = torch.tensor(
            [settings.lasting_spread * settings.spread_of.get(name, 1.0) for name in instruments]
        ).to(like)

    def offsets(self, fresh: np.ndarray, settles: bool) -> tuple[Tensor, Tensor, Tensor]:
        """(B, 1, al) each: from next year on, this year as it is lived with, and this year as it is answered.

        fresh (B,): games that have just begun. settles: the leader holds still for good, and what it never does need
        hardly be answered any more.
        """
        s = self.settings
        if s.lasting_spread:
            begun = torch.as_tensor(fresh, device=self.like.device)[:, None, None]
            self.lasting = torch.where(begun, self._normal() * self.widths, self.lasting)
            now = self.lasting + self._normal() * s.yearly_spread
            return self.lasting, now, now
        left = s.settled_noise if settles else 1.0
        usual = self._normal() * (s.leader_noise * left)
        return self.lasting, usual, self._trembling(usual, s.tremble * left)

    def first_year(self, games: int) -> Tensor:
        """Offsets (games, 1, al) of a first year, of the first so many games."""
        usual = self._normal()[:games] * self.settings.leader_noise
        return self._trembling(usual, self.settings.tremble)

    def _trembling(self, usual: Tensor, share: float) -> Tensor:
        """Anywhere in the range in a share of the games, as usual in the others.

        It is big enough to reach any place from any other; what leads out of the range is clipped.
        """
        anywhere = torch.as_tensor(self.random.random(len(usual)) < share, device=self.like.device)
        wide = torch.as_tensor(self.random.uniform(-2.0, 2.0, usual.shape), dtype=self.like.dtype)
        return torch.where(anywhere[:, None, None], wide.to(self.like.device), usual)

    def _normal(self) -> Tensor:
        draws = self.random.standard_normal(self.lasting.shape)
        return torch.as_tensor(draws, dtype=self.like.dtype).to(self.like.device)


def moved_at_first(network: Act, offset: Tensor) -> Act:
    """The network as a policy whose first action alone is moved by `offset`."""
    moved = [offset]

    def act(own: Tensor, shared: Tensor) -> Tensor:
        u: Tensor = network(own, shared)
        return (u.clamp(-1.0, 1.0) + moved.pop()).clamp(-1.0, 1.0) if moved else u

    return act
