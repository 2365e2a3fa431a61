"""Reads gains and tax rates off trained policies: returns are too flat near an optimum to tell right from wrong."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from envs import make
from envs.economy.aiyagari import Equilibrium, Parameters, usual_equilibrium
from envs.game import Array, InvalidSetting
from envs.linear_quadratic import Parameters as LinearQuadraticParameters
from envs.linear_quadratic_solution import LinearRules, best_response_cost
from envs.solution import solution
from envs.stage_game import Parameters as StageGameParameters
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.known_games import krusell_smith as cycle

Readings = dict[str, float]
YEARS_OF_GINI_DRIFT = 50
AIYAGARI_YEARS = 150  # until the interest rate has settled, and over which it is measured


def read(game: str, leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """What `acceptance` judges, for one of the known games with N = `followers`, its `parameters` as in `solution`."""
    return READERS[game](leader, follower, followers, **parameters)


def stage_game(leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """Leader rule g = slope z + intercept on |z| <= 1.5, its largest error, and the slope phi of the mean action."""
    exact = solution("stage_game", followers=followers, **parameters)
    z = np.linspace(-1.5, 1.5, 31)[:, None]
    g = leader.act(z)
    slope, intercept = np.polyfit(z[:, 0], g[:, 0], 1)
    p = StageGameParameters(**parameters)
    # with all at x = z, everybody does phi (theta z + delta g)
    z2, g2 = (a.ravel() for a in np.meshgrid(np.linspace(-1.5, 1.5, 13), np.linspace(-1.5, 1.5, 13)))
    action = follower.act(np.stack([z2, z2], -1)[:, None, :], g2[:, None])[:, 0, 0]
    phi = np.polyfit(p.theta * z2 + p.delta * g2, action, 1)[0]
    error = float(np.abs(g - exact.leader_rule(z)).max())
    return {"g_slope": float(slope), "g_intercept": float(intercept), "g_error": error, "phi": float(phi)}


def linear_quadratic(leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """Gains by least squares on |z| <= 1.5, |x| <= 2.5, |g| <= 1, and both sides' exact exploitability of them.

    It is infinite where the state explodes under these gains.
    """
    z = np.linspace(-1.5, 1.5, 31)[:, None]
    gain = -np.polyfit(z[:, 0], leader.act(z)[:, 0], 1)[0]
    x3, z3, g3 = (a.ravel() for a in np.meshgrid(*(np.linspace(-b, b, 11) for b in (2.5, 1.5, 1.0))))
    action = follower.act(np.stack([x3, z3], -1)[:, None, :], g3[:, None])[:, 0, 0]
    rule = -np.linalg.lstsq(np.stack([x3, z3, g3, np.ones_like(x3)], -1), action, rcond=None)[0]
    gains = {"Fx": float(rule[0]), "Fz": float(rule[1]), "Fg": float(rule[2]), "K": float(gain)}
    try:
        cost = best_response_cost(LinearRules(**gains), LinearQuadraticParameters(**parameters), followers=followers)
    except InvalidSetting:  # costs under these rules are infinite
        return {**gains, "follower_exploitability": math.inf, "leader_exploitability": math.inf}
    return {
        **gains,
        "follower_exploitability": cost.follower_exploitability,
        "leader_exploitability": cost.leader_exploitability,
    }


def income_tax(leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """The tax rate, welfare under it and the followers' own hours, and the hours' mean relative error on 20 rates."""
    game = make("income_tax", games=20, followers=followers, **parameters)
    exact = solution("income_tax", followers=followers, **parameters)
    observations = game.reset(0)
    t = leader.act(observations.leader)
    welfare = game.step(t, follower.act(observations.follower, t)).leader_reward.mean()
    rates = np.linspace(0.0, 0.8, 20)[:, None]
    hours, right = follower.act(observations.follower, rates), exact.follower_rule(observations.follower, rates)
    return {"t": float(t.mean()), "W": float(welfare), "hours_error": float(np.abs(hours / right - 1.0).mean())}


def brock_mirman(leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """The tax rate over the capital stocks met in play, the error of saving rates at q in [.2, 5], the gini's drift."""
    game = make("brock_mirman", games=32, followers=followers, **parameters)
    exact = solution("brock_mirman", followers=followers, **parameters)
    observations = game.reset(0)
    rates, errors, ginis = [], [], []
    for _ in range(YEARS_OF_GINI_DRIFT):
        tax = leader.act(observations.leader)
        saving = follower.act(observations.follower, tax)
        share = observations.follower[..., 0] / observations.follower[..., 0].mean(-1, keepdims=True)
        inside = (share >= 0.2) & (share <= 5.0)
        errors.append(np.abs(saving - exact.follower_rule(observations.follower, tax))[..., 0][inside])
        rates.append(tax)
        step = game.step(tax, saving)
        ginis.append(step.indicators["capital_gini"])
        observations = step.final_observations
    drift = np.abs(ginis[-1] / ginis[0] - 1.0).mean()
    return {
        "tau": float(np.mean(rates)),
        "saving_error": float(np.concatenate(errors).mean()),
        "gini_drift": float(drift),
    }


