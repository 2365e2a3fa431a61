"""The preset `paper` in plain Python, one household at a time: a reading independent of the package."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from envs.economy.replay import OUTPUTS
from envs.economy.taxation import us_federal_2022

ALPHA, INTEREST, CONSUMPTION_TAX = 0.7445, 0.04, 0.065


def clip(x: float) -> float:
    return min(max(x, 0.001), 0.99)


def hsv(x: float, tau: float, xi: float) -> float:
    return x - (1 - tau) / (1 - xi) * x ** (1 - xi)


def gini(values: list[float]) -> float:
    rising, n = [x + 1e-7 for x in sorted(values)], len(values)
    return sum((2 * k - n - 1) * x for k, x in enumerate(rising, start=1)) / (n * sum(rising))


def by_hand(trace: dict[str, np.ndarray]) -> dict[str, list]:
    """Every output of a trajectory, a list over years."""
    out: dict[str, list] = {name: [] for name in OUTPUTS}
    assets, capital, debt = list(trace["init_assets"]), float(trace["init_capital"]), float(trace["init_debt"])
    gdp, ended = float(trace["init_gdp"]), False
    for year in range(len(trace["ability"])):
        if str(trace["shock"]) == "financial_crisis" and year == 100:
            assets = [a / 2 for a in assets]
        now = one_year(trace, year, assets, capital, debt)
        ended = ended or now.pop("ends") or year == 299
        now |= measures(now, gdp) | {"done": ended}
        assert set(now) == set(OUTPUTS)
        for name, value in now.items():
            out[name].append(value)
        assets, capital, debt, gdp = now["next_assets"], now["next_capital"], now["next_debt"], now["gdp"]
    return out


def taxes(trace: dict[str, np.ndarray], year: int, g: list[float], income: list[float], assets: list[float]) -> Any:
    """Income taxes and asset taxes."""
    rule, nothing = str(trace["tax_rule"]), [0.0 for _ in assets]
    if rule == "hsv":
        return [hsv(y, 0.2 * g[0], 0.05 * g[1]) for y in income], [hsv(a, 0.2 * g[2], 0.05 * g[3]) for a in assets]
    if rule == "us_federal":
        return [float(us_federal_2022().tax(np.array([[y]]))[0, 0]) for y in income], nothing
    edges = [*trace["saez_bracket_cutoffs"], math.inf]
    brackets = list(zip(trace["bracket_rates"][year], edges, edges[1:], strict=False))
    return [sum(rate * max(0.0, min(y, high) - low) for rate, low, high in brackets) for y in income], nothing


def one_year(
    trace: dict[str, np.ndarray], year: int, assets: list[float], capital: float, debt: float
) -> dict[str, Any]:
    """Markets and budgets."""
    people = range(len(assets))
    e, g = list(trace["ability"][year]), [clip(x) for x in trace["gov_action"][year]]
    saved, worked = ([clip(x) for x in trace["house_action"][year, :, k]] for k in (0, 1))
    tfp = 8.0 if str(trace["shock"]) == "disaster" and year in (100, 101) else 10.0
    hours = [365 * 24 * 4 / 9 * share for share in worked]
    labour = sum(e[i] * hours[i] for i in people)
    wage, gdp = tfp * (1 - ALPHA) * (capital / labour) ** ALPHA, tfp * capital**ALPHA * labour ** (1 - ALPHA)
    income = [wage * e[i] * hours[i] + INTEREST * assets[i] for i in people]
    income_tax, asset_tax = taxes(trace, year, g, income, assets)
    kept, left = [income[i] - income_tax[i] for i in people], [assets[i] - asset_tax[i] for i in people]
    spending = 0.3 * g[4] * gdp
    eaten = [(1 - saved[i]) * kept[i] / (1 + CONSUMPTION_TAX) for i in people]
    demand = sum(eaten)
    if demand + spending > gdp:
        eaten = [c * (gdp - spending) / demand for c in eaten]
    following = [kept[i] + left[i] - (1 + CONSUMPTION_TAX) * eaten[i] for i in people]
    revenue = sum(income_tax) + sum(asset_tax) + CONSUMPTION_TAX * sum(eaten)
    next_capital = (1 + INTEREST) * (capital - sum(assets)) - spending + revenue + sum(following)
    wealth_gini, income_gini = gini(left), gini(kept)
    bad = max(wealth_gini, income_gini) >= 1 or min(following) < 0 or next_capital < 0
    return {
        "assets": assets, "capital": capital, "debt": debt, "labor": labour, "wage": wage, "gdp": gdp, "tfp": tfp,
        "income": income, "income_tax": income_tax, "asset_tax": asset_tax, "consumption": eaten,
        "next_assets": following, "next_capital": next_capital, "spending": spending,
        "next_debt": (1 + INTEREST) * debt + spending - revenue,
        "wealth_gini": wealth_gini, "income_gini": income_gini, "ends": demand + spending > gdp or bad,
        "house_reward": [1 / (1 + math.exp(10 * worked[i] ** 3 / 3 - math.log(eaten[i] / 1000))) for i in people],
        "follower_obs": [[e[i], following[i]] for i in people],
    }  # fmt: skip


def measures(now: dict[str, Any], last_gdp: float) -> dict[str, Any]:
    """The leader's observation and its reward under each task."""
    income, following, people = now["income"], now["next_assets"], range(len(now["income"]))
    ability = [seen[0] for seen in now["follower_obs"]]
    richest = sorted(people, key=lambda i: following[i], reverse=True)
    earners = sorted(people, key=lambda i: income[i], reverse=True)
    top, bottom = slice(None, int(0.1 * len(income))), slice(int(0.5 * len(income)), None)

    def mean(x: list[float], order: list[int]) -> float:
        return sum(x[i] for i in order) / len(order)

    before, wealth_gini, income_gini = gini(now["assets"]), now["wealth_gini"], now["income_gini"]
    return {
        "leader_obs": [
            mean(x, order[group])
            for group in (top, bottom)
            for x, order in ((following, richest), (income, earners), (ability, earners))
        ],
        "r_gdp": 100 * (now["next_capital"] - now["capital"]) / now["capital"],
        "r_gini": 100 * ((before - wealth_gini) / before + (gini(income) - income_gini) / gini(income)),
        "r_welfare": sum(now["house_reward"]),
        "r_gdp_gini": (now["gdp"] - last_gdp) / last_gdp - wealth_gini * income_gini,
    }
