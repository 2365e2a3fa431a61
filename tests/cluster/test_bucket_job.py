"""Jobs on a real head whose runs lie in a bucket of a real S3 server: killed, stopped, and resumed by other jobs."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cluster_parts import BUCKET, Head

from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.buckets import Bucket
from rllib_smfg.storage.files import OWNER
from tests.campaigns.faults.states import differences

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
PATIENCE = 240.0
SMFG = ("python", "-m", "experiments")
LAST = "seed_1/checkpoints/iteration_000040"
TRAIN = """
game: {name: stage_game, followers: 20, games: 4}
algorithm: {hidden: [16, 16], years_per_iteration: 80, warm_up_years: 80, updates_per_iteration: 20}
training: {iterations: 40, checkpoint_interval: 2, seeds: [1]}
evaluation: {interval: 10, episodes: 4, final_episodes: 4}
comparison: {baselines: []}
"""
PBT = """
search: {base: BASE, scheduler: pbt, trials: 2}
changes: {training: {iterations: 40}, evaluation: {interval: 2}}
space: {algorithm: {leader_noise: {uniform: [0.05, 0.4]}, actor_lr: {log_uniform: [0.0001, 0.01]}}}
pbt: {interval: 4, quantile: 0.5}
"""


@pytest.fixture
def runs(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> str:
    """The URI of the bucket, which this process can read as well."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}/jobs"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a configuration and a search."""
    (tmp_path / "train.yaml").write_text(TRAIN)
    (tmp_path / "pbt.yaml").write_text(PBT.replace("BASE", str(tmp_path / "train.yaml")))
    return tmp_path


def wait_until(found: Callable[[], object], what: str) -> None:
    until = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < until, what
        time.sleep(0.2)


def kill_owner(uri: str) -> int:
    """SIGKILL for the job that works in a bucket's folder: its driver can do nothing about it."""
    content = Bucket(uri).read(OWNER)
    assert content is not None
    process = int(json.loads(content)["process"])
    os.kill(process, signal.SIGKILL)
    return process


def reached(uri: str) -> int:
    """The last iteration with a whole checkpoint in a bucket."""
    names = [name for name in Bucket(uri).files("seed_1/checkpoints") if name.endswith("/manifest.json")]
    return max((checkpoints.iteration_of(Path(name).parent) for name in names), default=0)


def ended(head: Head, name: str) -> bool:
    return any(word in head.about(name, "status").lower() for word in ("failed", "stopped", "succeeded"))


def test_a_training_killed_in_a_bucket_is_resumed_by_another_job_bit_for_bit(
    head: Head, runs: str, files: Path, tmp_path: Path
) -> None:
    """Relative --output, so that its likeness would lie below Ray's working directory, which is open to all."""
    new = [*SMFG, "train", str(files / "train.yaml"), "--storage", runs, "--output"]
    twin = head.job(*new, "twin")
    assert twin.returncode == 0, twin.stdout + twin.stderr
    head.started("killed", *new, "killed")
    wait_until(lambda: reached(f"{runs}/killed") >= 6, "no checkpoint in the bucket")
    process = kill_owner(f"{runs}/killed")
    wait_until(lambda: ended(head, "killed"), "the job does not end")
    assert 6 <= reached(f"{runs}/killed") < 40, "it was killed on its way"
    again = head.job(*new, "killed")
    assert again.returncode != 0
    assert "exists and is not empty; name another --output, or go on with --resume" in again.stdout
    resumed = head.job(*SMFG, "train", "--resume", f"{runs}/killed")
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert f"taken over from process {process} on " in resumed.stdout
    assert "seed 1, from iteration" in resumed.stdout
    for name in ("twin", "killed"):
        Bucket(f"{runs}/{name}").pull("", tmp_path / name)
        assert Bucket(f"{runs}/{name}").read(OWNER) is None
        assert (tmp_path / name / "summary.json").is_file()
    assert differences(tmp_path / "twin" / LAST, tmp_path / "killed" / LAST) == []


def test_a_job_stopped_in_a_long_iteration_keeps_those_that_are_finished(head: Head, runs: str, files: Path) -> None:
    long = ["--set", "algorithm.updates_per_iteration=400", "--set", "training.checkpoint_interval=1000"]
    new = [*SMFG, "train", str(files / "train.yaml"), "--storage", runs, "--output", "stopped", *long]
    head.started("stopped", *new)
    wait_until(lambda: "iteration 3/40" in head.about("stopped", "logs"), "no third iteration")
    head.about("stopped", "stop")
    wait_until(lambda: ended(head, "stopped"), "the job does not end")
    saved = reached(f"{runs}/stopped")
    assert saved >= 3
    quick = ["--set", f"training.iterations={saved + 1}"]
    resumed = head.job(*SMFG, "train", "--resume", f"{runs}/stopped", *quick)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert f"seed 1, from iteration {saved}" in resumed.stdout


def test_a_population_killed_late_in_a_bucket_is_resumed_by_another_job(head: Head, runs: str, files: Path) -> None:
    uri = f"{runs}/population"
    head.started("population", *SMFG, "tune", str(files / "pbt.yaml"), "--storage", runs, "--output", "population")
    wait_until(lambda: Bucket(uri).holds("search.yaml"), "search.yaml comes before the trials")

    def late() -> bool:
        progress = [Bucket(uri).read(f"trial_0000{k}/seed_1/progress.csv") or b"" for k in (0, 1)]
        return all(text.count(b"\n") > 20 for text in progress)

    wait_until(late, "the population does not come far")
    kill_owner(uri)
    wait_until(lambda: ended(head, "population"), "the job does not end")
    assert not Bucket(uri).holds("best.yaml")
    resumed = head.job(*SMFG, "tune", "--resume", uri)
    assert resumed.returncode == 0, resumed.stdout + resumed.stderr
    assert {"best.yaml", "trials.csv", "best/manifest.json"} <= set(Bucket(uri).files())
    for k in (0, 1):
        assert (Bucket(uri).read(f"trial_0000{k}/seed_1/progress.csv") or b"").count(b"\n") == 41
    finished = head.job(*SMFG, "tune", "--resume", uri)
    assert finished.returncode == 0, finished.stdout + finished.stderr
