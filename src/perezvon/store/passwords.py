"""Passwords: argon2id, slow on purpose. Ask off the event loop.

A sign-in with a login that nobody has costs the same time as one with a wrong password: `DUMMY` is
checked then, so that logins cannot be told apart by a clock.
"""

import unicodedata
from typing import Final

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from perezvon.store.paging import BadQuery

LENGTH_MIN: Final = 10
LENGTH_MAX: Final = 200
_HASHER: Final = argon2.PasswordHasher(time_cost=3, memory_cost=32 * 1024, parallelism=1)
"""32 MiB and some 50 ms each: what four at once may cost the web process."""
DUMMY: Final = (
    "$argon2id$v=19$m=32768,t=3,p=1$Y09hHPbxpX3J0ZwJ4e05aw"
    "$QZSSHZTKcBDKe1nm8WkIDz0vev8tT7ezTGYOKH4iXc4"
)
"""Of the same cost, and of nobody."""


def check_rules(password: str, login: str) -> None:
    """`BadQuery` when it is too easy to guess, or too long to be one."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise BadQuery(f"a password has from {LENGTH_MIN} to {LENGTH_MAX} characters")
    plain = _normal(password).casefold()
    if len(set(plain)) < 5:  # noqa: PLR2004 - aaaaaaaaaa, 1212121212
        raise BadQuery("a password has five different characters at least")
    if login and login.casefold() in plain and len(plain) < len(login) + LENGTH_MIN:
        raise BadQuery("the password contains the login")


def hashed(password: str) -> str:
    return _HASHER.hash(_normal(password))


def verify(kept: str, password: str) -> bool:
    """Whether it is the one. Anything that is no hash of ours is nobody's password."""
    if len(password) > LENGTH_MAX:
        return False
    try:
        return _HASHER.verify(kept, _normal(password))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """It was made when hashing was cheaper."""
    return _HASHER.check_needs_rehash(kept)


def _normal(password: str) -> str:
    """The same letters are the same bytes, whatever keyboard they were typed on."""
    return unicodedata.normalize("NFKC", password).encode("utf-8", "replace").decode()
