"""The live board: what is going on now, as rows, and how two boards differ.

Pure, except for `Feed`, which hands numbered changes to followers and promises that none of them
can make it hold more than `FOLLOWER_MESSAGES_MAX` messages: a slow one gets a new snapshot.
Rows carry moments, never lengths, so a board changes only when something has happened.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final, Protocol, TypeAlias, TypeVar

import msgspec

from perezvon.core.agent import AgentState
from perezvon.core.call import Call, CallState
from perezvon.core.debt import Debt
from perezvon.core.ids import AgentId, CallId, DebtId, Instant, PersonId, TrunkId
from perezvon.core.ledger import Ledger
from perezvon.core.plan import Plan, Queue
from perezvon.core.supervision import Supervision, Supervisions
from perezvon.runtime.alerts import Alert

Cell: TypeAlias = str | int | bool | list[str] | list[dict[str, str | int]] | None
Row: TypeAlias = dict[str, Cell]
Rows: TypeAlias = dict[str, Row]

_T = TypeVar("_T")

SECTIONS: Final = (
    "waiting",
    "agents",
    "talking",
    "supervisions",
    "debts",
    "queues",
    "ledger",
    "trunks",
    "guard",
    "alerts",
)

SECTION_ROWS_MAX = 300
"""Rows of a section that are shown; the counts in `queues` and `ledger` know of all. The board is
made in the engine's own loop: 1,000 rows took it 17 ms, four times a second."""

AGENT_ROWS_MAX = 1_000
"""Of agents more are shown: each is somebody's to look for."""

FOLLOWER_MESSAGES_MAX = 16
"""Messages kept for a follower who does not read; beyond it he gets a snapshot instead."""

FOLLOWERS_MAX = 500
"""Beyond it a new follower is refused: better than serving everybody late."""

BOARD_PERIOD_MS = 250
"""The board is told at most so often (4 Hz), however much happens."""


IN_TALK = frozenset(
    {CallState.TALKING, CallState.CONSULTING, CallState.OUTSIDE, CallState.REJOINING}
)
COMING = frozenset(
    {CallState.GREETING, CallState.WAITING, CallState.FELL_BACK, CallState.TRANSFERRING}
)


@dataclass(frozen=True, slots=True)
class Board:
    at: Instant
    sections: dict[str, Rows] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delta:
    """Rows that are new or changed, and None for those that are gone."""

    at: Instant
    sections: dict[str, dict[str, Row | None]] = field(default_factory=dict)


class EngineView(Protocol):
    """What the board reads of `core.engine.Engine`; it changes nothing."""

    @property
    def now(self) -> Instant: ...
    @property
    def plan(self) -> Plan: ...
    @property
    def supervisions(self) -> Supervisions: ...
    @property
    def calls(self) -> Mapping[CallId, Call]: ...
    @property
    def groups(self) -> Mapping[AgentId, list[str]]: ...
    @property
    def agents(self) -> Mapping[AgentId, AgentState]: ...
    @property
    def debts(self) -> Mapping[DebtId, Debt]: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def trunk_held_until(self) -> Mapping[TrunkId, Instant]: ...


Who: TypeAlias = Callable[[PersonId], tuple[str, str]]
"""Number and name of a client, as the caller of `board` lets them be seen."""


def nobody(_person: PersonId) -> tuple[str, str]:
    return "", ""


def board(
    engine: EngineView, now: Instant, who: Who = nobody, alerts: Iterable[Alert] = ()
) -> Board:
    """Show the engine. Linear in what is going on, which is why it is done at 4 Hz at most."""
    names: dict[str, str] = {agent.id: agent.name for agent in engine.plan.agents}
    talking = [call for call in engine.calls.values() if call.state in IN_TALK]
    devices: dict[str, str] = {agent.id: agent.device.value for agent in engine.plan.agents}
    coming = [
        call
        for call in engine.calls.values()
        if call.state in COMING or (not call.inbound and call.state not in IN_TALK)
    ]
    coming.sort(key=lambda call: (call.key_at, call.id))
    debts = sorted(engine.debts.values(), key=lambda debt: (debt.due_at, debt.id))
    sections: dict[str, Rows] = {
        "waiting": {call.id: _coming(call, names, who) for call in _first(coming)},
        "agents": {
            id_: _agent(agent, names, devices.get(id_, ""), engine.groups.get(id_, []))
            for id_, agent in islice(engine.agents.items(), AGENT_ROWS_MAX)
        },
        "talking": {call.id: _talking(call, names, who) for call in _first(talking)},
        "supervisions": {one.supervisor: _supervision(one, names) for one in engine.supervisions},
        "debts": {debt.id: _debt(debt, names, who) for debt in _first(debts)},
        "queues": _queues(engine),
        "ledger": {"all": _ledger(engine.ledger)},
        "trunks": _trunks(engine, now),
        "guard": {"engine": {"up": True, "plan": engine.plan.version}},
        "alerts": {f"{one.kind}/{one.about}": alert_row(one) for one in alerts},
    }
    return Board(now, {name: rows for name, rows in sections.items() if rows})


def alert_row(alert: Alert) -> Row:
    return {
        "kind": alert.kind.value,
        "about": alert.about,
        "since_at": alert.since,
        "detail": alert.detail,
    }


def _first(items: Iterable[_T]) -> Iterable[_T]:
    return islice(items, SECTION_ROWS_MAX)


def _client(person: PersonId | None, who: Who) -> Row:
    number, name = who(person) if person is not None else ("", "")
    return {"person": person, "number": number, "name": name}


