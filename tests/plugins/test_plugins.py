"""Games and policies of somebody else's package, which lies outside the repository, in every process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fishery_parts import CONFIG, write_package

import envs
from envs import InvalidSetting, plugins
from envs.registry import GAMES, portable
from experiments.configuration.config import Experiment
from experiments.configuration.loading import dump, load, load_experiment
from policies import registry
from rllib_smfg.rollout import evaluate

ROOT = Path(__file__).resolve().parents[2]


COMPARE = """
game: {name: my_package:Fishery, followers: 8, horizon: 20}
rows:
  - {name: learned, policies: RUN}
  - {name: steady, leader: {name: my_package:Steady, tax: 0.3}, follower: my_package:Idle}
reference: steady
evaluation: {seeds: [1], episodes: 4}
"""
SEARCH = """
search: {base: BASE, metric: leader_return, mode: max, trials: 2, scheduler: none}
changes: {training: {iterations: 2, seeds: [1], env_runners: 1}, evaluation: {interval: 1, episodes: 2}}
space: {game: {growth: {uniform: [0.2, 0.4]}}}
"""


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """No package of a test is seen by the next."""
    path, modules, looked_in = list(sys.path), set(sys.modules), list(plugins._looked_in)
    yield
    sys.path[:] = path
    plugins._looked_in[:] = looked_in
    for name in set(sys.modules) - modules:
        if name.startswith("my_"):
            del sys.modules[name]


def smfg(*command: str | Path, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "experiments", *map(str, command)],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def offer(folder: Path, group: str, name: str, place: str, project: str = "my-package") -> None:
    """What pip writes for a package with an entry point."""
    info = folder / f"{project.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {place}\n")


# --- by name, in this process ----------------------------------------------------------------------------------------
def test_a_game_beside_the_configuration_is_built_and_says_where_it_was_found(tmp_path: Path) -> None:
    experiment = load_experiment(write_package(tmp_path, "my_beside"))
    assert experiment.game.settings() == {
        "name": "my_beside:Fishery", "followers": 8, "games": 2, "growth": 0.3, "module_folder": str(tmp_path),
    }  # fmt: skip
    game = envs.make(**experiment.game.settings())
    assert (game.growth, game.n_followers) == (0.3, 8)
    (tmp_path / "again.yaml").write_text(dump(experiment))
    assert load(Experiment, tmp_path / "again.yaml") == experiment


def test_a_game_in_the_working_folder_is_named_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(tmp_path, "my_working")
    monkeypatch.chdir(tmp_path)
    experiment = load_experiment(write_package(tmp_path / "else", "my_else"), ["game.name=my_working:Fishery"])
    assert experiment.game.module_folder == str(tmp_path)


def test_a_module_on_sys_path_travels_with_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package(tmp_path, "my_path")
    monkeypatch.syspath_prepend(tmp_path)
    settings = portable({"name": "my_path:Fishery", "games": 3})
    assert settings == {"name": "my_path:Fishery", "games": 3, "module_folder": str(tmp_path)}
    assert envs.make(**settings).n_games == 3


def test_what_every_process_knows_travels_without_a_folder() -> None:
    assert portable({"name": "economy"}) == {"name": "economy"}
    assert portable({"name": "envs.stage_game:StageGame"}) == {"name": "envs.stage_game:StageGame"}
    assert envs.make("envs.stage_game:StageGame", followers=7).n_followers == 7


def test_a_game_added_to_the_list_travels_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GAMES, "mine", "envs.stage_game:StageGame")
    assert portable({"name": "mine", "games": 2}) == {"name": "envs.stage_game:StageGame", "games": 2}


def test_entry_points_name_games(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_package(tmp_path, "my_offer")
    offer(tmp_path, "rllib_smfg.games", "fish", "my_offer:Fishery")
    monkeypatch.syspath_prepend(tmp_path)
    assert envs.make("fish", games=2).n_games == 2
    assert portable({"name": "fish"}) == {"name": "my_offer:Fishery", "module_folder": str(tmp_path)}
    with pytest.raises(InvalidSetting, match="unknown game 'fisch': did you mean 'fish'"):
        envs.make("fisch")


def test_entry_points_name_policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = str(write_package(tmp_path, "my_rules_offered").parent)
    offer(tmp_path, "rllib_smfg.policies", "steady", "my_rules_offered:Steady")
    monkeypatch.syspath_prepend(tmp_path)
    game = envs.make("my_rules_offered:Fishery", module_folder=folder, games=2, horizon=3)
    assert registry.is_rule("steady", registry.LEADERS)
    assert type(registry.leader("steady", game, tax=0.1)).__name__ == "Steady"
    with pytest.raises(InvalidSetting, match=r"must be a policies.policy.FollowerPolicy"):
        registry.follower("steady", game)


def test_two_packages_that_offer_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    offer(tmp_path, "rllib_smfg.games", "fish", "my_a:Fishery")
    offer(tmp_path, "rllib_smfg.games", "fish", "my_b:Fishery", "other")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidSetting, match=r"offered by two packages \(my_.:Fishery, my_.:Fishery\)"):
        envs.make("fish")


def test_a_game_that_hands_on_settings_takes_those_of_the_one_it_extends(tmp_path: Path) -> None:
    write_package(tmp_path, "my_extended")
    game = envs.make("my_extended:Extended", module_folder=str(tmp_path), bonus=1.0, growth=0.2, games=3)
    assert (game.bonus, game.growth, game.n_games) == (1.0, 0.2, 3)
    with pytest.raises(InvalidSetting, match="no setting 'growht': did you mean 'growth'"):
        envs.make("my_extended:Extended", module_folder=str(tmp_path), growht=0.2)


def test_policies_of_a_package_play_as_all_others(tmp_path: Path) -> None:
    write_package(tmp_path, "my_rules")
    folder = str(tmp_path)
    game = envs.make("my_rules:Fishery", module_folder=folder, games=2, horizon=3)
    leader = registry.leader("my_rules:Steady", game, tax=0.1)
    found = evaluate(game, leader, registry.follower("my_rules:Idle", game), seed=1)
    assert found["mean_catch"].tolist() == [0.0, 0.0]
    assert found["tax"].tolist() == pytest.approx([0.1, 0.1])


# --- what is wrong is said in one line -------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("my_nowhere:Fishery", "no module 'my_nowhere' can be imported here.*; install it, or put it beside"),
        ("my_wrong:Fishry", r"module 'my_wrong' \(.*my_wrong/__init__.py\) has no 'Fishry'; it has .*Fishery"),
        ("my_wrong.sub:Fishery", "module 'my_wrong.sub' cannot be imported"),
        ("my_wrong:Steady", "must be a class that extends envs.game.StackelbergMeanFieldGame"),
        ("my_wrong:np", "must be a class that extends"),
        ("my_wrong:Half", "not written to the end, it has no advance, first_state, observe, shocks"),
        ("my_wrong:", "unknown game"),
        ("my_wrong:A:B", "unknown game"),
        ("my_broken:Fishery", r"module 'my_broken' cannot be imported \(no module 'my_missing_library'\)"),
        ("my_syntax:Fishery", r"module 'my_syntax' cannot be imported \(SyntaxError"),
    ],
)
def test_a_game_that_cannot_be_had_is_refused_in_one_line(
    name: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_package(tmp_path, "my_wrong")
    (tmp_path / "my_broken.py").write_text("import my_missing_library\n")
    (tmp_path / "my_syntax.py").write_text("class Fishery(\n")
    (tmp_path / "mine.yaml").write_text(CONFIG.replace("PACKAGE:Fishery", f"'{name}'"))
    for build in (
        lambda: envs.make(name, module_folder=str(tmp_path)),
        lambda: load_experiment(tmp_path / "mine.yaml"),
    ):
        with pytest.raises(InvalidSetting, match=why) as refused:
            build()
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("del type(self).discount", "has no discount"),
        ("del self.leader_scaling", "has no leader_scaling"),
        ("type(self).instruments = ('tax', 'ban')", "instruments has 2 names, leader_action_space has 1 numbers"),
        ("self.follower_scaling = FeatureScaling.linear(width=(1.0, 1.0))", "follower_scaling is of 2 numbers"),
        ("self.leader_action_space = Box(0.0, 1.0, (1, 1), np.float64)", r"has shape \(1, 1\): must be"),
        ("raise KeyError('no')", "cannot be built"),
    ],
)
def test_a_game_that_says_too_little_is_refused_before_anything_is_learned(line: str, why: str, tmp_path: Path) -> None:
    path = write_package(tmp_path, "my_unfinished")
    source = tmp_path / "my_unfinished" / "__init__.py"
    text = source.read_text().replace("        self.follower_outlook = Catch()\n", f"        {line}\n", 1)
    source.write_text(text)
    with pytest.raises(InvalidSetting, match=why) as refused:
        load_experiment(path)
    assert "\n" not in str(refused.value)


def test_a_module_of_another_folder_does_not_play_in_its_place(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write_package(tmp_path / folder, "my_twin")
    envs.make("my_twin:Fishery", module_folder=str(tmp_path / "a"))
    with pytest.raises(InvalidSetting, match=r"looked for in .*b, but 'my_twin' of .*a is imported already"):
        envs.make("my_twin:Fishery", module_folder=str(tmp_path / "b"))


def test_what_no_other_process_could_import_is_refused(tmp_path: Path) -> None:
    class Here(envs.StackelbergMeanFieldGame):
        pass

    for name, why in ((Here, r"must be named, '.*test_plugins:.*Here'"), (3, "must be named, for example 'economy'")):
        with pytest.raises(InvalidSetting, match=why):
            envs.make(name)  # type: ignore[arg-type]
    with pytest.raises(InvalidSetting, match="other processes cannot import it; put Fishery into a module"):
        plugins.located({"name": "__main__:Fishery"})
    with pytest.raises(InvalidSetting, match="goes with a game named module:Class, not with 'economy'"):
        envs.make("economy", module_folder=str(tmp_path))


# --- in other processes ----------------------------------------------------------------------------------------------
def test_runners_and_a_learner_elsewhere_import_a_game_by_name(
    ray_local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Ray that runs already knows nothing of the folder; runners see an outlook of the package, too."""
    from rllib_smfg.rllib.config import SMFRLConfig

    write_package(tmp_path, "my_remote")
    monkeypatch.syspath_prepend(tmp_path)
    config = SMFRLConfig().game("my_remote:Fishery", followers=8, games=2).env_runners(num_env_runners=2)
    config = config.learners(num_learners=1).debugging(seed=1)
    config = config.training(
        hidden=[8], years_per_iteration=40, warm_up_years=40, updates_per_iteration=2, follower_outlook=True
    )
    algorithm = config.build_algo()
    try:
        for _ in range(2):
            algorithm.train()
        assert algorithm.trained_policies().game["module_folder"] == str(tmp_path)
    finally:
        algorithm.stop()


