"""Writers in processes of their own, as a test starts and hears them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perezvon.store.database import Location

ROOT = Path(__file__).parents[2]


@contextmanager
def writer(location: Location, mode: str) -> Iterator["subprocess.Popen[str]"]:
    """Killed at the end of the block, whatever it does then."""
    command = [sys.executable, "-m", "tests.store.writer_process"]
    process = subprocess.Popen(
        [*command, str(location.directory), location.url, mode],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def line(process: "subprocess.Popen[str]") -> dict[str, int]:
    assert process.stdout is not None
    found: dict[str, int] = json.loads(process.stdout.readline())
    return found
