"""The best rule of a family."""

import json

import numpy as np
import pytest

from envs import InvalidSetting, make
from experiments.commands.main import app
from experiments.studies.optimum import OptimumRequest, search_optimum
from policies import registry
from rllib_smfg.optimum.commitment import Paths, commit, starts_of
from rllib_smfg.optimum.family import NAMES, US, RuleFamily, RulesOfGames, family_game, rule_family
from rllib_smfg.optimum.search import SearchEffort, World, evolve, shape, simplex, slope_of


def test_the_family_holds_the_us_system():
    game = make("economy", preset="calibrated", games=3, followers=20)
    seen = game.reset(0).leader
    for debt in (-1.0, 0.5, 2.0):
        seen[:, 9] = debt
        np.testing.assert_allclose(
            RulesOfGames(game, US).act(seen), registry.leader("us_system", game).act(seen), atol=1e-12
        )
    each = RuleFamily(("xi",)).rules(np.array([[0.1], [0.2], [0.3]]))
    np.testing.assert_allclose(RulesOfGames(game, each).act(seen)[:, 1], [0.1, 0.2, 0.3])


@pytest.mark.parametrize(
    ("instruments", "bounds", "said"),
    [
        ("tau,xy", [], "xy"),
        ("", [], "at least one"),
        ("xi,xi", [], "none twice"),
        ("xi", ["xi=0.3"], "must be NAME=LOW:HIGH"),
        ("xi", ["xi=0.3:0.2"], "must rise within"),
        ("xi", ["xi=0:0.9"], "must rise within"),
    ],
)
def test_families_that_make_no_sense_are_refused(instruments, bounds, said):
    with pytest.raises(InvalidSetting, match=said):
        rule_family(instruments, bounds)


class Bowl(World):
    """Welfare with a known best rule, and luck that is the same for all rules."""

    best = np.array([0.4, 0.3, 0.005, 0.002, 0.15, 0.1, 0.0])
    stretch = np.array([0.05, 0.06, 0.004, 0.002, 0.03, 0.3, 0.1])  # the response hardly matters

    def __init__(self):
        super().__init__(10, "planning")

    def welfare(self, rules, games, seed):
        luck = np.random.default_rng(seed).normal(size=games)
        lost = (((np.atleast_2d(rules) - self.best) / self.stretch) ** 2).sum(axis=-1)
        return np.broadcast_to(1 - 0.001 * lost, games) + luck


def test_the_search_finds_a_known_optimum_through_luck_a_thousand_times_larger():
    family, world = RuleFamily(), Bowl()
    found = evolve(family, world, SearchEffort(), seed=1)
    assert (np.abs(found - world.best[:6]) < [0.01, 0.012, 0.0008, 0.0004, 0.006, 0.1]).all()
    here = shape(lambda x: float(world.welfare(family.rules(x), 1, 0)[0]), family, found, 80, 5e-4, seed=0)
    assert np.abs(here.directions[0]).argmax() == NAMES.index("response")
    np.testing.assert_allclose(here.by_instrument[0], 0.05 * np.sqrt(0.5), rtol=0.05)
    checked = simplex(lambda x: float(world.welfare(family.rules(x), 1, 0)[0]), family, found, 300)
    gained = world.welfare(family.rules(checked), 1, 0) - world.welfare(family.rules(found), 1, 0)
    assert 0 <= gained[0] < 5e-4


def test_the_slope_is_exact_where_welfare_is_straight_and_bounded_where_an_economy_breaks():
    moves = np.random.default_rng(0).normal(size=(40, 3))
    true = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(slope_of(moves, moves @ true), true, rtol=0.05, atol=0.05)
    broken = moves @ true
    broken[3] = 1e6
    assert np.abs(slope_of(moves, broken) - true).max() < 1.0


@pytest.mark.slow
def test_two_instruments_over_planners_beat_the_us_system():
    effort = SearchEffort(rounds=12, pairs=4, judges=4, simplex=6, games=2, points_each=2)
    (found,) = search_optimum(
        OptimumRequest(RuleFamily(("xi", "spending")), ("feedback",), followers=300, effort=effort, horizon=60)
    )
    assert found.gain.low > 0
    assert found.rule["xi"] > 0.2
    assert found.rule["tau"] == US[0]
    assert set(found.flat) == {"xi", "spending"}
    assert found.checked_gain.value < 2e-3


