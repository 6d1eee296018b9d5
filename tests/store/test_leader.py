"""One engine writes. Whoever dies, sleeps or comes late changes nothing that was acknowledged."""

import json
import shutil
from pathlib import Path
from random import Random

import psycopg
import pytest
from sqlalchemy import select, text, update

from perezvon.core.ids import TenantId
from perezvon.runtime import lease
from perezvon.runtime.ports import Batch, LeaseLost, Unavailable
from perezvon.store import database as databases
from perezvon.store import leader, schema
from perezvon.store.database import Location, Name, connect, open_journal_reader
from perezvon.store.eras import WrongTenant
from perezvon.store.journal import SqlJournal, verify
from perezvon.store.leader import EngineRunning
from tests.store.conftest import TENANT
from tests.store.stories import rows
from tests.store.writers import line, writer


def end_sessions(location: Location, application: str) -> None:
    """As a restart of the server or a broken network does."""
    with psycopg.connect(location.url, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE application_name = %s AND datname = current_database()",
            (application,),
        )


def take_over(location: Location) -> None:
    """What another engine does first: its epoch is one higher."""
    other = connect(location, Name.JOURNAL)
    with other.write() as connection:
        connection.execute(update(schema.leader).values(epoch=schema.leader.c.epoch + 1))
    other.close()


def test_a_second_engine_is_refused_with_a_clear_message(
    journal: SqlJournal, location: Location
) -> None:
    with pytest.raises(EngineRunning, match="another engine writes this journal"):
        SqlJournal.open(location, tenant=TENANT, wait_ms=100)
    journal.commit(Batch(rows(1, 1)))


def test_a_second_process_is_refused_too_until_the_first_is_gone(location: Location) -> None:
    with writer(location, "hold") as process:
        assert line(process) == {"epoch": 1}
        with pytest.raises(EngineRunning):
            SqlJournal.open(location, tenant=TENANT, wait_ms=0)
        process.kill()
        journal = SqlJournal.open(location, tenant=TENANT, wait_ms=10_000)
    assert journal.epoch == 2
    journal.close()


def test_a_writer_of_an_old_epoch_changes_nothing(journal: SqlJournal, location: Location) -> None:
    journal.commit(Batch(rows(1, 3)))
    take_over(location)
    for attempt in (
        lambda: journal.commit(Batch(rows(4, 4))),
        lambda: journal.save_snapshot(3, 3, b"s"),
        lambda: journal.mark_poisoned(3, 3, "x"),
        journal.ping,
    ):
        with pytest.raises(LeaseLost, match="epoch 1 is over"):
            attempt()
    reader = open_journal_reader(location)
    assert verify(reader) == 3
    with reader.read() as connection:
        assert connection.scalar(select(schema.snapshots.c.seq)) is None
    reader.close()


def test_each_start_is_a_new_epoch_and_rows_carry_it(location: Location) -> None:
    for start in (1, 2, 3):
        journal = SqlJournal.open(location, tenant=TENANT)
        journal.commit(Batch(rows(start, start)))
        journal.close()
    reader = open_journal_reader(location)
    with reader.read() as connection:
        table = schema.journal
        epochs = list(connection.scalars(select(table.c.epoch).order_by(table.c.seq)))
    reader.close()
    assert epochs == [1, 2, 3]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_writer_killed_at_any_moment_leaves_a_whole_prefix(location: Location, seed: int) -> None:
    durable = 0
    for _ in range(2):
        with writer(location, "kill") as process:
            assert line(process)["ready"] >= durable
            for _ in range(Random(seed).randrange(3, 60)):
                durable = line(process)["durable"]
            process.kill()
            assert process.stdout is not None
            for last in process.stdout:
                if last.endswith("\n"):
                    durable = json.loads(last)["durable"]
        journal = SqlJournal.open(location, tenant=TENANT, wait_ms=10_000)
        recovered = journal.recover()
        journal.close()
        assert [row.seq for row in recovered.rows] == list(range(1, len(recovered.rows) + 1))
        assert len(recovered.rows) >= durable, "a row was acknowledged and lost"
        assert recovered.carried_out <= len(recovered.rows)
        reader = open_journal_reader(location)
        assert verify(reader) == len(recovered.rows)
        with reader.read() as connection:
            told = set(connection.scalars(select(schema.journal_facts.c.seq)))
        reader.close()
        assert recovered.carried_out in told | {0}, "mark and facts commit together"


