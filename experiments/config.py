"""What an experiment is: five sections of settings, each with its bounds, unit and meaning."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from envs import InvalidSetting, make
from envs.registry import game_class, game_settings, nearest
from rllib_smfg.settings import FollowerGradient, LeaderGradient, LearningSettings, Squash, Statistic, View

LearningRate = Annotated[float, Field(gt=0, le=1)] | list[tuple[Annotated[float, Field(ge=0)], float]]
Baseline = Literal["free_market_learned", "free_market_random", "random", "best_constant"]


class Section(BaseModel):
    """A part of a configuration; a name it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Game(Section):
    """The game that is played: its name, its size, and the game's own settings (`envs.registry.game_settings`)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="a game of envs.registry, for example economy")
    followers: int = Field(100, ge=1, le=10_000_000, description="N, households of each game")
    games: int = Field(4, ge=1, le=100_000, description="B, games that each runner plays side by side")

    @field_validator("name")
    @classmethod
    def _exists(cls, name: str) -> str:
        game_class(name)
        return name

    @model_validator(mode="after")
    def _can_be_built(self) -> Game:
        known = game_settings(self.name)
        for setting in self.own_settings():
            if setting not in known:
                raise InvalidSetting(f"game '{self.name}' has no setting '{setting}'{nearest(setting, known)}")
        try:
            make(**{**self.settings(), "games": 1})
        except InvalidSetting:
            raise
        except (TypeError, ValueError, AttributeError) as error:
            raise InvalidSetting(f"game '{self.name}' cannot be built with {self.own_settings()}: {error}") from error
        return self

    def own_settings(self) -> dict[str, Any]:
        """The settings that only this game has."""
        return dict(self.model_extra or {})

    def settings(self) -> dict[str, Any]:
        """All that `envs.make` takes, the name included."""
        return {"name": self.name, "games": self.games, "followers": self.followers, **self.own_settings()}


class Algorithm(Section):
    """How both sides learn: the settings of `SMFRLConfig.training`, by the same names."""

    leader_view: View = Field("mean_field", description="what the leader's critic sees of the population")
    follower_view: View = Field("mean_field", description="what the followers' critic sees of the population")
    followers_see_leader: bool = Field(True, description="followers observe this year's leader action (Stackelberg)")
    leader_gradient: LeaderGradient = Field(
        "total", description="total: through the followers' reaction; partial: without"
    )
    follower_gradient: FollowerGradient = Field("game", description="game: others held fixed; team: all move together")
    mean_field: tuple[Statistic, ...] = Field(
        ("mean",), min_length=1, description="statistics that make up the mean field"
    )
    discount: float | None = Field(None, ge=0, lt=1, description="weight of next year's value; empty: the game's own")
    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = Field(
        (64, 64), min_length=1, description="units of each hidden layer"
    )
    target_step: float = Field(0.01, gt=0, lt=1, description="share by which targets move towards networks, an update")
    squash: Squash = Field(
        "clip", description="how actors keep within bounds: clip (can come back), tanh (the authors)"
    )
    bound_penalty: float = Field(1.0, ge=0, le=1e6, description="weight of (actor output beyond [-1, 1])^2")
    huber_threshold: float = Field(
        10.0, gt=0, le=1e9, description="temporal-difference errors beyond it count linearly"
    )
    actor_lr: LearningRate = Field(1e-3, description="learning rate, or [[years, rate], ...] joined by straight lines")
    critic_lr: LearningRate = Field(1e-3, description="learning rate, or [[years, rate], ...] joined by straight lines")
    years_per_iteration: int = Field(
        300, ge=1, le=10**9, description="years played an iteration, over all games and runners"
    )
    updates_per_iteration: int = Field(100, ge=1, le=10**6, description="updates of both sides an iteration")
    transitions_per_update: int = Field(
        128, ge=1, le=10**6, description="batch size B, transitions (years of one game)"
    )
    households_per_transition: int = Field(16, ge=1, le=10**7, description="m, households kept with each transition")
    replay_capacity: int = Field(30_000, ge=1, le=10**8, description="transitions that the replay keeps")
    warm_up_years: int = Field(300, ge=0, le=10**9, description="years played before the first update")
    leader_noise: float = Field(0.1, ge=0, le=10, description="exploration, as a share of half the action's range")
    follower_noise: float = Field(0.1, ge=0, le=10, description="the same, drawn for each household")
    common_noise: float = Field(0.05, ge=0, le=10, description="the same, one draw for all households of a game")
    leader_held_years: int = Field(0, ge=0, le=10**9, description="years before the leader's actor learns")
    follower_held_years: int = Field(0, ge=0, le=10**9, description="years before the followers' actor learns")
    leader_start: tuple[float, ...] | None = Field(
        None, description="first leader action, natural units; empty: mid-range"
    )
    follower_start: tuple[float, ...] | None = Field(None, description="first follower action; empty: mid-range")
    pretrain: str | None = Field(None, description="cloned follower to start from: its folder, or real_data/maddpg")
    torch_threads: int = Field(1, ge=1, le=256, description="threads of each process; small updates are fastest with 1")

    @field_validator("actor_lr", "critic_lr")
    @classmethod
    def _schedule_rises(cls, rate: LearningRate) -> LearningRate:
        if isinstance(rate, list):
            years = [point[0] for point in rate]
            if not years or years[0] != 0 or years != sorted(set(years)):
                raise InvalidSetting("a schedule must be [[0, rate], [years, rate], ...] with rising years")
        return rate

    @model_validator(mode="after")
    def _can_learn(self) -> Algorithm:
        names = LearningSettings.__dataclass_fields__
        LearningSettings(**{k: v for k, v in self.settings().items() if k in names})
        return self

    def settings(self) -> dict[str, Any]:
        """What `SMFRLConfig.training` takes; settings left empty are left out."""
        settings = {name: getattr(self, name) for name in type(self).model_fields}
        for name in ("actor_lr", "critic_lr"):
            if isinstance(settings[name], list):
                settings[name] = [list(point) for point in settings[name]]
        return {name: value for name, value in settings.items() if value is not None}


class Training(Section):
    """How long, from which seeds, with which machinery."""

    iterations: int = Field(100, ge=1, le=10**8, description="iterations of each seed")
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**31)], ...] = Field((1,), min_length=1, description="one run each")
    env_runners: int = Field(0, ge=0, le=4096, description="processes that play; 0: the main process plays")
    learners: int = Field(0, ge=0, le=1, description="processes that learn; 0: the main process learns")
    checkpoint_interval: int = Field(25, ge=1, le=10**8, description="iterations between checkpoints")
    keep_checkpoints: int = Field(2, ge=1, le=10**6, description="latest checkpoints kept, beside the best")

    @field_validator("seeds")
    @classmethod
    def _no_seed_twice(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) != len(seeds):
            raise InvalidSetting("every seed must be named once")
        return seeds


class Evaluation(Section):
    """Whole episodes without exploration, in games of their own."""

    interval: int = Field(10, ge=0, le=10**8, description="iterations between evaluations; 0: only at the end")
    episodes: int = Field(10, ge=1, le=100_000, description="episodes of an evaluation during training")
    final_episodes: int = Field(32, ge=1, le=100_000, description="episodes behind summary.json and the comparison")
    seed: int = Field(1_000_000, ge=0, lt=2**31, description="luck of the evaluation games, the same for every policy")


class Comparison(Section):
    """What the learned policy is set against at the end."""

    baselines: tuple[Baseline, ...] = Field(
        ("free_market_learned", "free_market_random", "random", "best_constant"),
        description="rows beside the learned policy; the free market is left out of games that have none",
    )
    search_seed: int = Field(2_000_000, ge=0, lt=2**31, description="luck of the search for the best constant policy")


class Experiment(Section):
    """A whole configuration."""

    game: Game
    algorithm: Algorithm = Algorithm()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    comparison: Comparison = Comparison()

    @model_validator(mode="after")
    def _starts_fit(self) -> Experiment:
        if self.algorithm.leader_start is None and self.algorithm.follower_start is None:
            return self
        game = make(**{**self.game.settings(), "games": 1})
        for side, box in (("leader", game.leader_action_space), ("follower", game.follower_action_space)):
            start = getattr(self.algorithm, f"{side}_start")
            if start is not None and len(start) != box.shape[0]:
                raise InvalidSetting(
                    f"algorithm.{side}_start has {len(start)} numbers:"
                    f" the {side} of '{self.game.name}' acts with {box.shape[0]}"
                )
        return self

    def algorithm_config(self, seed: int) -> Any:
        """The `SMFRLConfig` of one seed, validated; raises InvalidSetting."""
        from rllib_smfg.rllib.config import SMFRLConfig

        config = (
            SMFRLConfig()
            .game(**self.game.settings())
            .training(**self.algorithm.settings(), evaluation_seed=self.evaluation.seed)
            .env_runners(num_env_runners=self.training.env_runners)
            .learners(num_learners=self.training.learners)
            .debugging(seed=seed, log_level="ERROR")
        )
        config.validate()
        return config
