"""Placed calls: one row for each that an agent dialled by hand to somebody whom we did not owe."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, update

from perezvon.core import facts as f
from perezvon.core import talk_facts as t
from perezvon.core.ids import Instant
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, Page, between, fetch
from perezvon.store.schema import placed
from perezvon.store.within import Within, placed_within


@dataclass(frozen=True, slots=True)
class PlacedRow:
    id: str
    leg: str
    """The client's."""
    agent: str
    """Who dialled."""
    person: str
    number_class: str
    queue: str
    did: str
    trunk: str
    plan: str
    placed_at: int
    by: str
    answered_at: int | None
    ended_at: int | None
    wait_ms: int | None
    talk_ms: int | None
    outcome: str | None
    """`reached`, or why not; None while it is dialled."""
    ended_by: str | None


def list_placed(
    database: Database,
    *,
    since: Instant | None = None,
    until: Instant | None = None,
    agent: str | None = None,
    person: str | None = None,
    within: Within = None,
    limit: int = LIMIT_DEFAULT,
    cursor: str | None = None,
) -> Page[PlacedRow]:
    """Newest first."""
    wanted = placed_within(between(select(placed), placed.c.placed_at, since, until), within)
    for column, value in ((placed.c.agent, agent), (placed.c.person, person)):
        if value is not None:
            wanted = wanted.where(column == value)
    with database.read() as connection:
        return fetch(
            connection,
            wanted,
            (placed.c.placed_at, placed.c.id),
            lambda row: PlacedRow(**row),
            limit=limit,
            cursor=cursor,
        )


def get_placed(database: Database, call: str, within: Within = None) -> PlacedRow | None:
    wanted = placed_within(select(placed).where(placed.c.id == call), within)
    with database.read() as connection:
        row = connection.execute(wanted).mappings().one_or_none()
    return None if row is None else PlacedRow(**row)


def fold(connection: Connection, fact: f.Fact) -> None:
    """The end of another call changes nothing: it has no row here."""
    match fact:
        case t.CallPlaced():
            _place(connection, fact)
        case t.PlacedCallAnswered():
            reached = f.AttemptOutcome.REACHED.value
            _change(
                connection,
                fact.call,
                answered_at=placed.c.placed_at + fact.wait_ms,
                wait_ms=fact.wait_ms,
                outcome=reached,
            )
        case f.PlacedCallFailed():
            # He may wait for another agent since the first one was gone at once.
            outcome = func.coalesce(placed.c.outcome, fact.outcome.value)
            _change(connection, fact.call, ended_at=fact.at, outcome=outcome)
        case f.CallEnded():
            _change(
                connection,
                fact.call,
                ended_at=fact.at,
                talk_ms=fact.talk_ms,
                ended_by=fact.ended_by,
            )
        case _:
            pass


def _place(connection: Connection, fact: t.CallPlaced) -> None:
    connection.execute(
        insert_into(connection, placed)
        .values(
            id=fact.call,
            leg=fact.leg,
            agent=fact.agent,
            person=fact.person,
            number_class=fact.number_class.value,
            queue=fact.queue,
            did=fact.did,
            trunk=fact.trunk,
            plan=fact.plan,
            placed_at=fact.at,
            by=fact.by,
        )
        .on_conflict_do_nothing()
    )


def _change(connection: Connection, call: str, **values: object) -> None:
    connection.execute(update(placed).where(placed.c.id == call).values(**values))
