"""What the engine process needs of the world, as it needs it. Adapters are elsewhere.

- `Switch`: `asterisk.switch.AsteriskSwitch`, `sim.realtime.SimulatedSwitch`.
- `Journal`: `store.journal.SqlJournal`.
- `Clock`: `runtime.clock`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from perezvon.core.commands import Command
from perezvon.core.events import ArrivalWitnessed, Event
from perezvon.core.facts import Fact
from perezvon.core.ids import Instant, LegId, PersonId
from perezvon.core.plan import Plan


class Unavailable(Exception):  # noqa: N818 - the style's name for "a dependency is down"
    """A dependency is down; the asker tries again later."""


class LeaseLost(RuntimeError):  # noqa: N818 - says what happened
    """Another engine writes now: this one must end at once, without another command."""


class Clock(Protocol):
    """Tells and passes the time. Never goes back."""

    def now(self) -> Instant: ...

    async def wait(self, woken: asyncio.Event, due_at: Instant | None) -> None:
        """Return when `woken` is set, or at `due_at` (None: only when woken)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One journalled input. `seq` grows by one; a turn has one row or more."""

    seq: int
    now: Instant
    event: Event


@dataclass(frozen=True, slots=True)
class StoredFact:
    """Keyed (seq, n): the n-th fact of the turn of row `seq`. A replay makes the same key."""

    seq: int
    n: int
    fact: Fact


@dataclass(frozen=True, slots=True)
class Person:
    """Who stands behind a PersonId; kept in the erasable table."""

    person: str
    number: str
    """E.164."""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one commit makes durable, in one transaction."""

    rows: Sequence[Row]
    facts: Sequence[StoredFact] = ()
    """Of turns before; a key that is there already is left as it is."""
    carried_out: int = 0
    """Commands of rows up to this seq were handed to the switch (the mark)."""
    persons: Sequence[Person] = ()
    witness_offset: dict[str, int] | None = None
    """All that the second witness has to remember, in place of what it had before."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What the journal has of us after a start."""

    era: str
    """Drawn when the store was created or restored: `{tenant}-{letters}`."""
    snapshot_seq: int
    snapshot: bytes | None
    snapshot_plan: Plan | None
    """The plan under which the snapshot was taken."""
    rows: Sequence[Row]
    """After the snapshot, in order."""
    carried_out: int
    poisoned: frozenset[int]
    """Rows that made the core fail: not replayed."""
    plan: Plan | None
    """The newest applied plan."""
    witness_offset: dict[str, int]


class Journal(Protocol):
    """The engine's own writer. Calls block; the loop runs them in its journal thread.

    Any of them may raise `LeaseLost`.
    """

    def recover(self) -> Recovered: ...

    def commit(self, batch: Batch) -> None:
        """Durable when it returns. Raises `Unavailable` when the disk or the database is not
        there (full, read-only, gone): then nothing of the batch was kept.
        """

    def save_snapshot(self, seq: int, now: Instant, data: bytes) -> None: ...

    def mark_poisoned(self, seq: int, now: Instant, error: str) -> int:
        """Note that row `seq` made the core fail; returns how often any row did so in the last
        10 minutes.
        """

    def drop_before(self, now: Instant, *, facts_copied: int) -> int:
        """Take out rows past their keeping time that a snapshot covers, some thousands at most;
        facts go with them, but none after `facts_copied`. Returns how many rows went.
        """

    def ping(self) -> None:
        """Prove that a commit is possible: part of the heartbeat."""

    def close(self) -> None: ...


Sink = Callable[[Event], None]
"""Where a switch puts its events, from the event loop's own thread, in order."""


class Switch(Protocol):
    """The telephone switch. Failures of commands come as events, never as exceptions."""

    @property
    def linked(self) -> bool:
        """Whether commands reach it now."""

    async def start(self, sink: Sink) -> None:
        """Connect and begin to hand events over. Returns when the first connection stands;
        afterwards it reconnects by itself, and after each connection puts a `Resynced`
        (after `CallFellBack` of callers whom the fallback has, before what was heard meanwhile)
        into the sink. Commands given without a connection, or while the audit is taken, are not
        sent: their legs are in `gone` as `NEVER_MADE`.
        """

    def carry_out(self, commands: Iterable[Command]) -> None:
        """Send, in order per call, without waiting."""

    def learn_plan(self, plan: Plan) -> None:
        """Names, devices, trunks and sounds of the plan, from now on."""

    def expect(self, commands: Iterable[Command]) -> None:
        """After a crash: commands that may or may not have been sent. The next `Resynced` tells
        `NEVER_MADE` in `gone` for legs of theirs that never existed.
        """

    def protect(self, waiting: Iterable[LegId], talking: Iterable[LegId]) -> None:
        """Refresh the dead-man of these callers; called by the loop every refresh period."""

    async def heartbeat(self, proof: Callable[[], Awaitable[None]]) -> bool:
        """One beat of the guard: go round by the switch and our own loop, await `proof` (a
        commit), then tell the dialplan that we are alive. False when anything of it failed.
        """

    async def stop(self) -> None: ...


class Directory(Protocol):
    """Numbers and names behind the PersonIds: `store.persons.SqlDirectory`.

    The only place where the engine process holds them. New persons are kept in memory until the
    loop takes them with `drain` into the batch of the turn that mentions them. Whom it does not
    have in memory it looks up, and raises `Unavailable` when the database is not there.
    """

    def person_of(self, number: str, name: str = "") -> PersonId:
        """The stable id of the client with this number (E.164, or the digits as they came)."""

    def number_of(self, person: PersonId) -> str | None:
        """None when it was erased or never known."""

    def name_of(self, person: PersonId) -> str: ...

    def drain(self) -> list[Person]: ...


class Witness(Protocol):
    """The second witness: CEL and queue_log, read on from where the journal says."""

    @property
    def trouble(self) -> str:
        """Why not all is told, in words; empty when it is."""

    @property
    def behind(self) -> bool:
        """There is more to read at once."""

    def poll(self) -> tuple[Sequence[ArrivalWitnessed], dict[str, int]]:
        """What ended since the last poll, and the offset to commit together with it, whole.

        Bounded and quick: called from the loop's own thread. What keeps it from reading is in
        `trouble`, never an exception.
        """
