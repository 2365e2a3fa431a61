"""SMFRLConfig: every choice of the SMFRL family as RLlib configuration, checked before anything is built."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Self, get_args

from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from envs import InvalidSetting, make
from envs.registry import nearest
from policies.given import Given
from rllib_smfg.build import check_outlooks, row_floats
from rllib_smfg.cloning.imitation import Weights, imitated_follower, imitated_leader
from rllib_smfg.rllib.device import learner_gpus
from rllib_smfg.rllib.env_runner import PopulationEnvRunner
from rllib_smfg.rllib.game_config import GameConfig
from rllib_smfg.rllib.learner import SMFRLLearner
from rllib_smfg.rllib.modules import FOLLOWER, LEADER, PlayerModule, module_specs
from rllib_smfg.settings import LearningSettings, Sampling, SMFRLSettings

if TYPE_CHECKING:

    class _Stated(GameConfig, SMFRLSettings):
        """For type checkers: what `stated_in` makes of it."""

else:
    _Stated = GameConfig


class SMFRLConfig(_Stated):
    """Configures SMFRL and its relatives.

    config = SMFRLConfig().game("economy", games=4, followers=100).training(leader_gradient="total")
    algorithm = config.build_algo()
    """

    stated_in = (LearningSettings, SMFRLSettings)
    learning_names = tuple(field.name for field in fields(LearningSettings))
    aliases: ClassVar[dict[str, tuple[str, ...]]] = {
        "lr": ("actor_lr", "critic_lr"),
        "tau": ("target_step",),
        "train_batch_size": ("transitions_per_update",),
        "train_batch_size_per_learner": ("transitions_per_update",),
        "num_steps_sampled_before_learning_starts": ("warm_up_years",),
    }
    takes_effect = GameConfig.takes_effect | {"explore"}
    follower_kind = "actor"

    def __init__(self, algo_class: type | None = None) -> None:
        if algo_class is None:
            from rllib_smfg.rllib.smfrl import SMFRL

            algo_class = SMFRL
        super().__init__(algo_class=algo_class)
        self.env_runner_cls = PopulationEnvRunner
        self.take_defaults()

    def training(self, **settings: Any) -> Self:
        """Settings of the algorithm, each by its name.

        RLlib's names of some of them: lr (both actor_lr and critic_lr), gamma (discount), tau (target_step),
        train_batch_size and train_batch_size_per_learner (transitions_per_update),
        num_steps_sampled_before_learning_starts (warm_up_years). See `Exploration` for noise, `imitated_leader` and
        `imitated_follower` for rules to start as. Raises InvalidSetting for a name that is none of these.
        """
        return super().training(**settings)

    def validate(self) -> None:
        """Refuses, in one line each, what cannot be trained."""
        super().validate()
        settings = self.learning_settings()
        check_outlooks(self.interface(), settings)
        if self._has_a_joint_view() and self.households_kept() < self.followers():
            raise InvalidSetting(
                f"households_per_transition = {self.households_per_transition}: a joint view sees every household,"
                f" so it must be at least followers = {self.followers()}"
            )
        if self.households_per_transition is not None and self.households_per_transition > self.followers():
            raise InvalidSetting(
                f"households_per_transition = {self.households_per_transition}: must be at most"
                f" followers = {self.followers()}"
            )
        if self.leader_imitates is not None and self.leader_start is not None:
            raise InvalidSetting("leader_start: must be left out, as the leader starts by leader_imitates")
        if self.follower_imitates is not None and (self.follower_start is not None or self.pretrain is not None):
            raise InvalidSetting("follower_start, pretrain: must be left out, as households start by follower_imitates")
        if self.follower is not None:
            self._refuse_what_given_followers_rule_out(settings)
        self._refuse_policies_that_cannot_be()
        self._refuse_sampling_that_cannot_be()
        self.num_gpus_per_learner = learner_gpus(self.device, self.num_learners)

    def _refuse_sampling_that_cannot_be(self) -> None:
        known = list(get_args(Sampling))
        if self.sampling not in known:
            raise InvalidSetting(f"sampling = {self.sampling!r}{nearest(str(self.sampling), known)}")
        if self.sampling == "asynchronous" and not self.num_env_runners and not self.in_evaluation:
            raise InvalidSetting("sampling = asynchronous: needs processes that play; set env_runners to at least 1")

    def households_kept(self) -> int:
        """m, households of which a transition keeps state and action."""
        if self.households_per_transition is not None:
            return self.households_per_transition
        if self._has_a_joint_view():
            return self.followers()
        return 16 if self.follower is None else 1

    def _has_a_joint_view(self) -> bool:
        settings = self.learning_settings()
        return "joint" in (settings.leader_view, settings.follower_view)

    def _refuse_what_given_followers_rule_out(self, settings: LearningSettings) -> None:
        assert self.follower is not None
        name = self.follower.name
        if settings.leader_view != "own":
            raise InvalidSetting(
                f"leader_view = {settings.leader_view}: must be own, as followers that are given ('{name}') do not"
                " learn what they would do next"
            )
        for setting in ("pretrain", "follower_start", "follower_imitates"):
            if getattr(self, setting) is not None:
                raise InvalidSetting(f"{setting}: must be left out, as the followers are given ('{name}')")
        if isinstance(self.policies_to_train, Sequence) and LEADER not in self.policies_to_train:
            raise InvalidSetting(f"policies_to_train = {self.policies_to_train}: the followers are given ('{name}')")

    def _refuse_policies_that_cannot_be(self) -> None:
        """Given and imitated ones are built once, for a small game, to see that they exist and fit."""
        givens = (self.follower, self.leader_imitates, self.follower_imitates)
        if not any(givens):
            return
        game = make(**{**self.game_settings(), "games": 1})
        for households in (self.follower, self.follower_imitates):
            if households is not None:
                households.follower(game, 0)
        if self.leader_imitates is not None:
            self.leader_imitates.leader(game, 0)

    def bytes_needed(self) -> int:
        """Replay, the years of an iteration, and the transitions drawn from it for an iteration's updates."""
        rows = (
            self.replay_capacity + self.years_in_iteration() + self.updates_per_iteration * self.transitions_per_update
        )
        return 4 * rows * row_floats(self.interface(), self.learning_settings(), self.households_kept())

    def words_for_memory(self) -> str:
        """See GameConfig."""
        return (
            f"replay_capacity = {self.replay_capacity}, years_per_iteration = {self.years_in_iteration()},"
            f" updates_per_iteration = {self.updates_per_iteration} x transitions_per_update ="
            f" {self.transitions_per_update}, households_per_transition = {self.households_kept()}"
        )

    def get_default_learner_class(self) -> type[SMFRLLearner]:
        """SMFRL's Learner."""
        return SMFRLLearner

    def get_default_rl_module_spec(self) -> RLModuleSpec:
        """RLlib wants a single-agent spec here; the real ones come from `get_multi_rl_module_spec`."""
        return RLModuleSpec(module_class=PlayerModule)

    def module_specs(self) -> dict[str, RLModuleSpec]:
        """The RLModuleSpec of each side."""
        starts = {LEADER: self.leader_start, FOLLOWER: self.follower_start}
        weights = {FOLLOWER: self.pretrained() or self.imitated_follower(), LEADER: self.imitated()}
        return module_specs(PlayerModule, self.interface(), self.learning_settings(), starts, weights)

    def imitated_follower(self) -> Weights | None:
        """The weights of households that do what `follower_imitates` does, found once."""
        if self.follower_imitates is None:
            return None
        rule, government = self.follower_imitates, self.leader_imitates or Given("random", {})
        learning = self.learning_settings()
        key = (rule, government, learning, repr(self.game_settings()))
        return self.found_once(
            "_imitated_follower",
            key,
            lambda: imitated_follower(rule, government, self.game_settings(), self.interface(), learning),
        )

    def imitated(self) -> Weights | None:
        """The weights of a leader that does what `leader_imitates` does, found once."""
        if self.leader_imitates is None:
            return None
        rule, learning = self.leader_imitates, self.learning_settings()
        households = self.follower or self.follower_imitates or self._unmoved_households()
        key = (rule, households, learning, repr(self.game_settings()))
        return self.found_once(
            "_imitated",
            key,
            lambda: imitated_leader(rule, households, self.game_settings(), self.interface(), learning),
        )

    def _unmoved_households(self) -> Given:
        """Households who all do what learning ones start with."""
        box = self.interface().follower_action
        action = self.follower_start or ((box.low + box.high) / 2)
        return Given("constant", {"action": [float(x) for x in action]})
