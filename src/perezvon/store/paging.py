"""Lists come in pages: bounded, newest first, and steady while new rows arrive on top."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import msgspec
from sqlalchemy import Column, ColumnElement, Connection, RowMapping, Select, tuple_

LIMIT_DEFAULT: Final = 50
LIMIT_MAX: Final = 500
CURSOR_LENGTH_MAX: Final = 1_000
INTEGER_MAX: Final = 2**63 - 1

T = TypeVar("T")


class BadQuery(ValueError):  # noqa: N818 - a kin of PlanError: the asker can mend it
    """A list was asked for in a way that cannot be served: 4xx, with this text."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: tuple[T, ...]
    next: str | None
    """Give it back as `cursor` for what follows; None at the end."""


def check_limit(limit: int) -> int:
    if not 1 <= limit <= LIMIT_MAX:
        raise BadQuery(f"limit must be from 1 to {LIMIT_MAX}")
    return limit


def between(
    statement: Select[Any], column: Column[Any], since: int | None, until: int | None
) -> Select[Any]:
    """Moments from `since` on, before `until`."""
    for name, moment in (("since", since), ("until", until)):
        if moment is not None and not -INTEGER_MAX <= moment <= INTEGER_MAX:
            raise BadQuery(f"{name} is not a moment in milliseconds")
    if since is not None:
        statement = statement.where(column >= since)
    return statement if until is None else statement.where(column < until)


def fetch(
    connection: Connection,
    statement: Select[Any],
    order: Sequence[ColumnElement[Any]],
    make: Callable[[RowMapping], T],
    *,
    limit: int,
    cursor: str | None,
    ascending: bool = False,
) -> Page[T]:
    """One page, newest first by `order`, whose columns together are unique."""
    check_limit(limit)
    if cursor is not None:
        place, last = tuple_(*order), tuple_(*_unpack(cursor, order))
        statement = statement.where(place > last if ascending else place < last)
    by = [column.asc() if ascending else column.desc() for column in order]
    found = connection.execute(statement.order_by(*by).limit(limit + 1))
    rows = found.mappings().all()
    more = len(rows) > limit
    rows = rows[:limit]
    following = _pack([rows[-1][column] for column in order]) if more else None
    return Page(tuple(make(row) for row in rows), following)


def _pack(values: Sequence[object]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(values)).decode().rstrip("=")


def _unpack(cursor: str, order: Sequence[ColumnElement[Any]]) -> list[Any]:
    try:
        if len(cursor) > CURSOR_LENGTH_MAX:
            raise BadQuery("this cursor is not one of ours")
        data = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = msgspec.json.decode(data, type=list[int | str])
    except (binascii.Error, ValueError, msgspec.MsgspecError) as error:
        raise BadQuery("this cursor is not one of ours") from error
    kinds = [column.type.python_type for column in order]
    if [type(value) for value in values] != kinds or any(
        isinstance(value, int) and abs(value) > INTEGER_MAX for value in values
    ):
        raise BadQuery("this cursor is not one of ours")
    return values
