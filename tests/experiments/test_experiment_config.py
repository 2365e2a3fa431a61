"""Configurations: the shipped ones hold and build, and every mistake is answered with its place and a remedy."""

from __future__ import annotations

from dataclasses import fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
import yaml

from envs import InvalidSetting
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, load, load_experiment
from experiments.configuration.shipped import shipped
from rllib_smfg import PopulationPPOConfig, SMFRLConfig, StructuralSMFRLConfig
from rllib_smfg.configuration.sections import ALGORITHMS, GradientAlgorithm
from rllib_smfg.settings import LearningSettings

NAMES = ("quickstart", "paper_n100", "paper_n1000", "as_published_n100")


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_configuration_survives_a_round_trip(name: str, tmp_path: Path) -> None:
    experiment = load_experiment(name)
    (tmp_path / "again.yaml").write_text(dump(experiment))
    assert load(Experiment, tmp_path / "again.yaml") == experiment


def test_the_quickstart_shows_every_value() -> None:
    written, experiment = yaml.safe_load(shipped()["quickstart"].read_text()), load_experiment("quickstart")
    for section in Experiment.model_fields:
        assert set(type(getattr(experiment, section)).model_fields) <= set(written[section]), section


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_configuration_builds_its_algorithm(name: str) -> None:
    experiment = load_experiment(name)
    config = experiment.algorithm_config(seed=3)
    assert config.seed == 3
    assert config.followers() == experiment.game.followers
    assert config.learning_settings().leader_gradient == experiment.algorithm.leader_gradient
    assert config.updates_per_iteration == experiment.algorithm.updates_per_iteration


def test_as_published_keeps_the_authors_settings_that_it_claims() -> None:
    """Its head names what is not theirs: where actors start, critics' learning rate, target step, exploration."""
    experiment = load_experiment("as_published_n100")
    game, algorithm = experiment.game.settings(), experiment.algorithm
    assert (game["preset"], game["weighting"], game["followers"]) == ("paper", "unweighted", 100)
    assert (game["saving_rate_min"], game["saving_rate_max"]) == (0.5, 0.99)
    assert (algorithm.leader_gradient, algorithm.follower_gradient) == ("partial", "team")
    assert (algorithm.leader_view, algorithm.follower_view) == ("mean_field", "mean_field")
    assert algorithm.actor_lr == 3e-4
    assert (algorithm.squash, algorithm.bound_penalty) == ("tanh", 0.0)
    assert algorithm.discount == 0.975
    assert (algorithm.years_per_iteration, algorithm.updates_per_iteration) == (300, 100)
    assert algorithm.transitions_per_update == 128
    assert experiment.training.seeds == (1, 2, 3, 4, 5)


def test_the_algorithm_section_mirrors_the_settings_of_the_algorithm() -> None:
    learning = {field.name: field.default for field in fields(LearningSettings)} | {"discount": None}
    config = SMFRLConfig()
    own = {name: getattr(config, name) for name in SMFRLConfig.own_names if name != "evaluation_seed"}
    section = GradientAlgorithm()
    mirrored = {name: getattr(section, name) for name in GradientAlgorithm.model_fields if name != "method"}
    assert mirrored == learning | own


@pytest.mark.parametrize("config", [SMFRLConfig, PopulationPPOConfig, StructuralSMFRLConfig])
def test_the_keywords_of_training_are_the_settings_that_are_stated(config: type[Any]) -> None:
    keywords = signature(config.training).parameters
    for each in (each for stated in config.stated_in for each in fields(stated)):
        assert keywords[each.name].default == each.default
        assert f"{each.name}: {each.metadata['says']}" in config.training.__doc__


def test_every_setting_says_what_it_is() -> None:
    sections = [type(getattr(load_experiment("quickstart"), section)) for section in Experiment.model_fields]
    for section in (*sections, *ALGORITHMS.values()):
        for name, field in section.model_fields.items():
            assert field.description, name


