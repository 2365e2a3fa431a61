"""What `pip install rllib-smfg` brings, and that it works far from this repository."""

from __future__ import annotations

import os
import re
import shutil
import site
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import rllib_smfg

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("envs", "policies", "rllib_smfg", "experiments")
SMALL = [
    "changes.game.followers=10",
    "changes.game.games=2",
    "changes.game.horizon=10",
    "changes.evaluation.interval=1",
]
SMALL += ["changes.evaluation.episodes=2", "changes.evaluation.final_episodes=2", "changes.training.iterations=2"]
SMALL += ["changes.algorithm={households_per_transition: 4, years_per_iteration: 20, warm_up_years: 20}"]
SMALL += ["changes.algorithm.leader_held_years=0", "changes.algorithm.follower_held_years=0", "search.trials=2"]
SMALL += ["changes.algorithm.updates_per_iteration=2"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources, built without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in (*PACKAGES, "tune_configs"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / "sources" / name, symlinks=True, ignore=ignore)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / "sources" / name)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder)]
    command = [sys.executable, "-m", "pip", "wheel", str(folder / "sources"), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_what_users_need_and_nothing_of_our_own_trials(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {f"{package}/py.typed" for package in PACKAGES} <= set(names)
    searches = {f"experiments/tune_configs/{path.name}" for path in (ROOT / "tune_configs").glob("*.yaml")}
    configurations = {path.relative_to(ROOT).as_posix() for path in (ROOT / "experiments/configs").rglob("*.yaml")}
    assert len(searches) == 3
    assert searches | configurations <= set(names)
    assert not [name for name in names if re.match(r"(.*/)?(tests|campaigns)/", name)]
    assert f"-{rllib_smfg.__version__}-" in wheel.name


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel in it; the libraries are those of this one, this repository is not."""
    folder = tmp_path_factory.mktemp("installed") / "environment"
    venv.create(folder, with_pip=False)
    (own,) = folder.glob("lib/python*/site-packages")
    (own / "libraries.pth").write_text("\n".join(site.getsitepackages()) + "\n")  # editable installs there stay unseen
    command = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python")]
    command += ["install", "--no-deps", "--no-index", "--ignore-installed", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [str(installed / "bin" / arguments[0]), *arguments[1:]]
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=env)


def test_installed_it_is_itself_and_not_this_repository(installed: Path, tmp_path: Path) -> None:
    script = (
        "import rllib_smfg, experiments, envs; print(rllib_smfg.__version__, rllib_smfg.__file__, experiments.__file__)"
    )
    done = run(installed, tmp_path, "python", "-c", script)
    assert done.stdout.startswith(f"{rllib_smfg.__version__} {installed}"), done.stderr
    assert str(ROOT) not in done.stdout
    assert run(installed, tmp_path, "smfg", "--version").stdout == f"rllib-smfg {rllib_smfg.__version__}\n"
    refused = run(installed, tmp_path, "smfg", "tune", "asha_smfr")
    assert "did you mean 'asha_smfrl'" in refused.stderr


@pytest.mark.slow
@pytest.mark.parametrize("search", ["asha_smfrl", "pbt_smfrl"])
def test_installed_it_searches(search: str, installed: Path, tmp_path: Path) -> None:
    settings = [word for each in SMALL for word in ("--set", each)]
    done = run(installed, tmp_path, "smfg", "tune", search, *settings, "--output", "found")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "found" / "best.yaml").is_file()
    assert len(list((tmp_path / "found").glob("trial_*/seed_1/best/manifest.json"))) == 2
