"""Policies by name: each plays, and what does not exist is refused with the nearest that does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import InvalidSetting, make
from policies import registry
from policies.us_federal import USFederalTax
from rllib_smfg import named_policies
from rllib_smfg.rollout import evaluate

ACTIONS: dict[str, dict[str, Any]] = {
    "constant": {"action": [0.1, 0.02, 0.05, 0.01, 0.01]},
    "reform": {"base": "saez", "wealth_tax": {"rate": 0.1}},
}


def economy(preset: str = "paper") -> Any:
    return make("economy", games=2, followers=20, horizon=4, preset=preset)


@pytest.mark.parametrize("name", registry.LEADERS)
def test_every_government_plays_and_repeats_itself(name: str) -> None:
    results = []
    for _ in range(2):
        game = economy("calibrated" if name in ("us_system", "debt_rule") else "paper")
        government = registry.leader(name, game, 3, **ACTIONS.get(name, {}))
        households = registry.follower("constant", game, action=[0.98, 0.5])
        results.append(evaluate(game, government, households, seed=1))
    for indicator, value in results[0].items():
        np.testing.assert_array_equal(value, results[1][indicator])
    assert (results[0]["years"] == 4).all()


@pytest.mark.parametrize("name", registry.FOLLOWERS)
def test_every_household_policy_plays_within_its_bounds_and_repeats_itself(name: str) -> None:
    settings = {"action": [0.98, 0.5]} if name == "constant" else {}
    game = economy("calibrated" if name in ("planning", "perfect_foresight") else "paper")
    observations, space = game.reset(0), game.follower_action_space
    announced = np.broadcast_to(game.leader_action_space.low, (2, 5))
    first, again = (registry.follower(name, game, 7, **settings) for _ in range(2))
    for households in (first, again):
        households.meet(registry.leader("us_system" if name == "perfect_foresight" else "free_market", game))
    first, again = (households.act(observations.follower, announced) for households in (first, again))
    np.testing.assert_array_equal(first, again)
    assert first.shape == (2, 20, 2)
    assert ((first >= space.low) & (first <= space.high)).all()


def test_policies_take_their_own_settings() -> None:
    game = economy()
    federal = registry.leader("us_federal", game, spending_share=0.2, credit=0.0, ceiling=np.inf)
    assert isinstance(federal, USFederalTax)
    assert federal.act(np.zeros((2, 6)))[0, -1] == 0.2
    assert federal.schedule(game.year).tax(np.array([112_950.0]))[0] == pytest.approx(17_835.5)


@pytest.mark.parametrize(
    ("side", "name", "settings", "said"),
    [
        ("leader", "us_federl", {}, "did you mean 'us_federal'"),
        ("follower", "randon", {}, "did you mean 'random'"),
        ("leader", "saez", {"spending": 0.1}, "did you mean 'spending_share'"),
        ("leader", "free_market", {"spending_share": 0.1}, "it has none"),
        ("leader", "constant", {}, "needs the setting 'action'"),
        ("leader", "constant", {"action": [0.1]}, "acts with 5"),
        ("follower", "constant", {"action": [0.1]}, "acts with 2"),
    ],
)
def test_mistakes_are_refused_in_one_line(side: str, name: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidSetting, match=said) as refusal:
        getattr(registry, side)(name, economy(), **settings)
    assert "\n" not in str(refusal.value)


# --- names that may be folders ---------------------------------------------------------------------------------------
def test_names_are_rules_or_folders(tmp_path: Path) -> None:
    game = economy()
    assert isinstance(named_policies.leader("us_federal", game, 0), USFederalTax)
    with pytest.raises(InvalidSetting, match="did you mean 'free_market'"):
        named_policies.leader("free_markt", game, 0)
    with pytest.raises(InvalidSetting, match="holds no checkpoint"):
        named_policies.follower(str(tmp_path), game, 0)


def test_learned_policies_play_by_their_folder_in_games_of_their_shape_only(tmp_path: Path) -> None:
    folder = exported(tmp_path, "economy")
    game = economy()
    leader, follower = named_policies.leader(folder, game, 0), named_policies.follower(folder, game, 0)
    observations = game.reset(0)
    announced = leader.act(observations.leader)
    assert announced.shape == (2, 5)
    assert follower.act(observations.follower, announced).shape == (2, 20, 2)
    with pytest.raises(InvalidSetting, match="leader observation"):
        named_policies.leader(folder, make("economy", games=1, followers=5, preset="taxai"), 0)


def exported(folder: Path, name: str) -> str:
    """Untrained policies of a game, as an export folder."""
    from rllib_smfg.build import Interface
    from rllib_smfg.export import TrainedPolicies, save_policies
    from rllib_smfg.policy_networks import follower_network, leader_network
    from rllib_smfg.settings import LearningSettings

    settings = {"name": name, "games": 1, "followers": 20}
    interface, learning = Interface.of(make(**settings)), LearningSettings(hidden=(8,))
    leader, follower = (build("actor", interface, learning) for build in (leader_network, follower_network))
    save_policies(TrainedPolicies(leader, follower, interface, learning, settings), folder)
    return str(folder)


def test_what_was_learned_with_other_instruments_is_refused_though_they_are_as_many() -> None:
    learned = str(Path(__file__).parents[2] / "docs" / "results" / "calibrated_transfer" / "seed_1")
    games = {
        name: make("economy", preset="calibrated", games=1, followers=2, instruments=[name])
        for name in ("transfer", "consumption_tax_rate")
    }
    assert named_policies.leader(learned, games["transfer"], 0).act is not None
    for named in (named_policies.leader, named_policies.follower):
        with pytest.raises(InvalidSetting, match="learned with the further instruments transfer; this game has cons"):
            named(learned, games["consumption_tax_rate"], 0)
