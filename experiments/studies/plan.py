"""`smfg plan`: solves the plans of households under many tax systems and fits the network that acts on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from envs.economy.presets import CALIBRATED
from policies.planning_household import SOLVED_FOR, solved_for
from rllib_smfg.cloning.plans import answers, fit_answers


def run(console: Console, output: Path, *, systems: int, states: int, steps: int, batch: int, seed: int) -> Path:
    """Writes the network's weights (an .npz of `policies.planning_household`) and says how well it fits."""
    torch.set_num_threads(1)
    known = []
    with console.status("plans") as status:
        for found in answers(CALIBRATED, systems, states, seed):
            known.append(found)
            status.update(f"plans {len(known)}/{systems}")
    network, losses = fit_answers(known, steps, batch, seed)
    output.parent.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = {name: value.numpy() for name, value in network.state_dict().items()}
    np.savez(output, **{**kept, SOLVED_FOR: np.array(solved_for(CALIBRATED))})
    fitted = float(np.sqrt(np.mean(losses[-10:])))
    console.print(f"{systems} tax systems; root mean squared error {fitted:.3f} in log odds", highlight=False)
    console.print(f"{output}", highlight=False)
    return output
