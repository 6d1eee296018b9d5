"""The journal: every input of the engine, durable before it is handled; its one writer.

A commit is all or nothing, in order and of the current epoch. Each row keeps the digest of the
row before, so that a row that was changed or taken out is noticed. Failures are of three kinds:
`Unavailable` (nothing was kept, try again), `LeaseLost` (end at once), and what is our own bug or
a damaged file (`JournalDamaged`, `OutOfOrder`, `CodecError`).
"""

import hashlib
import os
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from typing import Final, Self

import structlog
from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from perezvon.core.events import PlanChanged
from perezvon.core.ids import DAY, MINUTE, Duration, Instant, PersonId, PlanVersion, TenantId
from perezvon.core.plan import Plan
from perezvon.core.snapshot import SnapshotError, plan_version
from perezvon.runtime.lease import Lease
from perezvon.runtime.ports import Batch, LeaseLost, Recovered, Row, Unavailable
from perezvon.store import persons, plans, schema
from perezvon.store.codec import CodecError, PlanOf, decode_event, encode_event, encode_fact
from perezvon.store.database import (
    Database,
    Location,
    insert_into,
    insert_on,
    unavailable_when_down,
)
from perezvon.store.eras import get_meta, put_meta
from perezvon.store.leader import GENESIS, Head, Writer
from perezvon.store.prepared import Prepared

__all__ = ["GENESIS", "JournalDamaged", "LeaseLost", "OutOfOrder", "SqlJournal", "verify"]

log = structlog.get_logger("journal")

SNAPSHOTS_KEPT: Final = 3
RETENTION_MS: Final = 30 * DAY
POISON_WINDOW_MS: Final = 10 * MINUTE
DROP_MAX: Final = 5_000
"""Rows that one call of `drop_before` takes: a commit of the engine never waits longer."""
VERIFY_PAGE: Final = 2_000


_KEEP_ROWS: Final = Prepared(
    lambda _dialect: insert(schema.journal), ("seq", "at", "epoch", "body", "hash_prev")
)
_KEEP_FACTS: Final = Prepared(
    lambda dialect: insert_on(dialect, schema.journal_facts).on_conflict_do_nothing(),
    ("seq", "n", "body"),
)
_MOVE_HEAD: Final = Prepared(
    lambda _dialect: update(schema.leader).values(
        seq=bindparam("seq"), hash=bindparam("hash"), carried_out=bindparam("carried_out")
    )
)


class OutOfOrder(RuntimeError):  # noqa: N818 - says what happened
    """A row that does not follow the last one: a gap, or a seq for the second time."""


class JournalDamaged(RuntimeError):  # noqa: N818 - says what is
    """The rows contradict one another: somebody or something changed the file."""


def wall_clock() -> Instant:
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class _Link:
    """A row as it is stored, and the digest that the next row keeps of it."""

    seq: int
    at: Instant
    epoch: int
    body: bytes
    hash_prev: bytes

    def digest(self) -> bytes:
        head = f"{self.seq} {self.at} {self.epoch} ".encode()
        return hashlib.sha256(self.hash_prev + head + self.body).digest()


@dataclass(frozen=True, slots=True)
class _Snapshot:
    seq: int
    data: bytes
    plan: Plan | None


