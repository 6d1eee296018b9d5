"""The relay between softphones and the switch: one connection there for each page that has one.

A page's line to us may be cut (a tunnel, a change of network), and the switch must not notice: its
connection stays for a while, keeps what is said meanwhile, and the page takes it up again where it
was. Of several pages of one agent the newest has his telephone; the others keep the calls that
they have, and the one before takes over when it goes.

Frames are SIP messages, counted on both sides, and these of our own, in JSON:

- page to relay: `{"got": n}`, how many messages it has taken, every few seconds: it proves the
  line. `{"take": true}`: the telephone shall be on this page.
- relay to page: `{"hello": "new" | "again", "got": n}` first, then `{"got": n}` as an answer to
  each of his, and `{"active": true | false}` whether the telephone is on this page.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final
from weakref import WeakValueDictionary

import aiohttp
import msgspec
import structlog
from fastapi import WebSocket, WebSocketDisconnect

from perezvon.api import sip_gate

log = structlog.get_logger("phone")

AWAY_MAX_S: Final = 30
"""How long a page may be gone. A talk without sound ends by itself after 45 s."""
SILENT_MAX_S: Final = 20
"""A page that says nothing for so long is gone, whatever its connection looks like."""
KEPT_MAX: Final = 500
KEPT_LENGTH_MAX: Final = 1024 * 1024
"""What one page has not confirmed yet."""
PAGES_MAX: Final = 8
"""Of one agent. The oldest goes when there are more."""
LINES_MAX: Final = 900
"""Of all; the switch has room for a thousand connections."""
CONNECT_S: Final = 5
SEND_S: Final = 20
RATE: Final = 20
BURST: Final = 200
"""Frames a second of one page, and how many at once: a call is a dozen."""
CHECK_EVERY_S: Final = 10

GOODBYES: Final = (1000, 1001)
"""How a page ends its connection itself, or its browser does when it is left: it will not come
back. One that was lost is told to us as 1005, as if it had ended without a word."""
UNAUTHORISED: Final = 4401
NOT_ALLOWED: Final = 4403
REPLACED: Final = 4409
TOO_MUCH: Final = 4429
AWAY: Final = 4503


class SwitchAway(Exception):  # noqa: N818 - says what it is
    """The switch takes no softphone now."""


class _Control(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a page says to the relay itself."""

    got: int = -1
    take: bool = False


class _Door:
    """One connection of a page; a page may come by several, one after another."""

    def __init__(self, browser: WebSocket) -> None:
        self.browser = browser
        self.news = asyncio.Event()
        """Something is to be told to the page."""
        self.over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.owes_answer = False

    def close(self, code: int) -> None:
        if not self.over.done():
            self.over.set_result(code)


