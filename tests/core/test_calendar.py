"""Opening hours, against an oracle that looks at the clock on the wall minute by minute."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perezvon.core.calendar import Calendar, clock_text, day_of, zone_of
from perezvon.core.ids import DAY, HOUR, MINUTE, HoursId
from perezvon.core.plan import Holiday, Hours, Interval, PlanError

NINE_TO_SIX = Interval(9 * 60, 18 * 60)
ALL_DAY = Interval(0, 24 * 60)
OFFICE = Hours(HoursId("office"), week=((NINE_TO_SIX,),) * 5 + ((), ()))
ROUND_THE_CLOCK = Hours(HoursId("always"), week=((ALL_DAY,),) * 7)
MOSCOW = "Europe/Moscow"
NEW_YORK = "America/New_York"

ODD_MOMENTS = {
    # A moment of UTC shortly before something that a naive calendar gets wrong.
    MOSCOW: ["2026-07-03T12:00", "2014-10-25T12:00"],
    NEW_YORK: ["2026-03-07T12:00", "2026-10-31T12:00"],
    "Australia/Lord_Howe": ["2026-04-04T00:00", "2026-10-03T00:00"],
    "Pacific/Apia": ["2011-12-29T00:00"],
    "Africa/Casablanca": ["2026-02-14T12:00", "2026-03-21T12:00"],
    "Asia/Kathmandu": ["2026-01-01T00:00"],
    "America/Scoresbysund": ["2024-03-30T12:00"],
}


def at(text: str, zone: str = "UTC") -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=zone_of(zone))
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


@dataclass(frozen=True)
class Case:
    hours: Hours
    holidays: tuple[Holiday, ...]
    zone: str
    start: int

    def calendar(self) -> Calendar:
        return Calendar(self.hours, self.holidays, self.zone)

    def open_minutes(self, count: int) -> list[bool]:
        special = {day.date: day.open for day in self.holidays} if self.hours.holidays else {}
        zone = zone_of(self.zone)
        found = []
        for minute in range(count):
            wall = datetime.fromtimestamp((self.start + minute * MINUTE) / 1000, tz=zone)
            day = special.get(wall.date().isoformat(), self.hours.week[wall.weekday()])
            now = wall.hour * 60 + wall.minute
            found.append(any(span.from_minute <= now < span.to_minute for span in day))
        return found


@st.composite
def days(draw: st.DrawFn) -> tuple[Interval, ...]:
    around_the_odd_hour = st.sampled_from([0, 60, 90, 105, 120, 135, 150, 180, 540, 1439, 1440])
    edges = sorted(draw(st.sets(around_the_odd_hour | st.integers(0, 1440), max_size=6)))
    return tuple(
        Interval(opens, closes) for opens, closes in zip(edges[::2], edges[1::2], strict=False)
    )


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone = draw(st.sampled_from(sorted(ODD_MOMENTS)))
    start = at(draw(st.sampled_from(ODD_MOMENTS[zone]))) + draw(st.integers(0, 600)) * MINUTE
    week = tuple(draw(st.lists(days() | st.just((ALL_DAY,)), min_size=7, max_size=7)))
    first = datetime.fromtimestamp(start / 1000, tz=UTC).date()
    holidays = draw(
        st.dictionaries(
            st.integers(-1, 3).map(lambda n: (first + timedelta(days=n)).isoformat()),
            days(),
            max_size=2,
        )
    )
    hours = Hours(HoursId("h"), week=week, holidays=draw(st.booleans()))
    return Case(
        hours, tuple(Holiday(day, open=open_) for day, open_ in holidays.items()), zone, start
    )


MINUTES = 2 * 24 * 60


@settings(max_examples=40, deadline=None)
@given(cases())
def test_it_is_open_exactly_when_the_wall_clock_says_so(case: Case) -> None:
    calendar = case.calendar()
    found = [calendar.is_open(case.start + minute * MINUTE) for minute in range(MINUTES)]
    assert found == case.open_minutes(MINUTES)


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, MINUTES - 1))
def test_the_next_opening_and_the_closing_agree_with_the_wall_clock(
    case: Case, minute: int
) -> None:
    calendar = case.calendar()
    wall = case.open_minutes(MINUTES)
    moment = case.start + minute * MINUTE
    later = [other for other in range(minute, MINUTES) if wall[other]]
    opening = calendar.next_open(moment)
    if later:
        assert opening == case.start + later[0] * MINUTE
    else:
        assert opening is None or opening >= case.start + MINUTES * MINUTE
    closed = [other for other in range(minute, MINUTES) if not wall[other]]
    closing = calendar.closes_at(moment)
    if not wall[minute]:
        assert closing is None
    elif closed:
        assert closing == case.start + closed[0] * MINUTE
    else:
        assert closing is None or closing >= case.start + MINUTES * MINUTE


@settings(max_examples=40, deadline=None)
@given(cases(), st.integers(0, MINUTES - 1), st.integers(1, 36 * 60))
def test_open_time_is_counted_as_the_wall_clock_counts_it(
    case: Case, minute: int, length: int
) -> None:
    wall = case.open_minutes(MINUTES)
    open_minutes = [other for other in range(minute, MINUTES) if wall[other]]
    found = case.calendar().add_open(case.start + minute * MINUTE, length * MINUTE)
    if len(open_minutes) >= length:
        assert found == case.start + (open_minutes[length - 1] + 1) * MINUTE
    else:
        assert found is None or found > case.start + MINUTES * MINUTE


@settings(max_examples=40, deadline=None)
@given(
    cases(),
    st.lists(st.integers(0, 3 * DAY), min_size=2, max_size=4),
    st.lists(st.integers(0, 20 * HOUR), min_size=2, max_size=4),
)
def test_later_or_longer_never_ends_sooner(
    case: Case, moments: list[int], lengths: list[int]
) -> None:
    calendar = case.calendar()

    def end(moment: int, length: int) -> float:
        found = calendar.add_open(case.start + moment, length)
        return float("inf") if found is None else found

    for length in lengths:
        ends = [end(moment, length) for moment in sorted(moments)]
        assert ends == sorted(ends)
    for moment in moments:
        # A length of nothing asks for an opening, any other may end at a closing.
        ends = [end(moment, length) for length in sorted(lengths) if length > 0]
        assert ends == sorted(ends)


def test_an_evening_miss_is_due_after_the_opening() -> None:
    calendar = Calendar(OFFICE, (), MOSCOW)
    friday_evening = at("2026-01-16T17:58", MOSCOW)
    assert calendar.add_open(friday_evening, 5 * MINUTE) == at("2026-01-19T09:03", MOSCOW)
    assert calendar.add_open(at("2026-01-16T20:00", MOSCOW), 0) == at("2026-01-19T09:00", MOSCOW)


def test_open_time_may_end_at_the_moment_of_closing() -> None:
    calendar = Calendar(OFFICE, (), MOSCOW)
    morning = at("2026-01-16T09:00", MOSCOW)
    assert calendar.add_open(morning, 9 * HOUR) == at("2026-01-16T18:00", MOSCOW)
    assert calendar.closes_at(morning) == at("2026-01-16T18:00", MOSCOW)
    assert not calendar.is_open(at("2026-01-16T18:00", MOSCOW))


def test_a_night_that_repeats_an_hour_is_open_one_hour_longer() -> None:
    calendar = Calendar(ROUND_THE_CLOCK, (), NEW_YORK)
    night = Hours(HoursId("night"), week=((Interval(0, 6 * 60),),) * 7)
    start = at("2026-11-01T00:00", NEW_YORK)
    assert calendar.add_open(start, DAY) == start + DAY
    closing = Calendar(night, (), NEW_YORK).closes_at(start)
    assert closing == start + 7 * HOUR


def test_hours_that_the_zone_skips_are_not_there() -> None:
    skipped = Hours(HoursId("gap"), week=((),) * 6 + ((Interval(2 * 60, 3 * 60),),))
    calendar = Calendar(skipped, (), NEW_YORK)
    saturday = at("2026-03-07T12:00", NEW_YORK)
    assert calendar.next_open(saturday) == at("2026-03-15T02:00", NEW_YORK)


def test_midnight_does_not_close_an_office_that_is_open_on_both_sides() -> None:
    week = ((ALL_DAY,),) + ((Interval(0, 60),),) + ((),) * 5
    calendar = Calendar(Hours(HoursId("late"), week=week), (), MOSCOW)
    monday = at("2026-01-12T23:30", MOSCOW)
    assert calendar.closes_at(monday) == at("2026-01-13T01:00", MOSCOW)


def test_holidays_close_or_move_the_hours_unless_the_hours_ignore_them() -> None:
    holidays = (
        Holiday("2026-01-09"),
        Holiday("2026-01-10", open=(Interval(10 * 60, 14 * 60),)),
    )
    respects = Calendar(OFFICE, holidays, MOSCOW)
    ignores = Calendar(Hours(OFFICE.id, OFFICE.week, holidays=False), holidays, MOSCOW)
    friday = at("2026-01-09T12:00", MOSCOW)
    assert not respects.is_open(friday)
    assert respects.next_open(friday) == at("2026-01-10T10:00", MOSCOW)
    assert ignores.is_open(friday)
    assert not ignores.is_open(at("2026-01-10T12:00", MOSCOW))


def test_no_hours_are_always_open() -> None:
    calendar = Calendar(None, (Holiday("2026-01-01"),), MOSCOW)
    moment = at("2026-01-01T03:00")
    assert calendar.is_open(moment)
    assert calendar.next_open(moment) == moment
    assert calendar.closes_at(moment) is None
    assert calendar.add_open(moment, HOUR) == moment + HOUR


def test_round_the_clock_hours_never_close() -> None:
    assert Calendar(ROUND_THE_CLOCK, (), NEW_YORK).closes_at(at("2026-01-01T03:00")) is None


def test_an_office_that_never_opens_again_has_no_next_opening() -> None:
    never = Hours(HoursId("never"), week=((),) * 7)
    calendar = Calendar(never, (Holiday("2026-01-05", open=(NINE_TO_SIX,)),), MOSCOW)
    assert calendar.next_open(at("2026-01-04T12:00")) == at("2026-01-05T09:00", MOSCOW)
    assert calendar.next_open(at("2026-01-06T12:00")) is None
    assert calendar.add_open(at("2026-01-05T12:00"), DAY) is None


def test_a_clock_is_read_in_the_zone() -> None:
    moment = at("2026-01-31T22:05")
    assert clock_text(moment, MOSCOW) == "01:05"
    assert day_of(moment, MOSCOW) == "2026-02-01"
    assert day_of(moment, NEW_YORK) == "2026-01-31"


@pytest.mark.parametrize("name", ["Mars/Phobos", "", "../zones", "europe/moscow", "/etc/passwd"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(PlanError, match="zone"):
        zone_of(name)
