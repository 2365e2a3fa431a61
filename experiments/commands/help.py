"""What `smfg --help` shows: flags without a type, an example of every command, and names that a shell can complete."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

# command -> a call that does something as it stands
EXAMPLES = {
    "train": "smfg train quickstart --set game.followers=1000 --output runs/first",
    "evaluate": "smfg evaluate runs/first --episodes 64",
    "report": "smfg report runs/first",
    "reform": "smfg reform wealth_tax_2_percent basic_income",
    "release": "smfg release runs/first",
    "compare": "smfg compare table3_quick --set evaluation.episodes=8",
    "grid": "smfg grid table3 --scale quick",
    "tune": "smfg tune asha_smfrl --set search.trials=4",
    "pretrain": "smfg pretrain pretrain_survey",
    "exploitability": "smfg exploitability runs/first --quick",
    "frontier": "smfg frontier quickstart",
    "impulse": "smfg impulse us_system --shock disaster",
    "schedule": "smfg schedule us_federal us_system",
    "calibrate": "smfg calibrate --check",
    "transition": "smfg transition us_system --years 100",
    "optimum": "smfg optimum --instruments xi,spending",
    "plan": "smfg plan plans.npz",
    "convergence": "smfg convergence",
    "solve": "smfg solve linear_quadratic --followers 16",
    "verify": "smfg verify --quick",
    "export": "smfg export runs/first --output policies",
    "replay": "smfg replay recorded.npz --preset paper",
    "bench": "smfg bench stage_game --seeds 3 --cpu-seconds 30",
    "benchmark": "smfg benchmark --quick",
    "data check": "smfg data check SCFP2022.csv",
    "compete households": "smfg compete households docs/examples/submission.py:CarefulHouseholds",
    "compete government": "smfg compete government docs/examples/submission.py:ProgressiveGovernment",
}


def example(name: str) -> str:
    """The last line of a command's help."""
    return f"Example: {EXAMPLES[name]}"


class _Flags:
    """Shows flags as flags, not as `<bool>`."""

    def get_params(self, ctx: Any) -> list[Any]:
        """All parameters of the command."""
        params: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for param in params:
            if getattr(param, "is_flag", False) and param.metavar is None:
                param.metavar = ""
        return params


class Command(_Flags, TyperCommand):
    """A command."""


class Group(_Flags, TyperGroup):
    """A group of commands."""
