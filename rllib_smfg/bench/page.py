"""The benchmark as a Markdown page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rllib_smfg.bench.learners import CONTENDERS
from rllib_smfg.bench.summary import Cell, Summary, share_in_words

MarkdownTable = Callable[[Sequence[str], Sequence[Sequence[str]]], str]
WHOLE = "smfg bench --json docs/results/bench.json"
ABSENT = "Not among the games: OpenSpiel's linear-quadratic one (ten states, no leader) and MFAX's."


def page(summary: Summary, file: str, picture: str, markdown_table: MarkdownTable) -> str:
    """The whole page; file, picture: where result and picture are, from the page."""
    parts = [
        "# The benchmark of record",
        f"{_scope(summary)} Result: [{file}]({file}); page anew: `smfg bench --from {file}`.",
        _how_to_read(),
        markdown_table(["learner", *summary.games], list(_rows(summary))),
        *_firsts(summary),
        f"![error against CPU time]({picture})",
        *_exploitability(summary),
        *_failures(summary),
        _learners(summary),
        ABSENT,
    ]
    return "\n\n".join(parts) + "\n"


def _scope(summary: Summary) -> str:
    """What this page holds, how it is repeated, and what the whole would be."""
    seeds = ", ".join(map(str, summary.seeds))
    missing = [
        f"seed {seed} is there in {count} of {len(summary.cells)} cells"
        for seed, count in summary.cells_with_seed().items()
        if count < len(summary.cells)
    ]
    repeated = (
        f"smfg bench {' '.join(summary.games)} --learners {','.join(summary.learners)} --seeds {len(summary.seeds)}"
        f" --cpu-seconds {summary.budget:g}"
    )
    partly = f" It was stopped before every learner had every seed: {'; '.join(missing)}." if missing else ""
    return (
        f"This page holds seeds {seeds}, {summary.budget:g} s of CPU each (`{repeated}`).{partly}"
        f" The whole, all games and ten seeds: `{WHOLE}`."
    )


def _how_to_read() -> str:
    return (
        "A cell: worst error to the exact solution as a share of what `smfg verify` allows, median/worst seed; then"
        " CPU seconds until it is first within, median; - where half the seeds or more never are. Bold: every seed ends"
        " within."
    )


def _rows(summary: Summary) -> Iterator[list[str]]:
    for learner in summary.learners:
        cells = (summary.cells.get((game, learner)) for game in summary.games)
        yield [f"`{learner}`", *("" if cell is None else _cell(cell) for cell in cells)]


def _cell(cell: Cell) -> str:
    """Bold where every seed ends within the bound."""
    words = cell.in_words.replace(" / ", "/")
    return f"**{words}**" if cell.within == len(cell.seeds) else words


def _firsts(summary: Summary) -> Iterator[str]:
    """Who comes first how often, and whose every seed is within the bound."""
    games = summary.bounded()
    first = [summary.first_place(game) for game in games]
    nearest, within = [], []
    for learner in summary.learners:
        cells = [summary.cells[game, learner] for game in games if (game, learner) in summary.cells]
        count = sum(cell.within == len(cell.seeds) for cell in cells)
        nearest += [f"`{learner}` {first.count(learner)}"] if learner in first else []
        within += [f"`{learner}` {count}"] if count else []
    if games:
        yield (
            f"Of {len(games)} games with a bound, smallest median: {', '.join(nearest) or 'nobody'}; all seeds within:"
            f" {', '.join(within) or 'nobody'}."
        )


def _exploitability(summary: Summary) -> Iterator[str]:
    """What a household gains by its best response, in games in which that is known exactly."""
    games = [game for game in summary.games if any(summary.cells[key].gains for key in summary.cells if key[0] == game)]
    if not games:
        return
    units = {game: next(c.unit for (of, _), c in summary.cells.items() if of == game and c.unit) for game in games}
    lines = []
    for game in games:
        cells = {learner: summary.cells.get((game, learner)) for learner in summary.learners}
        told = [
            f"`{learner}` {share_in_words(max(cell.gains))}" for learner, cell in cells.items() if cell and cell.gains
        ]
        lines.append(f"* {game}, {units[game]}: {', '.join(told)}")
    yield "What a household still gains by its best response to frozen play (exact), worst seed:\n\n" + "\n".join(lines)


def _failures(summary: Summary) -> Iterator[str]:
    told = [
        f"* {cell.game}, `{cell.learner}`, seed {seed}: {error}"
        for cell in summary.cells.values()
        for seed, error in cell.failures.items()
    ]
    if told:
        yield "Failed, and counted as infinitely far:\n\n" + "\n".join(told)


def _learners(summary: Summary) -> str:
    lines = [f"* `{name}`: {CONTENDERS[name].says}" for name in summary.learners]
    return "Learners (`rllib_smfg/bench/learners.py`):\n\n" + "\n".join(lines)
