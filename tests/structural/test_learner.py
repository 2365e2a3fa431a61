"""Both sides learn: directions, schedules, going on exactly, and what is reached where the solution is known."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from structural_parts import QUICK, learner, needs_compiler, traced
from torch import nn

from envs import income_tax, stage_game
from envs.game import InvalidSetting
from rllib_smfg.networks import features, to_natural
from rllib_smfg.structural import learner as learning
from rllib_smfg.structural import paths
from rllib_smfg.structural.learner import FOLLOWER, LEADER, StructuralLearner
from rllib_smfg.structural.settings import StructuralSettings


def weights(found: StructuralLearner) -> torch.Tensor:
    modules = [*found.networks.values(), *(each.average for each in found.averaged.values())]
    return torch.cat([nn.utils.parameters_to_vector(module.parameters()) for module in modules]).detach().clone()


# --- which way the leader goes ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("progressivity", [0.1, 0.7])
def test_paired_differences_and_derivatives_of_paths_agree(
    progressivity: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In `static_hsv`, whose optimum lies between, with households who answer."""
    slopes = {}
    for search in ("derivative", "paired"):
        width = {"search_width": 0.01} if search == "paired" else {}
        settings = StructuralSettings(
            **QUICK, leader_policy="rule", leader_search=search, lead_in=0.0, settling=0.0, **width
        )
        found = learner("static_hsv", settings, starts=((progressivity,), None))
        with torch.no_grad():  # less work under more progressive taxes
            for network in (found.networks[FOLLOWER], found.averaged[FOLLOWER].average):
                network.linear_shared.weight.fill_(-0.3)
        taken: list[Any] = []
        monkeypatch.setattr(found, "_step", lambda side, gradients, taken=taken: taken.append((side, gradients)))
        found._leader_step()
        ((side, gradients),) = taken
        assert side == LEADER
        slopes[search] = float(gradients[0][0])
    assert slopes["paired"] == pytest.approx(slopes["derivative"], rel=0.01)
    upwards = slopes["derivative"] < 0  # gradients are of the loss
    assert upwards == (progressivity == 0.1)


@pytest.mark.parametrize("pairs", [0, 8])
def test_paired_search_moves_a_rule_in_its_own_numbers_alone(pairs: int) -> None:
    settings = StructuralSettings(
        **QUICK, leader_policy="rule", leader_search="paired", search_pairs=pairs, lead_in=0.0, settling=0.0
    )
    found = learner("economy", settings, rule={"income_tax_rate": ["debt_to_gdp"]}, preset="calibrated", followers=20,
                    starts=((0.3, 0.2, 0.01, 0.01, 0.15), (0.75, 0.4)))  # fmt: skip
    before = deepcopy(found.networks[LEADER])
    found.path_years = 5
    found._leader_step()
    moved = found.networks[LEADER].response != before.response
    assert torch.equal(moved, found.networks[LEADER].responds > 0)
    assert (found.networks[LEADER].constant != before.constant).all()


def test_paired_search_of_a_network_differentiates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = StructuralSettings(**QUICK, leader_search="paired", search_pairs=3, lead_in=0.0, settling=0.0)
    found = learner("static_hsv", settings)
    before = nn.utils.parameters_to_vector(found.networks[LEADER].parameters()).detach().clone()
    monkeypatch.setattr(torch.autograd, "grad", lambda *_, **__: pytest.fail("differentiated"))
    logs = found._leader_step()
    assert np.isfinite(logs["leader/discounted_return"])
    assert not torch.equal(before, nn.utils.parameters_to_vector(found.networks[LEADER].parameters()))


# --- who moves when --------------------------------------------------------------------------------------------------
def test_the_leader_holds_still_first_and_last() -> None:
    found = learner("stage_game", StructuralSettings(**QUICK, lead_in=0.25, settling=0.5))
    moved = []
    for _ in range(8):
        before = nn.utils.parameters_to_vector(found.networks[LEADER].parameters()).detach().clone()
        followers = nn.utils.parameters_to_vector(found.networks[FOLLOWER].parameters()).detach().clone()
        found.update()
        moved.append(not torch.equal(before, nn.utils.parameters_to_vector(found.networks[LEADER].parameters())))
        assert not torch.equal(followers, nn.utils.parameters_to_vector(found.networks[FOLLOWER].parameters()))
    assert moved == [False, False, True, True, False, False, False, False]


