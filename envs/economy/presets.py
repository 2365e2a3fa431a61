"""The economies by name: `paper` (Mi et al., arXiv 2403.12093) and `taxai` (Mi et al., arXiv 2309.16307)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from envs.economy import accounts, actions, households, initial, markets, rewards
from envs.economy.parameters import EconomyParameters, Laws, Task
from envs.game import InvalidSetting
from envs.registry import nearest

PAPER = EconomyParameters(
    Laws(
        initial_state=initial.oecd_first_year,
        fiscal_policy=actions.hsv_policy,
        interest_rate=markets.fixed_interest_rate,
        consumption_base=households.income_alone,
        consumption=markets.rationed,
        next_capital=accounts.capital_from_balance_sheets,
        reported_wealth=households.wealth_after_tax,
        tasks={
            "gdp": Task(rewards.capital_growth, scale=10.0),
            "gini": Task(rewards.redistribution, scale=10.0),
            "social_welfare": Task(rewards.social_welfare, grows_with_households=True),
            "gdp_gini": Task(rewards.growth_and_equality),
        },
    )
)

TAXAI = replace(
    PAPER,
    laws=replace(
        PAPER.laws,
        initial_state=initial.wealth_first_year,
        consumption_base=households.total_wealth,
        consumption=markets.not_rationed,
        next_capital=accounts.capital_from_marginal_product,
        reported_wealth=households.wealth_saved,
        tasks=PAPER.laws.tasks | {"gdp": Task(rewards.gdp_growth), "gini": Task(rewards.equality)},
        leader_sees=("wage",),
    ),
    capital_share=1 / 3,
    tfp=1.0,
    depreciation=0.06,
    raw_low=-1.0,
    saving_floor=0.5,
    gini_shift=0.0,
    # the episode ends above 0.9: where a gini reaches the next larger number
    gini_limit=float(np.nextafter(0.9, 1.0)),
    failed_gini=0.9,
)

PRESETS: dict[str, EconomyParameters] = {"paper": PAPER, "taxai": TAXAI}


def preset_parameters(name: str) -> EconomyParameters:
    """The parameters of a preset; raises InvalidSetting with the nearest name for an unknown one."""
    if name not in PRESETS:
        raise InvalidSetting(f"unknown preset '{name}'{nearest(str(name), list(PRESETS))}")
    return PRESETS[name]
