"""Attempts: each dialling of a debt and what came of it."""

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
    QueryId,
    Shown,
)
from perezvon.api.roles import Permission
from perezvon.core.facts import AttemptOutcome
from perezvon.store.callbacks import list_attempts

router = APIRouter(tags=["attempts"], responses=ERRORS)


class Attempt(Shown):
    debt: str
    dial: int
    call: str
    order: str
    step: int
    started_at: int
    dialled_at: int | None
    agent: str | None
    ended_at: int | None
    outcome: str | None
    counted: bool
    talk_ms: int | None
    cut_at: int | None


class Attempts(Shown):
    items: list[Attempt]
    next: str | None


@router.get("/attempts")
def read_attempts(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.SEE_DEBTS)],
    *,
    since: Moment = None,
    until: Moment = None,
    debt: QueryId = None,
    agent: QueryId = None,
    outcome: Annotated[AttemptOutcome | None, Query()] = None,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Attempts:
    """Newest first."""
    page = list_attempts(
        ctx.books.fresh(),
        since=since,
        until=until,
        debt=debt,
        agent=agent,
        outcome=outcome.value if outcome is not None else None,
        within=ctx.within(principal, Permission.SEE_DEBTS),
        limit=limit,
        cursor=cursor,
    )
    return Attempts(items=[Attempt.model_validate(row) for row in page.items], next=page.next)
