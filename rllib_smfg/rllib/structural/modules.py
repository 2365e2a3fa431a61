"""One side of structural SMFRL as an RLModule: the averaged policy plays and travels, the one that learns does not."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis import InferenceOnlyAPI
from ray.rllib.core.rl_module.torch import TorchRLModule

from rllib_smfg.policy_networks import follower_network, leader_network
from rllib_smfg.rllib.modules import LEADER, natural, observed
from rllib_smfg.rule import RuleActor, responding


class StructuralModule(TorchRLModule, InferenceOnlyAPI):
    """`actor` plays; `learning` is what updates move, and `actor` the average of its weights.

    model_config: side, interface, settings (`LearningSettings`), start, weights, and kind (of the leader's network),
    responses, instruments, observes (of its rule).
    """

    def setup(self) -> None:
        """Builds the networks."""
        facts = self.model_config
        make = leader_network if facts["side"] == LEADER else follower_network
        kind = facts["kind"] if facts["side"] == LEADER else "smooth"
        self.actor = make(kind, facts["interface"], facts["settings"], facts["start"])
        if isinstance(self.actor, RuleActor):
            self.actor.responds = responding(facts["responses"], facts["instruments"], facts["observes"])
        if facts["weights"] is not None:
            self.actor.load_state_dict(facts["weights"])
        if not self.inference_only:
            self.learning = deepcopy(self.actor)

    def get_non_inference_attributes(self) -> list[str]:
        """What stays with the learner."""
        return ["learning"]

    actor: Any

    def _forward(self, batch: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Natural actions (..., a) of observations `obs` (..., d); outputs of features `own` and `shared`."""
        if Columns.OBS not in batch:
            return {Columns.ACTIONS: self.actor(batch["own"], batch["shared"])}
        own, shared = observed(batch[Columns.OBS], self.model_config, self.actor)
        return {Columns.ACTIONS: natural(self.actor.act(own.unsqueeze(-2), shared).squeeze(-2), self.model_config)}
