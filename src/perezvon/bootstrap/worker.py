"""The worker process: what may take its time, away from the calls and from the web.

For now one job: copy the engine's facts into `perezvon` and fold them. It promises that a fact
is in the tables within a second, and that a signal to end is obeyed within a turn.
"""

import signal
from dataclasses import dataclass
from threading import Event, current_thread, main_thread
from typing import Final

import structlog

from perezvon.core.ids import Duration
from perezvon.runtime.ports import Unavailable
from perezvon.store.database import Location
from perezvon.store.projection import BATCH, Projection

log = structlog.get_logger("worker")

RETRY_MS: Final[Duration] = 1_000


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    location: Location
    period_ms: Duration = 300


def run(options: WorkerOptions, stop: Event | None = None) -> int:
    """Work until SIGTERM or SIGINT, or until `stop` is set; the exit status."""
    stop = stop or Event()
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    projection: Projection | None = None
    told = ""
    try:
        while not stop.is_set():
            try:
                projection = projection or Projection.open(options.location)
                wait_ms = 0 if projection.catch_up() == BATCH else options.period_ms
                told = ""
            except Unavailable as error:
                # Told once, not three times a second: before the first engine this is normal.
                if str(error) != told:
                    told = str(error)
                    log.warning("store_unavailable", error=told)
                wait_ms = RETRY_MS
            stop.wait(wait_ms / 1_000)
    finally:
        if projection is not None:
            projection.close()
            projection.views.close()
    return 0