def _coming(call: Call, names: Mapping[str, str], who: Who) -> Row:
    ringing = [offer.agent for offer in call.offers.values()]
    return {
        **_client(call.person, who),
        "queue": call.queue,
        "state": call.state.value,
        "since_at": call.arrived_at,
        "step": call.step,
        "round": call.round,
        "ringing": [str(agent) for agent in ringing],
        "ringing_names": [names.get(agent, agent) for agent in ringing],
        "debt": call.debt,
        **_transfer(call),
    }


def _transfer(call: Call) -> Row:
    """Who hands the client over, and to whom; `answered`: who was asked is on the line."""
    transfer = call.transfer
    return {
        "handed_by": None if transfer is None else transfer.agent,
        "to_agent": None if transfer is None else transfer.to_agent,
        "to_queue": None if transfer is None else transfer.to_queue,
        "to_number": transfer is not None and transfer.to_person is not None,
        "target_answered": transfer is not None and transfer.answered,
    }


def _talking(call: Call, names: Mapping[str, str], who: Who) -> Row:
    agent = call.won.agent if call.won is not None else None
    return {
        **_client(call.person, who),
        "queue": call.queue,
        "state": call.state.value,
        "since_at": call.answered_at,
        "arrived_at": call.arrived_at,
        "agent": agent,
        "agent_name": names.get(agent, agent) if agent is not None else "",
        "debt": call.debt,
        **_transfer(call),
    }


def _supervision(one: Supervision, names: Mapping[str, str]) -> Row:
    """No agent may see these: he would know when he is listened to."""
    return {
        "call": one.call,
        "agent": one.agent,
        "agent_name": names.get(one.agent, one.agent),
        "mode": one.mode.value,
        "since_at": one.answered_at,
    }


def _agent(agent: AgentState, names: Mapping[str, str], own_device: str, groups: list[str]) -> Row:
    return {
        "name": names.get(agent.id, agent.id),
        "status": agent.status.value,
        "since_at": agent.since,
        "reason": agent.reason,
        "reachable": agent.reachable_now,
        "call": agent.call,
        "wanted": agent.wanted.value if agent.wanted is not None else None,
        "answered_today": agent.answered_today,
        "missed": agent.missed_count,
        "device": own_device if agent.device is None else agent.device.value,
        "groups": groups,
        "lent_to": [_loan(group, until_at) for group, until_at in agent.loans.items()],
    }


def _loan(group: str, until_at: Instant) -> dict[str, str | int]:
    return {"group": group, "until_at": until_at}


def _debt(debt: Debt, names: Mapping[str, str], who: Who) -> Row:
    return {
        **_client(debt.person, who),
        "queue": debt.queue,
        "missed_at": debt.missed_at,
        "calls": debt.call_count,
        "owner": debt.owner,
        "owner_name": names.get(debt.owner, debt.owner) if debt.owner is not None else "",
        "due_at": debt.due_at,
        "overdue": debt.overdue,
        "next_at": debt.next_at,
        "attempts": debt.counted,
        "attempting": debt.attempt is not None,
    }


def _queues(engine: EngineView) -> Rows:
    waiting: Counter[str] = Counter()
    talking: Counter[str] = Counter()
    oldest: dict[str, Instant] = {}
    for call in engine.calls.values():
        if call.state in IN_TALK:
            talking[call.queue] += 1
        elif call.inbound and call.state is not CallState.CLOSING:
            waiting[call.queue] += 1
            oldest[call.queue] = min(call.arrived_at, oldest.get(call.queue, call.arrived_at))
    debts: Counter[str] = Counter()
    oldest_debt: dict[str, Instant] = {}
    for debt in engine.debts.values():
        debts[debt.queue] += 1
        at = debt.first_missed_at
        oldest_debt[debt.queue] = min(at, oldest_debt.get(debt.queue, at))
    return {
        queue.id: {
            "name": queue.name,
            "waiting": waiting[queue.id],
            "oldest_at": oldest.get(queue.id),
            "talking": talking[queue.id],
            "debts": debts[queue.id],
            "groups": _groups(queue),
            "oldest_debt_at": oldest_debt.get(queue.id),
        }
        for queue in _first(engine.plan.queues)
    }


def _groups(queue: Queue) -> list[str]:
    """Whose people it rings, each once."""
    return list(dict.fromkeys(str(name) for step in queue.steps for name in step.groups))


def ledger_counts(ledger: Ledger) -> dict[str, int | bool]:
    """Give the keys of `perezvon ledger`, as `decisions.md` 1 names them."""
    return {
        "arrivals": ledger.arrivals,
        "in_progress": ledger.in_progress,
        "answered": ledger.answered,
        "recovered": ledger.recovered,
        "reached_us": ledger.reached_us,
        "waived": ledger.waived,
        "open": ledger.open,
        "debts_open": ledger.debts_open,
        "balanced": ledger.balanced,
    }


def _ledger(ledger: Ledger) -> Row:
    return dict(ledger_counts(ledger))


def _trunks(engine: EngineView, now: Instant) -> Rows:
    held = engine.trunk_held_until
    return {trunk.id: {"up": held.get(trunk.id, 0) <= now} for trunk in engine.plan.trunks}


def difference(old: Board, new: Board) -> Delta:
    sections: dict[str, dict[str, Row | None]] = {}
    for name in sorted(old.sections.keys() | new.sections.keys()):
        before, after = old.sections.get(name, {}), new.sections.get(name, {})
        changed: dict[str, Row | None] = {
            # Identity first: most rows are the very same, and there are many of them.
            key: row
            for key, row in after.items()
            if (old_row := before.get(key)) is not row and old_row != row
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

    @property
    def is_followed(self) -> bool:
        return bool(self._followers)

    def publish(self, board: Board, delta: Delta | None = None) -> None:
        """Tell the followers what has changed; a board that is the same is not told. `delta` by
        who knows already how it differs.
        """
        delta = difference(self.board, board) if delta is None else delta
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
