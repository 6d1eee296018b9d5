"""The facts that explain a call or a debt, collected from all that belongs to it, in order."""

from collections.abc import Iterable
from typing import Final

from perezvon.core.facts import AttemptMade, AttemptStarted, CallOwed, ClientDialled, Fact
from perezvon.store.database import Database
from perezvon.store.facts import FactRow, facts_of_call, facts_of_debt
from perezvon.store.paging import LIMIT_MAX

ATTEMPTS_MAX: Final = 20
"""Call-backs of a debt that are told in full; the ladder has fewer steps by far."""


def story_of_call(database: Database, call: str) -> list[Fact]:
    """Empty when nothing was ever told of it."""
    return [row.fact for row in rows_of_call(database, call)]


def story_of_debt(database: Database, debt: str) -> list[Fact]:
    return [row.fact for row in rows_of_debt(database, debt)]


def rows_of_call(database: Database, call: str) -> list[FactRow]:
    """The same with their places in the journal, for `replay.decisions`."""
    rows = facts_of_call(database, call, limit=LIMIT_MAX)
    debts = [row.fact.debt for row in rows if isinstance(row.fact, CallOwed)]
    rows += [row for debt in debts for row in _of_debt(database, debt)]
    if not debts:
        rows += _of_attempt(database, rows)
    return _in_order(rows)


def rows_of_debt(database: Database, debt: str) -> list[FactRow]:
    return _in_order(_of_debt(database, debt))


def _of_debt(database: Database, debt: str) -> list[FactRow]:
    rows = facts_of_debt(database, debt, limit=LIMIT_MAX)
    attempts = [row.fact.call for row in rows if isinstance(row.fact, AttemptStarted)]
    for attempt in attempts[:ATTEMPTS_MAX]:
        rows += facts_of_call(database, attempt, limit=LIMIT_MAX)
    return rows


def _of_attempt(database: Database, rows: Iterable[FactRow]) -> list[FactRow]:
    """Of a call-back: what was told of it by its debt and its number only."""
    started = next((row.fact for row in rows if isinstance(row.fact, AttemptStarted)), None)
    if started is None:
        return []
    return [
        row
        for row in facts_of_debt(database, started.debt, limit=LIMIT_MAX)
        if isinstance(row.fact, ClientDialled | AttemptMade) and row.fact.dial == started.dial
    ]


def _in_order(rows: Iterable[FactRow]) -> list[FactRow]:
    """Each once: a fact may belong to a call and to its debt."""
    unique = {row.id: row for row in rows}
    return [unique[number] for number in sorted(unique)]
