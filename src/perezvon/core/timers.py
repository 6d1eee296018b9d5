"""Timers: events with a due time, kept by the engine, in its snapshot, fired in due order.

One timer a (kind, id): setting it again moves it. A cancelled one stays in the heap until it
comes up, which costs nothing but its place.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from heapq import heapify, heappop, heappush

from perezvon.core.ids import Instant


class TimerKind(StrEnum):
    OFFER_ENDS = "offer_ends"
    OFFER_SIGN = "offer_sign"
    """No sign of life from a telephone since it was rung."""
    PRESS_ONE = "press_one"
    STEP_ENDS = "step_ends"
    GAP_ENDS = "gap_ends"
    WAIT_ENDS = "wait_ends"
    PROMPT_ENDS = "prompt_ends"
    TALK_PROVED = "talk_proved"
    WITNESS = "witness"
    UNSEEN = "unseen"
    """One for all attempts of which the second witness has still to tell."""
    CLIENT_RINGS = "client_rings"
    TRANSFER_RINGS = "transfer_rings"
    """A number outside that is to take a client over."""
    REJOIN_RINGS = "rejoin_rings"
    REJOIN_ENDS = "rejoin_ends"
    """Who lost his telephone in mid-talk has not come back."""
    WRAP_UP_ENDS = "wrap_up_ends"
    REACHABLE_AGAIN = "reachable_again"
    SUPERVISOR_RINGS = "supervisor_rings"
    LOAN_ENDS = "loan_ends"
    """Of an agent, whichever of his loans is the first to end."""
    DEBT_TRY = "debt_try"
    DEBT_DEADLINE = "debt_deadline"
    DEBT_GIVE_UP = "debt_give_up"


@dataclass(frozen=True, slots=True)
class Timer:
    due_at: Instant
    order: int
    """Of setting: timers due at once fire in it."""
    kind: TimerKind
    id: str


@dataclass(slots=True)
class Timers:
    _heap: list[tuple[Instant, int, TimerKind, str]] = field(default_factory=list)
    _live: dict[tuple[TimerKind, str], int] = field(default_factory=dict)
    _count: int = 0

    def set(self, kind: TimerKind, id_: str, due_at: Instant) -> None:
        self._count += 1
        self._live[kind, id_] = self._count
        heappush(self._heap, (due_at, self._count, kind, id_))

    def cancel(self, kind: TimerKind, id_: str) -> None:
        self._live.pop((kind, id_), None)

    def has(self, kind: TimerKind, id_: str) -> bool:
        return (kind, id_) in self._live

    def next_due(self) -> Instant | None:
        heap, live = self._heap, self._live
        while heap:
            due_at, order, kind, id_ = heap[0]
            if live.get((kind, id_)) == order:
                return due_at
            heappop(heap)
        return None

    def pop_due(self, now: Instant) -> Timer | None:
        """Take the first timer that is due at `now`."""
        due_at = self.next_due()
        if due_at is None or due_at > now:
            return None
        due_at, order, kind, id_ = heappop(self._heap)
        del self._live[kind, id_]
        return Timer(due_at, order, kind, id_)

    def dump(self) -> list[Timer]:
        """Give all live timers, in an order of their own."""
        live = self._live
        return [
            Timer(due_at, order, kind, id_)
            for due_at, order, kind, id_ in sorted(self._heap)
            if live.get((kind, id_)) == order
        ]

    @classmethod
    def load(cls, timers: list[Timer]) -> "Timers":
        heap = [(timer.due_at, timer.order, timer.kind, timer.id) for timer in timers]
        heapify(heap)
        live = {(timer.kind, timer.id): timer.order for timer in timers}
        return cls(heap, live, max(live.values(), default=0))
