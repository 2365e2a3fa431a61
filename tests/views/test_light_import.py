"""The games stand on numpy and gymnasium alone: whoever only wants them need not load Ray, torch or PettingZoo."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from envs.registry import GAMES

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("ray", "torch", "pettingzoo")


OURS = [name for name, place in GAMES.items() if place.startswith("envs.")]  # an example that was imported adds its own


@pytest.mark.parametrize(
    "code",
    [
        "import envs",
        "import rllib_smfg; dir(rllib_smfg)",
        *(f"import envs; envs.make({name!r}).reset(0)" for name in OURS),
    ],
)
def test_the_games_load_neither_ray_nor_torch_nor_pettingzoo(code):
    script = f"{code}\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
