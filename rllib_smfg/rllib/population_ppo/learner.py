"""RLlib's own PPO loss, on the trajectories of a population runner."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from ray.rllib.algorithms.ppo.torch.ppo_torch_learner import PPOTorchLearner
from ray.rllib.core.columns import Columns
from ray.rllib.evaluation.postprocessing import Postprocessing
from torch import Tensor

from rllib_smfg.rllib.population_ppo.advantages import advantages
from rllib_smfg.stochastic import log_density

TensorRows = dict[str, Tensor]
# what the loss and the networks are given of a sequence, beside what RLlib names
INPUTS = ("state", "seen", "economy", "starts")


class PopulationPPOLearner(PPOTorchLearner):
    """Advantages of whole trajectories once, then passes over sequences cut from them, side by side."""

    def build(self) -> None:
        """Sets torch's threads, then builds modules and optimisers."""
        torch.set_num_threads(self.config.torch_threads)
        super().build()

    def _uncompiled_update(self, batch: dict[str, Any], **_: Any) -> tuple[dict, dict, dict]:
        sequences = {side: self._sequences(side, dict(rows)) for side, rows in batch.items()}
        for _epoch in range(self.config.num_epochs):
            for side, rows in sequences.items():
                for part in _shuffled(rows, self.config.minibatches):
                    self._one_update(side, part)
        return {}, {}, {}

    @torch.no_grad()
    def _sequences(self, side: str, rows: TensorRows) -> TensorRows:
        """Trajectories (R, T, ...) as sequences (R T / S, S, ...) under the names of RLlib's loss."""
        config, module = self.config, self.module[side].unwrapped()
        for name in ("seen", "economy", "next_economy"):  # a government sees none of these beside its state
            rows.setdefault(name, rows["state"][..., :0])
        value = module.compute_values(rows)
        next_value = module.compute_values({"state": rows["next_state"], "economy": rows["next_economy"]})
        advantage = advantages(
            rows["reward"],
            value,
            next_value,
            rows["terminated"],
            rows["ended"],
            config.learning_settings().discount,
            config.lambda_,
        )
        named = {name: rows[name] for name in INPUTS} | {
            Columns.ACTIONS: rows["action"],
            Columns.ACTION_DIST_INPUTS: rows["logits"],
            Columns.ACTION_LOGP: log_density(rows["logits"], rows["action"]),
            Postprocessing.ADVANTAGES: (advantage - advantage.mean()) / (advantage.std() + 1e-8),
            Postprocessing.VALUE_TARGETS: value + advantage,
        }
        cut = {name: _cut(x, config.sequence_years) for name, x in named.items()}
        return cut | {"memory": rows["memory"].flatten(0, 1)}

    def _one_update(self, side: str, rows: TensorRows) -> None:
        loss = self.compute_loss_for_module(
            module_id=side,
            config=self.config.get_config_for_module(side),
            batch=rows,
            fwd_out=self.module[side].unwrapped().forward_train(rows),
        )
        optimizer = self.get_optimizer(side)
        optimizer.zero_grad()
        loss.backward()
        if self.config.grad_clip is not None:
            torch.nn.utils.clip_grad_norm_(optimizer.param_groups[0]["params"], self.config.grad_clip)
        optimizer.step()


def _cut(x: Tensor, years: int) -> Tensor:
    """(R, T, ...) as (R T / S, S, ...)."""
    cut: Tensor = x.unflatten(1, (-1, years)).flatten(0, 1)
    return cut


def _shuffled(rows: TensorRows, parts: int) -> Iterator[TensorRows]:
    """Minibatches of whole sequences, in a new order."""
    order = torch.randperm(len(rows["memory"]))
    for chosen in order.chunk(parts):
        yield {name: x[chosen] for name, x in rows.items()}
