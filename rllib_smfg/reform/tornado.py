"""What moves the answer: the gain with perfect foresight when one parameter of the economy is another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from envs.economy.parameters import EconomyParameters
from envs.economy.presets import CALIBRATED
from envs.game import InvalidSetting
from rllib_smfg.reform.answer import PER_CENT
from rllib_smfg.reform.foreseen import path
from rllib_smfg.reform.question import Question, ReformPolicy

GRID = (6, 90)  # states and points: many transitions are compared with each other
CLEARED = 1e-4  # of prices and taxes: gains are right to a thousandth of a per cent
Changed = Callable[[EconomyParameters], EconomyParameters]


@dataclass(frozen=True)
class Swing:
    """A parameter's two other values in words, and the gain at each, in per cent of consumption; None: no path."""

    parameter: str
    values: tuple[str, str]
    gains: tuple[float | None, float | None]

    @property
    def width(self) -> float:
        """How far apart the gains are."""
        known = [gain for gain in self.gains if gain is not None]
        return max(known) - min(known) if known else 0.0


@dataclass(frozen=True)
class Tornado:
    """The gain as calibrated, on the same grid, and swings, widest first."""

    usual: float
    swings: list[Swing]


def _crra(value: float) -> Changed:
    return lambda p: replace(p, crra=value)


def _frisch(elasticity: float) -> Changed:
    """At the hours of the calibration work is as irksome at the margin as there."""

    def changed(p: EconomyParameters) -> EconomyParameters:
        gamma = 1 / elasticity
        psi = p.labour_disutility * p.initial_labour_share ** (p.inverse_frisch - gamma)
        return replace(p, inverse_frisch=gamma, labour_disutility=psi)

    return changed


def _discount(value: float) -> Changed:
    return lambda p: replace(p, discount=value)


def _superstars(factor: float) -> Changed:
    return lambda p: replace(p, superstar_multiple=factor * p.superstar_multiple)


USUAL = CALIBRATED
CASES: dict[str, tuple[tuple[str, Changed], tuple[str, Changed]]] = {
    f"risk aversion ({USUAL.crra:g})": (("0.75", _crra(0.75)), ("2", _crra(2.0))),
    f"Frisch elasticity ({1 / USUAL.inverse_frisch:g})": (("0.25", _frisch(0.25)), ("1", _frisch(1.0))),
    f"discount factor ({USUAL.discount:g})": (("0.95", _discount(0.95)), ("0.97", _discount(0.97))),
    f"superstars' ability ({USUAL.superstar_multiple:g})": (("x 0.5", _superstars(0.5)), ("x 1.5", _superstars(1.5))),
}


@dataclass(frozen=True)
class Case:
    """An economy in which the gain is asked for: a parameter at its lower (0) or higher (1) other value."""

    parameter: str = ""
    side: int = 0


AS_CALIBRATED = Case()
ALL = (AS_CALIBRATED, *(Case(parameter, side) for parameter in CASES for side in (0, 1)))


def tornado(policy: ReformPolicy, gains: Mapping[Case, float | None]) -> Tornado:
    """The gain of a policy over what it is held against, as `gain` found it in all cases."""
    usual = gains[AS_CALIBRATED]
    if usual is None:
        raise InvalidSetting(f"'{policy.title}': there is no path with perfect foresight, and no tornado")
    swings = []
    for parameter, (low, high) in CASES.items():
        found = gains[Case(parameter, 0)], gains[Case(parameter, 1)]
        swings.append(Swing(parameter, (low[0], high[0]), found))
    return Tornado(usual, sorted(swings, key=lambda swing: -swing.width))


def gain(question: Question, policy: ReformPolicy, case: Case) -> float | None:
    """Per cent of consumption in a case's economy, from the survey's distribution; None where there is no path."""
    parameters = question.game(policy, 1, 10).parameters
    if case != AS_CALIBRATED:
        _, changed = CASES[case.parameter][case.side]
        parameters = changed(parameters)
    try:
        found, base = (path(question, each, policy, parameters, GRID, CLEARED) for each in (policy, question.against))
    except InvalidSetting:
        return None
    return PER_CENT * found.equivalent(base)
