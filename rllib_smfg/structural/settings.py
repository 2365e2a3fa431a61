"""The choices of structural SMFRL, as plain data; one default for all games."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal, get_args, get_type_hints

from envs.game import InvalidSetting
from envs.registry import nearest
from rllib_smfg.bounds import BOUNDS, Bounds, check
from rllib_smfg.settings import FollowerGradient, LeaderGradient

LeaderPolicyKind = Literal["network", "rule"]
LeaderSearch = Literal["derivative", "paired"]
SPREAD_OF = Bounds(0, 1000)


@dataclass(frozen=True)
class StructuralSettings:
    """How both sides learn; shares are shares of the whole run, noise is in halves of an action's range.

    updates: of the whole run. lead_in, settling: the first and the last share of it, in which the leader holds still
        and followers answer it. follower_steps: follower steps in each update, before the leader's one.
    leader_gradient: `total` lets the followers' reaction to the leader's action into the derivative (Stackelberg);
        `partial` holds it fixed. follower_gradient: `game` (each household moves alone) or `team`.
    leader_policy: a `network`, or a `rule` that is linear in a few observations, {instrument: [observation, ...]} in
        `leader_rule` (others are constants). leader_search: `derivative` of paths, or `paired` two-sided differences on
        common random numbers, which differentiate nothing: `search_pairs` of them a step (0: one for each number of the
        policy, along the axes; else along random directions), moved by `search_width` in network units.
    hidden: units of each hidden layer. follower_lr, leader_lr: Adam's, falling as a cosine to `last_rate` of it.
    economies: games played side by side, in the followers' steps. population: the most households of each that are
        trained on. household_years: how many the leader's paths have together, which says how many paths there are.
    tail: the share of a path's discounted weight that is cut off. averaging: of the weights that play.
    tremble: share of games in which the leader's action of the year is drawn from all its range, so that followers
        learn to answer what the leader never does; others tremble by `leader_noise`. lasting_spread, yearly_spread:
        instead, an offset of each game's government that stays for the whole episode, and one that is drawn every year:
        then followers answer what lasts. spread_of: by instrument, how many times as wide its lasting offset is.
    share_floor: households close to the end of a share's range still move by at least this much of it.
    """

    updates: int = 500
    lead_in: float = 0.1
    settling: float = 0.3
    follower_steps: int = 8
    leader_gradient: LeaderGradient = "total"
    follower_gradient: FollowerGradient = "game"
    leader_policy: LeaderPolicyKind = "network"
    leader_rule: Mapping[str, Sequence[str]] = field(default_factory=dict)
    leader_search: LeaderSearch = "derivative"
    search_pairs: int = 0
    search_width: float = 0.05
    hidden: tuple[int, ...] = (32, 32)
    follower_lr: float = 0.005
    leader_lr: float = 0.01
    last_rate: float = 0.01
    economies: int = 16
    population: int = 100
    household_years: int = 131_072
    tail: float = 0.002
    averaging: float = 0.98
    tremble: float = 0.5
    leader_noise: float = 0.1
    lasting_spread: float = 0.0
    spread_of: Mapping[str, float] = field(default_factory=dict)
    yearly_spread: float = 0.0
    share_floor: float = 0.05
    bound_penalty: float = 1.0

    def __post_init__(self) -> None:
        hints = get_type_hints(type(self))
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in BOUNDS:
                check(each.name, value)
            choices = get_args(hints[each.name])
            if choices and isinstance(choices[0], str) and value not in choices:
                raise InvalidSetting(f"{each.name} = {value!r}{nearest(str(value), list(choices))}")
        if self.lead_in + self.settling > 1:
            raise InvalidSetting(
                f"lead_in = {self.lead_in:g}, settling = {self.settling:g}: shares of the run, together at most 1"
            )
        self._refuse_spreads_that_change_nothing()

    def _refuse_spreads_that_change_nothing(self) -> None:
        for instrument, width in self.spread_of.items():
            if fault := SPREAD_OF.fault(width):
                raise InvalidSetting(f"spread_of: {instrument} = {width}: {fault}")
        if self.lasting_spread and self.tremble:
            raise InvalidSetting(f"tremble = {self.tremble:g}: changes nothing with lasting_spread; say tremble = 0")
        if self.lasting_spread and self.follower_gradient == "team":
            raise InvalidSetting(
                "lasting_spread: changes nothing with follower_gradient = team, which trembles instead"
            )
        for name in ("yearly_spread", "spread_of"):
            if getattr(self, name) and not self.lasting_spread:
                raise InvalidSetting(f"{name}: changes nothing without lasting_spread, which is 0")
