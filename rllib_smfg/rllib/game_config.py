"""What every configuration of a game has: the game itself, whoever plays it, and how settings are taken and refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig, NotProvided
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from envs import InvalidSetting, make
from envs.registry import nearest
from policies.given import Given
from rllib_smfg.build import Interface
from rllib_smfg.cloning.pretrained import Weights, pretrained_follower
from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.schedule import least_value
from rllib_smfg.settings import LearningSettings


class GameConfig(AlgorithmConfig):
    """A game, and both sides' modules `leader` and `follower`; algorithms extend it.

    learning_names, own_names, rllib_names: what `training` takes, as fields of `LearningSettings`, as attributes of
    the configuration, as RLlib's. follower_kind: the followers' network, one of `policy_networks.KINDS`.
    """

    learning_names: ClassVar[tuple[str, ...]]
    own_names: ClassVar[tuple[str, ...]]
    rllib_names: ClassVar[tuple[str, ...]]
    follower_kind: ClassVar[str]

    def __init__(self, algo_class: type | None = None) -> None:
        super().__init__(algo_class=algo_class)
        self.env_config: dict[str, Any] = {}
        self.learning: dict[str, Any] = {}
        self.years_per_iteration = 300
        self.pretrain: str | None = None
        self.follower: Given | None = None
        self.torch_threads = 1
        self.evaluation_seed = 1_000_000
        # an exception inside a runner must not pause training for RLlib's default minute
        self.delay_between_env_runner_restarts_s = 1.0
        self.max_num_env_runner_restarts = 100
        # nor may each iteration wait RLlib's 30 s for a lost one, or forget what a large game plays for more than 60 s
        self.env_runner_health_probe_timeout_s = 2.0
        self.sample_timeout_s = 3600.0
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
        """Settings of the algorithm, each by its name; raises InvalidSetting for a name that is none of them."""
        rllib = {}
        for name, value in settings.items():
            if value is NotProvided:
                continue
            if name in self.learning_names:
                self.learning[name] = tuple(value) if isinstance(value, list) else value
            elif name in self.own_names:
                setattr(self, name, value)
            elif name in self.rllib_names:
                rllib[name] = value
            else:
                known = [*self.learning_names, *self.own_names, *self.rllib_names]
                raise InvalidSetting(f"no training setting '{name}'{nearest(name, known)}")
        super().training(**rllib)
        return self

    def validate(self) -> None:
        """Refuses, in one line each, what cannot be trained."""
        super().validate()
        self.learning_settings()
        self.pretrained()
        self.refuse_less_than(1, "years_per_iteration", "torch_threads")
        if self.num_learners > 1:
            raise InvalidSetting(f"num_learners = {self.num_learners}: must be 0 (in the driver) or 1 (remote)")

    def refuse_less_than(self, least: float, *names: str) -> None:
        """Raises InvalidSetting for the first of these settings that is smaller, or as a schedule ever becomes so."""
        for name in names:
            if least_value(getattr(self, name)) < least:
                wanted = f"at least {least}" if least else "not negative"
                raise InvalidSetting(f"{name} = {getattr(self, name)}: must be {wanted}")

    # --- what the parts ask -----------------------------------------------------------------------------------------
    def learning_settings(self) -> LearningSettings:
        """The settings as the losses take them; the discount is the game's own unless another is set."""
        discount = self.learning.get("discount", self._facts()[1])
        return LearningSettings(**{**self.learning, "discount": discount})

    def interface(self) -> Interface:
        """The game's interface."""
        return self._facts()[0]

    def followers(self) -> int:
        """N."""
        return self.interface().followers

    def pretrained(self) -> Weights | None:
        """The weights that `pretrain` names, read once: runners elsewhere and later restores need no file."""
        if self.pretrain is None:
            return None
        source, learning = self.pretrain, self.learning_settings()
        key = (source, learning, repr(self.env_config))
        return self.found_once(
            "_pretrained", key, lambda: pretrained_follower(source, self.follower_kind, self.interface(), learning)
        )

    def found_once(self, name: str, key: Any, find: Callable[[], Weights]) -> Weights:
        """What `find` gives, kept in the configuration, frozen or not, for as long as `key` is the same."""
        if self.__dict__.get(name, (None,))[0] != key:
            self.__dict__[name] = (key, find())
        weights: Weights = self.__dict__[name][1]
        return weights

    def years_per_runner(self) -> int:
        """Years one runner plays in an iteration."""
        return -(-self.years_per_iteration // max(1, self.num_env_runners))

    def acting_device(self, runner: int) -> str:
        """Where a runner's actors are; runner 0 is that of the main process."""
        return "cpu"

    def module_specs(self) -> dict[str, RLModuleSpec]:
        """The RLModuleSpec of each side."""
        raise NotImplementedError

    def get_multi_rl_module_spec(self, **kwargs: Any) -> MultiRLModuleSpec:
        """Leader and follower module."""
        specs, inference_only = self.module_specs(), kwargs.get("inference_only", False)
        for spec in specs.values():
            spec.inference_only = inference_only
        return MultiRLModuleSpec(rl_module_specs=specs, inference_only=inference_only)

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