def test_overrides_replace_values_of_the_file(tiny: Path) -> None:
    experiment = load_experiment(tiny, ["game.followers=7", "training.seeds=[4, 5]", "game.sigma=1e-1"])
    assert experiment.game.followers == 7
    assert experiment.training.seeds == (4, 5)
    assert experiment.game.settings()["sigma"] == 0.1
    assert load_experiment(tiny).game.followers == 20


BAD_OVERRIDES = {
    "game.folowers=3": "did you mean 'followers'",
    "gme.followers=3": "did you mean 'game'",
    "training.iteration=3": "unknown setting 'iteration' in section 'training': did you mean 'iterations'",
    "game.name=stag_game": "did you mean 'stage_game'",
    "game.preset=paper": "game 'stage_game' has no setting 'preset'",
    "game.followers=0": "game.followers = 0: must be greater than or equal to 1",
    "game.followers=many": "must be a whole number",
    "game.R=0.1": "R = 0.1: must be above",
    "algorithm.actor_lr=2": "must be less than or equal to 1",
    "algorithm.actor_lr=[[5, 1e-3]]": "rising years",
    "algorithm.leader_gradient=totl": "must be 'total' or 'partial'",
    "algorithm.leader_start=[1, 2]": "acts with 1",
    "algorithm.hidden=[]": "at least 1 item",
    "training.seeds=[1, 1]": "every seed must be named once",
    "training.iterations=0": "greater than or equal to 1",
    "training.iterations=": "must be a whole number",
    "comparison.baselines=[best]": "'best_constant'",
    "followers=3": "must have the form section.key=value",
    "game.followers": "must have the form section.key=value",
    "game.followers.x=3": "'game.followers' is a value, not a section",
    "game.sigma={": "not valid YAML",
}


@pytest.mark.parametrize(("override", "remedy"), BAD_OVERRIDES.items())
def test_a_bad_override_is_named_with_its_remedy(override: str, remedy: str, tiny: Path) -> None:
    with pytest.raises(InvalidSetting) as mistake:
        load_experiment(tiny, [override])
    assert str(mistake.value).startswith(f"--set {override}: ")
    assert remedy in str(mistake.value)
    assert "\n" not in str(mistake.value)


BAD_FILES = {
    "": (1, "is empty"),
    "just words": (1, "holds no settings"),
    "game: {name: stage_game": (1, "not valid YAML"),
    "game:\n  name: stage_game\n\tfollowers: 3": (3, "not valid YAML"),
    "game:\n  name: stage_game\n  name: economy": (3, "'game.name' is set twice"),
    "game:\n  name: stage_game\n  followers: 0": (3, "must be greater than or equal to 1"),
    "game:\n  name: economy\n  preset: papr": (3, "did you mean 'paper'"),
    "game:\n  name: economy\n\ntraning:\n  seeds: [1]": (4, "did you mean 'training'"),
    "training:\n  seeds: [1]": (None, "game is missing"),
    "game:\ntraining: {seeds: [1]}": (1, "game must be a section with the settings name"),
}


@pytest.mark.parametrize(("text", "line_and_remedy"), BAD_FILES.items())
def test_a_bad_file_is_answered_with_the_line(
    text: str, line_and_remedy: tuple[int | None, str], tmp_path: Path
) -> None:
    path, (line, remedy) = tmp_path / "bad.yaml", line_and_remedy
    path.write_text(text)
    with pytest.raises(InvalidSetting, match="^" + str(path)) as mistake:
        load_experiment(path)
    assert remedy in str(mistake.value)
    assert "\n" not in str(mistake.value)
    if line is not None and "empty" not in remedy and "holds" not in remedy:
        assert str(mistake.value).startswith(f"{path}:{line}: ")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "picture.yaml").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(InvalidSetting, match="not a text file"):
        load_experiment(tmp_path / "picture.yaml")


def test_an_unknown_configuration_is_answered_with_the_nearest() -> None:
    with pytest.raises(InvalidSetting, match="did you mean 'quickstart'"):
        load_experiment("quikstart")


def test_several_mistakes_are_counted(tiny: Path) -> None:
    with pytest.raises(InvalidSetting, match=r"\(and 1 more\)$"):
        load_experiment(tiny, ["game.followers=0", "training.seeds=[]"])
