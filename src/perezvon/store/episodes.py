"""What belongs to debts besides their own rows: whom his calls rang, and our attempts.

Each is one question for a whole page of debts, however many they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row, Select, func, select

from perezvon.store.database import Database
from perezvon.store.paging import LIMIT_MAX
from perezvon.store.schema import attempts, calls, offers

SHOWN_MAX: Final = 20
"""Of a debt: the newest offers, and the newest attempts."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A telephone that was rung for one of his calls."""

    agent: str
    call: str
    made_at: int
    outcome: str | None
    """None while it rings."""
    ring_ms: int | None


@dataclass(frozen=True, slots=True)
class Try:
    """One dialling of ours."""

    dial: int
    call: str
    started_at: int
    dialled_at: int | None
    agent: str | None
    outcome: str | None
    """None while it goes on."""
    talk_ms: int | None


@dataclass(frozen=True, slots=True)
class Episode:
    rung: tuple[Ring, ...] = ()
    """In order; the newest twenty."""
    tries: tuple[Try, ...] = ()


def episodes_of(database: Database, debts: Sequence[str]) -> dict[str, Episode]:
    """By debt, for one page of them."""
    assert len(debts) <= LIMIT_MAX, len(debts)
    if not debts:
        return {}
    rung: dict[str, list[Ring]] = {debt: [] for debt in debts}
    tried: dict[str, list[Try]] = {debt: [] for debt in debts}
    with database.read() as connection:
        for row in connection.execute(_newest(_rings(debts))):
            rung[row.debt].append(Ring(**_own(row)))
        for row in connection.execute(_newest(_tries(debts))):
            tried[row.debt].append(Try(**_own(row)))
    return {debt: Episode(tuple(rung[debt]), tuple(tried[debt])) for debt in debts}


def _rings(debts: Sequence[str]) -> Select[Any]:
    newest = func.row_number().over(
        partition_by=calls.c.debt, order_by=(offers.c.made_at.desc(), offers.c.id)
    )
    return (
        select(
            calls.c.debt,
            offers.c.agent,
            offers.c.call,
            offers.c.made_at,
            offers.c.outcome,
            offers.c.ring_ms,
            newest.label("place"),
        )
        .join(calls, calls.c.id == offers.c.call)
        .where(calls.c.debt.in_(debts))
    )


def _tries(debts: Sequence[str]) -> Select[Any]:
    newest = func.row_number().over(partition_by=attempts.c.debt, order_by=attempts.c.dial.desc())
    return select(
        attempts.c.debt,
        attempts.c.dial,
        attempts.c.call,
        attempts.c.started_at,
        attempts.c.dialled_at,
        attempts.c.agent,
        attempts.c.outcome,
        attempts.c.talk_ms,
        newest.label("place"),
    ).where(attempts.c.debt.in_(debts))


def _newest(statement: Select[Any]) -> Select[Any]:
    placed = statement.subquery()
    return select(placed).where(placed.c.place <= SHOWN_MAX).order_by(placed.c.place.desc())


def _own(row: Row[Any]) -> dict[str, Any]:
    return {key: value for key, value in row._asdict().items() if key not in ("debt", "place")}
