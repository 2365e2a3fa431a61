"""What TensorBoard shows of an economy beside curves: how households differ, the tax schedule, the Lorenz curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from envs.economy.game import Economy
from envs.economy.indicators import lorenz_curve
from envs.game import Array, StackelbergMeanFieldGame
from policies import FollowerPolicy, LeaderPolicy
from rllib_smfg.economics.taxes_in_force import income_tax
from rllib_smfg.rollout import first_episodes

YEARS = 10  # played before an economy is looked at, or fewer where it ends before
POINTS = 200  # incomes at which a tax schedule is drawn
Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """An economy in one year: N households, and the income tax at POINTS incomes between their least and largest.

    wealth: dollars at the end of the year; income: dollars a year before tax; hours: a year; saving_rate: share.
    marginal_rate and average_rate: of the schedule that the leader's action names, or that a rule uses.
    """

    year: int
    wealth: Array
    income: Array
    saving_rate: Array
    hours: Array
    taxed_income: Array
    marginal_rate: Array
    average_rate: Array

    def distributions(self) -> dict[str, Array]:
        """What is worth a histogram; amounts as powers of ten, since they span many."""
        return {
            "households/wealth_log10_dollars": _log10(self.wealth),
            "households/income_log10_dollars": _log10(self.income),
            "households/saving_rate": self.saving_rate,
            "households/hours_a_year": self.hours,
        }

    def images(self) -> dict[str, Image]:
        """Pictures (height, width, 3)."""
        return {"government/tax_schedule": self._tax_schedule(), "households/lorenz_curves": self._lorenz_curves()}

    def _tax_schedule(self) -> Image:
        figure, axis = _figure(
            f"income tax in year {self.year}", "income before tax, dollars a year", "share of income"
        )
        axis.plot(self.taxed_income, self.marginal_rate, label="marginal rate")
        axis.plot(self.taxed_income, self.average_rate, label="average rate")
        axis.axhline(0, color="0.6", linewidth=0.8)
        axis.set_xscale("log")
        axis.set_ylim(max(-1.0, float(self.average_rate.min()) - 0.05), 1.05)
        axis.legend()
        return _drawn(figure)

    def _lorenz_curves(self) -> Image:
        figure, axis = _figure(f"who has what in year {self.year}", "share of households, poorest first", "their share")
        for name, amounts in (("wealth", self.wealth), ("income", self.income)):
            population, held = lorenz_curve(np.maximum(amounts, 0.0)[None])
            axis.plot(population, held[0], label=name)
        axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8, label="all have the same")
        axis.legend()
        return _drawn(figure)


def look(
    game: StackelbergMeanFieldGame, leader: LeaderPolicy, follower: FollowerPolicy, seed: int, years: int = YEARS
) -> Look | None:
    """Plays these games for some years, or until all have ended, and looks at one that lived longest.

    None for a game without an economy.
    """
    if not isinstance(game, Economy):
        return None
    episodes = first_episodes(game, leader, follower, seed, years)
    now, index = game.state, game.year.copy()
    for played, (year, alive) in enumerate(episodes, start=1):  # noqa: B007 (used after the last)
        tax = income_tax(game, leader, now, year.leader_action, index)
        before, now, index = now, game.state, game.year.copy()
    shown = int(np.argmax(alive))
    flows = game.flows
    assert flows is not None
    income = np.asarray(flows.income[shown], dtype=np.float64)
    least, most = max(1.0, float(income.min())), max(10.0, float(income.max()))
    incomes = np.geomspace(least, max(most, 10 * least), POINTS)
    every = np.broadcast_to(incomes, (game.n_games, POINTS))
    share = year.follower_action[shown, :, 1].astype(np.float64)
    return Look(
        played,
        np.asarray(flows.next_assets[shown], dtype=np.float64),
        income,
        year.follower_action[shown, :, 0].astype(np.float64),
        share * float(before.maximal_hours[shown, 0]),
        incomes,
        np.asarray(tax.marginal_rate(every))[shown],
        np.asarray(tax.tax(every))[shown] / incomes,
    )


def _log10(amounts: Array) -> Array:
    """Powers of ten; debts and less than a dollar count as one dollar."""
    return np.log10(np.maximum(amounts, 1.0))


def _figure(title: str, across: str, up: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, 3.6), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axis = figure.add_subplot()
    axis.set_title(title, fontsize=11)
    axis.set_xlabel(across)
    axis.set_ylabel(up)
    axis.grid(alpha=0.3)
    return figure, axis


def _drawn(figure: Figure) -> Image:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
