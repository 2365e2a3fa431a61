"""The economy as a Stackelberg mean-field game: the government leads, the households follow, year after year."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from envs.economy import actions
from envs.economy.ability import AbilityDraws, next_ability
from envs.economy.observation import follower_scaling, leader_scaling, observe
from envs.economy.population import EMBEDDED, load_population
from envs.economy.presets import preset_parameters
from envs.economy.shocks import SCENARIOS
from envs.economy.state import Choices, Flows, Shock, State, total
from envs.economy.taxation import FiscalPolicy, NoTax, Schedule
from envs.economy.transition import advance
from envs.game import Array, InvalidSetting, Observations, StackelbergMeanFieldGame, Step, Transition
from envs.registry import nearest

DTYPES = {"float64": np.float64, "float32": np.float32}


class Economy(StackelbergMeanFieldGame):
    """B economies of one government and N households.

    Leader: action (tau, xi, tau_a, xi_a, spending share) for the Heathcote-Storesletten-Violante taxes on income and on
    assets and for public spending as a share of GDP. Follower: action (saving rate, share of the maximal working time).
    Observations: see `observation.observe`; abilities are those of the year that has passed, the draw of a year
    takes place after its actions have been chosen.

    `flows` holds everything that happened in the last year, games that have ended since included.
    """

    name: ClassVar[str] = "economy"

    def __init__(
        self,
        *,
        games: int = 1,
        followers: int = 100,
        preset: str = "paper",
        task: str = "gdp",
        horizon: int | None = None,
        population: str | Path = EMBEDDED,
        weighting: str = "survey",
        shock: str = "none",
        saving_rate_min: float | None = None,
        saving_rate_max: float | None = None,
        crra: float | None = None,
        inequality_weight: float = 1.0,
        dtype: str = "float64",
    ) -> None:
        """Builds an economy; raises InvalidSetting for a setting that cannot be used.

        preset: `paper`, `taxai`. task: what the government is rewarded for, `gdp`, `gini`, `social_welfare`,
        `gdp_gini` (with weight `inequality_weight` on the ginis). population: `scf2022`, or the path of the survey's
        CSV file. weighting: `survey`, `unweighted`. shock: `none`, `financial_crisis`, `disaster`. saving_rate_min and
        saving_rate_max: bounds of the saving rate. crra: theta. horizon: years. dtype of the households' numbers:
        `float64`, `float32`.
        """
        parameters = replace(preset_parameters(preset), inequality_weight=inequality_weight)
        self.parameters = parameters if crra is None else replace(parameters, crra=crra)
        super().__init__(
            games=games, followers=followers, horizon=self.parameters.horizon if horizon is None else horizon
        )
        self.discount = self.parameters.discount
        self.scenario = SCENARIOS[_known("shock", shock, list(SCENARIOS))]
        self.dtype = np.dtype(DTYPES[_known("dtype", dtype, list(DTYPES))])
        self.task = self.parameters.laws.tasks[_known("task", task, list(self.parameters.laws.tasks))]
        self.leader_reward_scale = self.task.typical_reward(self.n_followers)
        self.population = load_population(population, weighting)
        self._open_spaces(saving_rate_min, saving_rate_max)
        self.flows: Flows | None = None
        self.state = self._first_state(self.n_games)

    def step(self, leader_action: Array, follower_action: Array, *, income_tax: Schedule | None = None) -> Step:
        """Moves every game one year under actions (B, 5) and (B, N, 2).

        A schedule `income_tax` takes the place of the taxes the leader's action names: incomes are taxed by it and
        assets are not taxed. The action's spending share holds all the same.
        Raises ValueError if a shape is wrong or an action is not a number.
        """
        leader_action = self._checked("leader", leader_action, self.leader_action_space, (self.n_games,))
        follower_action = self._checked(
            "follower", follower_action, self.follower_action_space, (self.n_games, self.n_followers)
        )
        return self._finish_year(self._play_year(leader_action, follower_action, income_tax))

    def get_state(self) -> dict[str, Any]:
        """Everything needed to go on exactly from here, random streams included."""
        moving = ("year", "state", "flows", "_start_random", "_shock_random")
        return {name: deepcopy(self.__dict__[name]) for name in moving}

    # --- what the base class asks for --------------------------------------------------------------------------
    def _start(self, games: NDArray[np.int64]) -> None:
        fresh = self._first_state(len(games))
        self.state = fresh if len(games) == self.n_games else self.state.with_games(games, fresh)

    def _observe(self) -> Observations:
        return observe(self.parameters, self.state)

    def _transition(self, leader_action: Array, follower_action: Array) -> Transition:
        return self._play_year(leader_action, follower_action, None)

    # --- a year ------------------------------------------------------------------------------------------------
    def _play_year(self, leader_action: Array, follower_action: Array, income_tax: Schedule | None) -> Transition:
        policy = self.parameters.laws.fiscal_policy(self.parameters, self.state, leader_action)
        if income_tax is not None:
            policy = FiscalPolicy(income_tax, NoTax(), policy.spending_share)
        follower_action = follower_action.astype(self.dtype, copy=False)
        choices = Choices(follower_action[..., 0], follower_action[..., 1])
        flows, self.state = advance(self.parameters, self.state, policy, choices, self._shock())
        self.flows = flows
        with np.errstate(all="ignore"):
            reward = self.task.reward(self.parameters, flows)[:, 0]
        unrewarded = ~np.isfinite(reward)
        return Transition(
            np.where(unrewarded, 0.0, reward),
            flows.reward,
            flows.terminated | unrewarded,
            _indicators(flows),
        )

    def _shock(self) -> Shock:
        draws = AbilityDraws.sample(self._shock_random, self.n_games, self.n_followers)
        ability, superstar = next_ability(self.parameters, self.state.ability, self.state.superstar, draws)
        return Shock(ability, superstar, *self.scenario.factors(self.year))

    def _first_state(self, games: int) -> State:
        """Households drawn from the population, and one draw of their ability, before the first year."""
        assets, surveyed, income = self.population.draw(self._start_random, games, self.n_followers)
        draws = AbilityDraws.sample(self._start_random, games, self.n_followers)
        ability, superstar = next_ability(self.parameters, surveyed, np.zeros(surveyed.shape, dtype=bool), draws)
        households = (ability.astype(self.dtype), superstar, assets.astype(self.dtype), income.astype(self.dtype))
        return self.parameters.laws.initial_state(self.parameters, *households)

    def _open_spaces(self, saving_rate_min: float | None, saving_rate_max: float | None) -> None:
        parameters, dtype = self.parameters, self.dtype
        low, high = actions.follower_bounds(parameters, saving_rate_min, saving_rate_max)
        least, most = actions.leader_bounds(parameters)
        if not 0 < low[0] < high[0] < 1:
            raise InvalidSetting(
                f"saving_rate_min = {low[0]:g}, saving_rate_max = {high[0]:g}: must rise, strictly between 0 and 1"
            )
        self.follower_action_space = Box(low.astype(dtype), high.astype(dtype), dtype=dtype)
        self.leader_action_space = Box(least.astype(dtype), most.astype(dtype), dtype=dtype)
        self.leader_scaling, self.follower_scaling = leader_scaling(parameters), follower_scaling()
        self.leader_observation_space = Box(-np.inf, np.inf, (len(self.leader_scaling.unit),), dtype)
        self.follower_observation_space = Box(-np.inf, np.inf, (2,), dtype)


def _known(what: str, name: str, known: list[str]) -> str:
    if name not in known:
        raise InvalidSetting(f"unknown {what} '{name}'{nearest(str(name), known)}")
    return name


def _indicators(flows: Flows) -> dict[str, Array]:
    """What is reported of a year, (B,) each; per_capita and means are per household, amounts in dollars."""
    households = flows.reward.shape[-1]
    per_game = {
        "per_capita_gdp": flows.gdp / households,
        "social_welfare": flows.welfare,
        "income_gini": flows.income_gini,
        "wealth_gini": flows.wealth_gini,
        "capital": flows.next_capital,
        "debt": flows.next_debt,
        "wage": flows.wage,
        "interest_rate": flows.interest_rate,
        "tax_revenue": flows.revenue,
        "spending": flows.spending,
        "mean_assets": flows.total_next_assets / households,
        "mean_income": (flows.wage * flows.labour + flows.interest_rate * flows.total_assets) / households,
        "mean_consumption": flows.total_consumption / households,
        "mean_saving_rate": total(flows.saving_rate) / households,
        "mean_hours": total(flows.hours) / households,
        "mean_marginal_rate": flows.total_marginal_rate / households,
    }
    return {name: x[:, 0] for name, x in per_game.items()}
