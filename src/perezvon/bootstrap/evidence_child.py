"""Evidence for the web: gathered by a process of its own, one at a time, of low priority.

Rings of half a gigabyte are looked through for it; in the web process all live boards would stand
still meanwhile.
"""

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from perezvon.runtime.ports import Unavailable
from perezvon.settings import Settings

WAIT_S: Final = 60
BYTES_MAX: Final = 200 * 1024 * 1024
LOW: Final = 10


class EvidenceChild:
    """Call it with the id of a call that there is. `Unavailable`: busy, too slow, or it failed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._one = asyncio.Semaphore(1)

    async def __call__(self, call: str) -> bytes:
        if self._one.locked():
            raise Unavailable("other evidence is being gathered")
        async with self._one:
            with tempfile.TemporaryDirectory(prefix="perezvon-") as folder:
                return await self._gathered(call, Path(folder, "evidence.zip"))

    async def _gathered(self, call: str, path: Path) -> bytes:
        argv = (sys.executable, "-m", "perezvon", "evidence", "--out", str(path), "--", call)
        child = await asyncio.create_subprocess_exec(
            *argv,
            env={**os.environ, **self._settings.environment()},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=_lower,
        )
        try:
            status = await asyncio.wait_for(child.wait(), WAIT_S)
        except TimeoutError as error:
            raise Unavailable(f"gathering evidence took over {WAIT_S} s") from error
        finally:
            # Whoever asked may have gone away meanwhile.
            if child.returncode is None:
                child.kill()
                await child.wait()
        if status:
            raise Unavailable("the evidence could not be gathered")
        return await asyncio.to_thread(_read, path)


def _read(path: Path) -> bytes:
    if path.stat().st_size > BYTES_MAX:
        raise Unavailable("there is too much evidence for an answer: use `perezvon evidence`")
    return path.read_bytes()


def _lower() -> None:
    os.nice(LOW)
