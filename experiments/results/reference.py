"""The government that others are compared with, over the same kind of households and in the same episodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from envs import InvalidSetting, StackelbergMeanFieldGame
from envs.economy.game import Economy
from envs.economy.parameters import EconomyParameters
from envs.game import Array
from experiments.results.welfare_tables import BESIDE, Standing
from policies import FollowerPolicy, LeaderPolicy
from policies.given import Given
from rllib_smfg import named_policies
from rllib_smfg.economics import welfare
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.rollout import Episodes

US, PLANNING = "us_system", Given("planning")


@dataclass(frozen=True)
class Reference:
    """A government (a rule, or the path of something learned) over households that are given.

    obstacle: why consumption equivalents against it cannot be told; empty where they can.
    """

    government: str
    households: Given
    parameters: EconomyParameters
    obstacle: str

    @property
    def name(self) -> str:
        """What tables call it."""
        return f"{self.government} over {self.households.name} households"

    def standings(self, rows: Mapping[str, Sequence[Episodes]]) -> dict[str, Standing]:
        """Of every row, one `Episodes` a training seed, all played with the same luck; one of them is the reference."""
        own = np.stack([each.worth for each in rows[self.name]])
        return {row: standing(self._gain(played, own), played) for row, played in rows.items()}

    def _gain(self, played: Sequence[Episodes], own: Array) -> welfare.ConsumptionEquivalent:
        return welfare.compared(self.parameters, self.name, np.stack([each.worth for each in played]), own)

    def pair(self, game: StackelbergMeanFieldGame, seed: int) -> tuple[LeaderPolicy, FollowerPolicy]:
        """Both sides for a game; raises InvalidSetting for what does not exist or fit."""
        government = named_policies.leader(self.government, game, seed)
        settings = {name: value for name, value in self.households.settings.items() if name != "taxes"}
        return government, named_policies.living_under(government, self.households.name, game, seed, **settings)


def reference_of(
    policies: TrainedPolicies, game: StackelbergMeanFieldGame, government: str | None = None
) -> Reference | None:
    """The US system, or the government that is named, over households of the policies' kind: those that are given, else
    those that plan. None where the game has no consumption equivalents.

    Raises InvalidSetting for a named government that does not exist or fit.
    """
    if not isinstance(game, Economy) or not welfare.measurable(game):
        if government is not None:
            raise InvalidSetting(f"reference '{government}': game.preset must be 'calibrated', to compare with it")
        return None
    planning = (
        replace(PLANNING, settings={"further_at_rest": True}) if game.parameters.further_instruments else PLANNING
    )
    households = policies.follower if isinstance(policies.follower, Given) else planning
    found = Reference(government or US, households, game.parameters, welfare.obstacle(game.parameters))
    if found.obstacle:
        return found
    try:
        found.pair(game, 0)
    except InvalidSetting as error:
        if government is not None:
            raise
        return replace(found, obstacle=str(error))
    return found


def standing(gain: welfare.ConsumptionEquivalent, played: Sequence[Episodes]) -> Standing:
    """A row of the first table, out of its episodes of every training seed; `BESIDE` are means."""
    beside = {name: float(np.mean([each.indicators[name] for each in played])) for name in BESIDE}
    years = np.concatenate([each.indicators["years"] for each in played])
    ended = np.concatenate([each.ended_early for each in played])
    return Standing(gain, float(ended.mean()), beside, welfare.ending(years, ended))
