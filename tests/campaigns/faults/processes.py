"""What Linux says of processes: who their children are, how much memory they hold, how many files they have open."""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")


def descendants(process: int) -> list[int]:
    """Children, their children, and so on; without `process`."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = list(children.get(process, []))
    for each in found:
        found += children.get(each, [])
    return found


def command(process: int) -> str:
    """Its command line; empty for one that has ended."""
    try:
        return (PROC / str(process) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def memory_mib(process: int) -> float:
    """Resident memory."""
    lines = (PROC / str(process) / "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def open_files(process: int) -> int:
    """File handles, sockets among them."""
    return len(list((PROC / str(process) / "fd").iterdir()))


def listening(process: int) -> dict[int, list[str]]:
    """Where a process and its descendants listen, ADDRESS:PORT in hexadecimal as in /proc/net/tcp, by process."""
    known = {}
    for table in ("tcp", "tcp6"):
        for line in (PROC / "net" / table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A":  # LISTEN
                known[f"socket:[{fields[9]}]"] = fields[1]
    found: dict[int, list[str]] = {}
    for each in (process, *descendants(process)):
        try:
            targets = [str(handle.readlink()) for handle in (PROC / str(each) / "fd").iterdir()]
        except OSError:
            continue
        own = [known[target] for target in targets if target in known]
        if own:
            found[each] = own
    return found


def parent_of_listener(port: int) -> int:
    """The parent of the process that listens on a port of this machine; 0 if none does."""
    for process, places in listening(1).items():
        if any(int(place.rpartition(":")[2], 16) == port for place in places):
            return int((PROC / str(process) / "stat").read_text().rpartition(")")[2].split()[1])
    return 0
