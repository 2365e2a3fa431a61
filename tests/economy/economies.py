"""Random economies for the tests: states, policies, choices and shocks over wide ranges, from a seed."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from envs import make
from envs.economy.actions import hsv_policy, leader_bounds, natural_actions
from envs.economy.game import Economy
from envs.economy.parameters import EconomyParameters
from envs.economy.presets import PRESETS
from envs.economy.state import Choices, EconomyState, Flows, Shock
from envs.economy.taxation import HSV, FiscalPolicy
from envs.economy.transition import advance


@dataclass(frozen=True)
class Year:
    """Everything `advance` takes."""

    parameters: EconomyParameters
    state: EconomyState
    policy: FiscalPolicy
    choices: Choices
    shock: Shock

    def advance(self) -> tuple[Flows, EconomyState]:
        return advance(self.parameters, self.state, self.policy, self.choices, self.shock)


def random_year(seed: int, games: int, households: int, preset: str = "paper", **changes: Any) -> Year:
    """A year of an economy drawn at random; a third of the households may own nothing."""
    rng = np.random.default_rng(seed)
    parameters = replace(PRESETS[preset], **changes)
    shape, per_game = (games, households), (games, 1)
    assets = np.exp(rng.normal(11, 3, shape)) * (rng.random(shape) > rng.choice([0.0, 0.3]))
    income = np.exp(rng.normal(10, 1, shape))
    state = EconomyState(
        ability=np.exp(rng.normal(2, 0.7, shape)),
        superstar=np.zeros(shape, dtype=bool),
        assets=assets,
        income=income,
        ascending_assets=np.sort(assets),
        ascending_income=np.sort(income),
        capital=households * np.exp(rng.normal(10, 3, per_game)),
        debt=households * rng.normal(5e4, 2e5, per_game),
        gdp=households * np.exp(rng.normal(11, 2, per_game)),
        wage=np.exp(rng.normal(1, 1, per_game)),
        interest_rate=np.full(per_game, parameters.interest_rate),
        tfp=np.full(per_game, parameters.tfp),
        maximal_hours=np.exp(rng.normal(8, 1, per_game)),
    )
    low, high = leader_bounds(parameters)
    policy = hsv_policy(parameters, state, rng.uniform(low, high, (games, 5)))
    raw = rng.uniform(parameters.raw_low, parameters.raw_high, (*shape, 2))
    # among the years are many in which there are goods enough
    if rng.random() < 0.5:
        raw[..., 0] = parameters.raw_high
    _, house = natural_actions(parameters, np.zeros((games, 5)), raw)
    shock = Shock(
        state.ability * np.exp(rng.normal(0, 0.2, shape)),
        rng.random(shape) < 0.1,
        rng.choice([1.0, 0.8], per_game),
        rng.choice([1.0, 0.5], per_game),
    )
    return Year(parameters, state, policy, Choices(house[..., 0], house[..., 1]), shock)


def years(preset: str = "paper", max_households: int = 40) -> st.SearchStrategy[Year]:
    return st.builds(
        random_year,
        st.integers(0, 2**32 - 1),
        st.integers(1, 4),
        st.integers(1, max_households),
        st.just(preset),
        crra=st.sampled_from([1.0, 1.0, 0.5, 2.0]),
    )


def apply(record: Any, change: Any) -> Any:
    """The same record (a dataclass of arrays) with `change` applied to each of its arrays."""
    return replace(record, **{field.name: change(getattr(record, field.name)) for field in fields(record)})


def changed(year: Year, change: Any) -> Year:
    """The same year with `change` applied to every array in it."""
    return Year(
        year.parameters,
        apply(year.state, change),
        changed_policy(year.policy, change),
        apply(year.choices, change),
        apply(year.shock, change),
    )


def changed_policy(policy: FiscalPolicy, change: Any) -> FiscalPolicy:
    """The same HSV taxes and spending with `change` applied to their arrays."""
    taxes = (HSV(change(tax.tau), change(tax.xi)) for tax in (policy.income_tax, policy.asset_tax))
    return FiscalPolicy(*taxes, change(policy.spending_share))


def economy(**settings: Any) -> Economy:
    game = make("economy", **settings)
    assert isinstance(game, Economy)
    return game


def actions(
    game: Economy, leader: float = 0.5, follower: tuple[float, float] = (0.99, 0.5)
) -> tuple[np.ndarray, np.ndarray]:
    """The leader at a share of its caps, and all followers alike."""
    high = game.leader_action_space.high / 0.99
    return np.tile(leader * high, (game.n_games, 1)), np.tile(follower, (game.n_games, game.n_followers, 1))
