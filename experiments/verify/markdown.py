"""The table of docs/equilibrium.md, from what `smfg verify --json` wrote.

Prints it: python -m experiments.verify.markdown docs/results/verify.json [METHOD]
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from experiments.results.markdown import markdown_table
from experiments.verify.kept import kept_cases


def table(cases: Sequence[Mapping[str, Any]]) -> str:
    """A line a case; `cases` as in verify.json."""
    return markdown_table(["case", "measured", "labels", "verdict"], map(_row, cases))


def _row(case: Mapping[str, Any]) -> list[str]:
    return [
        _name(case),
        _measured(case),
        _labels(case["labels"]),
        _verdict(case),
    ]


def _name(case: Mapping[str, Any]) -> str:
    gradients = f", {case['leader_gradient']}/{case['follower_gradient']} (control)" if case["control"] else ""
    return f"{case['game']}, N = {case['followers']:,}, {case['method']}{gradients}"


def _measured(case: Mapping[str, Any]) -> str:
    """Every check but that of the labels, which have a column of their own; those of one figure together.

    Of a control, what gives it away.
    """
    shown = [check for check in case["checks"] if not check["what"].startswith("seeds nearest")]
    if case["control"]:
        shown = [check for check in shown if not check["passed"]]
    return "; ".join(_figure(what, list(group)) for what, group in groupby(shown, key=_what))


def _what(check: Mapping[str, Any]) -> str:
    """The figure that is checked, without the words for how seeds are put together."""
    return str(check["what"]).replace("_", " ").removesuffix(" (worst seed)").removesuffix(" (IQM)")


def _figure(what: str, checks: Sequence[Mapping[str, Any]]) -> str:
    exact = "" if checks[0]["exact"] == 0 else f" (exact {checks[0]['exact']:.3g})"
    return f"{what}{exact}: " + ", ".join(_check(check) for check in checks)


def _check(check: Mapping[str, Any]) -> str:
    seeds = "worst " if check["what"].endswith("(worst seed)") else ""
    bound = check["bound"].replace("+- ", "±").replace("= ", "=")
    return f"{seeds}{check['measured']:.3g} ({bound})"


def _labels(labels: Sequence[str]) -> str:
    return ", ".join(f"{labels.count(label)} x {label}" for label in dict.fromkeys(labels))


def _verdict(case: Mapping[str, Any]) -> str:
    if case["control"]:
        return "fails, as it should" if case["passed"] else "**does not fail as it should**"
    missed = ", ".join(check["what"].replace("_", " ") for check in case["checks"] if not check["passed"])
    return f"**misses** {missed}" if missed else "passes"


if __name__ == "__main__":
    found = kept_cases(Path(sys.argv[1]))
    print(table([case for case in found if case["method"] in (sys.argv[2:] or case["method"])]))
