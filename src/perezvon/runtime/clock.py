"""The clock of the engine process: wall time that never goes back.

Anchored once and carried on by the monotonic clock, so that a step of the machine's clock neither
fires nor skips a timer; a drift is made good slowly. After a restart it begins no earlier than
the last journalled moment.
"""

import asyncio
import contextlib
import time

from perezvon.core.ids import Duration, Instant

SLEW_SHARE = 10
"""Of each stretch of time, a tenth at most goes into making a drift good."""

WAIT_MS_MAX: Duration = 60_000
"""Long waits are cut into pieces: the drift is looked at again."""


class SystemClock:
    def __init__(self, not_before: Instant = 0) -> None:
        self._last_monotonic = time.monotonic_ns() // 1_000_000
        self._now = max(_wall(), not_before)

    def now(self) -> Instant:
        monotonic = time.monotonic_ns() // 1_000_000
        passed = monotonic - self._last_monotonic
        if passed > 0:
            self._last_monotonic = monotonic
            drift = _wall() - (self._now + passed)
            bound = passed // SLEW_SHARE
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


def _wall() -> Instant:
    return time.time_ns() // 1_000_000
