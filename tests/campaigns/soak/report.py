"""Whether memory and file handles stayed flat during a soak, and a figure of them."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

Samples = list[dict[str, Any]]
ROLES = ("driver", "runner")
# a process counts after so many iterations, when libraries are loaded and the replay is full, and with so many samples
WARM_UP, SETTLED = 60, 24
MOST_GROWTH_MIB, MOST_GROWTH_FILES = 24.0, 4
COLOURS = {"driver": "#1b6ca8", "runner": "#c8553d"}


def flatness(samples: Samples) -> dict[str, Any]:
    """Growth within each process (medians of its second and its last quarter) and of a new one over the first."""
    growth = []
    for process in dict.fromkeys(sample["process"] for sample in samples):
        of_it = [sample for sample in samples if sample["process"] == process]
        of_it = [sample for sample in of_it if sample["iteration"] >= of_it[0]["iteration"] + WARM_UP]
        if len(of_it) < SETTLED:
            continue
        quarter = len(of_it) // 4
        early, late = of_it[quarter : 2 * quarter], of_it[-quarter:]
        growth.append(
            {
                "role": of_it[0]["role"],
                "minutes": round(of_it[-1]["minute"] - of_it[0]["minute"], 1),
                "memory_mib": [_median(part, "memory_mib") for part in (early, late)],
                "open_files": [_median(part, "open_files") for part in (early, late)],
            }
        )
    flat = {
        "measured": bool(growth),
        "memory": all(late - early <= MOST_GROWTH_MIB for early, late in _pairs(growth, "memory_mib")),
        "open_files": all(late - early <= MOST_GROWTH_FILES for early, late in _pairs(growth, "open_files")),
    }
    return {"flat": flat, "growth": growth}


def _median(samples: Samples, name: str) -> float:
    middle: float = median(sample[name] for sample in samples)
    return round(middle, 1)


def _pairs(growth: list[dict[str, Any]], name: str) -> list[list[float]]:
    return [each[name] for each in growth]


def draw(results: dict[str, Any], path: Path) -> None:
    """Memory above, handles below, a line for every fault."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True)
    for axis, (name, title) in zip(axes, (("memory_mib", "memory, MiB"), ("open_files", "open files")), strict=True):
        for role in ROLES:
            points = [sample for sample in results["samples"] if sample["role"] == role]
            axis.plot(
                [p["minute"] for p in points], [p[name] for p in points], ".", ms=3, color=COLOURS[role], label=role
            )
        for fault in results["faults"]:
            if "minute" in fault:
                axis.axvline(fault["minute"], color="0.7", lw=0.8, ls="-" if fault["fault"] == "kill runner" else "--")
        axis.set_ylabel(title)
        axis.set_ylim(bottom=0)
    axes[0].legend(frameon=False, loc="lower right")
    axes[1].set_xlabel("minutes (solid: a runner was killed; dashed: the driver)")
    figure.savefig(path, dpi=110)
