"""What one who wants the leader's place can see of the leader, and do about his session.

The leader's row changes with every commit, at least once a second. A row that stays the same for
`LEASE_MS` by the watcher's own clock belongs to a leader who is dead, frozen or cut off, and who
has stopped to act outside before that (`runtime.lease`).
"""

from dataclasses import dataclass
from typing import Self

from sqlalchemy import Connection, inspect, text

from perezvon.core.ids import Duration
from perezvon.runtime import lease
from perezvon.runtime.lease import elapsed_ms
from perezvon.store.database import LOCK_ENGINE, LOCK_SPACE, Database, Location, Name, connect


@dataclass(frozen=True, slots=True)
class Seat:
    """The leader's row. Two that are equal: no commit lies between them."""

    epoch: int
    renewal: int
    holder: str
    """Machine and process, for a message."""
    locked: bool
    """False: he took over from one who still has the lock, so the lock says nothing of him."""
    backend: int | None
    """His session's process on the PostgreSQL server."""

    @classmethod
    def read(cls, connection: Connection) -> Self | None:
        """None in a store that nobody led yet. Understands the table of every release."""
        if not inspect(connection).has_table("leader"):
            return None
        row = connection.execute(text("SELECT * FROM leader")).mappings().one_or_none()
        if row is None:
            return None
        return cls(
            epoch=row["epoch"],
            renewal=row.get("renewal", row["until"]),
            holder=row["holder"],
            locked=bool(row.get("locked", True)),
            backend=row.get("backend"),
        )


class Watch:
    """Looks at the row, and knows for how long it has been the same."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._database: Database | None = None
        self._looks = 0
        self._since: Duration = 0
        self._unchanged_ms: Duration = 0
        self.seat: Seat | None = None
        self.has_changed = False
        """Between two looks: somebody commits."""

    def look(self) -> Seat | None:
        """Raises `Unavailable`; what was seen before then stands."""
        # Before the reading: one who was frozen himself must not call a row stale that he read
        # long ago.
        begun_at = elapsed_ms()
        seat = self._read()
        if self._looks == 0 or seat != self.seat:
            self.has_changed = self._looks > 0
            self.seat, self._since = seat, elapsed_ms()
        self._looks += 1
        self._unchanged_ms = begun_at - self._since
        return seat

    @property
    def is_stale(self) -> bool:
        return self.seat is not None and self._unchanged_ms >= lease.LEASE_MS

    def close(self) -> None:
        if self._database is not None:
            self._database.close()

    def _read(self) -> Seat | None:
        if self._database is None:
            if self._location.is_sqlite and not self._location.file(Name.JOURNAL).exists():
                return None  # opening it would make it
            self._database = connect(self._location, Name.JOURNAL, read_only=True)
        with self._database.read() as connection:
            return Seat.read(connection)


def end_session(connection: Connection, seat: Seat) -> bool:
    """End the session that has the engine's lock, if it is the one of this seat.

    The server then rolls back what it had begun and lets go of its lock. Returns whether there
    was such a session.
    """
    with connection.begin():
        return bool(
            connection.scalar(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks"
                    " WHERE locktype = 'advisory' AND granted AND pid = :backend"
                    " AND classid = :space AND objid = :what AND database ="
                    " (SELECT oid FROM pg_database WHERE datname = current_database())"
                ),
                {"backend": seat.backend, "space": LOCK_SPACE, "what": LOCK_ENGINE},
            )
        )
