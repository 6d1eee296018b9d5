"""Copies the engine's facts into `perezvon` and folds them into its tables, in one transaction.

Worker, web and command line may all call it at once: one at a time gets the write lock, and each
fact is copied and folded exactly once. Where an era begins, the engine's store had been restored;
each era has a cursor of its own, because a restored store counts its facts anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, Self

from sqlalchemy import Connection, delete, func, select, text

from perezvon.core.facts import Fact
from perezvon.runtime.ports import StoredFact
from perezvon.store import (
    agents,
    callbacks,
    calls,
    debts,
    facts,
    offers,
    placed,
    recordings,
    schema,
)
from perezvon.store.codec import decode_fact
from perezvon.store.database import (
    LOCK_PROJECTION,
    LOCK_SPACE,
    Database,
    Location,
    insert_into,
    open_journal_reader,
    open_views,
)

BATCH: Final = 1_000
REBUILD_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Stretch:
    """The facts of the journal that belong to one era and are not copied yet."""

    era: str
    after: int
    until: int


class Projection:
    """`views` may be read and written by its owner too; `close` leaves it open."""

    def __init__(self, location: Location, views: Database) -> None:
        self._location = location
        self._views = views
        self._journal: Database | None = None
        self._lock = Lock()

    @classmethod
    def open(cls, location: Location) -> Self:
        return cls(location, open_views(location))

    @property
    def views(self) -> Database:
        return self._views

    def catch_up(self, limit: int = BATCH) -> int:
        """Copy up to `limit` facts; returns how many. `Unavailable` until an engine ran here."""
        journal = self._opened()
        if not self._is_behind(journal):
            return 0
        with self._views.write() as views:
            _lock(views)
            # Read after the lock: what another one has copied meanwhile must be seen.
            with journal.read() as source:
                copied = 0
                for stretch in _stretches(source, _cursors(views)):
                    copied += _copy(source, views, stretch, limit - copied)
            return copied

    def catch_up_fully(self) -> int:
        """All that is there; for a command line that wants the truth of now."""
        total = 0
        while copied := self.catch_up():
            total += copied
        return total

    def copied_to(self) -> int:
        """Facts of the journal up to this number are copied (`SqlJournal.drop_before`)."""
        with self._opened().read() as source, self._views.read() as views:
            stretches = _stretches(source, _cursors(views))
        return min((stretch.after for stretch in stretches), default=0)

    def rebuild(self) -> int:
        """Fold the copied facts anew, after a release that folds them otherwise."""
        count, after = 0, 0
        with self._views.write() as views:
            _lock(views)
            for table in (
                schema.calls,
                schema.debts,
                schema.attempts,
                schema.offers,
                schema.placed,
                schema.agents,
                schema.agent_log,
                schema.loans,
                schema.recorded_legs,
            ):
                views.execute(delete(table))
            while True:
                page = views.execute(
                    select(schema.facts)
                    .where(schema.facts.c.id > after)
                    .order_by(schema.facts.c.id)
                    .limit(REBUILD_PAGE)
                ).all()
                for row in page:
                    fold(views, facts.row_of(row).fact, row.id)
                if not page:
                    return count
                count, after = count + len(page), page[-1].id

    def close(self) -> None:
        with self._lock:
            if self._journal is not None:
                self._journal.close()
                self._journal = None

    def _opened(self) -> Database:
        with self._lock:
            if self._journal is None:
                self._journal = open_journal_reader(self._location)
            return self._journal

    def _is_behind(self, journal: Database) -> bool:
        """Without a lock, for it is asked several times a second and mostly in vain."""
        with self._views.read() as views:
            cursors = _cursors(views)
        with journal.read() as source:
            newest = source.scalar(select(func.max(schema.journal_facts.c.id)))
            return newest is not None and any(
                stretch.after < min(stretch.until, newest)
                for stretch in _stretches(source, cursors)
            )


def fold(views: Connection, fact: Fact, number: int) -> None:
    """One fact into every table that it concerns. Debts last: they count the rows of others."""
    calls.fold(views, fact)
    offers.fold(views, fact)
    recordings.fold(views, fact)
    callbacks.fold(views, fact)
    placed.fold(views, fact)
    agents.fold(views, fact, number)
    debts.fold(views, fact)


def _copy(source: Connection, views: Connection, stretch: _Stretch, limit: int) -> int:
    table = schema.journal_facts
    rows = source.execute(
        select(table)
        .where(table.c.id > stretch.after, table.c.id <= stretch.until)
        .order_by(table.c.id)
        .limit(max(0, limit))
    ).all()
    told = [
        StoredFact(row.seq, row.n, decode_fact(row.body, f"fact {row.seq}/{row.n}")) for row in rows
    ]
    numbers = facts.keep(views, stretch.era, told)
    for stored in told:
        number = numbers.get((stored.seq, stored.n))
        if number is not None:
            fold(views, stored.fact, number)
    if rows:
        views.execute(
            insert_into(views, schema.cursors)
            .values(era=stretch.era, fact=rows[-1].id)
            .on_conflict_do_update(index_elements=["era"], set_={"fact": rows[-1].id})
        )
    return len(rows)


def _cursors(views: Connection) -> dict[str, int]:
    rows = views.execute(select(schema.cursors.c.era, schema.cursors.c.fact))
    return {row.era: row.fact for row in rows}


def _stretches(source: Connection, cursors: dict[str, int]) -> Sequence[_Stretch]:
    drawn = source.execute(select(schema.eras).order_by(schema.eras.c.n)).all()
    found = []
    for number, row in enumerate(drawn):
        is_last = number + 1 == len(drawn)
        until = 2**63 - 1 if is_last else drawn[number + 1].from_fact - 1
        after = max(cursors.get(row.era, 0), row.from_fact - 1)
        if is_last or after < until:
            found.append(_Stretch(row.era, after, until))
    return found


def _lock(views: Connection) -> None:
    """SQLite has it already by BEGIN IMMEDIATE."""
    if views.dialect.name != "sqlite":
        views.execute(
            text("SELECT pg_advisory_xact_lock(:space, :what)"),
            {"space": LOCK_SPACE, "what": LOCK_PROJECTION},
        )
