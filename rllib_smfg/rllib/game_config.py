"""What every configuration of a game has: the game itself, whoever plays it, and how settings are taken and refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self, TypeVar

from ray.rllib.algorithms.algorithm_config import AlgorithmConfig
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec

from envs import InvalidSetting, make
from envs.plugins import FOLDER
from envs.registry import game_class, portable
from policies.given import Given
from rllib_smfg.bounds import BOUNDS, check, is_searched
from rllib_smfg.build import Interface, check_start
from rllib_smfg.cloning.pretrained import Weights, pretrained_follower
from rllib_smfg.memory import refuse_more_than_there_is
from rllib_smfg.rllib import contract
from rllib_smfg.rllib.modules import FOLLOWER, LEADER
from rllib_smfg.rllib.words import WordedConfig
from rllib_smfg.scale import out_of_scale
from rllib_smfg.schedule import least_value
from rllib_smfg.settings import DEFAULT_YEARS, LearningSettings

ASKED_GAMES, ASKED_FOLLOWERS = 64, 25  # of a game that is asked, by playing it, whether it can be learned
TOLD: set[str] = set()  # what this process has been warned of
log = logging.getLogger(__name__)
Found = TypeVar("Found")


def side_of(agent: str, *_: Any, **__: Any) -> str:
    """RLlib's `policy_mapping_fn`."""
    return LEADER if agent == "government" else FOLLOWER


