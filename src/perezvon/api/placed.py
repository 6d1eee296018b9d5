"""Calls that agents have dialled by hand to people whom we did not owe."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import (
    ERRORS,
    LIMIT,
    Ctx,
    Cursor,
    Limit,
    Moment,
    PathId,
    QueryId,
    Shown,
    client_of,
)
from perezvon.api.errors import not_found
from perezvon.api.roles import Permission
from perezvon.core.facts import AttemptOutcome
from perezvon.runtime.ports import Person
from perezvon.store.placed import PlacedRow, get_placed, list_placed

router = APIRouter(tags=["calls"], responses=ERRORS)

Reader = Annotated[Principal, needs(Permission.SEE_CALLS)]


class PlacedCall(Shown):
    id: str
    agent: str
    person: str
    number: str | None = None
    name: str | None = None
    queue: str
    did: str
    trunk: str
    placed_at: int
    by: str
    answered_at: int | None
    ended_at: int | None
    wait_ms: int | None
    talk_ms: int | None
    outcome: AttemptOutcome | None
    """None while it is dialled."""
    ended_by: str | None


class PlacedCalls(Shown):
    items: list[PlacedCall]
    next: str | None


def _shown(row: PlacedRow, persons: Mapping[str, Person], principal: Principal) -> PlacedCall:
    client = client_of(row.person, persons, principal)
    return PlacedCall.model_validate(row).model_copy(update=client)


@router.get("/placed-calls")
def read_placed_calls(
    ctx: Ctx,
    principal: Reader,
    *,
    since: Moment = None,
    until: Moment = None,
    agent: QueryId = None,
    person: QueryId = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> PlacedCalls:
    """Newest first. With whom we owed, an agent's dialling is an attempt of the debt."""
    page = list_placed(
        ctx.books.fresh(),
        since=since,
        until=until,
        agent=agent,
        person=person,
        within=ctx.within(principal, Permission.SEE_CALLS),
        limit=limit,
        cursor=cursor,
    )
    persons = ctx.books.persons(row.person for row in page.items)
    items = [_shown(row, persons, principal) for row in page.items]
    return PlacedCalls(items=items, next=page.next)


@router.get("/placed-calls/{call}")
def read_placed_call(ctx: Ctx, principal: Reader, call: PathId) -> PlacedCall:
    row = get_placed(ctx.books.fresh(), call, ctx.within(principal, Permission.SEE_CALLS))
    if row is None:
        raise not_found("call")
    return _shown(row, ctx.books.persons([row.person]), principal)
