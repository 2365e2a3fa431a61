"""What a grid is: methods in groups, on two scales, and what is shown of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, model_validator

from envs import InvalidSetting
from envs.registry import nearest
from experiments.configuration.loading import load_experiment
from experiments.tuning.trials import Trial
from rllib_smfg.configuration.sections import Section

Shown = Literal["table1", "table3", "figure2", "figure3", "figure4", "figure5", "figure6", "figure7", "assumption"]
BOTH, PUBLISHED, EQUAL = "both", "published", "equal"  # on which bounds of the saving rate a run counts
CONSTANT = "constant policies"
SMFG, REAL = "SMFG households", "real-data households"
EXPLOITABILITY = ("household_exploitability", "government_exploitability")  # indicators, in shares of the own return
MIXED = "% SMFG"  # how the groups of a mixture end


class MethodGroup(Section):
    """Methods that are compared in one economy.

    set: overrides `section.key=value` of every method's configuration. methods: title -> configuration, with overrides
    of its own behind it; or, where the bounds of the saving rate differ between what was published and what is fair,
    one for each.
    """

    set: tuple[str, ...] = Field((), description="overrides of every configuration of the group")
    methods: dict[str, str | dict[Literal["published", "equal"], str]] = Field(
        min_length=1, description="title -> configuration, or {published: ..., equal: ...}"
    )


class Scale(Section):
    """How much is run."""

    groups: tuple[str, ...] = Field(min_length=1, description="groups that are run")
    seeds: tuple[int, ...] = Field(min_length=1, description="training seeds of every setting")
    set: tuple[str, ...] = Field((), description="overrides of every configuration that learns")
    episodes: int = Field(16, ge=1, le=100_000, description="episodes behind every number, with the seed's own luck")
    exploitability: tuple[int, ...] = Field(
        (), description="seeds of the rows that learn whose exploitability is found"
    )


class Mixture(Section):
    """Households of a trained run among cloned ones (figure 5)."""

    group: str = Field(description="group of the run whose households are mixed in")
    method: str = Field(description="its title")
    shares: tuple[float, ...] = Field((0.0, 0.25, 0.5, 0.75, 1.0), description="shares of its households")


class Clones(Section):
    """Households cloned from the survey (figure 7)."""

    config: str = Field(description="configuration of smfg pretrain")
    seeds: dict[Literal["quick", "full"], tuple[int, ...]] = Field(description="seeds of the fits, by scale")


class Grid(Section):
    """A whole grid, or, with `of`, one picture of another grid's runs."""

    title: str
    shows: tuple[Shown, ...] = Field(min_length=1)
    of: str | None = Field(None, description="the grid whose runs are shown; empty: this one's own")
    groups: dict[str, MethodGroup] = Field(default_factory=dict)
    scales: dict[Literal["quick", "full"], Scale] = Field(default_factory=dict)
    frontier: str | None = Field(None, description="group in whose economy the best constant policies are searched")
    mixture: Mixture | None = None
    clones: Clones | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Grid:
        for scale in self.scales.values():
            for name in scale.groups:
                if name not in self.groups:
                    raise InvalidSetting(f"unknown group '{name}'{nearest(name, list(self.groups))}")
            if unknown := set(scale.exploitability) - set(scale.seeds):
                raise InvalidSetting(f"exploitability of seed {min(unknown)}: must be one of the scale's seeds")
        if self.of is None and self.clones is None and set(self.scales) != {"quick", "full"}:
            raise InvalidSetting("scales must name quick and full, each with its groups and seeds")
        return self


def restricted(grid: Grid, scale: str, only: Sequence[str]) -> Grid:
    """The grid with some groups of a scale alone (empty: all); raises InvalidSetting for one that it has not."""
    if not only:
        return grid
    if grid.clones is not None:
        raise InvalidSetting("--group: this grid has no groups")
    chosen = grid.scales[_known(scale)]
    for name in only:
        if name not in chosen.groups:
            raise InvalidSetting(f"--group '{name}'{nearest(name, list(chosen.groups))}")
    kept = chosen.model_copy(update={"groups": tuple(name for name in chosen.groups if name in only)})
    return grid.model_copy(update={"scales": {**grid.scales, scale: kept}})


@dataclass(frozen=True)
class GridSetting:
    """A method in a group, on bounds of the saving rate: one row of a table, as often as there are seeds."""

    group: str
    method: str
    bounds: str

    def __str__(self) -> str:
        return " / ".join((self.group, self.method, self.bounds))

    @classmethod
    def parse(cls, text: str) -> GridSetting:
        """The setting that `str` wrote."""
        group, method, bounds = text.split(" / ")
        return cls(group, method, bounds)

    @property
    def folder(self) -> str:
        """Its name as a folder's."""
        return re.sub(r"[^a-z0-9]+", "_", str(self).lower()).strip("_")


def trials(grid: Grid, scale: str) -> dict[GridSetting, list[Trial]]:
    """The trials of a scale, by setting; raises InvalidSetting for configurations that do not exist or do not fit.

    Settings that come to the same experiment share its trials, which have the first one's name.
    """
    chosen, found = grid.scales[_known(scale)], {}
    names: dict[str, str] = {}
    for group in chosen.groups:
        for title, configs in grid.groups[group].methods.items():
            for bounds, config in {BOTH: configs}.items() if isinstance(configs, str) else configs.items():
                setting = GridSetting(group, title, bounds)
                experiment = _experiment(config, grid.groups[group], chosen)
                name = names.setdefault(json.dumps(experiment), setting.folder)
                found[setting] = [Trial(name, experiment, seed) for seed in chosen.seeds]
    return found


def _experiment(config: str, group: MethodGroup, scale: Scale) -> dict[str, object]:
    """A configuration with its own overrides, the group's, and the scale's where it learns."""
    name, *own = config.split()
    experiment = load_experiment(name, (*group.set, *own))
    if experiment.algorithm.family != "rules":
        experiment = load_experiment(name, (*group.set, *own, *scale.set))
    return experiment.model_dump(mode="json")


def _known(scale: str) -> Literal["quick", "full"]:
    if scale not in ("quick", "full"):
        raise InvalidSetting(f"--scale {scale}: must be quick or full")
    return scale  # type: ignore[return-value]
