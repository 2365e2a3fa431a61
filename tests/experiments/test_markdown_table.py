"""A table in Markdown, letter by letter."""

from __future__ import annotations

from experiments.results.markdown import markdown_table


def test_columns_after_the_named_ones_hold_numbers() -> None:
    assert markdown_table(["tax", "rate"], [["flat", ".2"], ["none", "0"]], named=1).splitlines() == [
        "| tax | rate |",
        "| --- | ---: |",
        "| flat | .2 |",
        "| none | 0 |",
    ]


def test_all_columns_are_text_unless_told() -> None:
    assert markdown_table(["tax", "rate"], []).splitlines()[1] == "| --- | --- |"


def test_a_bar_in_a_cell_does_not_end_it() -> None:
    assert markdown_table(["rule"], [["|z| <= 1.5"]]).splitlines()[-1] == r"| \|z\| <= 1.5 |"
