"""Shocks as (year, kind, size): they strike where they are told to, and one that cannot strike is refused."""

from typing import Any

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.economy.shocks import Event, scenario_of
from experiments.configuration.loading import load_experiment


def indicators(shock: Any, years: int, **settings: Any) -> dict[str, np.ndarray]:
    game = make("economy", followers=20, shock=shock, **settings)
    game.reset(7)
    rows = []
    leader = (game.leader_action_space.low + game.leader_action_space.high)[None] / 2
    box = game.follower_action_space
    follower = np.broadcast_to((box.low + box.high) / 2, (1, 20, *box.shape))
    for _ in range(years):
        rows.append(game.step(leader, follower).indicators)
    return {name: np.array([row[name][0] for row in rows]) for name in ("wage", "mean_consumption", "capital")}


@pytest.mark.parametrize("preset", ["paper", "taxai", "calibrated"])
@pytest.mark.parametrize(
    "shock", [[[3, "tfp", 0.8]], [[3, "assets", 0.5]], [{"year": 3, "kind": "tfp", "size": 1.2}], ((3, "tfp", 0.8),)]
)
def test_an_event_strikes_in_its_year_and_not_before(shock: Any, preset: str) -> None:
    calm = indicators("none", 5, preset=preset)
    struck = indicators(shock, 5, preset=preset)
    for name in calm:
        np.testing.assert_array_equal(calm[name][:3], struck[name][:3])
    assert any(calm[name][3] != struck[name][3] for name in calm)


def test_sizes_are_factors() -> None:
    game = make("economy", preset="calibrated", followers=5, games=2, shock=[[0, "tfp", 0.9], [1, "assets", 0.25]])
    tfp, assets = game.scenario.factors(np.array([0, 1]))
    np.testing.assert_array_equal(tfp, [[0.9], [1.0]])
    np.testing.assert_array_equal(assets, [[1.0], [0.25]])


def test_the_presets_mean_in_the_papers_economy_what_they_meant() -> None:
    years = np.array([99, 100, 101, 102])
    for name, tfp, assets in (
        ("none", [1, 1, 1, 1], [1, 1, 1, 1]),
        ("financial_crisis", [1, 1, 1, 1], [1, 0.5, 1, 1]),
        ("disaster", [1, 0.8, 0.8, 1], [1, 1, 1, 1]),
    ):
        found = make("economy", preset="paper", followers=5, shock=name).scenario.factors(years)
        np.testing.assert_array_equal(np.hstack(found), np.transpose([tfp, assets]))


@pytest.mark.parametrize(
    ("shock", "horizon"),
    [
        ("financial_crisis", None),
        ("disaster", None),
        ("disaster", 101),  # its second year would be lost
        ([[100, "tfp", 0.8]], None),
        ([[2, "tfp", 0.8], [5, "assets", 0.5]], 5),
    ],
)
def test_what_cannot_strike_is_refused(shock: Any, horizon: int | None) -> None:
    with pytest.raises(InvalidSetting, match=r"strikes in year .* episodes end with year"):
        make("economy", preset="calibrated", followers=5, shock=shock, horizon=horizon)


def test_the_last_year_can_be_struck() -> None:
    scenario_of([[4, "tfp", 0.8]], 5)
    scenario_of("disaster", 102)


def test_productivity_is_struck_for_longer_than_a_year_and_seen() -> None:
    """log A' = persistence log A + sd eps: of a fall by 1 % persistence^k is left after k years; both sides see it."""
    settings = {"preset": "calibrated", "followers": 50, "games": 2, "productivity_sd": 0.02}
    calm, struck = (make("economy", **settings, shock=shock) for shock in ("none", [[2, "productivity", 0.99]]))
    seen = {calm: calm.reset(7), struck: struck.reset(7)}
    fallen = []
    for _ in range(4):
        fallen.append(np.log(struck.state.tfp / calm.state.tfp))
        for game in seen:
            leader = np.repeat((game.leader_action_space.low + game.leader_action_space.high)[None] / 2, 2, axis=0)
            seen[game] = game.step(leader, np.broadcast_to([0.9, 0.4], (2, 50, 2))).observations
    first, persistence = np.log(0.99), calm.parameters.productivity_persistence
    for found, expected in zip(fallen, [0.0, 0.0, first, first * persistence], strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)
    place = calm.leader_observes.index("productivity")
    ratio = seen[struck].leader[:, place] / seen[calm].leader[:, place]
    np.testing.assert_allclose(ratio, np.exp(first * persistence**2), rtol=1e-6)


@pytest.mark.parametrize(("year", "sd", "fault"), [(3, 0.0, "does not move here"), (0, 0.02, "from year 1 on")])
def test_productivity_that_cannot_be_struck_is_refused(year: int, sd: float, fault: str) -> None:
    with pytest.raises(InvalidSetting, match=fault):
        make("economy", preset="calibrated", followers=5, productivity_sd=sd, shock=[[year, "productivity", 0.99]])


@pytest.mark.parametrize(
    ("shock", "fault"),
    [
        (None, "must be none, financial_crisis"),
        (False, "must be none, financial_crisis"),
        ([], "must be none, financial_crisis"),
        ({"a": "b"}, "must be none, financial_crisis"),
        ([50, "tfp", 0.8], "50 is no event"),
        ([[50, "tfp"]], "is no event"),
        ([{"year": 3, "kind": "tfp"}], "must have year, kind and size"),
        ([[3, "tpf", 0.8]], "unknown kind 'tpf': did you mean 'tfp'"),
        ([[-1, "tfp", 0.8]], "year -1 must be a whole number"),
        ([[2.5, "tfp", 0.8]], "year 2.5 must be a whole number"),
        ([[True, "tfp", 0.8]], "year True must be a whole number"),
        ([["3", "tfp", 0.8]], "year '3' must be a whole number"),
        ([[3, "tfp", 0]], "size 0 must be a factor"),
        ([[3, "tfp", -0.2]], "size -0.2 must be a factor"),
        ([[3, "tfp", float("nan")]], "size nan must be a factor"),
        ([[3, "tfp", float("inf")]], "size inf must be a factor"),
        ([[3, "tfp", "0.8"]], "size '0.8' must be a factor"),
        ([[3, "tfp", 0.8], [3, "tfp", 0.9]], "tfp is struck twice in year 3"),
    ],
)
def test_what_is_no_event_is_refused_in_one_line(shock: Any, fault: str) -> None:
    with pytest.raises(InvalidSetting, match=fault) as error:
        scenario_of(shock, 100)
    assert "\n" not in str(error.value)


def test_events_are_read_from_yaml_and_from_the_command_line() -> None:
    experiment = load_experiment("calibrated_n1000", ["game.shock=[[50, tfp, 0.8], [51, tfp, 0.8]]"])
    game = make(**{**experiment.game.settings(), "games": 1})
    assert game.scenario.events == (Event(50, "tfp", 0.8), Event(51, "tfp", 0.8))
    with pytest.raises(InvalidSetting, match=r"--set game.shock=disaster: .*strikes in year 100") as error:
        load_experiment("calibrated_n1000", ["game.shock=disaster"])
    assert "\n" not in str(error.value)
