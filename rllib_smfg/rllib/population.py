"""What algorithms on a population runner share: taking years from runners, and going on exactly where they stopped."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from ray.rllib.algorithms.algorithm import Algorithm
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, EVALUATION_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME

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
        self._results_of_an_unfinished_iteration: list[Any] = []
        super().setup(config)

    def trained_policies(self) -> TrainedPolicies:
        """Copies of both policies as they stand, with all that is needed to play without RLlib."""
        config = self.config
        leader = deepcopy(self.get_module(LEADER).actor).cpu()
        follower = config.follower or deepcopy(self.get_module(FOLLOWER).actor).cpu()
        return TrainedPolicies(leader, follower, config.interface(), config.learning_settings(), config.game_settings())

    def get_module(self, module_id: str = LEADER) -> Any:
        """The module of a side; RLlib's recipes for a single agent, which name none, mean the government."""
        return super().get_module(module_id)

    # --- years ------------------------------------------------------------------------------------------------------
    def sample_years(self, **how: Any) -> list[Any]:
        """Fragments of all years of an iteration, sampled with `how`.

        What a runner does not bring, as it was lost or is too late (`sample_timeout_s`), the others play. While every
        remote runner is restarting there is nothing; what was played until then counts once the rest is there.
        """
        if self.env_runner_group.num_remote_env_runners() == 0:
            return self._taken([self._play(how)(self.env_runner_group.local_env_runner)])
        return self._completed(self._left_over(), how)

    def request_years(self, **how: Any) -> None:
        """Asks healthy remote runners, those that are not already at it, for the years of an iteration."""
        runners = self.env_runner_group.healthy_worker_ids()
        if not runners:
            return
        shares = self.config.shares(self.config.years_in_iteration(), runners)
        self.env_runner_group.foreach_env_runner_async(
            self._play({**how, "shares": shares}), tag=REQUESTED, remote_worker_ids=list(shares)
        )

    def requested_years(self, **how: Any) -> list[Any]:
        """Fragments asked for by `request_years`, once they are there.

        Years of runners that were lost meanwhile are played by the others now, with `how`.
        """
        results = self.env_runner_group.fetch_ready_async_reqs(
            tags=REQUESTED, timeout_seconds=self.config.sample_timeout_s
        )
        return self._completed(self._left_over() + [result for _, result in results], how)

    def years_requested(self) -> bool:
        """Whether some runner is playing years that were asked for."""
        return bool(self.env_runner_group.num_in_flight_async_reqs(REQUESTED))

    def _completed(self, results: list[Any], how: dict[str, Any]) -> list[Any]:
        """The fragments of results, and of what healthy runners play of the iteration's years that are missing."""
        group = self.env_runner_group
        while (missing := self.config.years_in_iteration() - _years_of(results)) > 0:
            runners = group.healthy_worker_ids()
            shares = self.config.shares(missing, runners) if runners else {}
            more = group.foreach_env_runner(
                self._play({**how, "shares": shares}),
                local_env_runner=False,
                remote_worker_ids=list(shares),
                timeout_seconds=self.config.sample_timeout_s,
            )
            if not more:
                self._results_of_an_unfinished_iteration = results
                return []
            results = results + more
        return self._taken(results)

    def _left_over(self) -> list[Any]:
        """What was played of an iteration before all runners were lost; it counts once."""
        results, self._results_of_an_unfinished_iteration = self._results_of_an_unfinished_iteration, []
        return results

    def _play(self, how: dict[str, Any]) -> Callable[[Any], tuple[list[Any], Any]]:
        """What runners are asked to do, and after how many years of all of them."""
        return partial(_play, **{"years_played": self.years(), **how})

    def _taken(self, results: list[Any]) -> list[Any]:
        """The fragments of runners' (fragments, metrics), their metrics being counted."""
        if results:
            self.metrics.aggregate([metrics for _, metrics in results], key=ENV_RUNNER_RESULTS)
        return [fragment for fragments, _ in results for fragment in fragments]

    def evaluate(self, parallel_train_future: Any = None) -> dict[str, Any]:
        """RLlib's evaluation; one that lasts as long as the training beside it ("auto") has at least one answer.

        RLlib returns nothing where the training was over before a runner had answered.
        """
        results: dict[str, Any] = super().evaluate(parallel_train_future)
        group, key = self.eval_env_runner_group, (EVALUATION_RESULTS, ENV_RUNNER_RESULTS)
        if results.get(ENV_RUNNER_RESULTS) or group is None or not group.num_in_flight_async_reqs():
            return results
        answers = group.fetch_ready_async_reqs(timeout_seconds=self.config.evaluation_sample_timeout_s)
        # each is (env steps, agent steps, metrics, iteration); other requests to runners have no answer
        current = [answer[2] for _, answer in answers if answer is not None and answer[3] == self.iteration]
        if current:
            self.metrics.aggregate(current, key=key)
            results = self.metrics.peek(EVALUATION_RESULTS, default={}, latest_merged_only=True)
        return results

    def _before_evaluate(self) -> None:
        """Tells the runner that trains, where it has to evaluate as well, that it is about to."""
        super()._before_evaluate()
        if self.eval_env_runner_group is None and self.env_runner is not None:
            self.env_runner.about_to_evaluate = True

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


def _years_of(results: list[Any]) -> int:
    """Years in results of runners, (fragments, metrics) each."""
    return sum(fragment.years for fragments, _ in results for fragment in fragments)


def _play(runner: Any, **how: Any) -> tuple[list[Any], Any]:
    """A runner's fragments and metrics; a function by itself, so that no algorithm is sent along."""
    return runner.sample(**how), runner.get_metrics()
