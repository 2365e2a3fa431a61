"""What a population runner returns is what its households saw, recalled and drew."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from ppo_parts import parts, small

from rllib_smfg.networks import to_unit
from rllib_smfg.rllib.population_ppo.experience import trajectories
from rllib_smfg.stochastic import log_density


def played(name: str, followers: int, *, free_market: bool = False, **settings: Any) -> tuple[Any, Any, dict[str, Any]]:
    runner, learner = parts(small(name, followers, **settings))
    runner.sample(free_market=free_market)  # so that memories are not blank at the start of the next
    fragment = runner.sample(free_market=free_market)[0]
    return runner, learner, fragment.rows


def side(rows: dict[str, np.ndarray], name: str) -> dict[str, torch.Tensor]:
    return {k.split("/")[1]: torch.from_numpy(v) for k, v in rows.items() if k.startswith(name)}


@pytest.mark.parametrize("name", ["economy", "stage_game"])
@pytest.mark.parametrize("who", ["leader", "follower"])
def test_the_learner_recalls_what_the_runner_did_across_the_ends_of_episodes(name: str, who: str) -> None:
    """From the memories kept at the start of each sequence, the same logits follow in all its years."""
    _, learner, rows = played(name, 7, game={"horizon": 3})
    assert rows[f"{who}/starts"].sum() > 0
    sequences = learner._sequences(who, side(rows, who))
    with torch.no_grad():
        logits = learner.module[who].unwrapped().forward_train(sequences)["action_dist_inputs"]
    assert torch.allclose(logits, sequences["action_dist_inputs"], atol=1e-5)
    density = log_density(sequences["action_dist_inputs"], sequences["actions"])
    assert torch.equal(density, sequences["action_logp"])


def test_rlib_s_distribution_is_the_networks_own() -> None:
    _, learner, rows = played("stage_game", 7)
    sequences = learner._sequences("follower", side(rows, "follower"))
    distribution = learner.module["follower"].unwrapped().get_train_action_dist_cls()
    density = distribution.from_logits(sequences["action_dist_inputs"]).logp(sequences["actions"])
    assert torch.allclose(density, sequences["action_logp"], atol=1e-5)


@pytest.mark.parametrize("followers", [5, 40, 400])
def test_how_much_is_kept_does_not_depend_on_the_number_of_households(followers: int) -> None:
    _, _, rows = played("stage_game", followers)
    games, households, years = 3, 5, 8
    assert rows["leader/reward"].shape == (games, years)
    assert rows["follower/reward"].shape == (games * households, years)
    assert rows["follower/memory"].shape == (games * households, years // 4, 2 * 32)


def test_a_trajectory_is_one_household_from_year_to_year() -> None:
    """In the stage game a household's next state is its state of the next year, but for restarts."""
    _, _, rows = played("stage_game", 30, game={"horizon": 6})
    goes_on = rows["follower/ended"][:, :-1] == 0
    assert goes_on.any()
    assert (~goes_on).any()
    after, following = rows["follower/next_state"][:, :-1], rows["follower/state"][:, 1:]
    assert np.array_equal(after[goes_on], following[goes_on])
    assert not np.array_equal(after[~goes_on], following[~goes_on])
    assert np.array_equal(rows["follower/starts"][:, 1:], rows["follower/ended"][:, :-1])


def test_rewards_are_in_units_of_the_games_scale_and_of_the_sampled_households() -> None:
    years = [
        {"reward": np.arange(6).reshape(2, 3) + 10 * year, "memory": np.full((2, 3, 1), year)} for year in range(4)
    ]
    made = trajectories(years, 2)
    assert made["reward"].tolist() == [[k, k + 10, k + 20, k + 30] for k in range(6)]
    assert made["memory"][..., 0].tolist() == [[0, 2]] * 6


def test_households_draw_each_for_itself_around_their_networks_mean() -> None:
    _, _, rows = played("economy", 300, households_per_game=300)
    logits = rows["follower/logits"]
    mean, spread = logits[..., :2], np.exp(logits[..., 2:])
    noise = (rows["follower/action"] - mean) / spread
    assert noise.mean() == pytest.approx(0, abs=0.05)
    assert noise.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(noise[:300].reshape(300, -1))[np.triu_indices(300, 1)].mean() == pytest.approx(0, abs=0.02)
    assert np.isfinite(rows["follower/reward"]).all()
    assert (rows["follower/reward"] != 0).any()


def test_in_a_free_market_the_government_is_at_its_lower_bounds_and_keeps_nothing() -> None:
    runner, _, rows = played("economy", 9, free_market=True)
    assert not [name for name in rows if name.startswith("leader")]
    seen = rows["follower/seen"]
    low = runner.game.leader_action_space.low
    assert seen == pytest.approx(np.broadcast_to(to_unit(low, runner.game.leader_action_space), seen.shape))
    _, _, governed = played("economy", 9)
    assert governed["follower/seen"].std() > 0.01


def test_play_goes_on_exactly_from_a_saved_state() -> None:
    runner, _, _ = played("economy", 8)
    state = runner.play_state()
    first = runner.sample()[0].rows
    runner.sample()
    runner.set_play_state(state)
    again = runner.sample()[0].rows
    assert all(np.array_equal(first[name], again[name]) for name in first)
