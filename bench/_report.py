"""A bench's tables: printed, and kept as JSON beside the proofs when `BENCH_JSON` names a folder.

A figure without its limit says nothing, so a row may carry the limit that it has to meet.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from rich.console import Console
from rich.table import Table

from tests.support.machine import Machine

Figure: TypeAlias = str | int | float | None

WIDTH = 160
MACHINE = Machine()
"""From the start of the bench on."""


def report(part: str, title: str, rows: Sequence[Mapping[str, Figure]]) -> None:
    """One table; its columns are the keys of the first row."""
    table = Table(*rows[0], title=title, caption=MACHINE.words())
    for row in rows:
        table.add_row(*(_shown(figure) for figure in row.values()))
    Console(width=WIDTH).print(table)
    folder = os.environ.get("BENCH_JSON")
    if folder:
        _keep(Path(folder) / f"bench-{part}.json", title, rows)


def number_of(figure: Figure) -> float:
    """For a ratio."""
    assert isinstance(figure, int | float)
    return float(figure)


def _shown(figure: Figure) -> str:
    if figure is None:
        return ""
    return f"{figure:,.2f}" if isinstance(figure, float) else str(figure)


def _keep(path: Path, title: str, rows: Sequence[Mapping[str, Figure]]) -> None:
    """Tables of one part share a file, by title."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept["machine"] = MACHINE.words()
    kept[title] = [dict(row) for row in rows]
    path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
