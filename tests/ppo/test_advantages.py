"""Generalised advantages against their definition, year by year."""

from __future__ import annotations

import pytest
import torch

from rllib_smfg.rllib.population_ppo.advantages import advantages

DISCOUNT, DECAY = 0.9, 0.7


def by_definition(reward: list, value: list, following: list, terminated: list, ended: list) -> list[float]:
    """sum_k (discount decay)^k delta_(t+k) until the episode ends."""
    surprises = [
        (1 - DISCOUNT) * r + DISCOUNT * (0 if stop else after) - before
        for r, before, after, stop in zip(reward, value, following, terminated, strict=True)
    ]
    result = []
    for t in range(len(surprises)):
        total, weight = 0.0, 1.0
        for k in range(t, len(surprises)):
            total += weight * surprises[k]
            weight *= DISCOUNT * DECAY
            if ended[k]:
                break
        result.append(total)
    return result


@pytest.mark.parametrize("seed", range(4))
def test_advantages_are_discounted_surprises_until_the_episode_ends(seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    reward, value, following = torch.randn(3, 2, 9, generator=random)
    terminated = (torch.rand(2, 9, generator=random) < 0.3).float()
    ended = torch.maximum(terminated, (torch.rand(2, 9, generator=random) < 0.3).float())
    found = advantages(reward, value, following, terminated, ended, DISCOUNT, DECAY)
    for row in range(2):
        wanted = by_definition(*(x[row].tolist() for x in (reward, value, following, terminated, ended)))
        assert found[row].tolist() == pytest.approx(wanted, abs=1e-5)


def test_a_truncated_episode_counts_what_would_have_followed_and_a_terminated_one_does_not() -> None:
    nothing, one = torch.zeros(1, 1), torch.ones(1, 1)
    truncated = advantages(nothing, nothing, one, nothing, one, DISCOUNT, DECAY)
    terminated = advantages(nothing, nothing, one, one, one, DISCOUNT, DECAY)
    assert (truncated.item(), terminated.item()) == (pytest.approx(DISCOUNT), 0.0)


def test_a_constant_reward_is_worth_itself() -> None:
    """Values are in units of rewards: with r = V = V' there is no surprise."""
    r = torch.full((2, 5), 3.0)
    assert advantages(r, r, r, 0 * r, 0 * r, DISCOUNT, DECAY).abs().max() < 1e-6
