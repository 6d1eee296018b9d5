"""Debts: whom we owe a call, who sees to it, until when, and how each was settled."""

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
from perezvon.api.roles import Permission
from perezvon.runtime.ports import Person
from perezvon.store.debts import DebtRow, DebtState, get_debt, list_debts

router = APIRouter(tags=["debts"], responses=ERRORS)


class Debt(Shown):
    id: str
    person: str
    number: str | None = None
    name: str | None = None
    queue: str
    state: DebtState
    reason: str
    rule: str
    owner: str | None
    first_call: str
    calls: int
    opened_at: int
    due_at: int | None
    overdue_at: int | None
    next_attempt_at: int | None
    step: int
    attempts: int
    dials: int
    reopened_at: int | None
    settled_at: int | None
    settled_by: str | None
    waiver: str | None
    settled_reason: str | None


class Debts(Shown):
    items: list[Debt]
    next: str | None


def _shown(row: DebtRow, persons: Mapping[str, Person], principal: Principal) -> Debt:
    return Debt.model_validate(row).model_copy(update=client_of(row.person, persons, principal))


@router.get("/debts")
def read_debts(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.SEE_DEBTS)],
    *,
    since: Moment = None,
    until: Moment = None,
    due_before: Moment = None,
    state: Annotated[list[DebtState], Query(max_length=len(DebtState))] = [],  # noqa: B006
    owner: QueryId = None,
    queue: QueryId = None,
    person: QueryId = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Debts:
    """Newest first."""
    page = list_debts(
        ctx.books.fresh(),
        since=since,
        until=until,
        states=state,
        owner=owner,
        queue=queue,
        person=person,
        due_before=due_before,
        within=ctx.within(principal, Permission.SEE_DEBTS),
        limit=limit,
        cursor=cursor,
    )
    persons = ctx.books.persons(row.person for row in page.items)
    return Debts(items=[_shown(row, persons, principal) for row in page.items], next=page.next)


@router.get("/debts/{debt}")
def read_debt(
    ctx: Ctx, principal: Annotated[Principal, needs(Permission.SEE_DEBTS)], debt: PathId
) -> Debt:
    row = get_debt(ctx.books.fresh(), debt, ctx.within(principal, Permission.SEE_DEBTS))
    if row is None:
        raise not_found("debt")
    return _shown(row, ctx.books.persons([row.person]), principal)
