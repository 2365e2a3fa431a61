"""SMFRL's updates as an RLlib Learner: all updates of an iteration in one call, each with its own target move."""

from __future__ import annotations

from typing import Any

import torch
from ray.rllib.core.learner.torch.torch_learner import TorchLearner
from ray.rllib.utils.metrics import NUM_ENV_STEPS_SAMPLED_LIFETIME

from rllib_smfg.losses import Batch, Learners, value_range
from rllib_smfg.memory import keep_freed_memory
from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.schedule import value_at
from rllib_smfg.update import SIDES, gradients, move_targets, solve_slopes

ROWS = tuple(name for name in Batch.__dataclass_fields__ if not name.endswith("_value_range"))


class SMFRLLearner(TorchLearner):
    """Four optimisers (actor and critic of both sides), each moved by the gradient of its own loss only."""

    def build(self) -> None:
        """Sets torch's threads (many small updates are far slower on several), then builds modules and optimisers."""
        torch.set_num_threads(self.config.torch_threads)
        keep_freed_memory()
        super().build()
        self._learners = Learners(
            self.module[LEADER].unwrapped().player(),
            self.module[FOLLOWER].unwrapped().player(),
            self.config.learning_settings(),
            self.config.followers(),
        )
        self._actors: tuple[str, ...] = SIDES
        self._slope_damping = value_at(self.config.slope_damping, 0)
        taught = SIDES if self.config.follower is None else (LEADER,)
        self._critics: tuple[str, ...] = tuple(side for side in taught if self._is_trained(side))

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Adam for the actor and for the critic of one side; their learning rates may be schedules over years."""
        module = self.module[module_id].unwrapped()
        for name, rate in (("actor", config.actor_lr), ("critic", config.critic_lr)):
            parameters = list(getattr(module, name).parameters())
            self.register_optimizer(
                module_id=module_id,
                optimizer_name=name,
                optimizer=torch.optim.Adam(parameters, fused=True),
                params=parameters,
                lr_or_lr_schedule=rate,
            )

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state; constant learning rates are the configured ones, which a search may have changed."""
        super().set_state(state)
        for optimizer, schedule in self._optimizer_lr_schedules.items():
            if not schedule.use_schedule:
                self._set_optimizer_lr(optimizer, lr=schedule.get_current_value())

    def should_module_be_updated(self, module_id: str, multi_agent_batch: Any = None) -> bool:
        """RLlib leaves out of a batch what this denies; but whoever learns (`policies_to_train`) needs both sides'."""
        return True

    def _is_trained(self, side: str) -> bool:
        """Whether `policies_to_train` names this side."""
        return bool(super().should_module_be_updated(side))

    def before_gradient_based_update(self, *, timesteps: dict[str, Any]) -> None:
        """Decides whose actor learns this time, as a side may be held still for its first years, and how damped."""
        years = timesteps.get(NUM_ENV_STEPS_SAMPLED_LIFETIME, 0)
        held = {LEADER: self.config.leader_held_years, FOLLOWER: self.config.follower_held_years}
        self._actors = tuple(side for side in self._critics if years >= held[side])
        self._slope_damping = value_at(self.config.slope_damping, years)

    def _uncompiled_update(self, batch: dict[str, Any], **_: Any) -> tuple[dict, dict, dict]:
        rows = {**batch[LEADER], **batch[FOLLOWER]}
        size = self.config.transitions_per_update
        ranges = {f"{side}_value_range": value_range(rows[f"{side}_reward"]) for side in SIDES}
        totals: dict[str, Any] = {}
        updates = len(rows["leader_reward"]) // size
        for k in range(updates):
            part = {name: values[k * size : (k + 1) * size] for name, values in rows.items() if name in ROWS}
            logs = self._one_update(Batch(**part, **ranges))
            for name, value in logs.items():
                totals[name] = totals.get(name, 0.0) + value
        for name, value in totals.items():
            self.metrics.log_value(tuple(name.split("/")), value.item() / updates, window=1)
        return {}, {}, {}

    def _one_update(self, batch: Batch) -> dict[str, torch.Tensor]:
        found, logs = gradients(self._learners, batch, self._actors, self._critics)
        for (side, network), values in found.items():
            optimizer = self.get_optimizer(side, network)
            for parameter, value in zip(optimizer.param_groups[0]["params"], values, strict=True):
                parameter.grad = value
            optimizer.step()
        if self._learners.settings.learns_slopes and FOLLOWER in self._critics:
            logs |= solve_slopes(self._learners, batch, self._slope_damping)
        move_targets(self._learners)
        return logs

    def compute_loss_for_module(self, **_: Any) -> Any:
        """Not used: both sides' losses come from one batch (`rllib_smfg.update.gradients`)."""
        raise NotImplementedError("SMFRL computes both sides' losses together, in rllib_smfg.update.gradients")
