"""One side's networks as an RLModule: an actor that travels to the runners, a critic and targets that do not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import torch
from gymnasium.spaces import Box
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, TargetNetworkAPI
from ray.rllib.core.rl_module.rl_module import RLModule, RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor, nn

from envs import InvalidSetting
from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.losses import Player
from rllib_smfg.networks import features, to_natural, to_unit
from rllib_smfg.settings import LearningSettings

LEADER, FOLLOWER = "leader", "follower"
BUILDERS = {
    LEADER: (build.leader_actor, build.leader_critic),
    FOLLOWER: (build.follower_actor, build.follower_critic),
}


class PlayerModule(TorchRLModule, TargetNetworkAPI, InferenceOnlyAPI):
    """Actor, critic and their targets of one side.

    model_config: side ("leader" or "follower"), interface, settings, start (first action, natural units, or None),
    weights (of the actor before learning, or None).
    """

    def setup(self) -> None:
        """Builds the networks; only the actor where the module only acts."""
        side, interface, settings = (self.model_config[k] for k in ("side", "interface", "settings"))
        make_actor, make_critic = BUILDERS[side]
        self.actor = make_actor(interface, settings, self.model_config["start"])
        if self.model_config["weights"] is not None:
            self.actor.load_state_dict(self.model_config["weights"])
        if not self.inference_only:
            self.critic = make_critic(interface, settings)
            self.make_target_networks()

    def make_target_networks(self) -> None:
        """Separate copies that start equal and are never trained by gradient."""
        self.target_actor = deepcopy(self.actor).requires_grad_(False)
        self.target_critic = deepcopy(self.critic).requires_grad_(False)

    def get_target_network_pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """(network, target) of both networks."""
        return [(self.actor, self.target_actor), (self.critic, self.target_critic)]

    def get_non_inference_attributes(self) -> list[str]:
        """What stays with the learner."""
        return ["critic", "target_actor", "target_critic"]

    def player(self) -> Player:
        """The networks, as the losses take them."""
        return Player(self.actor, self.critic, self.target_actor, self.target_critic)

    def forward_target(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Actions of the target actor on features `own` and `shared`."""
        return {"actions": self.target_actor(batch["own"], batch["shared"])}

    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Actions without exploration.

        Of observations `obs` (..., d) in natural units, as `SMFGMultiAgentEnv` gives them, the action (..., a) in
        natural units; of features `own` and `shared`, the network's outputs.
        """
        if Columns.OBS not in batch:
            return {Columns.ACTIONS: self.actor(batch["own"], batch["shared"])}
        own, shared = observed(batch[Columns.OBS], self.model_config, self.actor)
        return {Columns.ACTIONS: natural(self.actor.act(own.unsqueeze(-2), shared).squeeze(-2), self.model_config)}


def observed(observations: Any, facts: dict[str, Any], network: nn.Module) -> tuple[Tensor, Tensor]:
    """Observations (..., d) of one side, in natural units, as the inputs `own` and `shared` of its network.

    A household's are its own followed by the government's action, which counts where it sees it; where it does not, its
    own alone will do. Raises InvalidSetting for another size.
    """
    interface, sees = facts["interface"], facts["settings"].followers_see_leader
    x = np.asarray(torch.as_tensor(observations).detach().cpu(), dtype=np.float64)
    device = next(network.parameters()).device
    leads = facts["side"] == LEADER
    box, scaling = (
        (interface.leader_observation, interface.leader_scaling)
        if leads
        else (interface.follower_observation, interface.follower_scaling)
    )
    size, more = box.shape[0], 0 if leads else interface.leader_action.shape[0]
    if x.ndim == 0 or x.shape[-1] not in ((size,) if leads else (size + more,) if sees else (size, size + more)):
        told = f"the {facts['side']}'s own {size} numbers" + f", then the government's action ({more})" * (more > 0)
        raise InvalidSetting(f"obs has shape {x.shape}: the last axis must be {told}")
    own = torch.from_numpy(features(x[..., :size], scaling))
    seen = to_unit(x[..., size:], interface.leader_action) if sees and not leads else x[..., :0].astype(np.float32)
    return own.to(device), torch.from_numpy(seen).to(device).unsqueeze(-2)


def natural(unit: Tensor, facts: dict[str, Any]) -> Tensor:
    """Actions u (..., a) of one side in natural units, within their bounds; in double precision, as these are."""
    interface = facts["interface"]
    box = interface.leader_action if facts["side"] == LEADER else interface.follower_action
    return torch.from_numpy(np.ascontiguousarray(to_natural(unit.detach().cpu().numpy(), box)))


def spaces_of(interface: Interface, settings: LearningSettings) -> dict[str, tuple[Box, Box]]:
    """Observation and action space of each side's module, in natural units; see `observed`."""
    own, announced = interface.follower_observation, interface.leader_action
    parts = [own, announced] if settings.followers_see_leader else [own]
    low, high = (np.concatenate([getattr(box, bound) for box in parts]).astype(np.float64) for bound in ("low", "high"))
    return {
        LEADER: (interface.leader_observation, interface.leader_action),
        FOLLOWER: (Box(low, high, dtype=np.float64), interface.follower_action),
    }


def module_specs(
    module_class: type[RLModule],
    interface: Interface,
    settings: LearningSettings,
    starts: dict[str, Any],
    weights: dict[str, Any],
    **more: Any,
) -> dict[str, RLModuleSpec]:
    """Both sides' RLModuleSpecs; by side, `starts` are first actions and `weights` those of actors before learning.

    `more` joins the model_config of both sides.
    """
    spaces = spaces_of(interface, settings)
    return {
        side: RLModuleSpec(
            module_class=module_class,
            observation_space=observation,
            action_space=action,
            model_config={
                "side": side,
                "interface": interface,
                "settings": settings,
                "start": starts.get(side),
                "weights": weights.get(side),
                **more,
            },
        )
        for side, (observation, action) in spaces.items()
    }
