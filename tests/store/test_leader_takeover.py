"""Two writers, one frozen: the other takes over, and the one who wakes up changes nothing.

In processes of their own, stopped and continued by signals, with a lease of two seconds.
"""

import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select, text

from perezvon.runtime import lease
from perezvon.runtime.ports import Batch
from perezvon.store import schema
from perezvon.store.database import Location, Name, connect, open_journal_reader
from perezvon.store.journal import SqlJournal, verify
from perezvon.store.leader import EngineRunning
from tests.store.conftest import TENANT
from tests.store.postgres import NoPostgres, Postgres, postgres_server
from tests.store.stories import rows
from tests.store.writers import line, writer
from tests.support.sipp import until_now

Process = subprocess.Popen[str]
LINES_MAX = 2_000


def until(process: Process, *said: str) -> dict[str, object]:
    """The first line that says any of it."""
    for _ in range(LINES_MAX):
        found: dict[str, object] = dict(line(process))
        if found.keys() & set(said):
            return found
    raise AssertionError(f"{LINES_MAX} lines without {said!r}")


@contextmanager
def pair(location: Location, mode: str = "lead") -> Iterator[tuple[Process, Process]]:
    """One that leads and one that stands by."""
    with writer(location, mode) as old:
        assert until(old, "leads")["leads"] == 1
        with writer(location, "standby") as new:
            until(new, "stands_by")
            yield old, new


def freeze(process: Process) -> None:
    process.send_signal(signal.SIGSTOP)
    until_now(lambda: _state(process.pid) == "T", 5)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def freeze_between_writes(process: Process, location: Location) -> None:
    """In the middle of one SQLite keeps everybody out, so that nobody can take over."""
    freeze(process)
    while location.is_sqlite and not writable(location):
        thaw(process)
        until(process, "durable")
        freeze(process)


def writable(location: Location) -> bool:
    with closing(sqlite3.connect(location.file(Name.JOURNAL), timeout=0)) as database:
        try:
            database.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        database.rollback()
        return True


def thaw(process: Process) -> None:
    process.send_signal(signal.SIGCONT)


def epochs(location: Location) -> list[int]:
    """Of the journal's rows, in order; the chain of digests is whole."""
    reader = open_journal_reader(location)
    verify(reader)
    with reader.read() as connection:
        table = schema.journal
        found = list(connection.scalars(select(table.c.epoch).order_by(table.c.seq)))
    reader.close()
    return found


def locked(location: Location) -> bool:
    reader = open_journal_reader(location)
    with reader.read() as connection:
        found = bool(connection.scalar(select(schema.leader.c.locked)))
    reader.close()
    return found


def until_true(condition: Callable[[], bool], process: Process) -> None:
    """Looks once for each commit of the process."""
    for _ in range(LINES_MAX):
        if condition():
            return
        until(process, "durable")
    raise AssertionError("it did not become true")


def test_a_standby_takes_over_from_a_frozen_writer_who_wakes_up_without_a_lease(
    location: Location,
) -> None:
    with pair(location) as (old, new):
        until(old, "durable")
        freeze_between_writes(old, location)
        assert until(new, "leads")["leads"] == 2
        until(new, "durable")
        thaw(old)
        lost = until(old, "lost")
        assert lost == {"lost": 1, "held": False}, "he could have acted outside"
        assert old.wait(10) == 0
        until(new, "durable")
        until_true(lambda: locked(location), new)
    found = epochs(location)
    assert found == sorted(found)
    assert set(found) == {1, 2}


def test_a_standby_takes_over_at_once_from_a_writer_who_died(location: Location) -> None:
    with pair(location) as (old, new):
        old.kill()
        assert until(new, "leads")["leads"] == 2
        assert locked(location)


def test_a_standby_leaves_a_writer_alone_who_was_frozen_for_a_moment(location: Location) -> None:
    with pair(location) as (old, new):
        for _ in range(5):
            freeze(old)
            thaw(old)
            for _ in range(5):
                until(old, "durable")
        old.kill()
        assert until(new, "leads")["leads"] == 2


@pytest.mark.parametrize("seed", [1])
def test_writers_take_over_from_one_another_at_any_moment(location: Location, seed: int) -> None:
    rng = Random(seed)
    with ExitStack() as stack:
        leader = stack.enter_context(writer(location, "lead"))
        assert until(leader, "leads")["leads"] == 1
        for epoch in (2, 3):
            standby = stack.enter_context(writer(location, "standby"))
            until(standby, "stands_by")
            for _ in range(rng.randrange(1, 20)):
                until(leader, "durable")
            freeze(leader)
            said = until(standby, "leads", "reason")
            if "reason" in said:
                # Frozen in the middle of a write: SQLite keeps everybody out.
                leader.kill()
                said = until(standby, "leads")
            else:
                thaw(leader)
                assert until(leader, "lost")["held"] is False
            assert said["leads"] == epoch
            leader = standby
        until(leader, "durable")
    found = epochs(location)
    assert found == sorted(found)
    assert max(found) == 3


