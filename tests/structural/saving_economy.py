"""A saving economy with a closed form, as arithmetic: log utility, a return that all make together, a taxed income.

Household i owns k_i and earns the return R = A K^(al - 1) on it, K = mean k, times z_i of its own (log-normal, mean 1).
The leader takes the share tau of all incomes for a public good G = tau R mean(z k); household i saves the share s_i:

    k_i' = s_i (1 - tau) z_i R k_i,    reward  ln((1 - s_i) (1 - tau) z_i R k_i) + ph ln G,    leader: their mean

Who takes R as given saves s = be, whatever the tax: income and all that follows from it multiply. With many households
ln K' = ln(1 - tau) + al ln K + what no tax moves, and both ln R k_i and ln G move with al ln K. So a tax counts by

    ph ln tau + (1 + (1 + ph) (al be + al^2 be^2 + ...)) ln(1 - tau),

which is largest at tau = ph (1 - al be) / (1 + ph), in every state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.spaces import Box

from envs.scaling import ShareBox
from rllib_smfg import ArithmeticGame, FeatureScaling, Outcome

A, AL, BE, PH, LUCK = 1.0, 0.5, 0.85, 0.4, 0.1
EXACT_SAVING = BE
EXACT_TAX = PH * (1 - AL * BE) / (1 + PH)
STEADY = (BE * (1 - EXACT_TAX) * A) ** (1 / (1 - AL))


def logarithm(x: Any) -> Any:
    """ln, of numpy or torch."""
    return x.log() if hasattr(x, "log") else np.log(x)


class SavingEconomy(ArithmeticGame):
    name, discount = "saving_economy", BE
    leader_observes, instruments = ("mean_capital",), ("tax",)
    follower_observes, decisions, carried = ("capital", "mean_capital"), ("saved_share",), "capital"

    def __init__(self, *, games: int = 1, followers: int = 50, horizon: int = 50) -> None:
        super().__init__(games=games, followers=followers, horizon=horizon)
        self.leader_observation_space = Box(0.0, np.inf, (1,), np.float64)
        self.follower_observation_space = Box(0.0, np.inf, (2,), np.float64)
        self.leader_action_space = ShareBox(0.01, 0.99, (1,), np.float64)
        self.follower_action_space = ShareBox(0.01, 0.99, (1,), np.float64)
        unit, centre = 0.05 * STEADY, float(np.log1p(20.0))
        self.leader_scaling = FeatureScaling.log(unit=(unit,), shift=(centre,), width=(1.0,))
        self.follower_scaling = FeatureScaling.log(unit=(unit,) * 2, shift=(centre,) * 2, width=(1.0,) * 2)
        self.state = self.first_state(np.random.default_rng(0), self.n_games)

    def first_state(self, random: np.random.Generator, games: int) -> Any:
        mean = STEADY * np.exp(random.uniform(-1.0, 1.0, (games, 1)))
        return {"capital": mean * np.exp(0.5 * random.standard_normal((games, self.n_followers)))}

    def shocks(self, random: np.random.Generator, year: Any) -> Any:
        draws = random.standard_normal((len(year), self.n_followers))
        return {"luck": np.exp(LUCK * draws - LUCK**2 / 2)}

    def observe(self, state: Any, mean: Any) -> Any:
        K = mean(state["capital"])
        return (K,), (state["capital"], K)

    def advance(self, state: Any, leader: Any, follower: Any, shocks: Any, mean: Any) -> Outcome:
        (tax,), (saved,), capital = leader, follower, state["capital"]
        income = shocks["luck"] * A * mean(capital) ** (AL - 1) * capital
        kept = (1 - tax) * income
        reward = logarithm((1 - saved) * kept) + PH * logarithm(tax * mean(income))
        indicators = {"tax": tax, "saved_share": mean(saved), "mean_capital": mean(capital)}
        return Outcome(mean(reward), reward, {"capital": saved * kept}, indicators=indicators)
