"""Reads gains and tax rates off trained policies: returns are too flat near an optimum to tell right from wrong."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from envs import make
from envs.game import Array
from envs.linear_quadratic_solution import LinearRules, best_response_cost
from envs.solution import solution
from policies import FollowerPolicy, LeaderPolicy

Readings = dict[str, float]
YEARS_OF_GINI_DRIFT = 50


def read(game: str, leader: LeaderPolicy, follower: FollowerPolicy, followers: int) -> Readings:
    """What `acceptance` judges, for one of the known games with N = `followers`."""
    return READERS[game](leader, follower, followers)


def stage_game(leader: LeaderPolicy, follower: FollowerPolicy, followers: int) -> Readings:
    """Leader rule g = slope z + intercept on |z| <= 1.5, its largest error, and the slope phi of the mean action."""
    exact = solution("stage_game", followers=followers)
    z = np.linspace(-1.5, 1.5, 31)[:, None]
    g = leader.act(z)
    slope, intercept = np.polyfit(z[:, 0], g[:, 0], 1)
    # with all at x = z, everybody does phi (theta z + delta g); reference instance: theta = 1, delta = -1
    z2, g2 = (a.ravel() for a in np.meshgrid(np.linspace(-1.5, 1.5, 13), np.linspace(-1.5, 1.5, 13)))
    action = follower.act(np.stack([z2, z2], -1)[:, None, :], g2[:, None])[:, 0, 0]
    phi = np.polyfit(z2 - g2, action, 1)[0]
    error = float(np.abs(g - exact.leader_rule(z)).max())
    return {"g_slope": float(slope), "g_intercept": float(intercept), "g_error": error, "phi": float(phi)}


def linear_quadratic(leader: LeaderPolicy, follower: FollowerPolicy, followers: int) -> Readings:
    """Gains by least squares on |z| <= 1.5, |x| <= 2.5, |g| <= 1, and both sides' exact exploitability of them."""
    z = np.linspace(-1.5, 1.5, 31)[:, None]
    gain = -np.polyfit(z[:, 0], leader.act(z)[:, 0], 1)[0]
    x3, z3, g3 = (a.ravel() for a in np.meshgrid(*(np.linspace(-b, b, 11) for b in (2.5, 1.5, 1.0))))
    action = follower.act(np.stack([x3, z3], -1)[:, None, :], g3[:, None])[:, 0, 0]
    rule = -np.linalg.lstsq(np.stack([x3, z3, g3, np.ones_like(x3)], -1), action, rcond=None)[0]
    gains = {"Fx": float(rule[0]), "Fz": float(rule[1]), "Fg": float(rule[2]), "K": float(gain)}
    cost = best_response_cost(LinearRules(**gains), followers=followers)
    return {
        **gains,
        "follower_exploitability": cost.follower_exploitability,
        "leader_exploitability": cost.leader_exploitability,
    }


def income_tax(leader: LeaderPolicy, follower: FollowerPolicy, followers: int) -> Readings:
    """The tax rate, welfare under it and the followers' own hours, and the hours' mean relative error on 20 rates."""
    game = make("income_tax", games=20, followers=followers)
    exact = solution("income_tax", followers=followers)
    observations = game.reset(0)
    t = leader.act(observations.leader)
    welfare = game.step(t, follower.act(observations.follower, t)).leader_reward.mean()
    rates = np.linspace(0.0, 0.8, 20)[:, None]
    hours, right = follower.act(observations.follower, rates), exact.follower_rule(observations.follower, rates)
    return {"t": float(t.mean()), "W": float(welfare), "hours_error": float(np.abs(hours / right - 1.0).mean())}


def brock_mirman(leader: LeaderPolicy, follower: FollowerPolicy, followers: int) -> Readings:
    """The tax rate over the capital stocks met in play, the error of saving rates at q in [.2, 5], the gini's drift."""
    game = make("brock_mirman", games=32, followers=followers)
    exact = solution("brock_mirman", followers=followers)
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


def static_hsv(leader: LeaderPolicy, follower: FollowerPolicy, followers: int) -> Readings:
    """The progressivity xi, and the mean relative error of hours on 20 values of it."""
    game = make("static_hsv", games=20, followers=followers)
    exact = solution("static_hsv", followers=followers)
    observations = game.reset(0)
    rates = np.linspace(0.0, 0.8, 20)[:, None]
    hours, right = follower.act(observations.follower, rates), exact.follower_rule(observations.follower, rates)
    xi: Array = leader.act(observations.leader)
    return {"xi": float(xi.mean()), "hours_error": float(np.abs(hours / right - 1.0).mean())}


READERS: dict[str, Callable[[LeaderPolicy, FollowerPolicy, int], Readings]] = {
    "stage_game": stage_game,
    "linear_quadratic": linear_quadratic,
    "income_tax": income_tax,
    "brock_mirman": brock_mirman,
    "static_hsv": static_hsv,
}