def static_hsv(leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """The progressivity xi, and the mean relative error of hours on 20 values of it."""
    game = make("static_hsv", games=20, followers=followers, **parameters)
    exact = solution("static_hsv", followers=followers, **parameters)
    observations = game.reset(0)
    rates = np.linspace(0.0, 0.8, 20)[:, None]
    hours, right = follower.act(observations.follower, rates), exact.follower_rule(observations.follower, rates)
    xi: Array = leader.act(observations.leader)
    return {"xi": float(xi.mean()), "hours_error": float(np.abs(hours / right - 1.0).mean())}


def aiyagari(leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """The interest rate that households settle on, and how far their consumption is from the plan and from Euler's.

    interest_rate: mean over years 151 to 300 of 4 economies. consumption_error: mean relative error over the exact
    long run, its outer 5 % of assets left out, at its prices. euler_error: mean over the same states of the relative
    difference between consumption and what next year's consumption by the same rule asks for.
    """
    game = make("aiyagari", games=4, followers=followers, horizon=2 * AIYAGARI_YEARS, **parameters)
    observations, rates = game.reset(0), []
    for _ in range(2 * AIYAGARI_YEARS):
        lead = leader.act(observations.leader)
        step = game.step(lead, follower.act(observations.follower, lead))
        rates.append(step.indicators["interest_rate"])
        observations = step.final_observations
    exact = usual_equilibrium(Parameters(**parameters))
    share, ability, assets = _usual_states(exact)
    rule = _consumption_rule(exact, follower)
    chosen, cash = rule(ability, assets)
    return {
        "interest_rate": float(np.mean(rates[AIYAGARI_YEARS:])),
        "consumption_error": float(share @ np.abs(chosen / exact.consumption(cash, ability) - 1)),
        "euler_error": float(share @ np.abs(_euler_consumption(exact, rule, ability, cash - chosen) / chosen - 1)),
    }


def _usual_states(exact: Equilibrium) -> tuple[Array, Array, Array]:
    """Shares, abilities and assets (P,) of the exact long run, without the 2.5 % of least and of most assets."""
    by_assets = exact.long_run.share.sum(axis=0)
    below = np.cumsum(by_assets) - by_assets / 2
    usual = (below > 0.025) & (below < 0.975)
    share = exact.long_run.share[:, usual]
    ability, assets = np.meshgrid(exact.household.ability, exact.household.assets[usual], indexing="ij")
    return (share / share.sum()).ravel(), ability.ravel(), assets.ravel()


def _consumption_rule(exact: Equilibrium, follower: FollowerPolicy) -> Callable[[Array, Array], tuple[Array, Array]]:
    """Consumption and cash on hand (P,) at abilities and assets (P,), at the exact prices."""

    def rule(ability: Array, assets: Array) -> tuple[Array, Array]:
        prices = [np.full_like(assets, x) for x in (exact.wage, exact.interest_rate)]
        cash = exact.wage * ability + (1 + exact.interest_rate) * assets
        chosen = follower.act(np.stack([ability, assets, *prices], -1)[:, None, :], np.full((len(assets), 1), 0.5))
        return chosen[:, 0, 0] * cash, cash

    return rule


def _euler_consumption(
    exact: Equilibrium, rule: Callable[[Array, Array], tuple[Array, Array]], ability: Array, next_assets: Array
) -> Array:
    """(beta (1 + r) E[c'^(-mu)])^(-1/mu), with the expectation by Gauss and Hermite's rule."""
    p = exact.parameters
    points, weights = np.polynomial.hermite_e.hermegauss(9)
    centre = (1 - p.rho) * -(p.sigma**2) / 2 + p.rho * np.log(ability)
    expected = sum(
        weight * rule(np.exp(centre + p.sigma * np.sqrt(1 - p.rho**2) * point), next_assets)[0] ** -p.mu
        for point, weight in zip(points, weights / weights.sum(), strict=True)
    )
    wanted: Array = (p.beta * (1 + exact.interest_rate) * expected) ** (-1 / p.mu)
    return wanted


def krusell_smith(leader: LeaderPolicy, follower: FollowerPolicy, followers: int, **parameters: Any) -> Readings:
    """Of many households, whatever `followers` is, under a government that decides nothing; see its module."""
    return cycle.krusell_smith(follower, **parameters)


READERS: dict[str, Callable[..., Readings]] = {
    "stage_game": stage_game,
    "linear_quadratic": linear_quadratic,
    "income_tax": income_tax,
    "brock_mirman": brock_mirman,
    "static_hsv": static_hsv,
    "aiyagari": aiyagari,
    "krusell_smith": krusell_smith,
}
