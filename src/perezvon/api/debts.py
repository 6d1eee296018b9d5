"""Debts: whom we owe a call, who sees to it, until when, and how each was settled.

A debt is shown as its client's episode: his calls, whom they rang, our attempts and what came of
them. A page of them costs the store three questions, however long it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from perezvon.api.access import Principal, needs
from perezvon.api.context import (
    ERRORS,
    LIMIT,
    Context,
    Ctx,
    Cursor,
    Limit,
    Moment,
    PathId,
    QueryId,
    Shown,
    client_of,
)
from perezvon.api.debts_csv import EXPORT_MAX, Client, Export
from perezvon.api.errors import not_found
from perezvon.api.roles import Permission
from perezvon.core.facts import AttemptOutcome, MissReason, OfferOutcome
from perezvon.core.plan import Plan
from perezvon.metrics.explanation_words import Language
from perezvon.runtime.ports import Person
from perezvon.store.debts import (
    DebtRow,
    DebtSort,
    DebtState,
    Order,
    Reaction,
    Wanted,
    get_debt,
    list_debts,
)
from perezvon.store.episodes import Episode, episodes_of
from perezvon.store.names import Names
from perezvon.store.paging import LIMIT_MAX

router = APIRouter(tags=["debts"], responses=ERRORS)

Seeing = Annotated[Principal, needs(Permission.SEE_DEBTS)]


class RingShown(Shown):
    agent: str
    call: str
    made_at: int
    outcome: OfferOutcome | None
    """None while it rings."""
    ring_ms: int | None


class TryShown(Shown):
    dial: int
    call: str
    started_at: int
    dialled_at: int | None
    agent: str | None
    outcome: AttemptOutcome | None
    """None while it goes on."""
    talk_ms: int | None


class Debt(Shown):
    id: str
    person: str
    number: str | None = None
    name: str | None = None
    queue: str
    state: DebtState
    reaction: Reaction
    """What the missed call met with; each debt has exactly one."""
    reaction_ms: int | None
    """From the miss to our first call to him."""
    reason: MissReason
    rule: str
    owner: str | None
    first_call: str
    calls: int
    first_at: int | None
    last_at: int | None
    waited_ms: int | None
    """The longest of his waits."""
    opened_at: int
    due_at: int | None
    overdue_at: int | None
    next_attempt_at: int | None
    step: int
    attempts: int
    dials: int
    first_dialled_at: int | None
    reopened_at: int | None
    settled_at: int | None
    settled_by: str | None
    waiver: str | None
    settled_reason: str | None
    rung: tuple[RingShown, ...] = ()
    """Whom his calls rang, in order; the newest twenty."""
    tries: tuple[TryShown, ...] = ()
    """Our attempts, in order; the newest twenty."""


class Debts(Shown):
    items: list[Debt]
    next: str | None


class Filters:
    """What both lists of debts, on a page and as a file, may be narrowed by."""

    def __init__(
        self,
        ctx: Ctx,
        *,
        since: Moment = None,
        until: Moment = None,
        due_before: Moment = None,
        state: Annotated[list[DebtState], Query(max_length=len(DebtState))] = [],  # noqa: B006
        reaction: Annotated[list[Reaction], Query(max_length=len(Reaction))] = [],  # noqa: B006
        reason: Annotated[list[MissReason], Query(max_length=len(MissReason))] = [],  # noqa: B006
        owner: QueryId = None,
        group: QueryId = None,
        queue: QueryId = None,
        person: QueryId = None,
        sort: Annotated[DebtSort, Query()] = DebtSort.OPENED,
        ascending: bool = False,
    ) -> None:
        owners = None if owner is None else [owner]
        if group is not None:
            members = _members(ctx.books.plan(), group)
            owners = [each for each in members if owner in (None, each)]
        self.wanted = Wanted(
            since=since,
            until=until,
            due_before=due_before,
            states=state,
            reactions=reaction,
            reasons=reason,
            owners=owners,
            queue=queue,
            person=person,
        )
        self.order = Order(sort, ascending=ascending)


Filtered = Annotated[Filters, Depends()]


def _members(plan: Plan | None, group: str) -> list[str]:
    """Of a group of the plan in force; nobody, where there is none such."""
    groups = plan.groups if plan is not None else ()
    found = next((each for each in groups if each.id == group), None)
    return [] if found is None else [member.agent for member in found.members]


def _shown(
    row: DebtRow, episode: Episode, persons: Mapping[str, Person], principal: Principal
) -> Debt:
    debt = Debt.model_validate(row)
    rung = tuple(RingShown.model_validate(each) for each in episode.rung)
    tries = tuple(TryShown.model_validate(each) for each in episode.tries)
    client = client_of(row.person, persons, principal)
    return debt.model_copy(update={**client, "rung": rung, "tries": tries})


@router.get("/debts")
def read_debts(
    ctx: Ctx, principal: Seeing, filters: Filtered, limit: Limit = LIMIT, cursor: Cursor = None
) -> Debts:
    """Newest first, by when they were opened, without another `sort`."""
    store = ctx.books.fresh()
    within = ctx.within(principal, Permission.SEE_DEBTS)
    page = list_debts(
        store, filters.wanted, filters.order, within=within, limit=limit, cursor=cursor
    )
    items = _all_shown(ctx, page.items, principal)
    return Debts(items=items, next=page.next)


def _all_shown(ctx: Context, rows: Sequence[DebtRow], principal: Principal) -> list[Debt]:
    episodes = episodes_of(ctx.books.stored, [row.id for row in rows])
    persons = ctx.books.persons(row.person for row in rows)
    return [_shown(row, episodes[row.id], persons, principal) for row in rows]


CSV: Final = "text/csv; charset=utf-8"


@router.get(
    "/debts.csv",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/csv": {}}, "description": "A table of the debts"}},
)
def export_debts(
    ctx: Ctx, principal: Seeing, filters: Filtered, *, lang: Language = "ru"
) -> StreamingResponse:
    """The list as a file for spreadsheets, 50,000 rows at most; the rest is named in its end."""
    ctx.books.fresh()
    export = Export(lang, Names(ctx.books.plan()))
    lines = _exported(ctx, principal, filters, export)
    headers = {"Content-Disposition": 'attachment; filename="debts.csv"'}
    return StreamingResponse(lines, media_type=CSV, headers=headers)


def _exported(
    ctx: Context, principal: Principal, filters: Filters, export: Export
) -> Iterator[str]:
    yield export.head()
    within = ctx.within(principal, Permission.SEE_DEBTS)
    cursor, count = None, 0
    while count < EXPORT_MAX:
        store = ctx.books.stored
        limit = min(LIMIT_MAX, EXPORT_MAX - count)
        page = list_debts(
            store, filters.wanted, filters.order, within=within, limit=limit, cursor=cursor
        )
        episodes = episodes_of(store, [row.id for row in page.items])
        persons = ctx.books.persons(row.person for row in page.items)
        clients = {row.person: _client(row, persons, principal) for row in page.items}
        yield export.lines(page.items, episodes, clients)
        count, cursor = count + len(page.items), page.next
        if cursor is None:
            return
    yield export.cut()


def _client(row: DebtRow, persons: Mapping[str, Person], principal: Principal) -> Client:
    known = client_of(row.person, persons, principal)
    return Client(known["number"] or "", known["name"] or "")


@router.get("/debts/{debt}")
def read_debt(ctx: Ctx, principal: Seeing, debt: PathId) -> Debt:
    row = get_debt(ctx.books.fresh(), debt, ctx.within(principal, Permission.SEE_DEBTS))
    if row is None:
        raise not_found("debt")
    return _all_shown(ctx, [row], principal)[0]
