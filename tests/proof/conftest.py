"""Parts of a proof run scaled down in `make test`, and in full, with a table, in `make proof`.

A part is `test_<part>.py` here. It asks for `figures`, sizes itself by `figures.full`, and states
what it measured; the table goes to `docs/proof/<part>.md` only from a full run that passed.
"""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.machine import Machine

ROOT = Path(__file__).parents[2]


@dataclass(slots=True)
class Figures:
    full: bool
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    machine: Machine = field(default_factory=Machine)

    def state(self, what: str, measured: object, wanted: object) -> None:
        """A line of the table. The assertion itself is the test's."""
        self.rows.append((what, str(measured), str(wanted)))

    def table(self, part: str, made_by: str = "") -> str:
        """`made_by`: the command, when it is not that of a proof."""
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.strip()
        command = made_by or f"make proof PART={part}"
        lines = [
            f"# Proof: {part}",
            "",
            f"`{command}`, at {commit or 'an unknown commit'}, {self.machine.words()}.",
            "",
            "| what | measured | wanted |",
            "| --- | --- | --- |",
            *(f"| {what} | {measured} | {wanted} |" for what, measured, wanted in self.rows),
        ]
        return "\n".join(lines) + "\n"


FULL = os.environ.get("PROOF") == "1"


@pytest.hookimpl
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is for a full run only is not there otherwise: a skip would look like a gap."""
    late = [] if FULL else [item for item in items if item.get_closest_marker("in_full")]
    if late:
        config.hook.pytest_deselected(items=late)
        items[:] = [item for item in items if item not in late]


@pytest.fixture(scope="module")
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    stated = Figures(full=FULL)
    failed_before = request.session.testsfailed
    yield stated
    if stated.full and stated.rows and request.session.testsfailed == failed_before:
        part = request.path.stem.removeprefix("test_")
        folder = ROOT / "docs" / "proof"
        folder.mkdir(exist_ok=True)
        (folder / f"{part}.md").write_text(stated.table(part), encoding="utf-8")
