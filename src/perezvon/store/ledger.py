"""The ledger over the stored calls, and whether it truly balances.

Counting the states of all calls adds up by construction and proves nothing. So `balanced` also
counts from the other end: arrivals, ends and settlements from the facts, duties from the debts.
"""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, distinct, func, or_, select

from perezvon.core.ids import Instant
from perezvon.store.calls import CallState
from perezvon.store.database import Database
from perezvon.store.debts import DebtState
from perezvon.store.paging import INTEGER_MAX, BadQuery
from perezvon.store.reconciliation import Reconciliation, reconcile
from perezvon.store.schema import calls, debts, facts
from perezvon.store.within import Within

ENDS = ("CallAnswered", "CallWaived", "CallOwed")
"""Each inbound attempt is in progress until one of these is told of it."""


@dataclass(frozen=True, slots=True)
class Ledger:
    arrivals: int
    in_progress: int
    answered: int
    recovered: int
    reached_us: int
    waived: int
    open: int
    debts_open: int
    """Persons owed."""
    balanced: bool
    reconciliation: Reconciliation
    wrong: tuple[str, ...] = ()
    """What does not agree, in words; empty when balanced."""

    def as_dict(self) -> dict[str, Any]:
        """The keys that are promised, and no other."""
        fields = asdict(self)
        del fields["wrong"]
        return fields


def count(database: Database, since: Instant | None = None, within: Within = None) -> Ledger:
    """Of attempts received from `since` on; all of them without it. Only the whole ledger is
    compared with the facts: a part of it has no other end to count from.
    """
    if since is not None and abs(since) > INTEGER_MAX:
        raise BadQuery("since is not a moment in milliseconds")
    window = calls.c.received_at >= (since if since is not None else -INTEGER_MAX)
    if within is not None:
        window = and_(window, within.calls())
    with database.read() as connection:
        states = _states(connection, window)
        debts_open = _debts_open(connection, window)
        reconciliation = reconcile(connection, window)
        if within is None:
            arrivals = _arrivals(connection, since)
            wrong = [
                *_against_facts(connection, window, states, arrivals),
                *_against_debts(connection, debts_open, since),
                *_against_witness(connection, window, reconciliation),
            ]
        else:
            arrivals, wrong = sum(states.values()), []
    return Ledger(
        arrivals=arrivals,
        in_progress=states[CallState.IN_PROGRESS],
        answered=states[CallState.ANSWERED],
        recovered=states[CallState.RECOVERED],
        reached_us=states[CallState.REACHED_US],
        waived=states[CallState.WAIVED],
        open=states[CallState.OPEN],
        debts_open=debts_open,
        balanced=not wrong,
        reconciliation=reconciliation,
        wrong=tuple(wrong),
    )


def _states(connection: Connection, window: ColumnElement[bool]) -> dict[CallState, int]:
    row = connection.execute(
        select(
            *(
                func.coalesce(func.sum(case((calls.c.state == state.value, 1), else_=0)), 0)
                for state in CallState
            )
        ).where(window)
    ).one()
    return {state: int(number) for state, number in zip(CallState, row, strict=True)}


def _arrivals(connection: Connection, since: Instant | None) -> int:
    told = select(func.count(distinct(facts.c.call))).where(facts.c.type == "CallReceived")
    if since is not None:
        told = told.where(facts.c.at >= since)
    return int(connection.scalar(told) or 0)


def _debts_open(connection: Connection, window: ColumnElement[bool]) -> int:
    """Persons with an open debt under which there is a call of the window."""
    return int(
        connection.scalar(
            select(func.count(distinct(debts.c.person)))
            .join_from(debts, calls, calls.c.debt == debts.c.id)
            .where(debts.c.state == DebtState.OPEN.value, window)
        )
        or 0
    )


