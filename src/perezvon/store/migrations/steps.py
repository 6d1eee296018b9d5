"""Taking the missing steps of a history, with Alembic."""

import logging
from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from perezvon.store.migrations import HEADS, SchemaTooNewError

HERE = Path(__file__).parent
_ONE_AT_A_TIME = Lock()
"""Alembic keeps the migration under way in a global."""


def take(connection: Connection, name: str, current: str | None) -> None:
    """Go from `current` to the newest step. `SchemaTooNewError` when it is none of ours."""
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = configured(connection, name)
    script = ScriptDirectory.from_config(config)
    assert script.get_current_head() == HEADS[name], (name, "its newest step is not in HEADS")
    if current is not None and current not in {step.revision for step in script.walk_revisions()}:
        raise SchemaTooNewError(
            f"database {name!r} has schema {current!r}, made by a newer release of Perezvon"
        )
    with _ONE_AT_A_TIME:
        command.upgrade(config, "head")


def configured(connection: Connection, name: str) -> Config:
    """For Alembic's commands: the history of this name, on this connection's transaction."""
    config = Config()
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(HERE / name).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
