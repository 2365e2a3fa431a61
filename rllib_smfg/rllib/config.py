"""SMFRLConfig: every choice of the SMFRL family as RLlib configuration, checked before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Self

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig, NotProvided
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from envs import InvalidSetting, make
from envs.registry import nearest
from rllib_smfg.build import Interface
from rllib_smfg.rllib.env_runner import PopulationEnvRunner
from rllib_smfg.rllib.learner import SMFRLLearner
from rllib_smfg.rllib.modules import FOLLOWER, LEADER, PlayerModule, module_specs
from rllib_smfg.settings import LearningSettings

LearningRate = float | list[list[float]]
LEARNING = tuple(field.name for field in fields(LearningSettings))


class SMFRLConfig(AlgorithmConfig):
    """Configures SMFRL and its relatives.

    config = SMFRLConfig().game("economy", games=4, followers=100).training(leader_gradient="total")
    algorithm = config.build_algo()
    """

    def __init__(self, algo_class: type | None = None) -> None:
        if algo_class is None:
            from rllib_smfg.rllib.smfrl import SMFRL

            algo_class = SMFRL
        super().__init__(algo_class=algo_class)
        self.env_runner_cls = PopulationEnvRunner
        self.env_config: dict[str, Any] = {}
        self.learning: dict[str, Any] = {}
        self.actor_lr: LearningRate = 1e-3
        self.critic_lr: LearningRate = 1e-3
        self.years_per_iteration = 300
        self.updates_per_iteration = 100
        self.transitions_per_update = 128
        self.households_per_transition = 16
        self.replay_capacity = 30_000
        self.warm_up_years = 300
        self.leader_noise = 0.1
        self.follower_noise = 0.1
        self.common_noise = 0.05
        self.leader_held_years = 0
        self.follower_held_years = 0
        self.leader_start: Sequence[float] | None = None
        self.follower_start: Sequence[float] | None = None
        self.torch_threads = 1
        self.evaluation_seed = 1_000_000
        # an exception inside a runner must not pause training for RLlib's default minute
        self.delay_between_env_runner_restarts_s = 1.0
        self.max_num_env_runner_restarts = 100
        self.num_env_runners = 0
        self.num_learners = 0
        self.multi_agent(
            policies={LEADER, FOLLOWER},
            policy_mapping_fn=lambda agent, *_, **__: LEADER if agent == "government" else FOLLOWER,
        )

    def game(self, name: str, **settings: Any) -> Self:
        """The game to play: its name and settings, among them `games` (B a runner) and `followers` (N)."""
        self.env_config = {"name": name, **settings}
        return self

    def training(self, **settings: Any) -> Self:
        """Settings of the algorithm, each by its name.

        Those of `LearningSettings` (views, gradients, networks, ...; `discount` defaults to the game's own), and
        actor_lr, critic_lr: learning rates, constant or piecewise linear in years sampled ([[0, 1e-3], [30000, 1e-4]])
        years_per_iteration, updates_per_iteration, transitions_per_update (batch size B), households_per_transition (m)
        replay_capacity: transitions;  warm_up_years: sampled before the first update
        leader_noise, follower_noise, common_noise: see `Exploration`
        leader_held_years, follower_held_years: years before this side's actor learns
        leader_start, follower_start: what each actor does before learning, in natural units (default: mid-range)
        torch_threads: threads of driver, runners and learner each;  evaluation_seed: luck of the evaluation games
        Raises InvalidSetting for a name that is none of these nor RLlib's own.
        """
        own = [n for n in vars(self) if n in OWN_SETTINGS]
        rllib = {}
        for name, value in settings.items():
            if value is NotProvided:
                continue
            if name in LEARNING:
                self.learning[name] = tuple(value) if isinstance(value, list) else value
            elif name in own:
                setattr(self, name, value)
            elif name in RLLIB_SETTINGS:
                rllib[name] = value
            else:
                raise InvalidSetting(f"no training setting '{name}'{nearest(name, [*LEARNING, *own])}")
        super().training(**rllib)
        return self

    def validate(self) -> None:
        """Refuses, in one line each, what cannot be trained."""
        super().validate()
        settings = self.learning_settings()
        positive = (
            "years_per_iteration",
            "updates_per_iteration",
            "transitions_per_update",
            "households_per_transition",
        )
        for name in (*positive, "replay_capacity", "torch_threads"):
            if getattr(self, name) < 1:
                raise InvalidSetting(f"{name} = {getattr(self, name)}: must be at least 1")
        for name in ("leader_noise", "follower_noise", "common_noise", "leader_held_years", "follower_held_years"):
            if getattr(self, name) < 0:
                raise InvalidSetting(f"{name} = {getattr(self, name)}: must not be negative")
        if self.num_learners > 1:
            raise InvalidSetting(f"num_learners = {self.num_learners}: must be 0 (in the driver) or 1 (remote)")
        joint = "joint" in (settings.leader_view, settings.follower_view)
        if joint and self.households_per_transition < self.followers():
            raise InvalidSetting(
                f"households_per_transition = {self.households_per_transition}: a joint view sees every household,"
                f" so it must be at least followers = {self.followers()}"
            )

    # --- what the parts ask -----------------------------------------------------------------------------------------
    def learning_settings(self) -> LearningSettings:
        """The settings as the losses take them."""
        discount = self.learning.get("discount", self._facts()[1])
        return LearningSettings(**{**self.learning, "discount": discount})

    def interface(self) -> Interface:
        """The game's interface."""
        return self._facts()[0]

    def followers(self) -> int:
        """N."""
        return self.interface().followers

    def years_per_runner(self) -> int:
        """Years one runner plays in an iteration."""
        return -(-self.years_per_iteration // max(1, self.num_env_runners))

    def get_default_learner_class(self) -> type[SMFRLLearner]:
        """SMFRL's Learner."""
        return SMFRLLearner

    def get_default_rl_module_spec(self) -> RLModuleSpec:
        """RLlib wants a single-agent spec here; the real ones come from `get_multi_rl_module_spec`."""
        return RLModuleSpec(module_class=PlayerModule)

    def get_multi_rl_module_spec(self, **kwargs: Any) -> MultiRLModuleSpec:
        """Leader and follower module."""
        starts = {LEADER: self.leader_start, FOLLOWER: self.follower_start}
        specs = module_specs(self.interface(), self.learning_settings(), starts)
        for spec in specs.values():
            spec.inference_only = kwargs.get("inference_only", False)
        return MultiRLModuleSpec(rl_module_specs=specs, inference_only=kwargs.get("inference_only", False))

    def _facts(self) -> tuple[Interface, float]:
        """(interface, discount) of the game; one small game is built to ask it, once per setting of the game."""
        if not self.env_config:
            raise InvalidSetting("no game: call .game(name, ...) first")
        key = repr(sorted(self.env_config.items()))
        known = self.__dict__.setdefault("_known_facts", {})
        if key not in known:
            game = make(**{**self.env_config, "games": 1})
            self.__dict__["_known_facts"] = known = {key: (Interface.of(game), game.discount)}
        facts: tuple[Interface, float] = known[key]
        return facts


OWN_SETTINGS = (
    "actor_lr", "critic_lr", "years_per_iteration", "updates_per_iteration", "transitions_per_update",
    "households_per_transition", "replay_capacity", "warm_up_years", "leader_noise", "follower_noise", "common_noise",
    "leader_held_years", "follower_held_years", "leader_start", "follower_start", "torch_threads", "evaluation_seed",
)  # fmt: skip
RLLIB_SETTINGS = ("lr", "grad_clip", "train_batch_size_per_learner", "num_epochs", "minibatch_size")
