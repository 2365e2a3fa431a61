"""`smfg pretrain CONFIG`: fits follower networks to what households of the survey do."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, get_args

import matplotlib
import numpy as np
import torch
from pydantic import Field, field_validator, model_validator
from rich.console import Console

from envs import InvalidSetting, make
from envs.economy.game import Economy
from envs.economy.population import EMBEDDED
from experiments.configuration.config import Game, Section
from experiments.configuration.loading import dump, find_configuration, load
from rllib_smfg.build import Interface
from rllib_smfg.cloning.fit import YEARS_IN_A_ROW, EpochLosses, Fitting, fit
from rllib_smfg.cloning.households import draw_households
from rllib_smfg.cloning.networks import NETWORKS, blind_to_prices
from rllib_smfg.cloning.pairs import Pairs, cloned_box, observed, pairs, pairs_beyond
from rllib_smfg.cloning.targets import TARGETS
from rllib_smfg.export import TrainedPolicies, save_policies
from rllib_smfg.policy_networks import follower_network
from rllib_smfg.settings import LearningSettings, Squash
from rllib_smfg.storage.files import new_name, refuse_overwriting, write_text, written_folder
from rllib_smfg.storage.owners import taken
from rllib_smfg.storage.places import Place

matplotlib.use("Agg")

CloneNetwork = Literal["mlp", "ai_economist", "mf_marl", "maddpg"]
Curves = dict[CloneNetwork, list[EpochLosses]]
HiddenUnits = Annotated[int, Field(ge=1, le=4096)]


class SurveyTargets(Section):
    """Whom to imitate, and what they are taken to do."""

    source: str = Field(EMBEDDED, description="scf2022 (embedded), or the path of the survey's CSV file")
    weighting: Literal["survey", "unweighted"] = Field("survey", description="how households are drawn")
    targets: Literal["survey", "survey_all_hours", "as_published"] = Field(
        "survey", description="how actions are constructed, docs/data.md"
    )
    households: int = Field(20_000, ge=1000, le=10**7, description="households drawn")
    held_out: float = Field(0.1, gt=0, le=0.5, description="share of families (or cells) held out")
    beyond: float = Field(0.2, ge=0, le=1, description="pairs beyond the survey's range, as a share of the others")


class Clone(Section):
    """Networks to fit, each in a folder of its own name."""

    networks: tuple[CloneNetwork, ...] = Field(get_args(CloneNetwork), min_length=1, description="networks of figure 7")
    hidden: tuple[HiddenUnits, ...] = Field(
        (64, 64), min_length=1, description="hidden units; as the algorithm's that starts"
    )
    hidden_ai_economist: tuple[HiddenUnits, HiddenUnits] = Field(
        (64, 32), description="its perceptron's and its memory's units"
    )
    squash: Squash = Field("clip", description="how deterministic networks keep their bounds; as the algorithm's")


class Fit(Section):
    """How to fit."""

    epochs: int = Field(15, ge=1, le=10**5, description="passes over the pairs")
    batch: int = Field(256, ge=YEARS_IN_A_ROW, le=10**6, multiple_of=YEARS_IN_A_ROW, description="pairs of a step")
    learning_rate: float = Field(2e-3, gt=0, le=1, description="Adam's, falling to zero along a half cosine")
    seed: int = Field(1, ge=0, lt=2**31, description="of the draws, the networks and the order of pairs")


class Pretraining(Section):
    """A whole configuration."""

    game: Game = Field(default_factory=lambda: Game(name="economy"))
    survey: SurveyTargets = SurveyTargets()
    clone: Clone = Clone()
    fit: Fit = Fit()

    @field_validator("game")
    @classmethod
    def _is_an_economy(cls, game: Game) -> Game:
        if game.name != "economy":
            raise InvalidSetting(f"game '{game.name}' has no households that a survey tells of: must be 'economy'")
        return game

    @model_validator(mode="after")
    def _enough_pairs(self) -> Pretraining:
        least = self.survey.households * (1 - self.survey.held_out) / 2
        if self.fit.batch > least:
            raise InvalidSetting(f"fit.batch = {self.fit.batch}: must be at most {least:.0f} for so few households")
        return self


def run(console: Console, config: str | Path, overrides: Sequence[str] = (), output: Path | None = None) -> Path:
    """Fits every network and writes its folder, loss curves (losses.csv, losses.png) and config.yaml; returns where."""
    path = find_configuration(config)
    settings = load(Pretraining, path, overrides)
    target = output or Path("runs") / new_name(path.stem)
    refuse_overwriting(target)
    with taken(Place(target), lambda text: console.print(text, soft_wrap=True, highlight=False, markup=False)):
        _fit_all(console, settings, target)
    return target


def _fit_all(console: Console, settings: Pretraining, target: Path) -> None:
    """The same into a folder that belongs to this process."""
    torch.set_num_threads(1)
    game = make(**{**settings.game.settings(), "games": 1})
    assert isinstance(game, Economy)
    training, held_out = _data(settings, game)
    console.print(f"{len(training)} state-action pairs to fit, {len(held_out)} held out", highlight=False)
    with written_folder(target) as folder:
        curves: Curves = {
            name: _clone(console, settings, game, name, training, held_out, folder) for name in settings.clone.networks
        }
        write_text(folder / "config.yaml", dump(settings))
        _write_losses(folder / "losses.csv", curves)
        _draw_losses(folder / "losses.png", curves)
    console.print(f"clones and loss curves are in {target}", highlight=False)


def _data(settings: Pretraining, game: Economy) -> tuple[Pairs, Pairs]:
    """Pairs to fit, those beyond the survey among them, and pairs held out."""
    survey, random = settings.survey, np.random.default_rng(settings.fit.seed)
    targets = TARGETS[survey.targets]
    wealth = game.parameters.laws.survey_wealth
    drawn = draw_households(survey.source, survey.weighting, survey.households, random, wealth)
    kept, apart = drawn.split(survey.held_out, random)
    seen = observed(game, kept, random)
    beyond = pairs_beyond(game, kept, targets, seen, int(survey.beyond * len(kept)), random)
    return pairs(game, kept, targets, seen) + beyond, pairs(game, apart, targets, observed(game, apart, random))


def _clone(
    console: Console,
    settings: Pretraining,
    game: Economy,
    name: str,
    training: Pairs,
    held_out: Pairs,
    folder: Path,
) -> list[EpochLosses]:
    """Fits one network, showing its losses, and exports it."""
    kind, interface = NETWORKS[name], replace(Interface.of(game), follower_action=cloned_box(game))
    clone, how = settings.clone, settings.fit
    learning = LearningSettings(
        followers_see_leader=kind.sees_leader,
        hidden=clone.hidden_ai_economist if kind.network == "recurrent" else clone.hidden,
        squash=clone.squash if kind.network == "actor" else "clip",
    )
    torch.manual_seed(how.seed)
    network = follower_network(kind.network, interface, learning)
    fitting = Fitting(how.epochs, how.batch, how.learning_rate, how.seed)
    losses = []
    with console.status(name) as status:
        for epoch in fit(network, kind.loss, training, held_out, fitting):
            losses.append(epoch)
            status.update(f"{name}  epoch {epoch.epoch}/{how.epochs}  {kind.loss_name} {epoch.held_out:.4f}")
    blind_to_prices(network, training.state)
    console.print(
        f"{name}: {kind.loss_name} {losses[-1].training:.4f}, held out {losses[-1].held_out:.4f}", highlight=False
    )
    (folder / name).mkdir()
    save_policies(TrainedPolicies(None, network, interface, learning, settings.game.settings()), folder / name)
    return losses


def _write_losses(path: Path, curves: Curves) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(("network", "loss", "epoch", "training", "held_out"))
        for name, losses in curves.items():
            rows.writerows((name, NETWORKS[name].loss_name, x.epoch, x.training, x.held_out) for x in losses)


def _draw_losses(path: Path, curves: Curves) -> None:
    """Figure 7: one panel for each kind of loss; solid lines are held-out pairs, dashed ones those fitted."""
    from matplotlib import pyplot

    names = sorted({NETWORKS[name].loss_name for name in curves}, reverse=True)
    figure, panels = pyplot.subplots(
        1, len(names), figsize=(4.5 * len(names), 3.2), squeeze=False, layout="constrained"
    )
    for panel, loss in zip(panels[0], names, strict=True):
        for colour, name in enumerate(name for name in curves if NETWORKS[name].loss_name == loss):
            epochs = [x.epoch for x in curves[name]]
            panel.plot(epochs, [x.held_out for x in curves[name]], f"C{colour}", label=name)
            panel.plot(epochs, [x.training for x in curves[name]], f"C{colour}--", linewidth=0.8)
        panel.set(xlabel="epoch", ylabel=f"{loss} (actions on [0, 1])")
        panel.legend(frameon=False)
    figure.savefig(path, dpi=150)
    pyplot.close(figure)
