"""What a disk does to SQLite: each error is `Unavailable`, and what was acknowledged is there."""

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import exc

from perezvon.runtime.ports import Batch, Unavailable
from perezvon.store.database import (
    Location,
    open_journal_reader,
    unavailable_when_down,
)
from perezvon.store.journal import SqlJournal, verify
from tests.store.conftest import TENANT
from tests.store.stories import rows
from tests.store.writer_process import FILE_LIMIT
from tests.store.writers import line, writer

PAGE = 4_096
Fault = Callable[[SqlJournal], object]


@pytest.fixture
def journal(sqlite_location: Location) -> Iterator[SqlJournal]:
    journal = SqlJournal.open(sqlite_location, tenant=TENANT, wait_ms=0)
    yield journal
    journal.close()


def pragma(text: str) -> Fault:
    """On the writer's own connection: the next one is healthy again."""

    def do(journal: SqlJournal) -> None:
        with journal._writer._mutex:
            connection = journal._writer._connection
            assert connection is not None
            with connection.begin():
                connection.exec_driver_sql(f"PRAGMA {text}")

    return do


def until_unavailable(journal: SqlJournal, seq: int) -> tuple[int, str]:
    """The last row that was acknowledged, and the word that the next one met with."""
    while True:
        try:
            journal.commit(Batch(rows(seq + 1, seq + 20)))
        except Unavailable as error:
            return seq, str(error)
        seq += 20


def stands(location: Location) -> int:
    reader = open_journal_reader(location)
    try:
        return verify(reader)
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        pytest.param(pragma("max_page_count=1"), "disk is full", id="SQLITE_FULL"),
        pytest.param(pragma("query_only=ON"), "readonly", id="SQLITE_READONLY"),
    ],
)
def test_an_error_in_the_middle_keeps_all_that_was_acknowledged_and_is_over_with_its_cause(
    journal: SqlJournal, sqlite_location: Location, fault: Fault, word: str
) -> None:
    journal.commit(Batch(rows(1, 20)))
    for _ in range(3):
        before = stands(sqlite_location)
        fault(journal)
        seq, told = until_unavailable(journal, before)
        assert word in told
        assert stands(sqlite_location) == seq
        journal.commit(Batch(rows(seq + 1, seq + 1)))
    assert [row.seq for row in journal.recover().rows] == list(range(1, seq + 2))


@contextmanager
def no_file_may_be_opened() -> Iterator[None]:
    """As a process has it that has leaked all its descriptors."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_connection_that_cannot_be_opened_anew_is_tried_again(
    journal: SqlJournal, sqlite_location: Location
) -> None:
    journal.commit(Batch(rows(1, 5)))
    pragma("query_only=ON")(journal)
    with pytest.raises(Unavailable, match="readonly"):
        journal.ping()
    with no_file_may_be_opened():
        for _ in range(2):
            with pytest.raises(Unavailable, match="unable to open"):
                journal.commit(Batch(rows(6, 9)))
    journal.commit(Batch(rows(6, 9)))
    assert stands(sqlite_location) == 9


def test_a_checkpoint_that_finds_no_room_loses_nothing(sqlite_location: Location) -> None:
    with writer(sqlite_location, "checkpoint") as process:
        full = line(process)
        assert FILE_LIMIT - full["file_bytes"] < PAGE, "a checkpoint wrote until there was no room"
        kept = line(process)
        assert kept["kept"]
        assert kept["rows"] >= full["durable"] > 0
        assert line(process) == {"again": kept["rows"] + 1}
    assert stands(sqlite_location) == kept["rows"] + 1


ERRORS = [
    (sqlite3.OperationalError, "disk I/O error"),  # EIO, and EFBIG
    (sqlite3.OperationalError, "database or disk is full"),
    (sqlite3.OperationalError, "attempt to write a readonly database"),
    (sqlite3.OperationalError, "unable to open database file"),
    (sqlite3.OperationalError, "database is locked"),
    (sqlite3.OperationalError, "locking protocol"),
    (sqlite3.DatabaseError, "database disk image is malformed"),
    (sqlite3.DatabaseError, "file is not a database"),
    (sqlite3.InternalError, "unknown error"),
    (sqlite3.InterfaceError, "bad parameter or other API misuse"),
]
"""The class in which Python's driver clothes each of SQLite's codes that a disk can cause."""


@pytest.mark.parametrize(("kind", "word"), ERRORS)
def test_whatever_a_disk_causes_is_unavailable_by_its_own_word(
    kind: type[sqlite3.Error], word: str
) -> None:
    def fail() -> None:
        wrapped = exc.DBAPIError.instance(
            "INSERT", {"number": "+79161234567"}, kind(word), sqlite3.Error
        )
        raise wrapped

    with pytest.raises(Unavailable, match=word), unavailable_when_down():
        fail()


@pytest.mark.parametrize("kind", [sqlite3.IntegrityError, sqlite3.ProgrammingError])
def test_a_bug_of_ours_is_not_taken_for_the_disks(kind: type[sqlite3.Error]) -> None:
    def fail() -> None:
        raise exc.DBAPIError.instance("INSERT", {}, kind("our own bug"), sqlite3.Error)

    with pytest.raises(exc.DBAPIError), unavailable_when_down():
        fail()
