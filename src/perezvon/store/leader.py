"""One engine writes, and the store itself refuses every other.

Two fences. A lock that ends with the process: `flock` on a file beside SQLite, an advisory lock
of the writer's own session on PostgreSQL (not through a transaction pooler). And an epoch, one
higher with each engine that begins to lead: every transaction first claims the leader's row for
its epoch, so a writer who slept through his replacement changes nothing and is told to end.

A standby takes over at once when it gets the lock (the leader died), or when the leader's row has
been the same for the length of a lease (he is frozen, or cut off from the store). On PostgreSQL
it then ends the old session, lock and all. On SQLite nobody can take a lock from a process that
lives: the new leader goes on without, says so in the row (`locked`), and takes the lock when it
is free. A leader who is frozen in the middle of a SQLite write keeps everybody out; only his end
helps, and the error names him.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, Final

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    exc,
    func,
    null,
    select,
    text,
    update,
)

from perezvon.core.ids import Duration, Instant
from perezvon.runtime import faultpoint
from perezvon.runtime.faultpoint import Point
from perezvon.runtime.lease import LEASE_MS, Lease, elapsed_ms
from perezvon.runtime.ports import LeaseLost, Unavailable
from perezvon.store import eras
from perezvon.store.database import (
    LOCK_ENGINE,
    LOCK_SPACE,
    FileLock,
    Location,
    Name,
    connect,
    insert_into,
    migrate_on,
    prepare_directory,
    unavailable_when_down,
)
from perezvon.store.prepared import Prepared
from perezvon.store.schema import leader
from perezvon.store.succession import Seat, Watch, end_session

log = structlog.get_logger("leader")

RETRY_S: Final = 0.05
CLOSE_S: Final = 1.0
LOOK_S: Final = 0.2
"""How often a standby looks after the leader."""
GENESIS: Final = bytes(32)
"""What the first row of a journal has as the digest of the row before."""


class EngineRunning(RuntimeError):  # noqa: N818 - says what is
    """The journal has a writer already."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the journal stands, as the current transaction sees it."""

    seq: int
    digest: bytes
    carried_out: int


