"""Links to the board for screens on the wall: each opens the board, masked, until it ends."""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, or_, select, update

from perezvon.core.ids import DAY, Instant
from perezvon.store import bearer
from perezvon.store.database import Database
from perezvon.store.paging import BadQuery
from perezvon.store.schema import board_links, sessions

LINKS_MAX: Final = 200
LIFE_MS_MAX: Final = 366 * DAY


@dataclass(frozen=True, slots=True)
class BoardLink:
    id: str
    name: str
    created_at: int
    created_by: str
    expires_at: int
    revoked_at: int | None


def create_link(
    database: Database, *, name: str, by: str, expires_at: Instant, now: Instant
) -> tuple[BoardLink, str]:
    """The link and its secret, which is shown this once."""
    if not now < expires_at <= now + LIFE_MS_MAX:
        raise BadQuery("a link ends in the future, within a year")
    secret = bearer.new_secret("pzb_")
    link = BoardLink(bearer.new_id(), name, now, by, expires_at, None)
    with database.write() as connection:
        over = or_(board_links.c.expires_at <= now, board_links.c.revoked_at.is_not(None))
        connection.execute(delete(board_links).where(over))
        count = connection.scalar(select(func.count()).select_from(board_links)) or 0
        if count >= LINKS_MAX:
            raise BadQuery(f"there are {LINKS_MAX} links already; revoke some")
        connection.execute(
            insert(board_links).values(
                id=link.id,
                hash=bearer.digest(secret),
                name=name,
                created_at=now,
                created_by=by,
                expires_at=expires_at,
            )
        )
    return link, secret


def list_links(database: Database, now: Instant) -> list[BoardLink]:
    """Valid ones, newest first."""
    with database.read() as connection:
        rows = connection.execute(
            select(board_links)
            .where(board_links.c.expires_at > now, board_links.c.revoked_at.is_(None))
            .order_by(board_links.c.created_at.desc(), board_links.c.id)
            .limit(LINKS_MAX)
        )
        return [_link(row) for row in rows]


def revoke_link(database: Database, link: str, now: Instant) -> bool:
    """False: there is none such. Screens that it opened are closed with it."""
    with database.write() as connection:
        connection.execute(delete(sessions).where(sessions.c.link == link))
        changed = connection.execute(
            update(board_links)
            .where(board_links.c.id == link, board_links.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return changed.rowcount > 0


def check_link(database: Database, secret: str, now: Instant) -> BoardLink | None:
    if len(secret) > bearer.SECRET_LENGTH_MAX:
        return None
    with database.read() as connection:
        row = connection.execute(
            select(board_links).where(
                board_links.c.hash == bearer.digest(secret),
                board_links.c.expires_at > now,
                board_links.c.revoked_at.is_(None),
            )
        ).one_or_none()
    return None if row is None else _link(row)


def _link(row: Row[Any]) -> BoardLink:
    values = row._asdict()
    del values["hash"]
    return BoardLink(**values)
