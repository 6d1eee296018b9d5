"""A call whoever called whom: an inbound attempt, our call-back, or one dialled by hand."""

from dataclasses import dataclass

from sqlalchemy import null, select

from perezvon.core.ids import Duration, Instant
from perezvon.store.database import Database
from perezvon.store.history import Direction
from perezvon.store.schema import attempts, calls, debts, placed
from perezvon.store.within import Within, callbacks_within, calls_within, placed_within


@dataclass(frozen=True, slots=True)
class AnyCall:
    id: str
    direction: Direction
    person: str | None
    did: str | None
    """The number of ours that the client called, now or when he was missed."""
    queue: str
    agent: str | None
    at: Instant
    ended_at: Instant | None
    """Of an attempt that reached him: when the talk began."""
    talk_ms: Duration | None
    debt: str | None
    """That it led to, or that it was to settle."""


def find_call(database: Database, call: str, within: Within = None) -> AnyCall | None:
    """None too when it is out of his reach."""
    inbound = select(
        calls.c.person,
        calls.c.did,
        calls.c.queue,
        calls.c.agent,
        calls.c.received_at,
        calls.c.ended_at,
        calls.c.talk_ms,
        calls.c.debt,
    ).where(calls.c.id == call)
    callback = (
        select(
            debts.c.person,
            calls.c.did,
            debts.c.queue,
            attempts.c.agent,
            attempts.c.started_at,
            attempts.c.ended_at,
            attempts.c.talk_ms,
            attempts.c.debt,
        )
        .join(debts, debts.c.id == attempts.c.debt)
        .outerjoin(calls, calls.c.id == debts.c.first_call)
        .where(attempts.c.call == call)
    )
    by_hand = select(
        placed.c.person,
        placed.c.did,
        placed.c.queue,
        placed.c.agent,
        placed.c.placed_at,
        placed.c.ended_at,
        placed.c.talk_ms,
        null(),
    ).where(placed.c.id == call)
    found = (
        (Direction.INBOUND, calls_within(inbound, within)),
        (Direction.CALLBACK, callbacks_within(callback, within)),
        (Direction.PLACED, placed_within(by_hand, within)),
    )
    with database.read() as connection:
        for direction, wanted in found:
            row = connection.execute(wanted).first()
            if row is not None:
                return AnyCall(call, direction, *row)
    return None
