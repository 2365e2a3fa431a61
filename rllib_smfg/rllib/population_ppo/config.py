"""PopulationPPOConfig: the AI Economist as RLlib configuration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from envs import InvalidSetting
from rllib_smfg.rllib import contract
from rllib_smfg.rllib.game_config import GameConfig
from rllib_smfg.rllib.modules import FOLLOWER, LEADER, module_specs
from rllib_smfg.rllib.population_ppo.env_runner import PopulationPPORunner
from rllib_smfg.rllib.population_ppo.learner import PopulationPPOLearner
from rllib_smfg.rllib.population_ppo.modules import NETWORK, PPOModule
from rllib_smfg.settings import ProximalSettings

if TYPE_CHECKING:

    class _Stated(GameConfig, PPOConfig, ProximalSettings):
        """For type checkers: what `stated_in` makes of it."""

else:

    class _Stated(GameConfig, PPOConfig):
        """See above."""


class PopulationPPOConfig(_Stated):
    """Configures proximal policy optimisation of a government and its households, in two phases.

    config = PopulationPPOConfig().game("economy", games=4, followers=1000).training(free_market_years=30_000)
    algorithm = config.build_algo()
    """

    stated_in = (ProximalSettings,)
    learning_names = ("discount", "hidden", "followers_see_leader")
    rllib_names = tuple(field.name for field in fields(ProximalSettings) if field.name in contract.defaults(PPOConfig))
    aliases: ClassVar[dict[str, tuple[str, ...]]] = {
        "train_batch_size": ("years_per_iteration",),
        "train_batch_size_per_learner": ("years_per_iteration",),
    }
    follower_kind = NETWORK

    def __init__(self, algo_class: type | None = None) -> None:
        if algo_class is None:
            from rllib_smfg.rllib.population_ppo.algorithm import PopulationPPO

            algo_class = PopulationPPO
        super().__init__(algo_class=algo_class)
        self.env_runner_cls = PopulationPPORunner
        self.learning = {"hidden": ProximalSettings.hidden}
        self.take_defaults()
        # clipping alone; RLlib's coefficient of the divergence would not survive a checkpoint
        self.use_kl_loss = False

    def training(self, **settings: Any) -> Self:
        """Settings of the algorithm, each by its name.

        RLlib's names: gamma (discount), train_batch_size and train_batch_size_per_learner (years_per_iteration).
        lr, num_epochs, clip_param, lambda_, entropy_coeff, vf_loss_coeff, vf_clip_param, grad_clip are RLlib's own. For
        pretrain see `pretrained_follower`. Raises InvalidSetting for a name that is none of these.
        """
        return super().training(**settings)

    def validate(self) -> None:
        """Refuses, in one line each, what cannot be trained."""
        super().validate()
        kept, followers = self.households_per_game, self.followers()
        if kept is not None and kept > followers:
            raise InvalidSetting(f"households_per_game = {kept}: must be at most followers = {followers}")
        players, years = max(1, self.num_env_runners), self.years_in_iteration()
        if not self.in_evaluation and years % (players * self.years_at_once()):
            equal = players * self.years_at_once()
            right = [each for each in (years // equal * equal, -(-years // equal) * equal) if each]
            raise InvalidSetting(
                f"years_per_iteration = {years}: {players} runners play as many of them each, so it must be a"
                f" multiple of {equal}; say {' or '.join(map(str, right))}"
            )

    def years_at_once(self) -> int:
        """Years that a runner plays at least: a whole sequence of each of its games."""
        return super().years_at_once() * self.sequence_years

    def shares(self, years: int, runners: Sequence[int]) -> dict[int, int]:
        """As many years for each runner, as trajectories of one iteration are equally long; the rest comes after."""
        each = self.years_per_runner()
        return dict.fromkeys(runners[: years // each], each)

    def words_for_years(self) -> str:
        """See GameConfig."""
        return f"{super().words_for_years()} in sequences of sequence_years = {self.sequence_years}"

    def households_kept(self) -> int:
        """m, households of a game whose trajectories are kept."""
        return min(16, self.followers()) if self.households_per_game is None else self.households_per_game

    def bytes_needed(self) -> int:
        """The trajectories of an iteration, of which an update holds another copy."""
        interface = self.interface()
        household = 2 * interface.household_size + 2 * interface.leader_observation.shape[0]
        numbers: int = 2 * self.years_in_iteration() * self.households_kept() * household
        return 4 * numbers

    def words_for_memory(self) -> str:
        """See GameConfig."""
        return f"years_per_iteration = {self.years_in_iteration()}, households_per_game = {self.households_kept()}"

    def get_default_learner_class(self) -> type[PopulationPPOLearner]:
        """PPO's Learner on trajectories."""
        return PopulationPPOLearner

    def get_default_rl_module_spec(self) -> RLModuleSpec:
        """RLlib wants a single-agent spec here; the real ones come from `get_multi_rl_module_spec`."""
        return RLModuleSpec(module_class=PPOModule)

    def module_specs(self) -> dict[str, RLModuleSpec]:
        """The RLModuleSpec of each side."""
        interface = self.interface()
        free_market = interface.leader_action.low.tolist()
        starts = {LEADER: self.leader_start or free_market, FOLLOWER: self.follower_start}
        weights = {FOLLOWER: self.pretrained()}
        hidden = tuple(self.critic_hidden)
        return module_specs(PPOModule, interface, self.learning_settings(), starts, weights, critic_hidden=hidden)
