"""What all tests share: a quiet, local Ray, one torch thread, and the reference data where it is at hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

SHARED = Path(__file__).resolve().parents[2] / "shared"


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
def shared() -> Path:
    """The folder of reference data beside the repository: parity trajectories, the survey extract, the paper."""
    if not SHARED.is_dir():
        pytest.skip(f"no reference data beside the repository ({SHARED.name}/ is absent)")
    return SHARED


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests without Ray come first: they are quick, and Ray changes how this process's children and files behave."""
    items.sort(key=lambda item: "ray_local" in getattr(item, "fixturenames", ()))
