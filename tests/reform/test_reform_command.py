"""`smfg reform`: who gains and who loses, in tables, files and pictures."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from envs import InvalidSetting
from envs.economy.indicators import TENTHS
from experiments.commands.main import app
from experiments.reform import tables
from experiments.reform.pictures import PRINTED_PICTURES, pictures
from experiments.reform.refresh import commands, page_part, refreshed
from policies import perfect_foresight, solved_planner
from rllib_smfg.exploitability.exact import Interval
from rllib_smfg.reform import ask as asking
from rllib_smfg.reform import foreseen, lucky
from rllib_smfg.reform.answer import SERIES, SINCE, Answer, Gains, differ
from rllib_smfg.reform.answer import SeriesPath as EconomyPath
from rllib_smfg.reform.ask import ask
from rllib_smfg.reform.question import LEARNED, Question, ReformPolicy
from rllib_smfg.reform.tornado import ALL, AS_CALIBRATED, CASES, Tornado, gain, tornado

PAID_OUT = "{base: us_system, wealth_tax: {rate: 0.02}, closure: {transfer: revenue_neutral}}"
SMALL = ["--followers", "60", "--episodes", "2", "--years", "60"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Small grids, few surveyed, one process."""
    monkeypatch.setattr(foreseen, "STATES", 3)
    monkeypatch.setattr(foreseen, "POINTS", 40)
    monkeypatch.setattr(perfect_foresight, "SURVEYED", 5_000)
    monkeypatch.setattr(asking, "MOST_PROCESSES", 1)
    for name, value in (("STATES", 4), ("POINTS", 40), ("RATE_STEP", 0.02)):
        monkeypatch.setattr(solved_planner, name, value)
    forget_paths()
    yield
    forget_paths()


def forget_paths() -> None:
    """Those of few surveyed, which other tests must not meet."""
    perfect_foresight.usual_households.cache_clear()
    perfect_foresight.PATHS.clear()


def question(*texts: str, **settings: Any) -> Question:
    return Question([ReformPolicy(text) for text in texts], **{"followers": 60, "episodes": 2, "years": 60, **settings})


def test_what_changes_nothing_is_worth_nothing() -> None:
    """The same government by another name, in the same luck."""
    asked = question("{base: us_system}")
    for answer in (lucky.planners(asked, asked.policies[0]), foreseen.foreseen(asked, asked.policies[0])):
        gains = answer.gains
        for part in (gains.mean, *gains.by_wealth, *gains.by_income, *gains.since.values()):
            assert part.value == pytest.approx(0, abs=1e-9)
        for name in SERIES:
            np.testing.assert_allclose(answer.reform.series[name], answer.against.series[name], rtol=1e-9, atol=1e-12)


def test_the_poor_gain_from_what_the_rich_pay() -> None:
    asked = question(PAID_OUT)
    for answer in (lucky.planners(asked, asked.policies[0]), foreseen.foreseen(asked, asked.policies[0])):
        gains = answer.gains
        assert gains.by_wealth[0].value > 1 > -2 > gains.by_wealth[-1].value
        assert gains.by_income[0].value > gains.by_income[-1].value
        assert list(gains.since) == list(SINCE)
        assert gains.since[0].value == pytest.approx(gains.mean.value, abs=1e-9)
        # logarithms of one plus the gains of tenths are utilities: their mean is that of all
        if answer.kind == "perfect_foresight":
            logs = [np.log1p(part.value / 100) for part in gains.by_wealth]
            assert 100 * np.expm1(np.mean(logs)) == pytest.approx(gains.mean.value, abs=1e-6)
        spent = answer.reform.mean("transfer")[10]
        assert spent < -0.02
        taken = sum(answer.reform.mean(name) for name in ("income_tax", "wealth_tax", "consumption_tax", "transfer"))
        assert np.abs(taken[5:50] - 0.19).max() < 0.15  # about what is spent, interest aside
        assert answer.against.mean("wealth_tax").max() < 1e-3


