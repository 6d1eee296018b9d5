"""History: each time that a client and we met on the telephone, whoever called whom.

A reading of what calls, call-backs and offers were folded into; nothing is kept here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import CompoundSelect, func, literal, null, or_, select, union_all

from perezvon.core.facts import OfferOutcome
from perezvon.store.callbacks import TALKED
from perezvon.store.database import Database
from perezvon.store.debts import DebtRow, DebtState
from perezvon.store.paging import LIMIT_DEFAULT, LIMIT_MAX, Page, check_limit, fetch
from perezvon.store.schema import attempts, calls, debts, offers, placed
from perezvon.store.within import Within, debts_within


class Direction(StrEnum):
    INBOUND = "inbound"
    CALLBACK = "callback"
    PLACED = "placed"
    """An agent dialled him by hand, and he was not owed."""


@dataclass(frozen=True, slots=True)
class PastCallRow:
    call: str
    direction: str
    person: str | None
    at: int
    queue: str
    did: str | None
    """Which of our numbers he called; None: we called him."""
    agent: str | None
    outcome: str | None
    """Of an inbound call where it stands in the ledger, of one that we made what became of it;
    None while it goes on."""
    miss_reason: str | None
    wait_ms: int | None
    talk_ms: int | None
    debt: str | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How often a person and we have met."""

    calls: int
    answered: int
    callbacks: int
    reached: int
    placed: int
    """Dialled by hand, without owing him."""
    first_at: int | None
    last_at: int | None


@dataclass(frozen=True, slots=True)
class MissedOffer:
    """A telephone rang for a call and was not taken; and what became of that call."""

    offer: str
    call: str
    person: str | None
    queue: str
    at: int
    ring_ms: int | None
    state: str | None
    """Of the call in the ledger; None: it was a call-back."""
    agent: str | None
    """Who took it instead."""
    debt: str | None


def list_history(
    database: Database,
    *,
    person: str | None = None,
    agent: str | None = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[PastCallRow]:
    """Newest first. Of an agent: those that he talked on, and his call-backs."""
    found = _past_calls(person, agent).subquery()
    with database.read() as connection:
        return fetch(
            connection,
            select(found),
            (found.c.at, found.c.call),
            lambda row: PastCallRow(**row),
            limit=limit,
            cursor=cursor,
        )


def _past_calls(person: str | None, agent: str | None) -> CompoundSelect[tuple[object, ...]]:
    inbound = select(
        calls.c.id.label("call"),
        literal(Direction.INBOUND.value).label("direction"),
        calls.c.person,
        calls.c.received_at.label("at"),
        calls.c.queue,
        calls.c.did,
        calls.c.agent,
        calls.c.state.label("outcome"),
        calls.c.miss_reason,
        calls.c.wait_ms,
        calls.c.talk_ms,
        calls.c.debt,
    )
    callbacks = select(
        attempts.c.call,
        literal(Direction.CALLBACK.value),
        debts.c.person,
        attempts.c.started_at,
        debts.c.queue,
        null(),
        attempts.c.agent,
        attempts.c.outcome,
        null(),
        null(),
        attempts.c.talk_ms,
        attempts.c.debt,
    ).join(debts, debts.c.id == attempts.c.debt)
    dialled = select(
        placed.c.id,
        literal(Direction.PLACED.value),
        placed.c.person,
        placed.c.placed_at,
        placed.c.queue,
        null(),
        placed.c.agent,
        placed.c.outcome,
        null(),
        placed.c.wait_ms,
        placed.c.talk_ms,
        null(),
    )
    if person is not None:
        dialled = dialled.where(placed.c.person == person)
        inbound = inbound.where(calls.c.person == person)
        callbacks = callbacks.where(debts.c.person == person)
    if agent is not None:
        dialled = dialled.where(placed.c.agent == agent)
        inbound = inbound.where(calls.c.agent == agent)
        callbacks = callbacks.where(attempts.c.agent == agent)
    return union_all(inbound, callbacks, dialled)


def figures_of(database: Database, person: str) -> Figures:
    inbound = select(
        func.count(),
        func.count(calls.c.answered_at),
        func.min(calls.c.received_at),
        func.max(calls.c.received_at),
    ).where(calls.c.person == person)
    outbound = (
        select(attempts.c.outcome, func.count(), func.max(attempts.c.started_at))
        .join(debts, debts.c.id == attempts.c.debt)
        .where(debts.c.person == person)
        .group_by(attempts.c.outcome)
    )
    dialled = select(
        func.count(), func.min(placed.c.placed_at), func.max(placed.c.placed_at)
    ).where(placed.c.person == person)
    with database.read() as connection:
        count, answered, first_at, last_at = connection.execute(inbound).one()
        tried = connection.execute(outbound).all()
        placed_count, placed_first_at, placed_last_at = connection.execute(dialled).one()
    firsts = [moment for moment in (first_at, placed_first_at) if moment is not None]
    lasts = (last_at, placed_last_at, *(row[2] for row in tried))
    moments = [moment for moment in lasts if moment is not None]
    return Figures(
        calls=count,
        answered=answered,
        callbacks=sum(row[1] for row in tried),
        reached=sum(row[1] for row in tried if row[0] == TALKED),
        placed=placed_count,
        first_at=min(firsts, default=None),
        last_at=max(moments, default=None),
    )


def open_debts(
    database: Database,
    *,
    person: str | None = None,
    within: Within = None,
    limit: int = LIMIT_MAX,
) -> Sequence[DebtRow]:
    """Of one person or of all; the soonest due first."""
    check_limit(limit)
    wanted = debts_within(select(debts).where(debts.c.state == DebtState.OPEN.value), within)
    if person is not None:
        wanted = wanted.where(debts.c.person == person)
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(debts.c.due_at, debts.c.id).limit(limit))
        return [DebtRow(**row) for row in rows.mappings()]


def list_missed(
    database: Database, agent: str, *, limit: int = LIMIT_DEFAULT, cursor: str | None = None
) -> Page[MissedOffer]:
    """What this agent let ring, newest first."""
    wanted = (
        select(
            offers.c.id.label("offer"),
            offers.c.call,
            func.coalesce(calls.c.person, debts.c.person).label("person"),
            offers.c.queue,
            offers.c.made_at.label("at"),
            offers.c.ring_ms,
            calls.c.state,
            calls.c.agent,
            func.coalesce(calls.c.debt, offers.c.debt).label("debt"),
        )
        .outerjoin(calls, calls.c.id == offers.c.call)
        .outerjoin(debts, debts.c.id == offers.c.debt)
        .where(offers.c.agent == agent, offers.c.outcome == OfferOutcome.MISSED.value)
    )
    found = wanted.subquery()
    with database.read() as connection:
        return fetch(
            connection,
            select(found),
            (found.c.at, found.c.offer),
            lambda row: MissedOffer(**row),
            limit=limit,
            cursor=cursor,
        )


def was_offered(database: Database, agent: str, *, call: str = "", person: str = "") -> bool:
    """Whether his telephone was ever rung for this call, or for this person."""
    wanted = (
        select(offers.c.id)
        .outerjoin(calls, calls.c.id == offers.c.call)
        .outerjoin(debts, debts.c.id == offers.c.debt)
        .outerjoin(placed, placed.c.id == offers.c.call)
        .where(offers.c.agent == agent)
    )
    if call:
        wanted = wanted.where(offers.c.call == call)
    if person:
        his = (calls.c.person == person, debts.c.person == person, placed.c.person == person)
        wanted = wanted.where(or_(*his))
    with database.read() as connection:
        return connection.execute(wanted.limit(1)).first() is not None
