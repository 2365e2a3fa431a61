"""What an experiment is: five sections of settings, each with its bounds, unit and meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag, field_validator, model_validator

from envs import InvalidSetting, make
from envs.plugins import FOLDER
from envs.registry import game_settings, is_known, nearest, place_of, portable
from policies import written
from policies.action_bounds import within
from policies.pairing import refuse_no_action
from rllib_smfg.bounds import BOUNDS
from rllib_smfg.configuration.sections import (
    GradientAlgorithm,
    ProximalAlgorithm,
    RuleAlgorithm,
    Section,
    StructuralAlgorithm,
    family_of,
)

AnyAlgorithm = Annotated[
    Annotated[GradientAlgorithm, Tag("gradient")]
    | Annotated[ProximalAlgorithm, Tag("proximal")]
    | Annotated[StructuralAlgorithm, Tag("structural")]
    | Annotated[RuleAlgorithm, Tag("rules")],
    Discriminator(family_of),
]
Baseline = Literal["free_market_learned", "free_market_random", "random", "best_constant"]


class Game(Section):
    """The game that is played: its name, its size, and the game's own settings (`envs.registry.game_settings`)."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="a game of envs.registry, for example economy, or module:Class")
    followers: int = Field(100, **BOUNDS["followers"].pydantic(), description="N, households of each game")
    games: int = Field(4, **BOUNDS["games"].pydantic(), description="B, games that each runner plays side by side")

    @field_validator("name")
    @classmethod
    def _exists(cls, name: str) -> str:
        place_of(name)
        return name

    @model_validator(mode="before")
    @classmethod
    def _is_found(cls, values: Any) -> Any:
        """Notes where a game of somebody else's was found; names that are none are left to the field's own check."""
        if not isinstance(values, Mapping) or not is_known(values.get("name")):
            return values
        folder = portable(values).get(FOLDER)
        return values if folder is None else {**values, FOLDER: str(folder)}

    @model_validator(mode="after")
    def _can_be_built(self) -> Game:
        known = game_settings(self.name, self._place().get(FOLDER))
        for setting in self.own_settings():
            if setting not in known:
                raise InvalidSetting(f"game '{self.name}' has no setting '{setting}'{nearest(setting, known)}")
        try:
            make(**{**self.settings(), "games": 1})
        except InvalidSetting:
            raise
        except Exception as error:  # a game of somebody else's may raise anything
            why = f"{type(error).__name__}: {error}"
            raise InvalidSetting(f"game '{self.name}' cannot be built with {self.own_settings()}: {why}") from error
        return self

    def own_settings(self) -> dict[str, Any]:
        """The settings that only this game has."""
        return {name: value for name, value in (self.model_extra or {}).items() if name != FOLDER}

    def settings(self) -> dict[str, Any]:
        """All that `envs.make` takes, the name included."""
        own = {**self._place(), **self.own_settings()}
        return {"name": self.name, "games": self.games, "followers": self.followers, **own}

    def _place(self) -> dict[str, Any]:
        """Where the module of a `module:Class` is, for other processes (`envs.plugins`)."""
        return {name: value for name, value in (self.model_extra or {}).items() if name == FOLDER}


def _none_twice(seeds: tuple[int, ...]) -> tuple[int, ...]:
    if len(set(seeds)) != len(seeds):
        raise InvalidSetting("every seed must be named once")
    return seeds


Seeds = Annotated[tuple[Annotated[int, Field(**BOUNDS["seed"].pydantic())], ...], AfterValidator(_none_twice)]


class Training(Section):
    """How long, from which seeds, with which machinery."""

    iterations: int = Field(100, ge=1, le=10**8, description="iterations of each seed")
    seeds: Seeds = Field((1,), min_length=1, description="one run each")
    env_runners: int = Field(
        0, **BOUNDS["num_env_runners"].pydantic(), description="processes that play; 0: the main process plays"
    )
    learners: int = Field(
        0, **BOUNDS["num_learners"].pydantic(), description="processes that learn; 0: the main process learns"
    )
    checkpoint_interval: int = Field(25, ge=1, le=10**8, description="iterations between checkpoints")
    keep_checkpoints: int = Field(2, ge=1, le=10**6, description="latest checkpoints kept, beside the best")
    wandb: bool | str = Field(False, description="Weights & Biases: false, true, offline, or a project's name")


class Evaluation(Section):
    """Whole episodes without exploration, in games of their own."""

    interval: int = Field(10, ge=0, le=10**8, description="iterations between evaluations; 0: only at the end")
    episodes: int = Field(10, ge=1, le=100_000, description="episodes of an evaluation during training")
    final_episodes: int = Field(32, ge=1, le=100_000, description="episodes behind summary.json and the comparison")
    seed: int = Field(
        1_000_000,
        **BOUNDS["evaluation_seed"].pydantic(),
        description="luck of the evaluation games, the same for every policy",
    )


class Comparison(Section):
    """What the learned policy is set against at the end."""

    baselines: tuple[Baseline, ...] = Field(
        ("best_constant", "free_market_learned", "free_market_random", "random"),
        description="rows beside the learned policy; the free market is left out of games that have none",
    )
    search_seed: int = Field(
        2_000_000, **BOUNDS["evaluation_seed"].pydantic(), description="luck of the search for the best constant policy"
    )


class WithPolicies(Section):
    """A configuration that may have a section `policies`, which names policies for the others (`policies.written`)."""

    @model_validator(mode="before")
    @classmethod
    def _policies_by_name(cls, values: Any) -> Any:
        return written.substituted(values)


class Experiment(WithPolicies):
    """A whole configuration of `smfg train`."""

    game: Game
    algorithm: AnyAlgorithm = GradientAlgorithm()
    training: Training = Training()
    evaluation: Evaluation = Evaluation()
    comparison: Comparison = Comparison()

    @model_validator(mode="after")
    def _starts_fit(self) -> Experiment:
        starts = {side: getattr(self.algorithm, f"{side}_start", None) for side in ("leader", "follower")}
        imitated = {side: getattr(self.algorithm, f"{side}_imitates", None) for side in starts}
        if not any([*starts.values(), *imitated.values()]):
            return self
        game = make(**{**self.game.settings(), "games": 1})
        for side, start in starts.items():
            if start is not None:
                within(game, side, start, f"algorithm.{side}_start")
        if imitated["leader"] is not None:
            refuse_no_action(imitated["leader"].given().leader(game, 0))
        if imitated["follower"] is not None:
            imitated["follower"].given().follower(game, 0)
        return self

    def algorithm_config(self, seed: int) -> Any:
        """What builds the algorithm of one seed, validated: RLlib configuration, or rules; raises InvalidSetting."""
        if self.training.wandb is not False:
            from experiments.training.wandb_log import refuse_unusable_wandb

            refuse_unusable_wandb(self.training.wandb)
        if isinstance(self.algorithm, RuleAlgorithm):
            from rllib_smfg.rules import RulesConfig

            rules = RulesConfig(
                self.game.settings(), self.algorithm.leader.given(), self.algorithm.follower.given(), seed
            )
            rules.validate()
            return rules
        config = (
            self.algorithm.new_config()
            .game(**self.game.settings())
            .training(**self.algorithm.settings_of_run(self.training.iterations), evaluation_seed=self.evaluation.seed)
            .env_runners(num_env_runners=self.training.env_runners)
            .learners(num_learners=self.training.learners)
            .debugging(seed=seed, log_level="ERROR")
        )
        config.validate()
        return config