class Line:
    """One page's connection to the switch."""

    def __init__(self, agent: str, page: str, upstream: aiohttp.ClientWebSocketResponse) -> None:
        self.agent = agent
        self.page = page
        self.ended = asyncio.Event()
        self._active = False
        self._upstream = upstream
        self._telephones = (agent, f"{agent}~webrtc")
        self._kept: deque[str] = deque()
        """Said by the switch and not confirmed by the page."""
        self._kept_length = 0
        self._confirmed = 0
        self._taken = 0
        """Messages of the page that went on to the switch."""
        self._door: _Door | None = None
        self._served = asyncio.Lock()
        self._away: asyncio.TimerHandle | None = None
        self._reader = asyncio.create_task(self._read_switch(), name="phone-line")

    @property
    def active(self) -> bool:
        """Whether the agent's telephone is on this page."""
        return self._active

    @active.setter
    def active(self, active: bool) -> None:
        self._active = active
        self._tell()

    async def serve(
        self, browser: WebSocket, got: int, *, is_new: bool, take: Callable[[], None]
    ) -> int:
        """Carry messages until this connection of the page ends; the code to close it with."""
        if self._door is not None:
            # It is dead, and may not know it.
            self._door.close(REPLACED)
        async with self._served:
            if self.ended.is_set() or not self._confirm(got):
                self.end()
                return AWAY
            door = self._door = _Door(browser)
            if self._away is not None:
                self._away.cancel()
            hello = {"hello": "new" if is_new else "again", "got": self._taken}
            tell = asyncio.create_task(self._tell_page(door, hello))
            hear = asyncio.create_task(self._hear_page(door, take))
            try:
                await asyncio.wait((tell, hear, door.over), return_when=asyncio.FIRST_COMPLETED)
            finally:
                tell.cancel()
                hear.cancel()
                await asyncio.gather(tell, hear, return_exceptions=True)
                self._door = None
                if not self.ended.is_set():
                    loop = asyncio.get_running_loop()
                    self._away = loop.call_later(AWAY_MAX_S, self.end)
            return door.over.result() if door.over.done() else AWAY

    def end(self, code: int = AWAY) -> None:
        """For good. The connection to the switch goes, and with it the registration."""
        self.ended.set()
        if self._door is not None:
            self._door.close(code)
        if self._away is not None:
            self._away.cancel()
        self._reader.cancel()

    async def closed(self) -> None:
        await asyncio.gather(self._reader, return_exceptions=True)

    async def _read_switch(self) -> None:
        try:
            async for frame in self._upstream:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    continue
                self._kept.append(frame.data)
                self._kept_length += len(frame.data)
                if len(self._kept) > KEPT_MAX or self._kept_length > KEPT_LENGTH_MAX:
                    break
                self._tell()
        finally:
            self.end()
            await self._upstream.close()

    def _tell(self) -> None:
        if self._door is not None:
            self._door.news.set()

    def _confirm(self, got: int) -> bool:
        """Forget what the page has. False for what cannot be: it is another page."""
        if not self._confirmed <= got <= self._confirmed + len(self._kept):
            return False
        while self._confirmed < got:
            self._kept_length -= len(self._kept.popleft())
            self._confirmed += 1
        return True

    async def _tell_page(self, door: _Door, hello: dict[str, Any]) -> None:
        told, active = self._confirmed, None
        with contextlib.suppress(TimeoutError, RuntimeError, WebSocketDisconnect):
            await _send(door.browser, _json(hello))
            while True:
                door.news.clear()
                if active is not self.active:
                    active = self.active
                    await _send(door.browser, _json({"active": active}))
                while told < self._confirmed + len(self._kept):
                    await _send(door.browser, self._kept[told - self._confirmed])
                    told += 1
                if door.owes_answer:
                    door.owes_answer = False
                    await _send(door.browser, _json({"got": self._taken}))
                await door.news.wait()

    async def _hear_page(self, door: _Door, take: Callable[[], None]) -> None:
        allowance = Allowance()
        with contextlib.suppress(TimeoutError):
            while True:
                async with asyncio.timeout(SILENT_MAX_S):
                    message = await door.browser.receive()
                if message["type"] == "websocket.disconnect":
                    if message.get("code") in GOODBYES:
                        self.end()
                    return
                if not allowance.spend():
                    self.end(TOO_MUCH)
                    return
                try:
                    await self._take(door, message.get("text") or "", take)
                except sip_gate.NotAllowed as refusal:
                    log.warning("phone_line_refused", agent=self.agent, reason=str(refusal))
                    self.end(NOT_ALLOWED)
                    return
                except (TimeoutError, aiohttp.ClientError, OSError):
                    self.end()
                    return

    async def _take(self, door: _Door, text: str, take: Callable[[], None]) -> None:
        if text.startswith("{"):
            self._obey(door, text, take)
            return
        sip_gate.check(text, self._telephones)
        self._taken += 1
        if sip_gate.is_registration(text) and not self.active:
            # It was told; this one was on its way.
            return
        async with asyncio.timeout(SEND_S):
            await self._upstream.send_str(text)

    def _obey(self, door: _Door, text: str, take: Callable[[], None]) -> None:
        try:
            control = msgspec.json.decode(text, type=_Control)
        except msgspec.MsgspecError as error:
            raise sip_gate.NotAllowed("a frame that cannot be read") from error
        if control.take:
            take()
        elif self._confirm(control.got):
            door.owes_answer = True
            door.news.set()
        else:
            raise sip_gate.NotAllowed("confirms what was not said")


