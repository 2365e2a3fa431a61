"""Answers in economies of N households with luck: the same households, abilities and superstars with and without it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from envs.economy.game import Economy
from envs.economy.indicators import TENTHS, by_tenth, wealth_share
from envs.economy.parameters import EconomyParameters
from envs.economy.state import Flows
from envs.economy.taxation import FiscalPolicy
from envs.game import Array, InvalidSetting
from policies import FollowerPolicy, LeaderPolicy, registry
from rllib_smfg import named_policies
from rllib_smfg.exploitability.exact import Interval
from rllib_smfg.exploitability.household_problems import conditions_met, levied_by
from rllib_smfg.reform.answer import PER_CENT, REVENUE, SERIES, SINCE, TOP_1, TOP_10, Answer, Gains, SeriesPath
from rllib_smfg.reform.question import Question, ReformPolicy
from rllib_smfg.rollout import first_episodes


@dataclass(frozen=True)
class Lived:
    """The first episode of each of G games of N households.

    worth: of all years, in rewards a year, (G, N). since: the same from later years on, by how much later, the mean
    household's, (G,). series: (G, T), not a number once a game has ended. ended: share of the games that end early.
    """

    worth: Array
    since: dict[int, Array]
    first_assets: Array
    first_income: Array
    series: dict[str, Array]
    ended: float


def planners(question: Question, policy: ReformPolicy) -> Answer:
    """How households answer who take what stands there to last, whatever it is."""
    game = question.game(policy, question.episodes, question.followers)
    reform, against = (
        live(question, each, policy, registry.follower("planning", game, solved=True))
        for each in (policy, question.against)
    )
    gains = gains_of(game.parameters, [(reform, against)])
    ended = reform.ended, against.ended
    return Answer("planning", _band(question), gains, SeriesPath(reform.series), SeriesPath(against.series), ended)


def learned(question: Question, policy: ReformPolicy) -> Answer:
    """How households answer who were learned, a training seed each, with governments that varied all instruments.

    Raises InvalidSetting where there are none, or where a policy uses an instrument that they never saw.
    """
    folders = question.learned_households(policy)
    game = question.game(policy, question.episodes, question.followers)
    _refuse_unseen(policy.leader(game), question.against.leader(game))
    pairs = []
    for folder in folders:
        policies = named_policies.trained(str(folder), game, [])
        households = policies.follower_policy(game, 0)
        pairs.append(tuple(live(question, each, policy, households) for each in (policy, question.against)))
    series = [{name: np.concatenate([pair[k].series[name] for pair in pairs]) for name in SERIES} for k in (0, 1)]
    gains = gains_of(game.parameters, [(reform, against) for reform, against in pairs])
    band = f"95 % intervals over {len(folders)} training seeds, {question.episodes} episodes each"
    ended = float(np.mean([reform.ended for reform, _ in pairs])), float(np.mean([base.ended for _, base in pairs]))
    return Answer("learned", band, gains, SeriesPath(series[0]), SeriesPath(series[1]), ended)


def _refuse_unseen(*leaders: LeaderPolicy) -> None:
    """Learned households answer what they see, the action: a schedule of its own they would not."""
    for leader in leaders:
        if not leader.announces_taxes:
            raise InvalidSetting("no household was learned that sees a tax schedule which is no action")


def _band(question: Question) -> str:
    return f"95 % intervals over the luck of {question.episodes} economies of {question.followers:,} households"


def live(question: Question, governing: ReformPolicy, policy: ReformPolicy, households: FollowerPolicy) -> Lived:
    """What becomes of households under a government, in the economy that `policy` is compared in."""
    game = question.game(policy, question.episodes, question.followers)
    leader = governing.leader(game)
    lived = np.zeros(game.n_games)
    years = first_episodes(game, leader, households, question.seed)
    before, index = game.state, game.year.copy()
    first_assets, first_income = game.state.assets.astype(np.float64), np.zeros_like(game.state.assets)
    sums = {year: np.zeros((game.n_games, game.n_followers)) for year in SINCE}
    rows: dict[str, list[Array]] = {name: [] for name in SERIES}
    for number, (year, alive) in enumerate(years):
        step, flows = year.step, game.flows
        assert flows is not None
        levied = levied_by(game, leader, year.leader_action, before, index)
        before, index = game.state, game.year.copy()
        if number == 0:
            first_income = flows.income.astype(np.float64)
        for first, total in sums.items():
            if number >= first:
                total += game.discount ** (number - first) * np.where(alive[:, None], step.follower_reward, 0.0)
        for name, values in _of_year(game, flows, levied).items():
            rows[name].append(np.where(alive, values, np.nan))
        lived += alive
    worth = {since: total / _weights(game.discount, game.horizon - since) for since, total in sums.items()}
    series = {name: _padded(np.stack(values, axis=1), game.horizon) for name, values in rows.items()}
    later = {since: total.mean(axis=1) for since, total in worth.items()}
    return Lived(worth[0], later, first_assets, first_income, series, float((lived < game.horizon).mean()))


def _padded(values: Array, years: int) -> Array:
    """Years that no game lived are no numbers."""
    return np.pad(values, ((0, 0), (0, years - values.shape[1])), constant_values=np.nan)


def _weights(discount: float, years: int) -> float:
    return (1 - discount**years) / (1 - discount)


def _of_year(game: Economy, flows: Flows, policy: FiscalPolicy) -> dict[str, NDArray[np.float64]]:
    """`SERIES` of a year, (G,) each."""
    count = game.n_followers
    gdp = flows.gdp[:, 0]
    ascending = np.sort(flows.assets, axis=-1)
    taken: dict[str, list[float]] = {name: [] for name in REVENUE}
    for k in range(game.n_games):
        conditions = conditions_met(game, policy, k, float(flows.wage[k, 0]), float(flows.interest_rate[k, 0]))
        earnings = float(flows.wage[k, 0]) * flows.ability[k] * flows.hours[k]
        found = conditions.taxes(earnings, flows.assets[k].astype(np.float64), flows.consumption[k])
        for name, amounts in found.items():
            taken[name].append(float(amounts.sum()))
    return {
        "output": gdp / count,
        "consumption": flows.total_consumption[:, 0] / count,
        "capital": flows.capital[:, 0] / count,
        "hours": flows.hours.mean(axis=1),
        "wage": flows.wage[:, 0],
        "interest_rate": flows.interest_rate[:, 0],
        "debt": flows.debt[:, 0] / gdp,
        "spending": flows.spending[:, 0] / gdp,
        **{name: np.array(amounts) / gdp for name, amounts in taken.items()},
        "wealth_gini": flows.wealth_gini[:, 0],
        "income_gini": flows.income_gini[:, 0],
        "top_10_wealth": wealth_share(ascending, TOP_10)[:, 0],
        "top_1_wealth": wealth_share(ascending, TOP_1)[:, 0],
    }


def gains_of(parameters: EconomyParameters, pairs: Sequence[tuple[Lived, Lived]]) -> Gains:
    """Of households with and without a reform: a band over the games of one pair, or over the pairs where several."""
    unit = parameters.utility_unit

    def band(games: Sequence[Array]) -> Interval:
        """Of utility gained a year by game, one array a pair."""
        per_cent = [PER_CENT * np.expm1(unit * each) for each in games]
        return Interval.of(per_cent[0] if len(per_cent) == 1 else np.array([each.mean() for each in per_cent]))

    def tenths(ranked_by: str) -> list[Interval]:
        parts = [by_tenth(reform.worth - base.worth, getattr(base, ranked_by)) for reform, base in pairs]
        return [band([part[:, k] for part in parts]) for k in range(TENTHS)]

    shares = [PER_CENT * (reform.worth > base.worth).mean(axis=1) for reform, base in pairs]
    return Gains(
        mean=band([(reform.worth - base.worth).mean(axis=1) for reform, base in pairs]),
        by_wealth=tenths("first_assets"),
        by_income=tenths("first_income"),
        since={year: band([reform.since[year] - base.since[year] for reform, base in pairs]) for year in SINCE},
        gaining=Interval.of(shares[0] if len(shares) == 1 else np.array([each.mean() for each in shares])),
    )
