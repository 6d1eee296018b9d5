"""The engine's loop: journal first, then decide, then act.

Each turn takes what is in the inbox (or a `TimePassed` when a timer is due), makes it durable in
one commit together with the facts of the turn before, hands it to the engine, and hands the
commands to the switch. While no commit succeeds nothing is decided: the heartbeat stops, new
callers go to the fallback, and the inbox waits within its bound.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from perezvon.core import snapshot
from perezvon.core.engine import Engine
from perezvon.core.events import (
    ArrivalWitnessed,
    Event,
    LegEnded,
    LegRinging,
    PlanChanged,
    Resynced,
    TimePassed,
)
from perezvon.core.facts import Fact
from perezvon.core.ids import SECOND, Duration, Instant
from perezvon.core.invariants import check_lightly
from perezvon.runtime import faultpoint
from perezvon.runtime.faultpoint import Point
from perezvon.runtime.journal_thread import JournalThread
from perezvon.runtime.ports import (
    Batch,
    Clock,
    Directory,
    Journal,
    Person,
    Row,
    StoredFact,
    Switch,
    Unavailable,
)
from perezvon.runtime.recover import Recovery

log = structlog.get_logger("loop")

INBOX_MAX = 20_000
"""Beyond this an asker is refused, and the switch's events make us restart: the dialplan keeps
the callers meanwhile, which is better than answering them minutes late."""

TURN_MAX = 256
"""Events of one commit."""

RETRY_S = 0.5
"""Between two tries of a commit that failed."""

STALLED_MS: Duration = 2_500
"""A commit that takes longer: who waits is better off in the fallback. Together with the dead-man
(12 s) it stays under the 15 s that nobody is left without anyone."""

STOP_MS: Duration = 5 * SECOND
"""How long a stop waits for a disk that stands still. What it has not taken by then was never
acknowledged to anybody."""

FACTS_MS: Duration = 100
"""Facts wait so long for a next turn to be committed with. A crash loses none: a replay tells them
again; but a commit of their own after every turn would be every second commit.
"""

GATHER_MS: Duration = 20
"""An event that nobody's ear waits for waits so long for others to be committed with: at 20 calls
a second every second commit is saved. A crash loses of these what it loses of those on their way
to us: the audit tells it.
"""

UNHURRIED = (ArrivalWitnessed, LegEnded, LegRinging)
"""Who arrives or answers hears what we decide, and an asker waits for his answer; the rest of a
call's events may wait as `GATHER_MS` says.
"""

SNAPSHOT_ROWS = 5_000
"""A snapshot is taken after so many rows at the latest, over all lives since the last one: else a
replay grows with every restart of an engine that never lives for a minute.
"""


class Poisoned(Exception):  # noqa: N818 - says what happened
    """An event made the core fail. The row is marked; the process has to start anew."""

    def __init__(self, seq: int, times: int, error: str) -> None:
        super().__init__(f"row {seq} made the core fail ({times} in 10 minutes): {error}")
        self.times = times


class InboxFull(Exception):  # noqa: N818 - says what happened
    """The switch tells more than we can decide: start anew and audit it."""


class Meter(Protocol):
    """Is told of each turn; lengths in seconds."""

    def turned(self, facts: Sequence[Fact], lags_s: Sequence[float], commit_s: float) -> None: ...


@dataclass(slots=True)
class _Item:
    event: Event
    done: asyncio.Future[None] | None = None
    witness_offset: dict[str, int] | None = None
    put_at: float = field(default_factory=time.monotonic)


class Loop:
    """Drives one engine. `run` ends by `stop`, or raises `Poisoned` or `InboxFull`."""

    def __init__(
        self,
        recovery: Recovery,
        journal: Journal,
        switch: Switch,
        clock: Clock,
        directory: Directory,
        *,
        snapshot_every_ms: Duration = 60 * SECOND,
        meter: Meter | None = None,
    ) -> None:
        self.engine: Engine = recovery.engine
        self.durable = True
        """Whether the last commit succeeded: without it there is no heartbeat."""
        self.trouble = ""
        """Why nothing becomes durable, in the store's words; empty when it does."""
        self.audited = asyncio.Event()
        """Set when the first audit of the switch since the start was handled."""
        self._journal = journal
        self._switch = switch
        self._clock = clock
        self._directory = directory
        self._meter = meter
        self._snapshot_every_ms = snapshot_every_ms
        self._seq = recovery.seq
        self._snapshot_seq = recovery.snapshot_seq
        self._snapshot_at = clock.now()
        self._facts: list[StoredFact] = list(recovery.facts)
        self._facts_due_at: Instant = 0
        self._carried_out = recovery.seq if not recovery.unknown else 0
        self._persons: list[Person] = []
        self._inbox: deque[_Item] = deque()
        self._inbox_due_at: Instant = 0
        """When what is in the inbox must be taken at the latest."""
        self._woken = asyncio.Event()
        self._stopping = False
        self._overflown = False
        # A slow disk must not stop us from reading the switch.
        self._thread = JournalThread()
        self._patience: asyncio.Timeout | None = None
        """Of a stop, while `run` runs."""
        switch.expect(recovery.unknown)
        switch.learn_plan(self.engine.plan)
        if recovery.first_plan is not None:
            self.put(PlanChanged(recovery.first_plan))

    @property
    def inbox_length(self) -> int:
        return len(self._inbox)

    @property
    def told(self) -> bool:
        """All facts so far are durable; without it some wait for the next commit."""
        return not self._facts

    # The inbox.

    def put(self, event: Event) -> None:
        """Take an event of the switch. From the loop's own thread."""
        if len(self._inbox) >= INBOX_MAX:
            self._overflown = True
            self._woken.set()
        else:
            self._take_in(_Item(event))

    def put_witnessed(self, events: Sequence[Event], offsets: dict[str, int]) -> None:
        """Take what the second witness saw; the offsets become durable with the last of it."""
        items = [_Item(event) for event in events]
        items[-1].witness_offset = offsets
        for item in items:
            self._take_in(item)

    async def submit(self, event: Event) -> None:
        """Put an asker's event; returns when it was handled. `Unavailable` when it cannot be."""
        if len(self._inbox) >= INBOX_MAX // 2 or not self.keeps_up or self._stopping:
            raise Unavailable("the engine cannot take it now")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._take_in(_Item(event, done))
        await done

    def _take_in(self, item: _Item) -> None:
        due_at = self._clock.now()
        if item.done is None and isinstance(item.event, UNHURRIED):
            due_at += GATHER_MS
        if not self._inbox or due_at < self._inbox_due_at:
            self._inbox_due_at = due_at
            self._woken.set()
        self._inbox.append(item)

    async def prove(self) -> None:
        """Make a commit for the heartbeat. Raises `Unavailable`."""
        try:
            await self._thread.run(self._journal.ping)
        except Unavailable as error:
            self.trouble = str(error)
            raise
        if self.durable:
            self.trouble = ""

    @property
    def keeps_up(self) -> bool:
        """Whether what happens now becomes durable soon enough to be acted on."""
        return self.durable and not self.trouble and self._thread.busy_ms < STALLED_MS

    @property
    def journal_slow_ms(self) -> Duration:
        """How long a commit took, or takes, that was slow of late; 0 when none was."""
        return self._thread.slow_ms

    async def trim(self, facts_copied: int) -> int:
        """Let the journal drop what is old; see `Journal.drop_before`."""
        now = self.now
        return await self._thread.run(
            lambda: self._journal.drop_before(now, facts_copied=facts_copied)
        )

    def stop(self) -> None:
        if self._patience is not None and not self._stopping:
            self._patience.reschedule(asyncio.get_running_loop().time() + STOP_MS / SECOND)
        self._stopping = True
        self._woken.set()

    # Turns.

    async def run(self) -> None:
        """Turn until stopped; then leave a snapshot of the last row, if the disk takes it."""
        try:
            async with asyncio.timeout(STOP_MS / SECOND if self._stopping else None) as patience:
                self._patience = patience
                await self._turn_until_stopped()
        except TimeoutError:
            if not patience.expired():
                raise
            log.critical("journal_left_behind", trouble=self.trouble, busy_ms=self._thread.busy_ms)
        finally:
            self._patience = None
            for item in self._inbox:
                _tell(item, Unavailable("the engine is stopping"))
            self._thread.close(0 if self._thread.busy_ms else STOP_MS)

    async def _turn_until_stopped(self) -> None:
        while not self._stopping:
            if self._overflown:
                raise InboxFull
            await self._turn_or_wait()
        await self._commit([], [])
        await self._take_snapshot()

    async def _turn_or_wait(self) -> None:
        self._woken.clear()
        items = self._next_items()
        if items:
            await self._turn(items)
            if self._snapshot_is_due():
                await self._take_snapshot()
            return
        alone = self._facts and not self._inbox
        if alone and self._clock.now() >= self._facts_due_at:
            await self._commit([], [])
            return
        moments = [
            self.engine.next_deadline(),
            self._facts_due_at if alone else None,
            self._inbox_due_at if self._inbox else None,
        ]
        wake_at = min((moment for moment in moments if moment is not None), default=None)
        await self._clock.wait(self._woken, wake_at)

    def _next_items(self) -> list[_Item]:
        """Give all that is in the inbox once something of it is due, or a timer is."""
        now, deadline = self._clock.now(), self.engine.next_deadline()
        timer_is_due = deadline is not None and deadline <= now
        if self._inbox and (timer_is_due or self._inbox_due_at <= now):
            return [self._inbox.popleft() for _ in range(min(TURN_MAX, len(self._inbox)))]
        return [_Item(TimePassed())] if timer_is_due else []

    async def _turn(self, items: list[_Item]) -> None:
        now = self._clock.now()
        rows = [Row(self._seq + n, now, item.event) for n, item in enumerate(items, start=1)]
        offsets = [item.witness_offset for item in items if item.witness_offset is not None]
        begun_at = time.monotonic()
        await self._commit(rows, items, offsets[-1] if offsets else None)
        commit_s = time.monotonic() - begun_at
        if self._stopping and not self.durable:
            return
        self._seq = rows[-1].seq
        facts: list[Fact] = []
        faultpoint.reach(Point.LOOP_TURN, RuntimeError)
        for row, item in zip(rows, items, strict=True):
            facts += await self._handle(row)
            _tell(item, None)
        if self._meter is not None:
            ended_at = time.monotonic()
            self._meter.turned(facts, [ended_at - item.put_at for item in items], commit_s)

    async def _handle(self, row: Row) -> tuple[Fact, ...]:
        try:
            step = self.engine.handle(row.event, row.now)
            check_lightly(self.engine)
        except Exception as error:  # whatever the core raises is our own bug, of any kind
            log.exception("poison_event", seq=row.seq, leg=getattr(row.event, "leg", None))
            what = repr(error)
            times = await self._thread.run(
                lambda: self._journal.mark_poisoned(row.seq, row.now, what)
            )
            raise Poisoned(row.seq, times, what) from error
        if isinstance(row.event, PlanChanged):
            self._switch.learn_plan(self.engine.plan)
        elif isinstance(row.event, Resynced):
            self.audited.set()
        if not self._facts:
            self._facts_due_at = row.now + FACTS_MS
        self._facts += (StoredFact(row.seq, n, fact) for n, fact in enumerate(step.facts))
        self._switch.carry_out(step.commands)
        self._carried_out = row.seq
        return step.facts

    async def _commit(
        self,
        rows: Sequence[Row],
        items: Sequence[_Item],
        witness_offset: dict[str, int] | None = None,
    ) -> None:
        """Make it durable, however long it takes; stopping is the only way to give up."""
        self._persons += self._directory.drain()
        batch = Batch(rows, self._facts, self._carried_out, self._persons, witness_offset)
        while True:
            try:
                await self._thread.run(lambda: self._journal.commit(batch))
            except Unavailable as error:
                if self.durable:
                    log.exception("journal_unavailable")
                self.durable, self.trouble = False, str(error)
                for item in items:
                    _tell(item, error)
                if self._stopping:
                    return
                await asyncio.sleep(RETRY_S)
            else:
                if not self.durable:
                    log.warning("journal_is_back")
                self.durable, self.trouble = True, ""
                self._facts, self._persons = [], []
                return

    def _snapshot_is_due(self) -> bool:
        rows = self._seq - self._snapshot_seq
        late = self._clock.now() - self._snapshot_at >= self._snapshot_every_ms
        return rows >= SNAPSHOT_ROWS or (rows > 0 and late)

    async def _take_snapshot(self) -> None:
        seq, now = self._seq, self.engine.now
        if seq == self._snapshot_seq and seq > 0:
            return
        data = snapshot.take(self.engine)
        try:
            # A snapshot may not be ahead of the facts it stands on.
            await self._commit([], [])
            await self._thread.run(lambda: self._journal.save_snapshot(seq, now, data))
        except Unavailable as error:
            log.warning("no_snapshot", error=str(error))
        self._snapshot_seq, self._snapshot_at = seq, self._clock.now()

    @property
    def now(self) -> Instant:
        return self._clock.now()


def _tell(item: _Item, error: Exception | None) -> None:
    if item.done is None or item.done.done():
        return
    if error is None:
        item.done.set_result(None)
    else:
        item.done.set_exception(error)
