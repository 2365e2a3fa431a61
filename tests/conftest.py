"""What all tests share: a quiet, local Ray, one torch thread, and the reference data where it is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

SHARED = Path(__file__).resolve().parents[2] / "shared"
TINY = """
game: {name: stage_game, followers: 20, games: 4}
algorithm:
  hidden: [16, 16]
  years_per_iteration: 80
  warm_up_years: 80
  updates_per_iteration: 10
  transitions_per_update: 32
training: {iterations: 4, checkpoint_interval: 2, seeds: [1]}
evaluation: {interval: 2, episodes: 8, final_episodes: 16}
"""


@pytest.fixture(scope="session", autouse=True)
def quiet_environment() -> Iterator[None]:
    """No usage statistics and no token file from Ray, here and in the processes that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_MODE", "disabled")
        yield


@pytest.fixture(scope="session", autouse=True)
def one_torch_thread() -> None:
    """Small updates are several times slower with two threads than with one."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def ray_local(quiet_environment: None) -> Iterator[None]:
    """A Ray of this test session alone, with four logical CPUs for remote runners and learners."""
    import ray

    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def parity() -> Path:
    """The folder of trajectories recorded from the authors' programs."""
    return Path(__file__).parent / "data" / "parity"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference data beside the repository: the survey extract, the paper."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference data beside the repository ({SHARED.name}/ is absent)")
    return SHARED


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration that trains in seconds."""
    path = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    path.write_text(TINY)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without Ray come first: they are quick, and Ray changes how this process's children and files behave."""
    items.sort(key=lambda item: "ray_local" in getattr(item, "fixturenames", ()))
