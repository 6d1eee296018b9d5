"""Named places where production code can be made slow, or made to fail, from outside.

    PEREZVON_FAULTS="journal.commit=delay:2000, ari.send=fail:3"
    PEREZVON_FAULTS=file:/path/to/faults        the same text, read anew whenever it changes

What fails in the field is the code as it is shipped, so that is what the proofs of faults run. A
point does nothing, at the price of one look, unless the variable was set when the process began;
nothing that comes by the network can set it, and a process with faults says so in its log.

`delay:MS` holds up whoever reaches the point, `fail` fails him each time, `fail:N` at the N-th
time only. Each point says what its failure looks like to the code around it.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger("faultpoint")

VARIABLE: Final = "PEREZVON_FAULTS"
FILE: Final = "file:"
DELAY_MS_MAX: Final = 600_000


class Point(StrEnum):
    """All there are."""

    JOURNAL_COMMIT = "journal.commit"
    """All is written and nothing is durable: a delay is a slow fsync, a failure keeps nothing."""
    JOURNAL_COMMITTED = "journal.committed"
    """Durable, and nobody knows it: a failure is an answer lost on the way."""
    LOOP_TURN = "loop.turn"
    """A delay holds up the whole event loop, as heavy work there would."""
    ARI_SEND = "ari.send"
    """Before a request leaves: a delay is a slow link, a failure a broken one."""
    RECORDING_ENCODED = "recording.encoded"
    """The MP3 is written under its temporary name."""
    RECORDING_KEPT = "recording.kept"
    """It is in its place and in the table; the WAVs are there still."""


class FaultTextError(ValueError):
    """The text of faults cannot be read; says which part of it."""


@dataclass(frozen=True, slots=True)
class Fault:
    delay_ms: int = 0
    fails: bool = False
    only_time: int = 0
    """It fails this time only, counted from 1; each time at 0."""


class _Faults:
    """Those of this process. `on` is all that a point looks at when there are none."""

    def __init__(self) -> None:
        self.on = False
        self._file: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._faults: Mapping[Point, Fault] = {}
        self._reached: Counter[Point] = Counter()

    def switch(self, text: str) -> None:
        self._file = Path(text.removeprefix(FILE)) if text.startswith(FILE) else None
        self._stamp = None
        self._set("" if self._file is not None else text)
        self.on = bool(text)
        if self.on:
            log.warning("faults_are_on", faults=text)

    def met(self, point: Point) -> Fault | None:
        """The fault that is to happen now, if any."""
        self._look_again()
        fault = self._faults.get(point)
        if fault is None:
            return None
        self._reached[point] += 1
        spared = fault.fails and fault.only_time not in {0, self._reached[point]}
        return None if spared else fault

    def _look_again(self) -> None:
        if self._file is None:
            return
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return
            text = self._file.read_text(encoding="utf-8")
        except OSError:
            stamp, text = None, ""
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._set(text)
        except FaultTextError as error:
            # Half a text, or a slip: not a fault that anybody asked for.
            log.warning("faults_unreadable", reason=str(error))
        else:
            log.warning("faults_changed", faults=text)

    def _set(self, text: str) -> None:
        self._faults = parse(text)
        self._reached.clear()


_FAULTS: Final = _Faults()


def switch(text: str) -> None:
    """From now on these faults; an empty text: none. `FaultTextError` when it cannot be read."""
    _FAULTS.switch(text)


def reach(point: Point, failure: type[Exception]) -> None:
    """A point in code that may block its thread. Raises `failure` when it is to fail."""
    if _FAULTS.on and (fault := _FAULTS.met(point)) is not None:
        time.sleep(fault.delay_ms / 1_000)
        _fail(point, fault, failure)


async def reach_waiting(point: Point, failure: type[Exception]) -> None:
    """The same in a task that may wait while others go on."""
    if _FAULTS.on and (fault := _FAULTS.met(point)) is not None:
        await asyncio.sleep(fault.delay_ms / 1_000)
        _fail(point, fault, failure)


def parse(text: str) -> dict[Point, Fault]:
    """`point=kind[:number]`, parted by commas or blanks."""
    return dict(map(_parse_one, text.replace(",", " ").split()))


def _parse_one(part: str) -> tuple[Point, Fault]:
    name, _, what = part.partition("=")
    kind, _, number = what.partition(":")
    if name not in set(Point):
        raise FaultTextError(f"{part}: no such point; there are {', '.join(Point)}")
    if kind not in {"delay", "fail"} or (number and not number.isdecimal()):
        raise FaultTextError(f"{part}: write delay:MS, fail or fail:N")
    if kind == "fail":
        return Point(name), Fault(fails=True, only_time=int(number or 0))
    return Point(name), Fault(delay_ms=min(int(number or 0), DELAY_MS_MAX))


def _fail(point: Point, fault: Fault, failure: type[Exception]) -> None:
    if fault.fails:
        raise failure(f"fault point {point}")
