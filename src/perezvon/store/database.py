"""Where the two databases are, and how they are opened, read and written.

`journal` belongs to the engine, `perezvon` to everything else (decision 3): two SQLite files in
a directory, or two schemas of one PostgreSQL database. On PostgreSQL a connection's search path
names its schema, so that tables, migrations and plain SQL need no prefix. A database that is
down, locked or full is told by `Unavailable`; parameters, which may be personal data, never get
into an error's text.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Engine, Table, create_engine, event, exc, make_url, pool, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine.interfaces import DBAPIConnection

from perezvon.runtime.ports import Unavailable
from perezvon.store import migrations

Insert: TypeAlias = sqlite.Insert | postgresql.Insert

BUSY_MS: Final = 2_000
"""How long the engine's commit waits for a lock that nobody should hold."""
PATIENT_MS: Final = 15_000
"""How long the others wait for one another."""
CONNECT_S: Final = 3
POOL_SIZE: Final = 8
LOCK_SPACE: Final = 0x50455245
"""First half of our advisory locks' keys; the second names what is locked."""
LOCK_ENGINE: Final = 1
LOCK_MIGRATION: Final = 2
LOCK_PROJECTION: Final = 3
LOCK_USERS: Final = 4
LOCK_SIGN_IN: Final = 5
DOWN: Final = (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError)
NOT_MADE_YET: Final = ("42P01", "3F000")
"""PostgreSQL knows no such table, or no such schema: a reader came before the writer."""


class Name(StrEnum):
    JOURNAL = "journal"
    VIEWS = "perezvon"


@dataclass(frozen=True, slots=True)
class Location:
    """A directory for SQLite files; with a URL, a PostgreSQL database (the URL has a password)."""

    directory: Path
    url: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith(("postgresql://", "postgresql+psycopg://")):
            raise ValueError("the database URL must begin with postgresql://")

    @property
    def is_sqlite(self) -> bool:
        return not self.url

    def file(self, name: Name) -> Path:
        return self.directory / f"{name}.db"


class Database:
    """One of the two databases. Threads may share it; each block has its own connection."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent view: what another process writes meanwhile is not seen."""
        with unavailable_when_down(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed when the block ends well."""
        with unavailable_when_down(), self.engine.connect() as connection:
            connection.execution_options(perezvon_writes=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        self.engine.dispose()


@contextmanager
def unavailable_when_down() -> Iterator[None]:
    try:
        yield
    except DOWN as error:
        raise Unavailable(_first_line(error)) from error
    except exc.DatabaseError as error:
        # Bare, it is SQLite's word for a file that is damaged or not a database.
        bare = type(error) is exc.DatabaseError
        not_made_yet = getattr(error.orig, "sqlstate", None) in NOT_MADE_YET
        if bare or not_made_yet or error.connection_invalidated:
            raise Unavailable(_first_line(error)) from error
        raise


def insert_into(connection: Connection, table: Table) -> Any:  # noqa: ANN401 - see below
    """An insert that knows `on_conflict_…`: both dialects do, but have no type in common."""
    return insert_on(connection.dialect.name, table)


def insert_on(dialect: str, table: Table) -> Any:  # noqa: ANN401 - as above
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def one_at_a_time(connection: Connection, lock: int) -> None:
    """Until the transaction ends, for what is decided by rows that others may add or remove. On
    SQLite there is one writer anyway.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(
            text("SELECT pg_advisory_xact_lock(:a, :b)"), {"a": LOCK_SPACE, "b": lock}
        )


def open_views(location: Location) -> Database:
    """`perezvon`, created and migrated when that is needed."""
    prepare_directory(location)
    database = connect(location, Name.VIEWS)
    with _closed_on_error(database), unavailable_when_down():
        if location.is_sqlite:
            with FileLock(location.directory / "perezvon.migration.lock").held():
                _migrate(database, Name.VIEWS)
        else:
            with database.engine.connect() as connection:
                keys = {"a": LOCK_SPACE, "b": LOCK_MIGRATION}
                connection.execute(text("SELECT pg_advisory_lock(:a, :b)"), keys)
                connection.commit()
                try:
                    _migrate(database, Name.VIEWS)
                finally:
                    connection.execute(text("SELECT pg_advisory_unlock(:a, :b)"), keys)
                    connection.commit()
    return database


def open_journal_reader(location: Location) -> Database:
    """`journal`, to read only. `Unavailable` until an engine has made it."""
    if location.is_sqlite and not location.file(Name.JOURNAL).exists():
        raise Unavailable(f"{location.file(Name.JOURNAL)} does not exist: no engine ran here yet")
    return connect(location, Name.JOURNAL, read_only=True)


def connect(
    location: Location, name: Name, *, read_only: bool = False, single: bool = False
) -> Database:
    """The bare connection pool; `single` keeps no idle connections (for the engine's writer)."""
    options: dict[str, Any] = {"hide_parameters": True}
    wait_ms = BUSY_MS if name is Name.JOURNAL else PATIENT_MS
    if single:
        options["poolclass"] = pool.NullPool
    else:
        options |= {"pool_size": POOL_SIZE, "max_overflow": POOL_SIZE, "pool_timeout": 5}
    if location.is_sqlite:
        engine = create_engine(
            f"sqlite:///{location.file(name)}",
            connect_args={"timeout": wait_ms / 1000, "check_same_thread": False},
            **options,
        )
        _tune_sqlite(engine, read_only=read_only)
        return Database(engine)
    url = make_url(location.url).set(drivername="postgresql+psycopg")
    settings = {
        "search_path": name.value,
        "lock_timeout": wait_ms,
        "synchronous_commit": "on",
        "idle_in_transaction_session_timeout": 60_000,
        "application_name": f"perezvon_{name.value}",
    }
    arguments = {
        "connect_timeout": CONNECT_S,
        "options": " ".join(f"-c {key}={value}" for key, value in settings.items()),
        "keepalives_idle": 5,
        "keepalives_interval": 2,
        "keepalives_count": 3,
        "tcp_user_timeout": 10_000,
    }
    if not single:
        options["pool_pre_ping"] = True
    return Database(create_engine(url, connect_args=arguments, **options))


def prepare_directory(location: Location) -> None:
    """Personal data lies here: nobody else may look in."""
    try:
        location.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"cannot make {location.directory}: {error.strerror}") from error


def migrate_on(connection: Connection, name: Name) -> None:
    """Bring the schema up to date, inside the transaction that is open."""
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {name.value}"))
    migrations.upgrade(connection, name.value)


def _migrate(database: Database, name: Name) -> None:
    with database.write() as connection:
        migrate_on(connection, name)


def _tune_sqlite(engine: Engine, *, read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: DBAPIConnection, _record: object) -> None:
        # We begin transactions ourselves: the driver's own way cannot begin a writing one.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA journal_size_limit=67108864")
        if read_only:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("perezvon_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _closed_on_error(database: Database) -> Iterator[None]:
    try:
        yield
    except BaseException:
        database.close()
        raise


def _first_line(error: exc.SQLAlchemyError) -> str:
    """The database's own word, without its details: those may quote a row."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)


class FileLock:
    """An exclusive lock on a file; the kernel lets go of it however the process ends."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def is_held(self) -> bool:
        """By us."""
        return self._descriptor is not None

    def try_take(self, holder: str = "") -> bool:
        """Whether it is ours now. The file then says who holds it, for whoever looks into it."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        # On a full disk the note cannot be written; the lock holds all the same.
        with suppress(OSError):
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode(), 0)
        return True

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for it; only for what is short."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
