"""A ring of files: the newest of what passed by, within a limit of bytes and of days.

Whoever writes is never held up, and never fails: lines are kept in memory and written by a thread
of the ring's own, some times a second; what would be too much is dropped and counted, and the
count is a line of its own (tag `!`). Evidence, not a journal: the last quarter of a second dies
with the process.

A line is `<microseconds since 1970> <tag> <bytes>`, a file `<name>-<microseconds>-<pid>.log` with
mode 0600. Two processes may write one ring: each has files of its own.
"""

import contextlib
import os
import re
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from threading import Event, Thread
from typing import Final

SEGMENT_BYTES: Final = 16 * 1024 * 1024
PENDING_BYTES_MAX: Final = 16 * 1024 * 1024
"""Not written yet. Beyond, lines are dropped: a disk that stands still must not fill the memory."""
WRITE_EVERY_S: Final = 0.25
SEGMENT_S: Final = 24 * 3_600
KEPT_S: Final = 14 * 24 * 3_600
STOP_S: Final = 2
STAMP_US: Final = 1_000_000
DROPPED: Final = "!"

_NAME: Final = re.compile(r"([a-z]+)-(\d{16})-(\d+)\.log")


@dataclass(frozen=True, slots=True)
class Entry:
    at_us: int
    tag: str
    data: bytes
    writer: int
    """Process that wrote it: ids of requests are unique within one."""


class Ring:
    """One writer's end. `name` is a word in small letters; begins with the first line."""

    def __init__(self, folder: Path, name: str, *, bytes_max: int) -> None:
        self._folder = folder
        self._name = name
        self._segments_max = max(2, bytes_max // SEGMENT_BYTES)
        self._segment_bytes = min(SEGMENT_BYTES, bytes_max // self._segments_max)
        self._pending: deque[tuple[int, str, str | bytes]] = deque()
        # Each count is written by one thread only.
        self._given = self._refused = 0
        self._taken = self._lost = self._told = 0
        self._stopped = Event()
        self._thread: Thread | None = None
        self._file: FileIO | None = None
        self._written = 0
        self._begun = 0.0

    def put(self, tag: str, data: str | bytes) -> None:
        """Keep a line. Costs next to nothing; from one thread."""
        if self._given - self._taken + len(data) > PENDING_BYTES_MAX:
            self._refused += 1
            return
        self._given += len(data)
        self._pending.append((time.time_ns() // 1_000, tag, data))
        if self._thread is None:
            self._thread = Thread(target=self._run, name=f"ring-{self._name}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopped.wait(WRITE_EVERY_S):
            self._write()
        self._write()
        if self._file is not None:
            self._file.close()

    def _write(self) -> None:
        lines = []
        while self._pending:
            at, tag, data = self._pending.popleft()
            self._taken += len(data)
            body = data.encode("utf-8", "replace") if isinstance(data, str) else data
            lines.append(b"%d %b %b\n" % (at, tag.encode(), body.replace(b"\n", b" ")))
        dropped = self._refused + self._lost - self._told
        if dropped:
            lines.append(b"%d %b %d\n" % (time.time_ns() // 1_000, DROPPED.encode(), dropped))
        if not lines:
            return
        try:
            self._append(b"".join(lines))
            self._told += dropped
        except OSError:
            # A full disk: the calls go on without evidence, and the gap will be told.
            self._lost += len(lines) - bool(dropped)

    def _append(self, text: bytes) -> None:
        full = self._written + len(text) > self._segment_bytes
        if self._file is None or full or time.time() - self._begun > SEGMENT_S:
            self._roll()
        assert self._file is not None
        # More than one segment at once is cut: a limit is a limit.
        for at in range(0, len(text), self._segment_bytes):
            self._written += self._file.write(text[at : at + self._segment_bytes])

    def _roll(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / f"{self._name}-{time.time_ns() // 1_000:016}-{os.getpid()}.log"
        opened = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._file, self._written, self._begun = FileIO(opened, "w"), 0, time.time()
        self._forget()

    def _forget(self) -> None:
        kept = segments(self._folder, self._name)
        old = kept[: -self._segments_max]
        before = time.time() - KEPT_S
        for path in kept[:-1]:
            with contextlib.suppress(OSError):
                if path in old or path.stat().st_mtime < before:
                    path.unlink()


def segments(folder: Path, name: str) -> list[Path]:
    """The files of a ring, oldest first."""
    found = [path for path in folder.glob(f"{name}-*.log") if _NAME.fullmatch(path.name)]
    return sorted(found)


def begins_at(folder: Path, name: str) -> int | None:
    """Microseconds since 1970 of the oldest file; None when nothing was ever kept."""
    kept = segments(folder, name)
    return _started(kept[0]) if kept else None


def read(folder: Path, name: str, since_us: int, until_us: int) -> Iterator[Entry]:
    """What was kept between two moments: in order within a writer. Damaged lines are left out."""
    for path in segments(folder, name):
        if _started(path) > until_us or _ended(path) < since_us:
            continue
        writer = int(path.stem.rpartition("-")[2])
        with contextlib.suppress(OSError), path.open("rb") as lines:
            for line in lines:
                entry = _parsed(line, writer)
                if entry is not None and since_us <= entry.at_us <= until_us:
                    yield entry


def _started(path: Path) -> int:
    return int(path.stem.split("-")[1])


def _ended(path: Path) -> int:
    try:
        # Files are stamped by a coarser clock, which may be a few milliseconds behind ours.
        return path.stat().st_mtime_ns // 1_000 + STAMP_US
    except OSError:
        return 0  # forgotten in this moment


def _parsed(line: bytes, writer: int) -> Entry | None:
    at, _, rest = line.partition(b" ")
    tag, blank, data = rest.partition(b" ")
    if not (at.isdigit() and len(at) == 16 and len(tag) == 1 and blank and line.endswith(b"\n")):  # noqa: PLR2004 - microseconds of this age
        return None
    return Entry(int(at), tag.decode("latin-1"), data[:-1], writer)
