"""Who takes part in the benchmark, and with which settings: one default for all games, unless a title says more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from envs import InvalidSetting, make
from envs.registry import nearest
from rllib_smfg.configuration.sections import Algorithm, GradientAlgorithm, Learner, ProximalAlgorithm

FIRST = ("leader_start", "leader_imitates", "follower_start")  # what both sides do before they have learned anything
# of the published settings: a discount and first actions that belong to the paper's economy; each game has its own
OF_THE_ECONOMY = (*FIRST, "discount")
TURN = 50  # updates that a side of one-by-one has before it is the other's turn
# AC-SMFG: a step along the whole of an iteration's years, at which clipping says nothing: the actor-critic gradient
SEMI_GRADIENT = {"num_epochs": 1, "minibatches": 1, "entropy_coeff": 0.01, "lr": 0.003, "years_per_iteration": 80}
LONGER = 2  # one-by-one, whose updates move one side only, has so many times as many of them


@dataclass(frozen=True)
class Run:
    """A game and who learns it; iterations: of the whole run, on which schedules depend (None: it has no end)."""

    game: Mapping[str, Any]
    algorithm: Algorithm
    iterations: int | None


@dataclass(frozen=True)
class Shipped:
    """What configurations say of a game: the structural run, and one with settings found for this game, if any.

    published: SMFRL's settings as published, whatever the game, and the games it plays side by side.
    """

    structural: Run
    tuned: Run | None
    published: Run


@dataclass(frozen=True)
class Contender:
    """A learner of the benchmark. says: what it is, in a line. run: what it does with a game; None: not set up for it.

    new_config: an RLlib configuration of its own, where that of the run's family will not do.
    """

    title: str
    says: str
    run: Callable[[Shipped], Run | None]
    new_config: Callable[[], Any] | None = None

    def config(self, run: Run, seed: int, evaluation_seed: int) -> Any:
        """RLlib configuration of a run, validated; whoever builds it plays and learns in the process it is in."""
        config = (
            self._new_config(run.algorithm)
            .game(**run.game)
            .training(**run.algorithm.settings_of_run(run.iterations or 1), evaluation_seed=evaluation_seed)
            .env_runners(num_env_runners=0)
            .learners(num_learners=0)
            .debugging(seed=seed, log_level="ERROR")
        )
        config.validate()
        return config

    def _new_config(self, algorithm: Algorithm) -> Any:
        if self.new_config is not None:
            return self.new_config()
        assert isinstance(algorithm, Learner), "rules learn nothing"
        return algorithm.new_config()


def _structural(shipped: Shipped) -> Run:
    return shipped.structural


def _one_by_one(shipped: Shipped) -> Run:
    run = shipped.structural
    return Run(run.game, run.algorithm, LONGER * (run.iterations or 1))


def _smfrl(shipped: Shipped) -> Run:
    return _usual(GradientAlgorithm, shipped)


def _tuned(shipped: Shipped) -> Run | None:
    return shipped.tuned


def _published(shipped: Shipped) -> Run:
    game = {**shipped.structural.game, "games": shipped.published.game["games"]}
    stated = shipped.published.algorithm.model_dump(exclude=set(OF_THE_ECONOMY))
    return Run(game, GradientAlgorithm(**stated, **_first(GradientAlgorithm, shipped)), None)


def _ppo(shipped: Shipped) -> Run:
    run = _usual(ProximalAlgorithm, shipped)
    if run.algorithm.leader_start is not None:  # type: ignore[attr-defined]
        return run
    start = _first_leader_action(shipped.structural)
    return Run(run.game, run.algorithm.model_copy(update={"leader_start": start}), None)


def _iddpg(shipped: Shipped) -> Run:
    return _usual(GradientAlgorithm, shipped, method="iddpg")


def _ac_smfg(shipped: Shipped) -> Run:
    run = _ppo(shipped)
    return Run(run.game, run.algorithm.model_copy(update=SEMI_GRADIENT), None)


def _one_by_one_config() -> Any:
    from rllib_smfg.bench.one_by_one import OneByOneConfig

    return OneByOneConfig()


def _semi_gradient_config() -> Any:
    from rllib_smfg.bench.semi_gradient import SemiGradientConfig

    return SemiGradientConfig()


def _usual(section: type[Learner], shipped: Shipped, **stated: Any) -> Run:
    """The family's defaults; both sides begin as the structural learner's do."""
    return Run(shipped.structural.game, section(**stated, **_first(section, shipped)), None)


def _first(section: type[Learner], shipped: Shipped) -> dict[str, Any]:
    """Of the structural learner's first actions those that this family can begin with."""
    stated = shipped.structural.algorithm.model_dump()
    return {name: stated[name] for name in FIRST if name in section.model_fields and stated.get(name) is not None}


def _first_leader_action(run: Run) -> tuple[float, ...]:
    """Of a family that would begin at lower bounds: the rule that others imitate, in its first year, or mid-range."""
    game, imitated = make(**{**run.game, "games": 1}), run.algorithm.leader_imitates  # type: ignore[attr-defined]
    if imitated is not None:
        return tuple(imitated.given().leader(game, 0).act(game.reset(0).leader)[0].tolist())
    box = game.leader_action_space
    return tuple(((box.low + box.high) / 2).tolist())


CONTENDERS: dict[str, Contender] = {
    "structural": Contender("Structural SMFRL", "one default for all games", _structural),
    "one_by_one": Contender(
        "One-by-one best response",
        f"structural steps in turns of {TURN} updates, the other side held still; twice as many",
        _one_by_one,
        _one_by_one_config,
    ),
    "smfrl": Contender("SMFRL", "one default for all games", _smfrl),
    "smfrl_tuned": Contender("SMFRL, tuned", "settings found for each game, on seeds 1 to 5", _tuned),
    "smfrl_published": Contender("SMFRL, as published", "the authors' settings, but for their economy's", _published),
    "ac_smfg": Contender(
        "AC-SMFG",
        "arXiv 2509.15392: one loop of semi-gradients of both sides, the leader slower; here with Gaussian policies",
        _ac_smfg,
        _semi_gradient_config,
    ),
    "ppo": Contender("Independent PPO", "of both sides at once, with memory; one default", _ppo),
    "iddpg": Contender("Independent DDPG", "DDPG of both sides, each as if alone; one default", _iddpg),
}


def contender(name: str) -> Contender:
    """The learner `name`; raises InvalidSetting for an unknown one."""
    if name not in CONTENDERS:
        raise InvalidSetting(f"unknown learner '{name}'{nearest(name, list(CONTENDERS))}")
    return CONTENDERS[name]
