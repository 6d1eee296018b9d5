"""API tokens: 256 random bits each, of which the store keeps a digest only."""

import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, func, insert, select, update

from perezvon.core.ids import MINUTE, Instant
from perezvon.store import bearer
from perezvon.store.database import Database
from perezvon.store.paging import BadQuery
from perezvon.store.schema import tokens

PREFIX: Final = "pz_"
TOKENS_MAX: Final = 1_000
NAME_LENGTH_MAX: Final = 100
USED_EVERY_MS: Final = MINUTE
"""A use is noted this often at most: reading must not write each time."""
SCOPE: Final = re.compile(r"[a-z][a-z0-9_.:-]{0,39}")


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    name: str
    scopes: frozenset[str]
    created_at: int
    last_used_at: int | None
    revoked_at: int | None


def create_token(
    database: Database, name: str, scopes: Collection[str], now: Instant
) -> tuple[Token, str]:
    """The token and its secret, which is shown this once and never again."""
    name = name.strip()
    if not 1 <= len(name) <= NAME_LENGTH_MAX:
        raise BadQuery(f"a token needs a name of {NAME_LENGTH_MAX} characters at most")
    for scope in scopes:
        if not SCOPE.fullmatch(scope):
            raise BadQuery(f"{scope[:50]!r} is not a scope")
    secret = bearer.new_secret(PREFIX)
    token = Token(secrets.token_hex(4), name, frozenset(scopes), now, None, None)
    with database.write() as connection:
        count = connection.scalar(select(func.count()).where(tokens.c.revoked_at.is_(None)))
        if (count or 0) >= TOKENS_MAX:
            raise BadQuery(f"there are {TOKENS_MAX} tokens already; revoke some")
        connection.execute(
            insert(tokens).values(
                id=token.id,
                hash=bearer.digest(secret),
                name=token.name,
                scopes=" ".join(sorted(token.scopes)),
                created_at=now,
            )
        )
    return token, secret


def list_tokens(database: Database) -> list[Token]:
    """Newest first, revoked ones too; `TOKENS_MAX` at most."""
    with database.read() as connection:
        rows = connection.execute(
            select(tokens).order_by(tokens.c.created_at.desc(), tokens.c.id).limit(TOKENS_MAX)
        )
        return [_token(row) for row in rows]


def revoke_token(database: Database, token: str, now: Instant) -> bool:
    """False when there is no such token, or it was revoked before."""
    with database.write() as connection:
        result = connection.execute(
            update(tokens)
            .where(tokens.c.id == token, tokens.c.revoked_at.is_(None))
            .values(revoked_at=now)
        )
        return result.rowcount > 0


def check_token(database: Database, secret: str, now: Instant) -> Token | None:
    """Whose secret this is; None when nobody's, or a revoked one's."""
    if not secret.startswith(PREFIX) or len(secret) > bearer.SECRET_LENGTH_MAX:
        return None
    digest = bearer.digest(secret)
    with database.read() as connection:
        row = connection.execute(
            select(tokens).where(tokens.c.hash == digest, tokens.c.revoked_at.is_(None))
        ).one_or_none()
    # Found by a digest, so the time of the look-up tells nothing of a secret; once more for all.
    if row is None or not hmac.compare_digest(row.hash, digest):
        return None
    if row.last_used_at is None or now - row.last_used_at >= USED_EVERY_MS:
        with database.write() as connection:
            connection.execute(update(tokens).where(tokens.c.id == row.id).values(last_used_at=now))
    return _token(row)


def _token(row: Row[Any]) -> Token:
    return Token(
        id=row.id,
        name=row.name,
        scopes=frozenset(row.scopes.split()),
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
    )
