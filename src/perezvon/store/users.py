"""Users: people who sign in. One row each; the password is a digest, the code's seed encrypted.

The store knows roles by their names only; what they may is `api.roles`. But it promises that one
who manages users is always left, whoever asks for what at the same time.
"""

import json
import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from perezvon.core.ids import Instant
from perezvon.store import bearer
from perezvon.store.database import LOCK_USERS, Database, one_at_a_time
from perezvon.store.paging import BadQuery
from perezvon.store.schema import sessions, users

USERS_MAX: Final = 2_000
LOGIN: Final = re.compile(r"[\w.@+-]{1,64}")
MANAGERS: Final = ("owner", "admin")
"""Roles of those who manage users: one of them is always left."""


class LastManager(Exception):  # noqa: N818 - a refusal, not a failure
    """He is the last who manages users."""


class LoginTaken(Exception):  # noqa: N818 - the same
    """Another has this login."""


@dataclass(frozen=True, slots=True)
class User:
    id: str
    login: str
    name: str
    role: str
    agent: str | None
    projects: frozenset[str]
    language: str
    has_totp: bool
    must_change_password: bool
    disabled_at: int | None
    created_at: int
    signed_in_at: int | None
    password: str = field(repr=False)
    """Its argon2 digest."""
    totp: bytes | None = field(repr=False)
    """Encrypted; not yet confirmed while `has_totp` is false."""
    totp_step: int
    """The last half minute whose code was used: each opens once."""


def login_of(text: str) -> str:
    """As it is kept: the same letters in one way, without regard to case."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def create_user(
    database: Database,
    *,
    login: str,
    name: str,
    role: str,
    password: str,
    now: Instant,
    agent: str | None = None,
    projects: Collection[str] = (),
    language: str = "ru",
    must_change_password: bool = False,
    first: bool = False,
) -> User:
    """`password` is its digest. `first`: only as long as there is nobody who manages users."""
    login = login_of(login)
    if not LOGIN.fullmatch(login):
        raise BadQuery("a login has 64 letters, digits and . _ - @ + at most")
    row = {
        "id": bearer.new_id(),
        "login": login,
        "name": name.strip() or login,
        "role": role,
        "agent": agent,
        "projects": json.dumps(sorted(projects)),
        "language": language,
        "password": password,
        "has_totp": False,
        "totp_step": 0,
        "must_change_password": must_change_password,
        "created_at": now,
    }
    with database.write() as connection:
        one_at_a_time(connection, LOCK_USERS)
        if (connection.scalar(select(func.count()).select_from(users)) or 0) >= USERS_MAX:
            raise BadQuery(f"there are {USERS_MAX} users already")
        if connection.scalar(select(users.c.id).where(users.c.login == login)) is not None:
            raise LoginTaken
        if first and _managers(connection):
            raise LoginTaken
        connection.execute(insert(users).values(**row))
        return _required(connection, str(row["id"]))


def list_users(database: Database) -> list[User]:
    """By login; `USERS_MAX` at most."""
    with database.read() as connection:
        rows = connection.execute(select(users).order_by(users.c.login).limit(USERS_MAX))
        return [_user(row) for row in rows]


def get_user(database: Database, user: str) -> User | None:
    with database.read() as connection:
        return _found(connection, user)


def find_user(database: Database, login: str) -> User | None:
    with database.read() as connection:
        row = connection.execute(
            select(users).where(users.c.login == login_of(login))
        ).one_or_none()
    return None if row is None else _user(row)


def has_manager(database: Database) -> bool:
    """Whether anybody may sign in and make other users."""
    with database.read() as connection:
        return bool(_managers(connection))


def change_user(database: Database, user: str, **values: object) -> tuple[User, User] | None:
    """As he was and as he is; None when there is none. `LastManager`.

    What changes who he is (role, password, agent, projects) or that he may come in ends all his
    sessions: he signs in anew, and gets another token.
    """
    if "projects" in values:
        values["projects"] = json.dumps(sorted(values["projects"]))  # type: ignore[call-overload]
    with database.write() as connection:
        one_at_a_time(connection, LOCK_USERS)
        before = _found(connection, user)
        if before is None:
            return None
        connection.execute(update(users).where(users.c.id == user).values(**values))
        after = _required(connection, user)
        if before.role in MANAGERS and not _managers(connection):
            raise LastManager
        if _identity(before) != _identity(after):
            connection.execute(delete(sessions).where(sessions.c.user == user))
        return before, after


def remove_user(database: Database, user: str) -> User | None:
    """Who he was; None when there is none. `LastManager`."""
    with database.write() as connection:
        one_at_a_time(connection, LOCK_USERS)
        before = _found(connection, user)
        if before is None:
            return None
        connection.execute(delete(sessions).where(sessions.c.user == user))
        connection.execute(delete(users).where(users.c.id == user))
        if before.role in MANAGERS and not _managers(connection):
            raise LastManager
        return before


def rehash(database: Database, user: str, before: str, after: str) -> None:
    """The same password, digested anew; not when it was changed meanwhile. Sessions go on."""
    with database.write() as connection:
        connection.execute(
            update(users)
            .where(users.c.id == user, users.c.password == before)
            .values(password=after)
        )


def use_code(database: Database, user: str, step: int) -> bool:
    """Whether the code of this half minute is his for the first time: two at once get one in."""
    with database.write() as connection:
        result = connection.execute(
            update(users).where(users.c.id == user, users.c.totp_step < step).values(totp_step=step)
        )
        return result.rowcount > 0


def _identity(user: User) -> tuple[object, ...]:
    return user.role, user.agent, user.projects, user.password, user.disabled_at, user.has_totp


def _managers(connection: Connection) -> int:
    wanted = select(func.count()).where(users.c.role.in_(MANAGERS), users.c.disabled_at.is_(None))
    return connection.scalar(wanted) or 0


def _found(connection: Connection, user: str) -> User | None:
    row = connection.execute(select(users).where(users.c.id == user)).one_or_none()
    return None if row is None else _user(row)


def _required(connection: Connection, user: str) -> User:
    found = _found(connection, user)
    assert found is not None
    return found


def _user(row: Row[Any]) -> User:
    values = row._asdict()
    return User(**values | {"projects": frozenset(json.loads(row.projects))})
