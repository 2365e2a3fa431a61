"""A rule at its best on luck that stays: bounds, cliffs, numbers that are not there, and a learner that does it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import OptimizeResult
from structural_parts import QUICK, built, learner
from torch import nn

from rllib_smfg.rule import RuleActor
from rllib_smfg.structural import learner as learning
from rllib_smfg.structural.learner import FOLLOWER, LEADER
from rllib_smfg.structural.refine import Within, Worth, _Patience, refine
from rllib_smfg.structural.settings import StructuralSettings


def rule(responds: float = 0.0) -> RuleActor:
    game = built("stage_game", games=1, followers=3)
    found = RuleActor(2, game.leader_action_space, None, torch.tensor([[responds, 0.0]]))
    with torch.no_grad():
        found.response.fill_(0.2)
    return found


def hill(found: RuleActor, top: float, response: float = 0.0, steep: float = 1.0) -> tuple[Worth, list[float]]:
    """A valley-shaped hill: constant and response pay for one another. Also: the constants that were played."""
    played: list[float] = []

    def worth() -> tuple[float, list[torch.Tensor]]:
        a, b = found.constant[0], found.response[0, 0]
        value = -steep * ((a + b - top - response) ** 2 + 0.1 * (a - top) ** 2)
        played.append(float(a.detach()))
        return float(value.detach()), list(torch.autograd.grad(value, [found.constant, found.response]))

    return worth, played


@pytest.mark.parametrize("steep", [1e-4, 1.0, 1e4])
def test_it_finds_the_top_of_a_long_valley_whatever_the_units(steep: float) -> None:
    found = rule(responds=1.0)
    worth, played = hill(found, 0.15, 0.3, steep)
    logs = refine(found, worth, plays=30)
    assert float(found.constant.detach()) == pytest.approx(0.15, abs=0.02)
    assert float(found.response[0, 0].detach()) == pytest.approx(0.3, abs=0.02)
    assert logs["leader/refined"] == pytest.approx(steep * (0.25**2 + 0.1 * 0.15**2), rel=0.01)
    assert len(played) == len(set(played)) == logs["leader/plays"] <= 30 + 2


def test_responses_that_the_rule_does_not_have_stay() -> None:
    found = rule(responds=0.0)
    before = found.response.detach().clone()
    worth, _ = hill(found, 0.3)
    refine(found, worth)
    assert torch.equal(found.response.detach(), before)
    assert float(found.constant.detach()) == pytest.approx(0.3 - 0.2 / 1.1, abs=0.01)


@pytest.mark.parametrize(("start", "end"), [(0.1, 0.3), (0.95, 1.0), (1.4, 1.0)])
def test_a_constant_goes_no_farther_than_followers_know_and_stays_in_its_range(start: float, end: float) -> None:
    found = rule()
    with torch.no_grad():
        found.constant.fill_(start)
    worth, played = hill(found, 5.0)
    refine(found, worth)
    assert float(found.constant.detach()) == pytest.approx(end)
    assert np.max(played) <= end + 1e-6


def test_it_comes_back_from_where_economies_end() -> None:
    found = rule()
    inside, played = hill(found, 0.3)

    def worth() -> tuple[float, list[torch.Tensor]]:
        value, slope = inside()
        return (value if float(found.constant.detach()) < 0.08 else float("nan")), slope

    logs = refine(found, worth)
    assert 0.0 < float(found.constant.detach()) < 0.08
    assert max(played) > 0.08
    assert logs["leader/refined"] > 0


def test_where_everything_it_tries_is_worse_it_stays() -> None:
    found = rule()
    with torch.no_grad():
        found.constant.fill_(0.3)

    def worth() -> tuple[float, list[torch.Tensor]]:
        away = float((found.constant.detach() - 0.3).abs().sum())
        return -away, [torch.ones_like(found.constant), torch.zeros_like(found.response)]

    logs = refine(found, worth)
    assert float(found.constant.detach()) == pytest.approx(0.3, abs=1e-6)
    assert logs["leader/refined"] == 0.0


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_a_rule_without_a_slope_stays(slope: float) -> None:
    found = rule()
    before = nn.utils.parameters_to_vector(found.parameters()).detach().clone()
    logs = refine(found, lambda: (1.0, [torch.full_like(p, slope) for p in found.parameters()]))
    assert torch.equal(nn.utils.parameters_to_vector(found.parameters()).detach(), before)
    assert logs == {"leader/refined": 0.0, "leader/plays": 1.0}


def test_outputs_stop_at_the_ends_of_the_range_with_their_derivatives() -> None:
    found = rule(responds=1.0)
    own = torch.tensor([[[1.0, 0.0]], [[9.0, 0.0]]])
    output = Within(found)(own, own[..., :0])
    assert output.flatten().tolist() == pytest.approx([0.2, 1.0])
    (slope,) = torch.autograd.grad(output.sum(), [found.response])
    assert slope[0].tolist() == [1.0, 0.0]


def test_a_search_is_over_where_its_last_step_gains_little_but_not_in_its_first_steps() -> None:
    over = _Patience(precision=0.05)
    for cost in (-1e-3, -1.0001e-3, -1.0002e-3, -1.0):  # along a valley, and then where it leads
        over(OptimizeResult(fun=cost))
    with pytest.raises(StopIteration):
        over(OptimizeResult(fun=-1.01))


def test_it_goes_a_share_of_the_way() -> None:
    found = rule()
    worth, _ = hill(found, 0.3)
    refine(found, worth, share=0.25)
    assert float(found.constant.detach()) == pytest.approx(0.25 * (0.3 - 0.2 / 1.1), abs=0.01)


# --- by a learner ----------------------------------------------------------------------------------------------------
REFINED = {"leader_policy": "rule", "lead_in": 0.0, "settling": 0.5, "household_years": 1}


@pytest.mark.parametrize(
    ("refinements", "moments"), [(0, []), (1, [4]), (2, [4, 7]), (3, [4, 6, 7]), (9, [4, 5, 6, 7])]
)
def test_a_rule_is_refined_from_the_settling_s_first_update_to_its_last(refinements: int, moments: list[int]) -> None:
    found = learner("static_hsv", StructuralSettings(**{**QUICK, **REFINED}, refinements=refinements))
    assert ["leader/refined" in found.update() for _ in range(12)] == [k in moments for k in range(12)]


@pytest.mark.parametrize(
    "other", [{"leader_policy": "network"}, {"lead_in": 0.5}, {"leader_gradient": "partial"}, {"settling": 0.0}]
)
def test_only_a_rule_that_leads_by_its_total_derivative_is_refined(other: dict[str, Any]) -> None:
    found = learner("static_hsv", StructuralSettings(**{**QUICK, **REFINED, **other}))
    assert not any("leader/refined" in found.update() for _ in range(12))


@pytest.mark.parametrize("search", ["derivative", "paired"])
def test_a_refined_rule_is_at_its_best_on_the_luck_that_stayed(search: str, monkeypatch: pytest.MonkeyPatch) -> None:
    width = {"search_width": 0.01} if search == "paired" else {}
    settings = StructuralSettings(**{**QUICK, **REFINED}, leader_search=search, **width)
    found = learner("static_hsv", settings, starts=((0.3,), None))
    with torch.no_grad():  # less work under more progressive taxes
        for network in (found.networks[FOLLOWER], found.averaged[FOLLOWER].average):
            network.linear_shared.weight.fill_(-0.3)
    played: list[Any] = []
    play = found._played_by
    monkeypatch.setattr(found, "_played_by", lambda *arguments: played.append(arguments) or play(*arguments))
    logs = found._refined(1.0)
    _, luck, game = played[0]
    assert game is found.refined_game
    assert all(each[1] is luck for each in played)
    assert found.years == len(played) * game.n_games * found.path_years
    assert logs["leader/refined"] > 0

    def slope() -> float:
        value = found._objective(play(found.networks[LEADER], luck, game))
        return float(torch.autograd.grad(value, [found.networks[LEADER].constant])[0])

    at_its_best = slope()
    with torch.no_grad():
        found.networks[LEADER].constant.add_(0.1)
    assert abs(at_its_best) < 0.05 * abs(slope())
    assert float(found.averaged[LEADER].average.constant) == pytest.approx(
        float(found.networks[LEADER].constant.detach()) - 0.1
    )


def test_from_the_second_refinement_on_the_rule_is_a_running_mean_of_what_they_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares: list[float] = []
    monkeypatch.setattr(
        learning, "refine", lambda rule, worth, share, plays, precision: shares.append(share) or {"leader/refined": 0.0}
    )
    settings = StructuralSettings(**{**QUICK, **REFINED, "updates": 10}, refinements=3)
    found = learner("static_hsv", settings)
    for _ in range(10):
        found.update()
    assert shares == [1.0, 0.5, 0.5]


def test_a_rule_is_refined_among_five_hundred_households_whatever_is_trained_on() -> None:
    settings = StructuralSettings(**{**QUICK, **REFINED, "population": 10})
    many, few = (learner("static_hsv", settings, followers=n).refined_game for n in (3000, 30))
    assert (many.n_games, many.n_followers) == (settings.economies, 500)
    assert few.n_followers == 30
