"""The import contracts of pyproject.toml hold, and break when somebody violates them.

A contract that is never seen to break may check nothing: a misspelt module name in it passes.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tidy.tree import ROOT, SOURCE

LINT_IMPORTS = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def _lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """In `folder`, which is first on the path: a copy is looked at, not the installed package."""
    return subprocess.run(
        [sys.executable, "-c", LINT_IMPORTS, "--no-cache", "--config", ROOT / "pyproject.toml"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_contracts_hold() -> None:
    done = _lint_imports(ROOT / "src")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("module", "forbidden", "contract"),
    [
        ("core/ids.py", "import asyncio", "The deterministic part knows no clock"),
        ("core/ids.py", "import perezvon.store", "Dependencies point inwards"),
        ("store/__init__.py", "import perezvon.asterisk", "Dependencies point inwards"),
        ("sim/__init__.py", "import perezvon.runtime", "Dependencies point inwards"),
        ("api/__init__.py", "import perezvon.asterisk", "Only the composition root knows"),
        ("runtime/ports.py", "import sqlalchemy", "Drivers of the engine reach the world"),
        ("drawer.py", "", "Dependencies point inwards"),
    ],
)
def test_a_contract_breaks_when_it_is_violated(
    tmp_path: Path, module: str, forbidden: str, contract: str
) -> None:
    """A new top-level module (`drawer.py`) must be given its place, too."""
    copy = tmp_path / "perezvon"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / module).open("a") as file:
        file.write(f"\n{forbidden}\n")
    done = _lint_imports(tmp_path)
    assert done.returncode != 0
    assert any(contract in line and "BROKEN" in line for line in done.stdout.splitlines()) or (
        "drawer" in done.stdout + done.stderr
    ), done.stdout


@pytest.mark.parametrize(
    ("noun", "layers"),
    [
        ("callback", {"core", "store", "api"}),
        ("ledger", {"core", "store", "api", "cli"}),
        ("agent", {"core", "store", "api"}),
    ],
)
def test_a_feature_is_found_by_its_noun_in_every_layer(noun: str, layers: set[str]) -> None:
    """One listing (`ls **/callback*`) shows a whole feature; nobody has to know our habits."""
    found = {path.relative_to(SOURCE).parts[0] for path in SOURCE.rglob(f"{noun}*.py")}
    assert layers <= found
