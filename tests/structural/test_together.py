"""Several learners share an update: the same mathematics however many there are, bit for bit the same for all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import learning_together
import numpy as np
import pytest
import torch
from learning_together import CASES, UNEVEN

from rllib_smfg.structural.learner import FOLLOWER
from rllib_smfg.structural.together import Together

PROGRAM = Path(learning_together.__file__)
LEARNERS = 2


def run(size: int, folder: Path) -> list[dict[str, Any]]:
    """What so many learners come to, each in a process of its own."""
    path = os.pathsep.join([str(PROGRAM.parents[2]), str(PROGRAM.parent)])
    environment = {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    command = [sys.executable, str(PROGRAM)]
    learners = [
        subprocess.Popen([*command, str(rank), str(size), str(folder)], env=environment) for rank in range(size)
    ]
    assert [learner.wait() for learner in learners] == [0] * size
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(size)]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return run(LEARNERS, tmp_path_factory.mktemp("two"))


def assert_the_same(alone: dict[str, Any], shared: list[dict[str, Any]]) -> None:
    """The steps, the play and the logs of one learner, up to rounding errors."""
    first = shared[0]
    assert len(alone["gradients"]) == len(first["gradients"]) > 2
    for one, other in zip(alone["gradients"], first["gradients"], strict=True):
        assert float((one - other).abs().max()) <= 1e-9 * float(one.abs().max())
    assert sum(bool(each.any()) for each in alone["gradients"]) > 2
    assert float((alone["weights"][-1] - alone["weights"][0]).abs().max()) > 1e-9
    torch.testing.assert_close(alone["weights"], first["weights"], rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(alone["offset"], first["offset"], rtol=1e-9, atol=1e-12)
    for name, whole in alone["economies"]["state"].items():
        torch.testing.assert_close(whole, first["economies"]["state"][name], rtol=1e-7, atol=1e-9)
    for name in ("age", "lives", "fresh"):
        np.testing.assert_array_equal(alone["economies"][name], first["economies"][name])
    assert alone["economies"]["luck"] == first["economies"]["luck"]
    assert alone["years"] == first["years"]
    for name, value in alone["logs"].items():  # RLlib logs the mean over learners
        assert np.mean([each["logs"][name] for each in shared]) == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_two_learners_do_what_one_does(case: str, two: list[dict[str, Any]]) -> None:
    assert_the_same(learning_together.learned(case), [each[case] for each in two])


@pytest.mark.slow
def test_three_learners_with_uneven_shares_of_the_paths_do_what_one_does(tmp_path: Path) -> None:
    three = [each[UNEVEN] for each in run(3, tmp_path)]
    assert_the_same(learning_together.learned(UNEVEN), three)


@pytest.mark.parametrize("case", CASES)
def test_all_learners_have_the_same_weights_bit_for_bit_and_so_has_a_second_run(case: str, two: list[Any]) -> None:
    for found in (case, f"{case}, again"):
        assert all(torch.equal(two[0][case]["weights"], each[found]["weights"]) for each in two)


def test_a_derivative_that_is_no_number_with_one_learner_is_skipped_by_all(two: list[dict[str, Any]]) -> None:
    for found in two:
        assert found["skipped"] == {"skipped": {"leader": 0, FOLLOWER: 1}, "moved": False}


def test_the_median_is_that_of_all_learners_numbers(two: list[dict[str, Any]]) -> None:
    x = torch.arange(40, dtype=torch.float64).reshape(20, 2).square().sin()
    for found in (*(each["median"] for each in two), Together().median(x)):
        assert torch.equal(found, x.median(0).values)


def test_one_learner_alone_tells_nobody_anything(two: list[dict[str, Any]]) -> None:
    assert learning_together.learned("a static game")["told"].calls == 0
    assert two[0]["a static game"]["told"].calls > 0
    assert two[0]["a static game"]["told"].bytes > 0


def test_shares_are_whole_and_make_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    for size, games in ((1, 4), (2, 4), (3, 8), (5, 7)):
        found = []
        for rank in range(size):
            one = Together()
            monkeypatch.setattr(one, "size", size)
            monkeypatch.setattr(one, "rank", rank)
            found += list(range(games))[one.own(games)]
            assert one.share(games) == pytest.approx(len(range(games)[one.own(games)]) / games)
        assert found == list(range(games))


def test_one_goes_on_from_what_two_have_left(two: list[dict[str, Any]]) -> None:
    """The state that RLlib saves is the first learner's, with all games in it."""
    case = "lasting spread"
    left = two[0][case]["state"]
    one = learning_together.begun(case)
    one.set_state(left)
    assert len(one.economies.state["x"]) == len(one.economies.age)
    np.testing.assert_array_equal(one.economies.age, left["economies"]["age"])
    for rank in range(LEARNERS):
        share = Together()
        share.rank, share.size = rank, LEARNERS
        other = learning_together.begun(case, share)
        other.set_state(left)
        assert torch.equal(other.economies.state["x"], one.economies.state["x"][share.own(len(one.economies.age))])
