"""Debts: one row for each duty to reach a missed caller, folded from its facts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, update

from perezvon.core import facts as f
from perezvon.core.ids import HOUR, MINUTE, DebtId, Instant
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, Page, between, fetch
from perezvon.store.schema import attempts, calls, debts
from perezvon.store.within import Within, debts_within

SOON_MS: Final = 20 * MINUTE
SAME_DAY_MS: Final = 23 * HOUR


class DebtState(StrEnum):
    OPEN = "open"
    RECOVERED = "recovered"
    REACHED_US = "reached_us"
    WAIVED = "waived"


class Reaction(StrEnum):
    """What a missed call met with, as supervisors sort them. Each debt has exactly one."""

    NOBODY = "nobody"
    """Nobody has called back yet."""
    TRIED = "tried"
    """His telephone was called; we owe him still."""
    REACHED_US = "reached_us"
    SOON = "soon"
    """We talked with him within 20 minutes of the miss."""
    SAME_DAY = "same_day"
    """Within 23 hours."""
    LATE = "late"
    WAIVED = "waived"


class DebtSort(StrEnum):
    OPENED = "opened"
    LAST_CALL = "last_call"
    DUE = "due"
    WAITED = "waited"
    CALLS = "calls"


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
    first_at: int | None
    """When he called first, and last."""
    last_at: int | None
    waited_ms: int | None
    """The longest of his waits."""
    first_dialled_at: int | None
    """When we first called him back."""

    @property
    def reaction(self) -> Reaction:
        match DebtState(self.state):
            case DebtState.OPEN:
                return Reaction.NOBODY if self.first_dialled_at is None else Reaction.TRIED
            case DebtState.REACHED_US:
                return Reaction.REACHED_US
            case DebtState.WAIVED:
                return Reaction.WAIVED
            case DebtState.RECOVERED:
                took_ms = (self.settled_at or self.opened_at) - self.opened_at
                if took_ms <= SOON_MS:
                    return Reaction.SOON
                return Reaction.SAME_DAY if took_ms <= SAME_DAY_MS else Reaction.LATE

    @property
    def reaction_ms(self) -> int | None:
        """From the miss to our first call to him."""
        at = self.first_dialled_at
        if at is None and self.state == DebtState.RECOVERED:
            # An agent dialled him by hand: the talk is all that is known of it.
            at = self.settled_at
        return None if at is None else max(0, at - self.opened_at)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which debts: all that fit each of what is given."""

    since: Instant | None = None
    """By when they were opened."""
    until: Instant | None = None
    due_before: Instant | None = None
    states: Sequence[DebtState] = ()
    reactions: Sequence[Reaction] = ()
    reasons: Sequence[f.MissReason] = ()
    owners: Sequence[str] | None = None
    """None: whoever owns it."""
    queue: str | None = None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    by: DebtSort = DebtSort.OPENED
    ascending: bool = field(default=False, kw_only=True)


def list_debts(
    database: Database,
    wanted: Wanted | None = None,
    order: Order | None = None,
    *,
    within: Within = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[DebtRow]:
    """Newest first, by when they were opened, where no other order is asked for."""
    order = order or Order()
    place = _place(order.by).label("place")
    statement = _narrowed(debts_within(select(debts, place), within), wanted or Wanted())
    with database.read() as connection:
        return fetch(
            connection,
            statement,
            (place, debts.c.id),
            lambda row: DebtRow(**{key: value for key, value in row.items() if key != "place"}),
            limit=limit,
            cursor=cursor,
            ascending=order.ascending,
        )


def _place(by: DebtSort) -> ColumnElement[int]:
    """What it is sorted by; never NULL, for pages go on from there."""
    match by:
        case DebtSort.OPENED:
            return debts.c.opened_at
        case DebtSort.LAST_CALL:
            return func.coalesce(debts.c.last_at, debts.c.opened_at)
        case DebtSort.DUE:
            return func.coalesce(debts.c.due_at, 0)
        case DebtSort.WAITED:
            return func.coalesce(debts.c.waited_ms, 0)
        case DebtSort.CALLS:
            return debts.c.calls


def _narrowed(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    statement = between(statement, debts.c.opened_at, wanted.since, wanted.until)
    statement = between(statement, debts.c.due_at, None, wanted.due_before)
    if wanted.states:
        statement = statement.where(debts.c.state.in_([each.value for each in wanted.states]))
    if wanted.reasons:
        statement = statement.where(debts.c.reason.in_([each.value for each in wanted.reasons]))
    if wanted.reactions:
        statement = statement.where(or_(*map(_met_with, wanted.reactions)))
    if wanted.owners is not None:
        statement = statement.where(debts.c.owner.in_(wanted.owners))
    for column, value in ((debts.c.queue, wanted.queue), (debts.c.person, wanted.person)):
        if value is not None:
            statement = statement.where(column == value)
    return statement


def _met_with(reaction: Reaction) -> ColumnElement[bool]:
    """As `DebtRow.reaction` says of a row."""
    took_ms = debts.c.settled_at - debts.c.opened_at
    recovered = debts.c.state == DebtState.RECOVERED.value
    match reaction:
        case Reaction.NOBODY:
            return and_(debts.c.state == DebtState.OPEN.value, debts.c.first_dialled_at.is_(None))
        case Reaction.TRIED:
            return and_(
                debts.c.state == DebtState.OPEN.value, debts.c.first_dialled_at.is_not(None)
            )
        case Reaction.REACHED_US:
            return debts.c.state == DebtState.REACHED_US.value
        case Reaction.SOON:
            return and_(recovered, took_ms <= SOON_MS)
        case Reaction.SAME_DAY:
            return and_(recovered, took_ms > SOON_MS, took_ms <= SAME_DAY_MS)
        case Reaction.LATE:
            return and_(recovered, took_ms > SAME_DAY_MS)
        case Reaction.WAIVED:
            return debts.c.state == DebtState.WAIVED.value


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
            _change(connection, fact.debt, **_of_its_calls(fact.debt))
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
        case f.ClientDialled():
            first = func.coalesce(debts.c.first_dialled_at, fact.at)
            _change(connection, fact.debt, first_dialled_at=first)
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
            **_of_its_calls(fact.debt),
            opened_at=fact.at,
            due_at=fact.due_at,
            step=0,
            attempts=0,
            dials=0,
        )
        .on_conflict_do_nothing()
    )


def _of_its_calls(debt: DebtId) -> dict[str, object]:
    """Sums over the inbound attempts under it, which are a handful."""
    sums = {
        "calls": func.count(),
        "first_at": func.min(calls.c.received_at),
        "last_at": func.max(calls.c.received_at),
        "waited_ms": func.max(calls.c.wait_ms),
    }
    return {
        name: select(each).where(calls.c.debt == debt).scalar_subquery()
        for name, each in sums.items()
    }


def _change(connection: Connection, debt: DebtId, **values: object) -> None:
    connection.execute(update(debts).where(debts.c.id == debt).values(**values))
