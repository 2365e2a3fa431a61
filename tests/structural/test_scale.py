"""Observations that come to networks far from order one are told, with the scaling that would be right."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from structural_parts import MANY, built
from test_declared import SHIPPED
from two_stocks import TwoStocks

from rllib_smfg import FeatureScaling, SMFRLConfig, StructuralSMFRLConfig
from rllib_smfg.rllib import game_config
from rllib_smfg.scale import out_of_scale


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_seen_in_shipped_games_is_of_order_one(name: str) -> None:
    assert not out_of_scale(built(name, **MANY, **SHIPPED[name]))


class Scaled(TwoStocks):
    """Sees its states, of 5 and 8 or so, in other units."""

    width, shift = (1.0, 1.0), (0.0, 0.0)

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.follower_scaling = FeatureScaling.linear(width=self.width, shift=self.shift)


class Logarithms(TwoStocks):
    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self.leader_scaling = FeatureScaling.log(unit=(1.0,), shift=(200.0,), width=(1.0,))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({}, ""),
        (
            {"width": (1.0, 0.01)},
            r"'skill' is a feature of size .* shift = [78].* and width = [23]",
        ),
        ({"width": (1000.0, 1.0)}, r"the follower's observation 'savings' is .* shift = 4.* and width = [23]"),
        ({"shift": (0.0, -1e6)}, r"observation 'skill' is a feature of size 1e\+06"),
    ],
)
def test_features_far_from_order_one_are_told_with_what_would_be(declared: dict[str, Any], said: str) -> None:
    told = out_of_scale(type("Own", (Scaled,), declared)(**MANY))
    assert bool(told) == bool(said)
    assert re.search(said, told), told
    assert "\n" not in told


def test_of_logarithms_the_three_numbers_are_named() -> None:
    told = out_of_scale(Logarithms(**MANY))
    assert "let leader_scaling make it of order one, by unit, shift and width" in told


def test_what_is_the_same_in_all_games_has_no_spread_that_could_be_too_small() -> None:
    class Same(TwoStocks):
        def observe(self, state: Any, mean: Any) -> Any:
            one = mean(state["skill"]) * 0 + 8
            return (one,), (state["savings"], one)

    assert not out_of_scale(Same(**MANY))


class Raw(Scaled):
    """In dollars."""

    width, shift = (0.001, 0.001), (0.0, 0.0)


@pytest.mark.parametrize("config_class", [SMFRLConfig, StructuralSMFRLConfig])
def test_every_learner_s_configuration_says_it_once(config_class: Any, caplog: pytest.LogCaptureFixture) -> None:
    game_config.TOLD.clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            config_class().game("test_scale:Raw").validate()
    assert sum("of order one" in record.message for record in caplog.records) == 1
