"""The live feed: the engine's board for any number of browsers, over one connection to it.

A client gets a snapshot, then numbered deltas without a gap; one who reads too slowly gets a new
snapshot. When the engine goes, the board says so (`guard.engine.up`) and stays as it was. Who asks
is known by the session's cookie, by a key in the header, or by one in the first message,
`{"token": …}`, for programs in a browser can set none.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from perezvon.api.access import Kind, Principal
from perezvon.api.browser import has_cookie, is_own_page
from perezvon.api.context import Context
from perezvon.api.roles import Permission, Reach
from perezvon.api.today import Today
from perezvon.core.ids import Instant
from perezvon.runtime.board import Board, Delta, Feed, Follower, Gap, Mirror, Row, Rows, difference
from perezvon.runtime.local import Refused, follow
from perezvon.runtime.masking import mask_number
from perezvon.runtime.ports import Unavailable
from perezvon.store.within import OfAgent

router = APIRouter(tags=["live"])

AWAY: Final = 4503
UNAUTHORISED: Final = 4401
FORBIDDEN: Final = 4403
TOKEN_TIMEOUT_S: Final = 5
TOKEN_LENGTH_MAX: Final = 1_000
AGAIN_AFTER_S: Final = 0.5
ALLOWED_EVERY_S: Final = 30
"""How soon who is signed out, or may less, sees no more."""
OWN_FEEDS_MAX: Final = 1_000
"""Agents who look at once."""
TAKES_WITHIN_S: Final = 20
"""A client whose line takes nothing for so long is let go, at the latest after twice that."""
CLOSE_S: Final = 1
"""For a good-bye, which such a line does not take either."""


class Live:
    """Follows the engine as long as it runs. Feeds two boards, with numbers and without, and one
    for each agent who looks: his colleagues and what is his own.
    """

    def __init__(self, engine: Path, today: Today, now: Callable[[], Instant]) -> None:
        self._engine = engine
        self._today = today
        self._now = now
        self._told = _without_engine(Board(0))
        """By the engine; the sections of ours are laid beside it."""
        self._beside: dict[str, Rows] = {}
        self._open = Feed(_without_engine(Board(0)))
        self._masked = Feed(_without_engine(Board(0)))
        self._own: dict[OfAgent, Feed] = {}
        self._looked_at = asyncio.Event()
        """Somebody looks, and nobody did before: he is not to wait for the figures."""

    @contextlib.contextmanager
    def followed(self, principal: Principal, own: OfAgent | None) -> Iterator[Follower | None]:
        """A place at the board that he may see; None: all are taken."""
        if own is None:
            feed = self._open if principal.sees_numbers else self._masked
        else:
            feed = self._own.get(own) or Feed(own_board(self._open.board, own))
        if feed.full or len(self._own) >= OWN_FEEDS_MAX:
            yield None
            return
        if own is not None:
            self._own[own] = feed
        if not self._is_followed:
            self._looked_at.set()
        follower = feed.follow()
        try:
            yield follower
        finally:
            feed.leave(follower)
            if own is not None and not feed.is_followed:
                self._own.pop(own, None)

    @property
    def _is_followed(self) -> bool:
        own = any(feed.is_followed for feed in self._own.values())
        return own or self._open.is_followed or self._masked.is_followed

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._run()), asyncio.create_task(self._count())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _count(self) -> None:
        while True:
            # A store that is away tells nothing new; the figures stay as they were.
            with contextlib.suppress(Unavailable):
                await self.count_once()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._today.wait_s):
                    await self._looked_at.wait()
            self._looked_at.clear()

    async def count_once(self) -> None:
        """Today's figures, unless nobody looks at them."""
        if self._is_followed:
            version = str(self._told.sections["guard"]["engine"].get("plan", ""))
            self._beside = await asyncio.to_thread(self._today.sections, version)
            self._publish(Board(max(self._told.at, self._now()), self._told.sections))

    async def _run(self) -> None:
        while True:
            # A gap cannot be mended but by a new snapshot, which a new connection brings.
            with contextlib.suppress(Unavailable, Refused, Gap):
                await self._follow()
            self._publish(_without_engine(self._told))
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _follow(self) -> None:
        mirror = Mirror()
        async with contextlib.aclosing(follow(self._engine)) as messages:
            async for message in messages:
                mirror.take(message)
                self._publish(mirror.board)

    def _publish(self, told: Board) -> None:
        before = self._open.board
        self._told = told
        beside = {name: rows for name, rows in self._beside.items() if rows}
        board = Board(told.at, told.sections | beside)
        self._open.publish(board)
        self._masked.publish(masked(board))
        if not self._own:
            return
        # What all agents see alike is compared once, not for each of hundreds.
        shared = difference(_shared(before), _shared(board))
        rows = _Rows(board)
        for own, feed in self._own.items():
            sections = rows.of(own)
            mine = difference(
                Board(0, {name: feed.board.sections.get(name, {}) for name in OWN}),
                Board(board.at, sections),
            )
            delta = Delta(board.at, shared.sections | mine.sections)
            feed.publish(_with(board, sections), delta)


def own_board(board: Board, own: OfAgent) -> Board:
    """What an agent sees: his colleagues, and of calls and debts his own."""
    return _with(board, _Rows(board).of(own))


