"""The section `algorithm` of a configuration, one class for each family of methods (`rllib_smfg.methods`)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Annotated, Any, ClassVar, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator, model_validator

from envs import InvalidSetting
from envs.written import mistyped
from policies import written
from policies.given import Given
from rllib_smfg.bounds import BOUNDS
from rllib_smfg.methods import METHODS, Family, method, with_method
from rllib_smfg.settings import LearningSettings, ProximalSettings, SMFRLSettings, StructuralRunSettings
from rllib_smfg.structural.settings import StructuralSettings

Points = list[tuple[float, float]]
OF_RUN = ("updates",)  # the length of a run, which is the experiment's


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


class Learner(Algorithm):
    """A family with settings of its own: those of `training` of its configuration, by the same names.

    stated_in: the classes (`rllib_smfg.settings`) that the section's fields are made of.
    """

    stated_in: ClassVar[tuple[type[Any], ...]]

    @model_validator(mode="after")
    def _can_learn(self) -> Learner:
        given = self.settings()
        for stated in self.stated_in:
            stated(**{name: value for name, value in given.items() if name in stated.__dataclass_fields__})
        return self

    @staticmethod
    def new_config() -> Any:
        """RLlib configuration without settings."""
        raise NotImplementedError


class Gradient(Learner):
    """SMFRL and its relatives: the settings of `SMFRLConfig.training`."""

    family: ClassVar[Family] = "gradient"
    stated_in = (LearningSettings, SMFRLSettings)

    method: str = Field("smfrl", description="a published method, see rllib_smfg.methods")

    @staticmethod
    def new_config() -> Any:
        """RLlib configuration without settings."""
        from rllib_smfg.rllib.config import SMFRLConfig

        return SMFRLConfig()


class Proximal(Learner):
    """The AI Economist: the settings of `PopulationPPOConfig.training`."""

    family: ClassVar[Family] = "proximal"
    stated_in = (ProximalSettings,)

    method: str = Field("ai_economist", description="a published method, see rllib_smfg.methods")

    @staticmethod
    def new_config() -> Any:
        """RLlib configuration without settings."""
        from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig

        return PopulationPPOConfig()


class Structural(Learner):
    """Structural SMFRL: the settings of `StructuralSMFRLConfig.training`; a run's length is the experiment's."""

    family: ClassVar[Family] = "structural"
    stated_in = (StructuralSettings, StructuralRunSettings)

    method: str = Field("structural", description="a published method, see rllib_smfg.methods")

    def settings_of_run(self, iterations: int) -> dict[str, Any]:
        """The settings, with the length of a run, of which schedules are shares."""
        return {**self.settings(), "updates": iterations * self.updates_per_iteration}  # type: ignore[attr-defined]

    @staticmethod
    def new_config() -> Any:
        """RLlib configuration without settings."""
        from rllib_smfg.rllib.structural.config import StructuralSMFRLConfig

        return StructuralSMFRLConfig()


def _section(base: type[Learner]) -> Any:
    """The family's section: a field for each setting that is stated, without those that the experiment says."""
    stated = {}
    for where in base.stated_in:
        hints = get_type_hints(where)
        for each in fields(where):
            if each.name not in OF_RUN and not each.metadata.get("of_run"):
                stated[each.name] = _field(each, hints[each.name])
    made: dict[str, Any] = {"__base__": base, "__doc__": base.__doc__, **stated}
    return create_model(f"{base.__name__}Algorithm", **made)


def _field(each: dataclasses.Field[Any], hint: Any) -> tuple[Any, Any]:
    """Type and default as pydantic takes them, with the bounds that `rllib_smfg.bounds` knows."""
    default = each.default if each.default_factory is MISSING else each.default_factory()
    bounds, limits = BOUNDS.get(each.name), {}
    if each.metadata.get("unset"):
        hint, default = hint | None, None
    if hint == Given | None:
        hint = Rule | None
    if bounds is not None:
        limits = bounds.pydantic()
        if bounds.scheduled:
            hint, limits = Annotated[float, Field(**limits)] | Points, {}
        elif bounds.several:
            hint, limits = tuple[Annotated[int, Field(**limits)], ...], {"min_length": 1}
    if each.metadata.get("several"):
        limits["min_length"] = 1
    return hint, Field(default, description=each.metadata["says"], **limits)


GradientAlgorithm = _section(Gradient)
ProximalAlgorithm = _section(Proximal)
StructuralAlgorithm = _section(Structural)


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