@pytest.mark.postgres
def test_a_write_that_was_frozen_in_the_middle_is_undone_when_a_standby_takes_over(
    postgres_location: Location,
) -> None:
    with pair(postgres_location, "freeze") as (old, new):
        assert until(new, "leads")["leads"] == 2
        thaw(old)
        assert old.wait(10) != 0, "it believed that it had committed"
        until(new, "durable")
    assert set(epochs(postgres_location)) == {2}


@pytest.mark.postgres
def test_a_database_that_was_away_finds_one_leader_when_it_is_back(tmp_path: Path) -> None:
    with own_server() as server:
        location = Location(tmp_path / "data", server.url)
        with pair(location) as (old, new):
            until(old, "durable")
            server.stop()
            until(old, "unavailable")
            assert until(old, "unavailable")["held"] is False, "the session had his lock"
            server.start()
            # Whoever is first: both of them ask again.
            before = len(epochs(location))
            until_now(lambda: len(epochs(location)) > before, 30)
            if epochs(location)[-1] == 2:
                assert until(old, "lost")["held"] is False
                until(new, "durable")
            else:
                until(old, "durable")
        found = epochs(location)
        assert found == sorted(found)


@contextmanager
def own_server() -> Iterator[Postgres]:
    """One that nobody else needs."""
    try:
        with postgres_server() as server:
            yield server
    except NoPostgres as error:
        pytest.skip(f"no PostgreSQL here: {error}")


def test_a_write_that_is_frozen_in_the_middle_keeps_sqlite_shut_until_its_process_ends(
    sqlite_location: Location,
) -> None:
    with pair(sqlite_location, "freeze") as (old, new):
        refused = until(new, "reason")
        assert f"pid {old.pid}) is frozen in the middle of a write" in str(refused["reason"])
        old.kill()
        assert until(new, "leads")["leads"] == 2


def test_an_engine_that_is_no_standby_does_not_take_over_from_a_frozen_one(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_MS", 300)
    with writer(location, "lead") as old:
        until(old, "leads")
        freeze(old)
        with pytest.raises(EngineRunning, match=f"pid {old.pid}"):
            SqlJournal.open(location, tenant=TENANT, wait_ms=1_000)
        thaw(old)
        until(old, "durable")


def test_a_store_of_release_0_1_0_is_watched_as_it_is_and_upgraded_by_whom_it_falls_to(
    location: Location,
) -> None:
    journal = SqlJournal.open(location, tenant=TENANT)
    journal.commit(Batch(rows(1, 3)))
    older = connect(location, Name.JOURNAL)
    with older.write() as connection:
        for column in ("renewal", "locked", "backend"):
            connection.execute(text(f"ALTER TABLE leader DROP COLUMN {column}"))
        for column in ('"by"', "comment"):
            connection.execute(text(f"ALTER TABLE plans_applied DROP COLUMN {column}"))
        connection.execute(text("UPDATE alembic_version SET version_num = 'journal_0001'"))
    older.close()
    with pytest.raises(EngineRunning):
        SqlJournal.open(location, tenant=TENANT, wait_ms=0)
    journal.close()
    again = SqlJournal.open(location, tenant=TENANT)
    assert again.epoch == 2
    assert len(again.recover().rows) == 3
    again.commit(Batch(rows(4, 4)))
    again.close()
    assert epochs(location) == [1, 1, 1, 2]
    assert locked(location)


def test_whoever_gets_the_lock_of_a_dead_one_still_waits_for_him_who_leads_without_it(
    sqlite_location: Location,
) -> None:
    with pair(sqlite_location) as (old, new):
        freeze_between_writes(old, sqlite_location)
        until(new, "leads")
        freeze_between_writes(new, sqlite_location)
        old.kill()
        old.wait(10)
        assert not locked(sqlite_location)
        with writer(sqlite_location, "standby") as third:
            until(third, "stands_by")
            thaw(new)
            until_true(lambda: locked(sqlite_location), new)
            new.kill()
            assert until(third, "leads")["leads"] == 3


def test_an_engine_that_died_without_the_lock_is_followed_when_its_lease_is_over(
    sqlite_location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "LEASE_MS", 1_000)
    with pair(sqlite_location) as (old, new):
        freeze_between_writes(old, sqlite_location)
        until(new, "leads")
        new.kill()
        new.wait(10)
        old.kill()
        old.wait(10)
        assert not locked(sqlite_location)
        journal = SqlJournal.open(sqlite_location, tenant=TENANT, wait_ms=0)
        assert journal.epoch == 3
        kept = len(journal.recover().rows)
        journal.commit(Batch(rows(kept + 1, kept + 1)))
        journal.close()
    assert locked(sqlite_location)
