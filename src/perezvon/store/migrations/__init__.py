"""Steps that bring a database from any older release to this one, run when it is opened.

Two histories, one per database; both use the same `env.py`. A step is written by hand, works on
both dialects and is never changed once released. Going back is not offered: a release that must
go back reads a backup.

Alembic is loaded only when there is a step to take: the engine has to be back within seconds.
"""

from typing import Final

from sqlalchemy import Connection, inspect, text

HEADS: Final = {"journal": "journal_0003", "perezvon": "perezvon_0009"}
"""The newest step of each history."""


class SchemaTooNewError(RuntimeError):
    """A newer release has been here; this one would not understand its tables."""


def upgrade(connection: Connection, name: str) -> None:
    """Run what is missing, on this connection's transaction: all of it or nothing."""
    current = _current(connection)
    if current == HEADS[name]:
        return
    from perezvon.store.migrations import steps  # noqa: PLC0415 - see the module

    steps.take(connection, name, current)


def _current(connection: Connection) -> str | None:
    """Name the last step taken; None for a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found
