"""Looks again and again whether the engine process itself is well, and tells it by alerts.

Four times a second, in the event loop: how late that look is, is how long the loop did nothing
else. Two clocks are compared, the one that people can set and the one that they cannot. And the
store is asked what keeps it from being durable, and how slow it is.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

from perezvon.core.ids import SECOND, Duration, Instant
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.clock import monotonic_ms, wall_ms

LOOK_MS: Duration = 250
LATE_MS: Duration = 1 * SECOND
"""A loop that is held up so long answers nobody meanwhile."""

WELL_AFTER_MS: Duration = 10 * SECOND
"""It is called slow until no look was late for so long."""

STEP_MS: Duration = 2 * SECOND
"""Between two looks; a clock that is merely adjusted differs by far less."""


class Kept(Protocol):
    """What the watch asks the loop for."""

    trouble: str

    @property
    def journal_slow_ms(self) -> Duration: ...


class Watch:
    """One look is `look`; `run` looks for ever."""

    def __init__(
        self,
        loop: Kept,
        alerts: Alerts,
        *,
        wall: Callable[[], Instant] = wall_ms,
        monotonic: Callable[[], Duration] = monotonic_ms,
    ) -> None:
        self._loop = loop
        self._alerts = alerts
        self._wall = wall
        self._monotonic = monotonic
        self._looked: tuple[Duration, Instant] | None = None
        self._late_at: Duration | None = None
        self.late_ms: Duration = 0
        """Of the last look: how long the event loop was held up."""

    async def run(self) -> None:
        while True:
            self.look()
            await asyncio.sleep(LOOK_MS / SECOND)

    def look(self) -> None:
        now, wall = self._monotonic(), self._wall()
        if self._looked is not None:
            passed = now - self._looked[0]
            self._look_at_loop(now, passed)
            self._look_at_clock(wall - self._looked[1] - passed)
        self._looked = now, wall
        self._look_at_journal()

    def _look_at_loop(self, now: Duration, passed: Duration) -> None:
        self.late_ms = max(0, passed - LOOK_MS)
        if self.late_ms > LATE_MS:
            self._late_at = now
            self._alerts.raise_(AlertKind.LOOP_SLOW, "", f"held up for {self.late_ms} ms")
        elif self._late_at is None or now - self._late_at >= WELL_AFTER_MS:
            self._late_at = None
            self._alerts.clear(AlertKind.LOOP_SLOW)

    def _look_at_clock(self, step: Duration) -> None:
        if abs(step) > STEP_MS:
            self._alerts.note(AlertKind.CLOCK_STEPPED, "", f"the machine's by {step:+} ms")

    def _look_at_journal(self) -> None:
        trouble, slow_ms = self._loop.trouble, self._loop.journal_slow_ms
        self._alerts.set(AlertKind.JOURNAL_UNAVAILABLE, "", wrong=bool(trouble), detail=trouble)
        self._alerts.set(
            AlertKind.JOURNAL_SLOW, "", wrong=slow_ms > 0, detail=f"a commit took {slow_ms} ms"
        )
