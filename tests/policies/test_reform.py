"""Policies as people write them: a base and what differs, in YAML, by name, from files and from elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reform_parts import acted, economy

from envs import InvalidSetting, make
from envs.economy.taxation import us_federal_2022
from experiments.compare.config import Comparing
from experiments.compare.reference import with_reference
from experiments.configuration.config import Experiment
from policies import registry, written
from policies.given import Given
from policies.policy import LeaderPolicy
from policies.reform import ReformedRule, first_mean_income, needed
from policies.tax_rule import TaxRule
from rllib_smfg import named_policies
from rllib_smfg.configuration.sections import Rule
from rllib_smfg.economics import tax_schedules


def test_what_is_not_named_is_as_under_the_base() -> None:
    game = economy()
    for excess in (-0.5, 0.0, 1.0):
        us = acted(game, "us_system", excess)
        taxed = acted(game, {"base": "us_system", "wealth_tax": {"rate": 0.02, "exemption": 5e7}}, excess)
        np.testing.assert_array_equal(taxed[[0, 1, 4, 5, 6]], us[[0, 1, 4, 5, 6]])
        assert (taxed[2], taxed[7]) == (0.02, 5e7)


def test_every_instrument_can_be_named_and_nothing_is_next_to_nothing() -> None:
    game = economy()
    policy = {
        "base": "us_system",
        "income_tax": {"rate": 0.3, "progressivity": 0},
        "wealth_tax": {"rate": 0.01, "progressivity": 0.005, "exemption": 1_000_000},
        "consumption_tax": 0.2,
        "labour_income_tax": 0.1,
        "capital_income_tax": {"rate": 0.25},
        "transfer": 0.19,
        "spending": 0.15,
        "closure": "none",
    }
    expected = [0.3, game.leader_action_space.low[1], 0.01, 0.005, 0.15, 0.19, 0.2, 1e6, 0.1, 0.25]
    for excess in (0.0, 1.0):
        np.testing.assert_allclose(acted(game, policy, excess), expected)
    # the same, in sections
    more = {"consumption_tax": {"rate": 0.2}, "transfer": {"share": 0.19}, "spending": {"share": 0.15}}
    np.testing.assert_array_equal(acted(game, {**policy, **more}), acted(game, policy))


def test_closures_follow_debt_by_as_much_surplus() -> None:
    game = economy()
    parameters = game.parameters
    income_to_gdp = first_mean_income(parameters) / (parameters.us_gdp / parameters.us_population)
    for closure, place, revenue in (("income_tax", 0, 0.86), ("transfer", 5, -income_to_gdp), ("spending", 4, -1.0)):
        policy = {"base": "us_system", "transfer": 0.2, "closure": {closure: "debt"}}
        usual, indebted = acted(game, policy), acted(game, policy, 0.5)
        changed = np.flatnonzero(usual != indebted)
        assert changed.tolist() == [place]
        # half a GDP of debt asks for .5 x .054 of GDP
        assert (indebted - usual)[place] * revenue == pytest.approx(0.5 * 0.054)
    fixed = {"base": "us_system", "closure": "none"}
    np.testing.assert_array_equal(acted(game, fixed), acted(game, fixed, 1.0))
    # a reform's own level of taxes goes on following debt as the base does
    raised = {"base": "us_system", "income_tax": {"rate": 0.35}}
    assert acted(game, raised, 1.0)[0] - 0.35 == pytest.approx(acted(game, "us_system", 1.0)[0] - 0.281)


def test_dollars_are_the_first_year_s() -> None:
    game = economy(["transfer"], games=4, followers=4000)
    game.reset(seed=1)
    assert first_mean_income(game.parameters) == pytest.approx(game.state.income.mean(), rel=0.05)
    share = acted(game, {"base": "us_system", "transfer": {"dollars": 30_000}})[5]
    assert share * first_mean_income(game.parameters) == pytest.approx(30_000)
    assert share == pytest.approx(0.19, abs=0.005)


def test_brackets_beside_a_wealth_tax_and_a_transfer() -> None:
    game = economy()
    seen = game.reset(seed=2)
    policy = {
        "base": {"name": "us_federal", "credit": 0.0},
        "wealth_tax": {"rate": 0.02, "exemption": 2e5},
        "transfer": 0.1,
    }
    government = Given.of(policy).leader(game, 0)
    assert isinstance(government, ReformedRule)
    assert isinstance(government, TaxRule)
    mean_income = game.state.income.mean(axis=1, keepdims=True)
    announced = government.act(seen.leader)
    assert (announced[:, 2] == 0.02).all()
    government.enact(game, announced, np.full((2, 40, 2), [0.9, 0.4]))
    flows, brackets = game.flows, us_federal_2022(credit=0.0)
    np.testing.assert_allclose(flows.income_tax, brackets.tax(flows.income))
    np.testing.assert_allclose(flows.asset_tax, 0.02 * np.maximum(flows.assets - 2e5, 0), rtol=0.01, atol=1e-6)
    np.testing.assert_allclose(flows.transfers, 0.1 * 40 * mean_income)
    assert government.schedule(game.year).tax(np.array([1e5])) == brackets.tax(np.array([1e5]))
    # without a wealth tax of its own the rule leaves assets alone
    plain = Given.of({"base": "us_federal", "transfer": 0.1}).leader(game, 0)
    plain.enact(game, plain.act(seen.leader), np.full((2, 40, 2), [0.9, 0.4]))
    assert (game.flows.asset_tax == 0).all()


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        ({"base": "us_sistem"}, "did you mean 'us_system'"),
        ({"base": "us_system", "wealthtax": {"rate": 0.02}}, "did you mean 'wealth_tax'"),
        ({"base": "us_system", "wealth_tax": {"rat": 0.02}}, "did you mean 'rate'"),
        ({"base": "us_system", "wealth_tax": 0.02}, "a section with rate, progressivity, exemption"),
        ({"base": "us_system", "wealth_tax": {"rate": 2}}, r"between 0 and 0.03992 \(of assets a year"),
        ({"base": "us_system", "wealth_tax": {"rate": "2 %"}}, "of assets a year"),
        ({"base": "us_system", "income_tax": {"rate": -0.1}}, "marginal rate at mean income"),
        ({"base": "us_system", "transfer": 30_000}, r"between 0 and 0.5 \(of mean income"),
        ({"base": "us_system", "transfer": {"dollars": 3e6}}, "dollars a household and year"),
        ({"base": "us_system", "transfer": {"dollars": 3e4, "share": 0.2}}, "in one unit"),
        ({"base": "us_system", "spending": True}, "of GDP"),
        ({"base": "us_system", "closure": {"incme_tax": "debt"}}, "did you mean 'income_tax'"),
        ({"base": "us_system", "closure": {"income_tax": "gdp"}}, "must be debt"),
        ({"base": "us_system", "closure": "balanced"}, "must be none, or one of"),
        ({"base": {"name": "us_system", "response": 0.1}, "closure": "none"}, "leave one of them out"),
        ({"base": "us_federal", "income_tax": {"rate": 0.3}}, "schedule of its own"),
        ({"base": "us_federal", "closure": {"income_tax": "debt"}}, "schedule of its own"),
        ({"base": "debt_rule", "closure": "none"}, "set them there"),
        ({"base": 3}, "government's name"),
        ({"wealth_tax": {"rate": 0.02}}, "its base"),
    ],
)
def test_mistakes_are_refused_in_one_line_with_units(policy: Any, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says) as refusal:
        Given.of(policy).leader(economy(), 0)
    assert "\n" not in str(refusal.value)


def test_instruments_a_game_has_not_are_refused() -> None:
    with pytest.raises(InvalidSetting, match=r"game\.instruments must name transfer"):
        Given.of({"base": "us_system", "transfer": 0.1}).leader(economy(None), 0)
    with pytest.raises(InvalidSetting, match="must be 'calibrated'"):
        Given.of({"base": "free_market", "closure": {"spending": "debt"}}).leader(economy(None, preset="paper"), 0)
    with pytest.raises(InvalidSetting, match="must be 'economy'"):
        Given.of({"base": "random", "spending": 0.1}).leader(make("stage_game", games=1, followers=3), 0)


# --- files and sections ----------------------------------------------------------------------------------------------
WEALTH = "base: us_system\nwealth_tax: {rate: .02, exemption: 50_000_000}\n"


def test_files_are_policies_by_name_and_by_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "fortunes.yaml").write_text(WEALTH)
    (tmp_path / "policies" / "more.yaml").write_text("base: fortunes\nwealth_tax: {rate: 3e-2}\ntransfer: .1\n")
    monkeypatch.chdir(tmp_path)
    game = economy()
    for name in ("fortunes", "policies/fortunes.yaml", str(tmp_path / "policies" / "fortunes.yaml")):
        assert acted(game, name)[[2, 7]].tolist() == [0.02, 5e7]
        assert isinstance(named_policies.leader(name, game, 0), LeaderPolicy)
        assert isinstance(registry.leader(name, game, 0), LeaderPolicy)
    # a reform of a reform keeps what it does not name
    assert acted(game, "more")[[2, 5, 7]].tolist() == [0.03, 0.1, 5e7]
    # what is sent to other processes holds all of it
    kept = Given.of("more")
    assert kept.name == "reform"
    assert "fortunes" not in str(kept.settings)
    assert Rule.model_validate("more").given() == kept
    with pytest.raises(InvalidSetting, match="did you mean 'fortunes'"):
        registry.leader("fortune", game)
    with pytest.raises(InvalidSetting, match="change it by base"):
        Given.of({"name": "fortunes", "transfer": 0.1})


def test_shipped_policies_play() -> None:
    game = economy()
    assert {path.stem for path in written.SHIPPED.iterdir()} <= set(written.names())
    for path in written.SHIPPED.iterdir():
        government = Given.of(path.stem).leader(game, 0)
        step = government.enact(game, government.act(game.reset(seed=1).leader), np.full((2, 40, 2), [0.9, 0.4]))
        assert not step.terminated.any()
    assert acted(game, "basic_income")[5] == pytest.approx(30_000 / first_mean_income(game.parameters))
    assert acted(game, "fortunes_2_percent")[[2, 7]].tolist() == [0.02, 5e7]


def test_schedules_are_drawn_in_games_with_the_instruments_a_reform_needs() -> None:
    assert needed({"transfer": 0.1, "wealth_tax": {"rate": 0.02}, "closure": {"spending": "debt"}}) == ["transfer"]
    assert needed({"wealth_tax": {"exemption": 1e6}, "consumption_tax": 0.1, "closure": {"transfer": "debt"}}) == [
        "transfer",
        "consumption_tax_rate",
        "wealth_tax_exemption",
    ]
    assert named_policies.instruments_of("us_system") == []
    assert named_policies.instruments_of("fortunes_2_percent") == ["wealth_tax_exemption"]
    flat = tax_schedules.drawn("basic_income", "real_data", year=1, seed=1)
    np.testing.assert_allclose(flat.marginal, 0.43, atol=2e-3)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base: us_system\nbase: free_market\n", "x.yaml:2: not a policy .'base' is set twice"),
        ("base: &a us_system\nspending: *a\n", "references are not read"),
        ("- us_system\n", "must be a mapping"),
        ("base: [\n", "not a policy"),
        ("", "must be a mapping"),
        ("base: policies/x.yaml\n", "without end"),
    ],
)
def test_files_that_hold_no_policy_are_refused(
    text: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "x.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidSetting, match=says) as refusal:
        Given.of("policies/x.yaml")
    assert "\n" not in str(refusal.value)
    with pytest.raises(InvalidSetting, match="no such file"):
        Given.of("policies/y.yaml")


def test_a_section_names_policies_for_the_rest_of_a_configuration() -> None:
    fortunes = {"base": "us_system", "wealth_tax": {"rate": 0.02}}
    values = {
        "game": {"name": "economy", "preset": "calibrated", "instruments": ["transfer"]},
        "policies": {"fortunes": fortunes, "both": {"base": "fortunes", "transfer": 0.1}, "same": "both"},
        "rows": [{"name": "Fortunes", "leader": "same", "follower": "random"}],
    }
    (row,) = Comparing.model_validate(values).rows
    assert row.leader is not None
    assert row.leader.given() == Given("reform", {"base": {"name": "us_system"}, **BOTH})
    rules = {"method": "rule_based", "leader": {"name": "fortunes"}}
    run = {"game": values["game"], "policies": {"fortunes": fortunes}, "algorithm": rules}
    found = Experiment.model_validate(run)
    assert found.algorithm.leader.given().settings["wealth_tax"] == {"rate": 0.02}  # type: ignore[union-attr]
    assert "policies" not in found.model_dump()


BOTH = {"wealth_tax": {"rate": 0.02}, "transfer": 0.1}


@pytest.mark.parametrize(
    ("policies", "says"),
    [
        ({"mine": {"base": "mine"}}, "policies.mine: is based on itself"),
        ({"mine": "us_system", "other": "random"}, "policies.other: nothing in this configuration names it"),
        ({"mine": {"rate": 0.1}}, "policies.mine: must be"),
        (["mine"], "a section of policies by name"),
    ],
)
def test_sections_that_make_no_sense_are_refused(policies: Any, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says):
        written.substituted({"policies": policies, "rows": [{"leader": "mine"}]})


def test_comparisons_hold_reforms_with_further_instruments_against_the_us_system() -> None:
    rows = [
        {"name": "Basic income", "leader": "basic_income", "follower": "random"},
        {"name": "US federal", "leader": "us_federal", "follower": "real_data"},
    ]
    game = {"name": "economy", "preset": "calibrated", "followers": 6, "horizon": 3, "instruments": ["transfer"]}
    found = with_reference(Comparing.model_validate({"game": game, "rows": rows}))
    row = found.rows[0]
    assert row.name == found.reference == "US system"
    assert row.leader is not None
    assert row.follower is not None
    played = make(**found.game.settings())
    announced = row.leader.given().leader(played, 0).act(played.reset(seed=1).leader)
    assert np.isfinite(row.follower.given().follower(played, 0).act(played.reset(seed=1).follower, announced)).all()
    assert with_reference(found, "wealth_tax_2_percent").rows[0].leader == Rule.model_validate("wealth_tax_2_percent")
