"""One side as an RLModule: the AI Economist's network, which travels to the runners, and a critic, which does not."""

from __future__ import annotations

from typing import Any

from ray.rllib.core.columns import Columns
from ray.rllib.core.distribution.torch.torch_distribution import TorchDiagGaussian
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI, ValueFunctionAPI
from ray.rllib.core.rl_module.torch import TorchRLModule
from torch import Tensor

from rllib_smfg.networks import Critic
from rllib_smfg.policy_networks import follower_network, leader_network
from rllib_smfg.rllib.modules import FOLLOWER, LEADER, natural, observed
from rllib_smfg.stochastic import RecurrentActor, mean_of

NETWORK = "recurrent"
BUILDERS = {LEADER: leader_network, FOLLOWER: follower_network}


class PPOModule(TorchRLModule, ValueFunctionAPI, InferenceOnlyAPI):
    """`actor` and `critic` of one side.

    model_config: side, interface, settings, start (first mean action, natural units, or None), weights (of the actor
    before learning, or None), critic_hidden. The critic of a household sees its state and what the government observes.
    """

    actor: RecurrentActor
    critic: Critic

    def setup(self) -> None:
        """Builds the networks; only the actor where the module only acts."""
        side, interface, settings = (self.model_config[k] for k in ("side", "interface", "settings"))
        actor = BUILDERS[side](NETWORK, interface, settings, self.model_config["start"])
        assert isinstance(actor, RecurrentActor)
        self.actor = actor
        if self.model_config["weights"] is not None:
            self.actor.load_state_dict(self.model_config["weights"])
        self.action_dist_cls = TorchDiagGaussian
        if not self.inference_only:
            economy = interface.leader_observation.shape[0]
            own, shared = (economy, 0) if side == LEADER else (interface.follower_observation.shape[0], economy)
            self.critic = Critic(own, shared, self.model_config["critic_hidden"], quadratic=True)

    def get_non_inference_attributes(self) -> list[str]:
        """What stays with the learner."""
        return ["critic"]

    def compute_values(self, batch: dict[str, Any], embeddings: Any = None) -> Tensor:
        """Values (R, T) of states (R, T, d)."""
        values: Tensor = self.critic(batch["state"], batch["economy"])
        return values

    def get_initial_state(self) -> dict[str, Any]:
        """The memory (2 units,) of whoever has seen nothing yet."""
        return {"memory": self.actor.blank(1)[0]}

    def is_stateful(self) -> bool:
        """RLlib's learner would cut and pad trajectories; ours come in whole sequences, see `PopulationPPOLearner`."""
        return False

    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Logits of sequences; of observations `obs` (R, d) in natural units, a year's mean actions (R, a), too.

        With `obs`, memories come in `state_in` (blank where it is missing) and go in `state_out`.
        """
        if Columns.OBS in batch:
            return self._one_year(batch)
        logits, _memory = self.actor.logits(batch["state"], batch["seen"], batch["memory"], batch["starts"])
        return {Columns.ACTION_DIST_INPUTS: logits}

    def _one_year(self, batch: dict[str, Any]) -> dict[str, Any]:
        own, shared = observed(batch[Columns.OBS], self.model_config, self.actor)
        memory = batch.get(Columns.STATE_IN, {}).get("memory", self.actor.blank(len(own)))
        logits, after = self.actor.logits(own.unsqueeze(1), shared, memory)
        return {
            Columns.ACTION_DIST_INPUTS: logits[:, 0],
            Columns.ACTIONS: natural(mean_of(logits[:, 0]), self.model_config),
            Columns.STATE_OUT: {"memory": after},
        }