class GameConfig(WordedConfig):
    """A game, and both sides' modules `leader` and `follower`; algorithms extend it.

    follower_kind: the followers' network, one of `policy_networks.KINDS`; learns_together: whether several learners
    may share an update. See `WordedConfig` for the rest.
    """

    follower_kind: ClassVar[str]
    learns_together: ClassVar[bool] = False
    SIDES: ClassVar[frozenset[str]] = frozenset((LEADER, FOLLOWER))

    def __init__(self, algo_class: type | None = None) -> None:
        self.learning: dict[str, Any] = {}
        super().__init__(algo_class=algo_class)
        self.env_config: dict[str, Any] = {}
        self.learning = {}
        self.said.clear()
        self.years_per_iteration: int | None = None
        self.pretrain: str | None = None
        self.follower: Given | None = None
        self.torch_threads = 1
        self.evaluation_seed = 1_000_000
        # an exception inside a runner must not pause training for RLlib's default minute
        self.delay_between_env_runner_restarts_s = 1.0
        self.max_num_env_runner_restarts = 100
        # nor may each iteration wait RLlib's 30 s for a lost one, or forget what a large game plays for more than 60 s
        self.env_runner_health_probe_timeout_s = 2.0
        self.sample_timeout_s = 3600.0
        self.metrics_num_episodes_for_smoothing = 16
        self.num_env_runners = 0
        self.num_learners = 0
        self.multi_agent(policies={LEADER, FOLLOWER}, policy_mapping_fn=side_of)

    def game(self, name: str, **settings: Any) -> Self:
        """The game to play: its name and settings, among them `games` (B a runner) and `followers` (N).

        `.environment(name, env_config=settings)` is the same in RLlib's words.
        """
        if "games" in settings:
            self.said.discard("num_envs_per_env_runner")
        elif "num_envs_per_env_runner" in self.said:  # RLlib's word for games, said before
            settings["games"] = self.env_config["games"]
        self.env_config = {"name": name, **settings}
        return self

    # --- what is refused --------------------------------------------------------------------------------------------
    def validate(self) -> None:
        """Refuses, in one line each, what cannot be trained, and what would change nothing."""
        self._name_the_game()
        contract.refuse_what_changes_nothing(self, self._ours())
        self._refuse_what_is_out_of_bounds()
        try:
            AlgorithmConfig.validate(self)
        except InvalidSetting:
            raise
        except ValueError as error:
            raise InvalidSetting(" ".join(str(error).split("\nTo suppress")[0].split())) from error
        self.learning_settings()
        self._refuse_starts_that_cannot_be()
        if self.num_learners > 1 and not self.learns_together:
            raise InvalidSetting(
                f"num_learners = {self.num_learners}: must be 0 (in the driver) or 1 (remote); method structural alone"
                " learns in several"
            )
        self.pretrained()
        if not self.in_evaluation:
            self._refuse_years_that_cannot_be_shared()
            refuse_more_than_there_is(self.bytes_needed(), self.words_for_memory())
            self.found_once("_told_of_scale", repr(self.game_settings()), self._tell_what_is_out_of_scale)
            self.get_evaluation_config_object().validate()

    def _tell_what_is_out_of_scale(self) -> None:
        settings = {**self.game_settings(), "games": ASKED_GAMES, "followers": min(self.followers(), ASKED_FOLLOWERS)}
        self.tell_once(out_of_scale(make(**settings)))

    def tell_once(self, what: str) -> None:
        """Warns of something, where it is anything and this process has not been warned of it."""
        if what and what not in TOLD:
            TOLD.add(what)
            log.warning("%s", what)

    def refuse_less_than(self, least: float, *names: str) -> None:
        """Raises InvalidSetting for the first of these settings that is smaller, or as a schedule ever becomes so."""
        for name in names:
            if least_value(getattr(self, name)) < least:
                wanted = f"at least {least}" if least else "not negative"
                raise InvalidSetting(f"{name} = {getattr(self, name)}: must be {wanted}")

    def _name_the_game(self) -> None:
        """Brings `.game(name)` and RLlib's `.environment(name)` together."""
        if self.env is not None and not isinstance(self.env, str):
            raise InvalidSetting(f"env = {getattr(self.env, '__name__', self.env)}: must be the name of a game")
        folder = self.env_config.get(FOLDER)
        if self.env is not None:
            game_class(self.env, folder)
        name = self.game_settings()["name"]
        if name is None:
            raise InvalidSetting("no game: env_config has no 'name'; call .game(name, ...) or .environment(name)")
        if self.env is not None and game_class(self.env, folder) is not game_class(name, folder):
            raise InvalidSetting(f"env = {self.env!r}: env_config names '{name}'; say one of them")
        named = {"name": name, **self.env_config}
        if portable(named) != self.env_config:
            self.env_config = portable(named)

    def _refuse_what_is_out_of_bounds(self) -> None:
        for name in (*self.learning_names, *self.own_names, *self.rllib_names):
            value = self.learning.get(name) if name in self.learning_names else getattr(self, name)
            if is_searched(value):
                raise InvalidSetting(f"{name}: is a space to search in; give the configuration to ray.tune.Tuner")
            if name in BOUNDS and (name in self.own_names or name in self.rllib_names):
                check(name, value)
        for name in self.searched:
            raise InvalidSetting(f"{name}: is a space to search in; give the configuration to ray.tune.Tuner")
        for name in ("seed", "num_env_runners", "num_learners"):
            check(name, getattr(self, name))
        for name in ("games", "followers"):
            if name in self.env_config:
                check(name, self.env_config[name])
        for name in self.given_names:
            if not isinstance(getattr(self, name), Given | None):
                raise InvalidSetting(f"{name} = {getattr(self, name)!r}: must be a policy; say .training({name}=...)")

    def _refuse_starts_that_cannot_be(self) -> None:
        """An actor that starts with an action that its side does not have."""
        interface = self.interface()
        for side, box in ((LEADER, interface.leader_action), (FOLLOWER, interface.follower_action)):
            start = getattr(self, f"{side}_start", None)
            if start is not None:
                check_start(f"{side}_start", start, box)

    def _refuse_years_that_cannot_be_shared(self) -> None:
        """Years of an iteration are what is configured, whoever plays them: nothing is rounded."""
        years, at_once, players = self.years_in_iteration(), self.years_at_once(), max(1, self.num_env_runners)
        if years % at_once:
            right = [each for each in (years // at_once * at_once, -(-years // at_once) * at_once) if each]
            raise InvalidSetting(
                f"years_per_iteration = {years}: must be a multiple of {at_once}, {self.words_for_years()};"
                f" say {' or '.join(map(str, right))}"
            )
        if years // at_once < players:
            raise InvalidSetting(
                f"num_env_runners = {players}: years_per_iteration = {years} are {years // at_once} times {at_once}"
                f" ({self.words_for_years()}), so at most {years // at_once} runners can play;"
                f" say so, or years_per_iteration = {players * at_once}"
            )

    # --- years and memory -------------------------------------------------------------------------------------------
    def years_in_iteration(self) -> int:
        """Years of an iteration, over all games and runners; what is not configured depends on the game alone."""
        if self.years_per_iteration is not None:
            return self.years_per_iteration
        at_once = self.years_at_once()
        return -(-DEFAULT_YEARS // at_once) * at_once

    def years_at_once(self) -> int:
        """Years that a runner plays at least: one of each of its games."""
        games: int = self.env_config.get("games", 1)
        return games

    def words_for_years(self) -> str:
        """What `years_at_once` are, in words."""
        return f"a year of each of games = {self.env_config.get('games', 1)}"

    def years_per_runner(self) -> int:
        """Years that the busiest runner plays in an iteration, with all runners well."""
        at_once = self.years_at_once()
        return -(-self.years_in_iteration() // (at_once * max(1, self.num_env_runners))) * at_once

    def shares(self, years: int, runners: Sequence[int]) -> dict[int, int]:
        """How many of so many years each of these runners plays; one with nothing to play is left out."""
        times, at_once = years // self.years_at_once(), self.years_at_once()
        each, more = divmod(times, len(runners))
        shares = {runner: (each + (place < more)) * at_once for place, runner in enumerate(runners)}
        return {runner: share for runner, share in shares.items() if share}

    def bytes_needed(self) -> int:
        """About how much memory the settings ask of one process, in bytes; 0 where nothing is known."""
        return 0

    def words_for_memory(self) -> str:
        """The settings that `bytes_needed` follows from."""
        return ""

    # --- what the parts ask -----------------------------------------------------------------------------------------
    def learning_settings(self) -> LearningSettings:
        """The settings as the losses take them; the discount is the game's own unless another is set."""
        discount = self.learning.get("discount")
        return LearningSettings(**{**self.learning, "discount": self._facts()[1] if discount is None else discount})

    def interface(self) -> Interface:
        """The game's interface."""
        return self._facts()[0]

    def followers(self) -> int:
        """N."""
        return self.interface().followers

    def pretrained(self) -> Weights | None:
        """The weights that `pretrain` names, read once: runners elsewhere and later restores need no file."""
        if self.pretrain is None:
            return None
        source, learning = self.pretrain, self.learning_settings()
        key = (source, learning, repr(self.game_settings()))
        return self.found_once(
            "_pretrained", key, lambda: pretrained_follower(source, self.follower_kind, self.interface(), learning)
        )

    def found_once(self, name: str, key: Any, find: Callable[[], Found]) -> Found:
        """What `find` gives, kept in the configuration, frozen or not, for as long as `key` is the same."""
        if self.__dict__.get(name, (None,))[0] != key:
            self.__dict__[name] = (key, find())
        found: Found = self.__dict__[name][1]
        return found

    def acting_device(self, runner: int) -> str:
        """Where a runner's actors are: beside the learner in the main process, on the processor elsewhere."""
        return "cuda" if runner == 0 and self.num_learners == 0 and self.num_gpus_per_learner else "cpu"

    def module_specs(self) -> dict[str, RLModuleSpec]:
        """The RLModuleSpec of each side."""
        raise NotImplementedError

    def get_multi_rl_module_spec(self, **kwargs: Any) -> MultiRLModuleSpec:
        """Leader and follower module."""
        specs, inference_only = self.module_specs(), kwargs.get("inference_only", False)
        for spec in specs.values():
            spec.inference_only = inference_only
        return MultiRLModuleSpec(rl_module_specs=specs, inference_only=inference_only)

    def game_settings(self) -> dict[str, Any]:
        """What `envs.make` takes to build the games of a runner, its name included."""
        if not self.env_config and self.env is None:
            raise InvalidSetting("no game: call .game(name, ...) first")
        return {"name": self.env, **self.env_config}

    def _facts(self) -> tuple[Interface, float]:
        """(interface, discount) of the game; one small game is built to ask it, once per setting of the game."""
        settings = self.game_settings()
        key = repr(sorted(settings.items()))
        known = self.__dict__.setdefault("_known_facts", {})
        if key not in known:
            game = make(**{**settings, "games": 1})
            self.__dict__["_known_facts"] = known = {key: (Interface.of(game), game.discount)}
        facts: tuple[Interface, float] = known[key]
        return facts
