"""The pages of docs/questions show what their own commands print."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.reform.refresh import MARKED, commands, page_part, printed

PAGES = sorted(Path("docs/questions").glob("*.md"))
NUMBER = re.compile(r"[-+±]?\d[\d,]*\.?\d*")
NEAR = 0.15  # points of per cent: processors differ in the last digits, and transitions stop within a tolerance


def words_and_numbers(text: str) -> tuple[str, list[float]]:
    """A text with its numbers taken out, and these."""
    numbers = [float(each.lstrip("±").replace(",", "")) for each in NUMBER.findall(text)]
    return re.sub(r"-{2,}|\s+", " ", NUMBER.sub("#", text)), numbers


def test_there_are_five_questions_and_each_says_how_it_was_answered() -> None:
    assert len(PAGES) == 5
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert len(commands(text)) == 1
        (command,) = commands(text)
        assert f"```bash\n{command.split(' --image')[0]}" in text
        for file in re.findall(r"docs/questions/\S+\.yaml", command):
            assert Path(file).is_file()
        images = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text)
        assert images
        assert all((page.parent / image).is_file() for image in images)
        assert all(body.strip() for _, body in MARKED.findall(text))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tables_are_what_the_command_prints(page: Path) -> None:
    ((command, body),) = MARKED.findall(page.read_text(encoding="utf-8"))
    kept, numbers = words_and_numbers(body)
    now, found = words_and_numbers(page_part(printed(command, images=False)))
    assert now == kept
    assert found == pytest.approx(numbers, abs=NEAR)
