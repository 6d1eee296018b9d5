"""Calls: every inbound attempt and how it stands in the ledger."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query

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
from perezvon.api.results import Result
from perezvon.api.roles import Permission
from perezvon.core.facts import WaiverKind
from perezvon.runtime.ports import Person
from perezvon.store.calls import CallRow, CallState, get_call, list_calls
from perezvon.store.offers import list_offers
from perezvon.store.paging import LIMIT_MAX
from perezvon.store.results import ResultRow, results_of

router = APIRouter(tags=["calls"], responses=ERRORS)


class Call(Shown):
    id: str
    person: str | None
    number: str | None = None
    name: str | None = None
    number_class: str
    did: str
    known_number: bool
    trunk: str | None
    queue: str
    received_at: int
    queued_at: int | None
    answered_at: int | None
    ended_at: int | None
    wait_ms: int | None
    talk_ms: int | None
    agent: str | None
    ended_by: str | None
    state: CallState
    miss_reason: str | None
    miss_cause: str | None
    waiver: str | None
    rule: str | None
    debt: str | None
    in_fallback: bool
    cut_at: int | None
    witnessed: bool
    difference: str | None
    result: Result | None = None
    """What it came to, as noted last."""


class Offer(Shown):
    id: str
    agent: str
    step: int
    ranking: str
    made_at: int
    ended_at: int | None
    outcome: str | None
    ring_ms: int | None


class CallWithOffers(Call):
    offers: list[Offer]


class Calls(Shown):
    items: list[Call]
    next: str | None


def _shown(
    row: CallRow,
    persons: Mapping[str, Person],
    principal: Principal,
    noted: Mapping[str, ResultRow],
) -> Call:
    result = noted.get(row.id)
    more = {
        **client_of(row.person, persons, principal),
        "result": None if result is None else Result.model_validate(result),
    }
    return Call.model_validate(row).model_copy(update=more)


@router.get("/calls")
def read_calls(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.SEE_CALLS)],
    *,
    since: Moment = None,
    until: Moment = None,
    state: Annotated[list[CallState], Query(max_length=len(CallState))] = [],  # noqa: B006
    queue: QueryId = None,
    agent: QueryId = None,
    person: QueryId = None,
    debt: QueryId = None,
    waiver: Annotated[WaiverKind | None, Query()] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Calls:
    """Newest first."""
    stored = ctx.books.fresh()
    page = list_calls(
        stored,
        since=since,
        until=until,
        states=state,
        queue=queue,
        agent=agent,
        person=person,
        debt=debt,
        within=ctx.within(principal, Permission.SEE_CALLS),
        waiver=waiver,
        limit=limit,
        cursor=cursor,
    )
    persons = ctx.books.persons(row.person for row in page.items)
    noted = results_of(stored, [row.id for row in page.items])
    items = [_shown(row, persons, principal, noted) for row in page.items]
    return Calls(items=items, next=page.next)


@router.get("/calls/{call}")
def read_call(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.SEE_CALLS)], call: PathId
) -> CallWithOffers:
    """One call with the offers that were made for it, oldest first."""
    stored = ctx.books.fresh()
    row = get_call(stored, call, ctx.within(principal, Permission.SEE_CALLS))
    if row is None:
        raise not_found("call")
    made = list_offers(stored, call=call, limit=LIMIT_MAX).items
    noted = results_of(stored, [call])
    shown = _shown(row, ctx.books.persons([row.person]), principal, noted)
    offers = [Offer.model_validate(offer) for offer in reversed(made)]
    return CallWithOffers(**shown.model_dump(), offers=offers)
