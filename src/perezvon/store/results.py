"""Results: what a call came to, as an agent noted it. The last note of a call holds; all are kept.

They are no facts of the engine: people write them, and the projection does not touch them.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection, RowMapping, Select, exists, func, insert, select

from perezvon.core.ids import Instant
from perezvon.store.callbacks import TALKED
from perezvon.store.database import Database
from perezvon.store.paging import LIMIT_MAX, BadQuery, check_limit
from perezvon.store.schema import attempts, calls, debts, placed, results

NOTES_MAX: Final = 50
"""Of one call: more is a program that has gone wild."""


@dataclass(frozen=True, slots=True)
class ResultRow:
    call: str
    person: str | None
    agent: str | None
    """Whose call it was."""
    result: str
    tags: tuple[str, ...]
    comment: str
    next_at: int | None
    """When he promised to call again."""
    by: str
    at: int


def note_result(database: Database, row: ResultRow) -> None:
    values = asdict(row) | {"tags": msgspec.json.encode(row.tags).decode()}
    with database.write() as connection:
        count = connection.scalar(select(func.count()).where(results.c.call == row.call))
        if (count or 0) >= NOTES_MAX:
            raise BadQuery(f"the result of this call was noted {NOTES_MAX} times already")
        connection.execute(insert(results).values(values))


def results_of(database: Database, wanted: Collection[str]) -> dict[str, ResultRow]:
    """By call, what holds now; `LIMIT_MAX` calls at once."""
    if len(wanted) > LIMIT_MAX:
        raise ValueError(f"{len(wanted)} calls at once; {LIMIT_MAX} is the limit")
    with database.read() as connection:
        found = _rows(connection, _holding().where(results.c.call.in_(list(wanted))))
    return {row.call: row for row in found}


def list_notes(database: Database, call: str) -> Sequence[ResultRow]:
    """All that was noted of one call, newest first; `NOTES_MAX` at most."""
    with database.read() as connection:
        noted = select(results).where(results.c.call == call)
        return _rows(connection, noted.order_by(results.c.id.desc()).limit(NOTES_MAX))


def promised_calls(
    database: Database, agent: str, before: Instant, limit: int = LIMIT_MAX
) -> Sequence[ResultRow]:
    """Whom he promised to call again by then and nobody has talked with since; soonest first."""
    check_limit(limit)
    answered = exists().where(
        calls.c.person == results.c.person, calls.c.answered_at > results.c.at
    )
    reached = exists().where(
        attempts.c.debt == debts.c.id,
        debts.c.person == results.c.person,
        attempts.c.started_at > results.c.at,
        attempts.c.outcome == TALKED,
    )
    dialled = exists().where(
        placed.c.person == results.c.person, placed.c.answered_at > results.c.at
    )
    wanted = _holding().where(
        results.c.agent == agent, results.c.next_at < before, ~answered, ~reached, ~dialled
    )
    with database.read() as connection:
        return _rows(connection, wanted.order_by(results.c.next_at, results.c.id).limit(limit))


def _holding() -> Select[tuple[object, ...]]:
    """The newest note of each call."""
    later = results.alias("later")
    superseded = exists().where(later.c.call == results.c.call, later.c.id > results.c.id)
    return select(results).where(~superseded)


def _rows(connection: Connection, wanted: Select[tuple[object, ...]]) -> list[ResultRow]:
    return [_row(row) for row in connection.execute(wanted).mappings()]


def _row(row: RowMapping) -> ResultRow:
    kept = {name: value for name, value in row.items() if name != "id"}
    tags = msgspec.json.decode(kept["tags"], type=tuple[str, ...])
    return ResultRow(**kept | {"tags": tags})
