"""Views of a list that its user has saved: filters and order, as the page's address has them."""

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter
from pydantic import StringConstraints

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, Ctx, PathId, Shown
from perezvon.api.errors import not_found
from perezvon.api.roles import Permission
from perezvon.store import saved_views

router = APIRouter(tags=["saved views"], responses=ERRORS)

Own = Annotated[Principal, needs(Permission.ACCOUNT)]


class ListPage(StrEnum):
    """Pages whose views can be saved."""

    MISSED = "missed"
    CALLS = "calls"


class NewView(Shown):
    page: ListPage
    name: Annotated[
        str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")
    ]
    query: Annotated[str, StringConstraints(max_length=2_000, pattern=r"^[\x20-\x7e]*$")]


class SavedView(Shown):
    id: str
    page: ListPage
    name: str
    query: str


class SavedViews(Shown):
    items: list[SavedView]


@router.get("/saved-views")
def read_saved_views(ctx: Ctx, principal: Own, page: ListPage) -> SavedViews:
    """His own, by name."""
    found = saved_views.list_views(ctx.books.stored, principal.id, page.value)
    return SavedViews(items=[SavedView.model_validate(view) for view in found])


@router.post("/saved-views", status_code=201)
def save_view(ctx: Ctx, principal: Own, body: NewView) -> SavedView:
    """One of the same name is replaced."""
    saved = saved_views.save_view(
        ctx.books.stored, principal.id, body.page.value, body.name, body.query, ctx.now()
    )
    return SavedView.model_validate(saved)


@router.delete("/saved-views/{view}", status_code=204)
def remove_saved_view(ctx: Ctx, principal: Own, view: PathId) -> None:
    if not saved_views.remove_view(ctx.books.stored, principal.id, view):
        raise not_found("view")
