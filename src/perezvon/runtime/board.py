"""The live board: what is going on now, as rows, and how two boards differ.

Pure, except for `Feed`, which hands numbered changes to followers and promises that none of them
can make it hold more than `FOLLOWER_MESSAGES_MAX` messages: a slow one gets a new snapshot.
Rows carry moments, never lengths, so a board changes only when something has happened.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import msgspec

from perezvon.core.ids import Instant

Cell: TypeAlias = str | int | bool | list[str] | None
Row: TypeAlias = dict[str, Cell]
Rows: TypeAlias = dict[str, Row]

SECTIONS: Final = (
    "waiting",
    "agents",
    "talking",
    "debts",
    "queues",
    "ledger",
    "trunks",
    "guard",
)

SECTION_ROWS_MAX = 1_000
"""Rows of a section that are shown; the counts in `queues` and `ledger` know of all."""

FOLLOWER_MESSAGES_MAX = 16
"""Messages kept for a follower who does not read; beyond it he gets a snapshot instead."""

FOLLOWERS_MAX = 500
"""Beyond it a new follower is refused: better than serving everybody late."""

BOARD_PERIOD_MS = 250
"""The board is told at most so often (4 Hz), however much happens."""


@dataclass(frozen=True, slots=True)
class Board:
    at: Instant
    sections: dict[str, Rows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """Rows that are new or changed, and None for those that are gone."""

    at: Instant
    sections: dict[str, dict[str, Row | None]] = field(default_factory=dict)


def difference(old: Board, new: Board) -> Delta:
    sections: dict[str, dict[str, Row | None]] = {}
    for name in sorted(old.sections.keys() | new.sections.keys()):
        before, after = old.sections.get(name, {}), new.sections.get(name, {})
        changed: dict[str, Row | None] = {
            key: row for key, row in after.items() if before.get(key) != row
        }
        changed.update({key: None for key in before if key not in after})
        if changed:
            sections[name] = changed
    return Delta(new.at, sections)


def apply(board: Board, delta: Delta) -> Board:
    sections = {name: dict(rows) for name, rows in board.sections.items()}
    for name, changed in delta.sections.items():
        rows = sections.setdefault(name, {})
        for key, row in changed.items():
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
    return Board(delta.at, {name: rows for name, rows in sections.items() if rows})


def snapshot_message(board: Board, number: int) -> dict[str, Any]:
    return {"type": "snapshot", "number": number, "at": board.at, "sections": board.sections}


def delta_message(delta: Delta, number: int) -> dict[str, Any]:
    return {"type": "delta", "number": number, "at": delta.at, "sections": delta.sections}


class Gap(Exception):  # noqa: N818 - not an error of anybody's: the follower asks for a snapshot
    """A delta does not follow what the follower has."""


class Mirror:
    """A follower's copy of the board. Takes messages in order; `Gap` when one is missing."""

    def __init__(self) -> None:
        self.board = Board(0)
        self.number: int | None = None

    def take(self, message: Mapping[str, Any]) -> None:
        number = int(message["number"])
        if message["type"] == "snapshot":
            self.board = Board(message["at"], dict(message["sections"]))
        elif self.number is None or number != self.number + 1:
            raise Gap(f"have {self.number}, got {number}")
        else:
            self.board = apply(self.board, Delta(message["at"], dict(message["sections"])))
        self.number = number


class Follower:
    """One reader of a feed: `next` gives a snapshot first, then deltas without a gap."""

    def __init__(self, feed: "Feed") -> None:
        self._feed = feed
        self._pending: deque[bytes] = deque()
        self._behind = True
        self._wake = asyncio.Event()
        self._wake.set()

    def put(self, message: bytes) -> None:
        if not self._behind:
            if len(self._pending) < FOLLOWER_MESSAGES_MAX:
                self._pending.append(message)
            else:
                self._pending.clear()
                self._behind = True
        self._wake.set()

    @property
    def ready(self) -> bool:
        """Whether `next` returns at once."""
        return self._wake.is_set()

    async def next(self) -> bytes:
        await self._wake.wait()
        if self._behind:
            self._behind = False
            message = self._feed.snapshot()
        else:
            message = self._pending.popleft()
        if not self._pending:
            self._wake.clear()
        return message


class Feed:
    """The board as it is, and everybody who follows it. Lives in one event loop."""

    def __init__(self, board: Board | None = None) -> None:
        self.board = board or Board(0)
        self._number = 0
        self._encoded: bytes | None = None
        self._followers: dict[Follower, None] = {}

    @property
    def full(self) -> bool:
        return len(self._followers) >= FOLLOWERS_MAX

    def publish(self, board: Board) -> None:
        """Tell the followers what has changed; a board that is the same is not told."""
        delta = difference(self.board, board)
        if not delta.sections:
            return
        self.board = board
        self._number += 1
        self._encoded = None
        if self._followers:
            message = msgspec.json.encode(delta_message(delta, self._number))
            for follower in self._followers:
                follower.put(message)

    def snapshot(self) -> bytes:
        if self._encoded is None:
            self._encoded = msgspec.json.encode(snapshot_message(self.board, self._number))
        return self._encoded

    def follow(self) -> Follower:
        follower = Follower(self)
        self._followers[follower] = None
        return follower

    def leave(self, follower: Follower) -> None:
        self._followers.pop(follower, None)
