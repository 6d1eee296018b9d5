"""Debts: one row for each duty to reach a missed caller, folded from its facts."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, select, update

from perezvon.core import facts as f
from perezvon.core.ids import DebtId, Instant
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, Page, between, fetch
from perezvon.store.schema import attempts, calls, debts
from perezvon.store.within import Within, debts_within


class DebtState(StrEnum):
    OPEN = "open"
    RECOVERED = "recovered"
    REACHED_US = "reached_us"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class DebtRow:
    id: str
    person: str
    queue: str
    state: str
    reason: str
    rule: str
    owner: str | None
    plan: str
    first_call: str
    calls: int
    """Inbound attempts under it."""
    opened_at: int
    due_at: int | None
    overdue_at: int | None
    next_attempt_at: int | None
    step: int
    attempts: int
    """Those that used up a step of the ladder."""
    dials: int
    """All that were started."""
    reopened_at: int | None
    """When the talk that had settled it was cut by a failure of the switch."""
    settled_at: int | None
    settled_by: str | None
    waiver: str | None
    settled_reason: str | None


def list_debts(
    database: Database,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    states: Sequence[DebtState] = (),
    owner: str | None = None,
    queue: str | None = None,
    person: str | None = None,
    due_before: Instant | None = None,
    within: Within = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[DebtRow]:
    """Newest first, by when they were opened."""
    wanted = between(debts_within(select(debts), within), debts.c.opened_at, since, until)
    wanted = between(wanted, debts.c.due_at, None, due_before)
    if states:
        wanted = wanted.where(debts.c.state.in_([state.value for state in states]))
    for column, value in ((debts.c.owner, owner), (debts.c.queue, queue), (debts.c.person, person)):
        if value is not None:
            wanted = wanted.where(column == value)
    order = (debts.c.opened_at, debts.c.id)
    with database.read() as connection:
        return fetch(
            connection,
            wanted,
            order,
            lambda row: DebtRow(**row),
            limit=limit,
            cursor=cursor,
        )


def get_debt(database: Database, debt: str, within: Within = None) -> DebtRow | None:
    wanted = debts_within(select(debts).where(debts.c.id == debt), within)
    with database.read() as connection:
        row = connection.execute(wanted).mappings().one_or_none()
    return None if row is None else DebtRow(**row)


def fold(connection: Connection, fact: f.Fact) -> None:
    """After `calls.fold` and `attempts.fold` of the same fact: it counts their rows."""
    match fact:
        case f.DebtOpened():
            _open(connection, fact)
        case f.CallOwed():
            count = select(func.count()).where(calls.c.debt == fact.debt).scalar_subquery()
            _change(connection, fact.debt, calls=count)
        case f.DebtOverdue():
            owner = func.coalesce(fact.owner, debts.c.owner)
            _change(connection, fact.debt, overdue_at=fact.at, owner=owner)
        case f.DebtReassigned():
            _change(connection, fact.debt, owner=fact.owner)
        case f.DebtSettled():
            _change(
                connection,
                fact.debt,
                state=DebtState(fact.how.value).value,
                settled_at=fact.at,
                settled_by=fact.by,
                settled_reason=fact.reason,
                waiver=None if fact.waiver is None else fact.waiver.value,
                next_attempt_at=None,
            )
        case f.DebtReopened():
            _change(
                connection,
                fact.debt,
                state=DebtState.OPEN.value,
                owner=fact.owner,
                due_at=fact.due_at,
                overdue_at=None,
                reopened_at=fact.at,
                settled_at=None,
                settled_by=None,
                settled_reason=None,
                waiver=None,
            )
        case f.AttemptScheduled():
            _change(connection, fact.debt, next_attempt_at=fact.due_at, step=fact.step)
        case f.AttemptStarted():
            dials = select(func.max(attempts.c.dial)).where(attempts.c.debt == fact.debt)
            _change(connection, fact.debt, dials=dials.scalar_subquery(), next_attempt_at=None)
        case f.AttemptMade():
            counted = select(func.count()).where(
                attempts.c.debt == fact.debt, attempts.c.counted.is_(True)
            )
            _change(connection, fact.debt, attempts=counted.scalar_subquery())
        case _:
            pass


def _open(connection: Connection, fact: f.DebtOpened) -> None:
    connection.execute(
        insert_into(connection, debts)
        .values(
            id=fact.debt,
            person=fact.person,
            queue=fact.queue,
            state=DebtState.OPEN.value,
            reason=fact.reason.value,
            rule=fact.rule,
            owner=fact.owner,
            plan=fact.plan,
            first_call=fact.call,
            calls=select(func.count()).where(calls.c.debt == fact.debt).scalar_subquery(),
            opened_at=fact.at,
            due_at=fact.due_at,
            step=0,
            attempts=0,
            dials=0,
        )
        .on_conflict_do_nothing()
    )


def _change(connection: Connection, debt: DebtId, **values: object) -> None:
    connection.execute(update(debts).where(debts.c.id == debt).values(**values))