def test_the_commitment_search_climbs():
    family = RuleFamily(("xi",))
    paths = Paths(family, 3, 40, 40)
    base = paths.welfare(US)
    found = commit(family, paths, 20, starts_of(family))
    gained = paths.welfare(family.rules(found)) - base
    assert gained > 0.003
    for off in (-0.05, 0.05):
        assert not paths.welfare(family.rules(found + off)) > base + gained + 1e-4  # debt may settle nowhere there
    assert np.isnan(paths.welfare(np.array([0.1, 0.18, 0.0, 0.0, 0.39, 0.045, 0.0])))  # debt settles nowhere


def test_points_without_a_path_do_not_bend_the_shape():
    family = RuleFamily(("tau", "xi"))
    best, stretch = np.array([0.3, 0.2]), np.array([0.05, 0.06])

    def welfare(x):
        return np.nan if x[0] > 0.34 else -0.001 * float((((x - best) / stretch) ** 2).sum())

    around = shape(welfare, family, best, 60, 5e-4, seed=0)
    np.testing.assert_allclose(around.losses, 0.001, rtol=1e-6)
    assert simplex(welfare, family, best + np.array([0.03, 0.02]), 100) == pytest.approx(best, abs=2e-3)


def test_a_family_with_a_transfer_opens_it_and_holds_the_us_system_still():
    family = RuleFamily(("xi", "tau", "transfer"))
    game = family_game(family, games=2, followers=20)
    given = np.array([0.5, 0.15, 0.0, 0.0, 0.15, US[5], 0.15])
    acted = RulesOfGames(game, given).act(game.reset(0).leader)
    assert acted.shape == (2, 6)
    assert acted[:, 5] == pytest.approx(0.15)
    without = family_game(RuleFamily(), games=2, followers=20)
    np.testing.assert_array_equal(
        RulesOfGames(game, US).act(game.reset(0).leader)[:, :5],
        RulesOfGames(without, US).act(without.reset(0).leader),
    )
    start = starts_of(family)
    assert [len(each) for each in start] == [3, 3]
    assert all((each >= family.limits()[0]).all() and (each <= family.limits()[1]).all() for each in start)


def test_a_gain_in_economies_with_luck_says_how_many_last_and_what_it_is_there():
    class Breaking(World):
        def lived(self, rules, games, seed):
            worth = np.arange(games) + float(rules[0])
            lasts = np.arange(games) > 0
            return np.where(lasts | (rules[0] == 0), worth, 0.0), lasts | (rules[0] == 0)

    found = Breaking(10, "perfect_foresight").gained(np.array([2.0]), np.array([0.0]), 4, 0)
    assert (found.economies, found.lasting) == (4, 3)
    assert found.gain.value == pytest.approx(1.5)
    assert found.gain_of_lasting.value == pytest.approx(2.0)
    assert found.in_words().endswith("in 4 economies with luck, of which 3 last (+2.0000 [2.0000, 2.0000] in these)")


def test_an_economy_that_its_rule_ends_does_not_last():
    spending_all = np.array([0.05, 0.1, 0.0, 0.0, 0.39, 0.0, 0.0])  # debt runs away
    world = World(50, "planning", horizon=40)
    for rule, lasts in ((spending_all, False), (US, True)):
        assert world.lived(rule, 2, 0)[1].tolist() == [lasts, lasts]


def test_planners_know_no_transfer():
    with pytest.raises(InvalidSetting, match="must be --concept commitment"):
        search_optimum(OptimumRequest(RuleFamily(("transfer",)), ("feedback",)))


def test_the_command_writes_what_it_found(tmp_path):
    file = tmp_path / "found.json"
    options = {"instruments": "xi", "concept": "feedback", "followers": 60, "rounds": 6, "bounds": "xi=0.1:0.25"}
    arguments = [f"--{name}={value}" for name, value in options.items()]
    assert app(["optimum", *arguments, "--json", str(file)], standalone_mode=False) in (0, None)
    (found,) = json.loads(file.read_text())["optima"]
    assert 0.1 <= found["rule"]["xi"] <= 0.25
    assert found["gain"]["low"] <= found["gain"]["value"] <= found["gain"]["high"]
    assert found["at_bounds"] in ([], ["xi"])
