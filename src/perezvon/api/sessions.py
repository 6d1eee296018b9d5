"""Signing in and out, and where one is signed in."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import StringConstraints

from perezvon.api import sign_in
from perezvon.api.access import Principal, needs, of_user
from perezvon.api.browser import (
    SESSION,
    address_of,
    check_own_page,
    cookie_of,
    give_cookie,
    take_cookie,
)
from perezvon.api.context import ERRORS, Context, Ctx, PathId, Shown
from perezvon.api.errors import not_found
from perezvon.api.roles import Permission
from perezvon.api.trail import trail_of
from perezvon.store import sessions as stored_sessions
from perezvon.store.passwords import LENGTH_MAX
from perezvon.store.users import User

router = APIRouter(tags=["sessions"], responses=ERRORS)

LOGIN_LENGTH_MAX: Final = 100

Login = Annotated[str, StringConstraints(min_length=1, max_length=LOGIN_LENGTH_MAX)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=LENGTH_MAX)]
Code = Annotated[str, StringConstraints(max_length=10)]


class SignInBody(Shown):
    login: Login
    password: Password
    code: Code = ""


class SignedIn(Shown):
    must_change_password: bool


class OpenSession(Shown):
    id: str
    created_at: int
    seen_at: int
    expires_at: int
    address: str
    program: str
    current: bool


class OpenSessions(Shown):
    items: list[OpenSession]


@router.post("/sessions", status_code=201)
async def sign_in_with_password(
    ctx: Ctx, request: Request, response: Response, body: SignInBody
) -> SignedIn:
    """Gives a cookie. 401 `code_needed`: the password is right, and he has codes."""
    check_own_page(request, ctx.origins, program=True)
    trail = trail_of(request)
    trail.who, trail.always = body.login, True
    entered = sign_in.Entered(body.login, body.password, body.code, address_of(request))
    async with ctx.hashing:
        user = await asyncio.to_thread(sign_in.enter, ctx, entered)
    trail.principal = of_user(user)
    await asyncio.to_thread(begin, ctx, request, response, user)
    return SignedIn(must_change_password=user.must_change_password)


def begin(ctx: Context, request: Request, response: Response, user: User) -> None:
    """A new session with a new secret, whatever cookie the browser had."""
    _, secret = stored_sessions.open_session(
        ctx.books.stored,
        ctx.now(),
        user=user.id,
        address=address_of(request),
        program=request.headers.get("user-agent", ""),
        instead_of=cookie_of(request, SESSION),
    )
    give_cookie(request, response, SESSION, secret, stored_sessions.ABSOLUTE_MS)


@router.delete("/sessions/current", status_code=204)
def sign_out(ctx: Ctx, request: Request, response: Response) -> None:
    """Also of one whose session is over by now."""
    check_own_page(request, ctx.origins, program=True)
    secret = cookie_of(request, SESSION)
    found = stored_sessions.check_session(ctx.books.stored, secret, ctx.now())
    if found is not None:
        user = stored_sessions.user_of(ctx.books.stored, found)
        trail_of(request).principal = None if user is None else of_user(user)
        stored_sessions.end_session(ctx.books.stored, found.id)
    take_cookie(request, response, SESSION)


@router.get("/sessions")
def read_sessions(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.ACCOUNT)]
) -> OpenSessions:
    """One's own, last used first."""
    found = stored_sessions.list_sessions(ctx.books.stored, principal.id, ctx.now())
    return OpenSessions(
        items=[
            OpenSession(
                id=each.id,
                created_at=each.created_at,
                seen_at=each.seen_at,
                expires_at=each.expires_at,
                address=each.address,
                program=each.program,
                current=each.id == principal.session,
            )
            for each in found
        ]
    )


@router.delete("/sessions/{session}", status_code=204)
def end_session(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.ACCOUNT)], session: PathId
) -> None:
    """One's own: a browser that was left somewhere."""
    if not stored_sessions.end_session(ctx.books.stored, session, principal.id):
        raise not_found("session")
