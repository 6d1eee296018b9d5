"""Signing in: password and, where he has one, code. Slow functions, asked off the event loop."""

import hmac
from dataclasses import dataclass
from typing import Final

import pyotp

from perezvon.api.context import Context
from perezvon.api.errors import ApiError
from perezvon.core.ids import SECOND
from perezvon.store import passwords, sign_in_limits, users
from perezvon.store.users import User

STEP_MS: Final = 30 * SECOND
DRIFT: Final = (0, -1, 1)
"""Steps by which a telephone's clock may be wrong."""


@dataclass(frozen=True, slots=True)
class Entered:
    login: str
    password: str
    code: str
    address: str


def enter(context: Context, entered: Entered) -> User:
    """Who he is, or `ApiError`: which of the two was wrong is not told."""
    store = context.books.stored
    count(context, entered.login, entered.address)
    user = users.find_user(store, entered.login)
    right = passwords.verify(
        user.password if user is not None else passwords.DUMMY, entered.password
    )
    if user is None or user.disabled_at is not None or not right:
        raise ApiError(401, "wrong", "login or password is wrong")
    if user.has_totp:
        if not entered.code:
            raise ApiError(401, "code_needed", "send the code of your telephone too", "code")
        if not check_code(context, user, entered.code):
            raise ApiError(401, "wrong_code", "the code is wrong, or was used", "code")
    sign_in_limits.forgive(store, entered.login, entered.address)
    if passwords.is_outdated(user.password):
        users.rehash(store, user.id, user.password, passwords.hashed(entered.password))
    return user


def count(context: Context, login: str, address: str) -> None:
    """One try more. `ApiError` when there were too many lately."""
    wait_ms = sign_in_limits.admit(context.books.stored, login, address, context.now())
    if wait_ms > 0:
        seconds = -(-wait_ms // SECOND)
        raise ApiError(429, "too_many_tries", "too many tries; wait", retry_after_s=max(seconds, 1))


def check_password(context: Context, user: User, password: str, address: str) -> None:
    """That it is he who asks for something that matters. `ApiError`."""
    count(context, user.login, address)
    if not passwords.verify(user.password, password):
        raise ApiError(403, "wrong", "the password is wrong", "password")
    sign_in_limits.forgive(context.books.stored, user.login, address)


def check_code(context: Context, user: User, code: str) -> bool:
    """Whether it is the code of now; each is good once."""
    seed = unlock(context, user)
    now_step = context.now() // STEP_MS
    for drift in DRIFT:
        step = now_step + drift
        wanted = pyotp.TOTP(seed).at(step * STEP_MS // SECOND)
        if hmac.compare_digest(wanted.encode(), code.strip().encode("utf-8", "replace")):
            return users.use_code(context.books.stored, user.id, step)
    return False


def unlock(context: Context, user: User) -> str:
    vault = context.vault
    seed = None if vault is None or user.totp is None else vault.unlock(user.totp)
    if seed is None:
        # The secrets file was replaced: an admin takes the code away, or the command line does.
        raise ApiError(503, "codes_away", "codes cannot be checked; ask an admin")
    return seed
