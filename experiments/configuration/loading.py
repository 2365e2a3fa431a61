"""Finds configurations by their names, and reads them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from envs import InvalidSetting
from envs.registry import nearest
from experiments.configuration.config import Experiment
from experiments.configuration.shipped import shipped
from rllib_smfg.configuration import yaml_files
from rllib_smfg.configuration.yaml_files import Model
from rllib_smfg.configuration.yaml_files import dump as dump
from rllib_smfg.storage.checkpoints import CONFIG


def load_experiment(source: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment of a YAML file, or of a shipped configuration by its name, with `section.key=value` overrides.

    Raises InvalidSetting with the file, the line and the nearest valid name.
    """
    return load(Experiment, find_configuration(source), overrides)


def find_configuration(source: str | Path) -> Path:
    """The file `source`, or the shipped configuration of that name; raises InvalidSetting where there is neither."""
    if Path(source).is_file():
        return Path(source)
    known = shipped()
    if str(source) in known:
        return known[str(source)]
    if Path(source).is_dir():
        raise InvalidSetting(f"{source}: is a folder; name a YAML file, or a shipped configuration")
    raise InvalidSetting(f"{source}: no such configuration{nearest(Path(source).stem, list(known))}")


def load(model: type[Model], path: Path, overrides: Sequence[str] = ()) -> Model:
    """A YAML file as a `model`; its `base:` may be a shipped configuration. Raises InvalidSetting."""
    return yaml_files.load(model, path, overrides, shipped())


def read_experiment(checkpoint: Path) -> Experiment | None:
    """The experiment a checkpoint belongs to; None for exported policies."""
    return load(Experiment, checkpoint / CONFIG) if (checkpoint / CONFIG).is_file() else None
