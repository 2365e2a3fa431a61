"""What a trained `rllib_smfg.networks.Network` (rectified layers beside a linear map) answers, in plain numpy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from envs.game import Array


def perceptron(weights: Mapping[str, Array], own: Array, shared: Array | None = None) -> Array:
    """Outputs (..., outputs) for rows `own` (..., do) and what they share, (..., ds); None: nothing, or its part is 0.

    weights: by the names of the network's state. A quadratic part, as critics have, is not for this.
    """
    w = weights
    h = own @ w["first_own.weight"].T + w["first_own.bias"]
    if shared is not None:
        h += shared @ w["first_shared.weight"].T
    np.maximum(h, 0, out=h)
    for layer in range(sum(name.startswith("middle.") for name in w) // 2):
        h = np.maximum(h @ w[f"middle.{layer}.weight"].T + w[f"middle.{layer}.bias"], 0)
    outputs: Array = h @ w["last.weight"].T + w["last.bias"] + own @ w["linear_own.weight"].T
    if shared is not None:
        outputs += shared @ w["linear_shared.weight"].T
    return outputs
