"""The clock of the engine process: wall time that never goes back.

Anchored once and carried on by the monotonic clock, so that a step of the machine's clock neither
fires nor skips a timer; a drift is made good slowly. After a restart it begins no earlier than
the last journalled moment.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

from perezvon.core.ids import Duration, Instant

SLEW_SHARE = 10
"""Of each stretch of time, a tenth at most goes into making a drift good."""

WAIT_MS_MAX: Duration = 60_000
"""Long waits are cut into pieces: the drift is looked at again."""


def wall_ms() -> Instant:
    """The machine's own clock, which people and programs may set."""
    return time.time_ns() // 1_000_000


def monotonic_ms() -> Duration:
    """Since some moment; nobody can set it."""
    return time.monotonic_ns() // 1_000_000


class SystemClock:
    """`runtime.ports.Clock`. `wall` and `monotonic` are the machine's, but for tests."""

    def __init__(
        self,
        not_before: Instant = 0,
        *,
        wall: Callable[[], Instant] = wall_ms,
        monotonic: Callable[[], Duration] = monotonic_ms,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._last_monotonic = monotonic()
        self._now = max(wall(), not_before)
        self._unslewed: Duration = 0
        """Time that passed and was not yet used to make a drift good: who asks each millisecond
        would otherwise never get a whole one of them."""

    def now(self) -> Instant:
        monotonic = self._monotonic()
        passed = monotonic - self._last_monotonic
        if passed > 0:
            self._last_monotonic = monotonic
            self._unslewed += passed
            drift = self._wall() - (self._now + passed)
            bound = self._unslewed // SLEW_SHARE
            self._unslewed -= bound * SLEW_SHARE
            self._now += passed + max(-bound, min(bound, drift))
        return self._now

    async def wait(self, woken: asyncio.Event, due_at: Instant | None) -> None:
        while not woken.is_set():
            left = WAIT_MS_MAX if due_at is None else due_at - self.now()
            if left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, WAIT_MS_MAX) / 1_000):
                    await woken.wait()
