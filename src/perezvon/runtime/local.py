"""The local socket between the engine and every other process of ours.

Lines of JSON on a Unix socket that only its owner may open. A request is
`{"action": …, "args": {…}}`; its answer is `{"ok": {…}}` or `{"error": {code, message, where}}`.
The action `follow` turns the connection into a feed: a snapshot of the board, then numbered
deltas. Everything has a limit: clients, the length of a line, the time of an action.

A reply says what the engine decided; that an action acts on calls is visible on the feed only.
"""

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from perezvon.runtime.board import Feed, Follower
from perezvon.runtime.ports import Unavailable

Action: TypeAlias = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

LINE_BYTES_MAX: Final = 4 * 1024 * 1024
"""A plan and a snapshot of the board fit many times over."""

CLIENTS_MAX: Final = 64
"""The web process keeps one connection to follow and one per action in flight."""

ACTION_TIMEOUT_S: Final = 10
"""An action that takes longer is answered as unavailable; it may still happen."""

IDLE_TIMEOUT_S: Final = 60
"""A connection that asks nothing for so long is closed."""

WRITE_BUFFER_BYTES: Final = 256 * 1024
"""Kept in our memory for a reader who does not read, besides the feed's own bound."""

SOCKET_PATH_BYTES_MAX: Final = 103
"""What `sockaddr_un` takes on every system that we run on."""

CODE_UNAVAILABLE: Final = "unavailable"


