"""Facts as everything but the engine reads them: copies, found by call, debt, type or time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, select

from perezvon.core.facts import Fact
from perezvon.core.ids import Instant
from perezvon.runtime.ports import StoredFact
from perezvon.store.codec import decode_fact, encode_fact
from perezvon.store.database import Database, insert_into
from perezvon.store.paging import LIMIT_DEFAULT, between, check_limit
from perezvon.store.schema import facts

StoredKey: TypeAlias = tuple[int, int]
"""(seq, n)."""


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


def keep(connection: Connection, era: str, told: Sequence[StoredFact]) -> dict[StoredKey, int]:
    """Copy facts; returns the number here of each that was not here before."""
    if not told:
        return {}
    statement = (
        insert_into(connection, facts)
        .on_conflict_do_nothing()
        .returning(facts.c.id, facts.c.seq, facts.c.n)
    )
    rows = connection.execute(
        statement,
        [
            {
                "era": era,
                "seq": stored.seq,
                "n": stored.n,
                "at": stored.fact.at,
                "type": type(stored.fact).__name__,
                "call": getattr(stored.fact, "call", None),
                "debt": getattr(stored.fact, "debt", None),
                "body": encode_fact(stored.fact),
            }
            for stored in told
        ],
    )
    return {(row.seq, row.n): row.id for row in rows}


def _list(database: Database, wanted: Select[Any], after: int, limit: int) -> list[FactRow]:
    wanted = wanted.where(facts.c.id > after).order_by(facts.c.id).limit(check_limit(limit))
    with database.read() as connection:
        return [row_of(row) for row in connection.execute(wanted)]


def row_of(row: Row[Any]) -> FactRow:
    fact = decode_fact(row.body, f"fact {row.era} {row.seq}/{row.n}")
    return FactRow(row.id, row.era, row.seq, row.n, fact)
