"""PopulationPPOConfig: the AI Economist as RLlib configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from rllib_smfg.rllib.game_config import GameConfig
from rllib_smfg.rllib.modules import FOLLOWER, LEADER, module_specs
from rllib_smfg.rllib.population_ppo.env_runner import PopulationPPORunner
from rllib_smfg.rllib.population_ppo.learner import PopulationPPOLearner
from rllib_smfg.rllib.population_ppo.modules import NETWORK, PPOModule


class PopulationPPOConfig(GameConfig, PPOConfig):
    """Configures proximal policy optimisation of a government and its households, in two phases.

    config = PopulationPPOConfig().game("economy", games=4, followers=1000).training(free_market_years=30_000)
    algorithm = config.build_algo()
    """

    learning_names = ("discount", "hidden", "followers_see_leader")
    own_names = (
        "years_per_iteration", "households_per_game", "sequence_years", "minibatches", "free_market_years",
        "critic_hidden", "leader_start", "follower_start", "pretrain", "torch_threads", "evaluation_seed",
    )  # fmt: skip
    rllib_names = (
        "lr", "num_epochs", "clip_param", "lambda_", "entropy_coeff", "vf_loss_coeff", "vf_clip_param", "grad_clip",
    )  # fmt: skip
    follower_kind = NETWORK

    def __init__(self, algo_class: type | None = None) -> None:
        if algo_class is None:
            from rllib_smfg.rllib.population_ppo.algorithm import PopulationPPO

            algo_class = PopulationPPO
        super().__init__(algo_class=algo_class)
        self.env_runner_cls = PopulationPPORunner
        self.learning = {"hidden": (64, 32)}
        self.critic_hidden: Sequence[int] = (64, 64)
        self.households_per_game = 16
        self.sequence_years = 20
        self.minibatches = 4
        self.free_market_years = 0
        self.leader_start: Sequence[float] | None = None
        self.follower_start: Sequence[float] | None = None
        self.lr = 3e-4
        self.num_epochs = 10
        self.clip_param = 0.2
        self.lambda_ = 0.95
        self.grad_clip = 0.5
        # clipping alone; RLlib's coefficient of the divergence would not survive a checkpoint
        self.use_kl_loss = False

    def training(self, **settings: Any) -> Self:
        """Settings of the algorithm, each by its name.

        years_per_iteration: over all games and runners, rounded up to whole sequences
        households_per_game: m, whose trajectories are kept;  sequence_years: years that a gradient reaches back
        minibatches: parts that each side's sequences are split into, in each of num_epochs passes
        free_market_years: years of the first phase, in which the government acts at its lower bounds and does not learn
        hidden: units of the first perceptron, and of memory and second perceptron;  critic_hidden: of the critics
        leader_start, follower_start: mean first actions, natural units (default: lower bounds; mid-range)
        pretrain: where the followers start instead: a cloned ai_economist's folder, see `pretrained_follower`
        discount (default: the game's own), followers_see_leader, torch_threads, evaluation_seed: as for SMFRL
        lr, num_epochs, clip_param, lambda_, entropy_coeff, vf_loss_coeff, vf_clip_param, grad_clip: as for RLlib's PPO
        Raises InvalidSetting for a name that is none of these.
        """
        return super().training(**settings)

    def validate(self) -> None:
        """Refuses, in one line each, what cannot be trained."""
        super().validate()
        self.refuse_less_than(1, "households_per_game", "sequence_years", "minibatches", "num_epochs")
        self.refuse_less_than(0, "free_market_years")

    def years_per_runner(self) -> int:
        """Years one runner plays in an iteration: whole sequences of every game."""
        whole: int = self.env_config.get("games", 1) * self.sequence_years
        return -(-super().years_per_runner() // whole) * whole

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
