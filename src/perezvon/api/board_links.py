"""Links to the board for screens on the wall: read only, numbers masked, until a moment.

The secret stands in the address after `#`, which browsers send to nobody; the page hands it over
once and gets a cookie of the screen for it.
"""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field, StringConstraints

from perezvon.api.access import Principal, needs
from perezvon.api.browser import BOARD, address_of, check_own_page, cookie_of, give_cookie
from perezvon.api.context import ERRORS, MOMENT_MAX, Ctx, PathId, Shown, SomeText
from perezvon.api.errors import ApiError, not_found
from perezvon.api.roles import Permission
from perezvon.api.trail import trail_of
from perezvon.store import board_links as stored_links
from perezvon.store.sessions import open_session

router = APIRouter(tags=["board links"], responses=ERRORS)

Sharing = Annotated[Principal, needs(Permission.SHARE_BOARD)]


class BoardLink(Shown):
    id: str
    name: str
    created_at: int
    created_by: str
    expires_at: int


class BoardLinks(Shown):
    items: list[BoardLink]


class NewBoardLink(Shown):
    name: SomeText
    expires_at: Annotated[int, Field(ge=0, le=MOMENT_MAX)]


class BoardLinkWithSecret(BoardLink):
    path: str
    """To be opened on the screen; shown this once."""


class SecretBody(Shown):
    token: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Screen(Shown):
    expires_at: int


@router.get("/board-links")
def read_board_links(ctx: Ctx, _principal: Sharing) -> BoardLinks:
    """Valid ones, newest first."""
    found = stored_links.list_links(ctx.books.stored, ctx.now())
    return BoardLinks(items=[BoardLink.model_validate(link) for link in found])


@router.post("/board-links", status_code=201)
def create_board_link(
    ctx: Ctx, principal: Sharing, request: Request, body: NewBoardLink
) -> BoardLinkWithSecret:
    link, secret = stored_links.create_link(
        ctx.books.stored,
        name=body.name,
        by=principal.by,
        expires_at=body.expires_at,
        now=ctx.now(),
    )
    trail_of(request).object["link"] = link.id
    shown = BoardLink.model_validate(link).model_dump()
    return BoardLinkWithSecret(**shown, path=f"/tv#{secret}")


@router.delete("/board-links/{link}", status_code=204)
def revoke_board_link(ctx: Ctx, _principal: Sharing, link: PathId) -> None:
    """Screens that it opened go dark."""
    if not stored_links.revoke_link(ctx.books.stored, link, ctx.now()):
        raise not_found("link")


@router.post("/board-sessions", status_code=201)
def open_board(ctx: Ctx, request: Request, response: Response, body: SecretBody) -> Screen:
    """What a screen asks once, with the secret of its address."""
    check_own_page(request, ctx.origins, program=True)
    link = stored_links.check_link(ctx.books.stored, body.token, ctx.now())
    if link is None:
        raise ApiError(401, "unauthorised", "this link is over, or was revoked", "token")
    trail_of(request).who = link.name
    _, secret = open_session(
        ctx.books.stored,
        ctx.now(),
        link=link.id,
        until=link.expires_at,
        address=address_of(request),
        program=request.headers.get("user-agent", ""),
        instead_of=cookie_of(request, BOARD),
    )
    give_cookie(request, response, BOARD, secret, link.expires_at - ctx.now())
    return Screen(expires_at=link.expires_at)
