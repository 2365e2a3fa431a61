"""The choices of structural SMFRL, as plain data; one default for all games."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rllib_smfg.settings import FollowerGradient, LeaderGradient

LeaderPolicyKind = Literal["network", "rule"]
LeaderSearch = Literal["derivative", "paired"]


@dataclass(frozen=True)
class StructuralSettings:
    """How both sides learn; shares are shares of the whole run, noise is in halves of an action's range.

    updates: of the whole run. lead_in, settling: the first and the last share of it, in which the leader holds still and
        followers answer it. follower_steps: follower steps in each update, before the leader's one.
    leader_gradient: `total` lets the followers' reaction to the leader's action into the derivative (Stackelberg);
        `partial` holds it fixed. follower_gradient: `game` (each household moves alone) or `team`.
    leader_policy: a `network`, or a `rule` that is linear in a few observations. leader_search: `derivative` of paths, or
        `paired` two-sided differences on common random numbers, which differentiate nothing.
    hidden: units of each hidden layer. follower_lr, leader_lr: Adam's, falling as a cosine to `last_rate` of it.
    games: played side by side, in the followers' steps and on the leader's paths. household_years: how many household
        years of a path are differentiated at most; the population that is trained on is smaller where N x T does not fit.
    tail: the share of a path's discounted weight that is cut off. averaging: of the weights that play.
    tremble: share of games in which the leader's action of the year is drawn from all its range, so that followers
        learn to answer what the leader never does; others tremble by `leader_noise`. lasting_spread, yearly_spread: an
        offset of each game's government that stays for the whole episode, and one that is drawn every year: then
        followers answer what lasts.
    share_floor: households close to the end of a share's range still move by at least this much of it.
    """

    updates: int = 600
    lead_in: float = 0.15
    settling: float = 0.25
    follower_steps: int = 4
    leader_gradient: LeaderGradient = "total"
    follower_gradient: FollowerGradient = "game"
    leader_policy: LeaderPolicyKind = "network"
    leader_search: LeaderSearch = "derivative"
    hidden: tuple[int, ...] = (32, 32)
    follower_lr: float = 0.01
    leader_lr: float = 0.01
    last_rate: float = 0.01
    games: int = 32
    household_years: int = 131_072
    tail: float = 0.002
    averaging: float = 0.98
    tremble: float = 0.5
    leader_noise: float = 0.1
    lasting_spread: float = 0.0
    yearly_spread: float = 0.0
    share_floor: float = 0.05
    bound_penalty: float = 1.0
