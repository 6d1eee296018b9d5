"""Call-backs as they were tried: one row for each dialling of a debt, folded from its facts."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select, update

from perezvon.core import facts as f
from perezvon.core.ids import Instant
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, Page, between, fetch
from perezvon.store.schema import attempts
from perezvon.store.within import Within, attempts_within

TALKED: Final = f.AttemptOutcome.REACHED.value


@dataclass(frozen=True, slots=True)
class AttemptRow:
    debt: str
    dial: int
    call: str
    """The call-back: its offers and its talk go by this id."""
    order: str
    step: int
    started_at: int
    dialled_at: int | None
    """When the client's telephone was called; None: it never was."""
    leg: str | None
    agent: str | None
    ended_at: int | None
    outcome: str | None
    """None while it goes on."""
    counted: bool
    talk_ms: int | None
    cut_at: int | None
    """When the switch failed in the middle of its talk."""


def list_attempts(
    database: Database,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    debt: str | None = None,
    agent: str | None = None,
    outcome: str | None = None,
    within: Within = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[AttemptRow]:
    """Newest first, by when they were started."""
    wanted = attempts_within(select(attempts), within)
    wanted = between(wanted, attempts.c.started_at, since, until)
    equal = (
        (attempts.c.debt, debt),
        (attempts.c.agent, agent),
        (attempts.c.outcome, outcome),
    )
    for column, value in equal:
        if value is not None:
            wanted = wanted.where(column == value)
    order = (attempts.c.started_at, attempts.c.debt, attempts.c.dial)
    with database.read() as connection:
        return fetch(
            connection,
            wanted,
            order,
            lambda row: AttemptRow(**row),
            limit=limit,
            cursor=cursor,
        )


def fold(connection: Connection, fact: f.Fact) -> None:
    match fact:
        case f.AttemptStarted():
            connection.execute(
                insert_into(connection, attempts)
                .values(
                    debt=fact.debt,
                    dial=fact.dial,
                    call=fact.call,
                    order=fact.order.value,
                    step=fact.step,
                    started_at=fact.at,
                    counted=False,
                )
                .on_conflict_do_nothing()
            )
        case f.ClientDialled():
            agent = func.coalesce(fact.agent, attempts.c.agent)
            _change(connection, fact.debt, fact.dial, dialled_at=fact.at, leg=fact.leg, agent=agent)
        case f.AttemptMade():
            _change(
                connection,
                fact.debt,
                fact.dial,
                ended_at=fact.at,
                outcome=fact.outcome.value,
                agent=func.coalesce(fact.agent, attempts.c.agent),
                counted=fact.counted,
            )
        case f.CallEnded():
            connection.execute(
                update(attempts).where(attempts.c.call == fact.call).values(talk_ms=fact.talk_ms)
            )
        case f.CallCut():
            connection.execute(
                update(attempts).where(attempts.c.call == fact.call).values(cut_at=fact.at)
            )
        case _:
            pass


def _change(connection: Connection, debt: str, dial: int, **values: object) -> None:
    connection.execute(
        update(attempts).where(attempts.c.debt == debt, attempts.c.dial == dial).values(**values)
    )
