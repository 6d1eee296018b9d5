"""One engine writes, and the store itself refuses every other.

Two fences. A lock that ends with the process: `flock` on a file beside SQLite, an advisory lock
of the writer's own session on PostgreSQL (not through a transaction pooler). And an epoch, one
higher with each engine that starts: every transaction first claims the leader's row for its
epoch, so a writer who slept through his replacement changes nothing and is told to end.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Final

from sqlalchemy import Connection, exc, select, text, update

from perezvon.core.ids import Instant
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
from perezvon.store.schema import leader

LEASE_MS: Final = 10_000
RETRY_S: Final = 0.05
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
    """The one connection that may write, for as long as its epoch is the current one."""

    def __init__(
        self,
        location: Location,
        *,
        tenant: str,
        holder: str,
        wait_ms: int,
        clock: Callable[[], Instant],
    ) -> None:
        prepare_directory(location)
        self._location = location
        self._clock = clock
        self._database = connect(location, Name.JOURNAL, single=True)
        self._lock = FileLock(location.directory / "journal.lock")
        self._connection: Connection | None = None
        self._inode: int | None = None
        self._mutex = Lock()
        self.epoch = 0
        self.era = ""
        try:
            self._take_lock(holder, wait_ms)
            self._begin_epoch(tenant, holder)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, Head]]:
        """Durable when the block ended well; `LeaseLost` when another engine has taken over."""
        with self._mutex:
            try:
                with unavailable_when_down():
                    connection = self._connected()
                    with connection.begin():
                        yield connection, self._claim(connection)
            except Unavailable:
                self._disconnect()
                raise

    def close(self) -> None:
        with self._mutex:
            self._disconnect()
            self._database.close()
            self._lock.release()

    def _take_lock(self, holder: str, wait_ms: int) -> None:
        """Wait a little: the one before us may be ending."""
        deadline = time.monotonic() + wait_ms / 1_000
        while not self._try_lock(holder):
            if time.monotonic() >= deadline:
                raise EngineRunning(
                    "another engine writes this journal"
                    + (f" ({self._lock.holder()})" if self._location.is_sqlite else "")
                    + "; stop it first"
                )
            time.sleep(RETRY_S)

    def _try_lock(self, holder: str) -> bool:
        if self._location.is_sqlite:
            try:
                return self._lock.try_take(f"{holder} pid {os.getpid()}".strip())
            except OSError as error:
                raise Unavailable(f"{self._lock.path}: {error.strerror}") from error
        with unavailable_when_down():
            self._connection = self._connection or self._connect()
            return _advisory_lock(self._connection)

    def _begin_epoch(self, tenant: str, holder: str) -> None:
        now = self._clock()
        with unavailable_when_down():
            self._connection = self._connection or self._connect()
            with self._connection.begin():
                migrate_on(self._connection, Name.JOURNAL)
                self._connection.execute(
                    insert_into(self._connection, leader)
                    .values(id=1, epoch=0, holder="", until=0, seq=0, hash=GENESIS, carried_out=0)
                    .on_conflict_do_nothing()
                )
                before = self._connection.scalar(select(leader.c.epoch)) or 0
                self.epoch = before + 1
                self._connection.execute(
                    update(leader).values(epoch=self.epoch, holder=holder, until=now + LEASE_MS)
                )
                self.era = eras.settle(
                    self._connection, self._location, tenant=tenant, epoch=before, now=now
                )
        if self._location.is_sqlite:
            self._inode = self._location.file(Name.JOURNAL).stat().st_ino
        eras.seal(self._location, self._database, self.epoch)

    def _claim(self, connection: Connection) -> Head:
        """Lock the leader's row for the rest of the transaction, if it is still ours."""
        row = connection.execute(
            update(leader)
            .where(leader.c.id == 1, leader.c.epoch == self.epoch)
            .values(until=self._clock() + LEASE_MS)
            .returning(leader.c.seq, leader.c.hash, leader.c.carried_out)
        ).one_or_none()
        if row is None:
            raise LeaseLost(f"epoch {self.epoch} is over: another engine has taken the journal")
        return Head(row.seq, row.hash, row.carried_out)

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

    def _connect(self) -> Connection:
        return self._database.engine.connect().execution_options(perezvon_writes=True)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            # The pool keeps nothing, so the session ends, and its lock on PostgreSQL with it.
            with suppress(exc.SQLAlchemyError):
                connection.close()


def _advisory_lock(connection: Connection) -> bool:
    with connection.begin():
        return bool(
            connection.scalar(
                text("SELECT pg_try_advisory_lock(:space, :what)"),
                {"space": LOCK_SPACE, "what": LOCK_ENGINE},
            )
        )
