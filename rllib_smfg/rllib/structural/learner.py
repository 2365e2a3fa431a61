"""RLlib's Learner around `rllib_smfg.structural.learner`, which plays its own games."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import torch
from ray.rllib.core.learner.torch.torch_learner import TorchLearner

from rllib_smfg.memory import SPARING, keep_freed_memory
from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.structural.games import arithmetic_game
from rllib_smfg.structural.learner import StructuralLearner
from rllib_smfg.structural.paths import in_one_graph
from rllib_smfg.structural.together import LeftAlone, Together

STRUCTURAL = "structural"
YEARS = "years_learned_from"
PATIENCE = timedelta(minutes=10)  # with other learners, of whom one may have a slower node, or a link that is down


class StructuralRLlibLearner(TorchLearner):
    """Updates of both sides in each call; batches bring nothing but the wish to go on.

    Of several learners each plays its own games, and gradients of all are summed (`structural.together`). `trouble` is
    why one has stopped, unless it was for want of another. both_sides: what learns them.
    """

    both_sides: type[StructuralLearner] = StructuralLearner
    trouble: Exception | None = None

    def build(self) -> None:
        """Builds the modules, and the learner on their networks."""
        torch.set_num_threads(self.config.torch_threads)
        keep_freed_memory()
        super().build()
        together = Together(torch.distributed.new_group(timeout=PATIENCE) if self.config.num_learners > 1 else None)
        together.begin_alike([x for side in (LEADER, FOLLOWER) for x in self.module[side].state_dict().values()])
        sides = {side: self.module[side].unwrapped() for side in (LEADER, FOLLOWER)}
        self.structural = self.both_sides(
            partial(arithmetic_game, self.config.game_settings()),
            sides[LEADER].learning,
            sides[FOLLOWER].learning,
            self.config.structural_settings(),
            self.config.seed or 0,
            {side: module.actor for side, module in sides.items()},
            together,
        )
        if not in_one_graph(self.structural.path_game, self.structural.path_years):
            keep_freed_memory(SPARING)

    def _make_modules_ddp_if_necessary(self) -> None:
        """Nothing: torch's wrapper would take gradients of batches, of which there are none."""

    def configure_optimizers_for_module(self, module_id: str, config: Any = None) -> None:
        """Registers the optimizer of a side's network, which RLlib asks for; `structural` has those that step."""
        parameters = list(self.module[module_id].unwrapped().learning.parameters())
        optimizer = torch.optim.SGD(parameters, lr=0.0)
        self.register_optimizer(
            module_id=module_id,
            optimizer_name="idle",
            optimizer=optimizer,
            params=parameters,
            lr_or_lr_schedule=0.0,
        )

    def should_module_be_updated(self, module_id: str, multi_agent_batch: Any = None) -> bool:
        """Both sides are in every update."""
        return True

    def _uncompiled_update(self, batch: dict[str, Any], **_: Any) -> tuple[dict, dict, dict]:
        before = self.structural.years
        try:
            logs = self._updates()
        except Exception as error:
            self.trouble = None if isinstance(error, LeftAlone) else error
            self.structural.together.leave()  # else others would wait for this one
            raise
        for name, value in logs.items():
            self.metrics.log_value(tuple(name.split("/")), value, window=1)
        self.metrics.log_value((LEADER, YEARS), self.structural.years - before, window=1)
        return {}, {}, {}

    def _updates(self) -> dict[str, float]:
        """An iteration's updates, after which every learner knows how all games stand; returns what is logged."""
        logs: dict[str, float] = {}
        for _ in range(self.config.updates_per_iteration):
            logs |= self.structural.update()
        self.structural.economies.tell()
        return logs

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state, and that of the learner with random streams and all learners' games: RLlib asks one alone."""
        state: dict[str, Any] = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(STRUCTURAL, components, not_components):
            state[STRUCTURAL] = self.structural.get_state()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `get_state`."""
        super().set_state(state)
        if STRUCTURAL in state:
            self.structural.set_state(state[STRUCTURAL])

    def compute_loss_for_module(self, **_: Any) -> Any:
        """Not used: `rllib_smfg.structural` has the losses."""
        raise NotImplementedError("structural SMFRL computes its losses in rllib_smfg.structural")
