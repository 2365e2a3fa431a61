"""`python -m tests.campaigns.soak --minutes 120`: trains while faults are injected, watches memory and file handles.

Every few minutes a runner is killed, or the driver (and the run resumed), or the driver is killed and its latest
checkpoint damaged before the run is resumed. Linux only.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Annotated, Any

import typer

from experiments.training.log import read_progress_rows
from rllib_smfg.storage import checkpoints
from rllib_smfg.storage.files import write_json
from tests.campaigns.faults.drivers import ray_head
from tests.campaigns.faults.processes import command, descendants, memory_mib, open_files
from tests.campaigns.soak.report import draw, flatness

INTERVAL = 5
CONFIG = f"""
game: {{name: economy, preset: paper, followers: 50, games: 4, horizon: 50}}
algorithm: {{years_per_iteration: 40, warm_up_years: 80, updates_per_iteration: 10, replay_capacity: 2000}}
training: {{iterations: 100000000, env_runners: 1, checkpoint_interval: {INTERVAL}, keep_checkpoints: 3}}
evaluation: {{interval: 20, episodes: 4}}
comparison: {{baselines: []}}
"""
FAULTS = ("kill runner", "kill runner", "kill driver", "kill runner", "damage checkpoint")
SECONDS_BETWEEN_SAMPLES, SECONDS_TO_END = 5.0, 60.0


@dataclass
class Soak:
    """A run that is disturbed.

    head: the process of the Ray it runs on. samples: memory and handles of driver and runner, by life of the driver.
    faults: what was done, and what came of it.
    """

    run: Path
    head: int
    began: float = field(default_factory=time.monotonic)
    lives: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)
    faults: list[dict[str, Any]] = field(default_factory=list)
    luck: random.Random = field(default_factory=lambda: random.Random(0))
    driver: subprocess.Popen[bytes] | None = None

    def start(self, config: Path) -> None:
        """Starts the driver, or goes on with its run."""
        how = ["--resume", str(self.run)] if self.run.is_dir() else [str(config), "--output", str(self.run)]
        with self.run.with_suffix(".log").open("ab") as log:
            arguments = [sys.executable, "-m", "experiments", "train", *how]
            self.driver = subprocess.Popen(arguments, stdout=log, stderr=log)
        self.lives += 1

    def sample(self) -> None:
        """Notes memory and handles of the driver and its runner."""
        for role, process in (("driver", self.process()), ("runner", self.runner())):
            if process is None:
                continue
            try:
                measured = {"memory_mib": round(memory_mib(process), 1), "open_files": open_files(process)}
            except (OSError, StopIteration):  # it has ended meanwhile
                continue
            about = {"minute": round(self.minute(), 3), "life": self.lives, "role": role}
            self.samples.append({**about, "process": process, "iteration": self.iteration(), **measured})

    def minute(self) -> float:
        """Minutes since the beginning."""
        return (time.monotonic() - self.began) / 60

    def process(self) -> int | None:
        """The driver's."""
        return self.driver.pid if self.driver and self.driver.poll() is None else None

    def runner(self) -> int | None:
        """The process that plays."""
        found = [each for each in descendants(self.head) if "EnvRunner" in command(each)]
        return found[0] if found and self.process() else None

    def iteration(self) -> int:
        """How far it has come."""
        rows = read_progress_rows(self.run / "seed_1" / "progress.csv")
        return int(rows[-1]["iteration"]) if rows else 0

    def next_from(self) -> int:
        """The iteration from which the next fault may come: training has gone on for more than an interval."""
        before = [fault["from"] + fault["lost"] for fault in self.faults if "from" in fault]
        return (before[-1] if before else 0) + 2 * INTERVAL

    # --- faults ------------------------------------------------------------------------------------------------------
    def inject(self, fault: str, config: Path) -> None:
        """Does it; `from` is the iteration that training goes on from, `lost` counts those to be done again."""
        runner, lost, may_lose = self.runner(), 0, 0
        if fault == "kill runner":
            if runner is None:
                return
            os.kill(runner, signal.SIGKILL)
        else:
            self._kill_driver()
            if fault == "damage checkpoint":
                self._damage()
            lost, may_lose = self.iteration() - self.saved(), INTERVAL * (1 + (fault == "damage checkpoint"))
            self.start(config)
        minute, at = round(self.minute(), 2), self.iteration() - lost
        self.faults.append({"minute": minute, "fault": fault, "from": at, "lost": lost, "may_lose": may_lose})

    def _kill_driver(self) -> None:
        assert self.driver is not None
        runner = self.runner()
        self.driver.kill()
        self.driver.wait()
        until = time.monotonic() + SECONDS_TO_END
        while runner and "EnvRunner" in command(runner) and time.monotonic() < until:
            time.sleep(0.2)
        if runner and "EnvRunner" in command(runner):
            self.faults.append({"fault": "a runner outlived its driver", "process": runner})

    def _damage(self) -> None:
        latest = checkpoints.latest(self.run / "seed_1" / "checkpoints")
        if latest is not None:
            file = self.luck.choice(sorted(path for path in latest.rglob("*") if path.is_file()))
            content = bytearray(file.read_bytes())
            content[self.luck.randrange(len(content))] ^= 1
            file.write_bytes(content)

    def saved(self) -> int:
        """The iteration of the latest whole checkpoint."""
        latest = checkpoints.latest(self.run / "seed_1" / "checkpoints")
        return checkpoints.read_progress(latest).iteration if latest else 0


