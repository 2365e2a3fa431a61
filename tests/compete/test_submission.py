"""A submission's own process: what it answers is taken as numbers, and whatever else it does becomes a reason."""

from __future__ import annotations

import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent, indent

import numpy as np
import pytest

from envs import InvalidSetting, make
from policies.submission import Limits, Submission, SubmissionFailed, SubmittedFollower, SubmittedLeader, find_class

SHAPE = (2, 3, 2)
PATIENT = Limits(call_seconds=60.0)
OBSERVED = [np.arange(12.0).reshape(SHAPE), np.ones((2, 5))]

Written = Callable[[str], str]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Writes `act`'s body into a class; gives FILE:CLASS."""

    def write(body: str) -> str:
        file = tmp_path / "mine.py"
        head = (
            "import os, sys, time\nimport numpy as np\n\nclass Mine:\n    def act(self, observation, leader_action):\n"
        )
        file.write_text(head + indent(dedent(body), " " * 8))
        return f"{file}:Mine"

    return write


def _children() -> set[str]:
    """Submissions' processes that are children of this one; Ray's, where another test has started it, are not ours."""
    tasks = Path("/proc/self/task").iterdir()
    children = {child for task in tasks for child in (task / "children").read_text().split()}
    return {child for child in children if b"submission_host" in (Path("/proc") / child / "cmdline").read_bytes()}


def _pipes() -> set[str]:
    links = []
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing's own descriptor is closed by now
            links.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return {link for link in links if link.startswith("pipe:")}


@pytest.fixture
def open_pipes() -> Iterator[None]:
    """No pipe and no process is left behind."""
    before = _pipes()
    yield
    assert _pipes() == before
    assert not _children()


def failure(source: str, limits: Limits = PATIENT) -> str:
    with pytest.raises(SubmissionFailed) as reason, Submission(source, 0, limits) as submission:
        submission.act(OBSERVED, SHAPE)
    assert "\n" not in str(reason.value)
    assert str(reason.value).isprintable()
    return str(reason.value)


# --- what works ------------------------------------------------------------------------------------------------------
def test_arrays_cross_unchanged(written: Written, open_pipes: None) -> None:
    with Submission(written("return observation * np.pi - leader_action[:, None, :2] / 3"), 0, PATIENT) as submission:
        for k in range(3):
            observed = [OBSERVED[0] + k, OBSERVED[1]]
            action = submission.act(observed, SHAPE)
            np.testing.assert_array_equal(action, observed[0] * np.pi - 1 / 3)


def test_large_arrays_cross_as_well(written: Written) -> None:
    # larger than a pipe holds, in both directions
    observation = np.random.default_rng(0).random((4, 20_000, 2))
    with Submission(written("return 2 * observation"), 0, PATIENT) as submission:
        np.testing.assert_array_equal(submission.act([observation, OBSERVED[1]], observation.shape), 2 * observation)


@pytest.mark.parametrize(
    "answer", ["np.ones(observation.shape, dtype=bool)", "observation.tolist()", "1 + 0 * observation.astype('f4')"]
)
def test_whatever_numpy_takes_as_numbers_is_an_action(written: Written, answer: str) -> None:
    with Submission(written(f"return {answer}"), 0, PATIENT) as submission:
        assert submission.act(OBSERVED, SHAPE).dtype == np.float64


def test_a_submission_may_remember_and_draw(written: Written) -> None:
    body = """
        self.calls = getattr(self, "calls", 0) + 1
        import random
        return np.full(observation.shape, self.calls) + np.random.random() + random.random()
    """
    played = []
    for seed in (3, 3, 4):
        with Submission(written(body), seed, PATIENT) as submission:
            played.append([submission.act(OBSERVED, SHAPE)[0, 0, 0] for _ in range(3)])
    assert played[0] == played[1] != played[2]
    np.random.seed(3)
    random.seed(3)
    assert played[0][0] == 1 + np.random.random() + random.random()


def test_a_submission_may_import_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "helper_of_mine.py").write_text("RATE = 0.25\n")
    (tmp_path / "mine.py").write_text(
        "import random, numpy as np\nfrom helper_of_mine import RATE\n"
        "class Mine:\n    def act(self, o, a): return np.full(o.shape, RATE)\n"
    )
    with Submission(f"{tmp_path / 'mine.py'}:Mine", 0, PATIENT) as submission:
        assert (submission.act(OBSERVED, SHAPE) == 0.25).all()


def test_noise_goes_nowhere(written: Written, capfd: pytest.CaptureFixture[str]) -> None:
    body = """
        print("noise" * 100_000)
        sys.stderr.write("noise" * 100_000)
        os.write(1, b"noise" * 100_000)
        return observation
    """
    with Submission(written(body), 0, PATIENT) as submission:
        submission.act(OBSERVED, SHAPE)
    assert capfd.readouterr() == ("", "")


