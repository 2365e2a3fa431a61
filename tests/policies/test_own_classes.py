"""Own rules and households of users, by the name of their class."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reform_parts import acted, economy

from envs import InvalidSetting
from policies import registry
from policies.policy import FollowerPolicy
from rllib_smfg import named_policies

OWN = """
import numpy as np
from policies.policy import FollowerPolicy, LeaderPolicy


class Flat(LeaderPolicy):
    def __init__(self, game, rate=0.3):
        self._action = np.array([rate, 0.0, 0.0, 0.0, 0.19])

    def act(self, observation):
        return np.tile(self._action, (len(observation), 1))


class Lucky(FollowerPolicy):
    def __init__(self, game, seed):
        self._random = np.random.default_rng(seed)

    def act(self, observation, leader_action):
        return self._random.uniform(0.3, 0.6, (*observation.shape[:2], 2))
"""


@pytest.fixture
def own_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "own_rules_of_test.py").write_text(OWN)
    (tmp_path / "broken_of_test.py").write_text("def (:\n")
    (tmp_path / "needy_of_test.py").write_text("import no_such_thing_at_all\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path


def test_own_classes_play_by_name(own_rules: Path) -> None:
    game = economy(None)
    assert acted(game, {"name": "own_rules_of_test:Flat", "rate": 0.4})[0] == 0.4
    assert acted(game, {"base": "own_rules_of_test:Flat", "spending": 0.1})[[0, 4]].tolist() == [0.3, 0.1]
    lucky = [named_policies.follower("own_rules_of_test:Lucky", game, seed) for seed in (1, 1, 2)]
    seen = game.reset(seed=1).follower
    first, again, other = (policy.act(seen, np.zeros((2, 5))) for policy in lucky)
    assert isinstance(lucky[0], FollowerPolicy)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("side", "name", "settings", "says"),
    [
        ("leader", "own_rules_of_test:Flt", {}, "has no 'Flt'; it has .*Flat"),
        ("leader", "own_rules_of_test:Lucky", {}, "must be a policies.policy.LeaderPolicy"),
        ("follower", "own_rules_of_test:Flat", {}, "must be a policies.policy.FollowerPolicy"),
        ("leader", "own_rules_of_test:Flat", {"rat": 0.1}, "did you mean 'rate'"),
        ("leader", "no_such_module_of_test:Flat", {}, "no module 'no_such_module_of_test'"),
        ("leader", "broken_of_test:Flat", {}, "cannot be imported .SyntaxError"),
        ("leader", "needy_of_test:Flat", {}, "no module 'no_such_thing_at_all'"),
    ],
)
def test_classes_that_cannot_play_are_refused(
    side: str, name: str, settings: dict[str, Any], says: str, own_rules: Path
) -> None:
    with pytest.raises(InvalidSetting, match=says) as refusal:
        getattr(registry, side)(name, economy(None), **settings)
    assert "\n" not in str(refusal.value)


IN_RAY = """
import ray
from envs import make
from policies.given import Given

ray.init(address="local", include_dashboard=False, num_cpus=1, log_to_driver=False)


@ray.remote
def acted(given):
    game = make("economy", preset="calibrated", games=1, followers=5)
    return float(given.leader(game, 0).act(game.reset(1).leader)[0, 0])


print("acted", ray.get(acted.remote(Given.of({"name": "own_rules_of_test:Flat", "rate": 0.25}))))
"""


def test_other_processes_find_own_classes(own_rules: Path) -> None:
    (own_rules / "driver").mkdir()
    (own_rules / "driver" / "in_ray.py").write_text(IN_RAY)
    # started from the folder of the class, from a script that lies elsewhere, as the command smfg does
    result = subprocess.run(
        [sys.executable, "driver/in_ray.py"], cwd=own_rules, capture_output=True, text=True, timeout=240, check=False
    )
    assert "acted 0.25" in result.stdout, result.stderr[-2000:]
