"""The US federal tax and the Saez tax as governments: recorded taxes, what they remember, and when they change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.economy.game import Economy
from envs.economy.replay import load_trace
from envs.economy.taxation import Brackets
from policies.constant import ConstantFollower
from policies.saez import FIRST_ELASTICITY, SMOOTHING, SaezTax
from policies.saez_formula import CUTOFFS, bracket_rates, elasticity_estimate
from policies.tax_rule import TaxRule
from policies.us_federal import USFederalTax
from rllib_smfg.rollout import play

LIVES = ConstantFollower([0.98, 0.5])  # an economy of such households does not collapse


def economy(games: int = 2, followers: int = 100, **settings: object) -> Economy:
    game = make("economy", games=games, followers=followers, **settings)
    assert isinstance(game, Economy)
    return game


def relative_error(computed: np.ndarray, recorded: np.ndarray) -> float:
    return float((np.abs(computed - recorded) / np.maximum(np.abs(recorded), 1e-300)).max())


class Recorder:
    """Plays a rule for some years, keeping each year's incomes (B, N), taxes, rates and year index before it."""

    def __init__(self, game: Economy, rule: TaxRule, years: int, seed: int = 5) -> None:
        self.incomes, self.taxes, self.rates, self.index = [], [], [], []
        running = play(game, rule, LIVES, game.reset(seed))
        for _ in range(years):
            self.index.append(game.year.copy())
            self.year = next(running)
            assert game.flows is not None
            self.incomes.append(game.flows.income)
            self.taxes.append(game.flows.income_tax)
            self.asset_tax = game.flows.asset_tax
            if isinstance(rule, SaezTax):
                self.rates.append(rule.rates.copy())


# --- recorded trajectories -------------------------------------------------------------------------------------------
def test_us_federal_reproduces_the_recorded_taxes(parity: Path) -> None:
    trace = load_trace(parity / "paper_us_federal_n100.npz")
    schedule = USFederalTax(economy()).schedule(np.zeros(2, dtype=np.int64))
    assert relative_error(schedule.tax(trace["income"]), trace["income_tax"]) < 1e-9


def test_saez_reproduces_the_recorded_taxes_given_the_recorded_rates(parity: Path) -> None:
    trace = load_trace(parity / "paper_saez_n100.npz")
    years = len(trace["income"])
    np.testing.assert_array_equal(trace["saez_bracket_cutoffs"], CUTOFFS)
    rule = SaezTax(economy(games=years), seed=0)
    rule.rates[:] = trace["bracket_rates"]
    rule._schedule = Brackets(CUTOFFS, rule.rates)
    # no year is due, so the rule's own schedule is the recorded one
    taxes = rule.schedule(np.ones(years, dtype=np.int64)).tax(trace["income"])
    assert relative_error(taxes, trace["income_tax"]) < 1e-9


# --- what a rule does to a game --------------------------------------------------------------------------------------
def test_us_federal_taxes_incomes_and_not_assets() -> None:
    game = economy()
    played = Recorder(game, USFederalTax(game), years=3)
    # by hand from Rev. Proc. 2021-45, for a taxable income of 100,000 and the program's credit
    by_hand = 1027.5 + 0.12 * 31_500 + 0.22 * 47_300 + 0.24 * (100_000 - 89_075) - 559.98
    assert USFederalTax(game).schedule(game.year).tax(np.array([[112_950.0]]))[0, 0] == pytest.approx(
        by_hand, rel=1e-12
    )
    income, tax = played.incomes[-1], played.taxes[-1]
    np.testing.assert_allclose(tax, USFederalTax(game).schedule(game.year).tax(income), rtol=1e-12)
    assert (tax > 0).any()
    assert (played.asset_tax == 0).all()


def test_published_federal_tax_has_no_credit_and_no_ceiling() -> None:
    published = USFederalTax(economy(), credit=0.0, ceiling=np.inf).schedule(np.zeros(2, dtype=np.int64))
    assert published.tax(np.array([112_950.0]))[0] == pytest.approx(17_835.5, rel=1e-12)
    assert published.marginal_rate(np.array([1e12]))[0] == 0.37


@pytest.mark.parametrize("rule", ["federal", "saez"])
def test_spending_is_the_lower_bound_unless_chosen(rule: str) -> None:
    game = economy()
    least = game.leader_action_space.low[-1]
    for chosen, share in ((None, least), (0.1, 0.1)):
        policy = USFederalTax(game, chosen) if rule == "federal" else SaezTax(game, 0, chosen)
        played = Recorder(game, policy, years=1)
        action = played.year.leader_action
        np.testing.assert_array_equal(action[:, :4], np.broadcast_to(game.leader_action_space.low[:4], (2, 4)))
        np.testing.assert_allclose(action[:, 4], share)
        assert game.flows is not None
        np.testing.assert_allclose(game.flows.spending / game.flows.gdp, share, rtol=1e-12)


@pytest.mark.parametrize("share", [-0.1, 0.0, 0.5, float("nan")])
def test_impossible_spending_is_refused(share: float) -> None:
    with pytest.raises(InvalidSetting, match="spending_share"):
        USFederalTax(economy(), share)


