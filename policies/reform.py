"""A reform: another government but for the instruments it names, and what follows debt in place of what did."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.economy.game import Economy
from envs.economy.instruments import FURTHER, UNITS
from envs.economy.parameters import EconomyParameters
from envs.economy.taxation import FiscalPolicy, Schedule
from envs.game import Array, BoolArray, InvalidSetting, StackelbergMeanFieldGame, Step
from envs.registry import nearest
from policies.policy import LeaderPolicy
from policies.tax_rule import TaxRule, economy
from policies.top_rate import Top, TopRate
from policies.us_system import REVENUE_OF_TAU, SURPLUS_RESPONSE

# section of a reform -> its settings, and the instruments they are
SECTIONS: dict[str, dict[str, str]] = {
    "income_tax": {"rate": "income_tax_rate", "progressivity": "income_tax_progressivity"},
    "wealth_tax": {
        "rate": "wealth_tax_rate",
        "progressivity": "wealth_tax_progressivity",
        "exemption": "wealth_tax_exemption",
    },
    "consumption_tax": {"rate": "consumption_tax_rate"},
    "labour_income_tax": {"rate": "labour_income_tax_rate"},
    "capital_income_tax": {"rate": "capital_income_tax_rate"},
    "transfer": {"share": "transfer", "dollars": "transfer"},
    "spending": {"share": "spending_share"},
}
# what may follow debt
CLOSURES = {"income_tax": "income_tax_rate", "transfer": "transfer", "spending": "spending_share"}
NO_CLOSURE = "none"
# what a closure may do, and by what share of GDP the primary surplus then rises with debt over GDP
BALANCED = 0.5  # half of what is missing is paid in the next year
FOLLOWS = {"debt": SURPLUS_RESPONSE, "revenue_neutral": BALANCED}
Base = Callable[[Mapping[str, Any]], LeaderPolicy]


@dataclass(frozen=True)
class Changes:
    """What a reform changes. values: by instrument, in its unit. responses: by instrument, how it moves with debt over
    GDP beyond that of the first year.
    """

    values: Mapping[str, float]
    responses: Mapping[str, float]


class Reformed(LeaderPolicy):
    """Acts as `base` but for `changes`; everything stays within the leader's box.

    Instruments that a game bounds from below by next to nothing (`share_low`) are that where the reform says 0.
    """

    def __init__(self, game: StackelbergMeanFieldGame, base: LeaderPolicy, changes: Changes) -> None:
        self._base, self._space = base, game.leader_action_space
        self.announces_taxes, self.nearest_taxes = base.announces_taxes, base.nearest_taxes
        place = {name: k for k, name in enumerate(economy(game).instruments)}
        self._values = {place[name]: value for name, value in changes.values.items()}
        self._responses = {place[name]: slope for name, slope in changes.responses.items()}
        if self._responses:
            self._debt = economy(game).leader_observes.index("debt_to_gdp")
        self._usual_debt = economy(game).parameters.debt_to_gdp

    def act(self, observation: Array) -> Array:
        """Actions (B, al)."""
        actions = np.array(self._base.act(observation), dtype=np.float64)
        for k, value in self._values.items():
            actions[:, k] = value
        for k, slope in self._responses.items():
            actions[:, k] += slope * (observation[:, self._debt].astype(np.float64) - self._usual_debt)
        clipped: Array = np.clip(actions, self._space.low, self._space.high)
        return clipped

    def enact(self, game: StackelbergMeanFieldGame, leader_action: Array, follower_action: Array) -> Step:
        """As the base does."""
        return self._base.enact(game, leader_action, follower_action)

    def forget(self, games: BoolArray) -> None:
        """Tells the base."""
        self._base.forget(games)


class ReformedRule(Reformed, TaxRule):
    """The same of a rule that taxes incomes by a schedule of its own; assets as the reform says, if it does."""

    def __init__(self, game: StackelbergMeanFieldGame, base: TaxRule, changes: Changes) -> None:
        super().__init__(game, base, changes)
        self._rule = base
        if any(name in changes.values for name in SECTIONS["wealth_tax"].values()):
            base.taxes_assets = True
        self.taxes_assets, self.remembers = base.taxes_assets, base.remembers

    def schedule(self, year: NDArray[np.int64]) -> Schedule:
        """The base's."""
        return self._rule.schedule(year)

    def levied(self, announced: FiscalPolicy, year: NDArray[np.int64]) -> FiscalPolicy:
        """The base's schedules; the rest as announced."""
        return self._rule.levied(announced, year)

    def labour_schedule(self, year: NDArray[np.int64]) -> Schedule | None:
        """The base's."""
        return self._rule.labour_schedule(year)


