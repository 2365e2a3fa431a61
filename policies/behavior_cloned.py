"""The real-data household: a network fitted to the Survey of Consumer Finances (`smfg pretrain`), in plain numpy.

data/real_data was made by `smfg pretrain pretrain_survey --set clone.networks=[mlp,maddpg,ai_economist]`; its mlp is
the household used unless another is named. data/as_published was made by `smfg pretrain pretrain_as_published --set
clone.networks=[mlp,maddpg,ai_economist] --set clone.hidden=[64,64] --set game.saving_rate_min=null`. data/calibrated,
used in the preset `calibrated`, was made by `smfg pretrain pretrain_survey --set game.preset=calibrated --set
survey.targets=survey_all_hours --set clone.networks=[mlp]`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load

from envs.economy.game import Economy
from envs.economy.presets import preset_parameters
from envs.game import Array, InvalidSetting, StackelbergMeanFieldGame
from envs.scaling import FeatureScaling
from policies.checksums import verify_checksums
from policies.perceptron import perceptron
from policies.policy import FollowerPolicy

SHIPPED = Path(__file__).parent / "data"
REAL_DATA_HOUSEHOLD = SHIPPED / "real_data" / "mlp"
CALIBRATED_HOUSEHOLD = SHIPPED / "calibrated" / "mlp"
# what a clone's abilities, hours and saving rates are measured in; what households like is no part of it
DEPENDS_ON = (
    "maximal_hours",
    "consumption_tax",
    "ability_persistence",
    "ability_sd",
    "superstar_entry",
    "superstar_stay",
    "superstar_multiple",
)
# networks without a memory; the stochastic one gives means of u, then logarithms of standard deviations, see _bounded
MEAN_BOUND, SPREADS = 1.25, (0.05, 2.0)


def clone_folder(source: str | Path) -> Path:
    """A clone's folder, or the shipped one that a name like real_data/maddpg stands for."""
    shipped = not Path(source).exists() and (SHIPPED / source).is_dir()
    return SHIPPED / source if shipped else Path(source)


class BehaviorClonedHousehold(FollowerPolicy):
    """Acts as households of the survey with the same ability and assets did, whatever the government does.

    A stochastic clone draws its actions, so that equal households differ as they do in the survey; `seed` is that of
    its luck. folder: what `smfg pretrain` wrote for one network without a memory; left out, the shipped one that fits.
    Raises InvalidSetting where that is missing, damaged, or does not fit the game.
    """

    def __init__(self, game: StackelbergMeanFieldGame, seed: int = 0, folder: str | Path | None = None) -> None:
        folder = _shipped_for(game) if folder is None else clone_folder(folder)
        text, self._weights = _read(folder)
        scaling, box = text["interface"]["follower_scaling"], text["interface"]["follower_action"]
        self._scaling = FeatureScaling(**{name: tuple(values) for name, values in scaling.items()})
        self._low, self._high = np.array(box["low"]), np.array(box["high"])
        _refuse_another_economy(folder, text, self._scaling, game)
        self._random = np.random.default_rng(seed)
        self._act = self._bounds(folder, text)

    def act(self, observation: Array, leader_action: Array) -> Array:
        """Actions (B, N, 2) for observations (B, N, df): saving rates and shares of the maximal working time."""
        unit = self._act(perceptron(self._weights, self._features(observation)))
        natural = self._low + (np.clip(unit, -1, 1) + 1) * (self._high - self._low) / 2
        action: Array = np.clip(natural, self._low, self._high)
        return action

    def _features(self, observation: Array) -> Array:
        """Features of order one, (B, N, d), as the network was fitted on."""
        scaling = self._scaling
        logarithm = np.sign(observation) * np.log1p(np.abs(observation) / np.array(scaling.unit))
        value = np.where(scaling.logarithmic, logarithm, observation)
        features: Array = ((value - np.array(scaling.shift)) / np.array(scaling.width)).astype(np.float32)
        return features

    def _bounds(self, folder: str | Path, text: dict[str, Any]) -> Callable[[Array], Array]:
        """How outputs become actions u."""
        kind = text["networks"]["follower"]
        if kind == "gaussian":
            return self._drawn
        if kind != "actor":
            raise InvalidSetting(f"{folder}: holds a network with a memory; real-data households need mlp or maddpg")
        return np.tanh if text["settings"]["squash"] == "tanh" else np.asarray

    def _drawn(self, outputs: Array) -> Array:
        """u drawn from the normal distributions of outputs (B, N, 2 a)."""
        mean, log_spread = np.split(outputs, 2, axis=-1)
        low, high = np.log(SPREADS)
        spread = np.exp((high + low) / 2 + (high - low) / 2 * np.tanh(log_spread))
        drawn: Array = MEAN_BOUND * np.tanh(mean / MEAN_BOUND) + spread * self._random.standard_normal(mean.shape)
        return drawn


def _shipped_for(game: StackelbergMeanFieldGame) -> Path:
    """The shipped household of the preset `calibrated` where it was cloned for it, and that of `paper` elsewhere."""
    calibrated = preset_parameters("calibrated").laws.initial_state
    fits = isinstance(game, Economy) and game.parameters.laws.initial_state is calibrated
    return CALIBRATED_HOUSEHOLD if fits else REAL_DATA_HOUSEHOLD


def _refuse_another_economy(
    folder: str | Path, text: dict[str, Any], scaling: FeatureScaling, game: StackelbergMeanFieldGame
) -> None:
    """A saving rate is a share of income in one preset and of wealth in another: a clone knows only its own."""
    if not isinstance(game, Economy) or scaling != game.follower_scaling:
        raise InvalidSetting(f"{folder}: was not cloned for the households of game '{game.name}'")
    preset = text["game"].get("preset", "paper")
    cloned, played = preset_parameters(preset), game.parameters
    if cloned.laws.consumption_base is not played.laws.consumption_base:
        raise InvalidSetting(f"{folder}: its saving rates are those of preset '{preset}': clone households in this one")
    for name in DEPENDS_ON:
        there, here = getattr(cloned, name), getattr(played, name)
        if here != there:
            raise InvalidSetting(
                f"{folder}: was cloned in an economy with {name} = {there:g}, this game has {name} = {here:g}: clone"
                f" households in this one, or leave it at {there:g}"
            )


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """What a clone is (policy.json) and its weights; raises InvalidSetting where a file is missing or damaged."""
    try:
        text = json.loads((folder / "policy.json").read_text(encoding="utf-8"))
        content = (folder / "follower.safetensors").read_bytes()
        verify_checksums(folder, ["policy.json", "follower.safetensors"])
        weights = load(content)
        answers = any(
            weights[name].any() for name in ("first_shared.weight", "linear_shared.weight") if name in weights
        )
        text["networks"]["follower"], text["interface"]["follower_scaling"], text["settings"]["squash"]
    except FileNotFoundError as error:
        raise InvalidSetting(f"{folder}: holds no cloned household ({Path(error.filename).name} is missing)") from error
    except (KeyError, TypeError, ValueError, OSError, SafetensorError) as error:
        if isinstance(error, InvalidSetting):
            raise
        raise InvalidSetting(f"{folder}: is damaged ({type(error).__name__})") from error
    if answers:
        raise InvalidSetting(f"{folder}: its households answer to the government: they are trained, not cloned")
    return text, weights
