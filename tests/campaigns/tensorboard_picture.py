"""`python -m tests.campaigns.tensorboard_picture RUN PICTURE.png`: how TensorBoard shows a run (headless Chromium)."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from urllib.error import URLError
from urllib.parse import quote
from urllib.request import urlopen

import typer

from envs import InvalidSetting

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# what is shown of some hundred tags, as TensorBoard's own filter
TAGS = "|".join(
    (
        "economy/(per_capita_gdp|wealth_gini)",
        "evaluation/(leader_return|per_capita_gdp|social_welfare)",
        "government/(mean_marginal_rate|tax_schedule)",
        "households/(mean_saving_rate|hours_a_year|wealth_log10|lorenz)",
        "losses/leader_critic",
    )
)
SIZE = "2300,1620"
PATIENCE = 60.0  # seconds for TensorBoard to start


def main(
    run: Annotated[Path, typer.Argument(help="A run's folder, or any folder with events in it.")],
    picture: Annotated[Path, typer.Argument(help="PNG to write.")],
    tags: Annotated[str, typer.Option(help="Regular expression of the tags to show.")] = TAGS,
    size: Annotated[str, typer.Option(help="WIDTH,HEIGHT in pixels.")] = SIZE,
) -> None:
    """Take a picture of a run in TensorBoard."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        raise InvalidSetting(f"no browser found; install one of {', '.join(BROWSERS)}")
    with tensorboard(run) as address, tempfile.TemporaryDirectory() as profile:
        url = f"{address}/?tagFilter={quote(tags)}&smoothing=0&darkMode=false#timeseries"
        subprocess.run(
            [
                *(
                    browser,
                    "--headless=new",
                    "--no-sandbox",
                    "--hide-scrollbars",
                    "--disable-3d-apis",
                ),  # curves as SVG, drawn at once
                *(f"--user-data-dir={profile}", f"--window-size={size}", "--virtual-time-budget=60000"),
                *(f"--screenshot={picture.resolve()}", url),
            ],
            check=True,
            capture_output=True,
        )
    print(f"{picture}: {picture.stat().st_size} bytes")


@contextmanager
def tensorboard(folder: Path) -> Iterator[str]:
    """The address of a TensorBoard that shows `folder`, on loopback, for the time of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--logdir", str(folder), "--port", str(port), "--host", "127.0.0.1", "--load_fast", "false"]
    samples = "scalars=1000,images=10,histograms=50"
    command = [sys.executable, "-m", "tensorboard.main", *options, "--samples_per_plugin", samples]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/data/runs", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Waits until TensorBoard has read a run; raises InvalidSetting where it finds none."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and server.poll() is None:
        try:
            with urlopen(url, timeout=5) as answer:
                if answer.read().strip() != b"[]":
                    return
        except (URLError, OSError):
            pass
        time.sleep(0.5)
    raise InvalidSetting("TensorBoard found no events; name a run's folder")


if __name__ == "__main__":
    typer.run(main)