class SqlJournal:
    """`runtime.ports.Journal`. Made by `open`; one thread at a time is let in."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._in_doubt = False
        """The last commit failed at a moment when the database may have kept it."""

    @classmethod
    def open(
        cls,
        location: Location,
        *,
        tenant: TenantId,
        wait_ms: Duration = 3_000,
        clock: Callable[[], Instant] = wall_clock,
    ) -> Self:
        """Become the one writer. Raises `EngineRunning` when another engine is alive."""
        with _closed_on_error(Writer(location, tenant=tenant, holder=_us(), clock=clock)) as writer:
            writer.take(wait_ms)
        return cls(writer)

    @classmethod
    def stand_by(
        cls,
        location: Location,
        stopped: Event,
        *,
        tenant: TenantId,
        clock: Callable[[], Instant] = wall_clock,
    ) -> Self | None:
        """Become the one writer when the one that leads is gone. None when `stopped` before."""
        with _closed_on_error(Writer(location, tenant=tenant, holder=_us(), clock=clock)) as writer:
            if writer.stand_by(stopped):
                return cls(writer)
        writer.close()
        return None

    @property
    def lease(self) -> Lease:
        """Whether we may act outside; see `runtime.lease`."""
        return self._writer.lease

    @property
    def era(self) -> str:
        return self._writer.era

    @property
    def epoch(self) -> int:
        return self._writer.epoch

    @property
    def forerunner(self) -> str:
        """Machine and process of the engine that led before; empty in a new store."""
        return self._writer.forerunner

    def recover(self) -> Recovered:
        with self._writer.transaction() as (connection, head):
            snapshot = _newest_snapshot(connection)
            after = snapshot.seq if snapshot is not None else 0
            rows = tuple(_read_rows(connection, after, head))
            return Recovered(
                era=self._writer.era,
                snapshot_seq=after,
                snapshot=snapshot.data if snapshot is not None else None,
                snapshot_plan=snapshot.plan if snapshot is not None else None,
                rows=rows,
                carried_out=head.carried_out,
                poisoned=frozenset(connection.scalars(select(schema.poisoned.c.seq))),
                plan=plans.newest_plan(connection),
                witness_offset={
                    row.file: row.offset for row in connection.execute(select(schema.witness))
                },
            )

    def commit(self, batch: Batch) -> None:
        try:
            with self._writer.transaction() as (connection, head):
                self._append(connection, head, batch)
        except Unavailable:
            self._in_doubt = True
            raise
        self._in_doubt = False

    def save_snapshot(self, seq: int, now: Instant, data: bytes) -> None:
        with self._writer.transaction() as (connection, _head):
            kept = schema.snapshots
            connection.execute(
                insert_into(connection, kept)
                .values(seq=seq, at=now, data=data)
                .on_conflict_do_update(index_elements=["seq"], set_={"at": now, "data": data})
            )
            newest = select(kept.c.seq).order_by(kept.c.seq.desc()).limit(SNAPSHOTS_KEPT)
            connection.execute(delete(kept).where(kept.c.seq.not_in(newest.scalar_subquery())))

    def mark_poisoned(self, seq: int, now: Instant, error: str) -> int:
        with self._writer.transaction() as (connection, _head):
            table = schema.poisoned
            connection.execute(insert(table).values(seq=seq, at=now, error=error[:2_000]))
            count = connection.scalar(
                select(func.count()).where(table.c.at > now - POISON_WINDOW_MS)
            )
            return int(count or 0)

    def ping(self) -> None:
        # Claiming the leader's row is a write of its own.
        with self._writer.transaction():
            pass

    def erase_person(self, person: PersonId, now: Instant) -> bool:
        """Number and name are gone for good; a tombstone stays. False when nobody was there."""
        with self._writer.transaction() as (connection, _head):
            return persons.erase(connection, person, now)

    def drop_before(self, now: Instant, *, facts_copied: int) -> int:
        """Take out rows that are old and covered by every kept snapshot, `DROP_MAX` at most.

        Facts go with their rows, but none that `store.projection` has not copied yet:
        `facts_copied` is its cursor. Returns how many rows went; call again until it is 0.
        """
        with self._writer.transaction() as (connection, head):
            last = _droppable(connection, now - RETENTION_MS)
            if last is None:
                return 0
            digest = head.digest if last == head.seq else _hash_prev(connection, last + 1)
            put_meta(connection, "dropped", f"{last} {digest.hex()}")
            gone = connection.execute(
                delete(schema.journal).where(schema.journal.c.seq <= last)
            ).rowcount
            facts = schema.journal_facts
            connection.execute(delete(facts).where(facts.c.seq <= last, facts.c.id <= facts_copied))
            return int(gone)

    def close(self) -> None:
        self._writer.close()

    def _append(self, connection: Connection, head: Head, batch: Batch) -> None:
        links = list(self._links(connection, head, batch.rows))
        fresh = [link for link in links if link.seq > head.seq]
        _KEEP_ROWS.run_each(
            connection,
            [
                {
                    "seq": link.seq,
                    "at": link.at,
                    "epoch": link.epoch,
                    "body": link.body,
                    "hash_prev": link.hash_prev,
                }
                for link in fresh
            ],
        )
        _keep_plans(connection, batch.rows)
        _KEEP_FACTS.run_each(
            connection,
            [
                {"seq": fact.seq, "n": fact.n, "body": encode_fact(fact.fact)}
                for fact in batch.facts
            ],
        )
        persons.keep(connection, batch.persons)
        if batch.witness_offset is not None:
            _keep_offsets(connection, batch.witness_offset)
        _MOVE_HEAD.run(
            connection,
            {
                "seq": fresh[-1].seq if fresh else head.seq,
                "hash": fresh[-1].digest() if fresh else head.digest,
                "carried_out": max(head.carried_out, batch.carried_out),
            },
        )

    def _links(self, connection: Connection, head: Head, rows: Sequence[Row]) -> Iterator[_Link]:
        """The rows as links of the chain. After a doubtful commit they may be there already."""
        if not rows:
            return
        before, digest = head.seq, head.digest
        if self._in_doubt and rows[0].seq <= head.seq:
            before = rows[0].seq - 1
            digest = _hash_prev(connection, rows[0].seq)
        for row in rows:
            if row.seq != before + 1:
                raise OutOfOrder(f"row {row.seq} cannot follow row {before}")
            link = _Link(row.seq, row.now, self.epoch, encode_event(row.event), digest)
            before, digest = row.seq, link.digest()
            if row.seq == head.seq and digest != head.digest:
                raise OutOfOrder(f"row {row.seq} is there already, and it is another one")
            yield link
        if before < head.seq:
            raise OutOfOrder(f"rows after {before} are there already")


def _us() -> str:
    return f"{socket.gethostname()} pid {os.getpid()}"


@contextmanager
def _closed_on_error(writer: Writer) -> Iterator[Writer]:
    try:
        yield writer
    except BaseException:
        writer.close()
        raise


def verify(database: Database) -> int:
    """Walk the whole chain of digests; returns how many rows stand. `JournalDamaged` if not."""
    count = 0
    with unavailable_when_down(), database.read() as connection:
        head = connection.execute(select(schema.leader)).one()
        after, digest = _dropped(connection)
        while True:
            page = connection.execute(
                select(schema.journal)
                .where(schema.journal.c.seq > after)
                .order_by(schema.journal.c.seq)
                .limit(VERIFY_PAGE)
            )
            links = [_Link(**stored) for stored in page.mappings()]
            for link in links:
                _check_link(link, after, digest)
                after, digest = link.seq, link.digest()
            count += len(links)
            if len(links) < VERIFY_PAGE:
                break
    if (after, digest) != (head.seq, head.hash):
        raise JournalDamaged(f"the last row is {after}, but {head.seq} was written")
    return count


def _read_rows(connection: Connection, after: int, head: Head) -> Iterator[Row]:
    plan_of = _stored_plans(connection)
    before, digest = after, None
    rows = connection.execute(
        select(schema.journal).where(schema.journal.c.seq > after).order_by(schema.journal.c.seq)
    )
    for stored in rows.mappings():
        link = _Link(**stored)
        _check_link(link, before, link.hash_prev if digest is None else digest)
        before, digest = link.seq, link.digest()
        event = decode_event(link.body, plan_of, f"journal row {link.seq}")
        yield Row(link.seq, link.at, event)
    if before != head.seq or (digest is not None and digest != head.digest):
        raise JournalDamaged(f"the last row is {before}, but {head.seq} was written")


def _check_link(link: _Link, before: int, digest: bytes) -> None:
    if link.seq != before + 1:
        raise JournalDamaged(f"rows {before + 1} to {link.seq - 1} are missing")
    if link.hash_prev != digest:
        raise JournalDamaged(f"row {before} is not the one that was written")


def _newest_snapshot(connection: Connection) -> _Snapshot | None:
    """The newest that can be read: that is what the older ones are kept for."""
    table = schema.snapshots
    for row in connection.execute(select(table).order_by(table.c.seq.desc())).all():
        try:
            plan = plans.get_plan(connection, plan_version(row.data))
        except (SnapshotError, CodecError) as error:
            log.warning("snapshot_unreadable", seq=row.seq, error=str(error))
            continue
        return _Snapshot(row.seq, row.data, plan)
    return None


def _stored_plans(connection: Connection) -> PlanOf:
    known: dict[PlanVersion, Plan] = {}

    def plan_of(version: PlanVersion) -> Plan:
        if version not in known:
            plan = plans.get_plan(connection, version)
            if plan is None:
                raise LookupError(version)
            known[version] = plan
        return known[version]

    return plan_of


def _keep_plans(connection: Connection, rows: Sequence[Row]) -> None:
    for row in rows:
        if isinstance(row.event, PlanChanged):
            plans.store_plan(connection, row.event.plan, row.now)
            connection.execute(
                insert_into(connection, schema.plans_applied)
                .values(
                    seq=row.seq,
                    at=row.now,
                    version=row.event.plan.version,
                    by=row.event.by,
                    comment=row.event.comment,
                )
                .on_conflict_do_nothing()
            )


def _keep_offsets(connection: Connection, offsets: dict[str, int]) -> None:
    connection.execute(delete(schema.witness))
    if offsets:
        rows = [{"file": file, "offset": offset} for file, offset in offsets.items()]
        connection.execute(insert(schema.witness), rows)


def _hash_prev(connection: Connection, seq: int) -> bytes:
    return bytes(
        connection.execute(
            select(schema.journal.c.hash_prev).where(schema.journal.c.seq == seq)
        ).scalar_one()
    )


def _dropped(connection: Connection) -> tuple[int, bytes]:
    """The last row that was taken out for its age, and its digest."""
    note = get_meta(connection, "dropped")
    if note is None:
        return 0, GENESIS
    seq, digest = note.split()
    return int(seq), bytes.fromhex(digest)


def _droppable(connection: Connection, before: Instant) -> int | None:
    """The last row of the prefix that may go now."""
    rows = schema.journal
    covered = connection.scalar(select(func.min(schema.snapshots.c.seq)))
    first = connection.scalar(select(func.min(rows.c.seq)))
    if covered is None or first is None:
        return None
    recent = connection.scalar(select(func.min(rows.c.seq)).where(rows.c.at >= before))
    last = covered if recent is None else min(covered, recent - 1)
    return min(last, first + DROP_MAX - 1) if last >= first else None
