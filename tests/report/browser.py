"""A page in a real browser without a window: what it says on its console, how wide it is, what its tables do."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# The page lies in a frame of the wanted width: a browser's own window cannot be as narrow as a phone.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">
<iframe id="page" style="border:0;width:{width}px;height:{height}px" srcdoc="{page}"></iframe>
<pre id="result"></pre>
<script>
document.getElementById("page").addEventListener("load", (event) => {{
  const page = event.target.contentDocument, root = page.documentElement;
  const table = page.querySelector("table.sortable");
  const column = () => [...table.tBodies[0].rows].map((row) => row.cells[1].dataset.value);
  const click = () => table.tHead.rows[0].cells[1].querySelector("button").click();
  const result = {{ before: column() }};
  click();
  result.rising = column();
  click();
  result.falling = column();
  result.width = root.scrollWidth;
  result.wanted = root.clientWidth;
  const drawings = [...page.querySelectorAll("figure svg")];
  result.drawings = drawings.length;
  result.empty = drawings.filter((svg) => svg.getBoundingClientRect().height < 50).length;
  const cut = (box) => box.scrollWidth > box.clientWidth;
  result.cut = [...page.querySelectorAll(".table")].filter(cut).length;
  result.background = event.target.contentWindow.getComputedStyle(page.body).backgroundColor;
  result.text = page.body.innerText;
  document.getElementById("result").textContent = JSON.stringify(result);
}});
</script>
"""


@dataclass(frozen=True)
class Seen:
    """What the browser saw: lines of its console, and what the frame's script measured."""

    console: list[str]
    measured: dict[str, Any]


def look(page: Path, folder: Path, *, width: int, dark: bool = False) -> Seen:
    """Opens a page in a frame of this width, in pixels; skips the test where there is no browser."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    frame = folder / f"frame_{width}.html"
    frame.write_text(FRAME.format(width=width, height=2000, page=html.escape(page.read_text(encoding="utf-8"))))
    command = [browser, "--headless=new", "--no-sandbox", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}"]
    command += [
        "--disable-gpu",
        "--enable-logging=stderr",
        "--virtual-time-budget=5000",
        f"--window-size={max(width, 600)},2000",
    ]
    command += ["--blink-settings=preferredColorScheme=0"] if dark else []
    result = subprocess.run([*command, "--dump-dom", frame.as_uri()], capture_output=True, text=True, timeout=120)
    found = re.search(r'<pre id="result">(.+?)</pre>', result.stdout, re.DOTALL)
    assert found, f"the page did not load: {result.stderr[-2000:]}"
    console = [line for line in result.stderr.splitlines() if "CONSOLE" in line]
    return Seen(console, json.loads(html.unescape(found[1])))
