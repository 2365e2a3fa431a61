"""Figure 5: trained households among households cloned from the survey, at several shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from envs.economy.game import Economy
from envs.game import Array, StackelbergMeanFieldGame, Step
from experiments.grid.config import BOTH, MIXED, PUBLISHED, REAL, SMFG, GridSetting, Mixture
from experiments.grid.results import ResultRow
from experiments.tuning.trials import TrialResult
from policies import registry
from policies.mixed import MixedFollowers
from rllib_smfg.playing import one_thread
from rllib_smfg.rollout import Measure, evaluate
from rllib_smfg.storage import checkpoints

ALL = "all households"
PER_HOUSEHOLD = {"utility": "reward", "wealth": "next_assets", "income": "income"}


def mixtures(
    mixture: Mixture, finished: Sequence[tuple[GridSetting, TrialResult]], episodes: int
) -> Iterator[ResultRow]:
    """Utility, wealth and income of each kind of household, and GDP, at every share and for every seed."""
    for setting, result in finished:
        if (setting.group, setting.method) != (mixture.group, mixture.method) or setting.bounds == PUBLISHED:
            continue
        for share in mixture.shares:
            found = play_mixture(
                result.folder, share, episodes, result.trial.settings().evaluation.seed + result.trial.seed
            )
            for (who, indicator), value in found.items():
                name = str(GridSetting(f"{100 * share:g} {MIXED}", who, BOTH))
                yield ResultRow(f"mixture/{result.trial.seed}", result.trial.seed, name, indicator, None, value)


def play_mixture(folder: Path, share: float, episodes: int, seed: int) -> dict[tuple[str, str], float]:
    """Means over episodes by (kind of household, indicator), under the trained government of the run in `folder`."""
    policies = checkpoints.read_policies(checkpoints.find(folder))
    game = policies.make_game(games=episodes)
    leader, trained = policies.policies(game, seed)
    real = registry.follower("real_data", game, seed)
    households = MixedFollowers({SMFG: trained, REAL: real}, {SMFG: share, REAL: 1 - share}, game.n_followers)
    with one_thread():
        found = evaluate(game, leader, households, seed, _by_kind(households))
    kinds = [*households.households, ALL]
    wanted = [(kind, name) for kind in kinds for name in PER_HOUSEHOLD]
    values = {(kind, name): float(found[f"{kind}/{name}"].mean()) for kind, name in wanted}
    return {
        **values,
        (ALL, "per_capita_gdp"): float(found["per_capita_gdp"].mean()),
        (ALL, "years"): float(found["years"].mean()),
    }


def _by_kind(households: MixedFollowers) -> Measure:
    def measure(game: StackelbergMeanFieldGame, step: Step) -> dict[str, Array]:
        assert isinstance(game, Economy)
        assert game.flows is not None
        values: dict[str, Array] = {"per_capita_gdp": step.indicators["per_capita_gdp"]}
        for name, field in PER_HOUSEHOLD.items():
            amounts = np.asarray(getattr(game.flows, field))
            values[f"{ALL}/{name}"] = amounts.mean(-1)
            values |= {f"{kind}/{name}": amounts[:, rows].mean(-1) for kind, rows in households.households.items()}
        return values

    return measure
