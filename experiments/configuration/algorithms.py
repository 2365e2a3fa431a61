"""The section `algorithm` of a configuration, one class for each family of methods (`rllib_smfg.methods`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, ClassVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator, model_validator

from envs import InvalidSetting
from envs.written import mistyped
from policies import written
from policies.given import Given
from rllib_smfg.bounds import BOUNDS, NOISE, RATE, UNITS
from rllib_smfg.methods import METHODS, Family, method, with_method
from rllib_smfg.settings import (
    Device,
    FollowerGradient,
    LeaderGradient,
    LearningSettings,
    Sampling,
    Squash,
    Statistic,
    View,
    Worth,
)
from rllib_smfg.structural.settings import StructuralSettings

Points = list[tuple[float, float]]
LearningRate = Annotated[float, Field(**RATE.pydantic())] | Points
Noise = Annotated[float, Field(**NOISE.pydantic())] | Points
Damping = Annotated[float, Field(**BOUNDS["slope_damping"].pydantic())] | Points
Units = Annotated[tuple[Annotated[int, Field(**UNITS.pydantic())], ...], Field(min_length=1)]


def within(name: str) -> dict[str, Any]:
    """The bounds of a setting, as `pydantic.Field` takes them."""
    return BOUNDS[name].pydantic()


class Section(BaseModel):
    """A part of a configuration; a name it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*", mode="before")
    @classmethod
    def _as_it_is_asked_for(cls, value: Any, info: ValidationInfo) -> Any:
        fault = mistyped(value, cls.model_fields[str(info.field_name)].annotation)
        if fault is not None:
            raise ValueError(fault)
        return value


class Rule(Section):
    """A policy that is given: its name, its name and its own settings, its base and what differs, or a YAML file.

    See `policies.registry` and `policies.written`.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = Field(description="a policy of policies.registry, or module:Class")

    @model_validator(mode="before")
    @classmethod
    def _a_name_a_base_or_a_file_will_do(cls, value: Any) -> Any:
        return written.described(value)

    def given(self) -> Given:
        """The policy as data."""
        return Given(self.name, dict(self.model_extra or {}))


class Algorithm(Section):
    """What every family has: the name of its method, which settles what it means."""

    family: ClassVar[Family]

    method: str = Field(description="a published method, see rllib_smfg.methods")

    @model_validator(mode="before")
    @classmethod
    def _as_its_method(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        name = values.get("method", cls.model_fields["method"].default)
        return with_method(values, name) if isinstance(name, str) and name in METHODS else values

    @field_validator("*", mode="after")
    @classmethod
    def _within_bounds(cls, value: Any, field: ValidationInfo) -> Any:
        bounds = BOUNDS.get(field.field_name or "")
        fault = bounds.fault(value) if bounds else None
        if fault:
            raise InvalidSetting(fault)
        return value

    @field_validator("method")
    @classmethod
    def _exists(cls, name: str) -> str:
        method(name)
        return name

    @property
    def title(self) -> str:
        """What the paper calls the method."""
        return method(self.method).title

    def settings(self) -> dict[str, Any]:
        """What `training` of the method's configuration takes; settings left empty are left out."""
        settings = {name: getattr(self, name) for name in type(self).model_fields if name != "method"}
        for name, value in settings.items():
            if isinstance(value, list):
                settings[name] = [list(point) for point in value]  # RLlib takes schedules as lists alone
            if isinstance(value, Rule):
                settings[name] = value.given()
        return {name: value for name, value in settings.items() if value is not None}

    def settings_of_run(self, iterations: int) -> dict[str, Any]:
        """The settings of a run of so many iterations."""
        return self.settings()


