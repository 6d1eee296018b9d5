"""The live feed: the engine's board for any number of browsers, over one connection to it.

A client gets a snapshot, then numbered deltas without a gap; one who reads too slowly gets a new
snapshot. When the engine goes, the board says so (`guard.engine.up`) and stays as it was. The
token comes in the header, or as `{"token": …}` in the first message, for browsers can set none.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec
from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from perezvon.api.access import Principal
from perezvon.api.browser import is_own_page
from perezvon.api.context import Context
from perezvon.api.roles import Permission
from perezvon.runtime.board import Board, Feed, Follower, Gap, Mirror, Row
from perezvon.runtime.local import Refused, follow
from perezvon.runtime.masking import mask_number
from perezvon.runtime.ports import Unavailable

router = APIRouter(tags=["live"])

AWAY: Final = 4503
UNAUTHORISED: Final = 4401
FORBIDDEN: Final = 4403
TOKEN_TIMEOUT_S: Final = 5
TOKEN_LENGTH_MAX: Final = 1_000
AGAIN_AFTER_S: Final = 0.5
SEND_TIMEOUT_S: Final = 20
"""A client whose line takes nothing for so long is let go."""


class Live:
    """Follows the engine as long as it runs, and feeds two boards: with numbers and without."""

    def __init__(self, engine: Path) -> None:
        self._engine = engine
        self._open = Feed(_without_engine(Board(0)))
        self._masked = Feed(_without_engine(Board(0)))

    def feed(self, principal: Principal) -> Feed:
        return self._open if principal.sees_numbers else self._masked

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _run(self) -> None:
        while True:
            # A gap cannot be mended but by a new snapshot, which a new connection brings.
            with contextlib.suppress(Unavailable, Refused, Gap):
                await self._follow()
            self._publish(_without_engine(self._open.board))
            await asyncio.sleep(AGAIN_AFTER_S)

    async def _follow(self) -> None:
        mirror = Mirror()
        async with contextlib.aclosing(follow(self._engine)) as messages:
            async for message in messages:
                mirror.take(message)
                self._publish(mirror.board)

    def _publish(self, board: Board) -> None:
        self._open.publish(board)
        self._masked.publish(masked(board))


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
    if not is_own_page(socket.headers, context.origins):
        # Before the handshake is accepted: the browser's page learns nothing at all.
        await socket.close(FORBIDDEN)
        return
    await socket.accept()
    try:
        principal = await _principal(socket, context)
    except (TimeoutError, WebSocketDisconnect):
        principal = None
    if principal is None or not principal.may(Permission.SEE_BOARD):
        await _close(socket, UNAUTHORISED if principal is None else FORBIDDEN)
        return
    feed = live.feed(principal)
    if feed.full:
        await _close(socket, AWAY)
        return
    follower = feed.follow()
    try:
        await _until_either_ends(_send_all(socket, follower), _read_nothing(socket))
    finally:
        feed.leave(follower)
        await _close(socket, 1000)


async def _principal(socket: WebSocket, context: Context) -> Principal | None:
    """By the header, by the session's cookie, else by a key in the first message."""
    try:
        header = socket.headers.get("authorization")
        if header is None:
            found = await asyncio.to_thread(context.signed_in, socket)
            if found is not None:
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


async def _send_all(socket: WebSocket, follower: Follower) -> None:
    while True:
        message = await follower.next()
        async with asyncio.timeout(SEND_TIMEOUT_S):
            await socket.send_text(message.decode())


async def _read_nothing(socket: WebSocket) -> None:
    """He has nothing to say; that he is gone is heard by listening."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return


async def _until_either_ends(*parts: Any) -> None:  # noqa: ANN401 - coroutines
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
        await socket.close(code)


__all__ = ["Live", "masked", "router"]
