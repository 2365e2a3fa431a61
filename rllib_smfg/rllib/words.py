"""How a configuration takes settings: in our words, in RLlib's, in dictionaries; and how it gives them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, ClassVar, Self

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig, NotProvided

from envs import InvalidSetting
from envs.registry import nearest
from policies.given import Given
from rllib_smfg.rllib import contract
from rllib_smfg.rllib.contract import Alias
from rllib_smfg.settings import LearningSettings

SAID = "said_in_rllib_s_words"  # in dictionaries, see WordedConfig.to_dict


class WordedConfig(AlgorithmConfig):
    """An RLlib configuration with settings of ours.

    stated_in: the classes (`rllib_smfg.settings`) whose fields are what `training` takes, where each setting's type,
    default and sentence stand. learning_names, own_names, rllib_names: which of them are fields of `LearningSettings`,
    attributes of the configuration, RLlib's. aliases: RLlib's names of settings of ours. takes_effect: RLlib's settings
    that do what RLlib says. given_names: settings that are policies. kept: attributes that hold what was found.
    """

    stated_in: ClassVar[tuple[type[Any], ...]]
    learning_names: ClassVar[tuple[str, ...]]
    own_names: ClassVar[tuple[str, ...]]
    rllib_names: ClassVar[tuple[str, ...]] = ()
    aliases: ClassVar[dict[str, tuple[str, ...]]] = {}
    takes_effect: ClassVar[frozenset[str]] = contract.TAKES_EFFECT
    given_names: ClassVar[tuple[str, ...]] = ()
    kept: ClassVar[frozenset[str]] = frozenset(
        ("learning", "_searched", "_said", "_known_facts", "_pretrained", "_imitated", "_imitated_follower")
    )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not hasattr(cls, "learning_names"):  # no algorithm's yet
            return
        stated = [each for where in cls.stated_in for each in fields(where)]
        others = {*cls.learning_names, *cls.rllib_names}
        cls.own_names = tuple(each.name for each in stated if each.name not in others)
        cls.given_names = tuple(each.name for each in stated if "Given" in str(each.type))
        for each in stated:
            if each.name in cls.own_names and each.default is not MISSING:
                setattr(cls, each.name, each.default)  # checkpoints from before a setting go on with it
        contract.say_what_training_takes(cls, stated)
        ours = {*cls.learning_names, *cls.own_names, "games"}
        aliases = {"gamma": ("discount",), "num_envs_per_env_runner": ("games",), **cls.aliases}
        cls.aliases = {name: targets for name, targets in aliases.items() if ours.issuperset(targets)}
        cls.takes_effect = cls.takes_effect | set(cls.rllib_names)
        for name, targets in cls.aliases.items():
            alias = Alias(*targets)
            alias.__set_name__(cls, name)
            setattr(cls, name, alias)

    def take_defaults(self) -> None:
        """Sets all settings of ours, and of RLlib's that are stated beside them, to the defaults that are stated."""
        for each in (each for where in self.stated_in for each in fields(where)):
            if each.name not in self.learning_names:
                default = each.default if each.default_factory is MISSING else each.default_factory()
                setattr(self, each.name, default)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self).learning_names and not self._is_frozen:
            self.take(name, value)
        else:
            super().__setattr__(name, value)

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __getattr__(self, name: str) -> Any:
        if name in type(self).learning_names:
            return self.setting(name)
        raise AttributeError(f"{type(self).__name__} has no setting '{name}'")

    def training(self, **settings: Any) -> Self:
        """Settings of the algorithm, each by its name; raises InvalidSetting for a name that is none of them."""
        settings = {name: value for name, value in settings.items() if value is not NotProvided}
        contract.refuse_two_names(self.aliases, settings)
        for name, value in settings.items():
            if name in self._ours():
                self.take(name, value)
            elif name in self.rllib_names:
                super().training(**{name: value})
            elif hasattr(self, name):
                raise contract.refusal(self, name, value)
            else:
                raise InvalidSetting(f"no training setting '{name}'{nearest(name, [*self._ours(), *self.rllib_names])}")
        return self

    def take(self, name: str, value: Any) -> None:
        """Sets one setting of ours, or one of RLlib's that is another name of it."""
        for alias, targets in self.aliases.items():
            if name in targets:  # the latest word counts
                self.searched.pop(alias, None)
                self.said.discard(alias)
        if name in self.learning_names:
            self.learning[name] = tuple(value) if isinstance(value, list) else value
        elif name == "games":
            self.env_config["games"] = value
        else:
            setattr(self, name, _given(value) if name in self.given_names else value)

    def setting(self, name: str) -> Any:
        """What one of our settings is; None where the game or a default decides."""
        if name in self.learning_names:
            return self.learning.get(name, getattr(LearningSettings, name, None) if name != "discount" else None)
        return self.env_config.get("games", 1) if name == "games" else getattr(self, name, None)

    @property
    def searched(self) -> dict[str, Any]:
        """Spaces of Ray Tune under RLlib's name, see `contract.Alias`."""
        spaces: dict[str, Any] = self.__dict__.setdefault("_searched", {})
        return spaces

    @property
    def said(self) -> set[str]:
        """Names of RLlib's under which settings of ours were given."""
        names: set[str] = self.__dict__.setdefault("_said", set())
        return names

    def update_from_dict(self, config_dict: Mapping[str, Any]) -> Self:
        """Settings by name, ours as `training` takes them; raises InvalidSetting for a name that there is not."""
        ours, rllib = self._ours(), {}
        known = {*vars(self), *ours, "class", "multiagent", SAID}
        for name, value in config_dict.items():
            if name.startswith("__"):  # Ray Tune's own remarks on a trial
                continue
            translated = self._translate_special_keys(name, warn_deprecated=False)
            if translated not in known and not hasattr(self, translated):
                raise InvalidSetting(f"no setting '{name}'{nearest(name, sorted(known))}")
            if name in ("model", "optimizer"):  # RLlib would hand them to `training`
                setattr(self, name, value)
            elif name not in ours and name not in ("class", SAID):
                rllib[name] = value
        super().update_from_dict(rllib)
        for name in sorted(ours.intersection(config_dict) - self._old_aliases(config_dict), key=self._aliases_last):
            self.take(name, config_dict[name])
        return self

    def _old_aliases(self, config_dict: Mapping[str, Any]) -> set[str]:
        """Names of RLlib's in a dictionary that say no more than ours beside them.

        In one from `to_dict` they count where they differ from what they were then, as a search has changed them; in
        any other a setting may be given under one name only.
        """
        if SAID not in config_dict:
            contract.refuse_two_names(self.aliases, config_dict)
            return set()
        return {name for name, value in config_dict[SAID].items() if config_dict.get(name) == value}

    def _aliases_last(self, name: str) -> bool:
        return name in self.aliases

    def to_dict(self) -> dict[str, Any]:
        """All settings, from which `from_dict` makes the same configuration; Ray Tune searches in it.

        Those that were given in RLlib's words are there in both words, and under SAID as they are now.
        """
        config: dict[str, Any] = super().to_dict()
        learning = config.pop("learning")
        rllib = contract.defaults(AlgorithmConfig)
        for name in set(config) - set(rllib):
            if name.startswith("_") or name == "class":  # found, not set; and a checkpoint's, see `get_state`
                config.pop(name)
        said = {name: getattr(self, name) for name in self.said}
        return {**config, **learning, **said, **self.searched, SAID: said}

    def _ours(self) -> set[str]:
        return {*self.learning_names, *self.own_names, *self.aliases}


for _method in contract.METHODS:
    setattr(WordedConfig, _method, contract.refusing_old_words(getattr(AlgorithmConfig, _method)))


def _given(value: Any) -> Any:
    """A policy as data; its name alone, or a mapping with its name (or its base) and settings, will do."""
    if isinstance(value, str) or (isinstance(value, Mapping) and {"name", "base"} & set(value)):
        return Given.of(value)
    return value
