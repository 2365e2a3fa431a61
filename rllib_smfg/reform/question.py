"""What is asked: policies, what they are held against, and in which economy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from envs import InvalidSetting, make
from envs.economy.game import Economy
from envs.economy.instruments import FURTHER
from policies import LeaderPolicy, registry, written
from policies.given import Given
from policies.reform import needed
from rllib_smfg import named_policies

PRESET = "calibrated"
RESULTS = Path(__file__).parents[2] / "docs" / "results"
# instruments beyond the five -> households who were learned with them, shipped beside the documentation
LEARNED = {(): RESULTS / "calibrated", ("transfer",): RESULTS / "calibrated_transfer"}


@dataclass(frozen=True)
class ReformPolicy:
    """A government as it was written: a rule's name, a file, a mapping in YAML, or the folder of something learned."""

    text: str

    @property
    def title(self) -> str:
        """What tables call it."""
        path = Path(self.text)
        return path.stem if self.text.endswith(written.ENDINGS) else self.text.rstrip("/")

    @property
    def given(self) -> Given | None:
        """The rule; None for what was learned."""
        if self.text.lstrip().startswith("{"):
            return Given.of(_read(self.text))
        return Given.of(self.text) if registry.is_rule(self.text, registry.LEADERS) else None

    def instruments(self) -> list[str]:
        """The instruments beyond the five that it needs a game to have, its bases included."""
        found: list[str] = []
        given = self.given
        while given is not None and given.name == written.REFORM:
            found += needed(given.settings)
            base = given.settings["base"]
            given = Given.of(base)
        return found

    def leader(self, game: Economy, seed: int = 0) -> LeaderPolicy:
        """The government for a game."""
        given = self.given
        return named_policies.leader(self.text, game, seed) if given is None else given.leader(game, seed)


@dataclass(frozen=True)
class Question:
    """See the command's options.

    learned: the folder of learned households, a folder a training seed; None: those that are shipped.
    """

    policies: Sequence[ReformPolicy]
    against: ReformPolicy = field(default_factory=lambda: ReformPolicy("us_system"))
    followers: int = 1000
    episodes: int = 8
    years: int = 150
    seed: int = 1_000_000
    learned: Path | None = None

    def __post_init__(self) -> None:
        titles = [each.title for each in (*self.policies, self.against)]
        if len(set(titles)) < len(titles):
            raise InvalidSetting(f"policies {', '.join(titles)}: each must be named once, and not held against itself")

    def instruments(self, policy: ReformPolicy) -> list[str]:
        """Those that a game needs for a policy and for what it is held against."""
        named = [*policy.instruments(), *self.against.instruments()]
        return [name for name in FURTHER if name in named]

    def learned_households(self, policy: ReformPolicy) -> list[Path]:
        """Folders of households, a training seed each, who see all instruments; raises InvalidSetting without any."""
        seen = self.instruments(policy)
        if self.learned is None and tuple(seen) not in LEARNED:
            raise InvalidSetting(f"no household was learned that sees the instrument {', '.join(seen)}")
        folder = self.learned or LEARNED[tuple(seen)]
        found = sorted(file.parent for file in folder.glob("seed_*/policy.json"))
        if not found:
            raise InvalidSetting(f"{folder}: holds no learned households (seed_1, ...)")
        return found

    def game(self, policy: ReformPolicy, games: int, followers: int, **settings: Any) -> Economy:
        """The economy a policy is compared in."""
        found = make(
            "economy",
            preset=PRESET,
            task="social_welfare",
            games=games,
            followers=followers,
            instruments=self.instruments(policy) or None,
            **settings,
        )
        assert isinstance(found, Economy)
        return found


def _read(text: str) -> Mapping[str, Any]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidSetting(f"'{text}': is no YAML ({' '.join(str(error).split())})") from None
    if not isinstance(found, Mapping):
        raise InvalidSetting(f"'{text}': must be a mapping, as in {{base: us_system, wealth_tax: {{rate: 0.02}}}}")
    return found
