"""Opening: the newest schema from any older one, by whoever comes first, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, inspect, text

from perezvon.runtime.ports import Unavailable
from perezvon.store import ledger, schema
from perezvon.store.calls import get_call
from perezvon.store.database import (
    Database,
    Location,
    Name,
    connect,
    open_journal_reader,
    open_views,
    prepare_directory,
)
from perezvon.store.journal import SqlJournal
from perezvon.store.migrations import SchemaTooNewError
from perezvon.store.migrations.steps import configured


def differences(database: Database, wanted: MetaData) -> list[object]:
    with database.read() as connection:
        found: list[object] = list(compare_metadata(MigrationContext.configure(connection), wanted))
        return found


def test_the_migrations_make_what_the_schema_says(
    journal: SqlJournal, views: Database, location: Location
) -> None:
    del journal
    reader = open_journal_reader(location)
    assert differences(reader, schema.JOURNAL) == []
    assert differences(views, schema.VIEWS) == []
    reader.close()


def test_the_two_databases_share_nothing(
    journal: SqlJournal, views: Database, location: Location
) -> None:
    del journal
    reader = open_journal_reader(location)
    with reader.read() as connection:
        of_engine = set(inspect(connection).get_table_names())
    with views.read() as connection:
        of_others = set(inspect(connection).get_table_names())
    reader.close()
    assert of_engine - of_others >= {"journal", "persons", "plans"}
    assert of_others - of_engine >= {"calls", "debts", "tokens"}


def test_all_processes_may_open_a_new_store_at_once(location: Location) -> None:
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: open_views(location), range(6)))
    for database in opened:
        database.close()
    again = open_views(location)
    assert differences(again, schema.VIEWS) == []
    again.close()


def test_a_database_of_release_0_1_0_is_taken_over_with_all_that_is_in_it(
    location: Location,
) -> None:
    prepare_directory(location)
    older = connect(location, Name.VIEWS)
    with older.write() as connection:
        if connection.dialect.name != "sqlite":
            connection.execute(text(f"CREATE SCHEMA {Name.VIEWS.value}"))
        command.upgrade(configured(connection, Name.VIEWS.value), "perezvon_0001")
        connection.execute(
            text(
                "INSERT INTO calls (id, leg, number_class, did, known_number, queue, plan,"
                " received_at, state, in_fallback) VALUES"
                " ('t-xc1', '1.1', 'mobile', '7495', :known, 'sales', 'v1', 1000, 'open', :known)"
            ),
            {"known": True},
        )
    older.close()
    views = open_views(location)
    assert differences(views, schema.VIEWS) == []
    call = get_call(views, "t-xc1")
    assert call is not None
    assert (call.state, call.in_fallback) == ("open", True)
    assert (call.witnessed, call.difference, call.cut_at) == (False, None, None)
    assert not ledger.count(views).reconciliation.has_witness
    views.close()


def test_a_schema_of_a_newer_release_is_refused(views: Database, location: Location) -> None:
    with views.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'perezvon_9999'"))
    with pytest.raises(SchemaTooNewError, match="newer release"):
        open_views(location)


def test_a_reader_of_the_journal_cannot_write(journal: SqlJournal, location: Location) -> None:
    del journal
    reader = open_journal_reader(location)
    with pytest.raises(Unavailable, match="read"), reader.read() as connection:
        connection.execute(text("DELETE FROM meta"))
    reader.close()


def test_a_reader_sees_one_moment_however_long_he_reads(
    views: Database, location: Location
) -> None:
    other = connect(location, Name.VIEWS)
    count = text("SELECT count(*) FROM cursors")
    with views.read() as connection:
        assert connection.scalar(count) == 0
        with other.write() as writing:
            writing.execute(text("INSERT INTO cursors (era, fact) VALUES ('t-abc', 1)"))
        assert connection.scalar(count) == 0
    with views.read() as connection:
        assert connection.scalar(count) == 1
    other.close()


def test_what_fails_within_a_block_leaves_nothing(views: Database) -> None:
    class Stop(Exception):  # noqa: N818
        pass

    def fail_half_way() -> None:
        with views.write() as connection:
            connection.execute(text("INSERT INTO cursors (era, fact) VALUES ('t-abc', 1)"))
            raise Stop

    with pytest.raises(Stop):
        fail_half_way()
    with views.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM cursors")) == 0


def test_an_error_tells_no_parameters(views: Database) -> None:
    secret = "+79161234567"
    with pytest.raises(Unavailable) as caught, views.read() as connection:
        connection.execute(text("SELECT * FROM nowhere WHERE x = :x"), {"x": secret})
    assert secret not in str(caught.value)
    assert secret not in str(caught.value.__cause__)


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite:///x.db", "nonsense"])
def test_another_kind_of_database_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(ValueError, match="must begin with postgresql://"):
        Location(tmp_path, url)


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    location = Location(tmp_path, "postgresql://perezvon:geheim@127.0.0.1:1/x")
    assert "geheim" not in repr(location)
    with pytest.raises(Unavailable) as caught:
        open_views(location)
    assert "geheim" not in str(caught.value)


def test_the_directory_is_ours_alone(sqlite_location: Location) -> None:
    open_views(sqlite_location).close()
    assert sqlite_location.directory.stat().st_mode & 0o077 == 0
