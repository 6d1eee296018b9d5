"""Who am I: what a key or a user may do."""

from typing import Annotated

from fastapi import APIRouter

from perezvon.api.access import Kind, Principal, needs
from perezvon.api.context import ERRORS, Shown
from perezvon.api.roles import Permission, Reach, Role

router = APIRouter(tags=["auth"], responses=ERRORS)


class Me(Shown):
    kind: Kind
    name: str
    role: Role | None
    """None: a key."""
    scopes: list[str]
    """Of a key."""
    permissions: dict[Permission, Reach]
    agent: str | None
    projects: list[str]


@router.get("/auth")
def read_me(principal: Annotated[Principal, needs(Permission.WHO_AM_I)]) -> Me:
    return Me(
        kind=principal.kind,
        name=principal.name,
        role=principal.role,
        scopes=sorted(principal.scopes),
        permissions=dict(sorted(principal.grants.items())),
        agent=principal.agent,
        projects=sorted(principal.projects),
    )
