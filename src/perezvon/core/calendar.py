"""Opening hours and the clock on the wall: the only place of the core that knows time zones.

Promise: pure. The same hours, zone and instant give the same answer in every process, because
zones are read from the pinned `tzdata` package and never from the machine.

Hours are wall-clock: an instant is open exactly when a clock on the wall in the zone shows a time
within an interval of that date. So an hour that the zone skips is not there, one that it repeats
counts twice, and 24:00 touches 00:00 of the next date.
"""

import importlib.resources
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from perezvon.core.ids import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from perezvon.core.plan import Holiday, Hours, Interval, PlanError

OPENING_DAYS_MAX = 400
"""How far we look for the next opening."""
ADDING_DAYS_MAX = 4_000
"""How far `add_open` counts."""
CACHED_DAYS_MAX = 1_024

_PROBE: Duration = 6 * HOUR
"""No zone changes its offset twice in so short a time."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = _EPOCH.toordinal()
_ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)

_Span = tuple[Instant, Instant]


class Calendar:
    """When one set of hours is open. No hours: always."""

    def __init__(self, hours: Hours | None, holidays: tuple[Holiday, ...], zone: str) -> None:
        self._hours = hours
        self._zone = zone_of(zone)
        respected = holidays if hours is not None and hours.holidays else ()
        self._special = {holiday.date: holiday.open for holiday in respected}
        self._days: dict[int, tuple[_Span, ...]] = {}

    def is_open(self, at: Instant) -> bool:
        if self._hours is None:
            return True
        return any(opens <= at < closes for opens, closes in self._spans_of(at // DAY))

    def next_open(self, at: Instant) -> Instant | None:
        """`at` itself when open; None when not open within `OPENING_DAYS_MAX`."""
        if self._hours is None:
            return at
        for opens, _ in self._spans_from(at, OPENING_DAYS_MAX):
            return opens
        return None

    def closes_at(self, at: Instant) -> Instant | None:
        """The end of the open time that holds `at`; None when closed, or open without an end."""
        if self._hours is None or not self.is_open(at):
            return None
        end = at
        for opens, closes in self._spans_from(at, OPENING_DAYS_MAX):
            if opens > end:
                return end
            end = closes
        # Still open on the last day that we looked at: there is no end worth a timer.
        return None if end >= (at // DAY + OPENING_DAYS_MAX) * DAY else end

    def add_open(self, at: Instant, length: Duration) -> Instant | None:
        """The first moment at which `length` of open time has passed since `at`.

        It may be the moment of closing: nine hours after 9:00 are 18:00. No length: the next
        opening. None when that is not within reach.
        """
        if length <= 0:
            return self.next_open(at)
        if self._hours is None:
            return at + length
        left = length
        end = at
        for opens, closes in self._spans_from(at, ADDING_DAYS_MAX):
            if opens - end > OPENING_DAYS_MAX * DAY:
                return None
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
            end = closes
        return None

    def day(self, day: date) -> tuple[tuple[Interval, ...], bool]:
        """What is open on a date, by the clock on the wall; and whether it is a holiday here."""
        if self._hours is None:
            return (Interval(0, DAY // MINUTE),), False
        special = day.isoformat() in self._special
        return self._intervals(day.toordinal() - _EPOCH_DAY), special

    def _spans_from(self, at: Instant, days: int) -> Iterator[_Span]:
        """What is open from `at` on, in order; cut at `at` and at midnights of UTC."""
        first = at // DAY
        for day in range(first, first + days):
            for opens, closes in self._spans_of(day):
                if closes > at:
                    yield max(opens, at), closes

    def _spans_of(self, day: int) -> tuple[_Span, ...]:
        spans = self._days.get(day)
        if spans is None:
            if len(self._days) >= CACHED_DAYS_MAX:
                self._days.clear()
            spans = self._days[day] = self._make_spans(day * DAY, (day + 1) * DAY)
        return spans

    def _make_spans(self, start: Instant, end: Instant) -> tuple[_Span, ...]:
        """The open spans of a day of UTC, found stretch by stretch of one offset."""
        spans: list[_Span] = []
        for since, until, offset in self._stretches(start, end):
            first = (since + offset) // DAY
            last = (until + offset - 1) // DAY
            for local_day in range(first, last + 1):
                midnight = local_day * DAY - offset
                for interval in self._intervals(local_day):
                    opens = max(since, midnight + interval.from_minute * MINUTE)
                    closes = min(until, midnight + interval.to_minute * MINUTE)
                    if opens < closes:
                        spans.append((opens, closes))
        return tuple(spans)

    def _intervals(self, local_day: int) -> tuple[Interval, ...]:
        assert self._hours is not None
        day = date.fromordinal(_EPOCH_DAY + local_day)
        special = self._special.get(day.isoformat())
        return self._hours.week[day.weekday()] if special is None else special

    def _stretches(self, start: Instant, end: Instant) -> Iterator[tuple[Instant, Instant, int]]:
        """Cut [start, end) where the zone's offset changes: (since, until, offset)."""
        since = start
        offset = _offset(start, self._zone)
        for probe in range(start + _PROBE, end + 1, _PROBE):
            offset_then = _offset(probe, self._zone)
            if offset_then != offset:
                change = _change_between(probe - _PROBE, probe, offset, self._zone)
                if change > since:
                    yield since, change, offset
                since, offset = change, offset_then
        if since < end:
            yield since, end, offset


def clock_text(at: Instant, zone: str) -> str:
    """What the clock on the wall shows: `HH:MM`."""
    return _local(at, zone_of(zone)).strftime("%H:%M")


def day_of(at: Instant, zone: str) -> str:
    """The date in the zone, ISO."""
    return _local(at, zone_of(zone)).date().isoformat()


@lru_cache(maxsize=128)
def zone_of(name: str) -> ZoneInfo:
    """The zone with this IANA name, from the pinned package; `PlanError` when there is none."""
    # The pattern also keeps a name from climbing out of the package's folder.
    if _ZONE_NAME.fullmatch(name) is not None and name in zone_names():
        file = importlib.resources.files("tzdata").joinpath("zoneinfo", *name.split("/"))
        with file.open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    raise PlanError("zone", f"{name!r} is not a time zone of the IANA database")


@lru_cache(maxsize=1)
def zone_names() -> frozenset[str]:
    listing = importlib.resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8")
    return frozenset(listing.split())


def _local(at: Instant, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone)


def _offset(at: Instant, zone: ZoneInfo) -> Duration:
    offset = _local(at, zone).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def _change_between(low: Instant, high: Instant, offset: Duration, zone: ZoneInfo) -> Instant:
    """The first second of (low, high] that has no longer this offset."""
    while high - low > SECOND:
        middle = (low + high) // (2 * SECOND) * SECOND
        if _offset(middle, zone) == offset:
            low = middle
        else:
            high = middle
    return high
