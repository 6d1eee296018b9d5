"""The worker process: what may take its time, away from the calls and from the web.

Four jobs: copy the engine's facts into `perezvon` and fold them, tell the engine now and then
what of its journal may go, hear the copies of SIP that are kept for evidence, and make recordings
ready to be heard (`recorder`). It promises that a fact is in the tables within a second, and that
a signal to end is obeyed within a turn.
"""

import asyncio
import contextlib
import signal
from dataclasses import dataclass
from pathlib import Path
from threading import Event, current_thread, main_thread
from typing import Final

import structlog

from perezvon.asterisk.traces import WIRE, Capture, password
from perezvon.bootstrap import secrets as secrets_of
from perezvon.bootstrap.recorder import RecorderOptions, Recording
from perezvon.core.ids import HOUR, Duration
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.runtime.ring import Ring
from perezvon.settings import Settings
from perezvon.store.database import Location
from perezvon.store.projection import BATCH, Projection

log = structlog.get_logger("worker")

RETRY_MS: Final[Duration] = 1_000
TRIM_EVERY_MS: Final[Duration] = 1 * HOUR
TRIMS_MAX: Final = 100
"""Steps of one trimming; what is left goes the next time."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is kept of the wire, and where Asterisk says it."""

    port: int
    password: str
    folder: Path
    bytes_max: int


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    location: Location
    period_ms: Duration = 300
    engine_socket: Path | None = None
    """None: the journal is left as it is."""
    evidence: Evidence | None = None
    recordings: Path | None = None
    """Where the switch puts them. None: they are left as they are."""


def run(options: WorkerOptions, stop: Event | None = None) -> int:
    """Work until SIGTERM or SIGINT, or until `stop` is set; the exit status."""
    stop = stop or Event()
    if current_thread() is main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    projection: Projection | None = None
    told = ""
    trim_in_ms: Duration = 0
    ear = _Ear(options.evidence)
    caught_up = Event()
    recording = _recording(options, stop, caught_up)
    try:
        while not stop.is_set():
            ear.open()
            try:
                projection = projection or Projection.open(options.location)
                is_behind = projection.catch_up() == BATCH
                wait_ms = 0 if is_behind else options.period_ms
                if not is_behind:
                    caught_up.set()
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
        stop.set()
        caught_up.set()
        ear.close()
        if recording is not None:
            recording.join()
        if projection is not None:
            projection.close()
            projection.views.close()
    return 0


def _recording(options: WorkerOptions, stop: Event, caught_up: Event) -> Recording | None:
    if options.recordings is None:
        return None
    of = RecorderOptions(options.location, options.recordings)
    recording = Recording(of, stop, caught_up, options.engine_socket)
    recording.start()
    return recording


class _Ear:
    """Hears SIP as soon as its port can be had. Without it the calls go on, and evidence of them
    says that this part is missing.
    """

    def __init__(self, evidence: Evidence | None) -> None:
        self._evidence = evidence
        self._ring: Ring | None = None
        self._capture: Capture | None = None
        self._told = False

    def open(self) -> None:
        wanted = self._evidence
        if wanted is None or self._capture is not None:
            return
        self._ring = self._ring or Ring(wanted.folder, WIRE, bytes_max=wanted.bytes_max)
        try:
            self._capture = Capture(wanted.port, wanted.password, self._ring)
        except OSError as error:
            if not self._told:
                self._told = True
                log.warning("no_sip_for_evidence", port=wanted.port, error=error.strerror)

    def close(self) -> None:
        if self._capture is not None:
            self._capture.close()
        if self._ring is not None:
            self._ring.close()


def evidence_of(settings: Settings) -> Evidence | None:
    """What of it is wanted by the settings."""
    if settings.switch != "asterisk" or not settings.hep_port or not settings.trace_mb:
        return None
    try:
        known_by = password(secrets_of.read(settings.secrets_file).ari_password)
    except secrets_of.SecretError as error:
        log.warning("no_sip_for_evidence", error=str(error))
        return None
    return Evidence(settings.hep_port, known_by, settings.trace_dir, settings.trace_bytes_max)


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
