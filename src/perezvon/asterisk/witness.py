"""The second witness: follows CEL and queue_log, and tells the end of every inbound attempt.

All that it must remember is in the offsets, which the journal keeps in the same commit as the
events: so each attempt is told once, over crashes, rotation and truncation of the files. An
attempt whose end was never written, because the switch was killed, is told when the switch has it
no more.

The offsets hold, by file name, how far it was read; `<name>#id` is the file's sum;
`<name>#at` the moment of the newest row read, and `<name>#skip` up to when rows are repeated;
`open/<leg>` is where in CEL the start of an attempt stands that has not ended.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from perezvon.asterisk import cel, queue_log
from perezvon.asterisk.follow import Place, lines_at, read_on, with_inode
from perezvon.core.events import ArrivalWitnessed, Caller
from perezvon.core.ids import SECOND, Duration, Instant, LegId

READ_BYTES_MAX = 64 * 1024
"""Of each file at one poll: some milliseconds of the loop's time."""

OTHER_KINDS = ('"ANSWER",', '"HANGUP",', '"LINKEDID_END",')
"""Rows that say nothing of when an attempt began or ended."""

OPEN_MAX = 5_000
"""Attempts begun and not ended. Beyond, the oldest is dropped and never told."""

STAYS_MAX = 50_000
"""Callers of the fallback known ahead of CEL. Beyond, CEL is read first."""

SETTLED_MS: Duration = 10 * SECOND
"""The two files and the switch's listing are of different threads: what is younger may still
come."""

log = logging.getLogger(__name__)

Identify = Callable[[str], Caller]
"""From a number as it came."""


@dataclass(frozen=True, slots=True)
class Listing:
    """What channels the switch had when it was asked last."""

    asked_at: float
    """In seconds of the monotonic clock."""
    channels: frozenset[str]
    started_at: Instant | None = None
    """When the switch was started, as far as it was asked."""


@dataclass(slots=True)
class _Stay:
    """A caller in the switch's own queue."""

    place: Place
    """Of its first row."""
    at: Instant
    connect: queue_log.QueueRow | None = None


@dataclass
class _Reading:
    """What one poll found, to be taken over as a whole."""

    opened: dict[LegId, int]
    place: Place
    at_end: bool
    read_until: Instant
    skip_until: Instant
    lines_count: int
    ended: list[cel.Arrival] = field(default_factory=list)
    malformed_count: int = 0


