"""The first user of an installation, made with a code that only its terminal has shown."""

import asyncio
import hmac
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from perezvon.api.access import of_user
from perezvon.api.browser import address_of, check_own_page
from perezvon.api.context import ERRORS, Context, Ctx, Shown, Text
from perezvon.api.errors import ApiError
from perezvon.api.roles import Role
from perezvon.api.sessions import Login, Password, begin
from perezvon.api.sign_in import count
from perezvon.api.trail import trail_of
from perezvon.store import passwords, users
from perezvon.store.users import LoginTaken, User

router = APIRouter(tags=["setup"], responses=ERRORS)

CODE_BYTES_MAX: Final = 200
TRIES: Final = "/setup"
"""Counted as a login that nobody can have."""


class Setup(Shown):
    needed: bool
    """Nobody may sign in yet."""


class SetupBody(Shown):
    code: Annotated[str, StringConstraints(max_length=40)]
    login: Login
    name: Text = ""
    password: Password
    language: Literal["ru", "en"] = "ru"


@router.get("/setup")
def read_setup(ctx: Ctx) -> Setup:
    return Setup(needed=not users.has_manager(ctx.books.stored))


@router.post("/setup", status_code=201)
async def make_first_user(ctx: Ctx, request: Request, response: Response, body: SetupBody) -> Setup:
    """The owner; he is signed in at once. The code is good once."""
    check_own_page(request, ctx.origins, program=True)

    def make() -> User:
        if users.has_manager(ctx.books.stored):
            raise ApiError(409, "set_up", "this installation has its first user")
        count(ctx, TRIES, address_of(request))
        code = _code(ctx.setup_file)
        if not code or not hmac.compare_digest(code, _plain(body.code)):
            raise ApiError(403, "wrong_code", "the code of the terminal is another", "code")
        passwords.check_rules(body.password, body.login)
        user = _make(ctx, body)
        if ctx.setup_file is not None:
            ctx.setup_file.unlink(missing_ok=True)
        return user

    async with ctx.hashing:
        user = await asyncio.to_thread(make)
    trail_of(request).principal = of_user(user)
    await asyncio.to_thread(begin, ctx, request, response, user)
    return Setup(needed=False)


def _make(ctx: Context, body: SetupBody) -> User:
    try:
        return users.create_user(
            ctx.books.stored,
            login=body.login,
            name=body.name,
            role=Role.OWNER.value,
            password=passwords.hashed(body.password),
            language=body.language,
            now=ctx.now(),
            first=True,
        )
    except LoginTaken:
        raise ApiError(409, "set_up", "this installation has its first user") from None


def _code(path: Path | None) -> bytes:
    """Empty when there is none: then nobody is let in by it."""
    if path is None:
        return b""
    try:
        return _plain(path.read_bytes()[:CODE_BYTES_MAX].decode("utf-8", "replace"))
    except OSError:
        return b""


def _plain(code: str) -> bytes:
    """As it is compared: without the hyphens and blanks that make it readable."""
    return "".join(sign for sign in code.lower() if sign.isalnum()).encode("utf-8", "replace")