class GradientAlgorithm(Algorithm):
    """SMFRL and its relatives: the settings of `SMFRLConfig.training`, by the same names."""

    family: ClassVar[Family] = "gradient"

    method: str = Field("smfrl", description="a published method, see rllib_smfg.methods")
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
    leader_outlook: bool = Field(False, description="the leader's critic knows what its budget makes of an action")
    follower_outlook: bool = Field(False, description="the households' critic knows the same of theirs")
    follower_critic: Worth = Field("values", description="what the households' critic learns: values or slopes")
    slope_damping: Damping = Field(
        0.01, description="of the least squares that find slopes; or [[years, damping], ...] joined by straight lines"
    )
    discount: float | None = Field(
        None, **within("discount"), description="weight of next year's value; empty: the game's own"
    )
    hidden: Units = Field((64, 64), description="units of each hidden layer")
    target_step: float = Field(
        0.01, **within("target_step"), description="share by which targets move towards networks, an update"
    )
    squash: Squash = Field(
        "clip", description="how actors keep within bounds: clip (can come back), tanh (the authors)"
    )
    bound_penalty: float = Field(
        1.0, **within("bound_penalty"), description="weight of (actor output beyond [-1, 1])^2"
    )
    huber_threshold: float = Field(
        10.0, **within("huber_threshold"), description="temporal-difference errors beyond it count linearly"
    )
    actor_lr: LearningRate = Field(1e-3, description="learning rate, or [[years, rate], ...] joined by straight lines")
    critic_lr: LearningRate = Field(1e-3, description="learning rate, or [[years, rate], ...] joined by straight lines")
    years_per_iteration: int | None = Field(
        None,
        **within("years_per_iteration"),
        description="years played an iteration, over all games and runners; empty: 300, or whole rounds of games",
    )
    updates_per_iteration: int = Field(
        100, **within("updates_per_iteration"), description="updates of both sides an iteration"
    )
    transitions_per_update: int = Field(
        128, **within("transitions_per_update"), description="batch size B, transitions (years of one game)"
    )
    households_per_transition: int | None = Field(
        None,
        **within("households_per_transition"),
        description="m, kept with each transition; empty: 16, all for a joint view, 1 if given",
    )
    replay_capacity: int = Field(30_000, **within("replay_capacity"), description="transitions that the replay keeps")
    warm_up_years: int = Field(300, **within("warm_up_years"), description="years played before the first update")
    leader_noise: Noise = Field(
        0.1, description="exploration, as a share of half the action's range, or [[years, share], ...]"
    )
    follower_noise: Noise = Field(0.1, description="the same, drawn for each household")
    common_noise: Noise = Field(0.05, description="the same, one draw for all households of a game")
    leader_lasting_noise: float = Field(
        0.0, **within("leader_lasting_noise"), description="a part of the leader's that stays for decades"
    )
    leader_held_years: int = Field(
        0, **within("leader_held_years"), description="years before the leader's actor learns"
    )
    follower_held_years: int = Field(
        0, **within("follower_held_years"), description="years before the followers' actor learns"
    )
    leader_start: tuple[float, ...] | None = Field(
        None, description="first leader action, natural units; empty: mid-range"
    )
    leader_imitates: Rule | None = Field(None, description="a rule the leader starts as; empty: leader_start")
    follower_start: tuple[float, ...] | None = Field(None, description="first follower action; empty: mid-range")
    follower_imitates: Rule | None = Field(None, description="a rule households start as; empty: follower_start")
    follower: Rule | None = Field(
        None, description="households that are given, as planning or real_data; empty: they learn"
    )
    pretrain: str | None = Field(None, description="cloned follower to start from: its folder, or real_data/maddpg")
    sampling: Sampling = Field(
        "synchronous", description="asynchronous: runners play while the learner learns, with weights an iteration old"
    )
    device: Device = Field("cpu", description="where the learner computes, and networks that act in its process")
    torch_threads: int = Field(
        1, **within("torch_threads"), description="threads of each process; small updates are fastest with 1"
    )

    @model_validator(mode="after")
    def _can_learn(self) -> GradientAlgorithm:
        names = LearningSettings.__dataclass_fields__
        LearningSettings(**{k: v for k, v in self.settings().items() if k in names})
        return self

    @staticmethod
    def new_config() -> Any:
        """RLlib configuration without settings."""
        from rllib_smfg.rllib.config import SMFRLConfig

        return SMFRLConfig()


