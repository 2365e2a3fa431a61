"""Learned policies as plain files: weights as safetensors, everything else as JSON, with SHA-256 sums.

Enough to act without Ray, and safe to take from a stranger: nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.spaces import Box
from safetensors import SafetensorError
from safetensors.torch import load, save

from envs.game import InvalidSetting, StackelbergMeanFieldGame
from envs.registry import make
from envs.scaling import FeatureScaling, ShareBox
from policies import FollowerPolicy, LeaderPolicy
from policies.checksums import verify_checksums, write_checksums
from policies.given import Given
from rllib_smfg.build import Interface
from rllib_smfg.learned import LearnedFollower, LearnedLeader
from rllib_smfg.policy_networks import PolicyNetwork, follower_network, kind_of, leader_network
from rllib_smfg.recurrent import RecurrentFollower, RecurrentLeader
from rllib_smfg.rule import RuleActor
from rllib_smfg.settings import LearningSettings
from rllib_smfg.stochastic import RecurrentActor

FORMAT = "rllib-smfg policies 1"
POLICY_FILE, WEIGHT_FILES = "policy.json", {"leader": "leader.safetensors", "follower": "follower.safetensors"}
BUILDERS = {"leader": leader_network, "follower": follower_network}
BOXES = ("leader_observation", "leader_action", "follower_observation", "follower_action")
SCALINGS = ("leader_scaling", "follower_scaling")


@dataclass
class TrainedPolicies:
    """Both sides with all that is needed to play: `game` is the name and settings they were trained in.

    A side is a network, or given by its name. Cloned households have no government: their `leader` is None.
    """

    leader: PolicyNetwork | Given | None
    follower: PolicyNetwork | Given
    interface: Interface
    settings: LearningSettings
    game: dict[str, Any]

    def policies(
        self, game: StackelbergMeanFieldGame | None = None, seed: int = 0
    ) -> tuple[LeaderPolicy, FollowerPolicy]:
        """Both sides as policies in natural units, without exploration; raises InvalidSetting without a leader.

        What is given, not learned, is made for `game` (default: as in training), with luck of its own from `seed`.
        """
        return self.leader_policy(game, seed), self.follower_policy(game, seed)

    def leader_policy(self, game: StackelbergMeanFieldGame | None = None, seed: int = 0) -> LeaderPolicy:
        """The government; otherwise as `policies`."""
        if self.leader is None:
            raise InvalidSetting("these policies are households alone: choose a government for them")
        if isinstance(self.leader, Given):
            return self.leader.leader(game or self.make_game(), seed + 2)
        if isinstance(self.leader, RecurrentActor):
            return RecurrentLeader(self.leader, self.interface)
        return LearnedLeader(self.leader, self.interface)

    def follower_policy(self, game: StackelbergMeanFieldGame | None = None, seed: int = 0) -> FollowerPolicy:
        """The households; otherwise as `policies`."""
        if isinstance(self.follower, Given):
            return self.follower.follower(game or self.make_game(), seed + 1)
        sees_leader = self.settings.followers_see_leader
        if isinstance(self.follower, RecurrentActor):
            return RecurrentFollower(self.follower, self.interface, sees_leader)
        assert not isinstance(self.follower, RuleActor), "rules are for leaders"
        return LearnedFollower(self.follower, self.interface, sees_leader)

    def make_game(self, **changes: Any) -> StackelbergMeanFieldGame:
        """The game they were trained in, with some settings changed (for example games=64)."""
        return make(**{**self.game, **changes})


def save_policies(policies: TrainedPolicies, folder: Path) -> None:
    """Writes the policies into an existing folder."""
    sides = {side: each for side in WEIGHT_FILES if (each := getattr(policies, side)) is not None}
    given = {side: asdict(each) for side, each in sides.items() if isinstance(each, Given)}
    networks = {side: each for side, each in sides.items() if side not in given}
    sums = {}
    for side, network in networks.items():
        name = WEIGHT_FILES[side]
        weights = save({k: v.contiguous() for k, v in network.state_dict().items()})
        (folder / name).write_bytes(weights)
        sums[name] = hashlib.sha256(weights).hexdigest()
    text = {
        "format": FORMAT,
        "game": policies.game,
        "networks": {side: kind_of(network) for side, network in networks.items()},
        "given": given,
        "settings": asdict(policies.settings),
        "interface": _interface_to_json(policies.interface),
        "sha256": sums,
    }
    (folder / POLICY_FILE).write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
    write_checksums(folder)


def load_policies(folder: str | Path) -> TrainedPolicies:
    """Reads what `save_policies` wrote; raises InvalidSetting if anything is missing, damaged or does not fit."""
    folder = Path(folder)
    if not (folder / POLICY_FILE).is_file():
        raise InvalidSetting(
            f"{folder}: holds no policies ({POLICY_FILE} is missing): name a checkpoint or export folder"
        )
    verify_checksums(folder, [POLICY_FILE])
    return read_verified(folder)


def read_verified(folder: Path) -> TrainedPolicies:
    """The same for a folder whose files are known to be whole, as those of a verified checkpoint are."""
    try:
        text = json.loads((folder / POLICY_FILE).read_text(encoding="utf-8"))
        if text["format"] != FORMAT:
            raise InvalidSetting(f"{folder / POLICY_FILE}: has format '{text['format']}'; must be '{FORMAT}'")
        chosen: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in text["settings"].items()}
        settings = LearningSettings(**chosen)
        interface = _interface_from_json(text["interface"])
        sides: dict[str, Any] = {side: Given(**rule) for side, rule in text.get("given", {}).items()}
        for side, kind in text["networks"].items():
            name = WEIGHT_FILES[side]
            weights = (folder / name).read_bytes()
            if hashlib.sha256(weights).hexdigest() != text["sha256"][name]:
                raise InvalidSetting(f"{folder / name}: damaged (its SHA-256 is not the recorded one)")
            sides[side] = BUILDERS[side](kind, interface, settings)
            sides[side].load_state_dict(load(weights))
        return TrainedPolicies(sides.get("leader"), sides["follower"], interface, settings, text["game"])
    except (
        AttributeError,
        KeyError,
        TypeError,
        json.JSONDecodeError,
        UnicodeDecodeError,
        OSError,
        RuntimeError,
        SafetensorError,
    ) as error:
        raise InvalidSetting(
            f"{folder}: damaged policies ({type(error).__name__}: {str(error).splitlines()[0]})"
        ) from error


def _interface_to_json(interface: Interface) -> dict[str, Any]:
    boxes = {n: _box_to_json(getattr(interface, n)) for n in BOXES}
    scalings = {n: {k: list(v) for k, v in vars(getattr(interface, n)).items()} for n in SCALINGS}
    return {**boxes, **scalings, "followers": interface.followers}


def _interface_from_json(text: dict[str, Any]) -> Interface:
    boxes = {n: _box_from_json(text[n]) for n in BOXES}
    scalings = {n: FeatureScaling(**text[n]) for n in SCALINGS}
    parts: dict[str, Any] = {**boxes, **scalings, "followers": text["followers"]}
    return Interface(**parts)


def _box_to_json(box: Box) -> dict[str, Any]:
    return {"low": box.low.tolist(), "high": box.high.tolist(), "log_odds": isinstance(box, ShareBox)}


def _box_from_json(text: dict[str, Any]) -> Box:
    low, high = (np.asarray(text[bound], dtype=np.float64) for bound in ("low", "high"))
    return (ShareBox if text.get("log_odds") else Box)(low, high, dtype=np.float64)
