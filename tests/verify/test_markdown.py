"""The table of results in docs/equilibrium.md says what docs/results/verify.json holds, no more and no less."""

from __future__ import annotations

import re
from pathlib import Path

from experiments.verify.kept import IDENTITY, kept_cases
from experiments.verify.learning import Case, VerifiedMethod
from experiments.verify.markdown import table
from experiments.verify.run import CaseOutcome, cases, learned_by
from rllib_smfg.known_games.acceptance import Check

DOCS = Path(__file__).parents[2] / "docs"
KEPT: tuple[VerifiedMethod, ...] = ("structural", "smfrl")  # methods whose results are kept


def kept() -> list[dict]:
    return kept_cases(DOCS / "results" / "verify.json")


def line(case: Case, checks: list[Check], labels: list[str]) -> str:
    """The table's line of a case with these checks and labels."""
    return table([CaseOutcome(case, {}, checks, labels).as_json()]).splitlines()[-1]


def close(text: str) -> str:
    """A table without the blanks around the lines between its cells."""
    return re.sub(r" *\| *", "|", re.sub("-{3,}", "---", text))


def test_the_documented_table_is_that_of_the_kept_results() -> None:
    documented = (DOCS / "equilibrium.md").read_text(encoding="utf-8")
    structural = [case for case in kept() if case["method"] == "structural"]
    assert f"\n{close(table(structural))}\n\n" in close(documented), (
        "put in what `python -m experiments.verify.markdown docs/results/verify.json structural` prints"
    )


def test_the_model_free_method_s_cases_are_as_they_should_be() -> None:
    """What the document says of them in a sentence."""
    others = [case for case in kept() if case["method"] == "smfrl"]
    assert (len(others), all(case["passed"] for case in others)) == (14, True)


def test_the_kept_results_are_of_every_case_and_of_five_seeds() -> None:
    expected = {tuple(getattr(c, n) for n in IDENTITY) for m in KEPT for c in cases(learned_by(m), m)}
    found = kept()
    assert {tuple(c[name] for name in IDENTITY) for c in found} == expected
    assert all(list(case["readings"]) == ["1", "2", "3", "4", "5"] for case in found)


def test_a_miss_is_named() -> None:
    checks = [
        Check("g_error (worst seed)", 0.0, 0.061, "<= 0.05", False),
        Check("phi (IQM)", 1.4286, 1.43, "+- 5%", True),
        Check("phi (worst seed)", 1.4286, 1.5, "+- 5%", True),
    ]
    assert line(Case("stage_game", 1000), checks, ["S/G", "S/G"]) == (
        "| stage_game, N = 1,000, structural | g error: worst 0.061 (<=0.05); phi (exact 1.43): 1.43 (±5%), "
        "worst 1.5 (±5%) | 2 x S/G | **misses** g error (worst seed) |"
    )


def test_a_control_must_fail_with_its_own_label() -> None:
    control = Case("stage_game", 100, follower_gradient="team")
    failed = [Check("phi (IQM)", 1.43, 2.23, "+- 5%", False)]
    assert "| 2 x S/T | fails, as it should |" in line(control, failed, ["S/T", "S/T"])
    assert "| 1 x S/T, 1 x S/G | **does not fail as it should** |" in line(control, failed, ["S/T", "S/G"])
    held = [Check("phi (IQM)", 1.43, 1.43, "+- 5%", True)]
    assert "**does not fail as it should**" in line(control, held, ["S/T", "S/T"])