def test_learned_households_say_why_they_do_not_answer(tmp_path: Path) -> None:
    consumed = question("{base: us_system, consumption_tax: 0.1}")
    with pytest.raises(InvalidSetting, match="sees the instrument consumption_tax_rate"):
        lucky.learned(consumed, consumed.policies[0])
    other = question(PAID_OUT, learned=LEARNED[()])
    with pytest.raises(InvalidSetting, match="made for a game with leader action"):
        lucky.learned(other, other.policies[0])
    consumed = question("{base: us_system, consumption_tax: 0.1}", learned=LEARNED["transfer",])
    with pytest.raises(
        InvalidSetting, match="learned with the further instruments transfer; this game has consumption_tax_rate"
    ):
        lucky.learned(consumed, consumed.policies[0])
    topped = question("{base: us_system, top_rate: {rate: 0.7, above: 400_000}}")
    with pytest.raises(InvalidSetting, match="schedule which is no action"):
        lucky.learned(topped, topped.policies[0])
    nowhere = question("wealth_tax_2_percent", learned=tmp_path)
    with pytest.raises(InvalidSetting, match="holds no learned households"):
        lucky.learned(nowhere, nowhere.policies[0])


def test_the_shipped_households_answer() -> None:
    asked = question("wealth_tax_2_percent")
    answer = lucky.learned(asked, asked.policies[0])
    assert answer.band.startswith("95 % intervals over 5 training seeds")
    assert answer.reform.series["output"].shape == (5 * 2, 100)
    assert answer.gains.mean.low is not None


def test_the_command_prints_and_writes_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: tmp_path / f"found.{name}" for name in ("html", "json", "csv", "latex", "markdown")}
    options = [part for name, file in files.items() for part in (f"--{name}", str(file))]
    arguments = ["reform", PAID_OUT, "--households", "planning,perfect_foresight", *SMALL, *options]
    assert app([*arguments, "--image", str(tmp_path / "found.png")], standalone_mode=False) in (0, None)
    printed = capsys.readouterr().out
    assert "perfect foresight of prices and taxes" in printed
    assert "the luck of 2 economies of 60 households" in printed
    found = json.loads(files["json"].read_text())
    (only,) = found["policies"].values()
    assert set(only["answers"]) == {"planning", "perfect_foresight"}
    planning = only["answers"]["planning"]
    assert len(planning["by_wealth"]) == len(planning["by_income"]) == TENTHS
    assert set(planning["path"]) == set(SERIES)
    value = planning["gain"]["value"]
    assert planning["gain"]["low"] < value < planning["gain"]["high"]
    assert f"{value:+.2f}" in printed
    rows = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert float(next(row for row in rows if row["what"] == "gain")["value"]) == value
    page = files["html"].read_text()
    assert f"{value:+.2f}" in page
    assert "http://" not in re.sub(r'xmlns="[^"]*"', "", page)
    for title in PRINTED_PICTURES:
        assert title in page
    assert r"\toprule" in files["latex"].read_text()
    assert "| policy | households |" in files["markdown"].read_text()
    assert (tmp_path / "found.png").stat().st_size > 20_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["us_systm"], "us_systm"),
        (["{base: us_system, wealth_tax: {rte: 0.02}}"], "no setting 'rte'"),
        (["{base: us_system"], "is no YAML"),
        (["us_system"], "not held against itself"),
        (["wealth_tax_2_percent", "--households", "planing"], "planing"),
        (["wealth_tax_2_percent", "--households", "planning,planning"], "none twice"),
        (["saez"], "its schedule depends on"),
    ],
)
def test_bad_input_ends_in_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app(["reform", *arguments, *SMALL], standalone_mode=False) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error


def test_the_tornado_moves_one_parameter_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, met = question("wealth_tax_2_percent"), []
    policy = asked.policies[0]
    monkeypatch.setattr("rllib_smfg.reform.tornado.path", lambda *arguments: met.append(arguments[3]) or Gaining())
    gains = {case: gain(asked, policy, case) for case in ALL}
    usual = met[0]
    for case, other in zip(ALL, met[::2], strict=True):
        names = [name for name in vars(usual) if getattr(usual, name) != getattr(other, name)]
        assert len([name for name in names if name not in ("labour_disutility", "tfp")]) == (case.parameter != "")
    found = tornado(policy, gains)
    widths = [swing.width for swing in found.swings]
    assert widths == sorted(widths, reverse=True)
    assert found.usual == gains[AS_CALIBRATED]
    with pytest.raises(InvalidSetting, match="no path with perfect foresight, and no tornado"):
        tornado(policy, {**gains, AS_CALIBRATED: None})


