"""The economies by name: `paper` (arXiv 2403.12093), `taxai` (arXiv 2309.16307), our own `calibrated`, `boar_midrigan`.

Every number of `calibrated` has its source in docs/calibration.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from envs.economy import ability, accounts, actions, consistency, households, indicators, initial, markets, rewards
from envs.economy.instruments import FURTHER
from envs.economy.outlook import HouseholdBudget
from envs.economy.parameters import BOUNDS, EconomyParameters, Laws, Task
from envs.game import InvalidSetting
from envs.registry import nearest
from envs.scaling import ShareBox

PAPER = EconomyParameters(
    Laws(
        initial_state=initial.oecd_first_year,
        fiscal_policy=actions.hsv_policy,
        interest_rate=markets.fixed_interest_rate,
        consumption_base=households.income_alone,
        consumption=markets.rationed,
        next_capital=accounts.capital_from_balance_sheets,
        reported_wealth=households.wealth_after_tax,
        utility=households.squashed_utility,
        balance_sheets=accounts.claims_alone,
        first_ability=ability.ability_of_education,
        next_ability=ability.next_ability,
        ability_at_work=ability.drawn_after_choices,
        state_after=ability.see_the_past,
        tasks={
            "gdp": Task(rewards.capital_growth, scale=10.0),
            "gini": Task(rewards.redistribution, scale=10.0, measures_inequality=True),
            "social_welfare": Task(rewards.social_welfare, grows_with_households=True),
            "gdp_gini": Task(rewards.growth_and_equality, measures_inequality=True),
        },
        follows=consistency.nothing_follows,
        without_effect=(
            "depreciation",
            "public_spending_weight",
            "utility_unit",
            "wealth_to_output",
            "initial_labour_share",
        ),
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
        tasks=PAPER.laws.tasks
        | {"gdp": Task(rewards.gdp_growth), "gini": Task(rewards.equality, measures_inequality=True)},
        leader_sees=("wage",),
        follows=consistency.labour_is_left,
        without_effect=(
            "public_spending_weight",
            "utility_unit",
            "us_gdp",
            "us_population",
            "debt_to_gdp",
            "capital_to_gdp",
            "maximal_hours",
        ),
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

US_GDP, US_HOUSEHOLDS = 25.7e12, 131.3e6
CAPITAL_TO_GDP, CAPITAL_SHARE, DEPRECIATION = 3.8, 0.38, 0.06
LABOUR_SHARE, MAXIMAL_HOURS, SPENDING_SHARE = 0.4165, 365.0 * 16.0, 0.19


def with_what_follows(parameters: EconomyParameters) -> EconomyParameters:
    """The same numbers, and those that they settle; raises InvalidSetting where they contradict each other."""
    settled: dict[str, Any] = parameters.laws.follows(parameters)
    return replace(parameters, **settled)


_CALIBRATED = replace(
    PAPER,
    laws=replace(
        PAPER.laws,
        initial_state=initial.balanced_first_year,
        fiscal_policy=actions.scaled_hsv_policy,
        interest_rate=markets.marginal_product,
        consumption_base=households.total_wealth,
        consumption=markets.not_rationed,
        next_capital=accounts.capital_from_asset_market,
        reported_wealth=households.wealth_saved,
        utility=households.utility_of_public_goods_too,
        balance_sheets=accounts.claims_and_what_they_are_on,
        first_ability=ability.ability_of_earnings,
        next_ability=ability.next_stationary_ability,
        ability_at_work=ability.drawn_before_choices,
        state_after=ability.see_the_draw,
        tasks={
            "gdp": Task(rewards.gdp_level, scale=0.1),
            "gini": Task(rewards.equality_above_zero, scale=0.1, measures_inequality=True),
            "social_welfare": Task(rewards.social_welfare, scale=0.1, grows_with_households=True),
            "gdp_gini": Task(rewards.output_and_equality, scale=0.1, measures_inequality=True),
            "weighted": Task(rewards.weighted, scale=0.1, measures_inequality=True),
        },
        also_reported={
            "capital_output_ratio": indicators.capital_output_ratio,
            "debt_to_gdp": indicators.debt_to_gdp,
            "spending_to_gdp": indicators.spending_to_gdp,
            "top_10_wealth_share": indicators.top_10_wealth_share,
            "bottom_50_wealth_share": indicators.bottom_50_wealth_share,
        },
        leader_sees=("wage", "interest_rate", "capital_to_gdp", "debt_to_gdp"),
        follower_sees=("wage", "interest_rate", "mean_income", "mean_assets"),
        scales={
            "dollars": (1e4, 3.0, 2.5),
            "ability": (0.1, 1.8, 1.0),
            "wage": (1.0, 4.3, 0.3),
            "interest_rate": (0.01, 1.4, 0.7),
            "mean_income": (1e4, 3.0, 0.3),
            "mean_assets": (1e4, 4.6, 0.3),
            "capital_to_gdp": (1.0, 1.5, 0.3),
            "debt_to_gdp": (1.0, 0.7, 0.7),
        },
        # about mean and standard deviation under the US tax system and others near it: a value that varies by a
        # hundredth of the features' usual width is learned last, and what capital and debt are worth is such a one
        leader_scales=(
            (1e4, 6.53, 0.15),  # assets, income and ability of the top 10 % ...
            (1e4, 4.49, 0.20),
            (0.1, 3.84, 0.21),
            (1e4, 1.27, 0.72),  # ... and of the bottom 50 %
            (1e4, 1.73, 0.06),
            (0.1, 1.61, 0.09),
            (1.0, 3.93, 0.095),  # wage, interest rate, capital and debt over GDP
            (0.01, 1.59, 0.34),
            (1.0, 1.57, 0.12),
            (1.0, 0.39, 0.68),
        ),
        follows=consistency.us_first_year,
        without_effect=("wealth_to_output",),
        survey_wealth="net_worth",
        follower_box=ShareBox,
        follower_outlook=HouseholdBudget,
        further_instruments=tuple(FURTHER),
    ),
    capital_share=CAPITAL_SHARE,
    depreciation=DEPRECIATION,
    inverse_frisch=2.0,
    labour_disutility=11.84,
    public_spending_weight=0.233,
    utility_unit=4.0,
    typical_utility=0.1,
    maximal_hours=MAXIMAL_HOURS,
    discount=0.96,
    tau_cap=0.5,
    xi_cap=0.4,
    asset_tau_cap=0.04,
    asset_xi_cap=0.01,
    spending_cap=0.4,
    usual_spending_share=SPENDING_SHARE,
    share_high=0.998,
    ability_persistence=0.97,
    ability_sd=0.149,
    superstar_entry=0.02 * 0.07 / 0.98,
    superstar_stay=0.93,
    superstar_multiple=28.0,
    us_gdp=US_GDP,
    us_population=US_HOUSEHOLDS,
    debt_to_gdp=0.97,
    capital_to_gdp=CAPITAL_TO_GDP,
    initial_labour_share=LABOUR_SHARE,
    gini_shift=0.0,
    # neither inequality nor consumption out of capital ends an episode: debt and the loss of capital do
    gini_limit=math.inf,
    demand_limit=math.inf,
    debt_limit=4.0,
    least_capital=0.05,
    horizon=100,
)
CALIBRATED = with_what_follows(_CALIBRATED)

# Boar and Midrigan, "Efficient redistribution" (2022, JME 131). Their hours are not bounded; nobody works 1.3 times
# what they call 1, which is then all the time there is, and disutility h^3 / 3 is 1.3^3 l^3 / 3 of the share l.
# Capital, labour and public spending of the first year are those of their stationary state, which
# `smfg verify --published` computes.
LONGEST_HOURS = 1.3
BOAR_MIDRIGAN = with_what_follows(
    replace(
        _CALIBRATED,
        capital_share=1 / 3,
        discount=0.975,
        labour_disutility=LONGEST_HOURS**3,
        public_spending_weight=0.0,
        tau_cap=0.9,
        usual_spending_share=0.075,
        ability_persistence=0.982,
        ability_sd=0.2,
        superstar_entry=2.2e-6,
        superstar_stay=0.990,
        superstar_multiple=504.3,
        debt_to_gdp=1.0,
        capital_to_gdp=4.12,
        initial_labour_share=0.69,
    )
)

# numbers that the game's own settings name, and those that only recorded trajectories depend on
OWN_SETTINGS = (
    "crra",
    "horizon",
    "inequality_weight",
    "gdp_weight",
    "equality_weight",
    "welfare_weight",
    "productivity_persistence",
    "productivity_sd",
)
RECORDS = ("raw_low", "raw_high")

PRESETS: dict[str, EconomyParameters] = {
    "paper": PAPER,
    "taxai": TAXAI,
    "calibrated": CALIBRATED,
    "boar_midrigan": BOAR_MIDRIGAN,
}


def preset_parameters(name: str) -> EconomyParameters:
    """The parameters of a preset; raises InvalidSetting with the nearest name for an unknown one."""
    if name not in PRESETS:
        raise InvalidSetting(f"unknown preset '{name}'{nearest(str(name), list(PRESETS))}")
    return PRESETS[name]


def changed_parameters(preset: str, changes: Mapping[str, Any]) -> EconomyParameters:
    """The preset with other numbers, and with what follows from them.

    Raises InvalidSetting for an unknown name, a number outside its bounds, one that others settle or that nothing in
    the preset depends on, and numbers that contradict each other.
    """
    parameters = preset_parameters(preset)
    laws = parameters.laws
    settled = laws.follows(parameters)
    for name in changes:
        if name in OWN_SETTINGS:
            raise InvalidSetting(f"parameters.{name}: is a setting of its own: {name}")
        if name in RECORDS or name in laws.without_effect:
            raise InvalidSetting(f"parameters.{name}: nothing in the preset '{preset}' depends on it")
        if name in settled:
            raise InvalidSetting(f"parameters.{name}: follows from the preset's other numbers, and cannot be chosen")
        if name not in BOUNDS:
            raise InvalidSetting(f"parameters has no number '{name}'{nearest(str(name), list(BOUNDS))}")
    return with_what_follows(replace(parameters, **changes))
