"""Three learners on a Ray cluster of three nodes: python -m tests.campaigns.nodes FOLDER [quiet kill link].

Every node is a `ray start` in a network namespace of its own, as root. The same seed is trained undisturbed, with a
node that is killed and replaced, and with a link that is down for 80 s. JSON says how long each took, how often
learners were built again, and whether the policies are bit for bit those of the undisturbed run.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from tests.campaigns import namespaces
from tests.campaigns.namespaces import Namespace

PORT, STORE = 6390, 10**8
NODES, DOWN = 3, 80.0
CONFIG = "experiments/configs/verify/structural/brock_mirman.yaml"
SETTINGS = {
    "game.followers": 1000,
    "algorithm.economies": 18,
    "training.seeds": [1],
    "training.learners": NODES,
    "training.iterations": 8,
    "training.checkpoint_interval": 1,
    "evaluation.final_episodes": 2,
    "comparison.baselines": [],
}
TROUBLE_AFTER = 3  # iterations
ENVIRONMENT = {
    "GLOO_SOCKET_IFNAME": "eth0",
    "OMP_NUM_THREADS": "1",
    "RAY_AUTH_MODE": "token",  # of `ray get-auth-token --generate`
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "300",
}


class Cluster:
    """A head with two CPUs, one of which is the trainer's, and other nodes with one."""

    def __init__(self, stack: ExitStack, spaces: list[Namespace], logs: Path) -> None:
        self.spaces, self._logs, self._stack = spaces, logs, stack
        self.environment = {**os.environ, **ENVIRONMENT}
        self.nodes = [self.start(k) for k in range(len(spaces))]
        stack.callback(self.end)

    @property
    def address(self) -> str:
        """Of the head."""
        return f"{self.spaces[0].address}:{PORT}"

    def start(self, k: int) -> subprocess.Popen[bytes]:
        """Starts the node of the k-th namespace."""
        space = self.spaces[k]
        head = ["--head", f"--port={PORT}", "--include-dashboard=false", f"--temp-dir={self._logs / 'ray'}"]
        where = head if k == 0 else [f"--address={self.address}"]
        options = [
            f"--node-ip-address={space.address}",
            f"--num-cpus={1 + (k == 0)}",
            f"--object-store-memory={STORE}",
        ]
        ray = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *where, *options]
        log = self._stack.enter_context((self._logs / f"node_{k}.log").open("ab"))
        node = subprocess.Popen(space.command(*ray), env=self.environment, stdout=log, stderr=log)
        time.sleep(15.0 if k == 0 else 5.0)
        return node

    def replace_last(self) -> None:
        """Starts the last node anew, and ends what is left of it."""
        self.spaces[-1].kill()
        self.nodes[-1] = self.start(len(self.spaces) - 1)

    def end(self) -> None:
        """Ends all nodes."""
        for space in self.spaces:
            space.kill()

    def smfg(self, *arguments: str) -> list[str]:
        """A command of ours on the head."""
        return self.spaces[0].command(sys.executable, "-m", "experiments", *arguments)


def trained(cluster: Cluster, folder: Path, trouble: str) -> dict[str, object]:
    """One training, with what happened to it."""
    overrides = [f"--set={name}={json.dumps(value)}" for name, value in SETTINGS.items()]
    environment = {**cluster.environment, "RAY_ADDRESS": cluster.address}
    log, exported = folder.with_suffix(".log"), folder.with_name(f"{folder.name}_policies")
    began = time.monotonic()
    with log.open("wb") as out:
        command = cluster.smfg("train", CONFIG, *overrides, "--output", str(folder))
        training = subprocess.Popen(command, env=environment, stdout=out, stderr=out)
        if trouble != "quiet":
            wait_for_iteration(folder, training)
            TROUBLES[trouble](cluster)
        code = training.wait()
        seconds = time.monotonic() - began
        export = cluster.smfg("export", str(folder), "--output", str(exported))
        subprocess.run(export, env=environment, check=True, stdout=out, stderr=out)
    again = log.read_text().count("going on from the latest checkpoint")
    return {"exit": code, "seconds": round(seconds), "built again": again, "policies": digest(exported)}


def wait_for_iteration(folder: Path, training: subprocess.Popen[bytes]) -> None:
    """Until a few iterations are saved; raises RuntimeError where training ends before."""
    while len(list(folder.glob("*/checkpoints/*/"))) < TROUBLE_AFTER:
        if training.poll() is not None:
            raise RuntimeError(f"training ended with {training.returncode} before anything happened to it")
        time.sleep(0.5)


def killed(cluster: Cluster) -> None:
    """The last node's processes are killed; another node comes after half a minute."""
    cluster.spaces[-1].kill()
    time.sleep(30)
    cluster.replace_last()


def link_down(cluster: Cluster) -> None:
    """The last node hears nobody for 80 s; where Ray has given it up meanwhile it is started again."""
    space = cluster.spaces[-1]
    space.link("down")
    time.sleep(DOWN)
    space.link("up")
    time.sleep(10)
    if cluster.nodes[-1].poll() is not None:
        cluster.replace_last()


TROUBLES = {"kill": killed, "link": link_down}


def digest(folder: Path) -> str:
    """Of the weights that were exported."""
    files = sorted(folder.rglob("*.safetensors"))
    return hashlib.sha256(b"".join(each.read_bytes() for each in files)).hexdigest()[:16]


def run(folder: Path, troubles: list[str]) -> int:
    """Returns 0 where every training ends with the policies of the first."""
    folder.mkdir(parents=True)
    with ExitStack() as stack:
        cluster = Cluster(stack, namespaces.made(stack, NODES, "smfgn", "10.78.0"), folder)
        found = {}
        for trouble in troubles:
            found[trouble] = trained(cluster, folder / trouble, trouble)
            print(json.dumps({trouble: found[trouble]}), flush=True)
    alike = {each["policies"] for each in found.values()}
    print(json.dumps({"bit for bit alike": len(alike) == 1}))
    return int(len(alike) != 1 or any(each["exit"] for each in found.values()))


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]).resolve(), sys.argv[2:] or ["quiet", "kill", "link"]))
