"""The four networks of figure 7: what each is, and the loss it is fitted by."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rllib_smfg.networks import Actor, clip
from rllib_smfg.stochastic import GaussianActor, RecurrentActor, log_density

Loss = Callable[[nn.Module, Tensor, Tensor], Tensor]


def mean_square_error(network: nn.Module, state: Tensor, action: Tensor) -> Tensor:
    """Mean squared difference between a deterministic network's actions and those of the data, u on [0, 1].

    Where actions are outputs cut off at their bounds, outputs stand for them: a cut-off has no slope to learn from.
    """
    assert isinstance(network, Actor)
    output = network(state, _unseen(network, state))
    predicted = output if network.to_action is clip else network.to_action(output)
    return (predicted - action).square().mean() / 4


def negative_log_likelihood(network: nn.Module, state: Tensor, action: Tensor) -> Tensor:
    """- mean ln pi(a | s) of whole actions, u on [0, 1] (half the width of [-1, 1], twice the density)."""
    assert isinstance(network, GaussianActor | RecurrentActor)
    if isinstance(network, RecurrentActor):
        logits, _ = network.logits(state, _unseen(network, state), network.blank(len(state)))
    else:
        logits = network.logits(state, _unseen(network, state))
    return -log_density(logits, action).mean() - action.shape[-1] * math.log(2)


@dataclass(frozen=True)
class CloneKind:
    """A follower network: its kind among `policy_networks.KINDS`, the loss it is fitted by, and what it observes."""

    network: str
    loss: Loss
    loss_name: str
    sees_leader: bool


NETWORKS: dict[str, CloneKind] = {
    "mlp": CloneKind("gaussian", negative_log_likelihood, "NLL", True),
    "ai_economist": CloneKind("recurrent", negative_log_likelihood, "NLL", True),
    "mf_marl": CloneKind("actor", mean_square_error, "MSE", False),
    "maddpg": CloneKind("actor", mean_square_error, "MSE", True),
}
OWN = 2  # ability and assets; what followers observe beyond is common to all of them
SEEING = ("first_shared.weight", "linear_shared.weight")


@torch.no_grad()
def blind_to_leader(network: nn.Module) -> None:
    """Makes a network answer to nothing the leader does: surveys do not say how households would have.

    The weights that see the leader's action are zero; fitted with `_unseen` inputs, they remain so exactly. What
    learns on from there finds them as free as all others.
    """
    for name, parameter in network.named_parameters():
        if name in SEEING:
            parameter.zero_()


@torch.no_grad()
def blind_to_prices(network: nn.Module, seen: Tensor) -> None:
    """Makes a fitted network answer to nothing but ability and assets, the first two of the features `seen` (R, df).

    Prices and means were the same for all who were surveyed, so their share in what the network does is a constant,
    which moves to its biases. Raises ValueError where they were not the same.
    """
    prices = seen[0, OWN:]
    if not torch.allclose(seen[:, OWN:], prices.expand(len(seen), -1), atol=1e-5):
        raise ValueError("prices differ between the households of the survey")
    for layer, bias in (("first_own", "first_own"), ("linear_own", "last")):
        if hasattr(network, layer):
            weight = network.get_parameter(f"{layer}.weight")
            network.get_parameter(f"{bias}.bias")[: len(weight)] += weight[:, OWN:] @ prices
            weight[:, OWN:] = 0.0


def _unseen(network: nn.Module, state: Tensor) -> Tensor:
    """Zeros in place of the leader's action, for states of any leading shape."""
    seen = network.get_parameter("first_shared.weight").shape[1]
    return torch.zeros(*(1,) * (state.ndim - 1), seen)
