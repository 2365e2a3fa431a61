"""The competition: who plays with whom, what is scored, and what the command says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from envs import InvalidSetting, make
from experiments.commands.main import app
from policies.constant import ConstantFollower, ConstantLeader
from policies.free_market import free_market
from policies.mixed import MixedFollowers
from policies.random import RandomFollower
from policies.submission import Limits
from rllib_smfg.contest import Contest, ContestScore, Track, compositions, score, title
from rllib_smfg.groups import evaluate_groups
from rllib_smfg.rollout import evaluate

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "submission.py"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "competition.md"
GAME: dict[str, Any] = {"name": "economy", "followers": 8, "horizon": 4}
PATIENT = Limits(call_seconds=60.0)
CONTEST = Contest(GAME, {"random": "random"}, "free_market", episodes=3, seed=5, limits=PATIENT)
SAVING, GOVERNING = [0.97, 0.6], [0.1, 0.02, 0.05, 0.01, 0.02]


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """A file with constant households, a constant government, and some that fail."""
    file = tmp_path / "mine.py"
    file.write_text(
        f"""
import numpy as np

class Saver:
    def act(self, observation, leader_action):
        return np.full((*observation.shape[:2], 2), {SAVING})

class Government:
    def act(self, observation):
        return np.tile({GOVERNING}, (len(observation), 1))

class FailsLater:
    years = 0
    def act(self, observation, leader_action):
        self.years += 1
        if observation.shape[1] < 8 and self.years > 2:
            raise ValueError("[bold]tired[/bold]")
        return np.full((*observation.shape[:2], 2), 0.97)

class Random:
    def act(self, observation, leader_action):
        return np.random.uniform(0.9, 0.99, (*observation.shape[:2], 2))
