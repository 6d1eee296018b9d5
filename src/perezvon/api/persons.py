"""Persons: the card of one client, with all the times that we met on the telephone."""

from collections.abc import Iterable
from typing import Annotated

from fastapi import APIRouter, Request

from perezvon.api.access import Principal, needs
from perezvon.api.context import (
    ERRORS,
    LIMIT,
    Context,
    Ctx,
    Cursor,
    Limit,
    PathId,
    Shown,
    SomeText,
    client_of,
)
from perezvon.api.debts import Debt
from perezvon.api.errors import not_found
from perezvon.api.results import Result
from perezvon.api.roles import Permission
from perezvon.api.trail import trail_of
from perezvon.runtime.numbers import read
from perezvon.store.database import Database
from perezvon.store.history import (
    Direction,
    PastCallRow,
    figures_of,
    list_history,
    open_debts,
    was_offered,
)
from perezvon.store.names import Names
from perezvon.store.results import results_of
from perezvon.store.within import OfAgent

router = APIRouter(tags=["persons"], responses=ERRORS)


class PastCall(Shown):
    call: str
    direction: Direction
    person: str | None
    number: str | None = None
    name: str | None = None
    at: int
    queue: str
    did: str | None
    agent: str | None
    agent_name: str = ""
    outcome: str | None
    miss_reason: str | None
    wait_ms: int | None
    talk_ms: int | None
    debt: str | None
    result: Result | None = None


class History(Shown):
    items: list[PastCall]
    next: str | None


class Counts(Shown):
    calls: int
    answered: int
    callbacks: int
    reached: int
    placed: int
    first_at: int | None
    last_at: int | None


class Card(Shown):
    person: str
    number: str | None
    name: str | None
    counts: Counts
    debt: Debt | None
    """What we owe him now."""
    history: History


class Wanted(Shown):
    number: SomeText
    """As anybody would write it: with blanks, brackets, an 8 in front."""


class Found(Shown):
    person: str | None
    """For the lists' filter; null: it is no number, or nobody can be found by numbers now."""


@router.post("/persons/search")
def find_person(
    request: Request,
    ctx: Ctx,
    _principal: Annotated[Principal, needs(Permission.SEE_NUMBERS)],
    body: Wanted,
) -> Found:
    """Exactly this number. Its own address would be a log of numbers, so it is in the body."""
    trail_of(request).quiet = True
    plan = ctx.books.plan()
    number = read(body.number, plan.country if plan is not None else "")
    return Found(person=ctx.books.person_of(number.text) if number.text else None)


@router.get("/persons/{person}")
def read_person(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.SEE_PERSONS)],
    person: PathId,
    *,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> Card:
    """`limit` and `cursor` are of his history, newest first."""
    stored = ctx.books.fresh()
    figures = figures_of(stored, person)
    has_met = figures.calls or figures.callbacks or figures.placed
    within = ctx.within(principal, Permission.SEE_PERSONS)
    if not has_met or (isinstance(within, OfAgent) and not _is_his(stored, within, person)):
        raise not_found("person")
    page = list_history(stored, person=person, limit=limit, cursor=cursor)
    who = client_of(person, ctx.books.persons([person]), principal)
    owed = open_debts(stored, person=person, limit=1)
    return Card(
        person=person,
        number=who["number"],
        name=who["name"],
        counts=Counts.model_validate(figures),
        debt=Debt.model_validate(owed[0]).model_copy(update=who) if owed else None,
        history=History(items=history_of(ctx, stored, principal, page.items), next=page.next),
    )


def _is_his(stored: Database, within: OfAgent, person: str) -> bool:
    """An agent's are those who rang him, and whom he or his queues owe a call."""
    owed = open_debts(stored, person=person, within=within, limit=1)
    return bool(owed) or was_offered(stored, within.agent, person=person)


def history_of(
    ctx: Context, stored: Database, principal: Principal, rows: Iterable[PastCallRow]
) -> list[PastCall]:
    """With names and results."""
    rows = list(rows)
    names = Names(ctx.books.plan())
    persons = ctx.books.persons(row.person for row in rows)
    noted = results_of(stored, [row.call for row in rows])
    shown = []
    for row in rows:
        result = noted.get(row.call)
        more = {
            **client_of(row.person, persons, principal),
            "agent_name": names.of("agent", row.agent) if row.agent is not None else "",
            "result": None if result is None else Result.model_validate(result),
        }
        shown.append(PastCall.model_validate(row).model_copy(update=more))
    return shown
