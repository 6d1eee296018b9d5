"""Who asks, and whether he may: each route declares the one permission that it needs.

    @router.get("/calls")
    def read_calls(ctx: Ctx, principal: Annotated[Principal, needs(Permission.SEE_CALLS)]): ...

`create_app` refuses a route that declares none (`PUBLIC` is the list of exceptions), and one that
declares two.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from perezvon.api.browser import check_own_page
from perezvon.api.errors import ApiError
from perezvon.api.roles import BOARD_LINK, ROLES, Grants, Permission, Reach, Role, grants_of
from perezvon.store.tokens import Token
from perezvon.store.users import User


class Kind(StrEnum):
    USER = "user"
    KEY = "key"
    SCREEN = "screen"
    """On the wall, by a link to the board."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A signed-in user, or a program with a key. Routes ask it and nothing else."""

    kind: Kind
    id: str
    name: str
    """As the audit log and facts name him."""
    grants: Grants = field(repr=False)
    role: Role | None = None
    """None: a key."""
    agent: str | None = None
    """Which agent of the plan he is."""
    projects: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()
    login: str = ""
    language: str = ""
    must_change_password: bool = False
    session: str = ""
    """Id of the session by whose cookie he came."""

    @property
    def by(self) -> str:
        """Who did it, for the engine: an agent by his id, so that his doing is known as his."""
        return self.agent or self.name

    @property
    def sees_numbers(self) -> bool:
        """Who works with clients sees their numbers; who only reads figures sees masks."""
        return self.may(Permission.SEE_NUMBERS)

    def may(self, permission: Permission) -> bool:
        return permission in self.grants

    def reach(self, permission: Permission) -> Reach:
        return self.grants[permission]

    def own_agent(self) -> str:
        """Whose desk it is; `ApiError` when he is no agent of the plan."""
        if self.agent is None:
            raise ApiError(422, "no_agent", "this account is not an agent of the plan")
        return self.agent

    def check_agent(self, permission: Permission, agent: str) -> None:
        """Whether he may do this for that agent: `ApiError` when it is another than himself and
        he may for himself only.
        """
        if self.reach(permission) is not Reach.ALL and agent != self.agent:
            raise ApiError(403, "forbidden", "an agent does this for himself only", "agent")


def of_key(token: Token) -> Principal:
    grants = grants_of(token.scopes)
    return Principal(Kind.KEY, token.id, token.name, grants, scopes=token.scopes)


def of_user(user: User, session: str = "") -> Principal:
    role = Role(user.role)
    return Principal(
        Kind.USER,
        user.id,
        user.name,
        ROLES[role],
        role=role,
        agent=user.agent,
        projects=user.projects,
        login=user.login,
        language=user.language,
        must_change_password=user.must_change_password,
        session=session,
    )


def of_screen(link: str, session: str) -> Principal:
    return Principal(Kind.SCREEN, link, "screen", BOARD_LINK, session=session)


class Needed:
    """The dependency of a route. Its `permission` is what tests and documents read."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    def __call__(self, request: Request) -> Principal:
        context = request.app.state.context
        found = context.principal_of(request)
        if found is None:
            raise ApiError(401, "unauthorised", "sign in, or send Authorization: Bearer …")
        principal: Principal = found
        if principal.kind is not Kind.KEY:
            check_own_page(request, context.origins)
        request.state.trail.principal = principal
        if not principal.may(self.permission):
            raise ApiError(403, "forbidden", f"needs the permission {self.permission.value!r}")
        if principal.must_change_password and self.permission not in _BEFORE_A_NEW_PASSWORD:
            raise ApiError(403, "password_change_needed", "choose a password of your own first")
        return principal


_BEFORE_A_NEW_PASSWORD: Final = (Permission.WHO_AM_I, Permission.ACCOUNT)


def needs(permission: Permission) -> Any:  # noqa: ANN401 - as Depends itself
    return Depends(Needed(permission))


def permission_of(route: APIRoute) -> Permission | None:
    """What it declares; None for a public one. More than one is our own mistake."""
    found = {needed.permission for needed in _needed(route.dependant)}
    assert len(found) <= 1, (route.path, found)
    return next(iter(found), None)


def _needed(dependant: Dependant) -> Iterator[Needed]:
    for each in dependant.dependencies:
        if isinstance(each.call, Needed):
            yield each.call
        yield from _needed(each)


PUBLIC: Final = frozenset(
    {
        "GET /health",
        "GET /ready",
        "POST /sessions",
        "DELETE /sessions/current",
        "GET /setup",
        "POST /setup",
        "POST /board-sessions",
    }
)
"""Routes of the API that anybody may ask."""


def check_declared(routes: Iterable[BaseRoute]) -> None:
    for route in routes:
        if isinstance(route, APIRoute):
            for method in route.methods or ():
                declared = permission_of(route) is not None
                door = f"{method} {route.path_format}"
                assert declared != (door in PUBLIC), f"{door} declares no permission"
