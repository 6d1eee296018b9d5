"""Statements of the engine's hot path: written as the others, compiled once, run on the driver.

A commit of one event took 1.5 ms of processor time, of which SQLAlchemy's way to a statement was
1.2 ms (bench/journal.py); this way leaves the statement itself. Errors are the same as there.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, Executable, exc
from sqlalchemy.sql.compiler import SQLCompiler

Values: TypeAlias = Mapping[str, object]


class Prepared:
    """`make` gives the statement for a dialect's name; `columns` are those that an insert fills."""

    def __init__(self, make: Callable[[str], Executable], columns: Sequence[str] = ()) -> None:
        self._make = make
        self._columns = list(columns) or None
        self._compiled: dict[str, _Compiled] = {}

    def run(self, connection: Connection, values: Values) -> tuple[Any, ...] | None:
        """Execute it within the connection's transaction; the first row of what it returns."""
        compiled = self._compiled_for(connection)
        with _Cursor(connection, compiled.text) as cursor:
            cursor.execute(compiled.text, compiled.bound(values))
            return tuple(cursor.fetchone() or ()) or None if compiled.returns else None

    def run_each(self, connection: Connection, rows: Sequence[Values]) -> None:
        """The same for every row; nothing for none."""
        if not rows:
            return
        compiled = self._compiled_for(connection)
        with _Cursor(connection, compiled.text) as cursor:
            cursor.executemany(compiled.text, [compiled.bound(values) for values in rows])

    def _compiled_for(self, connection: Connection) -> "_Compiled":
        dialect = connection.dialect
        known = self._compiled.get(dialect.name)
        if known is None:
            made = self._make(dialect.name).compile(  # type: ignore[attr-defined] # of any Executable
                dialect=dialect, column_keys=self._columns
            )
            known = self._compiled[dialect.name] = _Compiled(made)
        return known


class _Compiled:
    def __init__(self, made: SQLCompiler) -> None:
        self.text = str(made)
        self.returns = bool(made.effective_returning)
        self._order = made.positiontup
        self._constants: dict[str, object] = {
            name: bind.value for name, bind in made.binds.items() if not bind.required
        }
        self._convert = {
            name: convert
            for name, bind in made.binds.items()
            if (convert := bind.type.bind_processor(made.dialect)) is not None
        }

    def bound(self, values: Values) -> Any:  # noqa: ANN401 - a tuple or a dict, as the driver wants
        bound = {**self._constants, **values}
        for name, convert in self._convert.items():
            bound[name] = convert(bound[name])
        if self._order is None:
            return bound
        return tuple(bound[name] for name in self._order)


class _Cursor:
    """One cursor of the driver, whose errors come as SQLAlchemy tells them."""

    def __init__(self, connection: Connection, text: str) -> None:
        self._dialect = connection.dialect
        self._text = text
        self._cursor = connection.connection.cursor()

    def __enter__(self) -> Any:  # noqa: ANN401 - what a driver's cursor is
        return self._cursor

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._cursor.close()
        base = self._dialect.loaded_dbapi.Error
        if isinstance(error, base):
            raise exc.DBAPIError.instance(
                self._text, None, error, base, hide_parameters=True, dialect=self._dialect
            ) from error
