"""How near what was learned comes to the exact solution, and what its households could still gain."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from envs import InvalidSetting
from envs.solution import SOLVED_GAMES
from rllib_smfg.exploitability.exact import household_gain
from rllib_smfg.exploitability.household_problems import has_household_problem
from rllib_smfg.export import TrainedPolicies
from rllib_smfg.known_games.acceptance import TELLING, judge, label
from rllib_smfg.known_games.readings import Readings, read
from rllib_smfg.playing import one_thread

GAMES = 4  # behind households' exact gains
OF_CONSUMPTION = "% of consumption"
OF_COST = "cost"  # discounted, in the game's own unit
LINEAR_QUADRATIC = "follower_exploitability"  # the reading that is one


@dataclass(frozen=True)
class Standing:
    """How a pair of policies stands. share: its worst error as a share of the acceptance bound; None without a bound.

    within: every check holds, and the equilibrium that is nearest is the Stackelberg game's own.
    """

    share: float | None
    within: bool | None
    label: str | None
    readings: Readings


def standing(game: str, policies: TrainedPolicies) -> Standing:
    """Where the policies of one seed stand in a game; without a known solution nothing is said."""
    if game not in SOLVED_GAMES:
        return Standing(None, None, None, {})
    followers = policies.interface.followers
    with one_thread():
        readings = read(game, *policies.policies(), followers)
        checks = judge(game, followers, [readings])
    share = max(check.of_bound for check in checks if check.of_bound is not None)
    nearest = label(game, followers, readings) if game in TELLING else None
    return Standing(float(share), all(check.passed for check in checks), nearest, readings)


def exploitability(policies: TrainedPolicies, readings: Readings, seed: int) -> dict[str, Any] | None:
    """What a household gains by its best response to frozen play, exact; None where nothing exact is known.

    Of linear-quadratic rules it is among the readings. Where play ends too early to say, the gain is no number (`why`).
    """
    if LINEAR_QUADRATIC in readings:
        return {"gain": readings[LINEAR_QUADRATIC], "unit": OF_COST}
    game = policies.make_game(games=GAMES)
    if not has_household_problem(game):
        return None
    try:
        with one_thread():
            found = household_gain(game, *policies.policies(game, seed), seed).of_consumption
    except InvalidSetting as error:
        return {"gain": math.nan, "unit": OF_CONSUMPTION, "why": str(error)}
    return {"gain": found.value, "unit": OF_CONSUMPTION, **{k: v for k, v in asdict(found).items() if k != "value"}}
