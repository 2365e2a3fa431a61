"""Nothing that a stranger hands over is run, and a Ray of our own cannot be reached from elsewhere."""

from __future__ import annotations

import ast
import json
import os
import pickle
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from fault_parts import Watcher, tiny

from envs import InvalidSetting
from experiments.commands.main import app
from experiments.training.trainer import train_seed
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.ownership import refuse_strangers_files

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("envs", "policies", "rllib_smfg", "experiments")
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


@pytest.fixture(scope="module")
def made(ray_local: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a trained seed; not to be changed."""
    folder = tmp_path_factory.mktemp("made")
    train_seed(tiny(iterations=2), 1, folder, Watcher())
    return folder


@pytest.fixture
def checkpoint(made: Path, tmp_path: Path) -> Path:
    """A checkpoint to play with."""
    return Path(shutil.copytree(made / "checkpoints" / "iteration_000002", tmp_path / "iteration_000002"))


def smfg(*arguments: object) -> int:
    code: int = app([str(argument) for argument in arguments], standalone_mode=False)
    return code


class Payload:
    """Touches a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


# --- what is exported ------------------------------------------------------------------------------------------------
def test_an_export_plays_like_its_checkpoint(checkpoint: Path, tmp_path: Path, capsys) -> None:
    assert smfg("export", checkpoint, "--output", tmp_path / "export") == 0
    names = {path.name for path in (tmp_path / "export").iterdir()}
    assert names == {"leader.safetensors", "follower.safetensors", "policy.json", "config.yaml", "SHA256SUMS"}
    subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "export", check=True)
    for path, name in ((checkpoint, "checkpoint"), (tmp_path / "export", "export")):
        assert smfg("evaluate", path, "--json", tmp_path / f"{name}.json") == 0
    first, second = ((tmp_path / f"{name}.json").read_text() for name in ("checkpoint", "export"))
    assert first.replace(str(checkpoint), "") == second.replace(str(tmp_path / "export"), "")
    assert smfg("export", checkpoint, "--output", tmp_path / "export") == 2


@pytest.mark.parametrize("name", ["policy.json", "config.yaml", "leader.safetensors", "SHA256SUMS"])
def test_a_damaged_export_is_refused(name: str, checkpoint: Path, tmp_path: Path, capsys) -> None:
    smfg("export", checkpoint, "--output", tmp_path / "export")
    file = tmp_path / "export" / name
    whole = file.read_bytes()
    for damaged in (whole[:-1], whole + b"\n", bytes([whole[0] ^ 1]) + whole[1:], None):
        file.unlink() if damaged is None else file.write_bytes(damaged)
        with pytest.raises(InvalidSetting, match=name if name != "SHA256SUMS" else "SHA-?256"):
            checkpoints.read_policies(tmp_path / "export")
    file.write_bytes(whole)
    checkpoints.read_policies(tmp_path / "export")


