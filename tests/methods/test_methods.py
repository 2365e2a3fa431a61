"""Every published method by its name: it trains, saves, restores, goes on, and repeats itself."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from tiny import CONFIGS, parameters, same, tiny

from envs import InvalidSetting, make
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, load, load_experiment
from experiments.training import train
from rllib_smfg.configuration.sections import ALGORITHMS, ProximalAlgorithm
from rllib_smfg.export import load_policies, save_policies
from rllib_smfg.methods import METHODS
from rllib_smfg.playing import evaluate_policies
from rllib_smfg.storage import checkpoints

ROWS_OF_THE_TABLES = [
    *("rule_based", "ddpg_random", "maddpg", "iddpg", "mf_marl", "smfrl"),  # table 1, without cloning
    *("rule_based_bc", "ddpg_bc", "maddpg_bc", "iddpg_bc", "mf_marl_bc", "smfrl_bc"),  # with it
    *("smfg_s", "smfg_mf", "smfg_s_mf"),  # the ablations
    *("free_market", "saez", "us_federal", "ai_economist_bc", "ai_economist"),  # table 3
]


def test_every_row_of_the_tables_has_a_configuration_of_its_name() -> None:
    assert set(ROWS_OF_THE_TABLES) <= set(CONFIGS)
    assert {load_experiment(name).algorithm.method for name in ROWS_OF_THE_TABLES} == set(METHODS) - {"structural"}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_shipped_configuration_loads_and_builds_at_both_sizes(name: str, tmp_path: Path) -> None:
    experiment = load_experiment(name)
    (tmp_path / "again.yaml").write_text(dump(experiment))
    assert load(Experiment, tmp_path / "again.yaml") == experiment
    for followers in (100, 1000):
        larger = load_experiment(name, [f"game.followers={followers}"])
        assert larger.algorithm_config(seed=3).followers() == followers


@pytest.mark.parametrize("name", ROWS_OF_THE_TABLES)
def test_it_trains_saves_restores_and_goes_on(name: str, ray_local: None, tmp_path: Path) -> None:
    experiment = tiny(name)
    algorithm = experiment.algorithm_config(1).build_algo()
    twin = experiment.algorithm_config(1).build_algo()
    try:
        first = parameters(algorithm)
        results = [algorithm.train() for _ in range(2)]
        assert all(result["env_runners"]["num_env_steps_sampled"] > 0 for result in results)
        after = parameters(algorithm)
        assert same(first, after) == (experiment.algorithm.family == "rules")
        algorithm.save_to_path(str(tmp_path / "checkpoint"))
        twin.restore_from_path(str(tmp_path / "checkpoint"))
        assert same(parameters(twin), after)
        luck = torch.get_rng_state()  # that of both: they share a process
        on = algorithm.train()
        torch.set_rng_state(luck)
        again = twin.train()
        assert same(parameters(algorithm), parameters(twin))
        assert on["env_runners"]["indicators"] == again["env_runners"]["indicators"]
        (tmp_path / "policies").mkdir()
        save_policies(algorithm.trained_policies(), tmp_path / "policies")
        kept = [load_policies(tmp_path / "policies"), algorithm.trained_policies()]
        evaluations = [evaluate_policies(policies, episodes=2, seed=3, followers=9) for policies in kept]
        assert all(np.array_equal(evaluations[0][x], evaluations[1][x], equal_nan=True) for x in evaluations[0])
    finally:
        algorithm.stop()
        twin.stop()


@pytest.mark.parametrize("name", ["maddpg", "ddpg_random", "ai_economist_bc", "saez"])
def test_the_same_seed_gives_the_same_numbers_and_another_one_does_not(name: str, ray_local: None) -> None:
    def trained(seed: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        algorithm = tiny(name).algorithm_config(seed).build_algo()
        try:
            results = [algorithm.train() for _ in range(2)]
            return parameters(algorithm), dict(results[-1]["env_runners"]["indicators"])
        finally:
            algorithm.stop()

    (weights, seen), (weights_again, seen_again), (_, other) = trained(1), trained(1), trained(2)
    assert same(weights, weights_again)
    assert seen == seen_again
    assert seen != other


@pytest.mark.parametrize("name", ["ddpg_random", "ddpg_bc"])
def test_households_that_are_given_learn_nothing(name: str, ray_local: None) -> None:
    algorithm = tiny(name).algorithm_config(1).build_algo()
    try:
        before = parameters(algorithm)
        learners = algorithm.train()["learners"]
        after = parameters(algorithm)
    finally:
        algorithm.stop()
    moved = {key for key in before if not np.array_equal(before[key], after[key])}
    assert {key.split(".")[0] for key in moved} >= {"leader/actor", "leader/critic", "leader/target_actor"}
    assert not any(key.startswith("follower/") for key in moved)
    assert "critic_loss" not in learners.get("follower", {})


def test_given_households_play_in_training_and_in_evaluation(ray_local: None) -> None:
    """Random households: their saving rates average mid-range and differ; a constant one always does the same."""
    algorithm = tiny("ddpg_random", "game.followers=400").algorithm_config(1).build_algo()
    try:
        action = algorithm.env_runner.sample()[0].rows["follower_action"]
        policies = algorithm.trained_policies()
    finally:
        algorithm.stop()
    assert len(np.unique(action)) == action.size
    _, follower = policies.policies(policies.make_game(games=1), seed=5)
    drawn = follower.act(np.ones((1, 4000, 2)), np.zeros((1, 5)))
    space = policies.interface.follower_action
    assert drawn.mean((0, 1)) == pytest.approx((space.low + space.high) / 2, abs=0.05)
    assert drawn.std((0, 1)) == pytest.approx((space.high - space.low) / 12**0.5, rel=0.1)


@pytest.mark.parametrize("followers", [20, 60])
def test_maddpg_s_critics_see_everybody(followers: int, ray_local: None) -> None:
    algorithm = tiny("maddpg", f"game.followers={followers}").algorithm_config(1).build_algo()
    try:
        shapes = {key: x.shape for key, x in parameters(algorithm).items()}
        algorithm.train()
        rows = algorithm.replay.sample(1)
    finally:
        algorithm.stop()
    of_all = 4 * followers  # ability, assets, saving rate and hours of each
    assert shapes["leader/critic.first_shared.weight"][1] == of_all
    assert shapes["follower/critic.first_shared.weight"][1] == of_all + 5  # and the government's action
    assert shapes["follower/actor.first_shared.weight"][1] == 0  # which households themselves do not see
    assert rows["follower_state"].shape[1] == followers


@pytest.mark.slow
@pytest.mark.parametrize("name", CONFIGS)
def test_an_iteration_at_a_thousand_households(name: str, ray_local: None) -> None:
    experiment = tiny(name, "game.followers=1000")
    algorithm = experiment.algorithm_config(1).build_algo()
    try:
        before = parameters(algorithm)
        algorithm.train()
        assert same(before, parameters(algorithm)) == (experiment.algorithm.family == "rules")
        found = evaluate_policies(algorithm.trained_policies(), episodes=2, seed=1)
    finally:
        algorithm.stop()
    assert (found["years"] >= 1).all()


# --- the same door ---------------------------------------------------------------------------------------------------
def run(folder: Path, experiment: Experiment | None, *overrides: str) -> str:
    """What `smfg train` prints, for a new run or (without an experiment) for one to go on with."""
    screen = io.StringIO()
    config = None
    if experiment is not None:
        config = str(folder.parent / "config_to_train.yaml")
        Path(config).write_text(dump(experiment))
    where: dict[str, Any] = {"output": folder, "resume": None} if config else {"output": None, "resume": folder}
    train.run(Console(file=screen, width=120), config=config, overrides=overrides, command="smfg train x", **where)
    return screen.getvalue()


@pytest.mark.parametrize("name", ["ai_economist", "ddpg_bc", "us_federal"])
def test_the_command_trains_resumes_and_evaluates(name: str, ray_local: None, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    printed = run(folder, tiny(name, "comparison.baselines=[free_market_learned]"))
    shown = {"ai_economist": "AI Economist (learned)", "ddpg_bc": "DDPG-BC (learned)", "us_federal": "us federal, real"}
    assert shown[name] in " ".join(printed.split())
    first = json.loads((folder / "summary.json").read_text())
    assert first["config"]["algorithm"]["method"] == tiny(name).algorithm.method
    assert first["env_steps"] > 0
    checkpoint = checkpoints.find(folder)
    policies = checkpoints.read_policies(checkpoint)
    again = evaluate_policies(policies, episodes=2, seed=1_000_000)
    assert again["years"].mean() == first["indicators"]["years"]["mean"]
    assert again["follower_return"].mean() == first["indicators"]["follower_return"]["mean"]
    run(folder, None, "training.iterations=3")
    assert checkpoints.read_progress(checkpoints.find(folder)).iteration == 3
    straight = tmp_path / "straight"
    run(straight, tiny(name, "training.iterations=3"))
    both = [checkpoints.read_policies(checkpoints.find(path)) for path in (folder, straight)]
    evaluations = [evaluate_policies(policies, episodes=2, seed=7) for policies in both]
    assert all(np.array_equal(evaluations[0][x], evaluations[1][x], equal_nan=True) for x in evaluations[0])


# --- what is refused -------------------------------------------------------------------------------------------------
REFUSED = {
    ("iddpg", "leader_view=mean_field"): "leader_view = mean_field: method 'iddpg' means own; leave it out",
    ("mf_marl", "followers_see_leader=true"): "followers_see_leader = true: method 'mf_marl' means false",
    ("maddpg", "households_per_transition=5"): "must be at least followers = 100",
    ("ddpg_bc", "follower=random"): "follower = random: method 'ddpg_bc' means real_data",
    ("ddpg_bc", "pretrain=real_data/maddpg"): "pretrain: must be left out, as the followers are given ('real_data')",
    ("ddpg_random", "follower={name: random, spread: 1}"): "household policy 'random' has no setting 'spread'",
    ("smfrl", "follower=random"): "leader_view = mean_field: must be own, as followers that are given ('random')",
    ("ai_economist", "pretrain=real_data/ai_economist"): "method 'ai_economist' means null",
    ("ai_economist", "actor_lr=0.1"): "unknown setting 'actor_lr' in section 'algorithm'",
    ("ai_economist_bc", "pretrain=real_data/maddpg"): "its follower network is actor, not recurrent",
    ("saez", "leader=saes"): "unknown government 'saes': did you mean 'saez'",
    ("saez", "leader={name: saez, memori: 3}"): "government 'saez' has no setting 'memori': did you mean 'memory'",
    ("rule_based", "hidden=[3]"): "unknown setting 'hidden' in section 'algorithm': one of follower, leader, method",
    ("iddpg", "method=idpg"): "unknown method 'idpg': did you mean 'iddpg'",
}


@pytest.mark.parametrize(("case", "remedy"), REFUSED.items(), ids=" ".join)
def test_contradictions_are_one_line(case: tuple[str, str], remedy: str) -> None:
    name, override = case
    with pytest.raises(InvalidSetting) as mistake:
        load_experiment(name, [f"algorithm.{override}"]).algorithm_config(1)
    assert remedy in str(mistake.value)
    assert "\n" not in str(mistake.value)


def test_settings_of_each_family_are_those_of_its_algorithm() -> None:
    for family in ("gradient", "proximal"):
        section = ALGORITHMS[family]()
        config = section.new_config().game("economy", followers=4)
        assert set(section.settings()) <= {*config.learning_names, *config.own_names, *config.rllib_names}
        config.training(**section.settings())
        config.validate()


def test_a_trained_run_s_government_can_rule_other_households(ray_local: None, tmp_path: Path) -> None:
    """Given households are no network, so nothing can start from them."""
    algorithm = tiny("ddpg_random").algorithm_config(1).build_algo()
    try:
        save_policies(algorithm.trained_policies(), tmp_path)
    finally:
        algorithm.stop()
    game = make("economy", games=1, followers=6)
    assert load_policies(tmp_path).leader_policy(game).act(game.reset(1).leader).shape == (1, 5)
    with pytest.raises(InvalidSetting, match="its followers are 'random', not a network"):
        tiny("smfrl", f"algorithm.pretrain={tmp_path}").algorithm_config(1)


def test_the_ai_economist_s_section_mirrors_the_settings_of_its_algorithm() -> None:
    from rllib_smfg.rllib.population_ppo.config import PopulationPPOConfig

    config, section = PopulationPPOConfig(), ProximalAlgorithm()
    known = {*config.learning_names, *config.own_names, *config.rllib_names} - {"evaluation_seed"}
    assert {name for name in ProximalAlgorithm.model_fields if name != "method"} == known
    for name in known - {"discount", "followers_see_leader"}:
        assert getattr(section, name) == config.learning.get(name, getattr(config, name, None)), name
