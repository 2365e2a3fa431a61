"""TensorBoard: histograms and pictures of an economy, the table of settings, and curves that are smooth and honest."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from envs import make
from envs.economy.indicators import gini
from experiments.configuration.loading import load_experiment
from experiments.training.log import RunLog, settings_shown
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.economics.pictures import Look, look

TAU, XI, SAVING, WORK = 0.15, 0.03, 0.6, 0.5
LEADER = (TAU, XI, 0.01, 0.001, 0.1)
HISTOGRAMS = {
    "households/wealth_log10_dollars",
    "households/income_log10_dollars",
    "households/saving_rate",
    "households/hours_a_year",
}
IMAGES = {"government/tax_schedule", "households/lorenz_curves"}


class Government(LeaderPolicy):
    def act(self, observation):
        return np.broadcast_to(LEADER, (len(observation), 5))


class Households(FollowerPolicy):
    def act(self, observation, leader_action):
        return np.broadcast_to([SAVING, WORK], (*observation.shape[:2], 2))


def seen(followers: int = 40) -> Look:
    game = make("economy", games=1, followers=followers)
    found = look(game, Government(), Households(), seed=3, years=4)
    assert found is not None
    return found


def events(folder: Path) -> EventAccumulator:
    found = EventAccumulator(str(folder / "tensorboard"), size_guidance={"images": 0, "histograms": 0})
    found.Reload()
    return found


def test_what_is_looked_at_is_the_economy_as_it_is() -> None:
    found, game = seen(), make("economy", games=1, followers=40)
    game.reset(3)
    for _ in range(found.year):
        action = np.broadcast_to([SAVING, WORK], (1, 40, 2))
        game.step(np.array([LEADER]), action)
    np.testing.assert_array_equal(found.wealth, game.flows.next_assets[0])
    np.testing.assert_array_equal(found.income, game.flows.income[0])
    assert set(found.saving_rate) == {SAVING}
    assert found.hours == pytest.approx(WORK * game.state.maximal_hours[0, 0])
    np.testing.assert_allclose(found.marginal_rate, 1 - (1 - TAU) * found.taxed_income**-XI, rtol=1e-9)
    owed = found.taxed_income - (1 - TAU) / (1 - XI) * found.taxed_income ** (1 - XI)
    np.testing.assert_allclose(found.average_rate, owed / found.taxed_income, rtol=1e-9)
    assert found.taxed_income[0] == pytest.approx(max(1.0, found.income.min()))


def test_a_game_without_an_economy_has_no_pictures() -> None:
    game = make("stage_game", games=1, followers=5)

    class Middle(LeaderPolicy):
        def act(self, observation):
            raise AssertionError("is not asked")

    assert look(game, Middle(), Households(), seed=0) is None


def test_histograms_and_pictures_reach_tensorboard(tmp_path: Path) -> None:
    log = RunLog(tmp_path, ["iteration", "years"], iteration=0, years=0)
    found = seen()
    log.add_look(300, found)
    log.add_look(600, found)
    log.close()
    shown = events(tmp_path)
    assert set(shown.Tags()["histograms"]) == HISTOGRAMS
    assert set(shown.Tags()["images"]) == IMAGES
    wealth = shown.Histograms("households/wealth_log10_dollars")
    assert [each.step for each in wealth] == [300, 600]
    assert wealth[0].histogram_value.num == 40
    assert wealth[0].histogram_value.max == pytest.approx(np.log10(found.wealth.max()))
    for name in IMAGES:
        picture = np.asarray(Image.open(io.BytesIO(shown.Images(name)[0].encoded_image_string)).convert("RGB"))
        colours = {tuple(colour) for colour in picture.reshape(-1, 3)[::7]}
        assert picture.shape[0] > 200
        assert len(colours) > 10, f"{name} is blank"


def test_the_lorenz_picture_shows_the_inequality_that_the_gini_measures() -> None:
    from envs.economy.indicators import lorenz_curve

    found = seen()
    population, held = lorenz_curve(found.wealth[None], points=10_001)
    assert 1 - 2 * np.trapezoid(held[0], population) == pytest.approx(float(gini(found.wealth[None])[0, 0]), abs=1e-3)


def test_what_is_logged_does_not_grow_with_the_households(tmp_path: Path) -> None:
    tags = []
    for followers in (10, 200):
        folder = tmp_path / str(followers)
        folder.mkdir()
        log = RunLog(folder, ["iteration", "years"], iteration=0, years=0)
        log.add_look(1, seen(followers))
        log.close()
        tags.append({kind: names for kind, names in events(folder).Tags().items() if isinstance(names, list)})
    assert tags[0] == tags[1]


def test_the_settings_are_in_the_table_of_runs(tmp_path: Path) -> None:
    experiment = load_experiment("quickstart")
    log = RunLog(tmp_path, ["iteration", "years"], iteration=0, years=0)
    log.add_settings(settings_shown(experiment, 1), ["evaluation/leader_return"])
    log.close()
    accumulator = events(tmp_path)
    contents = accumulator.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    start = plugin_data_pb2.HParamsPluginData.FromString(contents).session_start_info
    settings = dict(start.hparams)
    assert settings["seed"].number_value == 1
    assert settings["game.followers"].number_value == experiment.game.followers
    assert settings["algorithm.leader_gradient"].string_value == "total"
    assert settings["algorithm.huber_threshold"].number_value == experiment.algorithm.huber_threshold


def test_curves_of_play_are_means_over_whole_episodes() -> None:
    """A runner reports of an economy what it was over its episode, and nothing of those that still run."""
    from rllib_smfg.rllib.config import SMFRLConfig
    from rllib_smfg.rllib.env_runner import PopulationEnvRunner

    config = SMFRLConfig().game("economy", games=2, followers=6, horizon=4).debugging(seed=1).training(hidden=[8])
    runner = PopulationEnvRunner(config=config, worker_index=0)
    years: list[tuple[np.ndarray, np.ndarray]] = []
    step = runner.game.step

    def remembered(*actions):
        result = step(*actions)
        years.append((result.indicators["per_capita_gdp"], result.done.copy()))
        return result

    runner.game.step = remembered
    runner.sample(num_timesteps=2)
    assert not years[0][1].any()
    assert "indicators" not in runner.get_metrics()
    runner.sample(num_timesteps=8)
    reported = runner.get_metrics()["indicators"]["per_capita_gdp"].peek()
    episodes, running = [], [[], []]
    for values, done in years:
        for game in (0, 1):
            running[game].append(values[game])
            if done[game]:
                episodes.append(np.mean(running[game]))
                running[game] = []
    assert episodes
    assert reported == pytest.approx(np.mean(episodes))
    assert reported != pytest.approx(np.mean([values for values, _ in years])), "the years alone would show the same"