def test_playing_an_export_imports_neither_ray_nor_pickles(checkpoint: Path, tmp_path: Path, capsys) -> None:
    smfg("export", checkpoint, "--output", tmp_path / "export")
    program = (
        "import sys, pathlib, rllib_smfg.storage.checkpoints as c\n"
        "sys.addaudithook(lambda name, _: name == 'pickle.find_class' and sys.exit('something was unpickled'))\n"
        "policies = c.read_policies(pathlib.Path(sys.argv[1]))\n"
        "from rllib_smfg.rollout import evaluate\n"
        "print(len(evaluate(policies.make_game(games=2), *policies.policies(), seed=1)['years']), 'ray' in sys.modules)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "export")]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert result.stdout.split() == ["2", "False"], result.stderr


# --- what is handed over ---------------------------------------------------------------------------------------------
def _pickle_as(name: str) -> Callable[[Path, Payload], None]:
    def write(folder: Path, payload: Payload) -> None:
        torch.save({"weights": payload}, folder / name)

    return write


def _objects_as_npz(folder: Path, payload: Payload) -> None:
    np.savez(folder / "trajectory.npz", capital=np.array([payload], dtype=object))


def _object_as_yaml(folder: Path, payload: Payload) -> None:
    tag = f"!!python/object/apply:pathlib.Path.touch [{payload.target}]"
    (folder / "config.yaml").write_text(f"game: {tag}\n")


HANDED_OVER = {
    "weights": (_pickle_as("leader.safetensors"), ("evaluate", "export")),
    "policy": (_pickle_as("policy.json"), ("evaluate", "export")),
    "trajectory": (_objects_as_npz, ("replay", "export/trajectory.npz")),
    "survey": (_pickle_as("SCFP2022.csv"), ("data", "check", "export/SCFP2022.csv")),
    "configuration": (_object_as_yaml, ("train", "export/config.yaml")),
    "pretrained": (_pickle_as("follower.safetensors"), ("train", "quickstart", "--set", "algorithm.pretrain=export")),
}


@pytest.mark.parametrize("what", HANDED_OVER)
def test_nothing_that_is_handed_over_is_run(what: str, checkpoint: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    from policies.checksums import write_checksums

    hit, (write, arguments) = tmp_path / "hit", HANDED_OVER[what]
    monkeypatch.chdir(tmp_path)
    smfg("export", checkpoint, "--output", "export")
    write(tmp_path / "export", Payload(hit))
    write_checksums(tmp_path / "export")  # a stranger's sums are right
    assert smfg(*arguments) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not hit.exists()


def test_the_payload_would_have_run(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Payload(tmp_path / "hit")))
    assert (tmp_path / "hit").exists()


def test_no_module_unpickles_but_for_resuming() -> None:
    """What reads pickles, or runs what it reads, by name; each is known."""
    known = {
        ("tests/campaigns/faults/states.py", "pickle.loads"),  # compares our own checkpoints; asks who owns them first
        ("rllib_smfg/storage/checkpoints.py", "algorithm.restore_from_path"),  # after the same question
        ("rllib_smfg/rllib/population.py", "super().restore_from_path"),  # what that calls
        ("docs/examples/rllib_recipe.py", "SMFRL.from_checkpoint"),  # of a search of its own
        ("envs/registry.py", "plugins.load"),  # imports a module by the name that was given
        ("policies/registry.py", "plugins.load"),  # the same
    }
    suspect = {"loads", "load", "Unpickler", "read_pickle", "restore_from_path", "from_checkpoint", "eval", "exec"}
    harmless = {"json.loads", "json.load", "loading.load", "yaml_files.load", "load"}
    found = set()
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if not isinstance(node, ast.Call):
                    continue
                name, arguments = ast.unparse(node.func), ast.unparse(node)
                if name in ("np.load", "numpy.load") and "allow_pickle=False" in arguments:
                    continue
                if name == "yaml.load" and arguments.endswith(("Yaml)", "_Strict)")):  # SafeLoaders of policies.written
                    continue
                if name.split(".")[-1] in suspect and name not in harmless:
                    found.add((path.relative_to(ROOT).as_posix(), name))
    assert found <= known, found - known


# --- whose files -----------------------------------------------------------------------------------------------------
def _world_writable(folder: Path) -> Path:
    file = folder / "rllib" / "algorithm_state.pkl"
    file.chmod(0o666)
    return file


def _world_writable_folder(folder: Path) -> Path:
    folder.chmod(0o777)
    return folder


def _world_writable_above(folder: Path) -> Path:
    folder.parent.chmod(0o777)
    return folder.parent


def _a_link(folder: Path) -> Path:
    link = folder / "rllib" / "algorithm_state.pkl"
    link.rename(folder.parent / "elsewhere.pkl")
    link.symlink_to(folder.parent / "elsewhere.pkl")
    return link


@pytest.mark.parametrize("spoil", [_world_writable, _world_writable_folder, _world_writable_above, _a_link])
def test_what_strangers_could_have_written_is_not_unpickled(spoil, checkpoint: Path) -> None:
    class NeverRestored:
        def restore_from_path(self, path: str) -> None:
            raise AssertionError("read a stranger's pickles")

    refuse_strangers_files(checkpoint)
    file = spoil(checkpoint)
    with pytest.raises(InvalidSetting, match=f"^{file}: ") as error:
        checkpoints.restore(checkpoint, NeverRestored())  # type: ignore[arg-type]
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_not_unpickled(checkpoint: Path) -> None:
    os.chown(checkpoint / "rllib" / "algorithm_state.pkl", 65534, 65534)
    with pytest.raises(InvalidSetting, match=r"algorithm_state\.pkl: belongs to another user"):
        refuse_strangers_files(checkpoint)


def test_shared_folders_with_the_sticky_bit_are_fine(checkpoint: Path) -> None:
    checkpoint.parent.chmod(0o777 | stat.S_ISVTX)
    refuse_strangers_files(checkpoint)


def test_a_file_that_was_not_written_with_the_checkpoint_is_named(checkpoint: Path) -> None:
    (checkpoint / "rllib" / "callbacks.pkl").write_bytes(b"x")
    with pytest.raises(InvalidSetting, match=r"callbacks.pkl: does not belong to the checkpoint"):
        checkpoints.verify(checkpoint)


# --- the network -----------------------------------------------------------------------------------------------------
def test_a_ray_of_our_own_listens_on_loopback_only_and_has_no_dashboard() -> None:
    program = (
        "import json, os\n"
        "from rllib_smfg.processes.ray_session import ray_session\n"
        "from tests.campaigns.faults.processes import command, descendants, listening\n"
        "with ray_session(0):\n"
        "    here = os.getpid()\n"
        "    served = [command(each) for each in descendants(here) if 'dashboard.py' in command(each)]\n"
        "    print(json.dumps([list(listening(here).values()), served]))\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_ADDRESS")}
    command = [sys.executable, "-c", program]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert result.returncode == 0, result.stderr[-2000:]
    addresses, dashboards = json.loads(result.stdout.splitlines()[-1])
    assert len(addresses) > 2
    assert {address.rpartition(":")[0] for each in addresses for address in each} <= LOOPBACK
    assert all("--disable-frontend" in each for each in dashboards), dashboards