class Refused(Exception):  # noqa: N818 - the word of the domain; the asker can mend it
    """The engine understood and will not: an unknown agent, a wrong value, a stale base."""

    def __init__(self, code: str, message: str, where: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where


class _Request(msgspec.Struct, frozen=True):
    action: str
    args: dict[str, Any] = {}


class _Problem(msgspec.Struct, frozen=True):
    code: str
    message: str
    where: str = ""


class _Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    ok: dict[str, Any] | None = None
    error: _Problem | None = None


class LocalServer:
    """The engine's end. `actions` may raise `Refused` or `Unavailable`; anything else they raise
    is our bug: the asker hears so and the engine lives on.
    """

    def __init__(
        self,
        path: Path,
        actions: Mapping[str, Action],
        feed: Feed,
        on_bug: Callable[[str, Exception], None] | None = None,
    ) -> None:
        self._path = path
        self._actions = actions
        self._feed = feed
        self._on_bug = on_bug
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen. A socket file that nobody answers on is replaced; a living one is not."""
        _check_path(self._path)
        _remove_stale(self._path)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        mask = os.umask(0o177)  # the file must never exist with wider rights, not for a moment
        try:
            listener.bind(str(self._path))
        except OSError:
            listener.close()
            raise
        finally:
            os.umask(mask)
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listener, limit=LINE_BYTES_MAX
        )

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._clients):
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            writer.transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)
            if len(self._clients) > CLIENTS_MAX:
                await _send(writer, _failed(CODE_UNAVAILABLE, "too many clients"))
            else:
                await self._talk(reader, writer)
        except (OSError, TimeoutError):
            pass  # the other end is gone, or says nothing: nobody is left to be told
        except asyncio.CancelledError:
            pass  # only `stop` cancels us; raising on would make asyncio log it as our failure
        finally:
            self._clients.discard(task)
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_TIMEOUT_S):
                    line = await reader.readline()
            except ValueError:
                await _send(writer, _failed("too_large", f"a line has {LINE_BYTES_MAX} bytes"))
                return
            if not line.endswith(b"\n"):
                return
            try:
                request = msgspec.json.decode(line, type=_Request)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                await _send(writer, _failed("malformed", "not a request: {action, args}"))
                return
            if request.action == "follow":
                await self._tell(reader, writer)
                return
            await _send(writer, await self._answer(request))

    async def _answer(self, request: _Request) -> bytes:
        action = self._actions.get(request.action)
        if action is None:
            return _failed("unknown_action", "the engine has no such action", "action")
        try:
            async with asyncio.timeout(ACTION_TIMEOUT_S):
                ok = await action(request.args)
            return _line(_Answer(ok=ok))
        except Refused as refused:
            return _failed(refused.code, refused.message, refused.where)
        except Unavailable as gone:
            return _failed(CODE_UNAVAILABLE, str(gone))
        except TimeoutError:
            return _failed(CODE_UNAVAILABLE, "the engine took too long; it may still do it")
        except Exception as bug:  # noqa: BLE001 - a bug in one action must not end the engine
            if self._on_bug is not None:
                self._on_bug(request.action, bug)
            return _failed("internal", "the engine failed at this action")

    async def _tell(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._feed.full:
            await _send(writer, _failed(CODE_UNAVAILABLE, "too many followers"))
            return
        follower = self._feed.follow()
        # He has nothing more to say: whatever comes from him, an end included, ends it.
        gone = asyncio.ensure_future(reader.read(1))
        telling = asyncio.ensure_future(_tell_all(follower, writer))
        try:
            await asyncio.wait({gone, telling}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._feed.leave(follower)
            for task in (gone, telling):
                task.cancel()
            await asyncio.gather(gone, telling, return_exceptions=True)


async def ask(
    path: Path, action: str, args: Mapping[str, Any] | None = None, timeout_s: float = 5
) -> dict[str, Any]:
    """Ask the engine. `Unavailable` when it is away, `Refused` when it will not."""
    try:
        request = msgspec.json.encode(_Request(action, dict(args or {}))) + b"\n"
    except UnicodeEncodeError as error:
        raise Refused("invalid", "is not text: it holds half a sign") from error
    if len(request) > LINE_BYTES_MAX:
        raise Refused("too_large", f"a request has {LINE_BYTES_MAX} bytes at most")
    try:
        async with asyncio.timeout(timeout_s), _connected(path) as (reader, writer):
            writer.write(request)
            await writer.drain()
            line = await reader.readline()
    except TimeoutError as late:
        raise Unavailable("the engine did not answer in time") from late
    except (OSError, ValueError) as away:
        raise Unavailable("the engine is away") from away
    return _read_answer(line)


async def follow(path: Path) -> AsyncGenerator[dict[str, Any], None]:
    """A snapshot of the board, then numbered deltas; `Unavailable` when the engine goes.

    Close it (`contextlib.aclosing`) when you leave before its end.
    """
    try:
        async with _connected(path) as (reader, writer):
            writer.write(msgspec.json.encode(_Request("follow")) + b"\n")
            while line := await reader.readline():
                message = msgspec.json.decode(line, type=dict[str, Any])
                if "error" in message:
                    _read_answer(line)
                yield message
    except (OSError, ValueError) as away:
        raise Unavailable("the engine is away") from away
    raise Unavailable("the engine closed the feed")


@contextlib.asynccontextmanager
async def _connected(
    path: Path,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES_MAX)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _read_answer(line: bytes) -> dict[str, Any]:
    if not line.endswith(b"\n"):
        raise Unavailable("the engine went away before it answered")
    try:
        answer = msgspec.json.decode(line, type=_Answer)
    except msgspec.DecodeError as strange:
        raise Unavailable("the engine's answer cannot be read") from strange
    if answer.error is not None:
        if answer.error.code == CODE_UNAVAILABLE:
            raise Unavailable(answer.error.message)
        raise Refused(answer.error.code, answer.error.message, answer.error.where)
    return answer.ok or {}


async def _tell_all(follower: Follower, writer: asyncio.StreamWriter) -> None:
    while True:
        await _send(writer, await follower.next() + b"\n")


async def _send(writer: asyncio.StreamWriter, line: bytes) -> None:
    writer.write(line)
    await writer.drain()


def _line(answer: _Answer) -> bytes:
    return msgspec.json.encode(answer) + b"\n"


def _failed(code: str, message: str, where: str = "") -> bytes:
    return _line(_Answer(error=_Problem(code, message, where)))


def _check_path(path: Path) -> None:
    if len(os.fsencode(path)) > SOCKET_PATH_BYTES_MAX:
        raise Refused(
            "path_too_long", f"a socket's path has {SOCKET_PATH_BYTES_MAX} bytes at most", str(path)
        )


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise Refused("not_a_socket", "another file stands where the socket should", str(path))
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
        else:
            raise Refused("engine_running", "another engine answers on this socket", str(path))
