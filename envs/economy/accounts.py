"""The government's budget and the capital of the next year. Shapes (B, 1)."""

from __future__ import annotations

from envs.economy.arrays import Total, positive, total
from envs.economy.parameters import EconomyParameters
from envs.economy.state import Accounts, Prices
from envs.game import Array


def tax_revenue(
    income_tax: Array,
    asset_tax: Array,
    total_consumption: Array,
    consumption_tax: Array | float,
    total: Total = total,
) -> Array:
    """R = sum(income tax + asset tax + tau_c c), (B, 1), from taxes (B, N)."""
    revenue: Array = total(income_tax + asset_tax) + consumption_tax * total_consumption
    return revenue


def next_debt(debt: Array, interest_rate: Array, spending: Array, transfers: Array, revenue: Array) -> Array:
    """The government's budget: B' = (1 + r) B + G + M - R, where M is paid to households."""
    return (1 + interest_rate) * debt + spending + transfers - revenue


def capital_from_balance_sheets(parameters: EconomyParameters, prices: Prices, accounts: Accounts) -> Array:
    """K' = (1 + r)(K - A) - G - M + R + A' (preset `paper`).

    With the budgets above, K' + B' - A' = (1 + r)(K + B - A).
    """
    return (
        (1 + prices.interest_rate) * (accounts.capital - accounts.total_assets)
        - accounts.spending
        - accounts.transfers
        + accounts.revenue
        + accounts.total_next_assets
    )


def capital_from_marginal_product(parameters: EconomyParameters, prices: Prices, accounts: Accounts) -> Array:
    """K' = A' - B' + (alpha Y/K + 1 - delta) K + (1 + r)(B - A), where alpha Y/K = alpha (K/L)^(alpha - 1) at A = 1.

    The law of the preset `taxai`.
    """
    marginal_product = parameters.capital_share * prices.gdp / positive(accounts.capital)
    return (
        accounts.total_next_assets
        - accounts.next_debt
        + (marginal_product + 1 - parameters.depreciation) * accounts.capital
        + (1 + prices.interest_rate) * (accounts.debt - accounts.total_assets)
    )


def capital_from_asset_market(parameters: EconomyParameters, prices: Prices, accounts: Accounts) -> Array:
    """The asset market clears: households own all capital and all government bonds, K' = A' - B' (`calibrated`)."""
    return accounts.total_next_assets - accounts.next_debt


def claims_alone(capital: Array, debt: Array, asset_factor: Array) -> tuple[Array, Array]:
    """A financial crisis shrinks what households own; capital and debt stay (presets `paper` and `taxai`)."""
    return capital, debt


def claims_and_what_they_are_on(capital: Array, debt: Array, asset_factor: Array) -> tuple[Array, Array]:
    """A financial crisis shrinks capital and government bonds alike, so that K + B = A still (preset `calibrated`)."""
    return asset_factor * capital, asset_factor * debt