def test_submitted_policies_speak_for_both_sides(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "import numpy as np\n"
        "class Leader:\n    def act(self, observation): return observation[:, :5]\n"
        "class Follower:\n    def act(self, observation, announced): return observation + announced[:, None, :2]\n"
    )
    game = make("economy", games=2, followers=3)
    observation = np.arange(12.0).reshape(2, 6)
    with Submission(f"{tmp_path / 'mine.py'}:Leader", 0, PATIENT) as submission:
        np.testing.assert_array_equal(SubmittedLeader(submission, game).act(observation), observation[:, :5])
    with Submission(f"{tmp_path / 'mine.py'}:Follower", 0, PATIENT) as submission:
        np.testing.assert_array_equal(SubmittedFollower(submission, game).act(*OBSERVED), OBSERVED[0] + 1)


# --- what fails ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("return np.ones((2, 3))", r"shape \[2, 3\]: must be \[2, 3, 2\]"),
        ("return 0.5", r"shape \[\]: must be"),
        ("return None", r"shape \[\]: must be"),
        ("return np.where(observation == 5, np.nan, 0.5)", "not a finite number"),
        ("return np.full(observation.shape, np.inf)", "not a finite number"),
        ("return 'half'", "ValueError"),
        ("return [[1], [2, 3]]", "ValueError"),
        ("return np.full(observation.shape, {})", "TypeError"),
        ("raise RuntimeError('no idea')", r"RuntimeError: no idea \(mine.py, line 6\)"),
        (
            "raise ValueError('\\x1b[31m red \\n' + 'x' * 10**6)",
            r"^ValueError: \[31m red x{480,500} \(mine.py, line 6\)$",
        ),
        ("sys.exit('enough')", "SystemExit: enough"),
        ("sys.exit()", "SystemExit"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("os._exit(0)", r"ended by itself \(exit status 0\)"),
        ("os._exit(7)", r"ended by itself \(exit status 7\)"),
        ("os.abort()", "killed by SIG(ABRT|SEGV)"),
        ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV"),
        ("def again(): again()\nagain()", "RecursionError"),
        ("return np.ones(10**12)", "MemoryError: needs more memory"),
    ],
)
def test_what_is_no_action_becomes_the_reason(written: Written, open_pipes: None, body: str, reason: str) -> None:
    source = written(body)
    with pytest.raises(SubmissionFailed, match=reason):
        raise SubmissionFailed(failure(source))


def test_memory_is_limited(written: Written, open_pipes: None) -> None:
    assert "needs more memory" in failure(written("return np.zeros(2**25)"), Limits(memory_mib=300, call_seconds=60.0))
    with Submission(
        written("np.zeros(2**25); return observation"), 0, Limits(memory_mib=1000, call_seconds=60.0)
    ) as fits:
        fits.act(OBSERVED, SHAPE)


@pytest.mark.parametrize("body", ["while True: pass", "time.sleep(1000)", "import signal; signal.pause()"])
def test_an_endless_call_ends(written: Written, open_pipes: None, body: str) -> None:
    assert failure(written(body), Limits(call_seconds=0.5)) == "did not act in 0.5 s"


def test_an_endless_start_ends(tmp_path: Path, open_pipes: None) -> None:
    (tmp_path / "mine.py").write_text("while True: pass\n")
    assert failure(f"{tmp_path / 'mine.py'}:Mine", Limits(start_seconds=1.0)) == "did not start in 1 s"


