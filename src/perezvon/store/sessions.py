"""Sessions: that a browser is signed in. Its cookie has a secret of which a digest is kept.

A secret is made at sign-in and at no other moment, so none can be planted before; it ends when it
was not used for `IDLE_MS`, in any case after `ABSOLUTE_MS`, and at once when it is revoked or its
user is changed or disabled. A screen on the wall has a session of its link instead of a user's.
"""

import hmac
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, delete, insert, or_, select, update

from perezvon.core.ids import DAY, HOUR, MINUTE, Instant
from perezvon.store import bearer
from perezvon.store.database import Database
from perezvon.store.schema import board_links, sessions, users
from perezvon.store.users import User, get_user

IDLE_MS: Final = 12 * HOUR
ABSOLUTE_MS: Final = 7 * DAY
SEEN_EVERY_MS: Final = MINUTE
"""A use is noted this often at most: reading must not write each time."""
SESSIONS_MAX: Final = 50
"""Of one user; beyond it the one that was not used longest ends."""
TEXT_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Session:
    id: str
    user: str | None
    link: str | None
    """Of the board, when it is a screen's."""
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    program: str
    """What the browser calls itself."""


def open_session(
    database: Database,
    now: Instant,
    *,
    user: str | None = None,
    link: str | None = None,
    until: Instant | None = None,
    address: str = "",
    program: str = "",
    instead_of: str = "",
) -> tuple[Session, str]:
    """The session and its secret. `instead_of` is the secret that the browser had: it ends."""
    secret = bearer.new_secret()
    expires_at = now + ABSOLUTE_MS if until is None else until
    session = Session(
        bearer.new_id(), user, link, now, now, expires_at, address[:TEXT_MAX], program[:TEXT_MAX]
    )
    with database.write() as connection:
        connection.execute(delete(sessions).where(_is_over(now)))
        if instead_of:
            connection.execute(delete(sessions).where(sessions.c.hash == bearer.digest(instead_of)))
        if user is not None:
            kept = (
                select(sessions.c.id)
                .where(sessions.c.user == user)
                .order_by(sessions.c.seen_at.desc(), sessions.c.id)
                .limit(SESSIONS_MAX - 1)
            )
            rows = [row.id for row in connection.execute(kept)]
            connection.execute(
                delete(sessions).where(sessions.c.user == user, sessions.c.id.not_in(rows))
            )
            connection.execute(update(users).where(users.c.id == user).values(signed_in_at=now))
        connection.execute(
            insert(sessions).values(
                id=session.id,
                hash=bearer.digest(secret),
                user=user,
                link=link,
                created_at=now,
                seen_at=now,
                expires_at=expires_at,
                address=session.address,
                program=session.program,
            )
        )
    return session, secret


def check_session(database: Database, secret: str, now: Instant) -> Session | None:
    """Whose secret this is; None when nobody's, or its time is over."""
    if not secret or len(secret) > bearer.SECRET_LENGTH_MAX:
        return None
    digest = bearer.digest(secret)
    with database.read() as connection:
        row = connection.execute(
            select(sessions).where(sessions.c.hash == digest, ~_is_over(now))
        ).one_or_none()
        if row is None or not hmac.compare_digest(row.hash, digest):
            return None
        if row.link is not None:
            link = connection.execute(
                select(board_links.c.id).where(
                    board_links.c.id == row.link, board_links.c.revoked_at.is_(None)
                )
            ).one_or_none()
            if link is None:
                return None
    if now - row.seen_at >= SEEN_EVERY_MS:
        with database.write() as connection:
            connection.execute(update(sessions).where(sessions.c.id == row.id).values(seen_at=now))
    return _session(row)


def user_of(database: Database, session: Session) -> User | None:
    """None: removed or disabled since."""
    user = None if session.user is None else get_user(database, session.user)
    return None if user is None or user.disabled_at is not None else user


def list_sessions(database: Database, user: str, now: Instant) -> list[Session]:
    """Last used first."""
    with database.read() as connection:
        rows = connection.execute(
            select(sessions)
            .where(sessions.c.user == user, ~_is_over(now))
            .order_by(sessions.c.seen_at.desc(), sessions.c.id)
            .limit(SESSIONS_MAX)
        )
        return [_session(row) for row in rows]


def end_session(database: Database, session: str, user: str | None = None) -> bool:
    """With `user` only when it is his. False: there is none such."""
    wanted = delete(sessions).where(sessions.c.id == session)
    if user is not None:
        wanted = wanted.where(sessions.c.user == user)
    with database.write() as connection:
        return connection.execute(wanted).rowcount > 0


def end_sessions(database: Database, user: str) -> int:
    """All of his; how many there were."""
    with database.write() as connection:
        return connection.execute(delete(sessions).where(sessions.c.user == user)).rowcount


def _is_over(now: Instant) -> Any:  # noqa: ANN401 - SQLAlchemy's expression
    return or_(
        sessions.c.expires_at <= now,
        # A screen on the wall asks for nothing for days.
        sessions.c.link.is_(None) & (sessions.c.seen_at <= now - IDLE_MS),
    )


def _session(row: Row[Any]) -> Session:
    values = row._asdict()
    del values["hash"]
    return Session(**values)