def test_structural_learns_a_game_of_a_package(
    ray_local: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rllib_smfg.rllib.structural import StructuralSMFRLConfig

    write_package(tmp_path, "my_structure")
    monkeypatch.syspath_prepend(tmp_path)
    config = StructuralSMFRLConfig().environment("my_structure:Fishery", env_config={"followers": 8}).debugging(seed=1)
    algorithm = config.training(economies=4, household_years=1000, updates_per_iteration=5).build_algo()
    try:
        algorithm.train()
        leader, _ = algorithm.trained_policies().policies()
        assert leader.act(np.array([[0.5]])).shape == (1, 1)
    finally:
        algorithm.stop()


@pytest.mark.slow
def test_trials_of_a_grid_import_a_game_by_name(ray_local: None, tmp_path: Path) -> None:
    from rich.console import Console

    from experiments.tuning.trials import Trial, run_trials

    experiment = load_experiment(write_package(tmp_path, "my_grid"), ["training.env_runners=0"])
    trials = [Trial("mine", experiment.model_dump(mode="json"), seed) for seed in (1, 2)]
    results = run_trials(trials, tmp_path / "runs", Console(quiet=True))
    assert [result.status for result in results] == ["finished", "finished"]


@pytest.mark.slow
def test_the_commands_take_a_game_of_a_package_from_anywhere(tmp_path: Path) -> None:
    """`smfg train mine.yaml` with two runners, in a folder that has nothing of the package, and what follows."""
    config, elsewhere, folder = write_package(tmp_path / "mine", "my_package"), tmp_path / "elsewhere", tmp_path / "run"
    elsewhere.mkdir()
    smfg("train", config, "--output", folder, cwd=elsewhere)
    assert json.loads((folder / "summary.json").read_text())["seeds"] == [1]
    smfg("evaluate", folder, cwd=elsewhere)
    assert "iteration 3/3" in smfg("train", "--resume", folder, "--set", "training.iterations=3", cwd=elsewhere)
    for name, text in (("compare", COMPARE), ("search", SEARCH)):
        (tmp_path / "mine" / f"{name}.yaml").write_text(text.replace("RUN", str(folder)).replace("BASE", str(config)))
    smfg("compare", config.with_name("compare.yaml"), "--output", tmp_path / "compared", cwd=elsewhere)
    compared = json.loads((tmp_path / "compared" / "comparison.json").read_text())
    assert "steady" in json.dumps(compared)
    smfg("tune", config.with_name("search.yaml"), "--output", tmp_path / "tuned", cwd=elsewhere)
    assert (tmp_path / "tuned" / "best.yaml").is_file()


# --- the examples of docs/extend.md, in a package of somebody else's -------------------------------------------------
def test_the_examples_play_from_a_package_outside_the_repository(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "docs" / "examples", tmp_path / "my_examples")
    for name in ("own_game:Fishery", "own_structural_game:PollutingMarket"):
        game = envs.make(f"my_examples.{name}", module_folder=str(tmp_path), games=2, horizon=3)
        assert type(game).__module__ == f"my_examples.{name.partition(':')[0]}"
        found = evaluate(game, registry.leader("random", game), registry.follower("random", game), seed=1)
        assert found["years"].tolist() == [3, 3]
