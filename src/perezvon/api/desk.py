"""The agent's desk: what he may choose from, his calls, and whom he should call next."""

from typing import Annotated, Final

from fastapi import APIRouter

from perezvon.api.access import Principal, needs
from perezvon.api.context import ERRORS, LIMIT, Ctx, Cursor, Limit, Shown, client_of
from perezvon.api.desk_plan import PAUSES, opening_line, project_of, results_for
from perezvon.api.persons import History, history_of
from perezvon.api.roles import Permission
from perezvon.core.ids import DAY
from perezvon.core.plan import DeviceKind, Plan
from perezvon.metrics.explanation_words import Language
from perezvon.store.any_call import find_call
from perezvon.store.debts import DebtRow
from perezvon.store.history import list_history, list_missed, open_debts
from perezvon.store.results import ResultRow, promised_calls
from perezvon.store.within import OfAgent

router = APIRouter(tags=["desk"], responses=ERRORS)

NEXT_MAX: Final = 50
AHEAD_MS: Final = DAY
"""Promised calls are shown so long before they are due."""


class QueueAtDesk(Shown):
    id: str
    name: str
    wrap_up_ms: int
    results: list[str]


class Line(Shown):
    number: str
    """One of ours."""
    queue: str
    project: str
    """Its name; empty: none."""


class Desk(Shown):
    agent: str
    name: str
    device: DeviceKind | None
    """His own."""
    devices: list[DeviceKind]
    """Those that he may choose, his own first."""
    pauses: list[str]
    """Reasons of a pause."""
    queues: list[QueueAtDesk]
    lines: list[Line]


class MissedByMe(Shown):
    offer: str
    call: str
    person: str | None
    number: str | None = None
    name: str | None = None
    queue: str
    at: int
    ring_ms: int | None
    state: str | None
    agent: str | None
    debt: str | None


class MissedList(Shown):
    items: list[MissedByMe]
    next: str | None


class Next(Shown):
    """Somebody to call: we owe him, or he was promised a call."""

    debt: str | None
    call: str
    """The missed one, or the one at which the promise was made."""
    person: str | None
    number: str | None = None
    name: str | None = None
    queue: str
    due_at: int
    overdue: bool
    mine: bool
    """Else his who belongs to one of my queues."""
    missed_at: int | None
    calls: int
    attempts: int
    next_attempt_at: int | None
    """When it is called back automatically."""
    comment: str
    opening: str


class NextList(Shown):
    items: list[Next]


@router.get("/desk")
def read_desk(ctx: Ctx, principal: Annotated[Principal, needs(Permission.CHOOSE_STATUS)]) -> Desk:
    agent = principal.own_agent()
    plan = ctx.books.plan()
    own = next((each for each in plan.agents if each.id == agent), None) if plan else None
    return Desk(
        agent=agent,
        name=own.name if own is not None else agent,
        device=own.device if own is not None else None,
        devices=list(own.devices) if own is not None else [],
        pauses=list(PAUSES),
        queues=[
            QueueAtDesk(
                id=queue.id,
                name=queue.name,
                wrap_up_ms=queue.wrap_up_ms,
                results=list(results_for(project_of(plan, queue.id))),
            )
            for queue in (plan.queues if plan else ())
        ],
        lines=_lines(plan),
    )


def _lines(plan: Plan | None) -> list[Line]:
    found = []
    for did in plan.dids if plan is not None else ():
        project = project_of(plan, did.queue, did.number)
        name = project.name if project is not None else ""
        found.append(Line(number=did.number, queue=did.queue, project=name))
    return found


@router.get("/desk/calls")
def read_my_calls(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.NOTE_RESULT)],
    *,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> History:
    """Those that I talked on, and my call-backs, with results; newest first."""
    stored = ctx.books.fresh()
    page = list_history(stored, agent=principal.own_agent(), limit=limit, cursor=cursor)
    return History(items=history_of(ctx, stored, principal, page.items), next=page.next)


@router.get("/desk/missed")
def read_my_missed(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.NOTE_RESULT)],
    *,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
) -> MissedList:
    """When my telephone rang and I did not take it, and what became of the call; newest first."""
    page = list_missed(ctx.books.fresh(), principal.own_agent(), limit=limit, cursor=cursor)
    persons = ctx.books.persons(row.person for row in page.items)
    items = [
        MissedByMe.model_validate(row).model_copy(update=client_of(row.person, persons, principal))
        for row in page.items
    ]
    return MissedList(items=items, next=page.next)


@router.get("/desk/next")
def read_next(
    ctx: Ctx,
    principal: Annotated[Principal, needs(Permission.NOTE_RESULT)],
    *,
    lang: Language = "ru",
) -> NextList:
    """Whom I should call: debts of mine and of my queues, and calls that I promised for the next
    24 hours; the soonest due first.
    """
    stored, plan = ctx.books.fresh(), ctx.books.plan()
    agent, now = principal.own_agent(), ctx.now()
    owed = open_debts(stored, within=OfAgent.of(plan, agent), limit=NEXT_MAX)
    promised = promised_calls(stored, agent, now + AHEAD_MS, NEXT_MAX)
    found = [_owed(debt, agent) for debt in owed]
    for row in promised:
        call = find_call(stored, row.call)
        found.append(_promised(row, call.queue if call is not None else ""))
    persons = ctx.books.persons(each.person for each in found)
    return NextList(
        items=[
            each.model_copy(
                update={
                    "overdue": each.due_at <= now,
                    "opening": opening_line(plan, agent, each.queue, lang),
                    **client_of(each.person, persons, principal),
                }
            )
            for each in sorted(found, key=lambda each: (each.due_at, each.call))[:NEXT_MAX]
        ]
    )


def _owed(debt: DebtRow, agent: str) -> Next:
    return Next(
        debt=debt.id,
        call=debt.first_call,
        person=debt.person,
        queue=debt.queue,
        due_at=debt.due_at or debt.opened_at,
        overdue=False,
        mine=debt.owner == agent,
        missed_at=debt.opened_at,
        calls=debt.calls,
        attempts=debt.attempts,
        next_attempt_at=debt.next_attempt_at,
        comment="",
        opening="",
    )


def _promised(row: ResultRow, queue: str) -> Next:
    assert row.next_at is not None, "only such were asked for"
    return Next(
        debt=None,
        call=row.call,
        person=row.person,
        queue=queue,
        due_at=row.next_at,
        overdue=False,
        mine=True,
        missed_at=None,
        calls=0,
        attempts=0,
        next_attempt_at=None,
        comment=row.comment,
        opening="",
    )