def _against_facts(
    connection: Connection,
    window: ColumnElement[bool],
    states: dict[CallState, int],
    arrivals: int,
) -> list[str]:
    wrong = []
    total = sum(states.values())
    if arrivals != total:
        wrong.append(f"{arrivals} attempts arrived, but {total} have a state")
    ended = _told(connection, window, facts.c.type.in_(ENDS))
    if arrivals - ended != states[CallState.IN_PROGRESS]:
        wrong.append(
            f"{arrivals - ended} attempts have no end yet,"
            f" but {states[CallState.IN_PROGRESS]} are in progress"
        )
    cut = select(facts.c.call).where(facts.c.type == "CallCut")
    owed_too = select(facts.c.call).where(facts.c.type == "CallOwed", facts.c.call.in_(cut))
    answered = _told(
        connection,
        window,
        and_(facts.c.type == "CallAnswered", facts.c.call.not_in(owed_too)),
    )
    if answered != states[CallState.ANSWERED]:
        wrong.append(
            f"{answered} attempts were answered, but {states[CallState.ANSWERED]} are counted"
        )
    settled = (
        select(facts.c.debt)
        .where(facts.c.type.in_(("DebtSettled", "DebtReopened")))
        .group_by(facts.c.debt)
        .having(_number("DebtSettled") > _number("DebtReopened"))
    )
    owed = _told(connection, window, and_(facts.c.type == "CallOwed", facts.c.debt.not_in(settled)))
    if owed != states[CallState.OPEN]:
        wrong.append(
            f"{owed} attempts are owed and not settled, but {states[CallState.OPEN]} are open"
        )
    return wrong


def _told(connection: Connection, window: ColumnElement[bool], what: ColumnElement[bool]) -> int:
    return int(
        connection.scalar(
            select(func.count(distinct(calls.c.id)))
            .join_from(calls, facts, facts.c.call == calls.c.id)
            .where(window, what)
        )
        or 0
    )


def _number(kind: str) -> ColumnElement[int]:
    return func.sum(case((facts.c.type == kind, 1), else_=0))


def _against_witness(
    connection: Connection, window: ColumnElement[bool], found: Reconciliation
) -> list[str]:
    """The last word about each attempt, from the facts: confirmed, or differing."""
    last = (
        select(func.max(facts.c.id))
        .where(facts.c.type.in_(("ArrivalConfirmed", "WitnessDiffered")))
        .group_by(facts.c.call)
    )
    confirmed = _told(
        connection, window, and_(facts.c.type == "ArrivalConfirmed", facts.c.id.in_(last))
    )
    differing = _told(
        connection, window, and_(facts.c.type == "WitnessDiffered", facts.c.id.in_(last))
    )
    wrong = []
    both = found.journal_calls + found.fallback_calls - found.unseen
    if confirmed != both:
        wrong.append(f"{confirmed} attempts were witnessed, but {both} are counted")
    if differing != found.difference:
        wrong.append(
            f"of {differing} attempts the accounts differ, but {found.difference} are counted"
        )
    return wrong


def _against_debts(connection: Connection, debts_open: int, since: Instant | None) -> list[str]:
    """Of all debts, whatever the window: a duty does not become less by looking away."""
    wrong = []
    is_open = debts.c.state == DebtState.OPEN.value
    unowned = connection.scalar(
        select(func.count()).where(is_open, or_(debts.c.owner.is_(None), debts.c.due_at.is_(None)))
    )
    if unowned:
        wrong.append(f"{unowned} open debts have no owner or no due time")
    orphans = connection.scalar(
        select(func.count())
        .select_from(calls)
        .outerjoin(debts, and_(debts.c.id == calls.c.debt, is_open))
        .where(calls.c.state == CallState.OPEN.value, debts.c.id.is_(None))
    )
    if orphans:
        wrong.append(f"{orphans} open attempts have no open debt")
    owing = select(calls.c.debt).where(
        calls.c.state == CallState.OPEN.value, calls.c.debt.is_not(None)
    )
    empty = connection.scalar(select(func.count()).where(is_open, debts.c.id.not_in(owing)))
    if empty:
        wrong.append(f"{empty} open debts have no open attempt")
    number = connection.scalar(select(func.count()).where(is_open)) or 0
    persons = connection.scalar(select(func.count(distinct(debts.c.person))).where(is_open)) or 0
    if number != persons or (since is None and persons != debts_open):
        wrong.append(f"{number} debts are open for {persons} persons ({debts_open} with attempts)")
    return wrong