def test_on_a_full_disk_nothing_is_lost_and_work_goes_on_when_there_is_room(
    sqlite_location: Location,
) -> None:
    with writer(sqlite_location, "full") as process:
        full = line(process)
        assert full["durable"] > 0
        kept = line(process)
        assert kept["kept"]
        assert kept["rows"] >= full["durable"]
        assert line(process) == {"again": kept["rows"] + 1}
    reader = open_journal_reader(sqlite_location)
    assert verify(reader) == kept["rows"] + 1
    reader.close()


def test_a_commit_renews_the_lease_from_its_beginning_however_long_it_took(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, slow_ms = [1_000_000], [0]

    def wall_clock() -> int:
        """Asked in the middle of each commit, which then takes so long."""
        now[0] += slow_ms[0]
        return now[0]

    for module in (lease, leader):
        monkeypatch.setattr(module, "elapsed_ms", lambda: now[0])
    journal = SqlJournal.open(location, tenant=TENANT, clock=wall_clock)
    assert journal.lease.held()
    slow_ms[0] = lease.LEASE_MS
    journal.commit(Batch(rows(1, 1)))
    assert not journal.lease.held()
    slow_ms[0] = 0
    journal.ping()
    assert journal.lease.held()
    take_over(location)
    with pytest.raises(LeaseLost):
        journal.ping()
    assert not journal.lease.held()
    journal.close()


@pytest.mark.postgres
def test_a_lost_session_puts_the_lease_in_doubt_until_the_next_commit(
    postgres_location: Location,
) -> None:
    journal = SqlJournal.open(postgres_location, tenant=TENANT, wait_ms=0)
    end_sessions(postgres_location, "perezvon_journal")
    with pytest.raises(Unavailable):
        journal.ping()
    assert not journal.lease.held()
    journal.ping()
    assert journal.lease.held()
    journal.close()


@pytest.mark.postgres
def test_a_server_that_cuts_our_session_is_unavailable_and_then_available_again(
    postgres_location: Location,
) -> None:
    journal = SqlJournal.open(postgres_location, tenant=TENANT, wait_ms=0)
    journal.commit(Batch(rows(1, 1)))
    end_sessions(postgres_location, "perezvon_journal")
    with pytest.raises(Unavailable):
        journal.commit(Batch(rows(2, 2)))
    journal.commit(Batch(rows(2, 2)))
    with pytest.raises(EngineRunning):
        SqlJournal.open(postgres_location, tenant=TENANT, wait_ms=0)
    assert len(journal.recover().rows) == 2
    journal.close()


@pytest.mark.postgres
def test_an_engine_that_lost_its_session_to_another_engine_ends(
    postgres_location: Location,
) -> None:
    journal = SqlJournal.open(postgres_location, tenant=TENANT, wait_ms=0)
    journal.commit(Batch(rows(1, 1)))
    end_sessions(postgres_location, "perezvon_journal")
    other = SqlJournal.open(postgres_location, tenant=TENANT)
    with pytest.raises(Unavailable):
        journal.commit(Batch(rows(2, 2)))
    with pytest.raises(LeaseLost):
        journal.commit(Batch(rows(2, 2)))
    other.commit(Batch(rows(2, 2)))
    other.close()
    journal.close()


@pytest.mark.postgres
def test_a_read_only_server_is_unavailable(postgres_location: Location) -> None:
    journal = SqlJournal.open(postgres_location, tenant=TENANT, wait_ms=0)
    with psycopg.connect(postgres_location.url, autocommit=True) as admin:
        name = postgres_location.url.rsplit("/", 1)[1]
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    end_sessions(postgres_location, "perezvon_journal")
    for _ in range(2):
        with pytest.raises(Unavailable):
            journal.ping()
    with pytest.raises(Unavailable):
        SqlJournal.open(postgres_location, tenant=TENANT, wait_ms=0)
    journal.close()


def test_a_locked_journal_is_unavailable(
    location: Location, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "BUSY_MS", 50)
    journal = SqlJournal.open(location, tenant=TENANT)
    stranger = connect(location, Name.JOURNAL)
    with stranger.write() as connection:
        if location.url:
            connection.execute(text("LOCK TABLE leader IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(Unavailable, match="lock"):
            journal.commit(Batch(rows(1, 1)))
    stranger.close()
    journal.commit(Batch(rows(1, 1)))
    assert len(journal.recover().rows) == 1
    journal.close()


def test_a_file_that_was_taken_away_is_unavailable(sqlite_location: Location) -> None:
    journal = SqlJournal.open(sqlite_location, tenant=TENANT, wait_ms=0)
    path = sqlite_location.file(Name.JOURNAL)
    path.rename(path.with_suffix(".aside"))
    with pytest.raises(Unavailable, match="No such file"):
        journal.ping()
    shutil.copy(path.with_suffix(".aside"), path)
    with pytest.raises(Unavailable, match="another file"):
        journal.commit(Batch(rows(1, 1)))
    journal.close()


def test_a_damaged_file_is_unavailable_and_not_a_crash(sqlite_location: Location) -> None:
    sqlite_location.directory.mkdir()
    sqlite_location.file(Name.JOURNAL).write_bytes(b"this is no database at all" * 100)
    with pytest.raises(Unavailable, match="not a database"):
        SqlJournal.open(sqlite_location, tenant=TENANT)


def test_a_directory_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="cannot make"):
        SqlJournal.open(Location(tmp_path / "file" / "data"), tenant=TENANT)


def test_a_store_of_another_tenant_is_refused(location: Location) -> None:
    SqlJournal.open(location, tenant=TENANT).close()
    with pytest.raises(WrongTenant, match="belongs to tenant 't'"):
        SqlJournal.open(location, tenant=TenantId("u"))


def test_a_copied_store_draws_a_new_era(sqlite_location: Location, tmp_path: Path) -> None:
    journal = SqlJournal.open(sqlite_location, tenant=TENANT)
    journal.close()
    copy = tmp_path / "copy"
    shutil.copytree(sqlite_location.directory, copy)
    restored = SqlJournal.open(Location(copy), tenant=TENANT)
    restored.close()
    again = SqlJournal.open(Location(copy), tenant=TENANT)
    again.close()
    original = SqlJournal.open(sqlite_location, tenant=TENANT)
    original.close()
    assert restored.era != journal.era
    assert again.era == restored.era
    assert original.era == journal.era


def test_an_older_file_put_back_in_place_draws_a_new_era(
    sqlite_location: Location, tmp_path: Path
) -> None:
    first = SqlJournal.open(sqlite_location, tenant=TENANT)
    first.close()
    shutil.copy(sqlite_location.file(Name.JOURNAL), tmp_path / "backup")
    SqlJournal.open(sqlite_location, tenant=TENANT).close()
    with (tmp_path / "backup").open("rb") as backup:
        sqlite_location.file(Name.JOURNAL).write_bytes(backup.read())
    restored = SqlJournal.open(sqlite_location, tenant=TENANT)
    restored.close()
    assert restored.era != first.era


@pytest.mark.postgres
def test_a_database_made_from_another_draws_a_new_era(postgres_location: Location) -> None:
    first = SqlJournal.open(postgres_location, tenant=TENANT)
    first.commit(Batch(rows(1, 3)))
    first.close()
    base, name = postgres_location.url.rsplit("/", 1)
    with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}_copy TEMPLATE {name}".encode())
    try:
        copy = Location(postgres_location.directory, f"{base}/{name}_copy")
        restored = SqlJournal.open(copy, tenant=TENANT)
        assert len(restored.recover().rows) == 3
        restored.close()
        again = SqlJournal.open(copy, tenant=TENANT)
        again.close()
    finally:
        with psycopg.connect(f"{base}/postgres", autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name}_copy WITH (FORCE)".encode())
    assert restored.era != first.era
    assert again.era == restored.era