def reform(game: StackelbergMeanFieldGame, build: Base, base: Any, sections: Mapping[str, Any]) -> LeaderPolicy:
    """The government a reform describes.

    build: makes the government that a mapping of name and settings describes. base: that mapping, or a name.
    sections: `SECTIONS`, `top_rate` and `closure`, each as written down or None. Percentages are shares: rate: 0.02 is
    2 %. A transfer in dollars is that share of mean income which it was in the first year. closure: {income_tax: debt},
    {transfer: debt} or {spending: debt}, which then moves with debt over GDP by as much as lets the primary surplus
    rise by `SURPLUS_RESPONSE`; the same with revenue_neutral in place of debt, by as much as pays half of what is
    missing in the year after, so that debt over GDP stays about what it is; or none. Where nothing is said the income
    tax of a base us_system follows debt as in `USSystem`, and a base of any other name is left as it is.
    Raises InvalidSetting for what does not exist or fit, with its unit.
    """
    played = economy(game)
    description = {"name": base} if isinstance(base, str) else base
    if not isinstance(description, Mapping) or not isinstance(description.get("name"), str):
        raise InvalidSetting(f"base = {base}: must be a government's name, or a mapping with its name and settings")
    closure, values = sections.get("closure"), _values(played, sections)
    if description["name"] == "us_system":
        if closure is not None and "response" in description:
            raise InvalidSetting("closure: base us_system has a response of its own: leave one of them out")
        if "response" not in description:
            closure = {"income_tax": "debt"} if closure is None else closure
            description = {**description, "response": 0.0}
    if description["name"] == "debt_rule" and (closure is not None or "income_tax_rate" in values):
        raise InvalidSetting("closure, income_tax.rate: base debt_rule has tau and response of its own: set them there")
    responses = _responses(played, closure)
    made, changes = build(description), Changes(values, responses)
    top = None if sections.get("top_rate") is None else Top.read(sections["top_rate"])
    if not isinstance(made, TaxRule):
        reformed = Reformed(game, made, changes)
        return reformed if top is None else TopRate(game, reformed, top)
    own = next((name for name in SECTIONS["income_tax"].values() if name in values or name in responses), None)
    if own is not None:
        raise InvalidSetting(
            f"income_tax: base '{description['name']}' taxes incomes by a schedule of its own: leave it out, "
            "or take base us_system"
        )
    rule = ReformedRule(game, made, changes)
    return rule if top is None else TopRate(game, rule, top)


def needed(sections: Mapping[str, Any]) -> list[str]:
    """The instruments beyond the five that a written reform names, and a game must have for it."""
    named = []
    for section, known in SECTIONS.items():
        given = sections.get(section)
        settings = given if isinstance(given, Mapping) else known if given is not None else {}
        named += [known[setting] for setting in settings if setting in known]
    closure = sections.get("closure")
    if isinstance(closure, Mapping):
        named += [CLOSURES[section] for section in closure if section in CLOSURES]
    return [name for name in FURTHER if name in named]


def first_mean_income(parameters: EconomyParameters) -> float:
    """Mean income before tax of the first year in the preset `calibrated`, dollars a household."""
    return parameters.us_gdp / parameters.us_population * _income_to_gdp(parameters)


def _income_to_gdp(p: EconomyParameters) -> float:
    """Output less what wears out, and interest on government debt."""
    return 1 - p.depreciation * p.capital_to_gdp + p.interest_rate * p.debt_to_gdp


def _values(game: Economy, sections: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for section, known in SECTIONS.items():
        given = sections.get(section)
        if given is None:
            continue
        if not isinstance(given, Mapping):
            given = {next(iter(known)): given} if len(set(known.values())) == 1 else given
        if not isinstance(given, Mapping):
            raise InvalidSetting(f"{section} = {given}: must be a section with {', '.join(known)}")
        for setting, value in given.items():
            if setting not in known:
                raise InvalidSetting(f"{section} has no setting '{setting}'{nearest(str(setting), list(known))}")
            if known[setting] in found:
                raise InvalidSetting(f"{section}: must be given in one unit, {' or '.join(known)}")
            found[known[setting]] = _checked(game, f"{section}.{setting}", known[setting], value)
    return found


def _checked(game: Economy, label: str, instrument: str, value: Any) -> float:
    """The value in the instrument's unit, within its box."""
    _check_opened(game, label, instrument)
    dollars = label == "transfer.dollars"
    unit = "dollars a household and year" if dollars else UNITS[instrument]
    rate = first_mean_income(game.parameters) if dollars else 1.0
    high = float(game.leader_action_space.high[game.instruments.index(instrument)])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value / rate <= high:
        raise InvalidSetting(f"{label} = {value}: must be between 0 and {high * rate:g} ({unit})")
    return float(value) / rate


def _responses(game: Economy, closure: Any) -> dict[str, float]:
    """How instruments move with debt over GDP: so that the primary surplus rises by so much of it as FOLLOWS says."""
    if closure is None or closure == NO_CLOSURE:
        return {}
    if not isinstance(closure, Mapping) or len(closure) != 1:
        raise InvalidSetting(f"closure = {closure}: must be none, or one of {_closures()}")
    ((section, follows),) = closure.items()
    if section not in CLOSURES:
        raise InvalidSetting(
            f"closure: nothing called '{section}' can follow debt{nearest(str(section), list(CLOSURES))}"
        )
    if follows not in FOLLOWS:
        raise InvalidSetting(f"closure.{section} = {follows}: must be {' or '.join(FOLLOWS)}")
    if "debt_to_gdp" not in game.leader_observes:
        raise InvalidSetting("closure: the government needs to see its debt: game.preset must be 'calibrated'")
    _check_opened(game, f"closure.{section}", CLOSURES[section])
    by_unit = {
        "income_tax": 1 / REVENUE_OF_TAU,
        "transfer": -1 / _income_to_gdp(game.parameters),
        "spending": -1.0,
    }
    return {CLOSURES[section]: FOLLOWS[follows] * by_unit[section]}


def _closures() -> str:
    return ", ".join(f"{{{section}: {follows}}}" for section in CLOSURES for follows in FOLLOWS)


def _check_opened(game: Economy, label: str, instrument: str) -> None:
    if instrument in FURTHER and instrument not in game.instruments:
        raise InvalidSetting(f"{label}: this game has no such instrument: game.instruments must name {instrument}")
