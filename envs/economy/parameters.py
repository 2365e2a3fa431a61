"""Every number of an economy, and the few laws in which the presets differ, chosen as data."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from gymnasium.spaces import Box

from envs.economy.arrays import Total
from envs.economy.state import Accounts, EconomyState, Flows, Prices
from envs.economy.taxation import FiscalPolicy, Schedule
from envs.game import Array, BoolArray, InvalidSetting
from envs.outlook import Outlook
from envs.scaling import FeatureScaling

if TYPE_CHECKING:
    from envs.economy.ability import AbilityDraws


@dataclass(frozen=True)
class Task:
    """What a government is rewarded for: `reward(parameters, flows, total)`, (B, 1); `scale` is its typical size.

    `measures_inequality`: whether it depends on ginis, for which households must be ranked.
    """

    reward: Callable[[EconomyParameters, Flows, Total], Array]
    scale: float = 1.0
    grows_with_households: bool = False
    measures_inequality: bool = False

    def typical_reward(self, households: int) -> float:
        """The size of a typical yearly reward in an economy of so many households."""
        return self.scale * households if self.grows_with_households else self.scale


# ability and who is a superstar, (B, N) each
Abilities = tuple[Array, BoolArray]

# how the logarithms of what is observed are scaled to order one: (unit, shift, width)
SCALES = {
    "dollars": (1e4, 10.0, 6.0),
    "ability": (1.0, 1.0, 1.0),
    "wage": (1.0, 1.0, 1.0),
    "interest_rate": (0.01, 1.0, 1.0),
}


@dataclass(frozen=True)
class Laws:
    """The laws in which presets differ; the functions are in the rooms named after the economics.

    All but the first year's are arithmetic for numpy and torch; `total` is the sum over households, (B, N) to (B, 1).

    initial_state(parameters, ability, superstar, assets, income), all (B, N): the economy before its first year.
    fiscal_policy(parameters, state, leader_action (B, al) or its al instruments (B, 1), total): the schedules and the
        spending the government announces.
    interest_rate(parameters, capital, labour, gdp), all (B, 1).
    consumption_base(post_income, post_assets): what the saving rate applies to, (B, N).
    consumption(desired (B, N), demand = sum desired, spending, gdp): what households get of what they desire, (B, N).
    next_capital(parameters, prices, accounts): (B, 1).
    reported_wealth(asset_tax, ascending_assets, ascending_next_assets): the wealth whose gini is reported, in
        ascending order, (B, N).
    utility(parameters, consumption (B, N), labour_share (B, N), spending per household (B, 1)): the household's reward.
    balance_sheets(capital, debt, asset_factor), all (B, 1): capital and debt after a shock to assets.
    first_ability(parameters, education (B, N), income (B, N), draws): ability and who is a superstar at the start.
    next_ability(parameters, ability, superstar, draws, total): the same a year later.
    ability_at_work(state, drawn) and state_after(state, drawn), where `drawn` is what next_ability drew this year: the
        ability households work with, and the state they see next.
    tasks: the government's rewards by name.
    also_reported(flows, state): indicators, (B, 1) each, beside those that every preset reports.
    leader_sees, follower_sees: names of the per-game numbers in `EconomyState` that the government observes beside
        the six group means, and the households beside their own ability and assets.
    follower_outlook(parameters, scaling of what followers observe): what households can work out of their own budget.
    scales: (unit, shift, width) of logarithmic features, by what is observed.
    leader_scales: the same for each number the leader observes, where means of groups vary less than households do.
    follower_box: the scale on which the households' actions are even (`envs.scaling`).
    follows(parameters): numbers that are no choice because others settle them, by name; raises InvalidSetting where
        the others contradict each other.
    without_effect: numbers that nothing in this preset depends on.
    further_instruments: those of `envs.economy.instruments.FURTHER` that a game of this preset may open.
    survey_wealth: what the survey's households own: `assets` (ASSET), or `net_worth` (NETWORTH, at least 0).
    """

    initial_state: Callable[[EconomyParameters, Array, BoolArray, Array, Array], EconomyState]
    fiscal_policy: Callable[[EconomyParameters, EconomyState, Array | Sequence[Any], Total], FiscalPolicy]
    interest_rate: Callable[[EconomyParameters, Array, Array, Array], Array]
    consumption_base: Callable[[Array, Array], Array]
    consumption: Callable[[Array, Array, Array, Array], Array]
    next_capital: Callable[[EconomyParameters, Prices, Accounts], Array]
    reported_wealth: Callable[[Schedule, Array, Array], Array]
    utility: Callable[[EconomyParameters, Array, Array, Array], Array]
    balance_sheets: Callable[[Array, Array, Array], tuple[Array, Array]]
    first_ability: Callable[[EconomyParameters, Array, Array, AbilityDraws], Abilities]
    next_ability: Callable[[EconomyParameters, Array, BoolArray, AbilityDraws, Total], Abilities]
    ability_at_work: Callable[[EconomyState, Abilities], Abilities]
    state_after: Callable[[EconomyState, Abilities], EconomyState]
    tasks: dict[str, Task]
    follows: Callable[[EconomyParameters], dict[str, float]]
    also_reported: dict[str, Callable[[Flows, EconomyState], Array]] = field(default_factory=dict)
    leader_sees: tuple[str, ...] = ()
    follower_sees: tuple[str, ...] = ()
    follower_outlook: Callable[[EconomyParameters, FeatureScaling], Outlook] | None = None
    without_effect: tuple[str, ...] = ()
    scales: Mapping[str, tuple[float, float, float]] = field(default_factory=lambda: SCALES)
    leader_scales: tuple[tuple[float, float, float], ...] | None = None
    survey_wealth: str = "assets"
    further_instruments: tuple[str, ...] = ()
    follower_box: type[Box] = Box


@dataclass(frozen=True)
class EconomyParameters:
    """The numbers of one economy; defaults are those of the preset `paper`. Dollars, years, hours a year.

    Raises InvalidSetting where a number is outside its bounds.
    """

    laws: Laws
    # firms
    capital_share: float = 0.7445  # alpha
    tfp: float = 10.0  # A
    depreciation: float = 0.0  # delta
    interest_rate: float = 0.04  # r
    # households
    crra: float = 1.0  # theta
    inverse_frisch: float = 2.0  # gamma
    labour_disutility: float = 10.0
    log_consumption_unit: float = 1000.0  # dollars; ln(c / unit) at theta = 1
    public_spending_weight: float = 0.0  # chi: weight of ln(public spending) in utility
    utility_unit: float = 1.0  # utility is divided by it, where it is not squashed
    typical_utility: float = 1.0  # by how much rewards typically differ: learners divide by it
    maximal_hours: float = 365 * 24 * (2 / 3) * (2 / 3)  # two thirds of the days, two thirds of a day
    discount: float = 0.975  # of the authors' program
    # the government
    consumption_tax: float = 0.065  # tau_c
    tau_cap: float = 0.2
    xi_cap: float = 0.05
    asset_tau_cap: float = 0.2
    asset_xi_cap: float = 0.05
    spending_cap: float = 0.3  # of GDP
    usual_spending_share: float = 0.0  # of GDP, by governments whose rule says nothing about spending
    # instruments beyond the five and their largest values, in the order of `envs.economy.instruments.FURTHER`
    further_instruments: tuple[tuple[str, float], ...] = ()
    inequality_weight: float = 1.0  # w of the task gdp_gini
    gdp_weight: float = 1.0  # alpha_1, alpha_2 and alpha_3 of the task weighted
    equality_weight: float = 1.0
    welfare_weight: float = 1.0
    # actions: a recorded action in [raw_low, raw_high] is a share u in [share_low, share_high] of what is allowed,
    # and the saving rate is saving_floor + (1 - saving_floor) u
    raw_low: float = 0.0
    raw_high: float = 1.0
    share_low: float = 0.001
    share_high: float = 0.99
    saving_floor: float = 0.0
    # ability: log e' = persistence log e + sd eps, and the superstars
    ability_persistence: float = 0.982
    ability_sd: float = 0.2
    superstar_entry: float = 2.2e-6
    superstar_stay: float = 0.990
    superstar_multiple: float = 504.3  # of the mean ability of the others
    # aggregate risk: log A' = persistence log A + sd eps, a factor on tfp that everybody observes where sd > 0
    productivity_persistence: float = 0.95**4  # yearly, of .95 a quarter
    productivity_sd: float = 0.0
    # the first year: OECD 2022 figures for the United States
    us_gdp: float = 23_315.081e9
    us_population: float = 333.456e6  # persons, or households where GDP is counted per household
    debt_to_gdp: float = 1.2129
    capital_to_gdp: float = 0.183
    # the first year of `taxai`: a calibrated ratio of wealth to output, and the share of time worked
    wealth_to_output: float = 6.6
    initial_labour_share: float = 1 / 3
    # measures, and the end of an episode
    gini_shift: float = 1e-7  # dollars added to every amount
    gini_limit: float = 1.0  # the episode ends where a gini reaches it,
    demand_limit: float = 1.0  # or where consumption and public spending exceed this multiple of GDP,
    debt_limit: float = math.inf  # or debt exceeds this multiple of GDP,
    least_capital: float = 0.0  # or capital falls below this multiple of GDP
    horizon: int = 300
    top_share: float = 0.1
    bottom_share: float = 0.5
    # what is reported for a year in which something is not a number
    failed_gini: float = 0.99
    failed_consumption: float = 0.001

    @property
    def everybody_sees(self) -> tuple[str, ...]:
        """Names of the per-game numbers that both sides observe last, in every preset."""
        return ("productivity",) if self.productivity_sd > 0 else ()

    def __post_init__(self) -> None:
        for name, (low, high) in BOUNDS.items():
            value = getattr(self, name)
            if not (isinstance(value, int | float) and low <= value <= high):
                raise InvalidSetting(f"{name} = {value}: must be between {low:g} and {high:g}")
        if not self.share_low < self.share_high:
            raise InvalidSetting(f"share_low = {self.share_low}: must be below share_high = {self.share_high}")
        if not self.raw_low < self.raw_high:
            raise InvalidSetting(f"raw_low = {self.raw_low}: must be below raw_high = {self.raw_high}")


SMALLEST = 1e-12
# name -> smallest and largest value that makes sense
BOUNDS: dict[str, tuple[float, float]] = {
    "capital_share": (0.01, 0.99),
    "tfp": (SMALLEST, 1e12),
    "depreciation": (0.0, 1.0),
    "interest_rate": (-0.5, 1.0),
    "crra": (0.0, 50.0),
    "inverse_frisch": (0.0, 50.0),
    "labour_disutility": (0.0, 1e6),
    "log_consumption_unit": (SMALLEST, 1e12),
    "public_spending_weight": (0.0, 1e3),
    "utility_unit": (SMALLEST, 1e6),
    "typical_utility": (SMALLEST, 1e6),
    "maximal_hours": (SMALLEST, 1e12),
    "discount": (0.0, 1.0),
    "consumption_tax": (0.0, 10.0),
    "tau_cap": (0.0, 1.0),
    "xi_cap": (0.0, 0.99),
    "asset_tau_cap": (0.0, 1.0),
    "asset_xi_cap": (0.0, 0.99),
    "spending_cap": (0.0, 1.0),
    "usual_spending_share": (0.0, 1.0),
    "inequality_weight": (0.0, 1e6),
    "gdp_weight": (0.0, 1e6),
    "equality_weight": (0.0, 1e6),
    "welfare_weight": (0.0, 1e6),
    "raw_low": (-1e6, 1e6),
    "raw_high": (-1e6, 1e6),
    "share_low": (SMALLEST, 1.0),
    "share_high": (SMALLEST, 1.0),
    "saving_floor": (0.0, 0.99),
    "ability_persistence": (0.0, 1.0),
    "ability_sd": (0.0, 10.0),
    "superstar_entry": (0.0, 1.0),
    "superstar_stay": (0.0, 1.0),
    "superstar_multiple": (SMALLEST, 1e6),
    "productivity_persistence": (0.0, 0.999),
    "productivity_sd": (0.0, 1.0),
    "us_gdp": (SMALLEST, 1e18),
    "us_population": (1.0, 1e12),
    "debt_to_gdp": (-100.0, 100.0),
    "capital_to_gdp": (SMALLEST, 1e3),
    "wealth_to_output": (SMALLEST, 1e3),
    "initial_labour_share": (SMALLEST, 1.0),
    "gini_shift": (0.0, 1.0),
    "gini_limit": (0.0, math.inf),
    "demand_limit": (SMALLEST, math.inf),
    "debt_limit": (SMALLEST, math.inf),
    "least_capital": (0.0, 1e3),
    "horizon": (1, 10**9),
    "top_share": (0.0, 1.0),
    "bottom_share": (0.0, 1.0),
    "failed_gini": (0.0, 1.0),
    "failed_consumption": (SMALLEST, 1e12),
}
assert set(BOUNDS) == {field.name for field in fields(EconomyParameters)} - {"laws", "further_instruments"}
