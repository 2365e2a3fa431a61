"""Both sides at once: followers answer the leader, the leader moves through their answer, then they settle.

An update is a few steps of the followers and one of the leader. First the leader holds still (`lead_in`), then both
move, the leader slower and slower, then it holds still again while followers settle: what is left is an equilibrium of
both, or the certificate says that it is not. Everybody who is not learning plays by averaged weights.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._pytree import tree_map

from envs.arithmetic import ArithmeticGame, Mean, plain_mean
from rllib_smfg.rule import RuleActor
from rllib_smfg.structural.economies import Economies, State, detached, own_share_mean, price_takers_mean
from rllib_smfg.structural.households import (
    curvature,
    euler_loss,
    joined,
    play_window,
    window_residuals,
    worth_of_carried,
)
from rllib_smfg.structural.optimizer import ShampooAdam, leader_optimizer
from rllib_smfg.structural.paired import paired_slope
from rllib_smfg.structural.paths import (
    Luck,
    Play,
    Returns,
    draw_luck,
    path_count,
    path_years,
    returns,
    unseen_ends,
    year_played,
)
from rllib_smfg.structural.refine import POPULATION, Within, refine, usual_plays
from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.sides import Averaged, Side, outside
from rllib_smfg.structural.spread import Spread, moved_at_first
from rllib_smfg.structural.together import Together
from rllib_smfg.structural.turns import due, leads, settles

LEADER, FOLLOWER = "leader", "follower"

log = logging.getLogger(__name__)


class StructuralLearner:
    """Learns both sides of a game that is written as arithmetic.

    make_game(games=, followers=): builds the game. leader, follower: networks of features, as `networks.Actor`.
    averages: networks by side that take their averaged weights (default: copies). together: the other learners who
    share every update; all settings are those of all of them.
    """

    def __init__(
        self,
        make_game: Callable[..., ArithmeticGame],
        leader: nn.Module,
        follower: nn.Module,
        settings: StructuralSettings,
        seed: int,
        averages: Mapping[str, nn.Module] | None = None,
        together: Together | None = None,
    ) -> None:
        self.settings, self.together = settings, together or Together()
        self.networks = {LEADER: leader, FOLLOWER: follower}
        averages = averages or {side: deepcopy(network) for side, network in self.networks.items()}
        self.averaged = {
            side: Averaged(network, averages[side], settings.averaging) for side, network in self.networks.items()
        }
        like = next(follower.parameters()).detach()
        whole = make_game(games=1)
        self.followers = whole.n_followers
        self.discount = whole.discount
        self.path_years = path_years(self.discount, settings.tail, whole.horizon, ends=False)
        trained_on = min(self.followers, settings.population)
        paths = path_count(settings, self.followers, self.path_years)
        self.game = make_game(games=settings.economies, followers=trained_on)
        self.path_game = make_game(games=paths, followers=trained_on)
        self.own_paths = self.together.own(paths)
        share, of_paths = self.together.share(settings.economies), self.together.share(paths)
        # how much of a step is this learner's
        self.shares = {LEADER: of_paths, FOLLOWER: of_paths if settings.follower_gradient == "team" else share}
        # what has no consequence but this year's reward needs no window
        self.window_years = 1 if self.game.carried is None else settings.window_years
        self.places = leader.places() if isinstance(leader, RuleActor) else None
        # years of the leader's steps and of its refinements, which are functions of their own
        self.step_year = year_played(settings, self.path_game, self.path_years, self._plays_of_steps())
        self.refined_game = make_game(games=settings.economies, followers=min(self.followers, POPULATION))
        self.refined_year = year_played(settings, self.refined_game, self.path_years, usual_plays(settings))
        self.sides = {
            LEADER: Side.of(self.game.leader_scaling, self.game.leader_action_space, like),
            FOLLOWER: Side.of(self.game.follower_scaling, self.game.follower_action_space, like),
        }
        luck = np.random.SeedSequence([seed, 1]).spawn(2)
        self.economies = Economies(self.game, luck[0], like, self.together)
        self.noise = np.random.default_rng(luck[1])
        self.spread = Spread(settings, self.game.instruments, self.noise, like)
        self.seed, self.like, self.update_number, self.years = seed, like, 0, 0
        self.told_of_ends = False
        self.skipped = {LEADER: 0, FOLLOWER: 0}  # steps not taken, as a derivative was no number
        self.optimizers = {
            LEADER: leader_optimizer(leader, settings.leader_lr),
            FOLLOWER: ShampooAdam(follower.parameters(), lr=settings.follower_lr),
        }

    # --- an update -------------------------------------------------------------------------------------------------
    def update(self) -> dict[str, float]:
        """One update of both sides; returns what is logged."""
        logs = self._turns(self.update_number / self.settings.updates)
        logs |= {f"{side}/skipped_steps": float(steps) for side, steps in self.skipped.items()}
        self.update_number += 1
        return logs

    def _turns(self, share: float) -> dict[str, float]:
        """Who moves in an update, after a share of the run: followers, and the leader where it does not hold still."""
        refined = self._refinement()
        logs = self._refined(refined) if refined else {}
        logs |= self._followers_turn(share)
        if self._leads():
            logs |= self._leaders_turn(share)
        return logs

    def _leads(self) -> bool:
        """Whether the leader is not held still, by the lead-in or the settling, or as nothing follows from it."""
        return self.game.governed and leads(self.settings, self.update_number)

    def _refinement(self) -> float:
        """The share of a refinement that is due now; 0 where there is none, or the leader never moves."""
        s, leader = self.settings, self.networks[LEADER]
        moves = self.game.governed and s.leader_gradient == "total" and s.lead_in < 1 - s.settling
        return due(s, self.update_number) if moves and isinstance(leader, RuleActor) else 0.0

    def _followers_turn(self, share: float) -> dict[str, float]:
        """The followers' steps of an update, after a share of the run."""
        s, logs = self.settings, dict[str, float]()
        # the axes of gradients are not known from a few of them
        risen = min(1.0, (self.update_number + 1) / max(s.warm_up * s.updates, 1.0))
        self._set_rate(FOLLOWER, s.follower_lr * risen, share)
        for _ in range(s.follower_steps):
            logs |= self._follower_step()
        return logs

    def _leaders_turn(self, share: float) -> dict[str, float]:
        """The leader's step of an update, after a share of the run."""
        s = self.settings
        self._set_rate(LEADER, s.leader_lr, (share - s.lead_in) / (1 - s.settling - s.lead_in))
        return self._leader_step()

    def _follower_step(self) -> dict[str, float]:
        s = self.settings
        loss = self._team_loss() if s.follower_gradient == "team" else self._game_loss()
        self._descend(FOLLOWER, loss)
        return {"follower/loss": float(loss.detach()) * self._counted(FOLLOWER)}

    def _game_loss(self) -> Tensor:
        """Each household moves alone: residuals of a window of years (eq. 3) of all games, which then move on by one.

        What a leader does that it would never do is answered, not lived with: games whose leader trembles far move on
        as if it had not, and the window's later years are those of the government that stays.
        """
        game, side, economies = self.game, self.sides[FOLLOWER], self.economies
        mean, network = self._households_mean(), self.networks[FOLLOWER]
        offsets = self.spread.offsets(economies.fresh, settles(self.settings, self.update_number))
        stays, usual, now = (offset[economies.own] for offset in offsets)
        years = self.window_years
        shocks = [economies.shocks() for _ in range(years)]

        # of a leader from whom nothing follows, who need not be asked anew
        lasting = None if game.governed else self._leader_action(economies.state, stays)

        def meet(year: int, state: State) -> tuple[list[Tensor], Tensor, Tensor]:
            if year == 0:
                action, told = self._leader_action(state, now)
            else:
                action, told = lasting or self._leader_action(state, stays)
            return action, told, self._answer(network, state, told)

        window = play_window(game, side, economies.state, shocks, meet, mean)
        worth = None if game.carried is None else self._worth(window.following, stays, mean)
        found = window_residuals(game, window, worth)
        met = joined(window.years)
        output = self._answer(network, met.state, met.told)
        alive = None if window.ended is None else ~window.ended.repeat(years, 1)
        bends, floor = curvature(game, side, met, mean), self.settings.share_floor
        loss = euler_loss(torch.cat(found), output, bends, side, floor, alive, self.together)
        following, ended = self._played(economies.state, usual, shocks[0])
        economies.move_on(following, ended)
        self.years += game.n_games * years
        return (loss + self.settings.bound_penalty * outside(output).sum(-1)).mean()

    @torch.no_grad()
    def _played(self, state: State, offset: Tensor, shocks: State) -> tuple[State, Tensor | None]:
        """What follows a year under the averaged followers and the averaged leader moved by an offset."""
        action, told = self._leader_action(state, offset)
        output = self._answer(self.averaged[FOLLOWER].average, state, told)
        outcome = self.game.advance(state, action, self.sides[FOLLOWER].natural(output), shocks, plain_mean)
        return dict(outcome.state), outcome.ended

    def _worth(self, following: State, lasting: Tensor, mean: Mean) -> Tensor:
        """lambda of what a window ends with, under the government that stays and households' own play."""
        following = detached(following)
        action, told = self._leader_action(following, lasting)
        with torch.no_grad():
            output = self._answer(self.networks[FOLLOWER], following, told)
        shocks = self.economies.shocks()  # (2) needs nothing that they move, only numbers of the right shape
        return worth_of_carried(self.game, self.sides[FOLLOWER], following, action, output, shocks, mean)

    def _team_loss(self) -> Tensor:
        """All households move together: minus their mean discounted reward along paths, all means in the graph."""
        luck = self._luck()
        first = self.spread.first_year(self.path_game.n_games)[self.own_paths]
        leader = moved_at_first(self.averaged[LEADER].average, first)
        sides, households = self.sides, self.networks[FOLLOWER]
        play = Play(
            self.path_game, sides[LEADER], sides[FOLLOWER], leader, households, None, self.places, followers_learn=True
        )
        found = returns(play, luck, self.discount)
        worth = found.follower.mean() * self._per_year()
        return self.settings.bound_penalty * found.follower_outside.mean() - worth

    def _leader_step(self) -> dict[str, float]:
        """One step of the leader, by derivatives of its gain on paths or by paired differences of it."""
        luck = self._luck()
        self.years += self.path_game.n_games * self.path_years
        if self.settings.leader_search == "paired":
            return self._paired_step(luck)
        found = self._played_by(self.networks[LEADER], luck)
        self._tell_unseen_ends(found)
        self._descend(LEADER, -self._objective(found))
        return self._leader_logs(found)

    @torch.no_grad()
    def _paired_step(self, luck: Luck) -> dict[str, float]:
        """A step along two-sided differences of the objective, on common random numbers."""
        s, network = self.settings, self.networks[LEADER]

        def worth() -> Tensor:
            return self._objective(self._played_by(network, luck))

        slope = paired_slope(network, worth, s.search_pairs, s.search_width, self.noise)
        self._step(LEADER, [-part for part in slope])
        return self._leader_logs(self._played_by(self.averaged[LEADER].average, luck))

    def _refined(self, share: float) -> dict[str, float]:
        """A rule at its best on luck that stays, among followers as they stand, and no more an average of its steps."""
        rule, s = self.networks[LEADER], self.settings
        assert isinstance(rule, RuleActor)
        game, own = self.refined_game, self.together.own(self.refined_game.n_games)
        luck = draw_luck(game, self.noise.integers(2**63), self.path_years, self.like, own)
        within, parameters = Within(rule), list(rule.parameters())

        def value() -> Tensor:
            self.years += game.n_games * self.path_years
            return self._objective(self._played_by(within, luck, game))

        def worth() -> tuple[float, list[Tensor]]:
            now = value()
            if s.leader_search == "paired":
                slope = paired_slope(rule, value, 0, s.search_width, self.noise)
            else:
                slope = list(torch.autograd.grad(now, parameters))
            of_all = self.together.summed([now.detach(), *slope], self.together.share(game.n_games))
            told = [part for part in of_all if part is not None]
            return float(told[0]), told[1:]

        with torch.set_grad_enabled(s.leader_search == "derivative"):
            logs = refine(rule, worth, share, s.refinement_plays, s.refinement_precision)
        self.averaged[LEADER].average.load_state_dict(rule.state_dict())
        return logs

    def _luck(self) -> Luck:
        """Of this learner's paths."""
        return draw_luck(self.path_game, self.noise.integers(2**63), self.path_years, self.like, self.own_paths)

    def _played_by(self, leader: nn.Module, luck: Luck, game: ArithmeticGame | None = None) -> Returns:
        """Paths of a leader among followers who play by their averaged weights."""
        partial_concept = self.settings.leader_gradient == "partial"
        seen = deepcopy(leader).requires_grad_(False) if partial_concept else None
        sides, households = self.sides, self.averaged[FOLLOWER].average
        play = Play(game or self.path_game, sides[LEADER], sides[FOLLOWER], leader, households, seen, self.places)
        return returns(play, luck, self.discount, self.step_year if game is None else self.refined_year)

    def _objective(self, found: Returns) -> Tensor:
        worth = (found.leader - found.strain).mean() * self._per_year()
        return worth - self.settings.bound_penalty * found.outside.mean()

    def _leader_logs(self, found: Returns) -> dict[str, float]:
        means = {"discounted_return": found.leader, "strain": found.strain, "lived": found.lived}
        counted = self._counted(LEADER)
        return {f"leader/{name}": float(x.detach().mean()) * counted for name, x in means.items()}

    def _counted(self, side: str) -> float:
        """What a learner's mean counts, so that the mean over learners is that over all games."""
        return self.shares[side] * self.together.size

    # --- going on exactly -------------------------------------------------------------------------------------------
    def get_state(self) -> dict[str, Any]:
        """Everything beside the networks' weights that learning goes on from, with however many learners.

        One of several is asked for all, so their games must have been told before (`economies.tell`).
        """
        return {
            "update": self.update_number,
            "years": self.years,
            "economies": self.economies.get_state(),
            "offset": self.spread.lasting.cpu(),
            "noise": self.noise.bit_generator.state,
            # torch hands out, and takes in, the very tensors that it goes on to move; a checkpoint fits any device
            "optimizers": {side: tree_map(_on_the_processor, x.state_dict()) for side, x in self.optimizers.items()},
            "skipped": dict(self.skipped),
            "averaged": {side: x.steps for side, x in self.averaged.items()},
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Goes back to a state from `get_state`; the networks' weights are set by whoever owns them."""
        self.update_number, self.years = state["update"], state["years"]
        self.economies.set_state(state["economies"])
        self.spread.lasting = state["offset"].to(self.like.device)
        self.noise.bit_generator.state = state["noise"]
        self.skipped = dict(state["skipped"])
        for side in (LEADER, FOLLOWER):
            self.optimizers[side].load_state_dict(deepcopy(state["optimizers"][side]))
            self.averaged[side].steps = state["averaged"][side]

    # --- parts of it -------------------------------------------------------------------------------------------------
    def _plays_of_steps(self) -> int:
        """How many times a run's steps of the leader play its paths."""
        s = self.settings
        pairs = s.search_pairs or sum(x.numel() for x in self.networks[LEADER].parameters())
        plays = 1 if s.leader_search == "derivative" else 2 * pairs + 1
        return int(s.updates * (1 - s.lead_in - s.settling) * plays) if self.game.governed else 0

    def _tell_unseen_ends(self, found: Returns) -> None:
        """Once in a run."""
        if self.told_of_ends:
            return
        if trouble := unseen_ends(found):
            self.told_of_ends = True
            log.warning("%s", trouble)

    def _per_year(self) -> float:
        """Turns a discounted sum into an average year, so that losses of all games are of order one."""
        return 1 - self.discount

    def _households_mean(self) -> Mean:
        if self.game.price_taking:
            return price_takers_mean
        return partial(own_share_mean, followers=self.followers)

    def _leader_action(self, state: State, offset: Tensor) -> tuple[list[Tensor], Tensor]:
        """Actions (B, 1) each and outputs (B, 1, al) of the averaged leader, moved by an offset."""
        side = self.sides[LEADER]
        with torch.no_grad():
            seen, _ = self.game.observe(state, plain_mean)
            features = side.features(seen, self.places)
            u = self.averaged[LEADER].average(features, features[..., :0])
            told = (u.clamp(-1.0, 1.0) + offset).clamp(-1.0, 1.0)
            return side.natural(told), told

    def _answer(self, network: nn.Module, state: State, told: Tensor) -> Tensor:
        """Followers' outputs (B, N, af)."""
        _, seen = self.game.observe(state, price_takers_mean)
        output: Tensor = network(self.sides[FOLLOWER].features(seen), told)
        return output

    def _descend(self, side: str, loss: Tensor) -> None:
        """One step of Adam, and of the averaged weights; a step without finite derivatives is not taken."""
        gradients = torch.autograd.grad(loss, list(self.networks[side].parameters()), allow_unused=True)
        self._step(side, gradients)

    def _step(self, side: str, gradients: Sequence[Tensor | None]) -> None:
        """A step along all learners' gradients; all of them skip it, or none."""
        gradients = self.together.summed(gradients, self.shares[side])
        if not all(g is None or bool(g.isfinite().all()) for g in gradients):
            self.skipped[side] += 1
            return
        for parameter, gradient in zip(self.networks[side].parameters(), gradients, strict=True):
            parameter.grad = gradient
        self.optimizers[side].step()
        self.averaged[side].follow()

    def _set_rate(self, side: str, rate: float, share: float) -> None:
        """A cosine from `rate` to `last_rate` of it."""
        last = self.settings.last_rate
        now = rate * (last + (1 - last) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0))))
        for group in self.optimizers[side].param_groups:
            group["lr"] = now


def _on_the_processor(x: Any) -> Any:
    """Something of an optimizer's, as it is now."""
    return x.detach().cpu().clone() if isinstance(x, Tensor) else deepcopy(x)
