"""StructuralSMFRLConfig: the choices of structural SMFRL as RLlib configuration, checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Self

from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from envs import InvalidSetting
from envs.arithmetic import ArithmeticGame
from envs.plugins import FOLDER
from envs.registry import game_class
from rllib_smfg.cloning.imitation import Weights
from rllib_smfg.rllib.device import learner_gpus
from rllib_smfg.rllib.env_runner import PopulationEnvRunner
from rllib_smfg.rllib.game_config import ASKED_FOLLOWERS, ASKED_GAMES, GameConfig
from rllib_smfg.rllib.modules import FOLLOWER, LEADER, module_specs
from rllib_smfg.rllib.structural.learner import StructuralRLlibLearner
from rllib_smfg.rllib.structural.modules import StructuralModule
from rllib_smfg.rule import responding
from rllib_smfg.settings import StructuralRunSettings
from rllib_smfg.structural.declared import check_declarations
from rllib_smfg.structural.games import arithmetic_game
from rllib_smfg.structural.jumps import unseen_jumps
from rllib_smfg.structural.paths import path_count, path_years
from rllib_smfg.structural.settings import StructuralSettings
from rllib_smfg.structural.start import imitated_rule, steady_start

SHARED = ("leader_gradient", "follower_gradient", "hidden", "bound_penalty")  # with `LearningSettings`
OWN = tuple(each.name for each in fields(StructuralSettings) if each.name not in SHARED)


if TYPE_CHECKING:

    class _Stated(GameConfig, StructuralRunSettings):
        """For type checkers: what `stated_in` makes of it."""

else:
    _Stated = GameConfig


class StructuralSMFRLConfig(_Stated):
    """Configures structural SMFRL.

    config = StructuralSMFRLConfig().game("linear_quadratic", followers=100).training(updates=600)
    algorithm = config.build_algo()
    """

    stated_in = (StructuralSettings, StructuralRunSettings)
    learning_names = SHARED
    follower_kind = "smooth"
    learns_together = True

    def __init__(self, algo_class: type | None = None) -> None:
        if algo_class is None:
            from rllib_smfg.rllib.structural.algorithm import StructuralSMFRL

            algo_class = StructuralSMFRL
        super().__init__(algo_class=algo_class)
        self.env_runner_cls = PopulationEnvRunner
        usual = StructuralSettings()
        self.take_defaults()
        for name in SHARED:
            self.learning[name] = getattr(usual, name)

    def training(self, **settings: Any) -> Self:
        """Settings of the algorithm, each by its name; see `StructuralSettings`.

        Before learning, households without a start keep what they carry (`steady_start`). Raises InvalidSetting for a
        name that is none of these nor RLlib's own.
        """
        return super().training(**settings)

    def validate(self) -> None:
        """Refuses, in one line each, what cannot be trained."""
        super().validate()
        name = self.game_settings()["name"]
        if not issubclass(game_class(name, self.game_settings().get(FOLDER)), ArithmeticGame):
            raise InvalidSetting(
                f"method structural: game '{name}' is not written as arithmetic (envs.arithmetic); use method smfrl"
            )
        settings = self.structural_settings()
        if settings.leader_rule and settings.leader_policy != "rule":
            raise InvalidSetting(f"leader_rule: needs leader_policy = rule, which is {settings.leader_policy}")
        if self.leader_imitates is not None and settings.leader_policy != "rule":
            raise InvalidSetting("leader_imitates: needs leader_policy = rule; a network starts at leader_start")
        game = self._small_game()
        if not self.in_evaluation:
            self._check_game(game, settings.window_years)
        responding(settings.leader_rule, game.instruments, game.leader_observes)
        for instrument in settings.spread_of:
            responding({instrument: ()}, game.instruments, game.leader_observes)
        self._refuse_games_that_learners_cannot_share(settings, game)
        self.num_gpus_per_learner = learner_gpus(self.device, self.num_learners)

    def _check_game(self, game: ArithmeticGame, window_years: int) -> None:
        """Refuses a game that does not do what it declares; says of one what would be learned from it wrongly."""

        def check() -> None:
            check_declarations(game, window_years)
            many = arithmetic_game(self.game_settings(), ASKED_GAMES, min(game.n_followers, ASKED_FOLLOWERS))
            self.tell_once(unseen_jumps(many, self.leader_search == "derivative"))

        self.found_once("_checked", (repr(self.game_settings()), window_years, self.leader_search), check)

    def _refuse_games_that_learners_cannot_share(self, settings: StructuralSettings, game: ArithmeticGame) -> None:
        """Each learner plays as many economies as any other, and at least one of the leader's paths."""
        learners, economies = max(1, self.num_learners), settings.economies
        if economies % learners:
            right = [each for each in (economies // learners * learners, -(-economies // learners) * learners) if each]
            raise InvalidSetting(
                f"economies = {economies}: num_learners = {learners} cannot share them evenly;"
                f" say economies = {' or '.join(map(str, right))}"
            )
        years = path_years(game.discount, settings.tail, game.horizon, ends=False)
        paths = path_count(settings, self.followers(), years)
        if paths < learners:
            households = min(self.followers(), settings.population)
            raise InvalidSetting(
                f"num_learners = {learners}: the leader's household_years = {settings.household_years} are"
                f" {paths} paths of {households} households and {years} years, one for each learner at least;"
                f" say household_years = {learners * households * years}"
            )

    def structural_settings(self) -> StructuralSettings:
        """The settings as the learner takes them."""
        own = {name: getattr(self, name) for name in OWN}
        return StructuralSettings(**own, **{name: self.learning[name] for name in SHARED})

    def get_default_learner_class(self) -> type[StructuralRLlibLearner]:
        """Its Learner."""
        return StructuralRLlibLearner

    def get_default_rl_module_spec(self) -> RLModuleSpec:
        """RLlib wants a single-agent spec here; the real ones come from `get_multi_rl_module_spec`."""
        return RLModuleSpec(module_class=StructuralModule)

    def module_specs(self) -> dict[str, RLModuleSpec]:
        """The RLModuleSpec of each side."""
        settings, game = self.structural_settings(), self._small_game()
        rule = settings.leader_policy == "rule"
        return module_specs(
            StructuralModule,
            self.interface(),
            self.learning_settings(),
            {LEADER: self.leader_start, FOLLOWER: self.follower_start or steady_start(game)},
            {LEADER: self._imitated(settings.leader_rule) if self.leader_imitates else None, FOLLOWER: None},
            kind="rule" if rule else "smooth",
            responses=dict(settings.leader_rule),
            instruments=tuple(game.instruments),
            observes=tuple(game.leader_observes),
        )

    def _imitated(self, responses: Mapping[str, Sequence[str]]) -> Weights:
        """The numbers of the rule that does what `leader_imitates` does, found once."""
        given = self.leader_imitates
        assert given is not None
        key = (given, repr(self.game_settings()), repr(responses))
        return self.found_once("_imitated", key, lambda: imitated_rule(given, self._small_game(), responses))

    def _small_game(self) -> ArithmeticGame:
        return arithmetic_game(self.game_settings(), 1, min(self.followers(), 100))
