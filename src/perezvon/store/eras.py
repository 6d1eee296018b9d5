"""The era: part of every id, so that a store that was restored never mints an id twice.

A restored store has forgotten calls whose ids the switch, the CRM and a person's notes still
know. It is noticed by what a copy cannot carry along: the file's place on its disk and a seal
beside it with the last epoch; on PostgreSQL the cluster, the database and its timeline.
"""

import secrets
import string
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection, func, insert, select, text

from perezvon.core.ids import Instant
from perezvon.store.database import Database, Location, Name, insert_into
from perezvon.store.schema import eras, journal_facts, meta

LETTERS: Final = string.ascii_lowercase + string.digits
SEAL: Final = "journal.seal"


class WrongTenant(RuntimeError):  # noqa: N818 - says what is
    """The store belongs to another tenant."""


def settle(
    connection: Connection, location: Location, *, tenant: str, epoch: int, now: Instant
) -> str:
    """The era to use from now on. `epoch` is the one before this start."""
    owner = get_meta(connection, "tenant")
    if owner is not None and owner != tenant:
        raise WrongTenant(f"this store belongs to tenant {owner!r}, not to {tenant!r}")
    place = _place(connection, location)
    drawn = list(connection.scalars(select(eras.c.era).order_by(eras.c.n)))
    if drawn and get_meta(connection, "place") == place and _sealed(connection, location, epoch):
        return str(drawn[-1])
    if not drawn:
        put_meta(connection, "tenant", tenant)
        put_meta(connection, "store", secrets.token_hex(16))
        put_meta(connection, "person_key", secrets.token_hex(32))
    put_meta(connection, "place", place)
    era = _draw(tenant, set(drawn))
    newest_fact = connection.scalar(select(func.max(journal_facts.c.id))) or 0
    connection.execute(
        insert(eras).values(n=len(drawn) + 1, era=era, from_fact=newest_fact + 1, drawn_at=now)
    )
    return era


def seal(location: Location, database: Database, epoch: int) -> None:
    """Note beside the SQLite file how far it had come."""
    if not location.is_sqlite:
        return
    with database.read() as connection:
        store = get_meta(connection, "store")
    path = location.directory / SEAL
    fresh = path.with_suffix(".new")
    # Without the seal the next start draws a new era, which costs nothing but three letters.
    with suppress(OSError):
        fresh.write_text(f"{store} {epoch}\n", encoding="ascii")
        fresh.replace(path)


def get_meta(connection: Connection, key: str) -> str | None:
    return connection.scalar(select(meta.c.value).where(meta.c.key == key))


def put_meta(connection: Connection, key: str, value: str) -> None:
    connection.execute(
        insert_into(connection, meta)
        .values(key=key, value=value)
        .on_conflict_do_update(index_elements=["key"], set_={"value": value})
    )


def _draw(tenant: str, taken: set[str]) -> str:
    while True:
        era = f"{tenant}-{''.join(secrets.choice(LETTERS) for _ in range(3))}"
        if era not in taken:
            return era


def _place(connection: Connection, location: Location) -> str:
    if location.is_sqlite:
        return f"inode {location.file(Name.JOURNAL).stat().st_ino}"
    row = connection.execute(
        text(
            "SELECT system_identifier, timeline_id,"
            " (SELECT oid FROM pg_database WHERE datname = current_database())"
            " FROM pg_control_system(), pg_control_checkpoint()"
        )
    ).one()
    return " ".join(str(part) for part in row)


def _sealed(connection: Connection, location: Location, epoch: int) -> bool:
    """False when the seal has seen a later state than the file shows, or is not there."""
    if not location.is_sqlite:
        return True
    try:
        words = (location.directory / SEAL).read_text(encoding="ascii").split()
        store, seen = words[0], int(words[1])
    except (OSError, ValueError, IndexError):
        return False
    return store == get_meta(connection, "store") and seen <= epoch