class Writer:
    """The one connection that may write, for as long as its epoch is the current one.

    It leads after `take` or `stand_by`. Of this process and machine `holder` tells others.
    """

    def __init__(
        self, location: Location, *, tenant: str, holder: str, clock: Callable[[], Instant]
    ) -> None:
        prepare_directory(location)
        self._location = location
        self._tenant = tenant
        self._holder = holder
        self._clock = clock
        self._database = connect(location, Name.JOURNAL, single=True)
        self._lock = FileLock(location.directory / "journal.lock")
        self._connection: Connection | None = None
        self._inode: int | None = None
        self._mutex = Lock()
        self.lease = Lease()
        self.forerunner = ""
        """Who led before us; empty in a new store."""
        self.epoch = 0
        self.era = ""

    # Becoming the leader.

    def take(self, wait_ms: Duration) -> None:
        """Lead now. Raises `EngineRunning` when another engine is alive or has the lock.

        It waits a little: the one before us may be ending.
        """
        deadline = elapsed_ms() + wait_ms
        with _watching(self._location) as watch:
            while not self._try_to_lead(watch):
                seat = watch.seat
                # Of one without the lock only his lease can tell whether he lives.
                unsure = seat is not None and not seat.locked and not watch.has_changed
                if elapsed_ms() >= deadline and not unsure:
                    raise EngineRunning(
                        "another engine writes this journal"
                        + (f" ({seat.holder})" if seat is not None else "")
                        + "; stop it first"
                    )
                time.sleep(RETRY_S)

    def stand_by(self, stopped: Event) -> bool:
        """Wait until the leader is gone or his lease is over, and lead. False when `stopped`.

        A store that is away is waited for as well.
        """
        told = ""
        with _watching(self._location) as watch:
            while not stopped.is_set():
                try:
                    if self._try_to_lead(watch, by_force=True):
                        return True
                except Unavailable as error:
                    self._disconnect()
                    reason = self._why_not(watch, error)
                    if reason != told:
                        log.error("cannot_take_over", reason=reason)  # noqa: TRY400 - says all
                    told = reason
                stopped.wait(LOOK_S)
        return False

    def _try_to_lead(self, watch: Watch, *, by_force: bool = False) -> bool:
        """One try. By force: against a lock, too, whose holder has let his lease run out."""
        has_lock = self._try_lock()
        seat = watch.look()
        if has_lock and (seat is None or seat.locked):
            return self._begin_epoch(seat)
        if watch.is_stale and (has_lock or by_force):
            assert seat is not None
            if self._location.is_sqlite:
                return self._begin_epoch(seat)
            if end_session(self._connected_anyhow(), seat):
                log.warning("ended_the_session_of_the_leader", holder=seat.holder)
        elif has_lock:
            # He whom we watch leads without it and wants it.
            self._lock.release()
        return False

    def _why_not(self, watch: Watch, error: Unavailable) -> str:
        if self._location.is_sqlite and watch.is_stale and "locked" in str(error):
            assert watch.seat is not None
            return (
                f"the engine that leads ({watch.seat.holder}) is frozen in the middle of a"
                " write, and SQLite lets nobody else write: end that process"
            )
        return str(error)

    def _try_lock(self) -> bool:
        if self._location.is_sqlite:
            try:
                return self._lock.is_held or self._lock.try_take(self._holder)
            except OSError as error:
                raise Unavailable(f"{self._lock.path}: {error.strerror}") from error
        with unavailable_when_down():
            return _advisory_lock(self._connected_anyhow())

    def _begin_epoch(self, seat: Seat | None) -> bool:
        """False when the row is not as it was seen: somebody was quicker, or woke up."""
        now, begun_at = self._clock(), elapsed_ms()
        with unavailable_when_down():
            connection = self._connected_anyhow()
            with connection.begin():
                if Seat.read(connection) != seat:
                    return False
                migrate_on(connection, Name.JOURNAL)
                connection.execute(
                    insert_into(connection, leader)
                    .values(id=1, epoch=0, holder="", until=0, seq=0, hash=GENESIS, carried_out=0)
                    .on_conflict_do_nothing()
                )
                before = seat.epoch if seat is not None else 0
                self.forerunner = seat.holder if seat is not None else ""
                self.epoch = before + 1
                connection.execute(
                    update(leader).values(
                        epoch=self.epoch, holder=self._holder, **self._renewal(connection)
                    )
                )
                self.era = eras.settle(
                    connection, self._location, tenant=self._tenant, epoch=before, now=now
                )
        self.lease.renew(begun_at)
        if self._location.is_sqlite:
            self._inode = self._location.file(Name.JOURNAL).stat().st_ino
        eras.seal(self._location, self._database, self.epoch)
        return True

    # Leading.

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, Head]]:
        """Durable when the block ended well; `LeaseLost` when another engine has taken over."""
        with self._mutex:
            begun_at = elapsed_ms()
            try:
                with unavailable_when_down():
                    connection = self._connected()
                    with connection.begin():
                        yield connection, self._claim(connection)
                        faultpoint.reach(Point.JOURNAL_COMMIT, Unavailable)
                    faultpoint.reach(Point.JOURNAL_COMMITTED, Unavailable)
            except Unavailable:
                self._disconnect()
                if not self._location.is_sqlite:
                    self.lease.doubt()  # the session had our lock
                raise
            except LeaseLost:
                self.lease.lose()
                raise
            self.lease.renew(begun_at)

    def close(self) -> None:
        """Let go of everything; of a transaction that is stuck only the process's end can."""
        if not self._mutex.acquire(timeout=CLOSE_S):
            return
        try:
            self._disconnect()
            self._database.close()
            self._lock.release()
        finally:
            self._mutex.release()

    def _claim(self, connection: Connection) -> Head:
        """Lock the leader's row for the rest of the transaction, if it is still ours."""
        row = _CLAIM.run(
            connection,
            {
                "ours": self.epoch,
                "until": self._clock() + LEASE_MS,
                "locked": self._has_lock(connection),
            },
        )
        if row is None:
            raise LeaseLost(f"epoch {self.epoch} is over: another engine has taken the journal")
        seq, digest, carried_out = row
        return Head(seq, bytes(digest), carried_out)

    def _renewal(self, connection: Connection) -> dict[str, object]:
        """What a standby sees change. `until` is by the wall clock, for a person's eyes only."""
        return {
            "until": self._clock() + LEASE_MS,
            "locked": self._has_lock(connection),
            **_signs(connection.dialect.name),
        }

    def _has_lock(self, connection: Connection) -> bool:
        """On PostgreSQL nobody leads without it."""
        return self._try_lock() if connection.dialect.name == "sqlite" else True

    def _connected(self) -> Connection:
        if self._location.is_sqlite:
            self._check_file()
        if self._connection is not None:
            return self._connection
        connection = self._connect()
        try:
            if not self._location.is_sqlite:
                self._lock_again(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _lock_again(self, connection: Connection) -> None:
        """The session that held our lock is gone, and the lock with it."""
        with connection.begin():
            epoch = connection.scalar(select(leader.c.epoch))
        if epoch != self.epoch:
            raise LeaseLost(f"epoch {self.epoch} is over: another engine has taken the journal")
        if not _advisory_lock(connection):
            raise Unavailable("the server has not yet let go of our lost session")

    def _check_file(self) -> None:
        """SQLite would go on for ever in a file that was deleted or put aside."""
        path = self._location.file(Name.JOURNAL)
        try:
            inode = path.stat().st_ino
        except OSError as error:
            raise Unavailable(f"{path}: {error.strerror}") from error
        if inode != self._inode:
            raise Unavailable(f"{path} is another file than the one that was opened")

    def _connected_anyhow(self) -> Connection:
        """Without the checks that only a leader can make."""
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> Connection:
        return self._database.engine.connect().execution_options(perezvon_writes=True)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # The pool keeps nothing, so the session ends, and its lock on PostgreSQL with it.
            with suppress(exc.SQLAlchemyError):
                connection.close()


def _signs(dialect: str) -> dict[str, ColumnElement[Any]]:
    """What the database itself puts into the row at each renewal."""
    backend = null() if dialect == "sqlite" else func.pg_backend_pid()
    return {"renewal": leader.c.renewal + 1, "backend": backend}


_CLAIM: Final = Prepared(
    lambda dialect: (
        update(leader)
        .where(leader.c.id == 1, leader.c.epoch == bindparam("ours"))
        .values(until=bindparam("until"), locked=bindparam("locked"), **_signs(dialect))
        .returning(leader.c.seq, leader.c.hash, leader.c.carried_out)
    )
)


@contextmanager
def _watching(location: Location) -> Iterator[Watch]:
    watch = Watch(location)
    try:
        yield watch
    finally:
        watch.close()


def _advisory_lock(connection: Connection) -> bool:
    with connection.begin():
        return bool(
            connection.scalar(
                text("SELECT pg_try_advisory_lock(:space, :what)"),
                {"space": LOCK_SPACE, "what": LOCK_ENGINE},
            )
        )
