"""The driver is killed with SIGKILL: what was saved is whole, and the resumed run ends as if nothing had happened."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
import yaml
from fault_parts import TINY, Watcher, tiny

from experiments.training.trainer import train_seed
from rllib_smfg.storage import checkpoints
from tests.campaigns.faults.states import differences, training_state

INTERVAL = 2


def test_a_driver_killed_anywhere_goes_on_bit_for_bit(program, tmp_path: Path) -> None:
    result = program("killed_drivers.py", tmp_path)
    assert result.returncode == 0, result.stderr[-2000:]
    found = json.loads(result.stdout.splitlines()[-1])
    assert set(found) == {"sampling", "updating", "writing"}
    for place, about in found.items():
        assert about["code"] == -signal.SIGKILL, place
        assert about["different"] == [], place
        assert about["left"] == [], place
    # killed in iteration 6, in iteration 5, while iteration 4 was being saved
    assert {place: about["saved"] for place, about in found.items()} == {"sampling": 4, "updating": 4, "writing": 2}
    assert [name.split(".")[1] for name in found["writing"]["half"]] == ["iteration_000004"]


@pytest.mark.slow
def test_fifty_iterations_and_fifty_more_are_a_hundred_bit_for_bit(ray_local: None, tmp_path: Path) -> None:
    train_seed(tiny(iterations=100, checkpoint_interval=50), 1, tmp_path / "straight", Watcher())
    train_seed(tiny(iterations=50, checkpoint_interval=50), 1, tmp_path / "parts", Watcher())
    more = Watcher()
    train_seed(tiny(iterations=100, checkpoint_interval=50), 1, tmp_path / "parts", more)
    assert more.rows[0]["iteration"] == 51
    runs = [checkpoints.path_of(tmp_path / name / "checkpoints", 100) for name in ("straight", "parts")]
    state = training_state(runs[0])
    for part in ("replay/arrays", "replay/random", "play/actions", "play/game", "torch_random", "optimizers"):
        assert any(part in name for name in state), part
    assert differences(*runs) == []
    assert differences(checkpoints.path_of(tmp_path / "parts" / "checkpoints", 50), runs[0]) != []


def test_an_exception_in_the_driver_says_how_to_go_on(ray_local: None, tmp_path: Path, monkeypatch) -> None:
    from experiments.commands.main import app
    from rllib_smfg.rllib.env_runner import PopulationEnvRunner

    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(TINY))
    play_on, calls = PopulationEnvRunner._play_on, []

    def failing(*arguments: object) -> object:
        calls.append(1)
        if len(calls) == 4:
            raise ZeroDivisionError("a mistake in the game")
        return play_on(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(PopulationEnvRunner, "_play_on", failing)
        with pytest.raises(ZeroDivisionError) as error:
            app(["train", str(tmp_path / "tiny.yaml"), "--output", str(tmp_path / "run")], standalone_mode=False)
    assert error.value.__notes__ == [
        "smfg: training stopped at this; go on from the latest checkpoint with: smfg train --resume "
        + str(tmp_path / "run")
    ]
    assert app(["train", "--resume", str(tmp_path / "run")], standalone_mode=False) == 0
    assert checkpoints.path_of(tmp_path / "run" / "seed_1" / "checkpoints", 6).is_dir()