def soak(
    minutes: Annotated[float, typer.Option(min=1)] = 120,
    every: Annotated[float, typer.Option(min=0.1, help="Minutes between faults.")] = 3,
    output: Annotated[Path, typer.Option(help="Folder of soak.json and soak.png.")] = Path("docs/results"),
) -> None:
    """Trains with faults; exit code 1 where training did not go on or memory or handles grew."""
    if os.environ.pop("RAY_ADDRESS", None):
        typer.echo("RAY_ADDRESS is left aside: runners are killed here, so this needs a Ray of its own")
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ray_head() as head:
        config = Path(folder) / "soak.yaml"
        config.write_text(CONFIG)
        run = Soak(Path(folder) / "run", head)
        ended_by_itself = _watch(run, config, 60 * minutes, 60 * every)
        results = _results(run, minutes, ended_by_itself)
    write_json(output / "soak.json", results)
    draw(results, output / "soak.png")
    typer.echo(f"{len(run.faults)} faults, iteration {results['iterations']}, flat: {results['flat']} -> {output}")
    raise typer.Exit(0 if results["survived"] == results["injected"] and all(results["flat"].values()) else 1)


def _watch(run: Soak, config: Path, seconds: float, every: float) -> list[str]:
    """Samples and injects until the time is over; returns why the driver ended where nobody had killed it."""
    faults, next_fault, ended = cycle(FAULTS), run.began + every, []
    run.start(config)
    while time.monotonic() < run.began + seconds:
        time.sleep(SECONDS_BETWEEN_SAMPLES)
        run.sample()
        if run.process() is None:
            ended.append(run.run.with_suffix(".log").read_text().splitlines()[-1][:300])
            run.start(config)
        if time.monotonic() > next_fault and run.iteration() >= run.next_from():
            fault = next(faults)
            run.inject(fault, config)
            typer.echo(f"{run.minute():5.1f} of {seconds / 60:.0f} minutes, iteration {run.iteration()}: {fault}")
            next_fault = time.monotonic() + every
    assert run.driver is not None
    run.driver.send_signal(signal.SIGTERM)
    run.driver.wait()
    return ended


def _results(run: Soak, minutes: float, ended_by_itself: list[str]) -> dict[str, Any]:
    """Counts, and whether memory and handles stayed flat. A fault is survived if training went on beyond it in time."""
    reached, done = run.iteration(), [fault for fault in run.faults if "from" in fault]
    later = [*(fault["from"] + fault["lost"] for fault in done), run.saved()][1:]
    for fault, then in zip(done, later, strict=True):
        fault["survived"] = fault["lost"] <= fault["may_lose"] and then > fault["from"]
    return {
        "minutes": minutes,
        "iterations": reached,
        "checkpoint_interval": INTERVAL,
        "injected": len(done),
        "survived": sum(fault["survived"] for fault in done),
        "by_fault": {name: sum(fault["fault"] == name for fault in done) for name in dict.fromkeys(FAULTS)},
        "most_iterations_lost": max((fault["lost"] for fault in done), default=0),
        "driver_ended_by_itself": ended_by_itself,
        **flatness(run.samples),
        "faults": run.faults,
        "samples": run.samples,
    }


if __name__ == "__main__":
    typer.run(soak)
