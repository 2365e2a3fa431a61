"""Survey files as people hand them over: read right, or refused in one line with the right reason, never shifted."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import pytest

from envs import InvalidSetting, make
from envs.csv_table import number
from envs.economy.survey import check_survey, read_survey
from rllib_smfg.cloning.households import read_spending

HEADER = "Y1,WGT,EDUC,INCOME,ASSET,NETWORTH,FOODHOME,FOODAWAY,FOODDELV,TPAY,LF"
ROWS = ("11,100,12,50000,200000,150000,600,100,0,50,1", "12,300,-1,0,0,-10,300,0,0,0,0", "13,50,9,7.5e3,10,5,1,2,3,4,1")
PLAIN = "\n".join((HEADER, *ROWS)) + "\n"

RIGHT = {
    "plain": PLAIN.encode(),
    "no last newline": PLAIN.encode().rstrip(),
    "byte-order mark": codecs.BOM_UTF8 + PLAIN.encode(),
    "Windows line ends": PLAIN.replace("\n", "\r\n").encode(),
    "old Macintosh line ends": PLAIN.replace("\n", "\r").encode(),
    "blank lines": PLAIN.replace("\n", "\n\n").encode(),
    "quoted": "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in PLAIN.split()).encode(),
    "names in lower case with blanks": PLAIN.replace(HEADER, HEADER.lower().replace(",", " , ")).encode(),
    "a comma behind every line": PLAIN.replace("\n", ",\n").encode(),
    "an index before every line": "".join(f"{k},{line}\n" for k, line in enumerate(PLAIN.split())).encode(),
    "numbers with blanks and signs": PLAIN.replace(",12,", ", +12 ,").encode(),
    "a column in other letters": PLAIN.replace("Y1", "Año").encode(),
    "line breaks in quotes": PLAIN.replace("Y1", '"Y\n1"').replace("\n11,", '\n"1\n1",').encode(),
}


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("survey.csv", PLAIN)
    return file.getvalue()


LATIN = PLAIN.replace("Y1", "Année")
WRONG = {
    "gzip": (gzip.compress(PLAIN.encode()), "compressed with gzip"),
    "bzip2": (bz2.compress(PLAIN.encode()), "compressed with bzip2"),
    "xz": (lzma.compress(PLAIN.encode()), "compressed with xz"),
    "zip": (zipped(), "ZIP archive or an Excel workbook"),
    "Excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "Excel workbook"),
    "Parquet": (b"PAR1" + bytes(100) + b"PAR1", "Parquet"),
    "Stata": (b"<stata_dta><header><release>118", "Stata"),
    "UTF-16": (PLAIN.encode("utf-16"), "encoded in UTF-16; must be UTF-8"),
    "UTF-16, big end first": (codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"), "encoded in UTF-16"),
    "UTF-16 without a mark": (PLAIN.encode("utf-16-le"), "encoded in UTF-16"),
    "UTF-32": (PLAIN.encode("utf-32"), "encoded in UTF-32"),
    "Latin-1": (LATIN.encode("latin-1"), r"line 1 holds the byte 0xe9, which is not UTF-8 \(Latin-1"),
    "Windows-1252, later": (PLAIN.replace("13,50", "“13”,50").encode("cp1252"), "line 4 holds the byte 0x93, which"),
    "NUL": (PLAIN.replace("300,", "3\0,").encode(), "line 3 holds a NUL character"),
    "a picture": (b"\x89PNG\r\n\x1a\n\xff\xfe\x00\x01", "not a text file"),
    "semicolons": (PLAIN.replace(",", ";").encode(), "separated by semicolons"),
    "semicolons, decimal commas": (PLAIN.replace(",", ";").replace("7.5", "7,5").encode(), "separated by semicolons"),
    "tabs": (PLAIN.replace(",", "\t").encode(), "separated by tabs"),
    "bars": (PLAIN.replace(",", "|").encode(), "separated by bars"),
    "no header": (PLAIN.split("\n", 1)[1].encode(), "begins with numbers: the line with the names of its columns"),
    "a comment": (b"# of 2022\n" + PLAIN.encode(), "begins with a comment"),
    "JSON": (b'{"a": 1}', "holds JSON"),
    "a web page": (b"<!DOCTYPE html>\n<html></html>", "holds JSON, HTML"),
    "longer row": (PLAIN.replace(",300,-1", ",3,00,-1").encode(), "line 3 has 12 values, the header names 11 columns"),
    "longer first row": (PLAIN.replace("11,100", "11,1,00").encode(), "line 2 has 12 values, the header names 11"),
    "a comma behind the rows alone": (PLAIN.replace("1\n", "1,\n").encode(), "line 2 has 12 values, the header names"),
    "all rows longer": (
        "".join(f"{line}{',7' if k else ''}\n" for k, line in enumerate(PLAIN.split())).encode(),
        "line 2 has 12 values",
    ),
    "shorter row": (
        PLAIN.replace("300,-1,0,0,", "300,").encode(),
        "line 3 has 8 of 11 values, column FOODDELV is miss",
    ),
    "longer row after a blank line": (PLAIN.replace("\n12,", "\n\n12,9,").encode(), "line 4 has 12 values"),
    "an open quote": (PLAIN.replace("12,300", '"12,300').encode(), "is not CSV"),
    "thousands": (PLAIN.replace(",50000,", ',"50,000",').encode(), "line 2, column INCOME is '50,000'"),
    "underscores": (PLAIN.replace("50000", "50_000").encode(), "line 2, column INCOME is '50_000'"),
    "other digits": (PLAIN.replace(",50000", ",\uff15\uff10\uff10\uff10\uff10").encode(), "line 2, column INCOME is"),
    "a decimal comma": (PLAIN.replace("7.5e3", '"7,5"').encode(), "line 4, column INCOME is '7,5'"),
    "currency": (PLAIN.replace(",50000", ",$50000").encode(), "column INCOME is '\\$50000'"),
    "a long text": (PLAIN.replace(",50000", "," + "x" * 500).encode(), r"column INCOME is 'x{30}\.\.\.'"),
    "a code between codes": (PLAIN.replace(",12,", ",9.5,").encode(), "column EDUC is '9.5'; must be a whole code"),
    "a code that is none": (PLAIN.replace(",12,", ",0.5,").encode(), "column EDUC is '0.5'; must be a whole code"),
}


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_right_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_bytes(RIGHT[name])
    survey = read_survey(tmp_path / "survey.csv")
    np.testing.assert_array_equal(survey.weight, [100, 300, 50])
    np.testing.assert_array_equal(survey.education, [12, 0.1, 9])
    np.testing.assert_array_equal(survey.income, [50_000, 0, 7_500])
    np.testing.assert_array_equal(survey.assets, [200_000, 0, 10])
    spending = read_spending(tmp_path / "survey.csv")
    np.testing.assert_array_equal(spending["food"], [700, 300, 6])
    np.testing.assert_array_equal(spending["works"], [True, False, True])


@pytest.mark.parametrize("name", WRONG)
def test_what_is_not_is_refused_with_its_reason(name: str, tmp_path: Path) -> None:
    path = tmp_path / "survey.csv"
    content, reason = WRONG[name]
    path.write_bytes(content)
    for read in (check_survey, lambda path: make("economy", followers=3, population=str(path))):
        with pytest.raises(InvalidSetting, match=reason) as error:
            read(path)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 300


@pytest.mark.parametrize("name", ["gzip", "Latin-1", "semicolons", "longer row", "shorter row", "UTF-16"])
def test_spending_is_read_as_strictly(name: str, tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_bytes(WRONG[name][0])
    with pytest.raises(InvalidSetting, match=WRONG[name][1]):
        read_spending(tmp_path / "survey.csv")


def test_an_extract_may_hold_the_ability_of_no_schooling_already(tmp_path: Path) -> None:
    (tmp_path / "survey.csv").write_text(PLAIN.replace(",-1,", ",0.1,"))
    np.testing.assert_array_equal(read_survey(tmp_path / "survey.csv").education, [12, 0.1, 9])


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-inf", "0x10", "1_000", "", " ", ".", "1e", "1,5", "\uff11", "1 2", "True"]
)
def test_no_numbers(text: str) -> None:
    assert number(text) is None


@pytest.mark.parametrize("text", ["1", "-1", "+1", "1.", ".5", "1e3", "1.5E-3", " 7 "])
def test_numbers(text: str) -> None:
    assert number(text) == float(text)
