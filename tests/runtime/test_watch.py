"""The watch over the engine process: a slow loop, a clock that was set, a journal in trouble."""

from dataclasses import dataclass

import pytest

from perezvon.core.ids import DAY, HOUR, SECOND, Duration
from perezvon.runtime.alerts import Alert, AlertKind, Alerts
from perezvon.runtime.watch import LOOK_MS, WELL_AFTER_MS, Watch


@dataclass
class Keeper:
    """What the watch asks of the loop."""

    trouble: str = ""
    journal_slow_ms: Duration = 0


class Room:
    """A watch, with clocks that the test moves."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1_700_000_000_000, 77_000
        self.keeper = Keeper()
        self.alerts = Alerts(lambda: self.monotonic)
        self._watch = Watch(
            self.keeper, self.alerts, wall=lambda: self.wall, monotonic=lambda: self.monotonic
        )
        self.look_after(0)

    def look_after(self, passed: Duration, *, stepped: Duration = 0) -> None:
        self.wall += passed + stepped
        self.monotonic += passed
        self._watch.look()

    def look_for(self, length: Duration) -> None:
        for _ in range(length // LOOK_MS):
            self.look_after(LOOK_MS)

    def shown(self, kind: AlertKind) -> Alert | None:
        return next((alert for alert in self.alerts if alert.kind is kind), None)


def test_a_loop_that_was_held_up_is_told_and_is_well_after_a_while() -> None:
    room = Room()
    room.look_after(LOOK_MS + 3 * SECOND)
    slow = room.shown(AlertKind.LOOP_SLOW)
    assert slow is not None
    assert "3000 ms" in slow.detail
    room.look_for(WELL_AFTER_MS - SECOND)
    assert room.shown(AlertKind.LOOP_SLOW) is not None, "it may happen again"
    room.look_for(2 * SECOND)
    assert room.shown(AlertKind.LOOP_SLOW) is None


def test_a_busy_moment_is_no_alert() -> None:
    room = Room()
    room.look_after(LOOK_MS + 900)
    assert not list(room.alerts)


@pytest.mark.parametrize("step", [HOUR, -HOUR, DAY, -DAY, 3 * SECOND, -3 * SECOND])
def test_a_clock_that_was_set_is_noted_with_how_far(step: Duration) -> None:
    room = Room()
    room.look_after(LOOK_MS, stepped=step)
    noted = room.shown(AlertKind.CLOCK_STEPPED)
    assert noted is not None
    assert f"{step:+} ms" in noted.detail
    room.look_for(5 * SECOND)
    assert room.alerts.raised_count[AlertKind.CLOCK_STEPPED] == 1


def test_a_clock_that_is_adjusted_a_little_at_a_time_is_not_noted() -> None:
    room = Room()
    for _ in range(100):
        room.look_after(LOOK_MS, stepped=25)
    assert not list(room.alerts)


def test_a_freeze_is_a_slow_loop_and_no_step_of_the_clock() -> None:
    room = Room()
    room.look_after(30 * SECOND)
    assert [alert.kind for alert in room.alerts] == [AlertKind.LOOP_SLOW]


def test_a_journal_in_trouble_is_told_in_the_stores_words_until_it_is_back() -> None:
    room = Room()
    room.keeper.trouble = "database or disk is full"
    room.look_after(LOOK_MS)
    told = room.shown(AlertKind.JOURNAL_UNAVAILABLE)
    assert told is not None
    assert told.detail == "database or disk is full"
    room.keeper.trouble = ""
    room.look_after(LOOK_MS)
    assert room.shown(AlertKind.JOURNAL_UNAVAILABLE) is None


def test_a_slow_journal_is_told_with_how_slow() -> None:
    room = Room()
    room.keeper.journal_slow_ms = 2_345
    room.look_after(LOOK_MS)
    told = room.shown(AlertKind.JOURNAL_SLOW)
    assert told is not None
    assert "2345 ms" in told.detail
    room.keeper.journal_slow_ms = 0
    room.look_after(LOOK_MS)
    assert not list(room.alerts)
