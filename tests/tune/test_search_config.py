"""What a search may be: every shipped one loads, and every mistake is one line."""

from __future__ import annotations

import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from envs import InvalidSetting
from experiments.configuration.loading import dump, load
from experiments.tuning import session
from experiments.tuning.config import Tuning, find_search
from experiments.tuning.display import TrialsDisplay
from experiments.tuning.session import space, within_bounds
from experiments.tuning.trial_training import Goal
from rllib_smfg.metrics import columns, counted, over_horizon
from rllib_smfg.rllib.resumable_population import ResumablePopulation

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "tune_configs").glob("*.yaml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_search_loads_and_says_what_its_numbers_are(path: Path) -> None:
    tuning = load(Tuning, path)
    assert tuning.experiment().training.checkpoint_interval == tuning.experiment().evaluation.interval
    assert "#" in path.read_text()
    assert find_search(path.stem) == path


def test_a_search_is_itself_after_writing_and_reading(tmp_path: Path) -> None:
    tuning = load(Tuning, find_search("pbt_smfrl"), ["search.trials=3", "changes.game.followers=7"])
    (tmp_path / "again.yaml").write_text(dump(tuning))
    assert load(Tuning, tmp_path / "again.yaml") == tuning
    assert tuning.experiment().game.followers == 7


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("search.sheduler=asha", r"unknown setting 'sheduler' in section 'search'.*scheduler"),
        ("search.scheduler=hyperband", "scheduler = 'hyperband'"),
        ("search.base=quikstart", "quikstart: no such configuration.*quickstart"),
        ("changes.training.iteratons=5", r"changes: training.iteratons=5: unknown setting 'iteratons'.*iterations"),
        ("changes.training.seeds=[1, 2]", "a trial of a search trains one seed"),
        ("changes.evaluation.interval=0", "a search needs evaluations"),
        (
            "space.algorithm.actor_rate={uniform: [0, 1]}",
            "unknown setting 'actor_rate' in section 'algorithm'.*actor_lr",
        ),
        ("space.algoritm.actor_lr={uniform: [0, 1]}", "space.algoritm.actor_lr: cannot be searched.*algorithm"),
        (
            "space.algorithm.target_step={uniform: [0.1, 2]}",
            "space.algorithm.target_step = 2.*less than 1",
        ),
        ("space.algorithm.squash={choice: [clip, relu]}", "space.algorithm.squash = 'relu'"),
        ("space.algorithm.actor_lr={uniform: [1, 0]}", "low < high"),
        ("space.algorithm.actor_lr={log_uniform: [0, 1]}", "low must be above 0"),
        ("space.algorithm.actor_lr={uniform: [0, 1], choice: [1]}", "must be one of uniform"),
        ("space.algorithm.actor_lr={normal: [0, 1]}", "must be one of uniform, log_uniform"),
        ("search.trials=0", "greater than or equal to 1"),
    ],
)
def test_a_mistake_is_one_line_that_says_what_would_be_right(override: str, said: str) -> None:
    with pytest.raises(InvalidSetting) as error:
        load(Tuning, find_search("asha_smfrl"), [override])
    assert "\n" not in str(error.value)
    assert re.search(said, str(error.value)), str(error.value)


def test_population_based_training_asks_for_what_fits_it() -> None:
    for override, said in (
        ("search.sampler=optuna", "draws settings itself"),
        ("search.trials=1", "at least 2 members"),
        ("pbt.interval=7", "multiple of evaluation.interval"),
    ):
        with pytest.raises(InvalidSetting, match=said):
            load(Tuning, find_search("pbt_smfrl"), [override])


def test_an_unknown_search_names_the_nearest() -> None:
    with pytest.raises(InvalidSetting, match="asha_smfrl"):
        find_search("asha_smfr")


def test_varied_settings_come_back_into_their_bounds_as_what_they_are() -> None:
    tuning = load(Tuning, find_search("pbt_smfrl"), ["space.algorithm.households_per_transition={integers: [8, 64]}"])
    assert set(space(tuning)) == {name for name, _ in tuning.settings()}
    name = "algorithm.{}".format
    config = {
        name("actor_lr"): 0.002,
        name("critic_lr"): 0.001,
        name("leader_noise"): 0.01,
        name("follower_noise"): 0.1,
    }
    assert within_bounds(tuning)({**config, name("households_per_transition"): 70.4}) == {
        name("actor_lr"): 0.001,
        name("critic_lr"): 0.001,
        name("leader_noise"): 0.05,
        name("follower_noise"): 0.1,
        name("households_per_transition"): 64,
    }
    assert (
        within_bounds(tuning)({**config, name("households_per_transition"): 9.6})[name("households_per_transition")]
        == 10
    )


def test_a_mean_over_years_is_searched_as_one_over_all_years() -> None:
    """An early end must be no gain: what is not lived counts as no output, rewards of 0 and the worst gini."""
    assert Goal("social_welfare", "max").column == "evaluation/social_welfare_of_horizon"
    assert Goal("leader_return", "max").column == "evaluation/leader_return"
    names = ("per_capita_gdp", "social_welfare", "income_gini", "wealth_gini")
    assert {counted(name) for name in names} == {f"{name}_of_horizon" for name in names}
    lived = {
        "social_welfare": np.array([50.0, 10.0]),
        "wealth_gini": np.array([0.2, 0.6]),
        "years": np.array([1.0, 10]),
    }
    found = over_horizon(lived, 10)
    assert found["social_welfare"].tolist() == [5.0, 10.0]
    assert found["wealth_gini"] == pytest.approx([0.92, 0.6])
    assert set(names) >= set(found)
    assert "evaluation/social_welfare_of_horizon" in columns(["social_welfare"])