class Allowance:
    """So many at once, and so many a second."""

    def __init__(self) -> None:
        self._left = float(BURST)
        self._at = time.monotonic()

    def spend(self) -> bool:
        now = time.monotonic()
        self._left = min(BURST, self._left + (now - self._at) * RATE)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Relay:
    """All lines. `url`: where the switch takes softphones; empty: it takes none."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: aiohttp.ClientSession | None = None
        self._lines: dict[str, list[Line]] = {}
        """By agent, in the order of their claims: the last has the telephone."""
        self._keepers: set[asyncio.Task[None]] = set()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """By agent, while his lines are made."""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(trust_env=False) as self._session:
            try:
                yield
            finally:
                for line in [line for lines in self._lines.values() for line in lines]:
                    line.end()
                await asyncio.gather(*self._keepers)

    def pages_of(self, agent: str) -> int:
        return len(self._lines.get(agent, ()))

    async def serve(
        self,
        browser: WebSocket,
        agent: str,
        page: str,
        got: int,
        allowed: Callable[[], Awaitable[bool]],
    ) -> int:
        """Until this connection ends; the code to close it with. `allowed` is asked now and then
        whether the agent still may.
        """
        lock = self._locks.setdefault(agent, asyncio.Lock())
        # A page that comes twice at once must not get two lines.
        async with lock:
            line = self._line(agent, page)
            is_new = line is None
            try:
                known = line or await self._open(agent, page)
            except SwitchAway:
                return AWAY
        serving = asyncio.ensure_future(
            known.serve(
                browser, 0 if is_new else got, is_new=is_new, take=lambda: self._claim(known)
            )
        )
        checking = asyncio.ensure_future(_until_refused(allowed))
        try:
            await asyncio.wait((serving, checking), return_when=asyncio.FIRST_COMPLETED)
            if not serving.done():
                known.end(UNAUTHORISED)
            return await serving
        finally:
            for task in (serving, checking):
                task.cancel()
            await asyncio.gather(serving, checking, return_exceptions=True)

    def _line(self, agent: str, page: str) -> Line | None:
        lines = self._lines.get(agent, ())
        return next((one for one in lines if one.page == page and not one.ended.is_set()), None)

    async def _open(self, agent: str, page: str) -> Line:
        if self._session is None or not self._url or len(self._keepers) >= LINES_MAX:
            raise SwitchAway
        try:
            async with asyncio.timeout(CONNECT_S):
                upstream = await self._session.ws_connect(
                    self._url,
                    protocols=("sip",),
                    max_msg_size=KEPT_LENGTH_MAX,
                    timeout=aiohttp.ClientWSTimeout(ws_close=1),
                )
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise SwitchAway from error
        line = Line(agent, page, upstream)
        self._claim(line)
        for extra in self._lines[agent][:-PAGES_MAX]:
            extra.end()
        keeper = asyncio.create_task(self._keep(line))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)
        return line

    async def _keep(self, line: Line) -> None:
        await line.ended.wait()
        self._lines[line.agent].remove(line)
        self._tell_active(line.agent)
        await line.closed()

    def _claim(self, line: Line) -> None:
        lines = self._lines.setdefault(line.agent, [])
        if line in lines:
            lines.remove(line)
        lines.append(line)
        self._tell_active(line.agent)

    def _tell_active(self, agent: str) -> None:
        lines = self._lines[agent]
        if not lines:
            del self._lines[agent]
        for line in lines:
            line.active = line is lines[-1]


async def _until_refused(allowed: Callable[[], Awaitable[bool]]) -> None:
    while True:
        await asyncio.sleep(CHECK_EVERY_S)
        if not await allowed():
            return


async def _send(browser: WebSocket, text: str) -> None:
    async with asyncio.timeout(SEND_S):
        await browser.send_text(text)


def _json(value: dict[str, Any]) -> str:
    return msgspec.json.encode(value).decode()
