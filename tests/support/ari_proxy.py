"""A proxy for ARI between the engine and Asterisk that loses, delays, holds and cuts.

    with AriProxy(running.site.http_port, seed=7) as proxy:
        with EngineProcess(running, root, ari_port=proxy.port) as engine:
            proxy.lose(before=0.2, after=0.2, of=lambda method, uri: uri.endswith("/dial"))
            ...
            proxy.lose()                                  # honest again
    assert proxy.lost["after", "POST channels/*/dial"] > 0

It speaks the socket with REST over it as well as plain HTTP. A request lost *before* never reaches
Asterisk; one lost *after* is carried out and its reply is thrown away. Events are never lost. What
befalls the n-th request is drawn from the seed; it runs in a thread of its own, so that tests
without an event loop can use it.
"""

import asyncio
import json
import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeAlias

import aiohttp
from aiohttp import web
from yarl import URL

from tests.support.ports import LOOPBACK

Choice: TypeAlias = Callable[[str, str], bool]
"""Of requests, by method and uri (`channels/t-abc%2F1a1/dial`: no leading slash, no query)."""

START_S = 10
FRAME_BYTES_MAX = 16 * 1024 * 1024
PASSED_ON = ("Authorization", "Content-Type")
ID = re.compile(r"(\b(?:channels|bridges|playbacks|applications|play|user)/)(?!create$)[^/]+")


def everything(method: str, uri: str) -> bool:  # noqa: ARG001 - a Choice
    return True


def kind_of(method: str, uri: str) -> str:
    """`POST channels/*/dial`: the same for all channels, for counting."""
    return f"{method} " + ID.sub(r"\1*", uri)


class AriProxy:
    """See the module. `lost` counts by (`before` or `after`, kind); `carried` the others."""

    def __init__(self, to_port: int, *, seed: int = 1) -> None:
        self._to = f"{LOOPBACK}:{to_port}"
        self._chance = random.Random(seed)
        self._before = self._after = 0.0
        self._of: Choice = everything
        self._held: Choice | None = None
        self._delay_s = 0.0
        self._free = asyncio.Event()
        self._free.set()
        self._transports: set[asyncio.Transport] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ari-proxy", daemon=True)
        self._ready = threading.Event()
        self._stopped = asyncio.Event()
        self.port = 0
        self.lost: Counter[tuple[str, str]] = Counter()
        self.carried: Counter[str] = Counter()

    def lose(self, *, before: float = 0.0, after: float = 0.0, of: Choice = everything) -> None:
        """From now on lose these shares (0–1) of the chosen requests; none by default."""
        self._call(lambda: self._set_losses(before, after, of))

    def hold(self, of: Choice) -> None:
        """Let the chosen requests wait, and over the socket all behind them; until `release`.

        The opening of the socket itself is `GET`, `events`.
        """
        self._call(lambda: self._set_held(of))

    def release(self) -> None:
        self._call(lambda: self._set_held(None))

    def delay(self, delay_ms: int) -> None:
        """Let each request wait so long on its way."""
        self._call(lambda: setattr(self, "_delay_s", delay_ms / 1000))

    def cut(self) -> None:
        """Abort all that stands, as when a cable is pulled. New links are served."""
        self._call(self._abort)

    def lost_count(self, when: str) -> int:
        """How many were lost `before` or `after`."""
        return sum(count for (lost, _), count in self.lost.items() if lost == when)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(START_S), "the proxy did not start"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join(START_S)

    def _call(self, act: Callable[[], object]) -> None:
        async def do() -> None:
            act()

        asyncio.run_coroutine_threadsafe(do(), self._loop).result(START_S)

    def _abort(self) -> None:
        for transport in tuple(self._transports):
            transport.abort()

    def _set_losses(self, before: float, after: float, of: Choice) -> None:
        self._before, self._after, self._of = before, after, of

    def _set_held(self, of: Choice | None) -> None:
        self._held = of
        self._free.set()
        if of is not None:
            self._free = asyncio.Event()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._answer)
        # A handler that holds a request must end with the one who asked.
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, LOOPBACK, 0)
        await site.start()
        self.port = runner.addresses[0][1]
        async with aiohttp.ClientSession(
            auto_decompress=False, connector=aiohttp.TCPConnector(limit=0)
        ) as self._client:
            self._ready.set()
            await self._stopped.wait()
            self._abort()
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert transport is not None
        self._transports.add(transport)
        try:
            uri = request.raw_path.partition("?")[0].removeprefix("/ari/")
            await self._wait(request.method, uri)
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._socket(request)
            return await self._http(request, uri)
        finally:
            self._transports.discard(transport)

    async def _http(self, request: web.Request, uri: str) -> web.StreamResponse:
        fate = self._fate(request.method, uri)
        if fate == "before":
            return await _never()
        async with self._client.request(
            request.method,
            _raw(f"http://{self._to}{request.raw_path}"),
            data=await request.read(),
            headers={name: request.headers[name] for name in PASSED_ON if name in request.headers},
        ) as reply:
            body = await reply.read()
        if fate == "after":
            return await _never()
        kind = reply.headers.get("Content-Type", "application/json")
        return web.Response(status=reply.status, body=body, headers={"Content-Type": kind})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        near = web.WebSocketResponse(max_msg_size=FRAME_BYTES_MAX, compress=False)
        async with self._client.ws_connect(
            _raw(f"ws://{self._to}{request.raw_path}"),
            headers={name: request.headers[name] for name in PASSED_ON if name in request.headers},
            max_msg_size=FRAME_BYTES_MAX,
        ) as far:
            await near.prepare(request)
            unanswered: set[str] = set()
            pumps = (
                asyncio.create_task(self._requests(near, far, unanswered)),
                asyncio.create_task(self._replies(far, near, unanswered)),
            )
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        await near.close()
        return near

    async def _requests(
        self, near: web.WebSocketResponse, far: aiohttp.ClientWebSocketResponse, mute: set[str]
    ) -> None:
        async for frame in near:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            message: dict[str, Any] = json.loads(frame.data)
            method, uri = message["method"], message["uri"]
            await self._wait(method, uri)
            fate = self._fate(method, uri)
            if fate == "after":
                mute.add(message["request_id"])
            if fate != "before":
                await far.send_str(frame.data)

    async def _replies(
        self, far: aiohttp.ClientWebSocketResponse, near: web.WebSocketResponse, mute: set[str]
    ) -> None:
        async for frame in far:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            if mute and '"RESTResponse"' in frame.data:
                message = json.loads(frame.data)
                request_id = message.get("request_id")
                if message.get("type") == "RESTResponse" and request_id in mute:
                    mute.discard(request_id)
                    continue
            await near.send_str(frame.data)

    async def _wait(self, method: str, uri: str) -> None:
        if self._delay_s:
            await asyncio.sleep(self._delay_s)
        while self._held is not None and self._held(method, uri):
            await self._free.wait()

    def _fate(self, method: str, uri: str) -> str:
        drawn = self._chance.random()
        kind = kind_of(method, uri)
        if self._of(method, uri) and drawn < self._before + self._after:
            fate = "before" if drawn < self._before else "after"
            self.lost[fate, kind] += 1
            return fate
        self.carried[kind] += 1
        return "carried"


def _raw(url: str) -> URL:
    """As it came: `%2F` of our ids must stay what it is."""
    return URL(url, encoded=True)


async def _never() -> web.StreamResponse:
    """Until the one who asked has gone away."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")
