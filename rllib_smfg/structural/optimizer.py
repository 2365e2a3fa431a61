"""Adam along the axes in which gradients are uncorrelated: of a layer, and of all the numbers of a rule.

ShampooAdam is SOAP (Vyas et al. 2024, arXiv 2409.11321). A policy is a curve that must be right to a thousandth, over
households of whom some are a thousand times as rich as others; Adam, which knows one scale for each weight, takes
tens of thousands of steps to bend it so. For a layer's gradient G (m, n) the axes are the eigenvectors of Shampoo's
averages of G G' and G' G.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

from rllib_smfg.rule import RuleActor

LARGEST = 1e4  # entry of a gradient, to which longer ones are shortened: where play explodes its square is no number
SMALLEST = 1e-12  # scale of a step: where there is next to no gradient there is next to no step
# a memory of some twenty steps: where a leader's slopes were steep before says nothing of how flat they are now
LEADER_BETAS = (0.9, 0.95)
# where play exploded at first, slopes were a hundred thousand times as steep as they ever are again: no average of
# squares forgets that in a run, and all that time nothing would move
OUTDATED, RECENT = 10.0, 3  # slopes that are remembered as so many times the latest few are remembered as if like them
SETTLED = 10  # steps after which axes are found anew only every so often


class ShampooAdam(torch.optim.Optimizer):
    """Adam in the eigenbasis of Shampoo's preconditioner, found anew every `every` steps.

    betas: decay of the averages of the gradient and of its squares (in the axes, and of the axes' own).
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float,
        betas: tuple[float, float] = (0.95, 0.95),
        every: int = 5,
        eps: float = 1e-8,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "every": every, "eps": eps})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of all parameters that have a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None and parameter.numel():
                    self._move(parameter, parameter.grad, group)

    def _move(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        (slow, fast), state = group["betas"], self.state[parameter]
        G = gradient.reshape(gradient.shape[0], -1)
        G = G * _shortening([G])
        if not state:
            state.update(_begun(G))
        state["steps"] += 1
        steps = state["steps"]
        state["left"].lerp_(G @ G.T, 1 - fast)
        state["right"].lerp_(G.T @ G, 1 - fast)
        if steps <= SETTLED or steps % group["every"] == 0:
            state["left_axes"] = _axes(state["left"], state["left_axes"])
            state["right_axes"] = _axes(state["right"], state["right_axes"])
        U, V = state["left_axes"], state["right_axes"]
        state["mean"].lerp_(G, 1 - slow)
        state["square"].lerp_((U.T @ G @ V).square(), 1 - fast)
        mean = U.T @ state["mean"] @ V / (1 - slow**steps)
        size = (state["square"] / (1 - fast**steps)).sqrt() + group["eps"]
        parameter.sub_((U @ (mean / size) @ V.T).view_as(parameter), alpha=group["lr"])


class FullMatrixAdam(torch.optim.Optimizer):
    """Adam with the whole matrix of second moments, for the few numbers of a rule.

    For the gradients g of all numbers together, with averages m of g and C of g g', bias-corrected, a step is
    lr (C + damping tr(C) I)^(-1/2) m (GGT; Agarwal et al. 2019, arXiv 1806.02958). It is never longer than lr, as m m'
    is at most C. Instruments that pay for one another make a long valley: a transfer and the tax behind it gain
    something together and lose much apart, which steps that know one scale for each number do not find.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, beta: float = 0.95, damping: float = 1e-6) -> None:
        super().__init__(params, {"lr": lr, "beta": beta, "damping": damping})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of all parameters of a group together; one without a gradient stays."""
        for group in self.param_groups:
            parameters = group["params"]
            gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
            taken = self._taken(torch.cat([g.flatten() for g in gradients]), group)
            parts = torch.split(taken, [p.numel() for p in parameters])
            for parameter, part in zip(parameters, parts, strict=True):
                parameter.sub_(part.view_as(parameter), alpha=group["lr"])

    def _taken(self, g: Tensor, group: dict[str, Any]) -> Tensor:
        """The step (n,) that follows a gradient (n,), of a learning rate of 1."""
        beta, state = group["beta"], self.state[group["params"][0]]
        g = g * _shortening([g])
        if not state:
            state.update({"steps": 0, "mean": torch.zeros_like(g), "outer": torch.zeros_like(torch.outer(g, g))})
        remembered = float(state["outer"].trace()) / max(1 - beta ** state["steps"], SMALLEST)
        kept = _kept(group, float(g.square().sum()), remembered)
        if kept < 1:
            state["mean"] *= kept
            state["outer"] *= kept**2
        state["steps"] += 1
        state["mean"].lerp_(g, 1 - beta)
        state["outer"].lerp_(torch.outer(g, g), 1 - beta)
        counted = 1 - beta ** state["steps"]
        sizes, axes = torch.linalg.eigh(state["outer"].double() / counted)  # which single precision does not find
        scales = (sizes.clamp_min(0.0) + group["damping"] * sizes.sum()).sqrt().clamp_min(SMALLEST)
        step: Tensor = axes @ (axes.T @ (state["mean"].double() / counted) / scales)
        # an axis that rounding has turned a little would move what has no gradient
        return torch.where(state["outer"].diagonal() > 0, step, 0.0).to(g.dtype)


class LeaderAdam(torch.optim.Adam):
    """Adam that remembers gradients which were far steeper than all of the latest as if they had been like these."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of all parameters that have a gradient."""
        for group in self.param_groups:
            moved = [p for p in group["params"] if p.grad is not None and p.numel()]
            if not moved:  # by a leader of whom nothing follows
                continue
            shortening = _shortening([p.grad for p in moved])
            for p in moved:
                p.grad *= shortening
            states = [self.state[p] for p in moved if self.state[p]]
            now = float(torch.stack([p.grad.square().sum() for p in moved]).sum())
            kept = _kept(group, now, self._remembered(states, group["betas"][1]))
            for state in states if kept < 1 else []:
                state["exp_avg"] *= kept
                state["exp_avg_sq"] *= kept**2
        super().step(closure)

    def _remembered(self, states: list[dict[str, Tensor]], beta: float) -> float:
        """The average of squared gradients, summed over all numbers; 0 before the first step."""
        if not states:
            return 0.0
        squares = torch.stack([state["exp_avg_sq"].sum() for state in states]).sum()
        return float(squares) / (1 - math.pow(beta, float(states[0]["step"])))


def _shortening(gradients: list[Tensor]) -> Tensor:
    """The factor () that makes the largest entry of all of them `LARGEST` where it is larger."""
    largest = torch.stack([g.abs().max() for g in gradients]).max()
    return LARGEST / largest.clamp_min(LARGEST)


def _kept(group: dict[str, Any], now: float, remembered: float) -> float:
    """The factor of what is remembered of a group's gradients; takes note of `now`, the squares of the latest one."""
    latest = [*group.get("latest", []), now][-RECENT:]
    group["latest"] = latest
    if 0 < OUTDATED**2 * max(latest) < remembered:
        return math.sqrt(max(latest) / remembered)
    return 1.0


def _begun(G: Tensor) -> dict[str, Any]:
    """Averages of nothing yet, for gradients like G (m, n)."""
    m, n = G.shape
    return {
        "steps": 0,
        "left": G.new_zeros(m, m),
        "right": G.new_zeros(n, n),
        "left_axes": torch.eye(m, dtype=G.dtype, device=G.device),
        "right_axes": torch.eye(n, dtype=G.dtype, device=G.device),
        "mean": torch.zeros_like(G),
        "square": torch.zeros_like(G),
    }


def _axes(average: Tensor, known: Tensor) -> Tensor:
    """Eigenvectors of a symmetric matrix, of whatever size its entries are; those that are known where none are found.

    Any at right angles will do, and entries of very different size may have no others in single precision.
    """
    size = average.diagonal().sum().clamp_min(torch.finfo(average.dtype).tiny)
    try:
        axes: Tensor = torch.linalg.eigh(average / size).eigenvectors
    except torch.linalg.LinAlgError:
        return known
    return axes


def leader_optimizer(leader: nn.Module, rate: float) -> torch.optim.Optimizer:
    """Full-matrix Adam of a rule, which has few numbers; Adam of a network."""
    if isinstance(leader, RuleActor):
        return FullMatrixAdam(leader.parameters(), lr=rate, beta=LEADER_BETAS[1])
    return LeaderAdam(leader.parameters(), lr=rate, betas=LEADER_BETAS)
