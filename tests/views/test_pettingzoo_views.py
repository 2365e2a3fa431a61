"""The PettingZoo views: who moves and sees what when, when rewards come, how a game ends; PettingZoo's own tests."""

from __future__ import annotations

import numpy as np
import pytest
from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, seed_test

from envs import InvalidSetting, make
from envs.pettingzoo_env import StackelbergAEC, StackelbergParallel
from envs.registry import GAMES

HOUSEHOLDS = ["household_0", "household_1", "household_2"]
# what PettingZoo remarks on in every game with one leader and unbounded amounts; anything else is a fault of the view
EXPECTED_REMARKS = (
    "Observation is a single number",
    "Observations are different shapes",
    "Observation numpy array is all zeros",
    "We recommend agents to be named",
    "Agents have different observation space sizes",
    "Agent's minimum observation space value is -infinity",
    "Agent's maximum observation space value is infinity",
)


def play_year(env: StackelbergAEC, tax: float, choices: list[float]) -> None:
    env.step(np.array([tax]))
    for choice in choices:
        env.step(np.array([choice]))


@pytest.fixture
def aec(counting) -> StackelbergAEC:
    env = StackelbergAEC(counting)
    env.reset(seed=1)
    return env


@pytest.fixture
def parallel(counting) -> StackelbergParallel:
    env = StackelbergParallel(counting)
    env.reset(seed=1)
    return env


def test_the_government_moves_first_and_every_household_sees_its_action_of_this_year(aec):
    start = aec.observe("government")[0]
    for year, tax in enumerate([0.5, 0.75]):
        assert aec.agent_selection == "government"
        aec.step(np.array([tax]))
        for i, household in enumerate(HOUSEHOLDS):
            assert aec.agent_selection == household
            np.testing.assert_array_equal(aec.last()[0], [start + year, i, tax])
            aec.step(np.array([1.0]))


def test_households_see_the_governments_action_as_it_counts_clipped_to_its_space(aec):
    assert aec.observe("household_0")[2] == 0.25  # nothing announced: zero, clipped
    aec.step(np.array([7.0]))
    assert aec.observe("household_0")[2] == 1.0


def test_rewards_arrive_after_the_last_household_and_once(aec):
    aec.step(np.array([0.5]))
    for choice in (0.1, 0.2):
        aec.step(np.array([choice]))
        assert set(aec.rewards.values()) == {0.0}
    aec.step(np.array([0.3]))
    assert aec.last()[1] == pytest.approx(0.6)
    assert aec.infos["government"] == {"total": pytest.approx(0.6)}
    aec.step(np.array([0.5]))
    assert set(aec.rewards.values()) == {0.0}
    for i, choice in enumerate((0.1, 0.2, 0.3)):
        assert aec.last()[1] == pytest.approx(5 + choice + i)
        aec.step(np.array([0.0]))


@pytest.mark.parametrize(("taxes", "ending"), [([0.5] * 4, "truncations"), ([0.5, 0.95], "terminations")])
def test_at_the_end_every_agent_sees_where_the_game_left_it_and_leaves(aec, taxes, ending):
    start = aec.observe("government")[0]
    for tax in taxes:
        play_year(aec, tax, [1.0, 1.0, 1.0])
    for kind in ("terminations", "truncations"):
        assert set(getattr(aec, kind).values()) == {kind == ending}
    for agent in ["government", *HOUSEHOLDS]:
        assert aec.agent_selection == agent
        assert aec.last()[0][0] == start + len(taxes)
        aec.step(None)
    assert aec.agents == []


def test_reset_starts_a_whole_new_episode_even_in_the_middle_of_a_year(aec):
    aec.step(np.array([0.5]))
    aec.step(np.array([2.0]))
    aec.reset()
    assert aec.agent_selection == "government"
    years = 0
    while not aec.truncations["government"]:
        play_year(aec, 0.5, [1.0, 1.0, 1.0])
        years += 1
    assert years == 4
    assert aec.last()[1] == pytest.approx(3.0)


def test_acting_at_once_shows_no_action_and_pays_everybody_in_the_same_step(parallel):
    start = parallel.reset(seed=1)[0]["government"][0]
    actions = {"government": np.array([0.5]), **{h: np.array([0.1]) for h in HOUSEHOLDS}}
    for year in range(1, 5):
        observations, rewards, terminated, truncated, infos = parallel.step(actions)
        for i, household in enumerate(HOUSEHOLDS):
            np.testing.assert_array_equal(observations[household], [start + year, i])
            assert rewards[household] == pytest.approx(5.1 + i)
        assert rewards["government"] == pytest.approx(0.3)
        assert infos["government"] == {"total": pytest.approx(0.3)}
        assert set(terminated.values()) == {False}
        assert set(truncated.values()) == {year == 4}
    assert parallel.agents == []
    parallel.reset()
    assert parallel.agents == ["government", *HOUSEHOLDS]


