"""The engine's clock under a machine whose clock people, NTP and summer time play with."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from perezvon.core.ids import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from perezvon.runtime.clock import SystemClock

SPRING = int(datetime(2026, 3, 29, 0, 59, 50, tzinfo=UTC).timestamp()) * SECOND
"""Ten seconds before Europe sets its clocks forward."""
STEPS = [HOUR, -HOUR, DAY, -DAY, MINUTE, -MINUTE]


class Machine:
    """Its two clocks; only one of them can be set."""

    def __init__(self, wall: Instant = SPRING) -> None:
        self.wall = wall
        self.monotonic = 5_000_000

    def passes(self, ms: Duration) -> None:
        self.wall += ms
        self.monotonic += ms

    def clock(self, not_before: Instant = 0) -> SystemClock:
        return SystemClock(not_before, wall=lambda: self.wall, monotonic=lambda: self.monotonic)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_machines_clock_moves_ours_by_nothing_at_once(step: Duration) -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    machine.wall += step
    assert clock.now() == before
    machine.passes(20 * SECOND)
    assert abs(clock.now() - (before + 20 * SECOND)) <= 2 * SECOND, "a tenth at most"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("every_ms", [1, 7, 250])
def test_after_a_step_each_moment_comes_once_and_in_order(
    step: Duration, every_ms: Duration
) -> None:
    machine = Machine()
    clock = machine.clock()
    due_at = [clock.now() + n * SECOND for n in range(1, 41)]
    fired: list[Instant] = []
    last = clock.now()
    machine.wall += step
    begun = machine.monotonic
    while len(fired) < len(due_at):
        machine.passes(every_ms)
        now = clock.now()
        assert now >= last, "it never goes back"
        last = now
        while len(fired) < len(due_at) and due_at[len(fired)] <= now:
            fired.append(now)
        assert machine.monotonic - begun < 60 * SECOND, "it stands still"
    assert machine.monotonic - begun > 35 * SECOND, "they fired in a bunch"


@pytest.mark.parametrize("every_ms", [1, 3, 100])
def test_a_drift_is_made_good_however_often_one_asks(every_ms: Duration) -> None:
    machine = Machine()
    clock = machine.clock()
    machine.wall += 2 * SECOND
    for _ in range(25 * SECOND // every_ms):
        machine.passes(every_ms)
        clock.now()
    assert abs(clock.now() - machine.wall) <= every_ms


@pytest.mark.parametrize("ahead", [HOUR, DAY])
def test_after_a_restart_time_goes_on_from_the_journal_not_from_a_clock_set_back(
    ahead: Duration,
) -> None:
    machine = Machine()
    journalled = machine.wall + ahead
    clock = machine.clock(not_before=journalled)
    assert clock.now() == journalled
    machine.passes(10 * SECOND)
    assert journalled + 9 * SECOND <= clock.now() <= journalled + 10 * SECOND


def test_summer_time_is_no_step_at_all() -> None:
    machine = Machine()
    clock = machine.clock()
    berlin = ZoneInfo("Europe/Berlin")
    hours = set()
    for n in range(1, 21):
        machine.passes(SECOND)
        assert clock.now() == SPRING + n * SECOND
        hours.add(datetime.fromtimestamp(clock.now() / SECOND, berlin).hour)
    assert hours == {1, 3}


def test_who_waits_for_a_moment_is_not_woken_by_a_step_over_it() -> None:
    async def wait() -> bool:
        machine = Machine()
        clock = machine.clock()
        waiting = asyncio.create_task(clock.wait(asyncio.Event(), clock.now() + 60))
        await asyncio.sleep(0)
        machine.wall += DAY
        await asyncio.sleep(0.12)
        early = waiting.done()
        machine.passes(61)
        async with asyncio.timeout(5):
            await waiting
        return early

    assert not asyncio.run(wait())