class Gaining:
    """A path that gains more every time it is asked."""

    asked = 0

    def equivalent(self, base: Any) -> float:
        Gaining.asked += 1
        return float(Gaining.asked)


def test_the_sensitivity_is_asked_for_case_by_case(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = question("wealth_tax_2_percent")
    monkeypatch.setitem(asking.ASKED, "planning", lambda *_: answer("planning", 1.0, 0.2))
    monkeypatch.setattr(asking, "gain", lambda question, policy, case: 2.0 + case.side)
    (found,) = asking.ask(asked, ["planning"], sensitivity=True, processes=1)
    assert found.tornado is not None
    assert [swing.gains for swing in found.tornado.swings] == [(2.0, 3.0)] * len(CASES)
    monkeypatch.setattr(asking, "gain", lambda *_: None)
    (found,) = asking.ask(asked, ["planning"], sensitivity=True, processes=1)
    assert found.tornado is None
    assert "no tornado" in found.silent["sensitivity"]


def answer(kind: str, value: float, reach: float | None) -> Answer:
    bounds = (None, None) if reach is None else (value - reach, value + reach)
    mean = Interval(value, *bounds)
    gains = Gains(mean, [mean] * TENTHS, [mean] * TENTHS, dict.fromkeys(SINCE, mean), mean)
    path = EconomyPath({name: np.ones((1, 40)) for name in SERIES})
    return Answer(kind, "band", gains, path, path)


def test_kinds_differ_where_the_interval_does_not_cover_it() -> None:
    assert differ([answer("planning", 1.0, 0.2), answer("perfect_foresight", 1.3, None)])
    assert not differ([answer("planning", 1.0, 0.2), answer("perfect_foresight", 1.15, None)])
    assert not differ([answer("planning", 1.0, 0.2)])


def test_tables_and_pictures_of_what_was_found() -> None:
    asked = question("wealth_tax_2_percent")
    answers = {"planning": answer("planning", 1.0, 0.2), "perfect_foresight": answer("perfect_foresight", -1.0, None)}
    found = asking.PolicyFound(asked.policies[0], answers, {"learned": "nobody"}, None, Tornado(0.5, []))
    assert [each.title for each in pictures(found)][:2] == ["Gain by tenth of wealth", "Gain by tenth of income"]
    head = tables.headline(asked, [found])
    assert head.rows[0][:3] == ["wealth_tax_2_percent", "planning", "+1.00 [+0.80, +1.20]"]
    assert head.rows[1][2] == "-1.00"
    assert tables.gains_by_tenth(found).rows[0] == ["1", "+1.0 ±0.2", "-1.0", "+1.0 ±0.2", "-1.0"]
    remarks = tables.notes(asked, [found])
    assert "wealth_tax_2_percent: learned say nothing: nobody" in remarks
    assert any("differ by more than the interval" in remark for remark in remarks)
    assert r"wealth\_tax\_2\_percent" in tables.latex([head])
    assert r"$\pm$" in tables.latex([tables.gains_by_tenth(found)])


def test_nobody_who_can_answer_is_said_in_one_line() -> None:
    with pytest.raises(InvalidSetting, match="sees the instrument consumption_tax_rate"):
        ask(question("{base: us_system, consumption_tax: 0.1}"), ["learned"])


def test_households_who_were_learned_with_a_transfer_answer_one() -> None:
    asked = question(PAID_OUT)
    answer = lucky.learned(asked, asked.policies[0])
    assert answer.band.startswith("95 % intervals over 5 training seeds")
    assert answer.reform.mean("transfer")[10] < -0.02


def test_pages_are_filled_with_what_their_commands_print(monkeypatch: pytest.MonkeyPatch) -> None:
    page = "# Q\n\n<!-- smfg reform a -->\nold\n<!-- end -->\n\nText.\n"
    assert commands(page) == ["smfg reform a"]
    written = "\n\n".join(part for k in range(6) for part in (f"title {k}", f"| {k} |")) + "\n\n* said\n"
    monkeypatch.setattr("experiments.reform.refresh.printed", lambda command: written)
    filled = refreshed(page)
    assert "old" not in filled
    assert "| 0 |" in filled
    assert "| 1 |" not in filled
    assert filled.endswith("* said\n<!-- end -->\n\nText.\n")
    assert page_part(written).startswith("title 0\n\n| 0 |")