def test_a_leader_who_decides_nothing_is_left_alone() -> None:
    found = learner("aiyagari", StructuralSettings(**QUICK, lead_in=0.0, settling=0.0), followers=20)
    before = nn.utils.parameters_to_vector(found.networks[LEADER].parameters()).detach().clone()
    logs = found.update()
    assert torch.equal(before, nn.utils.parameters_to_vector(found.networks[LEADER].parameters()))
    assert "leader/discounted_return" not in logs


def test_rates_fall_as_a_cosine_to_their_last_share() -> None:
    settings = StructuralSettings(**{**QUICK, "updates": 100}, last_rate=0.1)
    found = learner("stage_game", settings)
    rates = []
    for share in (0.0, 0.5, 1.0, 1.5):
        found._set_rate(FOLLOWER, 0.01, share)
        rates.append(found.optimizers[FOLLOWER].param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [0.01, 0.0055, 0.001, 0.001])


def test_a_step_without_finite_derivatives_is_not_taken() -> None:
    found = learner("stage_game", StructuralSettings(**QUICK))
    before = weights(found)
    whole = [torch.ones_like(p) for p in found.networks[FOLLOWER].parameters()]
    whole[1][0] = float("nan")
    found._step(FOLLOWER, whole)
    assert torch.equal(before, weights(found))
    assert found.averaged[FOLLOWER].steps == 0
    assert found.skipped == {LEADER: 0, FOLLOWER: 1}
    assert found.update()["follower/skipped_steps"] == 1
    assert found.get_state()["skipped"][FOLLOWER] == 1


def test_followers_rate_rises_over_the_warm_up() -> None:
    settings = StructuralSettings(**{**QUICK, "updates": 100}, warm_up=0.04, last_rate=1.0, follower_lr=0.01)
    found = learner("stage_game", settings)
    rates = []
    for _ in range(6):
        found.update()
        rates.append(found.optimizers[FOLLOWER].param_groups[0]["lr"])
    np.testing.assert_allclose(rates, [0.0025, 0.005, 0.0075, 0.01, 0.01, 0.01])


def test_a_window_is_of_years_where_something_is_carried_and_of_one_elsewhere() -> None:
    settings = StructuralSettings(**QUICK, window_years=5)
    carrying, moment = learner("linear_quadratic", settings), learner("stage_game", settings)
    for found, years in ((carrying, 5), (moment, 1)):
        before = found.years
        found._game_loss()
        assert found.years - before == years * found.game.n_games


def test_trembles_are_of_a_share_of_games_and_lasting_offsets_stay_for_an_episode() -> None:
    trembling = learner("linear_quadratic", StructuralSettings(**{**QUICK, "economies": 4000}, tremble=0.25))
    every = np.ones(4000, dtype=bool)
    stays, usual, now = trembling.spread.offsets(every, settles=False)
    assert float(stays.abs().max()) == 0.0
    assert 0.2 < float((usual != now).float().mean()) < 0.3
    assert float(usual.std()) == pytest.approx(0.1, rel=0.1)
    _, usual, now = trembling.spread.offsets(every, settles=True)  # of both a tenth is left
    assert 0.015 < float((usual != now).float().mean()) < 0.035
    assert float(usual.std()) == pytest.approx(0.01, rel=0.1)
    spread = StructuralSettings(**QUICK, tremble=0.0, lasting_spread=0.3, yearly_spread=0.02, spread_of={"g": 2.0})
    lasting = learner("linear_quadratic", spread)
    first, lived, now = lasting.spread.offsets(lasting.economies.fresh, settles=False)
    assert lived is now
    assert 0 < float((now - first).abs().max()) < 0.15
    assert float(lasting.spread.widths) == pytest.approx(0.6)
    second, _, _ = lasting.spread.offsets(np.array([True, False, False, False]), settles=False)
    assert torch.equal(first[1:], second[1:])
    assert not torch.equal(first[0], second[0])


