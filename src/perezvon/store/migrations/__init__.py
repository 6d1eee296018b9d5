"""Steps that bring a database from any older release to this one, run when it is opened.

Two histories, one per database; both use the same `env.py`. A step is written by hand, works on
both dialects and is never changed once released. Going back is not offered: a release that must
go back reads a backup.
"""

import logging
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

HERE = Path(__file__).parent
_ONE_AT_A_TIME = Lock()
"""Alembic keeps the migration under way in a global."""


class SchemaTooNewError(RuntimeError):
    """A newer release has been here; this one would not understand its tables."""


def upgrade(connection: Connection, name: str) -> None:
    """Run what is missing, on this connection's transaction: all of it or nothing."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(HERE / name).replace("%", "%%"))
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(config)
    if current == script.get_current_head():
        return
    if current is not None and current not in {step.revision for step in script.walk_revisions()}:
        raise SchemaTooNewError(
            f"database {name!r} has schema {current!r}, made by a newer release of Perezvon"
        )
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")
