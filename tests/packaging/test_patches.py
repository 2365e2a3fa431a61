"""What a newcomer adds most often touches few files: a setting one, an observation two, an instrument two."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("envs", "policies", "rllib_smfg", "experiments")
Edits = dict[str, tuple[str, str]]  # file -> (what stands there, what a newcomer makes of it)

SETTING: Edits = {
    "rllib_smfg/structural/settings.py": (
        "    bound_penalty: float = field(",
        '    patience: float = field(default=0.5, metadata=says("of a newcomer"))\n    bound_penalty: float = field(',
    ),
}
OBSERVATION: Edits = {
    "envs/economy/observation.py": (
        "    number: Array = state.tfp",
        '    if name == "output_per_head":\n'
        "        output: Array = state.gdp / state.assets.shape[-1]\n"
        "        return output\n"
        "    number: Array = state.tfp",
    ),
    "envs/economy/presets.py": (
        'follower_sees=("wage", "interest_rate", "mean_income", "mean_assets"),\n        scales={',
        'follower_sees=("wage", "interest_rate", "mean_income", "mean_assets", "output_per_head"),\n'
        '        scales={\n            "output_per_head": (1e4, 3.0, 0.3),',
    ),
}
INSTRUMENT: Edits = {
    "envs/economy/instruments.py": (
        "UNITS = {",
        'FURTHER["interest_surcharge"] = Further(usual_most=0.3, largest=0.9)\n'
        'UNITS = {\n    "interest_surcharge": "of interest received",',
    ),
    "envs/economy/actions.py": (
        'further.get("capital_income_tax_rate"),',
        'further.get("interest_surcharge", further.get("capital_income_tax_rate")),',
    ),
}
PATCHES = {"setting": (SETTING, 1), "observation": (OBSERVATION, 2), "instrument": (INSTRUMENT, 2)}

USED = """
import numpy as np

from envs import make
from experiments.configuration.loading import load_experiment
from rllib_smfg import StructuralSMFRLConfig

# the setting: from Python and from the command line, and into what learns
config = StructuralSMFRLConfig().training(patience=0.25)
assert config.structural_settings().patience == 0.25
assert load_experiment("calibrated", ["algorithm.patience=0.25"]).algorithm.patience == 0.25

# the observation and the instrument: households see the one, and pay the other
settings = dict(name="economy", preset="calibrated", games=2, followers=20, instruments=["interest_surcharge"])
game = make(**settings)
assert game.follower_observes[-1] == "output_per_head"
assert game.instruments[-1] == "interest_surcharge"
observed = game.reset(seed=1)
assert observed.follower.shape[-1] == len(game.follower_observes)
np.testing.assert_allclose(observed.follower[..., -1], game.state.gdp / 20 * np.ones((2, 20)), rtol=1e-6)
households = np.broadcast_to((game.follower_action_space.low + game.follower_action_space.high) / 2, (2, 20, 2))
revenue = []
for rate in (0.0, 0.3):
    game.reset(seed=1)
    government = np.tile(game.leader_action_space.low, (2, 1))
    government[:, -1] = rate
    game.step(government, households)
    revenue.append(float(np.sum(game.state.debt)))
assert revenue[1] < revenue[0], revenue

# both sides learn with all three
config.game("economy", preset="calibrated", games=2, followers=20, instruments=["interest_surcharge"])
config.training(updates=2, updates_per_iteration=1, economies=2, household_years=1, lead_in=0.0, settling=0.0)
learner = config.build_algo().learner_group._learner.structural
learner.path_years = 3
logs = learner.update()
assert np.isfinite(logs["leader/discounted_return"])
print("all three are there")
"""


@pytest.mark.parametrize("patch", PATCHES)
def test_a_patch_touches_as_few_files_as_it_should(patch: str) -> None:
    edits, files = PATCHES[patch]
    assert len(edits) == files
    for file, (there, _) in edits.items():
        assert (ROOT / file).read_text(encoding="utf-8").count(there) == 1, file


def test_a_new_setting_observation_and_instrument_work(tmp_path: Path) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    for edits, _ in PATCHES.values():
        for file, (there, made) in edits.items():
            path = tmp_path / file
            path.write_text(path.read_text(encoding="utf-8").replace(there, made), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    script = 'import ray\nray.init(address="local", include_dashboard=False, num_cpus=1)\n' + USED
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert run.stdout.splitlines()[-1:] == ["all three are there"], run.stderr[-3000:]
