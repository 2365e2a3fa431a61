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


def says(text: str) -> dict[str, str]:
    """A field's metadata: what the setting is, in one line."""
    return {"says": text}


@dataclass(frozen=True)
class StructuralSettings:
    """How both sides learn; shares are shares of the whole run, noise is in halves of an action's range.

    updates: of the whole run. lead_in, settling: the first and the last share of it, in which the leader holds still
        and followers answer it. warm_up: the first share of it, in which their rate rises. follower_steps: their
        steps in each update, before the leader's one. refinements: how many times in the settling a rule is moved to
        its best on common random numbers (concept `total`), by at most `refinement_plays` plays of it, and none
        more once a step gained less than `refinement_precision` of all.
    leader_gradient: `total` lets the followers' reaction to the leader's action into the derivative (Stackelberg);
        `partial` holds it fixed. follower_gradient: `game` (each household moves alone) or `team`.
    leader_policy: a `network`, or a `rule` that is linear in a few observations, {instrument: [observation, ...]} in
        `leader_rule` (others are constants). leader_search: `derivative` of paths, or `paired` two-sided differences on
        common random numbers, which differentiate nothing: `search_pairs` of them a step (0: one for each number of the
        policy, along the axes; else along random directions), moved by `search_width` in network units.
    hidden: units of each hidden layer. follower_lr, leader_lr: fall as a cosine to `last_rate` of it.
    economies: games played side by side, in the followers' steps. population: the most households of each that are
        trained on. household_years: how many the leader's paths have together, which says how many paths there are.
    window_years: years of own play that a follower's residual knows before eq. 2 says what is then carried.
    tail: the share of a path's discounted weight that is cut off. averaging: of the weights that play.
    tremble: share of games in which the leader's action of the year is drawn from all its range, so that followers
        learn to answer what the leader never does; others tremble by `leader_noise`. settled_noise: what is left of
        both while followers settle. lasting_spread, yearly_spread:
        instead, an offset of each game's government that stays for the whole episode, and one that is drawn every year:
        then followers answer what lasts. spread_of: by instrument, how many times as wide its lasting offset is.
    compile_paths: where a run plays more than some ten thousand years of paths, a year of them is compiled, for which
        torch looks for a C++ compiler; without one they are played as they are written, two to three times as slowly.
    share_floor: least distance from the end of a share's range, at most .5, that a household's step counts: 0 counts
        steps in natural units, where the richest and the poorest hardly count; .5 counts log odds alike everywhere.
    """

    updates: int = field(default=300, metadata=says("of the whole run, of which schedules are shares"))
    lead_in: float = field(
        default=0.1, metadata=says("first share of the run: the leader holds still, followers learn to answer it")
    )
    settling: float = field(
        default=0.4, metadata=says("last share of the run: the leader holds still, followers settle")
    )
    refinements: int = field(
        default=8, metadata=says("how often in the settling a leader's rule is moved to its best on luck that stays")
    )
    refinement_plays: int = field(default=30, metadata=says("the most plays of a rule in one refinement"))
    refinement_precision: float = field(
        default=0.05,
        metadata=says("of a refinement's gain: a last step of less ends it; 0 follows a valley to its end"),
    )
    warm_up: float = field(
        default=0.05, metadata=says("first share of the run, in which followers' learning rate rises from 0")
    )
    follower_steps: int = field(default=4, metadata=says("followers' steps in each update, before the leader's one"))
    leader_gradient: LeaderGradient = field(
        default="total", metadata=says("total: through the followers' reaction; partial: without")
    )
    follower_gradient: FollowerGradient = field(
        default="game", metadata=says("game: each household moves alone; team: all move together")
    )
    leader_policy: LeaderPolicyKind = field(
        default="network", metadata=says("network, or rule: linear in a few observations")
    )
    leader_rule: Mapping[str, Sequence[str]] = field(
        default_factory=dict, metadata=says("instrument: the observations it responds to; others are constants")
    )
    leader_search: LeaderSearch = field(
        default="derivative", metadata=says("derivative of paths, or paired differences on common random numbers")
    )
    search_pairs: int = field(
        default=0, metadata=says("random directions of a paired search; 0: one for each number of the policy")
    )
    search_width: float = field(default=0.05, metadata=says("how far a paired search moves a number, in network units"))
    hidden: tuple[int, ...] = field(default=(32, 32), metadata=says("units of each hidden layer"))
    follower_lr: float = field(default=0.01, metadata=says("ShampooAdam's, falling as a cosine"))
    leader_lr: float = field(default=0.01, metadata=says("Adam's, falling as a cosine"))
    last_rate: float = field(default=0.01, metadata=says("share of a learning rate that is left at the end"))
    economies: int = field(default=16, metadata=says("games played side by side in the followers' steps"))
    population: int = field(default=100, metadata=says("the most households of each that are trained on"))
    household_years: int = field(
        default=131_072, metadata=says("of the leader's paths together, which says how many there are")
    )
    window_years: int = field(
        default=15, metadata=says("of own play that a follower's residual knows before what is carried is valued")
    )
    tail: float = field(default=0.002, metadata=says("share of a path's discounted weight that is cut off"))
    averaging: float = field(default=0.98, metadata=says("of the weights that play, a step"))
    tremble: float = field(
        default=0.5, metadata=says("share of games whose leader's action of the year is drawn from all its range")
    )
    leader_noise: float = field(default=0.1, metadata=says("of the year in other games, in halves of the range"))
    settled_noise: float = field(
        default=0.1, metadata=says("share of tremble and leader_noise that is left while followers settle")
    )
    lasting_spread: float = field(
        default=0.0, metadata=says("in place of both: what an episode's government differs by as long as it lasts")
    )
    spread_of: Mapping[str, float] = field(
        default_factory=dict, metadata=says("by instrument, how many times as wide its lasting spread is")
    )
    yearly_spread: float = field(default=0.0, metadata=says("beside a lasting spread, drawn every year"))
    share_floor: float = field(
        default=0.5, metadata=says("least distance from the end of a share's range that a step counts")
    )
    bound_penalty: float = field(default=1.0, metadata=says("weight of (output beyond [-1, 1])^2"))
    compile_paths: bool = field(
        default=True, metadata=says("torch.compile a year of the leader's paths where that pays")
    )

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
        self._refuse_searches_that_change_nothing()

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

    def _refuse_searches_that_change_nothing(self) -> None:
        if self.leader_policy == "network" and self.refinements:
            for name in ("refinements", "refinement_plays", "refinement_precision"):
                self._refuse_another(name, "leader_policy = network, which is not refined; say leader_policy = rule")
        if not self.settling and self.refinements:
            self._refuse_another("refinements", "settling = 0, when they take place")
        if not self.refinements:
            for name in ("refinement_plays", "refinement_precision"):
                self._refuse_another(name, "refinements = 0")
        if self.leader_search == "derivative":
            for name in ("search_pairs", "search_width"):
                self._refuse_another(name, "leader_search = derivative; say leader_search = paired")

    def _refuse_another(self, name: str, where: str) -> None:
        """Refuses another value than the default, which somebody gave and would wait for in vain."""
        value, default = getattr(self, name), getattr(type(self), name)
        if value != default:
            raise InvalidSetting(f"{name} = {value!r}: changes nothing with {where}")