# --- going on exactly ------------------------------------------------------------------------------------------------
MODES: dict[str, dict[str, Any]] = {
    "tremble": {},
    "lasting": {"tremble": 0.0, "lasting_spread": 0.2, "yearly_spread": 0.02},
    "paired": {"leader_search": "paired", "search_pairs": 2},
    "partial": {"leader_gradient": "partial"},
    "team": {"follower_gradient": "team"},
    "a rule that is refined": {"leader_policy": "rule", "updates": 4, "settling": 0.5, "refinements": 2},
}


@pytest.mark.parametrize("mode", MODES)
def test_learning_goes_on_bit_for_bit(mode: str) -> None:
    goes_on(MODES[mode])


@needs_compiler
@pytest.mark.slow
def test_learning_goes_on_bit_for_bit_with_compiled_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "LEAST_YEARS", 1)
    for each in goes_on({"compile_paths": True}):
        assert isinstance(each.step_year, paths.CompiledYear)
        assert not each.step_year.compiled.why_not


def test_learning_goes_on_bit_for_bit_with_traced_paths(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with compiled ones, whose trace runs as it is."""
    monkeypatch.setattr(paths, "LEAST_YEARS", 1)
    monkeypatch.setattr(torch, "compile", traced)
    for each in goes_on({"compile_paths": True}):
        assert isinstance(each.step_year, paths.CompiledYear)
        assert not each.step_year.compiled.why_not


def goes_on(mode: dict[str, Any]) -> list[StructuralLearner]:
    """One learner who went on, and two who did from what was kept of it, all to the same bits."""
    settings = StructuralSettings(**{**QUICK, "household_years": 500, "lead_in": 0.0, "settling": 0.0, **mode})
    game = {"horizon": 10, "followers": 20, "gam": 0.5}
    one = learner("linear_quadratic", settings, **game)
    for _ in range(2):
        one.update()
    kept = one.get_state()
    networks = {side: deepcopy(network.state_dict()) for side, network in one.networks.items()}
    averages = {side: deepcopy(each.average.state_dict()) for side, each in one.averaged.items()}
    for _ in range(2):
        one.update()
    all_of_them = [one]
    for seed in (7, 8):  # what is kept is not moved by who goes on from it
        other = learner("linear_quadratic", settings, seed=seed, **game)
        other.update()
        for side, network in other.networks.items():
            network.load_state_dict(networks[side])
            other.averaged[side].average.load_state_dict(averages[side])
        other.set_state(kept)
        for _ in range(2):
            other.update()
        assert torch.equal(weights(one), weights(other))
        assert (one.years, one.update_number) == (other.years, other.update_number)
        all_of_them.append(other)
    return all_of_them


# --- what is reached -------------------------------------------------------------------------------------------------
def played(found: StructuralLearner, side: str, observation: Any, told: Any = None) -> Any:
    """Natural actions of an averaged policy, as runners play it."""
    game, network = found.game, found.averaged[side].average
    scaling, box = (
        (game.leader_scaling, game.leader_action_space)
        if side == LEADER
        else (game.follower_scaling, game.follower_action_space)
    )
    own = torch.from_numpy(features(np.asarray(observation, dtype=np.float64), scaling))
    shared = own[..., :0] if told is None else torch.as_tensor(told, dtype=torch.float32)
    with torch.no_grad():
        return to_natural(network.act(own, shared).numpy(), box)


# largest errors of g and a that are passed over, g runs from -3 to 3 and a from -5 to 5
CONCEPTS = {"stackelberg": (0.12, 0.2), "team": (0.25, 0.8)}


@pytest.mark.parametrize("concept", CONCEPTS)
def test_a_short_training_comes_near_the_stage_game_s_solution(concept: str) -> None:
    gradient = "team" if concept == "team" else "game"
    settings = StructuralSettings(
        updates=100, follower_steps=4, hidden=(16, 16), economies=16, follower_gradient=gradient
    )
    found = learner("stage_game", settings, followers=16)
    for _ in range(100):
        found.update()
    exact = stage_game.solution(found.game.parameters, 16, concept)
    z = np.array([[-1.0], [0.0], [1.0]])
    leader_error, follower_error = CONCEPTS[concept]
    np.testing.assert_allclose(played(found, LEADER, z), exact.leader_rule(z), atol=leader_error)
    x, g = np.array([[[-1.0, 0.5], [0.5, 0.5], [1.5, 0.5]]]), np.array([[0.4]])
    answer = played(found, FOLLOWER, x, (g / 3.0)[:, None])
    np.testing.assert_allclose(answer, exact.follower_rule(x, g), atol=follower_error)


def test_a_short_training_comes_near_the_best_income_tax() -> None:
    settings = StructuralSettings(updates=100, follower_steps=4, hidden=(16, 16), economies=16)
    found = learner("income_tax", settings, followers=20)
    for _ in range(100):
        found.update()
    exact = income_tax.solution(found.game.parameters, 20, "stackelberg").values["t_star"]
    assert float(played(found, LEADER, [[1.0]])[0, 0]) == pytest.approx(exact, abs=0.03)


# --- settings --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"economies": 0}, "economies = 0: must be at least 1"),
        ({"tail": 0.0}, r"tail = 0.0: must lie in \(0, 0.5\]"),
        ({"averaging": 1.0}, r"averaging = 1.0: must lie in \[0, 1\)"),
        ({"hidden": ()}, "hidden"),
        ({"follower_lr": float("nan")}, "follower_lr = nan: must be a number"),
        ({"lead_in": 0.6, "settling": 0.5}, "together at most 1"),
        ({"lasting_spread": 0.1}, "tremble = 0.5: changes nothing with lasting_spread; say tremble = 0"),
        ({"yearly_spread": 0.1}, "yearly_spread: changes nothing without lasting_spread"),
        ({"spread_of": {"g": 2.0}}, "spread_of: changes nothing without lasting_spread"),
        (
            {"tremble": 0.0, "lasting_spread": 0.1, "spread_of": {"g": -1.0}},
            "spread_of: g = -1.0: must be not negative",
        ),
        ({"tremble": 0.0, "lasting_spread": 0.1, "spread_of": {"g": "wide"}}, "spread_of: g = wide: must be a number"),
        ({"tremble": 0.0, "lasting_spread": 0.1, "follower_gradient": "team"}, "lasting_spread: changes nothing with"),
        ({"refinements": 3}, "refinements = 3: changes nothing with leader_policy = network"),
        (
            {"refinements": 3, "settling": 0.0, "leader_policy": "rule"},
            "refinements = 3: changes nothing with settling",
        ),
        ({"refinement_plays": 9, "refinements": 0}, "refinement_plays = 9: changes nothing with refinements = 0"),
        ({"refinement_precision": 0.1}, "refinement_precision = 0.1: changes nothing with leader_policy = network"),
        ({"search_pairs": 3}, "search_pairs = 3: changes nothing with leader_search = derivative"),
        ({"search_width": 0.1}, "search_width = 0.1: changes nothing with leader_search = derivative"),
        ({"leader_search": "pared"}, "leader_search = 'pared': did you mean 'paired'"),
        ({"leader_policy": "rul"}, "did you mean 'rule'"),
        ({"leader_gradient": "totl"}, "did you mean 'total'"),
    ],
)
def test_impossible_settings_are_refused_in_one_line(settings: dict[str, Any], remedy: str) -> None:
    with pytest.raises(InvalidSetting, match=remedy) as error:
        StructuralSettings(**settings)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("search", ["derivative", "paired"])
def test_ends_that_no_derivative_sees_are_told_once(
    search: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(learning, "unseen_ends", lambda found: "they end early")
    found = learner("stage_game", StructuralSettings(**QUICK, leader_policy="rule", leader_search=search))
    for _ in range(2):
        found._leader_step()
    assert [record.getMessage() for record in caplog.records] == ["they end early"] * (search == "derivative")
