"""Recordings: a row for each MP3, and which leg's files belong to which call.

The table `recorded_legs` is folded from facts, so a file is known by its name alone; `recordings`
is written by the worker that makes the MP3s. The files themselves are opened by `open_recording`
and by nobody else.
"""

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

from sqlalchemy import Connection, select, update

from perezvon.core import facts as f
from perezvon.core import talk_facts as t
from perezvon.core.ids import Instant
from perezvon.runtime.recordings import stem_of
from perezvon.store.database import Database, insert_into
from perezvon.store.schema import attempts, recorded_legs, recordings

FOLDER: Final = "kept"
OF_CALL_MAX: Final = 50
STEMS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class LegRow:
    stem: str
    call: str
    at: Instant
    over_at: Instant | None
    """When the call ended; None: it goes on, for all that was told."""


@dataclass(frozen=True, slots=True)
class RecordingRow:
    id: str
    """The stem of the files' names."""
    call: str
    started_at: Instant
    duration_ms: int
    size: int
    file: str
    """Below the folder of recordings."""
    agent_peaks: bytes
    """How loud it was, stretch by stretch: 0 to 255."""
    client_peaks: bytes
    made_at: Instant


def file_of(stem: str, at: Instant) -> str:
    """Where an MP3 is put: a folder a day, so that none gets too many."""
    day = datetime.fromtimestamp(at // 1_000, UTC).strftime("%Y-%m-%d")
    return str(PurePosixPath(FOLDER, day, f"{stem}.mp3"))


def legs_of(database: Database, stems: Collection[str]) -> dict[str, LegRow]:
    assert len(stems) <= STEMS_MAX
    with database.read() as connection:
        wanted = select(recorded_legs).where(recorded_legs.c.stem.in_(list(stems)))
        return {row["stem"]: LegRow(**row) for row in connection.execute(wanted).mappings()}


def legs_of_call(database: Database, call: str) -> list[LegRow]:
    with database.read() as connection:
        wanted = select(recorded_legs).where(recorded_legs.c.call == call)
        rows = connection.execute(wanted.order_by(recorded_legs.c.at).limit(OF_CALL_MAX))
        return [LegRow(**row) for row in rows.mappings()]


def keep_recording(database: Database, row: RecordingRow) -> None:
    """Once more is the same as once."""
    values = {name: getattr(row, name) for name in RecordingRow.__slots__}
    with database.write() as connection:
        connection.execute(
            insert_into(connection, recordings)
            .values(values)
            .on_conflict_do_update(index_elements=["id"], set_=values)
        )


def get_recording(database: Database, id_: str) -> RecordingRow | None:
    with database.read() as connection:
        found = connection.execute(select(recordings).where(recordings.c.id == id_))
        row = found.mappings().one_or_none()
    return None if row is None else RecordingRow(**row)


def recordings_of(database: Database, call: str) -> Sequence[RecordingRow]:
    """Oldest first."""
    with database.read() as connection:
        wanted = select(recordings).where(recordings.c.call == call)
        order = (recordings.c.started_at, recordings.c.id)
        rows = connection.execute(wanted.order_by(*order).limit(OF_CALL_MAX))
        return [RecordingRow(**row) for row in rows.mappings()]


@dataclass(frozen=True, slots=True)
class Sound:
    """An opened recording. `read` may be called from any thread, one at a time."""

    size: int
    _file: BinaryIO

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._file.fileno(), length, offset)


@contextmanager
def open_recording(folder: Path, row: RecordingRow) -> Iterator[Sound]:
    """`FileNotFoundError` when it is gone. The one way to the sound of a talk."""
    with (folder / row.file).open("rb") as file:
        yield Sound(os.fstat(file.fileno()).st_size, file)


def fold(connection: Connection, fact: f.Fact) -> None:
    match fact:
        case f.CallReceived():
            _begin(connection, {"call": fact.call, "at": fact.at}, fact.leg)
        case t.CallPlaced():
            _begin(connection, {"call": fact.call, "at": fact.at}, fact.leg)
        case f.PlacedCallFailed():
            _end(connection, fact.call, fact.at)
        case f.ClientDialled():
            call = _call_of(connection, fact)
            _begin(connection, {"call": call, "at": fact.at}, fact.leg)
        case f.CallMissed() | f.CallEnded():
            _end(connection, fact.call, fact.at)
        case f.AttemptMade() if fact.outcome is not f.AttemptOutcome.REACHED:
            _end(connection, _call_of(connection, fact), fact.at)
        case _:
            pass


def _call_of(connection: Connection, fact: f.ClientDialled | f.AttemptMade) -> str:
    wanted = select(attempts.c.call)
    wanted = wanted.where(attempts.c.debt == fact.debt, attempts.c.dial == fact.dial)
    return connection.execute(wanted).scalar() or f"{fact.debt}/{fact.dial}"


def _begin(connection: Connection, values: Mapping[str, object], leg: str) -> None:
    connection.execute(
        insert_into(connection, recorded_legs)
        .values(stem=stem_of(leg), **values)
        .on_conflict_do_nothing()
    )


def _end(connection: Connection, call: str, at: Instant) -> None:
    connection.execute(
        update(recorded_legs)
        .where(recorded_legs.c.call == call, recorded_legs.c.over_at.is_(None))
        .values(over_at=at)
    )
