"""The files of this checkout, as the tidy tests read them."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "perezvon"

NOT_OURS = {"__pycache__", "node_modules", "var", "dist"}
SIZE_MAX = 1_000_000
"""Beyond this it is data, not a text that somebody reads."""


@cache
def files() -> tuple[Path, ...]:
    """Everything that is committed, or would be by `git add .`: new files obey at once."""
    if (ROOT / ".git").exists() and shutil.which("git"):
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
        ).stdout.decode()
        found = {ROOT / name for name in listing.split("\0") if name}
    else:
        found = {
            path
            for path in ROOT.rglob("*")
            if not any(part.startswith(".") or part in NOT_OURS for part in path.parts)
        }
    return tuple(sorted(path for path in found if path.is_file()))


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Python files, of all folders or of those named (relative to the root)."""
    wanted = tuple(ROOT / folder for folder in folders)
    return tuple(
        path
        for path in files()
        if path.suffix == ".py"
        and (not wanted or any(path.is_relative_to(folder) for folder in wanted))
    )


@cache
def text(path: Path) -> str:
    """Empty for pictures, sounds and what is too large to be read by anybody."""
    if path.stat().st_size > SIZE_MAX:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