class _Rows:
    """Whose each row of a board is; made once for all agents who look at it."""

    def __init__(self, board: Board) -> None:
        self._waiting: dict[str, Rows] = {}
        self._talking: dict[str, Rows] = {}
        self._owned: dict[str, Rows] = {}
        self._queued: dict[frozenset[str], Rows] = {}
        self._debts = board.sections.get("debts", {})
        for key, row in board.sections.get("waiting", {}).items():
            ringing = row.get("ringing")
            for agent in ringing if isinstance(ringing, list) else ():
                self._waiting.setdefault(str(agent), {})[key] = row
        for key, row in board.sections.get("talking", {}).items():
            self._talking.setdefault(str(row.get("agent")), {})[key] = row
        for key, row in self._debts.items():
            self._owned.setdefault(str(row.get("owner")), {})[key] = row

    def of(self, own: OfAgent) -> dict[str, Rows]:
        if own.queues not in self._queued:
            self._queued[own.queues] = {
                key: row for key, row in self._debts.items() if row.get("queue") in own.queues
            }
        sections = {
            "waiting": self._waiting.get(own.agent, {}),
            "talking": self._talking.get(own.agent, {}),
            "debts": self._queued[own.queues] | self._owned.get(own.agent, {}),
        }
        return {name: rows for name, rows in sections.items() if rows}


OWN: Final = ("waiting", "talking", "debts")
"""Sections of which an agent sees rows of his own."""
SHARED: Final = (
    "agents",
    "queues",
    "guard",
    "groups",
    "targets",
    "queues_today",
    "agents_today",
)
"""Sections that all agents see whole; the others they do not see."""


def _shared(board: Board) -> Board:
    return Board(
        board.at, {name: board.sections[name] for name in SHARED if name in board.sections}
    )


def _with(board: Board, sections: dict[str, Rows]) -> Board:
    return Board(board.at, _shared(board).sections | sections)


def masked(board: Board) -> Board:
    """The same board for who may not see whom we talk to."""
    sections = {
        name: {key: _masked_row(row) for key, row in rows.items()}
        for name, rows in board.sections.items()
    }
    return Board(board.at, sections)


def _masked_row(row: Row) -> Row:
    if "number" not in row:
        return row
    return row | {"number": mask_number(str(row["number"] or "")), "name": ""}


def _without_engine(board: Board) -> Board:
    return Board(board.at, board.sections | {"guard": {"engine": {"up": False}}})


@router.websocket("/live")
async def tell(socket: WebSocket) -> None:
    context: Context = socket.app.state.context
    live: Live = socket.app.state.live
    if not is_own_page(socket, context.origins):
        # Before the handshake is accepted: the browser's page learns nothing at all.
        await socket.close(FORBIDDEN)
        return
    await socket.accept()
    try:
        principal = await _principal(socket, context)
    except (TimeoutError, WebSocketDisconnect):
        principal = None
    allowed = principal is not None and principal.may(Permission.SEE_BOARD)
    if principal is None or not allowed or principal.must_change_password:
        await _close(socket, UNAUTHORISED if principal is None else FORBIDDEN)
        return
    own = None
    if principal.reach(Permission.SEE_BOARD) is Reach.OWN:
        own = await asyncio.to_thread(lambda: OfAgent.of(context.books.plan(), principal.agent))
    with live.followed(principal, own) as follower:
        if follower is None:
            await _close(socket, AWAY)
            return
        line = _Line(socket)
        await _until_any_ends(
            _send_all(line, follower),
            line.while_it_takes(),
            _read_nothing(socket),
            _while_allowed(socket, context, principal),
        )
    await _close(socket, 1000)


async def _while_allowed(socket: WebSocket, context: Context, principal: Principal) -> None:
    """Until his session is over, or he is another than he was: then he asks anew. Keys are
    looked at once: programs connect again often enough.
    """
    while True:
        await asyncio.sleep(ALLOWED_EVERY_S)
        if principal.kind is Kind.KEY:
            continue
        with contextlib.suppress(Unavailable):
            if await asyncio.to_thread(context.signed_in, socket) != principal:
                return


async def _principal(socket: WebSocket, context: Context) -> Principal | None:
    """By the header, by the session's cookie, else by a key in the first message."""
    try:
        header = socket.headers.get("authorization")
        if header is None:
            found = await asyncio.to_thread(context.signed_in, socket)
            if found is not None or has_cookie(socket):
                return found
            header = await _first_message(socket)
        return await asyncio.to_thread(context.holder, header)
    except Unavailable:
        return None


async def _first_message(socket: WebSocket) -> str:
    async with asyncio.timeout(TOKEN_TIMEOUT_S):
        message = await socket.receive_text()
    if len(message) > TOKEN_LENGTH_MAX:
        return ""
    try:
        first = msgspec.json.decode(message, type=dict[str, str])
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""
    return f"Bearer {first.get('token', '')}"


class _Line:
    """To one client. Looked at now and then: a timeout for each of thousands of messages a second
    was a quarter of the work that sending them is.
    """

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._on_its_way: bytes | None = None

    async def send(self, message: bytes) -> None:
        self._on_its_way = message
        await self._socket.send_text(message.decode())
        self._on_its_way = None

    async def while_it_takes(self) -> None:
        """Until the same message is on its way at two looks."""
        seen: bytes | None = None
        while seen is None or self._on_its_way is not seen:
            seen = self._on_its_way
            await asyncio.sleep(TAKES_WITHIN_S)


async def _send_all(line: _Line, follower: Follower) -> None:
    while True:
        await line.send(await follower.next())


async def _read_nothing(socket: WebSocket) -> None:
    """He has nothing to say; that he is gone is heard by listening."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


async def _until_any_ends(*parts: Any) -> None:  # noqa: ANN401 - coroutines
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _close(socket: WebSocket, code: int) -> None:
    # He may be gone already, and then there is nothing left to close.
    with contextlib.suppress(RuntimeError, WebSocketDisconnect, OSError):
        async with asyncio.timeout(CLOSE_S):
            await socket.close(code)


__all__ = ["Live", "masked", "router"]