# --- what is checked before anything trains --------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("metric", "nearest"),
    [
        ("leader_retrun", "did you mean 'leader_return'"),
        ("per_capita_gpd", "did you mean 'per_capita_gdp'"),
        ("evaluation/leader_return", "did you mean 'leader_return'"),
        ("losses/leader_critic", "no indicator of the evaluations"),
        ("", "no indicator of the evaluations"),
    ],
)
def test_a_metric_that_no_evaluation_has_is_refused_with_the_nearest(metric: str, nearest: str) -> None:
    for name in ("asha_smfrl", "pbt_smfrl"):
        with pytest.raises(InvalidSetting, match=f"search.metric = '{metric}'.*{nearest}") as error:
            load(Tuning, find_search(name), [f"search.metric='{metric}'"])
        assert "\n" not in str(error.value)


def test_a_games_own_indicators_are_metrics() -> None:
    tuning = load(Tuning, find_search("asha_smfrl"), ["search.metric=debt_to_gdp", "changes.game.preset=calibrated"])
    assert tuning.search.metric == "debt_to_gdp"
    with pytest.raises(InvalidSetting, match=r"search.metric = 'debt_to_gdp'"):  # the paper's economy does not have it
        load(Tuning, find_search("asha_smfrl"), ["search.metric=debt_to_gdp"])


@pytest.mark.parametrize("form", ["uniform", "log_uniform"])
@pytest.mark.parametrize(
    "name",
    [
        "algorithm.transitions_per_update",
        "algorithm.households_per_transition",
        "algorithm.updates_per_iteration",
        "game.followers",
        "game.horizon",
        "training.keep_checkpoints",
    ],
)
def test_a_whole_number_is_not_drawn_from_a_continuum(name: str, form: str) -> None:
    with pytest.raises(InvalidSetting, match=rf"space.{name}: must be a whole number.*integers: \[8, 16\]") as error:
        load(Tuning, find_search("asha_smfrl"), [f"space.{name}={{{form}: [8, 16]}}"])
    assert "\n" not in str(error.value)
    load(Tuning, find_search("asha_smfrl"), [f"space.{name}={{integers: [8, 16]}}"])


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("space.algorithm.squash={uniform: [0, 1]}", "space.algorithm.squash"),
        ("space.algorithm.leader_outlook={uniform: [0.2, 0.8]}", "must be true or false, as {choice"),
        ("space.algorithm.leader_outlook={integers: [0, 1]}", "must be true or false"),
        ("space.algorithm.transitions_per_update={choice: [64, yes]}", "must be a whole number"),
        ("space.algorithm.transitions_per_update={choice: [64, 64.5]}", "must be a whole number"),
        ("space.game.saving_rate_max={uniform: [0.5, 1.5]}", "strictly between 0 and 1"),
        ("space.game.task={choice: [gdp, gpd]}", "unknown task 'gpd'"),
        (
            "space.game={saving_rate_min: {uniform: [0.2, 0.8]}, saving_rate_max: {uniform: [0.5, 0.9]}}",
            "space.game.saving_rate_min = 0.8, space.game.saving_rate_max = 0.5: .*must rise",
        ),
    ],
)
def test_every_draw_must_fit(override: str, said: str) -> None:
    with pytest.raises(InvalidSetting, match=said) as error:
        load(Tuning, find_search("asha_smfrl"), [override])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("name", "first"), [("asha_smfrl", "asha.first_rung"), ("pbt_smfrl", "pbt.interval")])
def test_trials_are_judged_once_both_sides_learn(name: str, first: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{first} = 10: .*begins with iteration 10; must be above 10"):
        load(Tuning, find_search(name), [f"{first}=10"])
    load(Tuning, find_search(name), [f"{first}=15"])
    load(Tuning, find_search(name), [f"{first}=10", "changes.algorithm={leader_held_years: 0, follower_held_years: 0}"])
    late = "space.algorithm.follower_held_years={integers: [0, 9000]}"
    with pytest.raises(InvalidSetting, match="begins with iteration 30"):
        load(Tuning, find_search(name), [late])


def test_shipped_searches_judge_after_both_sides_have_learned_for_a_while() -> None:
    for path in SHIPPED:
        tuning = load(Tuning, path)
        algorithm = tuning.experiment().algorithm
        held = max(algorithm.leader_held_years, algorithm.follower_held_years, algorithm.warm_up_years)
        first = tuning.pbt.interval if tuning.search.scheduler == "pbt" else tuning.asha.first_rung
        assert first * algorithm.years_per_iteration >= held + 5 * algorithm.years_per_iteration


def test_a_search_from_before_modules_moved_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for old in session.OLD_NAMES:
        monkeypatch.delitem(sys.modules, f"experiments.{old}", raising=False)
    session.know_old_names()
    assert import_module("experiments.trials_display").TrialsDisplay is TrialsDisplay
    assert import_module("experiments.population").Population is ResumablePopulation
