"""Adam in the axes of a layer's gradients: Adam where there is one axis, and fast where axes are far from even."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rllib_smfg.structural.optimizer import ShampooAdam


def distance(optimizer_class: type[torch.optim.Optimizer], steps: int, **how: Any) -> float:
    """How far a matrix still is from where a badly conditioned, turned quadratic form has its lowest point."""
    torch.manual_seed(0)
    turn = torch.linalg.qr(torch.randn(12, 12, dtype=torch.float64)).Q
    bend = turn @ torch.diag(torch.logspace(0, -4, 12, dtype=torch.float64)) @ turn.T
    place = nn.Parameter(torch.randn(12, 6, dtype=torch.float64))
    optimizer = optimizer_class([place], **how)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / steps)
        optimizer.zero_grad()
        (0.5 * (place * (bend @ place)).sum()).backward()
        optimizer.step()
    return float(place.detach().norm())


def test_uneven_axes_are_all_descended() -> None:
    start = distance(ShampooAdam, 0, lr=0.05)
    assert distance(ShampooAdam, 300, lr=0.05) < 0.02 * start
    assert distance(torch.optim.Adam, 300, lr=0.05) > 0.1 * start


def test_a_single_number_moves_as_adam_moves_it() -> None:
    numbers = [nn.Parameter(torch.tensor([3.0], dtype=torch.float64)) for _ in range(2)]
    ours = ShampooAdam(numbers[:1], lr=0.1, betas=(0.9, 0.99))
    theirs = torch.optim.Adam(numbers[1:], lr=0.1, betas=(0.9, 0.99))
    for _ in range(30):
        for optimizer, number in zip((ours, theirs), numbers, strict=True):
            optimizer.zero_grad()
            (number**2).sum().backward()
            optimizer.step()
    assert float(numbers[0].detach()) == pytest.approx(float(numbers[1].detach()), rel=1e-9)


def test_it_goes_on_from_its_state_exactly() -> None:
    def gradient(k: int) -> Tensor:
        return torch.randn(4, 3, generator=torch.Generator().manual_seed(k))

    def moved(optimizer: ShampooAdam, place: nn.Parameter, start: int) -> None:
        for k in range(start, start + 13):
            place.grad = gradient(k)
            optimizer.step()

    place = nn.Parameter(torch.zeros(4, 3))
    optimizer = ShampooAdam([place], lr=0.1)
    moved(optimizer, place, 0)
    again = nn.Parameter(place.detach().clone())
    resumed = ShampooAdam([again], lr=0.1)
    resumed.load_state_dict(deepcopy(optimizer.state_dict()))
    moved(optimizer, place, 13)
    moved(resumed, again, 13)
    assert torch.equal(place, again)
    assert not torch.equal(place, torch.zeros(4, 3))


def test_parameters_without_a_gradient_or_without_a_number_stay() -> None:
    still, empty = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.zeros(3, 0))
    empty.grad = torch.zeros(3, 0)
    ShampooAdam([still, empty], lr=1.0).step()
    assert torch.equal(still, torch.ones(2, 2))


def test_axes_that_are_not_found_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any it is Adam."""

    def lost(_: Tensor) -> None:
        raise torch.linalg.LinAlgError("did not converge")

    monkeypatch.setattr(torch.linalg, "eigh", lost)
    places = [nn.Parameter(torch.zeros(3, 2, dtype=torch.float64)) for _ in range(2)]
    ours = ShampooAdam(places[:1], lr=0.1, betas=(0.9, 0.99))
    theirs = torch.optim.Adam(places[1:], lr=0.1, betas=(0.9, 0.99))
    for k in range(12):
        for place in places:
            place.grad = torch.randn(3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(k))
        ours.step()
        theirs.step()
    torch.testing.assert_close(places[0], places[1])


def test_a_gradient_whose_square_is_no_number_moves_by_a_step_like_any_other() -> None:
    place = nn.Parameter(torch.zeros(3, 2))
    optimizer = ShampooAdam([place], lr=0.1)
    for k in range(20):
        place.grad = 1e30 * torch.randn(3, 2, generator=torch.Generator().manual_seed(k))
        before = place.detach().clone()
        optimizer.step()
        moved = float((place.detach() - before).abs().max())
        assert 0 < moved < 1
