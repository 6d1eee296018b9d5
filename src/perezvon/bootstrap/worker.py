"""The worker process: what may take its time, away from the calls and from the web.

Two jobs: copy the engine's facts into `perezvon` and fold them, and tell the engine now and then
what of its journal may go. It promises that a fact is in the tables within a second, and that a
signal to end is obeyed within a turn.
"""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Final

import structlog

from perezvon.core.ids import HOUR, Duration
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.store.database import Location
from perezvon.store.projection import BATCH, Projection

log = structlog.get_logger("worker")

RETRY_MS: Final[Duration] = 1_000
TRIM_EVERY_MS: Final[Duration] = 1 * HOUR
TRIMS_MAX: Final = 100
"""Steps of one trimming; what is left goes the next time."""


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    location: Location
    period_ms: Duration = 300
    engine_socket: Path | None = None
    """None: the journal is left as it is."""


def run(options: WorkerOptions, stop: Event | None = None) -> int:
    """Work until SIGTERM or SIGINT, or until `stop` is set; the exit status."""
    stop = stop or Event()
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    projection: Projection | None = None
    told = ""
    trim_in_ms: Duration = 0
    try:
        while not stop.is_set():
            try:
                projection = projection or Projection.open(options.location)
                wait_ms = 0 if projection.catch_up() == BATCH else options.period_ms
                told = ""
                if trim_in_ms <= 0 and options.engine_socket is not None:
                    trim_in_ms = TRIM_EVERY_MS
                    trim(options.engine_socket, projection.copied_to())
            except Unavailable as error:
                # Told once, not three times a second: before the first engine this is normal.
                if str(error) != told:
                    told = str(error)
                    log.warning("store_unavailable", error=told)
                wait_ms = RETRY_MS
            trim_in_ms -= wait_ms
            stop.wait(wait_ms / 1_000)
    finally:
        if projection is not None:
            projection.close()
            projection.views.close()
    return 0


def trim(engine_socket: Path, facts_copied: int) -> int:
    """Have the engine drop what is old and copied; how many rows went. 0 when it is away."""
    gone = 0
    with contextlib.suppress(Unavailable, Refused):
        for _ in range(TRIMS_MAX):
            answer = asyncio.run(ask(engine_socket, "journal.trim", {"facts_copied": facts_copied}))
            if not answer["rows"]:
                break
            gone += int(answer["rows"])
    return gone
