"""One side's networks as an RLModule: an actor that travels to the runners, a critic and targets that do not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, TargetNetworkAPI
from ray.rllib.core.rl_module.rl_module import RLModule, RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import nn

from rllib_smfg import build
from rllib_smfg.build import Interface
from rllib_smfg.losses import Player
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
        return {"actions": self.actor(batch["own"], batch["shared"])}


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
    spaces = {
        LEADER: (interface.leader_observation, interface.leader_action),
        FOLLOWER: (interface.follower_observation, interface.follower_action),
    }
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