class ProximalAlgorithm(Algorithm):
    """The AI Economist: the settings of `PopulationPPOConfig.training`, by the same names."""

    family: ClassVar[Family] = "proximal"

    method: str = Field("ai_economist", description="a published method, see rllib_smfg.methods")
    followers_see_leader: bool = Field(True, description="followers observe this year's leader action (Stackelberg)")
    discount: float | None = Field(
        None, **within("discount"), description="weight of next year's value; empty: the game's own"
    )
    hidden: Units = Field((64, 32), description="units of the first perceptron, of memory and second one")
    critic_hidden: Units = Field((64, 64), description="units of the critics' hidden layers")
    years_per_iteration: int | None = Field(
        None,
        **within("years_per_iteration"),
        description="years played an iteration, over all games and runners; empty: 300, or whole sequences",
    )
    free_market_years: int = Field(
        0, **within("free_market_years"), description="years of the first phase: no government learns"
    )
    households_per_game: int | None = Field(
        None,
        **within("households_per_game"),
        description="m, whose trajectories are learned from; empty: 16, or all where there are fewer",
    )
    sequence_years: int = Field(20, **within("sequence_years"), description="years that a gradient reaches back")
    minibatches: int = Field(
        4, **within("minibatches"), description="parts of an iteration's sequences, one update each"
    )
    num_epochs: int = Field(10, **within("num_epochs"), description="passes over an iteration's sequences")
    lr: LearningRate = Field(3e-4, description="learning rate, or [[years, rate], ...] joined by straight lines")
    clip_param: float = Field(0.2, **within("clip_param"), description="how far a probability may move, as a share")
    lambda_: float = Field(0.95, **within("lambda_"), description="decay of generalised advantage estimation")
    entropy_coeff: float = Field(0.0, **within("entropy_coeff"), description="weight of the policies' entropy")
    vf_loss_coeff: float = Field(1.0, **within("vf_loss_coeff"), description="weight of the critics' loss")
    vf_clip_param: float = Field(
        10.0, **within("vf_clip_param"), description="squared errors of critics beyond it are cut off"
    )
    grad_clip: float | None = Field(0.5, **within("grad_clip"), description="largest norm of a gradient; empty: none")
    leader_start: tuple[float, ...] | None = Field(None, description="mean first leader action; empty: lower bounds")
    follower_start: tuple[float, ...] | None = Field(None, description="mean first follower action; empty: mid-range")
    pretrain: str | None = Field(None, description="clone to start from: its folder, or real_data/ai_economist")
    torch_threads: int = Field(
        1, **within("torch_threads"), description="threads of each process; small updates are fastest with 1"
    )

    @staticmethod
    def new_config() -> Any:
        """RLlib configuration without settings."""
        from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig

        return PopulationPPOConfig()


def _structural_fields() -> dict[str, Any]:
    """(type, default) of each of `StructuralSettings`, where they stand; the run's length is the experiment's."""
    hints = get_type_hints(StructuralSettings)
    found = {}
    for each in fields(StructuralSettings):
        if each.name != "updates":
            default = each.default_factory() if each.default_factory is not MISSING else each.default
            found[each.name] = (hints[each.name], Field(default, description=each.metadata["says"]))
    return found


class StructuralBase(Algorithm):
    """Structural SMFRL: the settings of `StructuralSMFRLConfig.training`, by the same names."""

    family: ClassVar[Family] = "structural"

    method: str = Field("structural", description="a published method, see rllib_smfg.methods")
    updates_per_iteration: int = Field(20, description="updates of both sides an iteration")
    leader_start: tuple[float, ...] | None = Field(None, description="first leader action; empty: mid-range")
    follower_start: tuple[float, ...] | None = Field(None, description="first follower action; empty: mid-range")
    leader_imitates: Rule | None = Field(None, description="a government that the leader's rule starts as")
    torch_threads: int = Field(1, description="threads of each process; small updates are fastest with 1")

    @model_validator(mode="after")
    def _can_learn(self) -> StructuralBase:
        names = StructuralSettings.__dataclass_fields__
        StructuralSettings(**{k: v for k, v in self.settings().items() if k in names})
        return self

    def settings_of_run(self, iterations: int) -> dict[str, Any]:
        """The settings, with the length of a run, of which schedules are shares."""
        return {**self.settings(), "updates": iterations * self.updates_per_iteration}

    @staticmethod
    def new_config() -> Any:
        """RLlib configuration without settings."""
        from rllib_smfg.rllib.structural.config import StructuralSMFRLConfig

        return StructuralSMFRLConfig()


StructuralAlgorithm: Any = create_model(
    "StructuralAlgorithm", __base__=StructuralBase, __doc__=StructuralBase.__doc__, **_structural_fields()
)


class RuleAlgorithm(Algorithm):
    """Both sides are given; an iteration plays an episode of every game and learns nothing."""

    family: ClassVar[Family] = "rules"

    method: str = Field("rule_based", description="a published method, see rllib_smfg.methods")
    leader: Rule = Field(Rule(name="free_market"), description="the government: free_market, us_federal, saez, ...")
    follower: Rule = Field(Rule(name="random"), description="the households: random, real_data, constant")


ALGORITHMS: dict[Family, type[Algorithm]] = {
    cls.family: cls for cls in (GradientAlgorithm, ProximalAlgorithm, StructuralAlgorithm, RuleAlgorithm)
}


def family_of(algorithm: Any) -> Family:
    """The family of a section `algorithm`, read or not yet; that of SMFRL where it names no known method."""
    if isinstance(algorithm, Algorithm):
        return algorithm.family
    name = algorithm.get("method") if isinstance(algorithm, Mapping) else None
    return METHODS[name].family if isinstance(name, str) and name in METHODS else "gradient"
