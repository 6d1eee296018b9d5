"""Keys of the API, for programs. The secret is shown once, when the key is made."""

from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import Field

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, PathId, Shown, SomeText
from perezvon.api.errors import ApiError, not_found
from perezvon.api.roles import SCOPES, Permission
from perezvon.api.trail import trail_of
from perezvon.store import tokens

router = APIRouter(tags=["keys"], responses=ERRORS)

SCOPES_MAX: Final = len(SCOPES)

Managing = Annotated[Principal, needs(Permission.MANAGE_KEYS)]


class Key(Shown):
    id: str
    name: str
    scopes: list[str]
    created_at: int
    last_used_at: int | None
    revoked_at: int | None


class Keys(Shown):
    items: list[Key]


class NewKey(Shown):
    name: SomeText
    scopes: Annotated[list[SomeText], Field(min_length=1, max_length=SCOPES_MAX)]
    """`read`, `act`, `admin`, `integrator`, or single permissions."""


class KeyWithSecret(Key):
    secret: str


@router.get("/keys")
def read_keys(ctx: Ctx, _principal: Managing) -> Keys:
    """Newest first, revoked ones too."""
    return Keys(items=[_shown(token) for token in tokens.list_tokens(ctx.books.stored)])


@router.post("/keys", status_code=201)
def create_key(ctx: Ctx, _principal: Managing, request: Request, body: NewKey) -> KeyWithSecret:
    for scope in body.scopes:
        if scope not in SCOPES:
            raise ApiError(422, "invalid", f"a scope is one of {', '.join(SCOPES)}", "scopes")
    token, secret = tokens.create_token(ctx.books.stored, body.name, body.scopes, ctx.now())
    trail_of(request).object["key"] = token.id
    return KeyWithSecret(**_shown(token).model_dump(), secret=secret)


@router.delete("/keys/{key}", status_code=204)
def revoke_key(ctx: Ctx, _principal: Managing, key: PathId) -> None:
    if not tokens.revoke_token(ctx.books.stored, key, ctx.now()):
        raise not_found("key")


def _shown(token: tokens.Token) -> Key:
    return Key(
        id=token.id,
        name=token.name,
        scopes=sorted(token.scopes),
        created_at=token.created_at,
        last_used_at=token.last_used_at,
        revoked_at=token.revoked_at,
    )
