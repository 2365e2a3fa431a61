"""Where the learner computes, and what acts in its process: on the processor, or on a CUDA device."""

from __future__ import annotations

from typing import get_args

import ray
import torch

from envs import InvalidSetting
from envs.registry import nearest
from rllib_smfg.settings import Device


def learner_gpus(device: str, learners: int) -> int:
    """How many CUDA devices the learner gets, 0 or 1; `auto` takes one where there is one.

    learners: processes that learn (0: this process does). Raises InvalidSetting for an unknown device, and for `cuda`
    where the learner would find none.
    """
    if device not in get_args(Device):
        raise InvalidSetting(f"device = {device!r}{nearest(str(device), list(get_args(Device)))}")
    if device == "cpu":
        return 0
    found = _found(learners)
    if device == "cuda" and not found:
        where = "the Ray cluster" if learners else "this machine"
        raise InvalidSetting(f"device = cuda: {where} has no CUDA device that torch can use; say cpu or auto")
    return int(found)


def _found(learners: int) -> bool:
    """Whether the learner finds a CUDA device; that of another process is looked for once Ray runs."""
    if learners and ray.is_initialized():
        return bool(ray.cluster_resources().get("GPU", 0))
    return torch.cuda.is_available()
