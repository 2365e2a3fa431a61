"""What `ray job submit --working-dir .` uploads: little, and all that a job needs."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as Ray makes it."""
    from ray._private.runtime_env.packaging import create_package

    path = tmp_path_factory.mktemp("upload") / "package.zip"
    create_package(str(ROOT), path, include_gitignore=True)
    return path


def test_the_upload_is_small(upload: Path) -> None:
    assert 0.1 * MIB < upload.stat().st_size < 3 * MIB


def test_a_job_finds_what_it_needs_and_nothing_else(upload: Path) -> None:
    names = zipfile.ZipFile(upload).namelist()
    needed = {
        "experiments/__main__.py",
        "experiments/configs/quickstart.yaml",
        "tune_configs/asha_smfrl.yaml",
        "constraints.txt",
        "setup.cfg",
    }
    assert needed <= set(names)
    assert not {name.split("/")[0] for name in names} & {".git", ".venv", "tests", "docs", "runs", ".mypy_cache"}
    for path in (ROOT / "envs").rglob("*.csv"):
        assert path.relative_to(ROOT).as_posix() in names


def test_what_is_given_to_launchers_is_yaml_with_token_authentication() -> None:
    cluster = yaml.safe_load((ROOT / "experiments/cluster/cluster.yaml").read_text())
    for command in (*cluster["head_start_ray_commands"], *cluster["worker_start_ray_commands"]):
        assert "RAY_AUTH_MODE=token" in command
        assert "ray stop" not in command
    assert "--dashboard-host=127.0.0.1" in cluster["head_start_ray_commands"][0]
    job = yaml.safe_load((ROOT / "experiments/cluster/rayjob.yaml").read_text())
    assert job["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    assert job["spec"]["entrypoint"].startswith("python -m experiments ")
