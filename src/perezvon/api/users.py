"""Users: people who sign in. Only an owner makes owners, and one manager is always left."""

import asyncio
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Request
from pydantic import Field

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Context, Ctx, Id, PathId, Shown, Text
from perezvon.api.errors import ApiError, not_found
from perezvon.api.roles import Permission, Role
from perezvon.api.sessions import Login, Password
from perezvon.api.trail import trail_of
from perezvon.store import passwords
from perezvon.store import sessions as stored_sessions
from perezvon.store import users as stored_users
from perezvon.store.users import LastManager, LoginTaken

router = APIRouter(tags=["users"], responses=ERRORS)

PROJECTS_MAX: Final = 100

Managing = Annotated[Principal, needs(Permission.MANAGE_USERS)]
Projects = Annotated[tuple[Id, ...], Field(max_length=PROJECTS_MAX)]


class User(Shown):
    id: str
    login: str
    name: str
    role: Role
    agent: str | None
    projects: list[str]
    language: str
    has_totp: bool
    must_change_password: bool
    created_at: int
    signed_in_at: int | None
    disabled_at: int | None


class Users(Shown):
    items: list[User]


class NewUser(Shown):
    login: Login
    name: Text = ""
    role: Role
    agent: Id | None = None
    projects: Projects = ()
    language: Literal["ru", "en"] = "ru"
    password: Password
    must_change_password: bool = True


class UserChange(Shown):
    """What is not named stays."""

    name: Text | None = None
    role: Role | None = None
    agent: Id | None = None
    projects: Projects | None = None
    language: Literal["ru", "en"] | None = None
    disabled: bool | None = None
    without_codes: Literal[True] | None = None
    """Take his codes away: his telephone is gone."""


class NewPassword(Shown):
    password: Password
    must_change_password: bool = True


@router.get("/users")
def read_users(ctx: Ctx, _principal: Managing) -> Users:
    """By login."""
    return Users(items=[_shown(user) for user in stored_users.list_users(ctx.books.stored)])


@router.get("/users/{user}")
def read_user(ctx: Ctx, _principal: Managing, user: PathId) -> User:
    return _shown(_get(ctx, user))


@router.post("/users", status_code=201)
async def create_user(ctx: Ctx, principal: Managing, request: Request, body: NewUser) -> User:
    _check_may_make(principal, body.role)
    _check_agent(ctx, body.agent)

    def create() -> stored_users.User:
        passwords.check_rules(body.password, body.login)
        try:
            return stored_users.create_user(
                ctx.books.stored,
                login=body.login,
                name=body.name,
                role=body.role.value,
                password=passwords.hashed(body.password),
                agent=body.agent,
                projects=body.projects,
                language=body.language,
                must_change_password=body.must_change_password,
                now=ctx.now(),
            )
        except LoginTaken:
            raise ApiError(409, "login_taken", "another has this login", "login") from None

    async with ctx.hashing:
        made = await asyncio.to_thread(create)
    trail_of(request).object["user"] = made.id
    return _shown(made)


@router.patch("/users/{user}")
def change_user(
    ctx: Ctx, principal: Managing, request: Request, user: PathId, body: UserChange
) -> User:
    """Who he is or what he may: then all his sessions end."""
    before = _get(ctx, user)
    _check_may_touch(principal, before)
    values: dict[str, object] = body.model_dump(exclude_unset=True)
    for name in ("name", "role", "projects", "language"):
        if name in values and values[name] is None:
            raise ApiError(422, "invalid", "may be left out, not null", name)
    if body.role is not None:
        _check_may_make(principal, body.role)
        values["role"] = body.role.value
    if body.agent is not None:
        _check_agent(ctx, body.agent)
    disabled = values.pop("disabled", None)
    if disabled is not None:
        values["disabled_at"] = (before.disabled_at or ctx.now()) if disabled else None
    if values.pop("without_codes", None):
        values |= {"has_totp": False, "totp": None}
    if not values:
        return _shown(before)
    try:
        changed = stored_users.change_user(ctx.books.stored, user, **values)
    except LastManager:
        raise _last_manager() from None
    if changed is None:
        raise not_found("user")
    trail_of(request).before = _shown(changed[0]).model_dump()
    return _shown(changed[1])


@router.put("/users/{user}/password", status_code=204)
async def set_password(ctx: Ctx, principal: Managing, user: PathId, body: NewPassword) -> None:
    """For who forgot his: he is asked for one of his own when he signs in."""

    def change() -> None:
        found = _get(ctx, user)
        _check_may_touch(principal, found)
        passwords.check_rules(body.password, found.login)
        stored_users.change_user(
            ctx.books.stored,
            user,
            password=passwords.hashed(body.password),
            must_change_password=body.must_change_password,
        )

    async with ctx.hashing:
        await asyncio.to_thread(change)


@router.delete("/users/{user}/sessions", status_code=204)
def end_sessions(ctx: Ctx, principal: Managing, user: PathId) -> None:
    """Out everywhere, at once."""
    _check_may_touch(principal, _get(ctx, user))
    stored_sessions.end_sessions(ctx.books.stored, user)


@router.delete("/users/{user}", status_code=204)
def remove_user(ctx: Ctx, principal: Managing, request: Request, user: PathId) -> None:
    _check_may_touch(principal, _get(ctx, user))
    try:
        removed = stored_users.remove_user(ctx.books.stored, user)
    except LastManager:
        raise _last_manager() from None
    if removed is None:
        raise not_found("user")
    trail_of(request).before = _shown(removed).model_dump()


def _get(ctx: Context, user: str) -> stored_users.User:
    found = stored_users.get_user(ctx.books.stored, user)
    if found is None:
        raise not_found("user")
    return found


def _check_may_make(principal: Principal, role: Role) -> None:
    if role is Role.OWNER and principal.role is not Role.OWNER:
        raise ApiError(403, "forbidden", "only an owner makes owners", "role")


def _check_may_touch(principal: Principal, user: stored_users.User) -> None:
    """Else an admin would be an owner as soon as he has given one a new password."""
    if user.role == Role.OWNER.value and principal.role is not Role.OWNER:
        raise ApiError(403, "forbidden", "only an owner changes owners")


def _check_agent(ctx: Context, agent: str | None) -> None:
    plan = ctx.books.plan()
    if agent is not None and plan is not None and agent not in {each.id for each in plan.agents}:
        raise ApiError(422, "unknown_agent", "the plan has no such agent", "agent")


def _last_manager() -> ApiError:
    return ApiError(409, "last_manager", "one owner or admin who can sign in must be left")


def _shown(user: stored_users.User) -> User:
    return User.model_validate(
        {name: getattr(user, name) for name in User.model_fields}
        | {"projects": sorted(user.projects)}
    )
