"""`smfg train` with method structural, end to end: settings by every way in, checkpoints, resuming."""

from __future__ import annotations

import csv
import io
import json
import pickle
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import InvalidSetting
from experiments.configuration.loading import load_experiment
from rllib_smfg.rllib.structural import StructuralSMFRLConfig
from rllib_smfg.storage import checkpoints

TINY = """
game: {name: linear_quadratic, followers: 10, games: 2, gam: 0.5}
algorithm:
  method: structural
  leader_policy: rule
  leader_rule: {g: [z]}
  hidden: [8]
  economies: 3
  follower_steps: 2
  household_years: 500
  updates_per_iteration: 2
training: {iterations: 4, checkpoint_interval: 2, seeds: [1]}
evaluation: {interval: 2, episodes: 4, final_episodes: 4}
"""


def smfg(*arguments: object) -> tuple[int, str, str]:
    from experiments.commands.main import app

    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = app([str(argument) for argument in arguments], standalone_mode=False)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("structural") / "tiny_structural.yaml"
    path.write_text(TINY)
    return path


def networks(run: Path) -> dict[str, np.ndarray]:
    folder = run / "seed_1/checkpoints/iteration_000004/rllib/learner_group/learner/rl_module"
    sides = {side: pickle.loads((folder / side / "module_state.pkl").read_bytes()) for side in ("leader", "follower")}
    return {f"{side}/{name}": np.asarray(x) for side, weights in sides.items() for name, x in weights.items()}


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(ray_local: None, written: Path, tmp_path: Path) -> None:
    code, _, err = smfg("train", written, "--output", tmp_path / "whole")
    assert code == 0, err
    summary = json.loads((tmp_path / "whole/summary.json").read_text())
    assert summary["config"]["algorithm"]["method"] == "structural"
    assert np.isfinite(summary["indicators"]["leader_return"]["mean"])
    assert summary["env_steps"] > 0
    with (tmp_path / "whole/seed_1/progress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["iteration"] for row in rows] == ["1", "2", "3", "4"]
    assert all(np.isfinite(float(row["losses/follower"])) for row in rows)
    assert any(row["learning/leader_discounted_return"] for row in rows)
    assert not (tmp_path / "whole/seed_1/certificate.json").exists()  # a game that it cannot be worked out in
    policies = checkpoints.read_policies(checkpoints.find(tmp_path / "whole"))
    assert policies.leader is not None

    stopped = tmp_path / "stopped"
    _stop_after_two_iterations(written, stopped)
    code, _, err = smfg("train", "--resume", stopped)
    assert code == 0, err
    whole, resumed = networks(tmp_path / "whole"), networks(stopped)
    assert whole.keys() == resumed.keys()
    for name, x in whole.items():
        np.testing.assert_array_equal(x, resumed[name], err_msg=name)


def _stop_after_two_iterations(written: Path, folder: Path) -> None:
    """A run whose process went away after its first checkpoint."""

    class Gone(Exception): ...

    with pytest.MonkeyPatch.context() as patch:
        kept = checkpoints.save

        def save(*arguments: Any, **more: Any) -> Path:
            kept(*arguments, **more)
            raise Gone

        patch.setattr(checkpoints, "save", save)
        with pytest.raises(Gone):
            smfg("train", written, "--output", folder)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("algorithm.economies=0", "economies = 0"),
        ("algorithm.tail=0.9", "tail = 0.9"),
        ("algorithm.updates_per_iteration=0", "updates_per_iteration = 0"),
        ("algorithm.torch_threads=0", "torch_threads = 0"),
        ("algorithm.lead_in=0.9", "together at most 1"),
        ("algorithm.leader_search=pared", "leader_search"),
        ("algorithm.leader_rule={g: [zz]}", "does not see 'zz'"),
        ("algorithm.leader_rule={gg: [z]}", "no instrument 'gg': did you mean 'g'"),
        ("algorithm.spread_of={g: 1}", "spread_of: changes nothing without lasting_spread"),
        ("algorithm.lasting_spread=0.1", "tremble = 0.5: changes nothing with lasting_spread"),
        ("algorithm.economie=3", "did you mean 'economies'"),
        ("algorithm.updates=3", "updates"),
        ("algorithm.leader_start=[9]", "leader_start"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_on_the_command_line_and_in_yaml(
    change: str, reason: str, written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = smfg("train", written, "--set", change)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert reason in err
    assert list(tmp_path.iterdir()) == []


def test_yaml_refuses_what_python_does(written: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(TINY.replace("economies: 3", "economies: 0"))
    with pytest.raises(InvalidSetting, match="economies = 0") as error:
        load_experiment(bad)
    assert "\n" not in str(error.value)


def test_defaults_stand_in_one_place() -> None:
    """What YAML leaves out is what `StructuralSMFRLConfig` has."""
    from rllib_smfg.configuration.sections import StructuralAlgorithm

    said, usual = StructuralAlgorithm().settings(), StructuralSMFRLConfig()
    for name, value in said.items():
        known = usual.learning[name] if name in usual.learning else getattr(usual, name)
        assert known == value, name
    config = StructuralSMFRLConfig().game("stage_game").training(**StructuralAlgorithm().settings_of_run(30))
    assert config.structural_settings().updates == 30 * config.updates_per_iteration
