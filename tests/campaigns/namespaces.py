"""Network namespaces of this machine, each a node as far as talking goes; root alone may make them."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass


@dataclass(frozen=True)
class Namespace:
    """One of them, with its address on the bridge that joins all."""

    name: str
    address: str

    def command(self, *command: str) -> list[str]:
        """A command as it runs in there."""
        return ["ip", "netns", "exec", self.name, *command]

    def kill(self) -> None:
        """Ends every process in there, unasked."""
        found = subprocess.run(["ip", "netns", "pids", self.name], check=True, capture_output=True, text=True)
        for pid in map(int, found.stdout.split()):
            os.kill(pid, signal.SIGKILL)

    def link(self, state: str) -> None:
        """Sets its link to the others `up` or `down`."""
        ip("link", "set", f"{self.name}b", state)


def made(stack: ExitStack, count: int, bridge: str, net: str) -> list[Namespace]:
    """So many, NET.1 and up, with their bridge; all go at the stack's end."""
    ip("link", "add", bridge, "type", "bridge")
    stack.callback(ip, "link", "del", bridge)
    ip("link", "set", bridge, "up")
    found = [Namespace(f"{bridge}{k}", f"{net}.{k + 1}") for k in range(count)]
    for each in found:
        ip("netns", "add", each.name)
        stack.callback(ip, "netns", "del", each.name)
        ip("link", "add", f"{each.name}b", "type", "veth", "peer", "name", "eth0", "netns", each.name)
        stack.callback(ip, "link", "del", f"{each.name}b")  # a namespace goes with its last process, which takes time
        ip("link", "set", f"{each.name}b", "master", bridge, "up")
        ip("-n", each.name, "addr", "add", f"{each.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            ip("-n", each.name, "link", "set", device, "up")
    return found


def ip(*arguments: str) -> None:
    """Runs `ip`."""
    subprocess.run(["ip", *arguments], check=True)
