"""A call whoever called whom: an inbound attempt, or our call-back. What both have in common."""

from dataclasses import dataclass

from sqlalchemy import select

from perezvon.core.ids import Instant
from perezvon.store.database import Database
from perezvon.store.history import Direction
from perezvon.store.schema import attempts, calls, debts
from perezvon.store.within import Within, callbacks_within, calls_within


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


def find_call(database: Database, call: str, within: Within = None) -> AnyCall | None:
    """None too when it is out of his reach."""
    inbound = select(
        calls.c.person,
        calls.c.did,
        calls.c.queue,
        calls.c.agent,
        calls.c.received_at,
        calls.c.ended_at,
    ).where(calls.c.id == call)
    callback = (
        select(
            debts.c.person,
            calls.c.did,
            debts.c.queue,
            attempts.c.agent,
            attempts.c.started_at,
            attempts.c.ended_at,
        )
        .join(debts, debts.c.id == attempts.c.debt)
        .outerjoin(calls, calls.c.id == debts.c.first_call)
        .where(attempts.c.call == call)
    )
    found = (
        (Direction.INBOUND, calls_within(inbound, within)),
        (Direction.CALLBACK, callbacks_within(callback, within)),
    )
    with database.read() as connection:
        for direction, wanted in found:
            row = connection.execute(wanted).first()
            if row is not None:
                return AnyCall(call, direction, *row)
    return None
