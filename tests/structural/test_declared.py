"""A game that does not do what it declares is refused in one line: it would be learned wrong without a word."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box
from saving_economy import SavingEconomy
from structural_parts import built
from tax_smoothing import TaxSmoothing
from two_stocks import TwoStocks

from envs.arithmetic import ArithmeticGame, Outcome, plain_mean
from envs.game import InvalidSetting
from rllib_smfg import StructuralSMFRLConfig
from rllib_smfg.structural.declared import check_declarations

SHIPPED: dict[str, dict[str, Any]] = {
    "stage_game": {},
    "income_tax": {},
    "static_hsv": {},
    "linear_quadratic": {},
    "brock_mirman": {},
    "aiyagari": {},
    "krusell_smith": {},
    "economy": {"preset": "calibrated", "instruments": ["transfer"]},
}


def saving(**declared: Any) -> ArithmeticGame:
    """The saving economy with other declarations."""
    return type("Saving", (SavingEconomy,), declared)(games=2, followers=5)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_games_do_what_they_declare(name: str) -> None:
    check_declarations(built(name, games=2, followers=20, **SHIPPED[name]), 15)


@pytest.mark.parametrize("game", [SavingEconomy, TaxSmoothing, TwoStocks])
@pytest.mark.parametrize("followers", [1, 2, 30])
def test_other_people_s_games_do(game: type[ArithmeticGame], followers: int) -> None:
    check_declarations(game(games=1, followers=followers), 15)


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"carried": None}, "followers move their own 'capital', and carried is None"),
        ({"carried": "capitall"}, "carried = 'capitall': did you mean 'capital'"),
        ({"saved_by": "saved"}, "saved_by = 'saved'"),
        ({"instruments": ("tax", "transfer")}, "instruments names 2, and its box has 1"),
        ({"follower_observes": ("capital",)}, "follower_observes names 1, and its box has 2"),
    ],
)
def test_wrong_declarations_are_refused(declared: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        check_declarations(saving(**declared), 15)
    told = str(refused.value)
    assert reason in told
    assert "\n" not in told


class Neighbourly(SavingEconomy):
    """Takes a mean over households by itself: each would be learned as if it moved all of them."""

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        return super().advance(state, leader, follower, shocks, lambda x: x.mean(-1)[..., None])


class Idle(TaxSmoothing):
    """Carries a number that nobody's decision moves."""

    carried = "skill"


class Late(TaxSmoothing):
    """Households begin with nothing, of which they can keep no share; from the second year on they can."""

    carried = "kept"
    decisions = ("work",)

    def first_state(self, random: np.random.Generator, games: int) -> Any:
        return super().first_state(random, games) | {"kept": np.zeros((games, self.n_followers))}

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        found = super().advance(state, leader, follower, shocks, mean)
        found.state["kept"] = follower[0] * state["kept"] + 1
        return found


class Twofold(Late):
    """Of two decisions the first, which is taken to save where nothing else is said, saves nothing."""

    decisions = ("idle", "work")

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.follower_action_space = Box(0.0, 1.0, (2,), np.float64)

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        return super().advance(state, leader, follower[1:], shocks, mean)


def stocks(**declared: Any) -> ArithmeticGame:
    """The game of savings and skill with other declarations."""
    return type("Stocks", (TwoStocks,), declared)(games=2, followers=5)


def test_a_second_number_that_lasts_is_carried_too_or_seen_for_long_enough() -> None:
    reason = (
        r"followers move their own 'skill' too, of whose worth 21% comes after the 15 years of own play that they see;"
        r" say carried = \('savings', 'skill'\), with a decision in saved_by for each, or window_years = 30$"
    )
    with pytest.raises(InvalidSetting, match=reason):
        check_declarations(stocks(carried="savings", saved_by="saved"), 15)
    check_declarations(stocks(carried="savings", saved_by="saved"), 30)


def test_a_number_that_means_nothing_to_anybody_may_last() -> None:
    class Remembering(TwoStocks):
        """Counts what was learned in a life, for its own sake."""

        def first_state(self, random: np.random.Generator, games: int) -> Any:
            return super().first_state(random, games) | {"so_far": np.zeros((games, self.n_followers))}

        def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
            found = super().advance(state, leader, follower, shocks, mean)
            return Outcome(
                found.leader_reward, found.follower_reward, {**found.state, "so_far": state["so_far"] + follower[0]}
            )

    check_declarations(Remembering(games=2, followers=5), 15)


@pytest.mark.parametrize(
    "declared",
    [{"saved_by": "saved"}, {"saved_by": ("saved", "saved")}, {"carried": "skill"}, {"carried": ("skill",) * 3}],
)
def test_each_carried_number_has_a_decision_of_its_own(declared: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting, match=r"saved_by must name . different decisions of learned, saved"):
        check_declarations(stocks(**declared), 15)


class OneRewardForAll(TaxSmoothing):
    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        found = super().advance(state, leader, follower, shocks, mean)
        return Outcome(found.leader_reward, plain_mean(found.follower_reward), found.state)


def test_a_mean_that_is_not_the_one_that_was_handed_is_refused() -> None:
    with pytest.raises(InvalidSetting, match="other than by the function `mean` that"):
        check_declarations(Neighbourly(games=1, followers=5), 15)


def test_what_is_carried_is_moved_by_a_decision() -> None:
    with pytest.raises(InvalidSetting, match="carried = 'skill', which no decision of followers moves"):
        check_declarations(Idle(games=1, followers=5), 15)
    check_declarations(Late(games=1, followers=5), 15)


def test_the_decision_that_saves_does() -> None:
    game = type("Working", (type(built("economy", games=1, followers=3)),), {"saved_by": "nothing"})
    with pytest.raises(InvalidSetting, match="saved_by = 'nothing'"):
        check_declarations(game(preset="calibrated", games=1, followers=20), 15)
    with pytest.raises(InvalidSetting, match="'idle' does not move 'kept'; say saved_by = 'work'"):
        check_declarations(Twofold(games=1, followers=5), 15)


def test_a_reward_of_another_shape_is_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"follower_reward has shape \(1, 1\), and must have \(1, 5\)"):
        check_declarations(OneRewardForAll(games=1, followers=5), 15)


class NumpyAlone(TaxSmoothing):
    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        found = super().advance(state, leader, follower, shocks, mean)
        return Outcome(found.leader_reward, np.exp(found.follower_reward), found.state)


def test_arithmetic_of_numpy_alone_is_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"advance cannot be played by torch: .*; use what"):
        check_declarations(NumpyAlone(games=1, followers=5), 15)


def test_a_configuration_of_such_a_game_is_refused_before_anything_is_built() -> None:
    config = StructuralSMFRLConfig().game("test_declared:Idle")
    with pytest.raises(InvalidSetting, match="carried = 'skill'"):
        config.validate()
