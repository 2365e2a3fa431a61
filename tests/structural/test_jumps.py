"""A game that acts by jumps says so before it is learned: no derivative sees them."""

from __future__ import annotations

import logging
import re
from typing import Any

import numpy as np
import pytest
from saving_economy import STEADY, SavingEconomy
from structural_parts import MANY, built
from tax_smoothing import TaxSmoothing
from test_declared import SHIPPED
from two_stocks import TwoStocks

from envs.arithmetic import Outcome, namespace
from rllib_smfg import StructuralSMFRLConfig
from rllib_smfg.rllib import game_config
from rllib_smfg.structural.jumps import unseen_jumps


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_games_are_smooth_or_have_kinks_alone(name: str) -> None:
    assert not unseen_jumps(built(name, **MANY, **SHIPPED[name]))


@pytest.mark.parametrize("game", [SavingEconomy, TaxSmoothing, TwoStocks])
def test_other_people_s_games_are(game: Any) -> None:
    assert not unseen_jumps(game(**MANY))


class Searching(TaxSmoothing):
    """Who works h has found a job by next year with probability h / 6: luck that is compared with a decision."""

    def first_state(self, random: np.random.Generator, games: int) -> Any:
        return super().first_state(random, games) | {"employed": np.zeros((games, self.n_followers))}

    def shocks(self, random: np.random.Generator, year: Any) -> Any:
        return super().shocks(random, year) | {"luck": random.random((len(year), self.n_followers))}

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        found = super().advance(state, leader, follower, shocks, mean)
        employed = namespace(state["debt"]).where(6 * shocks["luck"] < follower[0], 1.0, 0.0)
        reward = found.follower_reward + state["employed"]
        return Outcome(found.leader_reward, reward, {**found.state, "employed": employed})


class Stepped(TaxSmoothing):
    """A tax that is levied in whole tenths."""

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        tax = namespace(leader[0]).floor(10 * leader[0]) / 10
        return super().advance(state, [tax], follower, shocks, mean)


class Notched(SavingEconomy):
    """Who owns less than the steady state is fined: a notch in what is carried."""

    fine = 1.0

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        found, capital = super().advance(state, leader, follower, shocks, mean), state["capital"]
        poor = namespace(capital).where(capital < STEADY, 1.0, 0.0)
        return Outcome(found.leader_reward, found.follower_reward - self.fine * poor, found.state)


class Kinked(TaxSmoothing):
    """A tax of what is earned beyond an exemption."""

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        found = super().advance(state, leader, follower, shocks, mean)
        beyond = (follower[0] - 1).clip(0.0)
        return Outcome(found.leader_reward, found.follower_reward - leader[0] * beyond, found.state)


@pytest.mark.parametrize(
    ("game", "said"),
    [
        (Searching, "100% of what decision 'work' does to 'employed' comes by jumps, .* or use method smfrl$"),
        (Stepped, "100% of what instrument 'tax' does to .* or use leader_search = paired$"),
        (Notched, "of what carried 'capital' does to follower's reward comes by jumps"),
    ],
)
def test_what_acts_by_jumps_is_told_in_a_line(game: Any, said: str) -> None:
    told = unseen_jumps(game(**MANY))
    assert re.search(said, told), told
    assert "\n" not in told


def test_a_kink_is_no_jump() -> None:
    assert not unseen_jumps(Kinked(**MANY))


def test_a_paired_search_needs_no_derivative_of_an_instrument() -> None:
    assert not unseen_jumps(Stepped(**MANY), instruments=False)
    assert unseen_jumps(Searching(**MANY), instruments=False)


@pytest.mark.parametrize(("evaluated", "times"), [(False, 1), (True, 0)])
def test_a_configuration_says_it_once(evaluated: bool, times: int, caplog: pytest.LogCaptureFixture) -> None:
    game_config.TOLD.clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            config = StructuralSMFRLConfig().game("test_jumps:Searching")
            config.in_evaluation = evaluated
            config.validate()
    assert sum("comes by jumps" in record.message for record in caplog.records) == times
