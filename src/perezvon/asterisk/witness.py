"""The second witness: follows CEL and queue_log, and tells the end of every inbound attempt.

All that it must remember is in the offsets, which the journal keeps in the same commit as the
events: so each attempt is told once, over crashes, rotation and truncation of the files.

The offsets hold, by file name, how far it was read; `<name>#file` is the file's inode; and
`open/<leg>` is where in CEL the start of an attempt stands that has not ended.
"""

import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from perezvon.asterisk import cel, queue_log
from perezvon.core.events import ArrivalWitnessed, Caller
from perezvon.core.ids import Instant, LegId

READ_BYTES_MAX = 256 * 1024
"""Of CEL at one poll: a few milliseconds of the loop's time."""

QUEUE_LOG_BYTES_MAX = 1024 * 1024
OPEN_MAX = 5_000
"""Attempts begun and not ended. Beyond, the oldest is dropped: its end is told without its
number dialled."""

SETTLED_MS = 10_000
"""The two files are written by different threads: younger lines are read again."""

log = logging.getLogger(__name__)

Identify = Callable[[str], Caller]
"""From a number as it came."""


@dataclass(frozen=True, slots=True)
class Line:
    start: int
    end: int
    text: str


@dataclass
class Witness:
    """Blocking, and quick: to be polled about once a second, in a thread or not."""

    tenant: str
    cel_path: Path
    queue_log_path: Path
    identify: Identify
    offset: Mapping[str, int]
    """As the journal has it. Polling moves it on."""
    read_bytes_max: int = READ_BYTES_MAX
    malformed_count: int = 0
    _open: dict[LegId, cel.Arrival] = field(default_factory=dict)

    def poll(self) -> tuple[tuple[ArrivalWitnessed, ...], dict[str, int]]:
        """What ended since the last poll, and the offset to commit together with it: whole, not
        to be merged with an older one.
        """
        offset = self.offset
        opened = {
            LegId(key.removeprefix("open/")): at
            for key, at in offset.items()
            if key.startswith("open/")
        }
        finished: list[cel.Arrival] = []
        lines, position, file_id, at_end = _read_on(self.cel_path, offset, self.read_bytes_max)
        for line in lines:
            row = cel.parse_line(line.text)
            if row is None:
                self.malformed_count += "LINKEDID_END" not in line.text
            elif cel.is_arrival(row, self.tenant):
                self._begin(row, line.start, opened)
            elif row.kind is cel.CelKind.END and row.leg in opened:
                begun = self._begun(row, opened.pop(row.leg))
                finished.append(cel.ended(begun, row))
        connects, after = self._connects(offset, opened, caught_up=at_end)
        name = self.cel_path.name
        after |= {name: position, f"{name}#file": file_id}
        after |= {f"open/{leg}": at for leg, at in opened.items()}
        self.offset = after
        return tuple(self._tell(one, connects.get(one.leg)) for one in finished), after

    def _begin(self, row: cel.CelRow, start: int, opened: dict[LegId, int]) -> None:
        if len(opened) >= OPEN_MAX:
            oldest = next(iter(opened))
            del opened[oldest]
            self._open.pop(oldest, None)
            log.error("witness: too many attempts without an end, the oldest is dropped")
        opened[row.leg] = start
        self._open[row.leg] = cel.arrival_of(row)

    def _begun(self, end: cel.CelRow, start: int) -> cel.Arrival:
        """The attempt's start: remembered, else read again where the offset says."""
        known = self._open.pop(end.leg, None)
        if known is not None:
            return known
        for path in (self.cel_path, *_siblings(self.cel_path)):
            row = _row_at(path, start)
            if row is not None and row.leg == end.leg and row.kind is cel.CelKind.START:
                return cel.arrival_of(row)
        # Rotated away: the id has the second of the arrival in it.
        second = end.leg.rsplit("-", 1)[-1].partition(".")[0]
        return cel.Arrival(end.leg, "", end.number, cel.instant(second) or end.at)

    def _connects(
        self, offset: Mapping[str, int], opened: Mapping[LegId, int], *, caught_up: bool
    ) -> tuple[dict[LegId, queue_log.QueueRow], dict[str, int]]:
        """Who was answered in the fallback; and how far the file need not be read again."""
        name = self.queue_log_path.name
        lines, position, file_id, _ = _read_on(self.queue_log_path, offset, QUEUE_LOG_BYTES_MAX)
        settled_at = time.time_ns() // 1_000_000 - SETTLED_MS
        connects: dict[LegId, queue_log.QueueRow] = {}
        keep_from: int | None = None
        for line in lines:
            row = queue_log.parse_line(line.text)
            if row is None:
                self.malformed_count += 1
            elif queue_log.is_connect(row, self.tenant):
                connects.setdefault(row.leg, row)
                unsettled = row.leg in opened or row.at > settled_at or not caught_up
                if unsettled and keep_from is None:
                    keep_from = line.start
        if keep_from is not None:
            held = sum(line.end - line.start for line in lines)
            if held < QUEUE_LOG_BYTES_MAX // 2:
                position = keep_from
        return connects, {name: position, f"{name}#file": file_id}

    def _tell(self, arrival: cel.Arrival, connect: queue_log.QueueRow | None) -> ArrivalWitnessed:
        ended_at = arrival.arrived_at if arrival.ended_at is None else arrival.ended_at
        answered_at: Instant | None = None
        if connect is not None:
            # The log has whole seconds, which may lie before the arrival.
            answered_at = min(max(connect.at, arrival.arrived_at), ended_at)
        return ArrivalWitnessed(
            arrival.leg,
            arrival.did,
            self.identify(arrival.number),
            arrival.arrived_at,
            ended_at,
            answered_at,
            connect.agent if connect is not None else None,
        )


