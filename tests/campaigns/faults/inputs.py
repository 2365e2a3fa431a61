"""Gives the command `smfg` mistaken configurations and arguments; it must refuse each in one line and write nothing."""

from __future__ import annotations

import contextlib
import io
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import patch

from experiments.configuration.loading import load_experiment
from tests.campaigns.faults.damaged import make_checkpoints

REFUSED = "refused in one line"
# what no setting takes, whatever its type
NO_VALUES = ("'no such thing'", "{a: 1}", "-5", ".nan", "'\\u0000'", "[[[]]]")
NO_CONFIGURATIONS = {
    "empty": "",
    "a list": "- 1\n- 2\n",
    "a word": "quickstart\n",
    "not closed": "game: {name: economy\n",
    "tabs": "game:\n\tname: economy\n",
    "twice": "game: {name: economy, name: stage_game}\n",
    "no game": "training: {iterations: 1}\n",
    "an object": "game: !!python/object/apply:os.system ['touch ran']\n",
    "endless": "game: &a {name: *a}\n",
    "many": "a: &a [1, 1]\nb: &b [*a, *a]\ngame: [*b, *b]\n",
    "deep": "game: " + 5000 * "[",
    "a number as section": "game: 3\n",
    "bytes": "\x00\x01\x02",
    "another section": "game: {name: economy}\nlearning: {rate: 1}\n",
}
NO_ARGUMENTS = (
    "train", "train nowhere", "train quikstart", "train .", "train quickstart --sett game.followers=1",
    "train quickstart --set game.followers", "train quickstart --set followers=3", "train quickstart --set =3",
    "train quickstart --set game.followers=[", "train quickstart --set game=3 --set game.followers=2",
    "train quickstart --output used", "train quickstart --output used/file", "train quickstart --output a --resume b",
    "train --resume nowhere", "train --resume used", "train --resume used/file", "train quickstart extra",
    "train quickstart --resume made", "trian quickstart", "--no-such-option", "evaluate", "evaluate nowhere",
    "evaluate used", "evaluate used/file", "evaluate made --episodes 0", "evaluate made --episodes -3",
    "evaluate made --episodes many", "evaluate made --seed -1", "evaluate made --followers 0",
    "evaluate made --followers 1.5", "evaluate made/checkpoints/iteration_000009", "export", "export nowhere",
    "export used", "export made --output used", "export made --output used/file", "replay", "replay nowhere.npz",
    "replay used/file", "replay used", "replay used/file --preset nonsense", "data check", "data check nowhere.csv",
    "data check used/file", "data chek used/file", "solve", "solve stag_game", "solve stage_game --followers 0",
    "solve stage_game --followers few", "solve stage_game --concept nash", "solve stage_game --set R=1",
    "solve stage_game --set game.R=one", "solve stage_game --set game.Rr=1", "solve economy", "frontier",
    "frontier nowhere", "frontier quickstart --seed -1", "pretrain", "pretrain nowhere",
    "pretrain pretrain_survey --output used", "verify --seeds 0", "verify nonsense", "exploitability nowhere",
    "exploitability made --baseline best", "exploitability made --seeds 0", "compete house",
    "compete households", "compete households nowhere.py:Mine", "compete government used/file",
    "compete households nowhere.py:Mine --episodes 0", "compete housholds a.py:A", "benchmark --json used",
)  # fmt: skip


def campaign(wanted: int, folder: Path, say: Callable[[str], None], luck: int) -> dict[str, Any]:
    """At least `wanted` bad inputs; each must end in exit code 2 and one line, and leave nothing."""
    make_checkpoints(folder / "made")
    (folder / "used").mkdir()
    (folder / "used" / "file").write_text("mine")
    outcomes, strange = Counter[str](), []
    _write_configurations(folder / "configs")
    with contextlib.chdir(folder):
        for arguments in _inputs(wanted, random.Random(luck)):
            outcome = fate(arguments)
            outcomes[outcome] += 1
            if outcome != REFUSED:
                strange.append({"arguments": list(arguments), "outcome": outcome})
                say(f"inputs: {strange[-1]}")
    injected = outcomes.total()
    return {
        "injected": injected,
        "survived": outcomes[REFUSED],
        "lost": injected - outcomes[REFUSED],
        "outcomes": dict(outcomes),
        "not_refused": strange,
    }


def fate(arguments: Sequence[str]) -> str:
    """What `smfg` does with these arguments in the current folder, where nothing may change."""
    from experiments.commands.main import app

    before = _files()
    out, err = io.StringIO(), io.StringIO()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch("experiments.training.train.train_pending", _accepted),
    ):
        try:
            code = app(list(arguments), prog_name="smfg", standalone_mode=False)
        except Exception as error:
            return f"raised {type(error).__name__}: {error}"
    if code != 2:
        return f"exit code {code}"
    text = err.getvalue()
    if not text.startswith("smfg: ") or text.count("\n") != 1 or out.getvalue():
        return "more than one line"
    return REFUSED if _files() == before else "wrote something"


def _accepted(*_: object) -> None:
    raise AssertionError("a bad input would have been trained")


def _files() -> dict[str, int]:
    return {str(path): path.lstat().st_size for path in Path().rglob("*")}


# --- inputs ----------------------------------------------------------------------------------------------------------
def _inputs(wanted: int, luck: random.Random) -> Iterator[Sequence[str]]:
    """Mistakes of every kind once, then as many drawn ones as are wanting."""
    fixed = [
        *(line.split() for line in NO_ARGUMENTS),
        *(["train", str(path)] for path in sorted(Path("configs").iterdir())),
        *_names(),
    ]
    yield from fixed
    drawn = list(_values())
    luck.shuffle(drawn)
    yield from drawn[: max(0, wanted - len(fixed))]


def _write_configurations(folder: Path) -> None:
    """Configuration files that say nothing sensible."""
    folder.mkdir()
    for name, text in NO_CONFIGURATIONS.items():
        (folder / f"{name.replace(' ', '_')}.yaml").write_bytes(text.encode())
    (folder / "latin.yaml").write_bytes("game: {name: économie}".encode("latin-1"))


def _names() -> Iterator[Sequence[str]]:
    """Every setting with a letter too many."""
    for section, name in _settings():
        yield "train", "quickstart", "--set", f"{section}.{name}x=1"


def _values() -> Iterator[Sequence[str]]:
    """Every setting with values that none can take."""
    for section, name in _settings():
        for value in NO_VALUES:
            yield "train", "quickstart", "--set", f"{section}.{name}={value}"


def _settings() -> Iterator[tuple[str, str]]:
    for section, values in load_experiment("quickstart").model_dump().items():
        for name in values:
            yield section, name