def test_the_spaces_are_the_games_own_in_natural_units(aec, parallel, counting):
    assert parallel.observation_space("household_1").high.tolist() == [1e6, 1e6]
    assert aec.observation_space("household_1").low.tolist() == [0.0, 0.0, 0.25]
    for env in (aec, parallel):
        for agent, space in (
            ("government", counting.leader_action_space),
            ("household_2", counting.follower_action_space),
        ):
            np.testing.assert_array_equal(env.action_space(agent).low, space.low)
            np.testing.assert_array_equal(env.action_space(agent).high, space.high)


def test_the_latest_year_is_rendered_in_one_line(counting):
    env = StackelbergAEC(counting, render_mode="ansi")
    env.reset(seed=0)
    play_year(env, 0.5, [0.5, 0.5, 1.0])
    assert env.render() == "year 1: total 2"


def test_a_wrong_setting_or_action_is_refused_in_one_line(counting, aec, parallel):
    for wrong in ({"games": 4}, {"render_mode": "human"}):
        for view in (StackelbergAEC, StackelbergParallel):
            with pytest.raises(InvalidSetting, match=next(iter(wrong))):
                view(counting, **wrong)
    with pytest.raises(InvalidSetting, match="stage_game"):
        StackelbergAEC("stage_gam")
    with pytest.raises(ValueError, match=r"government acted with shape \(2,\)"):
        aec.step(np.zeros(2))
    with pytest.raises(ValueError, match=r"household_1 acted with shape \(\)"):
        parallel.step({"government": np.array([0.5]), **{h: np.array([1.0]) for h in HOUSEHOLDS}, "household_1": 1.0})


@pytest.mark.parametrize("name", GAMES)
def test_both_views_play_exactly_what_the_game_plays(name):
    game, random = make(name, games=1, followers=3), np.random.default_rng(0)
    aec, parallel = StackelbergAEC(name, followers=3), StackelbergParallel(name, followers=3)
    seen = game.reset(seed=5)
    aec.reset(seed=5)
    parallel.reset(seed=5)
    for _ in range(5):
        tax = random.uniform(game.leader_action_space.low, game.leader_action_space.high)
        choices = random.uniform(
            game.follower_action_space.low, game.follower_action_space.high, (3, *game.follower_action_space.shape)
        )
        np.testing.assert_array_equal(aec.observe("government"), seen.leader[0])
        aec.step(tax)
        for i, household in enumerate(HOUSEHOLDS):
            np.testing.assert_array_equal(aec.observe(household), [*seen.follower[0, i], *tax])
            aec.step(choices[i])
        step = game.step(tax[None], choices[None])
        rewards = {"government": step.leader_reward[0], **dict(zip(HOUSEHOLDS, step.follower_reward[0], strict=True))}
        observed, paid, terminated, truncated, _ = parallel.step(
            {"government": tax, **dict(zip(HOUSEHOLDS, choices, strict=True))}
        )
        assert aec.rewards == paid == rewards
        assert aec.terminations == terminated == dict.fromkeys(rewards, bool(step.terminated[0]))
        assert aec.truncations == truncated == dict.fromkeys(rewards, bool(step.truncated[0]))
        np.testing.assert_array_equal(observed["household_2"], step.final_observations.follower[0, 2])
        if step.done[0]:
            break
        seen = step.observations


@pytest.mark.parametrize("name", GAMES)
def test_the_turn_view_passes_pettingzoos_api_test(name, recwarn):
    api_test(StackelbergAEC(name, followers=3), num_cycles=50)
    remarks = [str(r.message) for r in recwarn if issubclass(r.category, UserWarning)]
    assert [remark for remark in remarks if not remark.startswith(EXPECTED_REMARKS)] == []


@pytest.mark.parametrize("name", GAMES)
@pytest.mark.filterwarnings("error::UserWarning")
def test_the_parallel_view_passes_pettingzoos_api_test(name):
    parallel_api_test(StackelbergParallel(name, followers=3), num_cycles=50)


@pytest.mark.parametrize("name", GAMES)
def test_both_views_pass_pettingzoos_seed_tests(name):
    seed_test(lambda: StackelbergAEC(name, followers=3), num_cycles=50)
    parallel_seed_test(lambda: StackelbergParallel(name, followers=3), num_cycles=50)
