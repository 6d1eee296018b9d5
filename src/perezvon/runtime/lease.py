"""The lease of the one writer, as its own clock sees it: may this process still act outside?

A standby takes over when the leader's row has not changed for `LEASE_MS` by the standby's clock.
So the leader may act only until `LEASE_MS - MARGIN_MS` after the *beginning* of its last commit:
whoever slept through his replacement finds the lease over before he learns of it from the store.
Neither looks at a wall clock, and neither compares its clock with the other's.
"""

import time
from threading import Lock
from typing import Final

from perezvon.core.ids import SECOND, Duration

LEASE_MS: Final[Duration] = 6 * SECOND
"""Less than the dead-man of a waiting caller (12 s) and what a takeover itself needs."""

MARGIN_MS: Final[Duration] = 1 * SECOND
"""Given up by the leader: clocks that run unevenly, and a frame's way to the switch."""

RENEW_MS: Final[Duration] = 1 * SECOND
"""The leader commits at least so often, whatever the switch does."""

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""It goes on while the machine sleeps, where there is such a one."""


def elapsed_ms() -> Duration:
    """Of the machine's time since its start. Never goes back."""
    return time.clock_gettime_ns(_CLOCK) // 1_000_000


class Lease:
    """Renewed by the writer's thread, asked before each outside action by the loop's own."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._held_until = 0
        self._lost = False

    def held(self) -> bool:
        """The fence: without it nothing is sent, connected or told to the world."""
        return not self._lost and elapsed_ms() < self._held_until

    def renew(self, begun_at: Duration) -> None:
        """A commit of ours that began at `begun_at` (of `elapsed_ms`) succeeded."""
        with self._mutex:
            self._held_until = max(self._held_until, begun_at + LEASE_MS - MARGIN_MS)

    def doubt(self) -> None:
        """What kept others out may be gone: not held until the next commit."""
        with self._mutex:
            self._held_until = 0

    def lose(self) -> None:
        """Another one writes. Never held again."""
        self._lost = True

    @property
    def age_ms(self) -> Duration:
        """Since the beginning of the commit that renewed it; great when it is in doubt."""
        return elapsed_ms() - (self._held_until - LEASE_MS + MARGIN_MS)
