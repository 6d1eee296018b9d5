"""Recordings are made ready in the worker: WAVs of talks that are over become MP3s.

It may be killed at any moment: an MP3 gets its name when it is whole, its row after that, and only
then the WAVs go; whatever was not done is done again by the next one. It has a thread of its own,
of the lowest priority, so that neither calls nor facts wait for it. A file that is no recording is
put aside, never thrown away.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Final, TypeAlias

import structlog

from perezvon.bootstrap.alert_post import Act
from perezvon.core.ids import DAY, MINUTE, SECOND, Duration, Instant
from perezvon.runtime import faultpoint
from perezvon.runtime.alerts import AlertKind
from perezvon.runtime.faultpoint import Point
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.runtime.recordings import AGENT, CLIENT, MIXED, Backlog, Take, takes
from perezvon.store import sound
from perezvon.store.database import Database, FileLock, Location, open_views
from perezvon.store.recordings import (
    STEMS_MAX,
    LegRow,
    RecordingRow,
    file_of,
    get_recording,
    keep_recording,
    legs_of,
)

log = structlog.get_logger("recorder")

REST_MS: Final[Duration] = 5 * SECOND
"""So long nothing was written to a file before we touch it, whatever the facts say."""
STALE_MS: Final[Duration] = 1 * DAY
"""A file that rests for so long is over, even if nobody ever told of the end of its call."""
PERIOD_MS: Final[Duration] = 5 * SECOND
RETRY_MS: Final[Duration] = 1 * MINUTE
"""After a failure of the disk or of the database."""
BEHIND_MS: Final[Duration] = 15 * MINUTE
BEHIND_COUNT: Final = 500
AT_ONCE: Final = 50
"""Between two looks at what waits."""
ASIDE: Final = "aside"
LOWEST: Final = 19

Clock: TypeAlias = Callable[[], Instant]


def wall_clock() -> Instant:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class RecorderOptions:
    location: Location
    folder: Path
    rest_ms: Duration = REST_MS
    period_ms: Duration = PERIOD_MS


class Recorder:
    """`work` again and again. One at a time: others find the lock taken."""

    def __init__(self, options: RecorderOptions, stop: Event, clock: Clock = wall_clock) -> None:
        self._options = options
        self._folder = options.folder
        self._clock = clock
        self._stop = stop
        self._views: Database | None = None
        self._lock = FileLock(options.folder / "recorder.lock")
        self.backlog = Backlog(0, 0)
        """Of talks that are over, as the last `work` found them."""

    def work(self) -> bool:
        """Deal with some; whether there are more. `Unavailable` and `OSError` when hindered."""
        if not self._folder.is_dir() or not (self._lock.is_held or self._lock.try_take()):
            return False
        now = self._clock()
        ready = list(self._ready(now))
        oldest_at = ready[0][0].changed_at if ready else now
        self.backlog = Backlog(len(ready), now - oldest_at)
        for take, leg in ready[:AT_ONCE]:
            if self._stop.is_set():
                break
            self._deal_with(take, leg, now)
        return len(ready) > AT_ONCE

    def _ready(self, now: Instant) -> Iterator[tuple[Take, LegRow | None]]:
        """Those that nobody writes to any more, the oldest first."""
        found = takes(self._folder)
        resting = [take for take in found if now - take.changed_at >= self._options.rest_ms]
        for at in range(0, len(resting), STEMS_MAX):
            part = resting[at : at + STEMS_MAX]
            legs = legs_of(self._opened(), [take.stem for take in part])
            for take in part:
                leg = legs.get(take.stem)
                is_over = leg is not None and leg.over_at is not None
                if is_over or now - take.changed_at >= STALE_MS:
                    yield take, leg

    def close(self) -> None:
        self._lock.release()
        if self._views is not None:
            self._views.close()
            self._views = None

    def _opened(self) -> Database:
        if self._views is None:
            self._views = open_views(self._options.location)
        return self._views

    def _deal_with(self, take: Take, leg: LegRow | None, now: Instant) -> None:
        if not self._has_sound(take):
            self._remove(take)
        elif leg is None:
            self._put_aside(take, "nobody knows its call")
        else:
            try:
                self._make(take, leg, now)
            except (Unavailable, OSError):
                raise
            except Exception as error:  # noqa: BLE001 - one file must not hold up all others
                self._put_aside(take, f"{type(error).__name__}: {error}")
            else:
                self._remove(take)

    def _has_sound(self, take: Take) -> bool:
        return any(size > sound.HEADER_BYTES for size in take.sizes.values())

    def _make(self, take: Take, leg: LegRow, now: Instant) -> None:
        known = get_recording(self._opened(), take.stem)
        if known is not None and self._is_whole(known):
            return  # we were killed before the WAVs were removed
        agent, client = self._sides(take)
        # By the name alone, so that a later try writes to the same place.
        file = file_of(take.stem, leg.at)
        path = self._folder / file
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as target:
            encoded = sound.encode(agent, client, target)
            os.fsync(target.fileno())
        sound.check(part, encoded)
        faultpoint.reach(Point.RECORDING_ENCODED, OSError)
        part.rename(path)
        _make_durable(path.parent)
        keep_recording(
            self._opened(),
            RecordingRow(
                id=take.stem,
                call=leg.call,
                started_at=take.changed_at - encoded.duration_ms,
                duration_ms=encoded.duration_ms,
                size=encoded.size,
                file=file,
                agent_peaks=encoded.agent_peaks,
                client_peaks=encoded.client_peaks,
                made_at=now,
            ),
        )
        faultpoint.reach(Point.RECORDING_KEPT, OSError)

    def _is_whole(self, row: RecordingRow) -> bool:
        try:
            return (self._folder / row.file).stat().st_size == row.size
        except FileNotFoundError:
            return False

    def _sides(self, take: Take) -> tuple[sound.Wav | None, sound.Wav | None]:
        agent, client, both = (self._side(take, end) for end in (AGENT, CLIENT, MIXED))
        if agent is None and client is None:
            return both, both
        return agent, client

    def _side(self, take: Take, end: str) -> sound.Wav | None:
        if take.sizes.get(end, 0) <= sound.HEADER_BYTES:
            return None
        return sound.read_wav(self._folder / (take.stem + end))

    def _remove(self, take: Take) -> None:
        for end in take.sizes:
            (self._folder / (take.stem + end)).unlink(missing_ok=True)

    def _put_aside(self, take: Take, why: str) -> None:
        log.warning("recording_put_aside", recording=take.stem, why=why)
        aside = self._folder / ASIDE
        aside.mkdir(mode=0o700, exist_ok=True)
        for end in take.sizes:
            (self._folder / (take.stem + end)).replace(aside / (take.stem + end))


def _make_durable(folder: Path) -> None:
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


class Recording:
    """The thread in which a recorder works until `stop`; it tells the engine when it is behind.

    It begins when the tables have `caught_up` with the engine: after a day without a worker the
    call of each old file would be unknown, and the file put aside.
    """

    def __init__(
        self, options: RecorderOptions, stop: Event, caught_up: Event, engine: Path | None
    ) -> None:
        self._options = options
        self._stop = stop
        self._caught_up = caught_up
        self._engine = engine
        self._thread = Thread(target=self._run, name="recorder")
        self._raised = False
        self._hindrance = ""

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        # Of this thread alone: a talk's sound may wait for whatever else is to be done.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
        recorder = Recorder(self._options, self._stop)
        try:
            while not self._stop.is_set():
                if not self._caught_up.wait(self._options.period_ms / SECOND):
                    continue
                wait_ms = self._pass(recorder)
                self._tell(recorder.backlog)
                self._stop.wait(wait_ms / SECOND)
        finally:
            recorder.close()

    def _pass(self, recorder: Recorder) -> Duration:
        """How long to wait until the next one."""
        try:
            has_more = recorder.work()
        except (Unavailable, OSError) as error:
            if str(error) != self._hindrance:
                self._hindrance = str(error)
                log.warning("recordings_hindered", error=self._hindrance)
            return RETRY_MS
        self._hindrance = ""
        return 0 if has_more else self._options.period_ms

    def _tell(self, found: Backlog) -> None:
        is_behind = found.oldest_ms >= BEHIND_MS or found.waiting >= BEHIND_COUNT
        if self._engine is None or not (is_behind or self._raised):
            return
        act = Act.RAISE if is_behind else Act.CLEAR
        detail = f"{found.waiting}, the oldest for {found.oldest_ms // MINUTE} minutes"
        about = {"kind": AlertKind.RECORDINGS_BEHIND.value, "about": "worker"}
        # An engine that is away is told the next time.
        with contextlib.suppress(Unavailable, Refused):
            asyncio.run(ask(self._engine, act.value, {**about, "detail": detail}))
            self._raised = is_behind