def test_many_slow_calls_end(written: Written, open_pipes: None) -> None:
    def play(submission: Submission, years: int) -> None:
        for _ in range(years):
            submission.act(OBSERVED, SHAPE)

    source = written("time.sleep(0.6); return observation")
    with Submission(source, 0, Limits(call_seconds=60.0, total_seconds=2.0)) as submission:
        play(submission, 1)
        with pytest.raises(SubmissionFailed, match="did not play in 2 s in all"):
            play(submission, 4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("class Other: pass", "has no class 'Mine'"),
        ("class Mine: pass", "has no method 'act'"),
        ("class Mine:\n    act = 3", "has no method 'act'"),
        ("class Mine:\n    def __init__(self): raise OSError('closed')", r"OSError: closed \(mine.py, line 2\)"),
        ("class Mine:\n    def __init__(self, needed): pass", "TypeError"),
        ("def broken(:", "SyntaxError"),
        ("import no_such_module", "ModuleNotFoundError"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("\0", "(SyntaxError|ValueError)"),
    ],
)
def test_what_cannot_be_made_becomes_the_reason(tmp_path: Path, open_pipes: None, text: str, reason: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(SubmissionFailed, match=reason):
        Submission(f"{tmp_path / 'mine.py'}:Mine", 0, PATIENT)


# --- what is hostile -------------------------------------------------------------------------------------------------
WRITE_EVERYWHERE = """
    for number in range(3, 1024):
        try: os.write(number, {data})
        except OSError: pass
    {then}
"""


@pytest.mark.parametrize(
    "data",
    [
        "b'not json\\n'",
        "b'[1, 2]\\n'",
        "b'{\"shape\": [[[' + b'\\n'",
        "b'[' * 8000 + b'\\n'",
        "b'x' * 60_000",
        "b'9' * 8000 + b'\\n'",
    ],
)
def test_garbage_in_the_pipe_is_no_action(written: Written, open_pipes: None, data: str) -> None:
    source = written(WRITE_EVERYWHERE.format(data=data, then="time.sleep(1000)"))
    assert failure(source) == "answered with something that is not an action"


def test_nothing_is_unpickled(written: Written, tmp_path: Path) -> None:
    body = f"""
        import pickle
        class Bomb:
            def __reduce__(self): return os.mkdir, ({str(tmp_path / "exploded")!r},)
        bomb = pickle.dumps(Bomb())
        for number in range(3, 1024):
            try: os.write(number, bomb + b"\\n")
            except OSError: pass
        time.sleep(1000)
    """
    assert failure(written(body), Limits(call_seconds=5.0)) == "answered with something that is not an action"
    assert not (tmp_path / "exploded").exists()


def test_promises_that_are_not_kept_end(written: Written, open_pipes: None) -> None:
    promise = "b'{\"shape\": [2, 3, 2]}\\n' + b'half'"
    source = written(WRITE_EVERYWHERE.format(data=promise, then="time.sleep(1000)"))
    assert failure(source, Limits(call_seconds=0.5)) == "did not act in 0.5 s"


def test_who_does_not_listen_does_not_stop_the_scorer(written: Written, open_pipes: None) -> None:
    observation = np.zeros((4, 20_000, 2))
    with Submission(written("time.sleep(1000)"), 0, Limits(call_seconds=0.5)) as submission:
        with pytest.raises(SubmissionFailed, match=r"did not act in 0\.5 s"):
            submission.act([observation, OBSERVED[1]], SHAPE)
        with pytest.raises(SubmissionFailed, match=r"did not act in 0\.5 s"):
            submission.act([observation, OBSERVED[1]], SHAPE)


def test_who_leaves_before_listening_does_not_stop_the_scorer(written: Written, open_pipes: None) -> None:
    with Submission(written("os._exit(5)"), 0, PATIENT) as submission:
        for _ in range(2):
            with pytest.raises(SubmissionFailed, match="exit status 5"):
                submission.act([np.zeros((4, 50_000, 2)), OBSERVED[1]], SHAPE)


def test_the_scorers_secrets_are_not_shown(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "abc")
    assert "keys: []" in failure(written("raise ValueError(f\"keys: {[k for k in os.environ if 'TOKEN' in k]}\")"))


def test_an_isolated_submission_reaches_no_process_and_no_network(written: Written, open_pipes: None) -> None:
    with Submission(written("return observation"), 0, PATIENT) as submission:
        if not submission.isolated:
            pytest.skip("the kernel allows no user namespaces here")
    assert "ProcessLookupError" in failure(written(f"os.kill({os.getpid()}, 9)"))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert "unreachable" in failure(written(f"import socket; socket.create_connection(('127.0.0.1', {port}))"))


def test_what_an_isolated_submission_started_ends_with_it(written: Written, tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    body = f"""
        if os.fork() == 0:
            os.setsid()
            while True:
                open({str(beats)!r}, "a").write("x")
                time.sleep(0.01)
        return observation
    """
    with Submission(written(body), 0, PATIENT) as submission:
        if not submission.isolated:
            pytest.skip("the kernel allows no user namespaces here")
        submission.act(OBSERVED, SHAPE)
        until = time.monotonic() + 30
        while not beats.exists() and time.monotonic() < until:
            time.sleep(0.01)
    counted = beats.stat().st_size
    time.sleep(0.3)
    assert beats.stat().st_size == counted > 0


# --- how it is named -------------------------------------------------------------------------------------------------
def test_a_submission_is_named_by_file_and_class(tmp_path: Path) -> None:
    file = tmp_path / "with:colon.py"
    file.write_text("")
    assert find_class(f"{file}:Mine") == (file, "Mine")


@pytest.mark.parametrize("source", ["mine.py", "mine.py:", ":Mine", "mine.py:not a name", "missing.py:Mine"])
def test_what_is_not_there_is_bad_input(source: str) -> None:
    with pytest.raises(InvalidSetting, match=r"FILE:CLASS|no such file"):
        find_class(source)


@pytest.mark.parametrize("name", ["start_seconds", "call_seconds", "total_seconds", "memory_mib"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_limits_are_above_zero(name: str, value: float) -> None:
    with pytest.raises(InvalidSetting, match=name):
        Limits(**{name: value})