def _read_on(
    path: Path, offset: Mapping[str, int], bytes_max: int
) -> tuple[list[Line], int, int, bool]:
    """Whole lines after the offset; the new position; the file's id; whether that is its end.

    A file that was rotated away is read to its end before the new one is begun.
    """
    position = offset.get(path.name, 0)
    file_id = offset.get(f"{path.name}#file", 0)
    try:
        current = path.stat()
    except FileNotFoundError:
        return [], position, file_id, True
    if file_id not in (0, current.st_ino):
        old = next((one for one in _siblings(path) if one.stat().st_ino == file_id), None)
        if old is not None and old.stat().st_size > position:
            lines, position = _lines(old, position, bytes_max)
            if lines:
                return lines, position, file_id, False
        position = 0
    elif current.st_size < position:
        position = 0
    lines, position = _lines(path, position, bytes_max)
    return lines, position, current.st_ino, position + bytes_max > current.st_size


def _lines(path: Path, start: int, bytes_max: int) -> tuple[list[Line], int]:
    """A last line without its end is left for the next time, unless it is endless."""
    with path.open("rb") as file:
        file.seek(start)
        block = file.read(bytes_max)
    lines = list(_split(block, start))
    if lines:
        return lines, lines[-1].end
    if len(block) >= bytes_max:
        return [Line(start, start + len(block), "")], start + len(block)
    return [], start


def _split(block: bytes, start: int) -> Iterator[Line]:
    done = 0
    while (end := block.find(b"\n", done)) >= 0:
        text = block[done:end] if end - done <= cel.LINE_BYTES_MAX else b""
        yield Line(start + done, start + end + 1, text.decode("utf-8", "replace"))
        done = end + 1


def _row_at(path: Path, start: int) -> cel.CelRow | None:
    try:
        with path.open("rb") as file:
            return cel.parse_line(_line_at(file, start))
    except OSError:
        return None


def _line_at(file: BinaryIO, start: int) -> str:
    file.seek(start, os.SEEK_SET)
    return file.readline(cel.LINE_BYTES_MAX).decode("utf-8", "replace").rstrip("\n")


def _siblings(path: Path) -> list[Path]:
    """Rotated forms of it: `cel.csv.1`, `queue_log.0`."""
    return sorted(one for one in path.parent.glob(f"{path.name}?*") if one.is_file())
