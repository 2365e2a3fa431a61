"""A compiled year is the written one; where it cannot be, or does not pay, the year is played as it is written."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
import torch
from structural_parts import DOUBLE, built, constant_rule, needs_compiler, networks, sides, traced
from torch import nn

from envs.arithmetic import Arrays, Mean, Outcome
from envs.linear_quadratic import LinearQuadratic
from rllib_smfg.structural.paths import (
    CompiledYear,
    Play,
    Returns,
    Year,
    draw_luck,
    next_year,
    returns,
    year_played,
)
from rllib_smfg.structural.settings import StructuralSettings


def worth(play: Play, years: int, year: Year) -> tuple[Returns, list[torch.Tensor]]:
    """Of paths that are played year by year, and its derivative in the leader's numbers."""
    assert isinstance(play.leader, nn.Module)
    found = returns(play, draw_luck(play.game, 5, years, DOUBLE), play.game.discount, year)
    slopes = torch.autograd.grad((found.leader - found.strain).sum(), list(play.leader.parameters()))
    return found, list(slopes)


def agree(play: Play, years: int, year: CompiledYear) -> None:
    here, written = worth(play, years, year), worth(play, years, next_year)
    assert not year.compiled.why_not
    for name, x in vars(written[0]).items():
        torch.testing.assert_close(getattr(here[0], name), x, rtol=1e-9, atol=1e-9)
    for one, other in zip(here[1], written[1], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-7, atol=1e-9)


@needs_compiler
def test_paths_and_their_derivatives_are_the_written_ones() -> None:
    game = built("linear_quadratic", games=3, followers=6)
    leader, follower = networks(game)
    agree(Play(game, *sides(game), leader, follower.requires_grad_(False)), 5, CompiledYear())


def test_a_traced_year_plays_by_other_weights_and_without_derivatives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "compile", traced)
    game = built("linear_quadratic", games=3, followers=6)
    leader, follower = networks(game)
    year = CompiledYear()
    play = Play(game, *sides(game), leader, follower.requires_grad_(False))
    agree(play, 5, year)
    with torch.no_grad():
        next(leader.parameters()).mul_(0.5)
        found = returns(play, draw_luck(game, 6, 5, DOUBLE), game.discount, year)
        written = returns(play, draw_luck(game, 6, 5, DOUBLE), game.discount)
    torch.testing.assert_close(found.leader, written.leader, rtol=1e-9, atol=1e-9)
    assert not year.compiled.why_not


@needs_compiler
@pytest.mark.slow
@pytest.mark.parametrize("concept", ["total", "partial"])
def test_an_economy_s_paths_with_ends_and_strain_are_the_written_ones(concept: str) -> None:
    game = built("economy", games=3, followers=20, preset="calibrated", task="social_welfare")
    _, follower = networks(game)
    leader = constant_rule(game, [0.0, 0.0, -0.9, -0.9, 0.9])  # spends until debt ends it
    seen = deepcopy(leader).requires_grad_(False) if concept == "partial" else None
    play = Play(game, *sides(game), leader, follower.requires_grad_(False), seen)
    agree(play, 40, CompiledYear())
    found, _ = worth(play, 40, next_year)
    assert float(found.lived.min().detach()) < 1.0


class Counts(LinearQuadratic):
    """A game whose arithmetic remembers how often it was asked."""

    asked = 0

    def advance(self, state: Arrays, leader: Any, follower: Any, shocks: Arrays, mean: Mean) -> Outcome:
        self.asked += 1
        outcome = super().advance(state, leader, follower, shocks, mean)
        return replace(outcome, leader_reward=outcome.leader_reward + self.asked)


class Looks(LinearQuadratic):
    """A game that looks at its numbers to decide what to compute."""

    def advance(self, state: Arrays, leader: Any, follower: Any, shocks: Arrays, mean: Mean) -> Outcome:
        outcome = super().advance(state, leader, follower, shocks, mean)
        return replace(outcome, leader_reward=outcome.leader_reward * (2.0 if mean(state["x"]).sum() > 0 else 1.0))


@pytest.mark.parametrize(("kind", "why"), [(Counts, "is off by"), (Looks, "data-dependent")])
def test_a_game_that_is_no_pure_arithmetic_is_played_as_it_is_written(
    kind: type[LinearQuadratic], why: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "compile", traced)
    game = kind(games=2, followers=3)
    leader, follower = networks(game)
    play = Play(game, *sides(game), leader, follower.requires_grad_(False))
    year = CompiledYear()
    found, _ = worth(play, 3, year)
    assert why in year.compiled.why_not
    assert year.compiled.why_not in caplog.text
    if kind is Looks:
        torch.testing.assert_close(found.leader, worth(play, 3, next_year)[0].leader, rtol=0.0, atol=0.0)


def test_a_year_whose_derivative_is_spoilt_is_played_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """As torch's compiler did where it used buffers again: the right numbers with the wrong slopes."""

    def spoilt(program: Any, **options: Any) -> Any:
        def year(fixed: Any, carried: Any) -> Any:
            return {name: x + 0.5 * (x - x.detach()) for name, x in program(fixed, carried).items()}

        return year

    monkeypatch.setattr(torch, "compile", spoilt)
    game = built("linear_quadratic", games=2, followers=3)
    play = Play(game, *sides(game), *networks(game))
    year = CompiledYear()
    _, slopes = worth(play, 3, year)
    assert "is off by" in year.compiled.why_not
    for one, other in zip(slopes, worth(play, 3, next_year)[1], strict=True):
        torch.testing.assert_close(one, other, rtol=0.0, atol=0.0)


def test_a_machine_without_a_compiler_plays_the_year_as_it_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*program: Any, **options: Any) -> Any:
        raise RuntimeError("No working C++ compiler found\nand more")

    monkeypatch.setattr(torch, "compile", missing)
    game = built("linear_quadratic", games=2, followers=3)
    play = Play(game, *sides(game), *networks(game))
    year = CompiledYear()
    found, _ = worth(play, 3, year)
    assert year.compiled.why_not == "No working C++ compiler found"
    torch.testing.assert_close(found.leader, worth(play, 3, next_year)[0].leader, rtol=0.0, atol=0.0)
    other = replace(play, game=built("linear_quadratic", games=2, followers=3))
    with pytest.raises(ValueError, match="another game needs a CompiledYear of its own"):
        worth(other, 3, year)


def test_it_is_compiled_where_it_pays() -> None:
    game = built("linear_quadratic", games=2, followers=3)
    assert isinstance(year_played(StructuralSettings(), game, 100, 100), CompiledYear)
    assert year_played(StructuralSettings(), game, 100, 99) is next_year
    assert year_played(StructuralSettings(compile_paths=False), game, 100, 100) is next_year
    vast = built("linear_quadratic", games=2, followers=100_000)
    assert year_played(StructuralSettings(), vast, 100, 100) is next_year
