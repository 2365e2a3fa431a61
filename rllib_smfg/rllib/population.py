"""What algorithms on a population runner share: taking years from runners, and going on exactly where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME

from rllib_smfg.export import TrainedPolicies
from rllib_smfg.rllib.modules import FOLLOWER, LEADER

PLAY, TORCH = "play", "torch_random_state"
REQUESTED = "requested_years"


class PopulationAlgorithm(Algorithm):
    """Runners play games as arrays; both sides' modules hold a policy network `actor`."""

    def setup(self, config: Any) -> None:
        """Builds runners and learner (RLlib), with torch's threads and luck as configured."""
        torch.set_num_threads(self.config.torch_threads if hasattr(self.config, "torch_threads") else 1)
        torch.manual_seed(self.config.seed or 0)
        super().setup(config)

    def trained_policies(self) -> TrainedPolicies:
        """Copies of both policies as they stand, with all that is needed to play without RLlib."""
        config = self.config
        leader = deepcopy(self.get_module(LEADER).actor).cpu()
        follower = config.follower or deepcopy(self.get_module(FOLLOWER).actor).cpu()
        return TrainedPolicies(leader, follower, config.interface(), config.learning_settings(), config.env_config)

    def sample_years(self, **how: Any) -> list[Any]:
        """Fragments of all healthy runners, sampled with `how`; none while every remote runner is restarting."""
        group, play = self.env_runner_group, self._play(how)
        if group.num_remote_env_runners() == 0:
            results = [play(group.local_env_runner)]
        else:
            results = group.foreach_env_runner(
                play,
                local_env_runner=False,
                timeout_seconds=self.config.sample_timeout_s,
            )
        return self._taken(results)

    def request_years(self, **how: Any) -> None:
        """Asks all healthy remote runners that are not already at it for years, without waiting for them."""
        self.env_runner_group.foreach_env_runner_async(self._play(how), tag=REQUESTED)

    def _play(self, how: dict[str, Any]) -> Callable[[Any], tuple[list[Any], Any]]:
        """What runners are asked to do, and after how many years of all of them."""
        return partial(_play, **{"years_played": self.years(), **how})

    def requested_years(self) -> list[Any]:
        """Fragments asked for by `request_years`, once they are there; nothing of runners that were lost meanwhile."""
        results = self.env_runner_group.fetch_ready_async_reqs(
            tags=REQUESTED, timeout_seconds=self.config.sample_timeout_s
        )
        return self._taken([result for _, result in results])

    def years_requested(self) -> bool:
        """Whether some runner is playing years that were asked for."""
        return bool(self.env_runner_group.num_in_flight_async_reqs(REQUESTED))

    def _taken(self, results: list[Any]) -> list[Any]:
        """The fragments of runners' (fragments, metrics), their metrics being counted."""
        if results:
            self.metrics.aggregate([metrics for _, metrics in results], key=ENV_RUNNER_RESULTS)
        return [fragment for fragments, _ in results for fragment in fragments]

    def hand_out_weights(self) -> None:
        """Gives all runners the learner's weights; later requests to a runner are answered with them."""
        self.env_runner_group.sync_weights(
            from_worker_or_learner_group=self.learner_group,
            inference_only=True,
            timeout_seconds=self.config.sample_timeout_s,  # of earlier calls, beside which RLlib would drop this one
        )

    def restore_from_path(self, *path: Any, **kwargs: Any) -> None:
        """Goes back to a checkpoint; RLlib leaves remote runners with the weights they were built with."""
        super().restore_from_path(*path, **kwargs)
        self.hand_out_weights()

    def years(self) -> int:
        """Years sampled so far."""
        return int(self.metrics.peek((ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME), default=0))

    def get_state(self, components: Any = None, *, not_components: Any = None, **kwargs: Any) -> dict[str, Any]:
        """RLlib's state, and with a local runner where play stands, so that training goes on exactly."""
        state: dict[str, Any] = super().get_state(components, not_components=not_components, **kwargs)
        if self._check_component(PLAY, components, not_components):
            state[TORCH] = torch.get_rng_state()
            if self.config.num_env_runners == 0:
                state[PLAY] = self.env_runner.play_state()
        return state

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes back to a state from `get_state`."""
        super().set_state(state)
        if TORCH in state:
            torch.set_rng_state(state[TORCH])
        if PLAY in state and self.config.num_env_runners == 0:
            self.env_runner.set_play_state(state[PLAY])


def _play(runner: Any, **how: Any) -> tuple[list[Any], Any]:
    """A runner's fragments and metrics; a function by itself, so that no algorithm is sent along."""
    return runner.sample(**how), runner.get_metrics()
