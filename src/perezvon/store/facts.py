"""Facts as everything but the engine reads them: copies, found by call, debt, type or time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select

from perezvon.core.facts import Fact
from perezvon.core.ids import Instant
from perezvon.store.codec import decode_fact, encode_fact
from perezvon.store.database import Database
from perezvon.store.paging import LIMIT_DEFAULT, between, check_limit
from perezvon.store.schema import facts


@dataclass(frozen=True, slots=True)
class FactRow:
    id: int
    """Grows in the order of copying; a reader goes on after the last one that he has."""
    era: str
    seq: int
    n: int
    fact: Fact


def facts_of_call(
    database: Database, call: str, *, after: int = 0, limit: int = LIMIT_DEFAULT
) -> list[FactRow]:
    """All that was told of a call, in order."""
    return _list(database, select(facts).where(facts.c.call == call), after, limit)


def facts_of_debt(
    database: Database, debt: str, *, after: int = 0, limit: int = LIMIT_DEFAULT
) -> list[FactRow]:
    """All that was told of a debt, its call-backs included, in order."""
    return _list(database, select(facts).where(facts.c.debt == debt), after, limit)


def list_facts(
    database: Database,
    *,
    after: int = 0,
    types: Sequence[str] = (),
    since: Instant | None = None,
    until: Instant | None = None,
    limit: int = LIMIT_DEFAULT,
) -> list[FactRow]:
    """In order, from the one after `after` on."""
    wanted = between(select(facts), facts.c.at, since, until)
    if types:
        wanted = wanted.where(facts.c.type.in_(list(types)))
    return _list(database, wanted, after, limit)


def keep(connection: Connection, era: str, seq: int, n: int, fact: Fact) -> int | None:
    """Copy one fact; returns its number here, or None when it is here already."""
    known = connection.scalar(
        select(facts.c.id).where(facts.c.era == era, facts.c.seq == seq, facts.c.n == n)
    )
    if known is not None:
        return None
    result = connection.execute(
        insert(facts).values(
            era=era,
            seq=seq,
            n=n,
            at=fact.at,
            type=type(fact).__name__,
            call=getattr(fact, "call", None),
            debt=getattr(fact, "debt", None),
            body=encode_fact(fact),
        )
    )
    key = result.inserted_primary_key
    assert key is not None
    return int(key[0])


def _list(database: Database, wanted: Select[Any], after: int, limit: int) -> list[FactRow]:
    wanted = wanted.where(facts.c.id > after).order_by(facts.c.id).limit(check_limit(limit))
    with database.read() as connection:
        return [row_of(row) for row in connection.execute(wanted)]


def row_of(row: Row[Any]) -> FactRow:
    fact = decode_fact(row.body, f"fact {row.era} {row.seq}/{row.n}")
    return FactRow(row.id, row.era, row.seq, row.n, fact)
