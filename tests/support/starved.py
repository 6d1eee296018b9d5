"""Our programs, with SQLite starved from outside: `python -m tests.support.starved engine`.

A page limit, and a connection that may only read, are SQLite's own: nobody can set them on the
connection of another process. So before each transaction the file named by `STARVED_BY` is read,
and what it says is done as pragmas. An empty file, or none, is a healthy disk.
"""

import os
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, event

from perezvon.__main__ import main

VARIABLE: Final = "STARVED_BY"
PROGRAM: Final = ("-m", "tests.support.starved")
FULL: Final = "max_page_count=1"
"""SQLite never goes below what the file has already: not one page more."""
READ_ONLY: Final = "query_only=ON"


def obey(connection: Connection) -> None:
    try:
        pragmas = Path(os.environ[VARIABLE]).read_text(encoding="utf-8").split()
    except OSError:
        return
    if connection.dialect.name == "sqlite":
        for pragma in pragmas:
            connection.exec_driver_sql(f"PRAGMA {pragma}")


if __name__ == "__main__":
    event.listen(Engine, "begin", obey)
    main()
