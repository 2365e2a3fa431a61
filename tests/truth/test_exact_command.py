"""`smfg exploitability` where the household's problem can be solved, and how a search that failed is told."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout

import numpy as np
from rich.console import Console

import experiments.studies.exploitability.run as command
from envs import make
from experiments.commands.main import app
from experiments.studies.exploitability.report import show
from policies.given import Given
from rllib_smfg.build import Interface
from rllib_smfg.exploitability import BestFound, DeviationTraining, Effort, Response, Scores, examine
from rllib_smfg.exploitability.summary import exploitability
from rllib_smfg.export import TrainedPolicies, save_policies
from rllib_smfg.settings import LearningSettings

GAME = {"name": "economy", "preset": "calibrated", "task": "social_welfare", "horizon": 15, "games": 1, "followers": 60}


def planners(folder):
    folder.mkdir()
    interface = Interface.of(make(**GAME))
    policies = TrainedPolicies(Given("us_system"), Given("planning"), interface, LearningSettings(), GAME)
    save_policies(policies, folder)
    return folder


def test_households_are_exact_in_the_calibrated_economy(tmp_path, monkeypatch):
    monkeypatch.setattr(examine, "MEAN_FIELD_FOLLOWERS", 400)
    little = Effort(DeviationTraining(updates=100, rounds=4), seeds=1, constants=8, generations=1, episodes=8)
    monkeypatch.setattr(command, "QUICK", little)
    file, out, err = tmp_path / "found.json", io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = app(
            [
                "exploitability",
                str(planners(tmp_path / "planners")),
                "--quick",
                "--json",
                str(file),
                "--off-path",
                "0.2",
            ],
            standalone_mode=False,
        )
    assert (code, err.getvalue()) == (0, "")
    found = json.loads(file.read_text())
    seats = {each["name"]: each for each in found["exploitability"]}
    assert list(seats) == [
        "household, N = 60, exact",
        "household, mean field, exact",
        "household, mean field, leader +0.2, exact",
        "government",
    ]
    for name in list(seats)[:3]:
        assert seats[name]["exact"]
        assert 0 < seats[name]["of_consumption"]["value"] < 0.05
        assert seats[name]["gain"]["value"] > 0
    assert not seats["government"]["exact"]
    kinds = {(each["households"], each["since"], each["shift"]) for each in found["exact_households"]}
    assert kinds == {(n, since, shift) for n in (60, 400) for since in (0, 40) for shift in (0.0, 0.1, -0.1)}
    assert "exact gains of households" in out.getvalue()


def test_a_bound_below_0_is_a_search_that_failed():
    own = np.random.default_rng(0).normal(size=30)
    best = Response("constant", "spread", 0, 1.0, lambda game: None, -0.2)
    scores = Scores(own, own - 4, [own - 0.3] * 4)
    found = exploitability(
        "household", "follower", 50, scores, BestFound(best, {0.5: best, 0.75: best, 1.0: best}, []), 1000
    )
    assert found.search_failed
    console = Console(file=io.StringIO(), width=160)
    show(console, [found], None, "random")
    assert "search failed: household" in console.file.getvalue()
