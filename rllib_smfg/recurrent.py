"""Networks with a memory as policies in natural units: they carry what they recall from year to year."""

from __future__ import annotations

import torch
from torch import Tensor

from envs.game import Array, BoolArray
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.build import Interface
from rllib_smfg.networks import Features, Float32, to_natural, to_unit
from rllib_smfg.stochastic import RecurrentActor, mean_of


class Memory:
    """The memories of rows that belong to games, the same number of rows each; blank when a game starts anew."""

    def __init__(self, network: RecurrentActor) -> None:
        self._network = network
        self._rows: Tensor | None = None

    def of(self, games: int, rows: int) -> Tensor:
        """The memories (B rows, 2 units); blank where none are kept yet, or for another number of rows."""
        if self._rows is None or len(self._rows) != games * rows:
            self._rows = self._network.blank(games * rows)
        return self._rows

    def keep(self, memories: Tensor) -> None:
        """Takes over the memories after a year."""
        self._rows = memories

    def forget(self, games: BoolArray) -> None:
        """Blanks the memories of games (B,) that start anew."""
        if self._rows is not None:
            kept = torch.from_numpy(~games).to(self._rows.dtype).view(-1, 1, 1)
            self._rows = (self._rows.unflatten(0, (len(games), -1)) * kept).flatten(0, 1)


class RecurrentLeader(LeaderPolicy):
    """A government with a memory; it does what its network thinks best, without chance."""

    def __init__(self, network: RecurrentActor, interface: Interface) -> None:
        self.network, self.memory = network, Memory(network)
        self.features = Features(interface.leader_scaling)
        self._box = interface.leader_action

    @torch.inference_mode()
    def logits(self, observation: Array) -> Float32:
        """Logits (B, 2 al), one year on."""
        state = torch.from_numpy(self.features(observation)).unsqueeze(1)
        logits, memories = self.network.logits(state, state[..., :0], self.memory.of(len(state), 1))
        self.memory.keep(memories)
        result: Float32 = logits[:, 0].numpy()
        return result

    def act(self, observation: Array) -> Array:
        """Actions (B, al) for observations (B, dl)."""
        return to_natural(mean_of(torch.from_numpy(self.logits(observation))).numpy(), self._box)

    def forget(self, games: BoolArray) -> None:
        """See LeaderPolicy."""
        self.memory.forget(games)


class RecurrentFollower(FollowerPolicy):
    """Households with a memory each and a network in common; they do what it thinks best, without chance."""

    def __init__(self, network: RecurrentActor, interface: Interface, sees_leader: bool) -> None:
        self.network, self.memory, self.sees_leader = network, Memory(network), sees_leader
        self.reads_leader = sees_leader
        self.features = Features(interface.follower_scaling)
        self._box, self._leader_box = interface.follower_action, interface.leader_action

    @torch.inference_mode()
    def logits(self, observation: Array, leader_unit_action: Float32) -> Float32:
        """Logits (B, N, 2 af), one year on, after leader actions u (B, al)."""
        state = torch.from_numpy(self.features(observation))
        games, households = state.shape[:2]
        seen = torch.from_numpy(leader_unit_action if self.sees_leader else leader_unit_action[:, :0])
        logits, memories = self.network.logits(
            state.flatten(0, 1).unsqueeze(1),
            seen.repeat_interleave(households, 0).unsqueeze(1),
            self.memory.of(games, households),
        )
        self.memory.keep(memories)
        result: Float32 = logits[:, 0].unflatten(0, (games, households)).numpy()
        return result

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, af) for observations (B, N, df) after leader actions (B, al)."""
        logits = self.logits(observation, to_unit(leader_action, self._leader_box))
        return to_natural(mean_of(torch.from_numpy(logits)).numpy(), self._box)

    def forget(self, games: BoolArray) -> None:
        """See FollowerPolicy."""
        self.memory.forget(games)
