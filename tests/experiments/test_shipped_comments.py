"""Comments of the shipped configurations list every choice there is."""

import re

import pytest

from envs.economy.presets import PRESETS
from envs.economy.shocks import SCENARIOS
from experiments.configuration.shipped import SHIPPED

FILES = sorted(SHIPPED.rglob("*.yaml"))


@pytest.mark.parametrize(("setting", "names"), [("preset", PRESETS), ("shock", SCENARIOS)])
def test_a_comment_that_lists_choices_lists_all(setting: str, names: dict[str, object]) -> None:
    listed = []
    for path in FILES:
        for line in path.read_text().splitlines():
            found = re.match(rf"\s+{setting}: \S+ +#(.*,.*)", line)
            if found and sum(name in found[1] for name in names) > 1:
                listed.append(path)
                assert all(name in found[1] for name in names), f"{path.name}: {line}"
    assert listed