"""
    )
    return str(file)


def run_command(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["compete", *arguments])
    return result.exit_code, result.output


# --- who plays with whom ---------------------------------------------------------------------------------------------
def test_households_are_mixed_with_every_predefined_policy() -> None:
    shares = compositions("households", ["smfrl", "real", "random"])
    assert shares[0] == {"yours": 1.0}
    for other in ("smfrl", "real", "random"):
        assert [x["yours"] for x in shares if set(x) == {"yours", other}] == [0.75, 0.5, 0.25]
    assert shares[-1] == {"yours": 0.25, "smfrl": 0.25, "real": 0.25, "random": 0.25}
    assert len(shares) == 11
    assert all(sum(x.values()) == pytest.approx(1.0) for x in shares)
    assert len({title(x) for x in shares}) == 11


def test_a_government_meets_every_set_of_predefined_households() -> None:
    shares = compositions("government", ["smfrl", "real", "random"])
    assert [len(x) for x in shares] == [1, 1, 1, 2, 2, 2, 3]
    assert all(len(set(x.values())) == 1 and sum(x.values()) == pytest.approx(1.0) for x in shares)
    assert all("yours" not in x for x in shares)


def test_titles_are_for_people() -> None:
    assert title({"yours": 0.25, "random": 0.75}) == "25 % yours, 75 % random"


# --- what is scored --------------------------------------------------------------------------------------------------
def test_the_score_is_what_the_same_policy_gets_without_a_process(mine: str) -> None:
    result = score("households", f"{mine}:Saver", CONTEST)
    utilities = []
    for shares in compositions("households", ["random"]):
        game = make(**GAME, games=3)
        known = {"yours": ConstantFollower(SAVING), "random": RandomFollower(game.follower_action_space, 6)}
        mixed = MixedFollowers({name: known[name] for name in shares}, shares, 8)
        expected = evaluate_groups(game, free_market(game), mixed, seed=5)
        utilities.append(expected.groups["yours"]["utility"])
        row = result.compositions[title(shares)]
        assert row["average_utility_of_your_agent"].mean == pytest.approx(utilities[-1].mean(), rel=1e-12)
        assert row["per_capita_gdp"].mean == pytest.approx(expected.population["per_capita_gdp"].mean(), rel=1e-12)
        if "random" in shares:
            others = expected.groups["random"]["utility"].mean()
            assert row["utility_of_others"].mean == pytest.approx(others, rel=1e-12)
    assert result.failure == ""
    assert result.metric is not None
    assert result.metric.mean == pytest.approx(np.mean(utilities), rel=1e-12)
    # the interval is that of episodes, each a mean over compositions
    episodes = np.mean(utilities, axis=0)
    assert episodes.min() <= result.metric.ci_low < result.metric.mean < result.metric.ci_high <= episodes.max()


def test_the_government_is_scored_by_its_return(mine: str) -> None:
    result = score("government", f"{mine}:Government", CONTEST)
    game = make(**GAME, games=3)
    households = RandomFollower(game.follower_action_space, 6)
    expected = evaluate(game, ConstantLeader(GOVERNING), households, seed=5)["leader_return"]
    assert list(result.compositions) == ["100 % random"]
    assert result.metric is not None
    assert result.metric.mean == pytest.approx(expected.mean(), rel=1e-12)
    assert result.compositions["100 % random"]["government_return"] == result.metric


def test_the_same_seed_gives_the_same_score_even_to_those_who_draw(mine: str) -> None:
    first, again, other = (
        score("households", f"{mine}:Random", replace(CONTEST, households={}, seed=seed)) for seed in (5, 5, 6)
    )
    assert first == again
    assert first.metric != other.metric


def test_a_failure_is_a_score_with_its_reason(mine: str) -> None:
    result = score("households", f"{mine}:FailsLater", CONTEST)
    assert result == ContestScore(
        "households",
        None,
        {},
        result.isolated,
        "ValueError: [bold]tired[/bold] (mine.py, line 17) (playing 75 % yours, 25 % random)",
    )


def test_populations_too_small_to_mix_are_refused(mine: str) -> None:
    with pytest.raises(InvalidSetting, match="at least 4"):
        score("households", f"{mine}:Saver", replace(CONTEST, game={**GAME, "followers": 3}))


def test_predefined_policies_that_do_not_exist_are_refused_before_anything_is_played(mine: str) -> None:
    with pytest.raises(InvalidSetting, match="no such policy"):
        score("households", f"{mine}:FailsLater", replace(CONTEST, households={"real": "nowhere"}))


# --- the command -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("track", "name", "metric"),
    [
        ("households", "CarefulHouseholds", "average utility of your agent"),
        ("government", "ProgressiveGovernment", "government return"),
    ],
)
def test_the_examples_are_scored(tmp_path: Path, track: Track, name: str, metric: str) -> None:
    file = tmp_path / "score.json"
    code, output = run_command(
        track, f"{EXAMPLE}:{name}", "--followers", "10", "--episodes", "2", "--json", str(file), "--call-seconds", "60"
    )
    assert code == 0
    assert "give --checkpoint RUN (make one: smfg train quickstart)" in output
    assert re.search(rf"{metric}: \S+, 95 % interval \S+", output)
    content = json.loads(file.read_text())
    assert content["failure"] == ""
    assert content["contest"]["households"] == {"real": "real_data", "random": "random"}
    assert content["contest"]["limits"]["call_seconds"] == 60
    names = ["real", "random"]
    assert list(content["compositions"]) == [title(shares) for shares in compositions(track, names)]
    means = [row[metric.replace(" ", "_")]["mean"] for row in content["compositions"].values()]
    assert content["metric"]["mean"] == pytest.approx(np.mean(means), rel=1e-9)
    assert content["metric"]["ci_low"] <= content["metric"]["mean"] <= content["metric"]["ci_high"]


def test_a_failed_submission_ends_with_exit_code_1_and_its_reason(mine: str, tmp_path: Path) -> None:
    file = tmp_path / "score.json"
    code, output = run_command(
        "households", f"{mine}:FailsLater", "--followers", "10", "--episodes", "2", "--json", str(file)
    )
    assert code == 1
    assert "failed: ValueError: [bold]tired[/bold] (mine.py, line 17)" in output
    content = json.loads(file.read_text())
    assert content["metric"] is None
    assert content["failure"].startswith("ValueError: [bold]tired[/bold]")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["households", "nowhere.py:Mine"], "no such file 'nowhere.py'"),
        (["government", "{file}"], "must have the form FILE:CLASS"),
        (["households", "{file}:Saver", "--checkpoint", "nowhere"], "nowhere: no such folder"),
        (["households", "{file}:Saver", "--real", "nowhere"], "'nowhere': no such policy and no such folder"),
        (["households", "{file}:Saver", "--government", "us_federl"], "did you mean 'us_federal'"),
        (["households", "{file}:Saver", "--config", "nowhere"], "nowhere: no such configuration"),
        (["households", "{file}:Saver", "--followers", "2"], "at least 4"),
        (["households", "{file}:Saver", "--episodes", "0"], "--episodes"),
    ],
)
def test_bad_input_ends_in_one_line_and_exit_code_2(mine: str, arguments: list[str], said: str) -> None:
    code, output = run_command(*(argument.format(file=mine) for argument in arguments))
    assert code == 2
    assert said in output.splitlines()[-1]


def test_games_whose_households_were_not_surveyed_go_without_them(mine: str, tmp_path: Path) -> None:
    config = tmp_path / "taxai.yaml"
    config.write_text("game: {name: economy, preset: taxai, followers: 8, horizon: 3}\n")
    code, output = run_command("government", f"{mine}:Government", "--config", str(config), "--episodes", "2")
    assert code == 0
    assert "without real-data households" in output
    assert "give --real FOLDER (make one: smfg pretrain" in output
    assert "100 % real" not in output


def test_a_checkpoint_brings_its_households_its_government_and_its_game(mine: str, tmp_path: Path) -> None:
    from rllib_smfg.build import Interface
    from rllib_smfg.export import TrainedPolicies, save_policies
    from rllib_smfg.policy_networks import follower_network, leader_network
    from rllib_smfg.settings import LearningSettings

    interface, learning = Interface.of(make(**GAME, games=1)), LearningSettings(hidden=(8,))
    networks = (build("actor", interface, learning) for build in (leader_network, follower_network))
    save_policies(TrainedPolicies(*networks, interface, learning, {**GAME, "games": 1}), tmp_path)
    file = tmp_path / "score.json"
    code, output = run_command(
        "households", f"{mine}:Saver", "--checkpoint", str(tmp_path), "--episodes", "2", "--json", str(file)
    )
    assert code == 0
    assert "without" not in output
    assert f"government: {tmp_path}" in output.replace("\n", "")
    content = json.loads(file.read_text())
    assert content["contest"]["game"]["horizon"] == 4
    assert len(content["compositions"]) == 11
    assert content["compositions"]["50 % yours, 50 % smfrl"]["years"]["mean"] <= 4


# --- the page --------------------------------------------------------------------------------------------------------
def test_the_page_shows_policies_that_play(tmp_path: Path) -> None:
    snippets = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "mine.py"
    file.write_text("\n".join(snippets))
    for track, name in (("households", "MyHouseholds"), ("government", "MyGovernment")):
        result = score(track, f"{file}:{name}", replace(CONTEST, households={"random": "random"}))
        assert result.failure == ""


def test_the_page_names_the_commands_bounds_and_limits_that_hold() -> None:
    page = PAGE.read_text()
    for command in re.findall(r"^smfg compete (\w+) docs/examples/submission.py:(\w+)$", page, re.MULTILINE):
        assert f"class {command[1]}" in EXAMPLE.read_text()
    game = make("economy", followers=2)
    low, high = game.leader_action_space.low, game.leader_action_space.high
    assert (f"tau lies between {low[0]:g} and {high[0]:g}") in page
    assert re.search(rf"xi between 0.00005 and\s+{high[1]:g}", page)
    assert low[1] == pytest.approx(0.00005)
    assert f"spending between {low[4]:g} and {high[4]:g}" in page
    space = game.follower_action_space
    assert f"{space.low[0]:g} to {space.high[1]:g} each" in page
    limits = Limits()
    assert f"within {limits.start_seconds:g} seconds" in page
    assert f"`--call-seconds` ({limits.call_seconds:g})" in page
    assert f"`--total-seconds` ({limits.total_seconds:g})" in page
    assert f"`--memory-mib` ({limits.memory_mib})" in page
