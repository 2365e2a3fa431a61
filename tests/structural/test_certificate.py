"""What is certified of a pair: a pinned instrument is found, a bad government could gain, and all of it is written."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from structural_parts import built

from envs import make
from policies.given import Given
from rllib_smfg.build import Interface
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.networks import SmoothActor
from rllib_smfg.rule import RuleActor
from rllib_smfg.settings import LearningSettings
from rllib_smfg.structural import certificate, gain
from rllib_smfg.structural.gain import leader_gain

GAME = {
    "name": "economy",
    "preset": "calibrated",
    "task": "social_welfare",
    "horizon": 60,
    "games": 1,
    "followers": 50,
}
US = [0.3, 0.181, 0.0, 0.0, 0.15]


def pair(leader_action: list[float] = US, game: dict[str, Any] = GAME) -> TrainedPolicies:
    """A constant government among households who keep .75 of what they have and work .4 of their time."""
    one = make(**game)
    torch.manual_seed(0)
    assert hasattr(one, "leader_observes")
    leader = RuleActor(len(one.leader_observes), one.leader_action_space, leader_action, None)
    sizes = (len(one.follower_observes), len(one.instruments))
    follower = SmoothActor(*sizes, (8,), one.follower_action_space, [0.75, 0.4])
    return TrainedPolicies(leader, follower, Interface.of(one), LearningSettings(hidden=(8,)), game)


def test_instruments_at_a_bound_are_those_that_are_pinned() -> None:
    box = make(**GAME).leader_action_space
    names = built("economy", preset="calibrated", games=1, followers=2).instruments
    low = certificate.instruments_at_bound(pair(), 0)
    # no tax on assets is an end of its range
    at_the_end = {name for name, x, end in zip(names, US, box.low, strict=True) if x <= end}
    assert set(low) == at_the_end
    assert all(each["end"] == "lower" and each["share_of_years"] == 1.0 for each in low.values())
    pinned = [*US[:1], float(box.high[1]), *US[2:]]
    found = certificate.instruments_at_bound(pair(pinned), 0)
    progressivity = names[1]
    assert found[progressivity]["end"] == "upper"
    assert found[progressivity]["bound"] == pytest.approx(float(box.high[1]))


def test_a_certificate_has_both_sides_and_is_written_beside_the_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificate, "GAMES", 2)
    monkeypatch.setattr(certificate, "SINCES", (0, 40))
    monkeypatch.setattr(certificate, "SHIFTS", (0.0, 0.1))
    monkeypatch.setattr(certificate, "YEARS_LOOKED_AT", 10)
    monkeypatch.setattr(certificate, "leader_gain", partial(leader_gain, steps=1, games=1, judged=2, tail=0.7))
    policies = pair()
    assert certificate.can_certify(policies)
    console = Console(file=io.StringIO(), width=200)
    certificate.write(console, [policies], {7: tmp_path}, seed=3)
    known = json.loads((tmp_path / certificate.FILE).read_text())
    assert set(known) == {"seed", "followers", "households", "leader", "at_bound"}
    assert (known["seed"], known["followers"]) == (3, 50)
    assert [(each["since"], each["shift"]) for each in known["households"]] == [
        (0, 0.0),
        (40, 0.0),
        (0, 0.1),
        (40, 0.1),
    ]
    # they have learned nothing yet
    assert all(each["of_consumption"]["value"] > 0 for each in known["households"] if not each["shift"])
    assert set(known["leader"]) == {"gain", "low", "high", "starts", "years", "games"}
    assert {"derivatives", "paired search"} < set(known["leader"]["starts"])
    assert known["leader"]["low"] <= known["leader"]["gain"] <= known["leader"]["high"]
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "rests at its lower bound" in text
    assert "certificate" in text


def test_where_nobody_lives_to_a_year_a_dash_stands_in_its_place() -> None:
    from_the_start = {"since": 0, "shift": 0.0, "of_consumption": {"value": 0.02, "low": 0.01, "high": 0.03}}
    leader = {"gain": 0.0, "low": -0.01, "high": 0.01}
    console = Console(file=io.StringIO(), width=200)
    certificate.show(console, {7: {"households": [from_the_start], "leader": leader, "at_bound": {}}})
    row = next(line for line in console.file.getvalue().splitlines() if "0.020" in line)  # type: ignore[attr-defined]
    assert [cell.strip() for cell in row.strip("│").split("│")] == [
        "7", "0.020 [0.010, 0.030]", "-", "-", "0.000 [-0.010, 0.010]",
    ]  # fmt: skip


def test_pairs_that_cannot_be_certified_are_told_apart(tmp_path: Path) -> None:
    given = pair()
    assert not certificate.can_certify(TrainedPolicies(Given("us_system"), given.follower, given.interface,
                                                       given.settings, given.game))  # fmt: skip
    paper = {**GAME, "preset": "paper", "task": "gdp"}
    assert not certificate.can_certify(pair([0.3, 0.1, 0.0, 0.0, 0.15], paper))
    certificate.write(Console(file=io.StringIO()), [pair([0.3, 0.1, 0.0, 0.0, 0.15], paper)], {1: tmp_path}, seed=0)
    assert list(tmp_path.iterdir()) == []


# --- what a government could gain ------------------------------------------------------------------------------------
def spending(action: float) -> tuple[Any, RuleActor, SmoothActor]:
    """`brock_mirman` with a constant tax, among households who save as they should."""
    make_game = partial(built, "brock_mirman", followers=20)
    game = make_game(games=1)
    leader = RuleActor(1, game.leader_action_space, [action], None)
    follower = SmoothActor(2, 1, (8,), game.follower_action_space, [game.parameters.al * game.parameters.be])
    with torch.no_grad():  # whatever they see
        for layer in (follower.last, follower.linear_own, follower.linear_shared):
            layer.weight.zero_()
    return make_game, leader, follower


def test_a_bad_constant_government_could_gain_and_the_best_one_nothing() -> None:
    make_game, bad, follower = spending(0.6)
    best = make_game(games=1).parameters.optimal_tax
    found = leader_gain(make_game, bad, follower, 1, 1.0, steps=10, rate=0.1, tail=0.015)
    assert found.gain > 5
    assert found.low > 0
    assert found.low <= found.gain <= found.high
    assert set(found.starts) == {"derivatives", "derivatives, start 2", "derivatives, start 3", "paired search"}
    assert found.starts["derivatives"] > 0
    assert found.starts["paired search"] > 0
    assert found.gain == pytest.approx(max(found.starts.values()), rel=0.05)
    make_game, good, follower = spending(best)
    nothing = leader_gain(make_game, good, follower, 1, 1.0, steps=10, rate=0.1)
    assert 0 <= nothing.gain < 0.05


@pytest.mark.parametrize("name", ["climbed", "searched"])
def test_a_search_that_runs_away_is_not_the_best_and_does_not_hide_the_others(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_game, leader, follower = spending(0.6)
    lost = RuleActor(1, make_game(games=1).leader_action_space, [0.3], None)
    with torch.no_grad():
        lost.constant.fill_(float("nan"))
    monkeypatch.setattr(gain.LeaderPaths, name, lambda *_, **__: lost)
    found = leader_gain(make_game, leader, follower, 1, 1.0, steps=4, rate=0.1, tail=0.13)
    assert found.gain > 1
    assert any(np.isnan(x) for x in found.starts.values())


def test_nothing_is_certified_where_no_search_ends_in_numbers() -> None:
    make_game, leader, follower = spending(0.6)
    with torch.no_grad():
        leader.constant.fill_(float("nan"))
    assert np.isnan(leader_gain(make_game, leader, follower, 1, 1.0, steps=1, rate=0.1, tail=0.75).gain)


def test_the_worst_off_the_path_is_not_hidden_where_one_shift_could_not_be_solved() -> None:
    def household(since: int, shift: float, value: float) -> dict[str, Any]:
        return {"since": since, "shift": shift, "of_consumption": {"value": value, "low": value, "high": value}}

    households = [household(since, 0.0, 0.1) for since in (0, 40)]
    households += [household(0, 0.1, 0.2), household(0, -0.1, float("nan"))]
    known = {"households": households, "leader": {"gain": 0.0, "low": -0.1, "high": 0.1}, "at_bound": {}}
    console = Console(file=io.StringIO(), width=200)
    certificate.show(console, {1: known})
    assert " nan " in console.file.getvalue()  # type: ignore[attr-defined]


def test_the_policies_that_are_certified_are_not_moved() -> None:
    make_game, leader, follower = spending(0.6)
    before = [x.clone() for x in (*leader.state_dict().values(), *follower.state_dict().values())]
    leader_gain(make_game, leader, follower, 1, 1.0, steps=2, rate=0.1, tail=0.5)
    after = [*leader.state_dict().values(), *follower.state_dict().values()]
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_gain_is_in_per_cent_of_consumption_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """ln utility: a tax of t for one of t_0 is worth ln((1 - t) / (1 - t_0)) + ph ln(t / t_0) in the first year."""
    make_game, leader, follower = spending(0.6)
    better = RuleActor(1, make_game(games=1).leader_action_space, [0.3], None)
    monkeypatch.setattr(gain.LeaderPaths, "climbed", lambda self, leader, luck, steps, rate: better)
    monkeypatch.setattr(gain.LeaderPaths, "searched", lambda self, leader, luck, width: leader)
    found = leader_gain(make_game, leader, follower, 1, 1.0, tail=0.95)
    worth = np.log(0.7 / 0.4) + 0.3 * np.log(0.3 / 0.6)
    assert found.gain == pytest.approx(100 * np.expm1(worth), rel=1e-4)
    assert found.starts["paired search"] == pytest.approx(0.0, abs=1e-4)
