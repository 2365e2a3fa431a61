"""A rule at its best on common random numbers: bounded quasi-Newton steps up the worth of its paths.

What a leader's step learns from a handful of paths is lost at the next one, which has other luck. A rule has few
numbers: once followers hardly change any more, the whole hill is climbed at once, on luck that stays.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import Bounds, OptimizeResult, minimize
from torch import Tensor, nn

from envs.game import Array
from rllib_smfg.rule import RuleActor
from rllib_smfg.structural.paired import free_numbers
from rllib_smfg.structural.settings import StructuralSettings

FIRST_STEP = 0.03  # in network units: how far the first slope is followed
REACH = 0.2  # in network units: how far a number is moved at once, as followers know how to answer what is near
# households of each game: of fewer, luck costs near an end what it does not cost a thousand; of more, so few games can
# be afforded that the best rule among them is too near the end for others
POPULATION = 500
LEAST_STEPS = 4  # along a valley the first ones gain next to nothing, and learn where it leads
NEVER = 1e6  # what a rule costs whose paths are no numbers

# what the rule is worth as it stands, and the slope of that in each of its parameters
Worth = Callable[[], tuple[float, list[Tensor]]]


class Within(nn.Module):
    """A rule whose outputs stop at the ends of the range, and their derivatives with them."""

    def __init__(self, rule: RuleActor) -> None:
        super().__init__()
        self.rule = rule

    def forward(self, own: Tensor, shared: Tensor) -> Tensor:
        """Outputs (..., a) in [-1, 1]."""
        outputs: Tensor = self.rule(own, shared)
        return outputs.clamp(-1.0, 1.0)


def usual_plays(settings: StructuralSettings) -> int:
    """About how many times all refinements of a run play a rule."""
    return settings.refinements * settings.refinement_plays // 2


def refine(
    rule: RuleActor,
    worth: Worth,
    share: float = 1.0,
    plays: int = StructuralSettings.refinement_plays,
    precision: float = StructuralSettings.refinement_precision,
) -> dict[str, float]:
    """Moves the rule to where it is worth most within `REACH` of where it stands (L-BFGS-B; Byrd et al. 1995).

    share: how much of the way there. plays: the most that are begun. precision: a last step that gained less than
    this share of all of them ends the search. Returns the gain of all of it, in units of `worth`, and how often the
    rule was played. A rule that has no slope stays.
    """
    free = free_numbers(rule).bool()
    ends = _ends(rule)[free.cpu().numpy()]
    start = np.clip(_numbers(rule, free), -ends, ends)
    bounds = np.maximum(start - REACH, -ends), np.minimum(start + REACH, ends)
    first = [_played(rule, free, start, worth)]
    at_start, steepness = first[0][0], float(np.linalg.norm(first[0][1]))
    if not 0 < steepness < np.inf:
        return {"leader/refined": 0.0, "leader/plays": 1.0}
    scale = FIRST_STEP / steepness  # the first step has the length of the scaled slope

    def cost(numbers: Array) -> tuple[float, Array]:
        value, slope = first.pop() if first else _played(rule, free, numbers, worth)  # it begins with the start
        if not (np.isfinite(value) and np.isfinite(slope).all()):
            return NEVER, np.zeros_like(numbers)
        return scale * (at_start - value), -scale * slope

    found = minimize(
        cost,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(*bounds),
        options={"maxfun": plays, "ftol": 0.0},
        callback=_Patience(precision),
    )
    best = found.x if found.fun < 0 else start
    _set(rule, free, start + share * (best - start))
    return {"leader/refined": max(0.0, -float(found.fun)) / scale, "leader/plays": float(found.nfev)}


class _Patience:
    """Ends a search whose last step gained little of what all did."""

    def __init__(self, precision: float) -> None:
        self.precision, self.costs = precision, [0.0]  # the first: of where it starts

    def __call__(self, intermediate_result: OptimizeResult) -> None:
        """After a step, as scipy asks."""
        self.costs.append(float(intermediate_result.fun))
        gained, last = self.costs[0] - self.costs[-1], self.costs[-2] - self.costs[-1]
        if len(self.costs) > LEAST_STEPS and last <= self.precision * gained:
            raise StopIteration


def _played(rule: RuleActor, free: Tensor, numbers: Array, worth: Worth) -> tuple[float, Array]:
    """What these numbers are worth, and the slope in each of them."""
    _set(rule, free, numbers)
    value, slope = worth()
    return value, torch.cat([part.flatten() for part in slope])[free].cpu().numpy().astype(np.float64)


def _numbers(rule: RuleActor, free: Tensor) -> Array:
    whole = torch.nn.utils.parameters_to_vector(rule.parameters()).detach()
    return whole[free].cpu().numpy().astype(np.float64)


@torch.no_grad()
def _set(rule: RuleActor, free: Tensor, numbers: Array) -> None:
    whole = torch.nn.utils.parameters_to_vector(rule.parameters())
    whole[free] = torch.as_tensor(numbers, dtype=whole.dtype, device=whole.device)
    torch.nn.utils.vector_to_parameters(whole, rule.parameters())


def _ends(rule: RuleActor) -> Array:
    """How far from 0 each parameter may lie: a constant that responds to nothing in the range, where it has a slope."""
    responds = rule.responds.any(1).cpu().numpy()
    constants = np.where(responds, np.inf, 1.0)
    return np.concatenate([constants, np.full(rule.response.numel(), np.inf)])
