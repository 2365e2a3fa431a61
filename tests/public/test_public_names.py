"""`from rllib_smfg import ...`: every public name is there, is what it says, and is imported when it is asked for."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import numpy as np
import pytest

import rllib_smfg
from rllib_smfg import InvalidSetting, compare, evaluate, load_policies, make

SOURCE = Path(inspect.getfile(rllib_smfg)).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(rllib_smfg.PUBLIC))
def test_a_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(rllib_smfg, name)
    assert found.__name__ == name
    assert inspect.getdoc(found)
    assert name in rllib_smfg.__all__
    assert name in dir(rllib_smfg)


def test_editors_are_told_the_same_names() -> None:
    told = {}
    for node in ast.walk(ast.parse(SOURCE)):
        if isinstance(node, ast.ImportFrom) and node.module not in ("importlib", "typing", "rllib_smfg.foreign"):
            told |= {alias.asname: node.module for alias in node.names}
    assert told == rllib_smfg.PUBLIC


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'SMFRLConfg'"):
        rllib_smfg.SMFRLConfg  # noqa: B018


def test_the_names_work_together() -> None:
    """Players who are the same differ by nothing, and `compare` has the means of `evaluate`."""
    game = make("stage_game", games=8, followers=10)
    players = {"random": ("random", "random"), "again": ("random", "random")}
    assert set(compare(game, players)) == {"random", "again"}
    same = compare(game, players, against="random")
    assert set(same) == {"again"}
    assert same["again"]["leader_return"].mean == 0
    values = evaluate(game, *(rllib_smfg_policy(side, game) for side in ("leader", "follower")), seed=1_000_000)
    assert np.mean(values["leader_return"]) == pytest.approx(compare(game, players)["random"]["leader_return"].mean)


def rllib_smfg_policy(side: str, game: rllib_smfg.StackelbergMeanFieldGame) -> object:
    from policies import registry

    return getattr(registry, side)("random", game, 1_000_000)


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="holds no policies"):
        load_policies(str(tmp_path))
    with pytest.raises(InvalidSetting, match="no such player"):
        compare(make("stage_game"), {"one": ("random", "random")}, against="two")
