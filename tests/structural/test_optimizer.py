"""Adam in the axes of gradients: Adam where there is one axis, and fast where axes are far from even."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rllib_smfg.structural.optimizer import LEADER_BETAS, FullMatrixAdam, LeaderAdam, ShampooAdam


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


@pytest.mark.parametrize("optimizer_class", [ShampooAdam, FullMatrixAdam, LeaderAdam])
def test_it_goes_on_from_its_state_exactly(optimizer_class: type[torch.optim.Optimizer]) -> None:
    def gradient(k: int) -> Tensor:
        return torch.randn(4, 3, generator=torch.Generator().manual_seed(k))

    def moved(optimizer: torch.optim.Optimizer, place: nn.Parameter, start: int) -> None:
        for k in range(start, start + 13):
            place.grad = gradient(k)
            optimizer.step()

    place = nn.Parameter(torch.zeros(4, 3))
    optimizer = optimizer_class([place], lr=0.1)
    moved(optimizer, place, 0)
    again = nn.Parameter(place.detach().clone())
    resumed = optimizer_class([again], lr=0.1)
    resumed.load_state_dict(deepcopy(optimizer.state_dict()))
    moved(optimizer, place, 13)
    moved(resumed, again, 13)
    assert torch.equal(place, again)
    assert not torch.equal(place, torch.zeros(4, 3))


@pytest.mark.parametrize("optimizer_class", [ShampooAdam, FullMatrixAdam, LeaderAdam])
def test_parameters_without_a_gradient_or_without_a_number_stay(optimizer_class: type[torch.optim.Optimizer]) -> None:
    still, empty = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.zeros(3, 0))
    empty.grad = torch.zeros(3, 0)
    optimizer_class([still, empty], lr=1.0).step()
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


@pytest.mark.parametrize("optimizer_class", [ShampooAdam, FullMatrixAdam])
def test_a_gradient_whose_square_is_no_number_moves_by_a_step_like_any_other(
    optimizer_class: type[torch.optim.Optimizer],
) -> None:
    place = nn.Parameter(torch.zeros(3, 2))
    optimizer = optimizer_class([place], lr=0.1)
    for k in range(20):
        place.grad = 1e30 * torch.randn(3, 2, generator=torch.Generator().manual_seed(k))
        before = place.detach().clone()
        optimizer.step()
        moved = float((place.detach() - before).abs().max())
        assert 0 < moved < 1


def valley(optimizer: torch.optim.Optimizer, numbers: list[nn.Parameter], steps: int) -> float:
    """How far along a valley, 10 long, one gets: two numbers lose 1000 times as much apart as they gain together."""
    noise = torch.Generator().manual_seed(0)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.2 * (1 - step / steps)
        optimizer.zero_grad()
        first, second = (number.squeeze() for number in numbers)
        shaken = 0.3 * float(torch.randn((), generator=noise))
        (1000 * (first - second + shaken).square() + (first + second - 20).square()).backward()
        optimizer.step()
    return float(sum(number.detach().sum() for number in numbers)) / 2


def test_numbers_that_pay_for_one_another_go_along_their_valley() -> None:
    def numbers() -> list[nn.Parameter]:
        return [nn.Parameter(torch.zeros(shape)) for shape in ((1,), (1, 1))]

    ours, theirs = numbers(), numbers()
    assert valley(FullMatrixAdam(ours, lr=0.2), ours, 150) > 9
    assert valley(torch.optim.Adam(theirs, lr=0.2, betas=(0.9, 0.95)), theirs, 150) < 5


def test_no_step_is_longer_than_the_rate() -> None:
    place, random = nn.Parameter(torch.zeros(5)), torch.Generator().manual_seed(3)
    optimizer = FullMatrixAdam([place], lr=0.1)
    for _ in range(40):
        place.grad = torch.randn(5, generator=random) * torch.tensor([1e-6, 1.0, 1e3, 0.0, 5.0])
        before = place.detach().clone()
        optimizer.step()
        moved = (place.detach() - before).norm()
        assert 0 < float(moved) < 0.1 * (1 + 1e-4)


@pytest.mark.parametrize("optimizer_class", [ShampooAdam, FullMatrixAdam, LeaderAdam])
def test_a_gradient_whose_square_is_no_number_is_got_over(optimizer_class: type[torch.optim.Optimizer]) -> None:
    place, empty = nn.Parameter(torch.full((2, 1), 3.0)), nn.Parameter(torch.zeros(2, 0))
    optimizer = optimizer_class([place, empty], lr=0.1)
    for step in range(600):
        empty.grad = torch.zeros(2, 0)
        place.grad = torch.full((2, 1), 1e30) if step < 2 else place.detach().sign()
        optimizer.step()
    # down by some .1 a step once they are forgotten, and about 0 from then on
    assert place.abs().max() < 1.0


def test_numbers_without_a_gradient_stay_to_the_last_bit() -> None:
    place = nn.Parameter(torch.zeros(20))
    optimizer = FullMatrixAdam([place], lr=0.1)
    random = torch.Generator().manual_seed(0)
    for _ in range(5):
        place.grad = torch.zeros(20)
        place.grad[5:10] = torch.randn(5, generator=random)
        optimizer.step()
    assert torch.equal(place != 0, place.grad != 0)


def test_axes_that_rounding_turned_move_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    exact = torch.linalg.eigh

    def turned(matrix: Tensor) -> tuple[Tensor, Tensor]:
        sizes, axes = exact(matrix)
        return sizes, axes + 1e-3

    monkeypatch.setattr(torch.linalg, "eigh", turned)
    place = nn.Parameter(torch.zeros(3))
    place.grad = torch.tensor([0.0, 1.0, 0.5])
    FullMatrixAdam([place], lr=0.1).step()
    assert torch.equal(place != 0, torch.tensor([False, True, True]))


@pytest.mark.parametrize("optimizer_class", [LeaderAdam, FullMatrixAdam])
def test_an_explosion_is_soon_forgotten(
    optimizer_class: type[torch.optim.Optimizer],
) -> None:
    place = nn.Parameter(torch.zeros(3))
    optimizer = optimizer_class([place], lr=0.1)
    for slope in (1e4, 300.0, 10.0, *[1.0] * 40):
        place.grad = torch.full((3,), slope)
        before = place.detach().clone()
        optimizer.step()
    assert float((before - place.detach()).norm()) > 0.05


def test_slopes_that_are_but_noisy_are_remembered() -> None:
    """To the digit: Adam's steps where slopes differ by a factor of ten."""
    places = [nn.Parameter(torch.zeros(4)) for _ in range(2)]
    ours = LeaderAdam(places[:1], lr=0.1, betas=LEADER_BETAS)
    theirs = torch.optim.Adam(places[1:], lr=0.1, betas=LEADER_BETAS)
    for k in range(50):
        slope = torch.randn(4, generator=torch.Generator().manual_seed(k)) * (10.0 if k % 7 == 3 else 1.0)
        for place, optimizer in zip(places, (ours, theirs), strict=True):
            place.grad = slope.clone()
            optimizer.step()
    assert torch.equal(places[0], places[1])
