"""Our own tables, read back after somebody had them open: strict about shape, numbers and encoding."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from envs import InvalidSetting
from experiments.configuration.loading import load_experiment
from experiments.grid.results import ResultRow, read_results, write_results
from experiments.training.log import read_progress_rows

PROGRESS = "iteration,years,evaluation/years\n1,10,\n2,20,5.5\n3,30,nan\n"


def test_progress_is_read_without_a_row_that_was_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "progress.csv"
    for end in ("", "4,4", "4,40,", "4,40,1.2"):  # no line end: the value may have had more digits
        path.write_text(PROGRESS + end)
        rows = read_progress_rows(path)
        assert rows[:2] == [{"iteration": 1, "years": 10}, {"iteration": 2, "years": 20, "evaluation/years": 5.5}]
        assert len(rows) == 3
        assert rows[2]["evaluation/years"] != rows[2]["evaluation/years"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (PROGRESS.replace("2,20", "2,2,0"), "line 3 has 4 values, the header names 3 columns"),
        (PROGRESS.replace("2,20,5.5", "2,20"), "line 3 has 2 values, the header names 3 columns"),
        (PROGRESS.replace("5.5", "much"), "line 3, column evaluation/years is 'much'; must be a number"),
    ],
)
def test_progress_that_does_not_fit_is_refused_by_line(text: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "progress.csv").write_text(text)
    with pytest.raises(InvalidSetting, match=fault):
        read_progress_rows(tmp_path / "progress.csv")


def test_other_encodings_are_named(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    write_results(path, "smfg grid", ["table1"], [ResultRow("é", 1, "a/b", "years", None, 1.0)])
    assert read_results(path).rows[0].run == "é"
    text = path.read_text(encoding="utf-8")
    config = "# économie\ngame: {name: economy}\n"
    for content, reason in (
        (str.encode, None),
        (lambda x: x.encode("utf-16"), "encoded in UTF-16; must be UTF-8"),
        (lambda x: x.encode("latin-1"), "which is not UTF-8 .Latin-1"),
        (lambda x: gzip.compress(x.encode()), "compressed with gzip"),
    ):
        path.write_bytes(content(text))
        (tmp_path / "config.yaml").write_bytes(content(config))
        for reader, file in ((read_results, path), (load_experiment, tmp_path / "config.yaml")):
            if reason is None:
                reader(file)
                continue
            with pytest.raises(InvalidSetting, match=reason) as error:
                reader(file)
            assert "\n" not in str(error.value)
