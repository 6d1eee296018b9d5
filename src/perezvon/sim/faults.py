"""What may go wrong, and how much of it: one seed draws which faults are on at all (a swarm).

Runs with everything on at once hide bugs: two faults can excuse each other. So each run has its
own handful.
"""

from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

from perezvon.core.events import (
    AgentGivenBack,
    AgentLent,
    AgentStatusSet,
    ArrivalWitnessed,
    CallbackAsked,
    DebtAssigned,
    DeviceChosen,
    DialAsked,
    Event,
    LegEnded,
    PlanChanged,
    RejoinAsked,
    SuperviseAsked,
    SuperviseEndAsked,
    TransferAsked,
    TransferCancelAsked,
    TransferCompletionAsked,
    WaiverGiven,
)
from perezvon.core.ids import MINUTE, SECOND, Duration, Instant


@dataclass(frozen=True, slots=True)
class Faults:
    """Shares are of events or commands; a mean time between is in ms, 0 means never."""

    drop: float = 0.0
    repeat: float = 0.0
    delay: float = 0.0
    delay_ms_max: Duration = 3 * SECOND
    command_lost: float = 0.0
    command_late: float = 0.0
    command_late_ms_max: Duration = 2 * SECOND
    crash_every_ms: Duration = 0
    down_ms_max: Duration = 4 * SECOND
    """Longer than the dead-man: callers fall back to the switch's own queue."""
    torn: float = 0.5
    """Share of the crashes that hit between the journal and the commands."""
    phone_gone_every_ms: Duration = 0
    trunk_down_every_ms: Duration = 0
    clock_jump_every_ms: Duration = 0
    same_ms: float = 0.0
    switch_dies_every_ms: Duration = 0
    dies_together: float = 0.0
    """Share of the switch's deaths in which the engine dies too."""
    row_lost: float = 0.0
    """Of the second witness."""
    audit_every_ms: Duration = 0
    stale_audit: float = 0.0
    """Share of audits that are older than what is heard, and done, before them."""

    @property
    def any(self) -> bool:
        return self != NONE


NONE = Faults()


def swarm(seed: int) -> Faults:
    """Each fault is on in some runs only, at a rate of its own."""
    rng = Random(f"swarm {seed}")

    def share(most: float) -> float:
        return most * rng.random() ** 2 if rng.random() < 0.4 else 0.0  # noqa: PLR2004 - a coin

    def every(least: Duration, most: Duration) -> Duration:
        return rng.randint(least, most) if rng.random() < 0.4 else 0  # noqa: PLR2004 - a coin

    return Faults(
        drop=share(0.1),
        repeat=share(0.2),
        delay=share(0.3),
        delay_ms_max=rng.choice((5, 300, 5 * SECOND)),
        command_lost=share(0.3),
        command_late=share(0.3),
        command_late_ms_max=rng.choice((5, 300, 3 * SECOND)),
        crash_every_ms=every(40 * SECOND, 10 * MINUTE),
        down_ms_max=rng.choice((1 * SECOND, 4 * SECOND, 60 * SECOND)),
        torn=rng.random(),
        phone_gone_every_ms=every(20 * SECOND, 10 * MINUTE),
        trunk_down_every_ms=every(2 * MINUTE, 20 * MINUTE),
        clock_jump_every_ms=every(MINUTE, 10 * MINUTE),
        same_ms=rng.choice((0.0, 0.3, 1.0)),
        audit_every_ms=60 * SECOND,
        stale_audit=rng.choice((0.0, 0.5)),
        switch_dies_every_ms=every(MINUTE, 8 * MINUTE),
        dies_together=rng.choice((0.0, 0.3)),
        row_lost=share(0.2),
    )


CERTAIN = (
    AgentStatusSet,
    PlanChanged,
    WaiverGiven,
    DebtAssigned,
    CallbackAsked,
    DeviceChosen,
    DialAsked,
    TransferAsked,
    TransferCompletionAsked,
    TransferCancelAsked,
    RejoinAsked,
    AgentLent,
    AgentGivenBack,
    SuperviseAsked,
    SuperviseEndAsked,
)
"""A person's acts: acknowledged only when they are durable, so they are not lost or repeated."""


class Line:
    """The way from the world to the engine: it loses, repeats and delays; a leg's own events
    keep their order, but for repetitions.
    """

    def __init__(self, faults: Faults, rng: Random) -> None:
        self.faults = faults
        self.lost: dict[str, LegEnded] = {}
        """Ends that nobody heard of: an audit may tell their cause."""
        self._rng = rng
        self._heap: list[tuple[Instant, int, Event]] = []
        self._count = 0
        self._last_at: dict[str, Instant] = {}

    def next_at(self) -> Instant | None:
        return self._heap[0][0] if self._heap else None

    def put(self, event: Event, now: Instant) -> bool:
        """Send it off; False when a fault touched it."""
        faults, rng = self.faults, self._rng
        clean = True
        if isinstance(event, CERTAIN):
            self._push(now, event)
            return True
        witnessed = isinstance(event, ArrivalWitnessed)
        if not witnessed and rng.random() < faults.drop:
            if isinstance(event, LegEnded):
                self.lost[event.leg] = event
            return False
        due_at = now
        if rng.random() < faults.delay:
            due_at += rng.randint(1, faults.delay_ms_max)
            clean = False
        leg = getattr(event, "leg", None)
        if leg is not None and not witnessed:
            due_at = max(due_at, self._last_at.get(leg, 0))
            self._last_at[leg] = due_at
        self._push(due_at, event)
        if rng.random() < faults.repeat:
            self._push(due_at + rng.randint(0, 2 * SECOND), event)
            clean = False
        return clean and due_at == now

    def take(self, now: Instant) -> Event | None:
        if self._heap and self._heap[0][0] <= now:
            return heappop(self._heap)[2]
        return None

    def take_all(self) -> list[Event]:
        """Everything under way, in order: heard before an audit, or lost with the engine."""
        events = [event for _, _, event in sorted(self._heap, key=lambda row: row[:2])]
        self._heap.clear()
        self._last_at.clear()
        return events

    def _push(self, due_at: Instant, event: Event) -> None:
        self._count += 1
        heappush(self._heap, (due_at, self._count, event))
