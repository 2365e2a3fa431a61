"""What a comparison is: a game, the policies that play it, and the luck they meet."""

from __future__ import annotations

import re

from pydantic import Field, model_validator

from envs import InvalidSetting
from envs.registry import nearest
from experiments.configuration.config import Game, Seeds, WithPolicies
from rllib_smfg.configuration.sections import Rule, Section


class Row(Section):
    """A government and households: a pair, something learned, or something to be learned now.

    Exactly one of: `leader` and `follower`; `policies`; `train`.
    """

    name: str = Field(min_length=1, description="what the table calls it")
    leader: Rule | None = Field(None, description="free_market, us_federal, saez, ..., or a run: all its seeds")
    follower: Rule | None = Field(None, description="real_data, random, constant, or a run: all its seeds")
    policies: str | None = Field(None, description="checkpoint, exported policies, or a run: all its seeds")
    train: str | None = Field(None, description="configuration of smfg train, trained in this comparison's game")
    set: tuple[str, ...] = Field((), description="overrides of that configuration, section.key=value")
    warm_up: int = Field(0, ge=0, le=1000, description="episodes played before, for policies that remember (saez)")

    @property
    def folder(self) -> str:
        """Where a row that is trained is kept: its name in letters that every file system takes."""
        return re.sub(r"[^a-z0-9]+", "_", self.name.lower()).strip("_") or "row"

    @model_validator(mode="after")
    def _one_kind(self) -> Row:
        pair = self.leader is not None or self.follower is not None
        kinds = [pair, self.policies is not None, self.train is not None]
        if sum(kinds) != 1 or (pair and (self.leader is None or self.follower is None)):
            raise InvalidSetting(f"row '{self.name}' must have leader and follower, or policies, or train")
        if self.set and self.train is None:
            raise InvalidSetting(f"row '{self.name}': set belongs to train")
        return self


class EvaluationLuck(Section):
    """The episodes, the same for every row."""

    seeds: Seeds = Field((1_000_000,), min_length=1, description="each is a batch of episodes of its own")
    episodes: int = Field(32, ge=1, le=100_000, description="episodes of each seed, side by side")


class Comparing(WithPolicies):
    """A whole configuration of `smfg compare`."""

    game: Game
    rows: tuple[Row, ...] = Field(min_length=1, description="the policies, in the order of the table")
    reference: str | None = Field(
        None,
        description="the row that others are compared with; empty: none, or the US system where it can govern",
    )
    evaluation: EvaluationLuck = EvaluationLuck()

    @model_validator(mode="after")
    def _names_tell_rows_apart(self) -> Comparing:
        names = [row.name for row in self.rows]
        if len({row.folder for row in self.rows}) != len(names):
            raise InvalidSetting("rows: every row must have a name of its own, apart from capitals and punctuation")
        if self.reference is not None and self.reference not in names:
            raise InvalidSetting(f"reference = '{self.reference}': no such row{nearest(self.reference, names)}")
        return self
