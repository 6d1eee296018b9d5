"""Calls: one row for each inbound attempt, folded from its facts. What the ledger counts."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, func, literal, or_, select, update

from perezvon.core import facts as f
from perezvon.core.ids import Instant
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, Page, between, fetch
from perezvon.store.schema import calls
from perezvon.store.within import Within, calls_within


class CallState(StrEnum):
    """Where an inbound attempt stands."""

    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    RECOVERED = "recovered"
    REACHED_US = "reached_us"
    WAIVED = "waived"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class CallRow:
    id: str
    leg: str
    person: str | None
    number_class: str
    did: str
    known_number: bool
    trunk: str | None
    queue: str
    plan: str
    received_at: int
    queued_at: int | None
    answered_at: int | None
    ended_at: int | None
    wait_ms: int | None
    talk_ms: int | None
    agent: str | None
    ended_by: str | None
    state: str
    miss_reason: str | None
    miss_cause: str | None
    waiver: str | None
    rule: str | None
    debt: str | None
    in_fallback: bool
    cut_at: int | None
    """When the switch failed in the middle of its talk."""
    witnessed: bool
    """The second witness has it too."""
    difference: str | None
    """`unheard` or `unseen`: only one of the two accounts has it."""


def list_calls(
    database: Database,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    states: Sequence[CallState] = (),
    queue: str | None = None,
    agent: str | None = None,
    person: str | None = None,
    debt: str | None = None,
    within: Within = None,
    waiver: f.WaiverKind | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[CallRow]:
    """Newest first, by when they were received."""
    wanted = between(calls_within(select(calls), within), calls.c.received_at, since, until)
    if states:
        wanted = wanted.where(calls.c.state.in_([state.value for state in states]))
    equal = ((calls.c.queue, queue), (calls.c.agent, agent), (calls.c.person, person))
    waived = (calls.c.waiver, None if waiver is None else waiver.value)
    for column, value in (*equal, (calls.c.debt, debt), waived):
        if value is not None:
            wanted = wanted.where(column == value)
    order = (calls.c.received_at, calls.c.id)
    with database.read() as connection:
        return fetch(
            connection,
            wanted,
            order,
            lambda row: CallRow(**row),
            limit=limit,
            cursor=cursor,
        )


def get_call(database: Database, call: str, within: Within = None) -> CallRow | None:
    wanted = calls_within(select(calls).where(calls.c.id == call), within)
    with database.read() as connection:
        row = connection.execute(wanted).mappings().one_or_none()
    return None if row is None else CallRow(**row)


def fold(connection: Connection, fact: f.Fact) -> None:
    """A call-back is a call without a row here: what is told of it changes nothing."""
    match fact:
        case f.CallReceived():
            _receive(connection, fact)
        case f.CallQueued() | f.CallFellBackToSwitch():
            _change(connection, fact.call, **_on_its_way(fact))
        case f.CallAnswered() | f.CallMissed() | f.CallEnded() | f.CallCut():
            _change(connection, fact.call, **_at_its_end(fact))
        case f.CallWaived() | f.CallOwed():
            _change(connection, fact.call, **_as_duty(fact))
        case f.ArrivalConfirmed():
            in_fallback = or_(calls.c.in_fallback, literal(fact.in_fallback))
            _change(connection, fact.call, witnessed=True, difference=None, in_fallback=in_fallback)
        case f.WitnessDiffered():
            _change(connection, fact.call, difference=fact.how.value)
        case f.DebtSettled():
            waiver = None if fact.waiver is None else fact.waiver.value
            _move(connection, fact.debt, CallState.OPEN, CallState(fact.how.value), waiver=waiver)
        case f.DebtReopened():
            _move(connection, fact.debt, CallState.RECOVERED, CallState.OPEN)
        case _:
            pass


def _on_its_way(fact: f.CallQueued | f.CallFellBackToSwitch) -> dict[str, object]:
    match fact:
        case f.CallQueued():
            queued_at = func.coalesce(calls.c.queued_at, fact.at)
            return {"queue": fact.queue, "queued_at": queued_at}
        case f.CallFellBackToSwitch():
            return {"in_fallback": True}


def _at_its_end(
    fact: f.CallAnswered | f.CallMissed | f.CallEnded | f.CallCut,
) -> dict[str, object]:
    match fact:
        case f.CallAnswered():
            return {
                "state": CallState.ANSWERED.value,
                "answered_at": fact.at,
                "agent": fact.agent,
                "queue": fact.queue,
                "wait_ms": fact.wait_ms,
                **({"in_fallback": True} if fact.in_fallback else {}),
            }
        case f.CallMissed():
            return {
                "ended_at": fact.at,
                "wait_ms": fact.waited_ms,
                "miss_reason": fact.reason.value,
                "miss_cause": fact.cause.value,
            }
        case f.CallEnded():
            return {"ended_at": fact.at, "talk_ms": fact.talk_ms, "ended_by": fact.ended_by}
        case f.CallCut():
            return {"cut_at": fact.at}


def _as_duty(fact: f.CallWaived | f.CallOwed) -> dict[str, object]:
    match fact:
        case f.CallWaived():
            state = CallState.WAIVED.value
            return {"state": state, "waiver": fact.kind.value, "rule": fact.rule}
        case f.CallOwed():
            return {"state": CallState.OPEN.value, "debt": fact.debt}


def _move(
    connection: Connection, debt: str, from_: CallState, to: CallState, **values: object
) -> None:
    """All inbound attempts under a debt that are in one state, into another."""
    connection.execute(
        update(calls)
        .where(calls.c.debt == debt, calls.c.state == from_.value)
        .values(state=to.value, **values)
    )


def _receive(connection: Connection, fact: f.CallReceived) -> None:
    connection.execute(
        insert_into(connection, calls)
        .values(
            id=fact.call,
            leg=fact.leg,
            person=fact.person,
            number_class=fact.number_class.value,
            did=fact.did,
            known_number=fact.known_number,
            trunk=fact.trunk,
            queue=fact.queue,
            plan=fact.plan,
            received_at=fact.at,
            state=CallState.IN_PROGRESS.value,
            in_fallback=False,
            witnessed=False,
        )
        .on_conflict_do_nothing()
    )


def _change(connection: Connection, call: str, **values: object) -> None:
    connection.execute(update(calls).where(calls.c.id == call).values(**values))