def test_rules_need_an_economy_of_the_size_they_were_made_for() -> None:
    stage = make("stage_game", games=2, followers=3)
    with pytest.raises(InvalidSetting, match="must be 'economy'"):
        USFederalTax(stage)
    game = economy(games=3)
    rule = SaezTax(economy(games=2), seed=0)
    with pytest.raises(ValueError, match="made for 2 games"):
        next(play(game, rule, LIVES, game.reset(0)))


# --- the Saez tax over time ------------------------------------------------------------------------------------------
def test_rates_are_random_and_held_until_the_memory_has_been_full() -> None:
    game = economy(games=3, followers=20, weighting="unweighted")
    played = Recorder(game, SaezTax(game, seed=1, reset_years=10), years=31)
    rates = np.array(played.rates)  # (years, B, 5)
    # 20 households fill 500 pairs in 25 years: the resets of years 0, 10 and 20 are random, that of year 30 is not
    for year in range(30):
        np.testing.assert_array_equal(rates[year], rates[year - year % 10])
    for b, seed in enumerate(np.random.SeedSequence(1).spawn(3)):
        drawn = np.random.default_rng(seed).uniform(0, 1, (4, 5))
        np.testing.assert_array_equal(rates[[0, 10, 20], b], drawn[:3])
        assert (rates[30, b] != drawn[3]).all()


def test_after_that_rates_are_the_formula_of_the_latest_500_pairs() -> None:
    game = economy(games=2, followers=60, weighting="survey")
    rule = SaezTax(game, seed=1, reset_years=12)
    played = Recorder(game, rule, years=25)
    first, second = np.array(played.rates[0]), np.array(played.rates[12])
    elasticity = np.full(2, FIRST_ELASTICITY)
    for reset, before in ((12, first), (24, second)):
        for b in range(2):
            incomes = np.concatenate([year[b] for year in played.incomes[:reset]])[-500:]
            rates = Brackets(CUTOFFS, before[b]).marginal_rate(incomes)
            estimate = elasticity_estimate(incomes, rates)
            assert estimate is not None
            elasticity[b] = SMOOTHING * elasticity[b] + (1 - SMOOTHING) * estimate
            np.testing.assert_allclose(played.rates[reset][b], bracket_rates(incomes, elasticity[b]), rtol=1e-12)
    np.testing.assert_allclose(rule.elasticity, elasticity, rtol=1e-12)
    assert (rule.elasticity != FIRST_ELASTICITY).all()
    assert (rule.rates[0] != rule.rates[1]).any()


def test_each_game_is_taxed_at_its_own_rates() -> None:
    game = economy(games=2, followers=50)
    rule = SaezTax(game, seed=2)
    played = Recorder(game, rule, years=1)
    for b in range(2):
        own = Brackets(CUTOFFS, rule.rates[b]).tax(played.incomes[0][b])
        np.testing.assert_allclose(played.taxes[0][b], own, rtol=1e-12)


def test_a_new_episode_starts_with_new_rates_and_an_old_memory() -> None:
    game = economy(games=1, followers=100, horizon=7)
    rule = SaezTax(game, seed=3)
    played = Recorder(game, rule, years=8)
    assert [int(index[0]) for index in played.index] == [0, 1, 2, 3, 4, 5, 6, 0]
    incomes = np.concatenate([year[0] for year in played.incomes[:7]])[-500:]
    np.testing.assert_allclose(played.rates[7][0], bracket_rates(incomes, rule.elasticity[0]), rtol=1e-12)


def test_a_game_does_not_depend_on_those_beside_it() -> None:
    few, many = economy(games=1), economy(games=3)
    alone, beside = SaezTax(few, seed=4), SaezTax(many, seed=4)
    for game, rule in ((few, alone), (many, beside)):
        rule.schedule(game.year)
    np.testing.assert_array_equal(alone.rates[0], beside.rates[0])


def test_the_same_seed_gives_the_same_taxes() -> None:
    taxes = []
    for seed in (1, 1, 2):
        game = economy()
        taxes.append(np.array(Recorder(game, SaezTax(game, seed), years=4).taxes))
    np.testing.assert_array_equal(taxes[0], taxes[1])
    assert (taxes[0] != taxes[2]).any()


def test_years_without_numbers_are_not_remembered() -> None:
    game = economy(games=2, followers=100)
    rule = SaezTax(game, seed=0)
    incomes = np.full((2, 100), 5e4)
    incomes[1] = 0.0
    rule._remember(incomes, np.full((2, 100), 0.2), np.array([True, False]))
    assert rule._remembered.tolist() == [100, 0]
    assert (rule._incomes[0, -100:] == 5e4).all()


@pytest.mark.parametrize("setting", ["reset_years", "memory"])
def test_empty_memories_and_endless_resets_are_refused(setting: str) -> None:
    with pytest.raises(InvalidSetting, match=setting):
        SaezTax(economy(), 0, **{setting: 0})
