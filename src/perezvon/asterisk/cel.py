"""CEL, the switch's own diary of channels: parsed once, here.

The second witness of every attempt, written also while the engine is dead. A line that a stranger
has spoilt, or that was cut by a crash, is skipped and counted, never a failure.
"""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from perezvon.core.ids import Instant, LegId

FIELD_COUNT = 9
OWN_SHAPE = re.compile(r"(?:.+-)?\d+\.\d+")
"""Asterisk's own unique ids; the core's never look so."""


class CelKind(StrEnum):
    START = "CHAN_START"
    ANSWER = "ANSWER"
    HANGUP = "HANGUP"
    END = "CHAN_END"


@dataclass(frozen=True, slots=True)
class CelRow:
    kind: CelKind
    at: Instant
    leg: LegId
    linked: str
    context: str
    exten: str
    channel: str
    number: str
    cause: int | None
    """Q.850, in a HANGUP."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One inbound attempt, as CEL has it."""

    leg: LegId
    did: str
    number: str
    """As it came."""
    arrived_at: Instant
    ended_at: Instant | None = None
    in_fallback: bool = False
    """Whether it ended in the switch's own queue."""


def parse_line(line: str) -> CelRow | None:
    """None for what is not one whole row of a kind that matters."""
    try:
        fields = next(csv.reader((line,), strict=True), [])
    except csv.Error:
        return None
    if len(fields) != FIELD_COUNT or fields[0] not in KINDS or not fields[2]:
        return None
    at = instant(fields[1])
    if at is None:
        return None
    kind = CelKind(fields[0])
    return CelRow(
        kind,
        at,
        LegId(fields[2]),
        fields[3],
        fields[4],
        fields[5],
        fields[6],
        fields[7],
        _cause(fields[8]) if kind is CelKind.HANGUP else None,
    )


def is_arrival(row: CelRow, tenant: str) -> bool:
    """A channel that starts in the context of the trunks, by itself.

    Our own legs to clients log their start in that context too, under ids of ours.
    """
    return (
        row.kind is CelKind.START
        and row.context == f"inbound-{tenant}"
        and row.leg == row.linked
        and OWN_SHAPE.fullmatch(row.leg) is not None
    )


def arrival_of(row: CelRow) -> Arrival:
    return Arrival(row.leg, re.sub(r"[^0-9+]", "", row.exten), row.number, row.at)


def arrivals(path: Path, tenant: str) -> Iterator[Arrival]:
    """All of a file, in the order of their ends; then those that have not ended."""
    unfinished: dict[LegId, Arrival] = {}
    with path.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        for line in lines:
            row = parse_line(line.rstrip("\n"))
            if row is None:
                continue
            if is_arrival(row, tenant):
                unfinished[row.leg] = arrival_of(row)
            elif row.kind is CelKind.END and row.leg in unfinished:
                yield ended(unfinished.pop(row.leg), row, tenant)
    yield from unfinished.values()


def ended(arrival: Arrival, row: CelRow, tenant: str) -> Arrival:
    """The arrival with what its last row knows; his number may be missing in the first."""
    return Arrival(
        arrival.leg,
        arrival.did,
        arrival.number or row.number,
        arrival.arrived_at,
        max(row.at, arrival.arrived_at),
        row.context == f"localq-{tenant}",
    )


def instant(text: str) -> Instant | None:
    """Of `1795312477.123456`, without a float."""
    seconds, _, fraction = text.partition(".")
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) <= 11):  # noqa: PLR2004 - s
        return None
    if fraction and not (fraction.isascii() and fraction.isdecimal()):
        return None
    return int(seconds) * 1000 + int((fraction + "000")[:3])


KINDS = frozenset(CelKind)


def _cause(extra: str) -> int | None:
    try:
        parsed = json.loads(extra)
    except (json.JSONDecodeError, RecursionError):
        return None
    cause = parsed.get("hangupcause") if isinstance(parsed, dict) else None
    return cause if isinstance(cause, int) else None
