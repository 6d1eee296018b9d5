"""Every test of the store runs on SQLite and on a real PostgreSQL, each time on a fresh one."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest

from perezvon.core.ids import TenantId
from perezvon.store.database import Database, Location, open_views
from perezvon.store.journal import SqlJournal
from perezvon.store.projection import Projection
from tests.store.postgres import NoPostgres, running_postgres

TENANT = TenantId("t")
_number = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server's administration database."""
    try:
        with running_postgres() as url:
            yield url
    except NoPostgres as error:
        pytest.skip(f"no PostgreSQL here: {error}")


@pytest.fixture(
    scope="session", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def server(request: pytest.FixtureRequest) -> str:
    """Empty for SQLite."""
    if request.param == "sqlite":
        return ""
    url: str = request.getfixturevalue("postgres_server")
    return url


@pytest.fixture
def location(server: str, tmp_path: Path) -> Iterator[Location]:
    """For what must hold on both."""
    with _fresh(server, tmp_path / "data") as location:
        yield location


@pytest.fixture
def sqlite_location(tmp_path: Path) -> Location:
    """For what only files can suffer."""
    return Location(tmp_path / "data")


@pytest.fixture
def postgres_location(postgres_server: str, tmp_path: Path) -> Iterator[Location]:
    """For what only a server can do to us."""
    with _fresh(postgres_server, tmp_path / "data") as location:
        yield location


@contextmanager
def _fresh(server: str, directory: Path) -> Iterator[Location]:
    if not server:
        yield Location(directory)
        return
    name = f"store{next(_number)}"
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}".encode())
    yield Location(directory, server.rsplit("/", 1)[0] + "/" + name)
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def journal(location: Location) -> Iterator[SqlJournal]:
    journal = SqlJournal.open(location, tenant=TENANT, wait_ms=0)
    yield journal
    journal.close()


@pytest.fixture
def views(location: Location) -> Iterator[Database]:
    views = open_views(location)
    yield views
    views.close()


@pytest.fixture
def projection(location: Location, views: Database) -> Iterator[Projection]:
    projection = Projection(location, views)
    yield projection
    projection.close()