@dataclass
class Witness:
    """Blocking, and quick: to be polled about once a second, in a thread or not."""

    tenant: str
    cel_path: Path
    queue_log_path: Path
    identify: Identify
    offset: Mapping[str, int]
    """As the journal has it. Polling moves it on."""
    listing: Callable[[], Listing | None] = lambda: None
    """What the switch said last. Without it, an attempt without an end stays open."""
    read_bytes_max: int = READ_BYTES_MAX
    malformed_count: int = 0
    behind: bool = False
    """There is more to read at once."""
    _unreadable: str = ""
    _spoilt: str = ""
    _begun: dict[LegId, cel.Arrival] = field(default_factory=dict)
    _stays: dict[LegId, _Stay] = field(default_factory=dict)
    """In the order of their first rows."""
    _queue_place: Place | None = None
    _missing: dict[LegId, tuple[float, Instant]] = field(default_factory=dict)
    """Attempts that the switch did not list, since when: monotonic, and as a moment."""

    @property
    def trouble(self) -> str:
        """Why not all is told, in words; empty when it is."""
        return self._unreadable or self._spoilt

    def poll(self) -> tuple[tuple[ArrivalWitnessed, ...], dict[str, int]]:
        """What ended since the last poll, and the offset to commit together with it: whole, not
        to be merged with an older one.
        """
        try:
            # Before CEL: whoever has ended in it must be known to have been answered.
            if not self._hear_queue_log() and len(self._stays) < STAYS_MAX:
                self.behind = True
                return (), dict(self.offset)
            read = self._read_cel()
            self._hear_queue_log()
        except OSError as error:
            self._unreadable, self.behind = f"{error.strerror or error}", False
            return (), dict(self.offset)
        self._unreadable, self.behind = "", not read.at_end
        self._judge(read)
        if read.at_end:
            self._miss(read)
        told = tuple(self._tell(one) for one in read.ended)
        self.offset = self._offset_after(read)
        return told, dict(self.offset)

    def _place_in(self, path: Path) -> Place:
        known_by, inode = self.offset.get(f"{path.name}#id"), self.offset.get(f"{path.name}#file")
        if known_by is None and inode:
            known_by = with_inode(path, inode)
        return Place(self.offset.get(path.name, 0), known_by or 0)

    # CEL.

    def _read_cel(self) -> _Reading:
        name, offset = self.cel_path.name, self.offset
        read_until, skip_until = offset.get(f"{name}#at", 0), offset.get(f"{name}#skip", 0)
        place = self._place_in(self.cel_path)
        piece = read_on(self.cel_path, place, self.read_bytes_max, read_until=read_until)
        if piece.repeats:
            log.warning("witness: its place is gone, reading anew", extra={"file": name})
            skip_until = read_until
        opened = {LegId(k.removeprefix("open/")): at for k, at in offset.items() if _is_open(k)}
        lines_count = len(piece.lines)
        read = _Reading(opened, piece.place, piece.at_end, read_until, skip_until, lines_count)
        for line in piece.lines:
            if line.text.startswith(OTHER_KINDS):
                continue
            row = cel.parse_line(line.text)
            if row is None:
                read.malformed_count += 1
            elif row.at >= read.skip_until:
                read.skip_until = 0
                read.read_until = max(read.read_until, row.at)
                self._take(row, line.place.position, read)
        return read

    def _take(self, row: cel.CelRow, start: int, read: _Reading) -> None:
        if cel.is_arrival(row, self.tenant):
            if len(read.opened) >= OPEN_MAX:
                oldest = next(iter(read.opened))
                del read.opened[oldest]
                log.error("witness: too many attempts without an end, the oldest is dropped")
            read.opened[row.leg] = start
            self._begun[row.leg] = cel.arrival_of(row)
        elif row.kind is cel.CelKind.END and row.leg in read.opened:
            begun = self._start_of(row.leg, read.opened.pop(row.leg), row)
            read.ended.append(cel.ended(begun, row, self.tenant))

    def _start_of(self, leg: LegId, start: int, end: cel.CelRow | None) -> cel.Arrival:
        """The attempt's start: remembered, else read again where the offset says."""
        known = self._begun.get(leg)
        if known is not None:
            return known
        for text in lines_at(self.cel_path, start):
            row = cel.parse_line(text)
            if row is not None and row.leg == leg and row.kind is cel.CelKind.START:
                return cel.arrival_of(row)
        # Gone with its file: the id has the second of the arrival in it.
        second = cel.instant(leg.rsplit("-", 1)[-1].partition(".")[0])
        return cel.Arrival(leg, "", end.number if end else "", second or (end.at if end else 0))

    def _judge(self, read: _Reading) -> None:
        self.malformed_count += read.malformed_count
        if read.malformed_count:
            self._spoilt = f"{self.cel_path.name}: {read.malformed_count} rows cannot be read"
        elif read.lines_count:
            self._spoilt = ""

    def _miss(self, read: _Reading) -> None:
        """Attempts that the switch has no more, and whose end was not written.

        Twice missing, so that a listing older than the attempt itself proves nothing.
        """
        listing = self.listing()
        if listing is None:
            return
        missing = {}
        for leg in [leg for leg in read.opened if leg not in listing.channels]:
            first = max(time.monotonic(), listing.asked_at)
            since, at = self._missing.get(leg, (first, _now()))
            if listing.asked_at - since < SETTLED_MS / SECOND:
                missing[leg] = (since, at)
                continue
            log.warning("witness: an end was never written", extra={"leg": leg})
            begun = self._start_of(leg, read.opened.pop(leg), None)
            # With the former life of the switch, when it had one: nobody knows it better.
            restarted = listing.started_at is not None and begun.arrived_at < listing.started_at
            ended_at = listing.started_at if restarted and listing.started_at is not None else at
            read.ended.append(replace(begun, ended_at=max(ended_at, begun.arrived_at)))
        self._missing = missing

    # The fallback.

    def _hear_queue_log(self) -> bool:
        """Who went to the fallback, and who was answered there. False when there is more."""
        place = self._queue_place or self._place_in(self.queue_log_path)
        piece = read_on(self.queue_log_path, place, self.read_bytes_max, read_until=0)
        for line in piece.lines:
            row = queue_log.parse_line(line.text)
            if row is None:
                self.malformed_count += 1
            elif queue_log.is_stay(row, self.tenant):
                stay = self._stays.setdefault(row.leg, _Stay(line.place, row.at))
                stay.at = row.at
                if queue_log.is_connect(row, self.tenant) and stay.connect is None:
                    stay.connect = row
        self._queue_place = piece.place
        return piece.at_end

    def _tell(self, arrival: cel.Arrival) -> ArrivalWitnessed:
        ended_at = arrival.arrived_at if arrival.ended_at is None else arrival.ended_at
        stay = self._stays.get(arrival.leg)
        connect = stay.connect if stay is not None else None
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
            in_fallback=arrival.in_fallback or stay is not None,
        )

    def _offset_after(self, read: _Reading) -> dict[str, int]:
        for one in read.ended:
            self._begun.pop(one.leg, None)
            self._stays.pop(one.leg, None)
        if read.at_end:
            # Of whom CEL knows nothing, and will not: his rows need not be kept.
            settled_at = _now() - SETTLED_MS
            for leg, stay in list(self._stays.items()):
                if leg not in read.opened and stay.at < settled_at:
                    del self._stays[leg]
        first = next(iter(self._stays.values()), None)
        queue_place = first.place if first is not None else self._queue_place or Place()
        name, queue_name = self.cel_path.name, self.queue_log_path.name
        return {
            name: read.place.position,
            f"{name}#id": read.place.file,
            f"{name}#at": read.read_until,
            f"{name}#skip": read.skip_until,
            queue_name: queue_place.position,
            f"{queue_name}#id": queue_place.file,
            **{f"open/{leg}": at for leg, at in read.opened.items()},
        }


def _is_open(key: str) -> bool:
    return key.startswith("open/")


def _now() -> Instant:
    return time.time_ns() // 1_000_000
