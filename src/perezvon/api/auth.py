"""Who am I, and my own account: password and codes."""

import asyncio
from typing import Annotated, Final, Literal

import pyotp
import segno
from fastapi import APIRouter, Request, Response

from perezvon.api import sign_in
from perezvon.api.access import Kind, Principal, needs
from perezvon.api.browser import address_of
from perezvon.api.context import ERRORS, Context, Ctx, Shown
from perezvon.api.errors import ApiError, not_found
from perezvon.api.roles import Permission, Reach, Role
from perezvon.api.sessions import Code, Password, begin
from perezvon.store import passwords, users
from perezvon.store.names import Names
from perezvon.store.users import User

router = APIRouter(tags=["auth"], responses=ERRORS)

ISSUER: Final = "Perezvon"


class Me(Shown):
    kind: Kind
    name: str
    login: str
    """Of a user."""
    role: Role | None
    """None: a key or a screen."""
    scopes: list[str]
    """Of a key."""
    permissions: list[Permission]
    reach: dict[Permission, Reach]
    """Over which objects he has each."""
    agent: str | None
    projects: list[str]
    language: str | None
    zone: str
    """Of the tenant; moments are shown in it."""
    must_change_password: bool
    has_totp: bool


class PasswordBody(Shown):
    password: Password
    """The present one."""
    new_password: Password


class OwnPasswordBody(Shown):
    password: Password


class LanguageBody(Shown):
    language: Literal["ru", "en"]


class CodeBody(Shown):
    code: Code


class Enrolment(Shown):
    secret: str
    """To type where a picture cannot be taken."""
    uri: str
    svg: str
    """The picture, for a telephone's app."""


@router.get("/auth")
def read_me(ctx: Ctx, principal: Annotated[Principal, needs(Permission.WHO_AM_I)]) -> Me:
    is_user = principal.kind is Kind.USER
    user = users.get_user(ctx.books.stored, principal.id) if is_user else None
    return Me(
        kind=principal.kind,
        name=principal.name,
        login=principal.login,
        role=principal.role,
        scopes=sorted(principal.scopes),
        permissions=sorted(principal.grants),
        reach=dict(sorted(principal.grants.items())),
        agent=principal.agent,
        projects=sorted(principal.projects),
        language=principal.language or None,
        zone=Names(ctx.books.plan()).zone,
        must_change_password=principal.must_change_password,
        has_totp=user is not None and user.has_totp,
    )


@router.put("/auth/language", status_code=204)
def change_language(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.ACCOUNT)], body: LanguageBody
) -> None:
    """In which the pages greet him when he signs in."""
    users.change_user(ctx.books.stored, principal.id, language=body.language)


@router.put("/auth/password", status_code=204)
async def change_password(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.ACCOUNT)],
    request: Request,
    response: Response,
    body: PasswordBody,
) -> None:
    """All his sessions end, and this browser gets a new one."""

    def change() -> None:
        user = _own(ctx, principal)
        sign_in.check_password(ctx, user, body.password, address_of(request))
        passwords.check_rules(body.new_password, user.login)
        kept = passwords.hashed(body.new_password)
        users.change_user(ctx.books.stored, user.id, password=kept, must_change_password=False)
        begin(ctx, request, response, user)

    async with ctx.hashing:
        await asyncio.to_thread(change)


@router.post("/auth/totp")
async def enrol_totp(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.ACCOUNT)],
    request: Request,
    body: OwnPasswordBody,
) -> Enrolment:
    """A new seed; it counts once a code of it was confirmed."""
    vault = ctx.vault
    if vault is None:
        raise ApiError(503, "codes_away", "this installation has no secrets file yet")

    def enrol() -> Enrolment:
        user = _own(ctx, principal)
        sign_in.check_password(ctx, user, body.password, address_of(request))
        if user.has_totp:
            raise ApiError(409, "has_codes", "take the present codes away first")
        seed = pyotp.random_base32()
        users.change_user(ctx.books.stored, user.id, totp=vault.lock(seed), totp_step=0)
        uri = pyotp.TOTP(seed).provisioning_uri(name=user.login, issuer_name=ISSUER)
        picture = segno.make(uri, error="m").svg_inline(scale=4, border=2, light="#fff")
        return Enrolment(secret=seed, uri=uri, svg=picture)

    async with ctx.hashing:
        return await asyncio.to_thread(enrol)


@router.put("/auth/totp", status_code=204)
def confirm_totp(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.ACCOUNT)],
    request: Request,
    response: Response,
    body: CodeBody,
) -> None:
    """From now on a code is asked for at sign-in; other browsers have to sign in anew."""
    user = _own(ctx, principal)
    if user.totp is None or user.has_totp:
        raise not_found("code to confirm")
    sign_in.count(ctx, user.login, address_of(request))
    if not sign_in.check_code(ctx, user, body.code):
        raise ApiError(422, "wrong_code", "the code is wrong, or was used", "code")
    users.change_user(ctx.books.stored, user.id, has_totp=True)
    begin(ctx, request, response, user)


@router.post("/auth/totp/removal", status_code=204)
async def remove_totp(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.ACCOUNT)],
    request: Request,
    response: Response,
    body: OwnPasswordBody,
) -> None:
    def remove() -> None:
        user = _own(ctx, principal)
        sign_in.check_password(ctx, user, body.password, address_of(request))
        users.change_user(ctx.books.stored, user.id, has_totp=False, totp=None)
        begin(ctx, request, response, user)

    async with ctx.hashing:
        await asyncio.to_thread(remove)


def _own(ctx: Context, principal: Principal) -> User:
    user = users.get_user(ctx.books.stored, principal.id)
    if user is None:
        raise not_found("user")
    return user
