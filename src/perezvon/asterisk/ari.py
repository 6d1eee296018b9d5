"""The link to ARI: one inbound WebSocket with REST over it, and plain HTTP for listings.

Promises: requests reach Asterisk in the order in which they were submitted; every request ends in
a `Reply` within its time, whatever becomes of the link; events are handed on in order, those of a
new link only after `on_link` is done with it (the audit); a link that ends is made again; nothing
is sent and no link is made while we may not act (the fence).
The reader reads and sorts, nothing else: Asterisk closes a socket that is not read for 100 ms.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

import aiohttp
import msgspec

from perezvon.asterisk import replies
from perezvon.asterisk.replies import UNKNOWN, Awaited, Reply
from perezvon.core.ids import Duration
from perezvon.runtime import faultpoint
from perezvon.runtime.faultpoint import Point

Message: TypeAlias = dict[str, Any]
"""A JSON object as Asterisk sent it; only `asterisk` ever sees one."""

Trace: TypeAlias = Callable[[str, str | bytes], None]
"""Keeps what passes by, as it is: `>` a request, `<` an event or a reply, `=` what went by HTTP.
Must return at once."""

REQUEST_MS = 2_000
CONNECT_MS = 3_000
CLOSE_MS = 1_000
FENCED_MS = 50
"""How often a closed fence is looked at before a new link."""
ASIDE_MS = 5_000
ASIDE_AGAIN_MS: tuple[Duration, ...] = (500, 900, 1_400, 2_000, 3_000, 4_000)
"""When what goes by HTTP is sent again beside the tries before it, which are still waited for: a
reply that is late must not cost more than one that was lost."""
CONNECTIONS_MAX = 16
"""Of plain HTTP: two questions may be under way with all their tries."""
FILTER_MS: tuple[Duration, ...] = (300, 300, 400, 500, 1_000, 2_000)
"""How long each try waits for its reply: it may be repeated, and a link needs it."""
EVENTS_MAX = 50_000
"""Events heard and not yet handled. Beyond, the link is cut: an audit then says what is true."""
AWAITED_MAX = 20_000
"""Requests without a reply. Beyond, a request ends at once as unknown."""
MESSAGE_BYTES_MAX = 8 * 1024 * 1024
BACK_OFF_MS = (50, 100, 200, 500, 1_000, 2_000)
UNTRACED = ("events/user/", "asterisk/variable", "asterisk/config/")
"""Beginnings of what the heartbeat says: once a second, and of no call; and of passwords."""
EVENT_TYPES = (
    "ApplicationReplaced",
    "ChannelDestroyed",
    "ChannelDtmfReceived",
    "ChannelHangupRequest",
    "ChannelStateChange",
    "ChannelUserevent",
    "ContactStatusChange",
    "Dial",
    "PeerStatusChange",
    "PlaybackFinished",
    "RESTResponse",
    "StasisEnd",
    "StasisStart",
)
"""An unfiltered call costs 57 events; these are the ones that `translate` understands. Answers to
requests are filtered too (measured): without their type here the link stays dumb for ever."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Address:
    """Where ARI is and who we are there."""

    url: str
    """Such as `http://127.0.0.1:8088/ari`."""
    user: str
    password: str
    app: str


class Ari:
    """See the module. `on_replaced`: another client took our application over. From then on
    nothing is sent, and no link is made again. `may_act` is asked before each request, and before
    each connection: the switch obeys whoever comes, and gives our application to him who came
    last, so an engine that slept through its replacement must not even knock.
    """

    def __init__(
        self,
        address: Address,
        *,
        on_event: Callable[[Message], None],
        on_link: Callable[[], Awaitable[None]],
        on_replaced: Callable[[], None],
        may_act: Callable[[], bool] = lambda: True,
        trace: Trace | None = None,
    ) -> None:
        self._address = address
        self._trace = trace
        self._may_act = may_act
        self._on_event = on_event
        self._on_link = on_link
        self._on_replaced = on_replaced
        self._session: aiohttp.ClientSession | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._outbox: deque[bytes] = deque()
        self._outbox_filled = asyncio.Event()
        self._awaited = Awaited()
        self._request_count = 0
        self._replaced = False
        self.link_count = 0

    @property
    def linked(self) -> bool:
        """A link stands and its audit is done."""
        return self._ready.is_set()

    @property
    def link(self) -> object | None:
        """What stands for the present link; another one, or None, once it has ended."""
        return self._socket

    async def start(self) -> None:
        """Return when the first link stands and `on_link` is done with it."""
        login = aiohttp.encode_basic_auth(self._address.user, self._address.password)
        # Once where nothing is open yet that would have to be closed, and at the last moment before
        # a request's first byte: in between is what whoever freezes just then would do late.
        fence = aiohttp.TraceConfig()
        fence.on_request_start.append(self._check_fence)
        fence.on_request_headers_sent.append(self._check_fence)
        self._session = aiohttp.ClientSession(
            headers={"Authorization": login},
            connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
            trace_configs=[fence],
        )
        self._keeper = asyncio.create_task(self._keep_linked(), name="ari-link")
        await self._ready.wait()

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def cut(self) -> None:
        """Drop the link: it is not to be trusted. A new one is made, with an audit."""
        if self._reader is not None:
            self._reader.cancel()

    def submit(
        self,
        method: str,
        uri: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        timeout_ms: Duration = REQUEST_MS,
    ) -> asyncio.Future[Reply]:
        """Send over the socket, in order, without waiting. `uri` parts are to be quoted by `part`.

        Give parameters in one way: a body overrides the query.
        """
        if self._socket is None or self._replaced or len(self._awaited) >= AWAITED_MAX:
            return replies.unknown()
        self._request_count += 1
        request_id = f"r{self._request_count}"
        request: Message = {
            "type": "RESTRequest",
            "transaction_id": request_id,
            "request_id": request_id,
            "method": method,
            "uri": uri,
        }
        if query:
            request["query_strings"] = [{"name": k, "value": v} for k, v in query.items()]
        if body is not None:
            request["content_type"] = "application/json"
            request["message_body"] = msgspec.json.encode(body).decode()
        future = self._awaited.add(request_id, timeout_ms)
        frame = msgspec.json.encode(request)
        self._outbox.append(frame)
        if self._trace is not None and not uri.startswith(UNTRACED):
            self._trace(">", frame)
        self._outbox_filled.set()
        return future

    async def request(
        self,
        method: str,
        uri: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        timeout_ms: Duration = REQUEST_MS,
    ) -> Reply:
        return await self.submit(method, uri, query=query, body=body, timeout_ms=timeout_ms)

    async def listing(self, uri: str) -> Reply:
        """GET by plain HTTP: what may be long must not hold up the calls on the socket."""
        return await self.aside("GET", uri, query={})

    def aside(self, method: str, uri: str, *, query: Mapping[str, str]) -> asyncio.Future[Reply]:
        """Send by plain HTTP what may have to wait in the switch; in no order with the rest.

        Only what may be done twice without harm: it is sent again while no reply comes.
        """
        return asyncio.ensure_future(self._by_http(method, uri, query))

    async def _by_http(self, method: str, uri: str, query: Mapping[str, str]) -> Reply:
        loop = asyncio.get_running_loop()
        begun_at, tries = loop.time(), set[asyncio.Task[Reply]]()
        try:
            for again_ms in (*ASIDE_AGAIN_MS, ASIDE_MS):
                again_at = begun_at + again_ms / 1000
                tries.add(asyncio.create_task(self._once_by_http(method, uri, query)))
                while tries and (left_s := again_at - loop.time()) > 0:
                    done, tries = await asyncio.wait(
                        tries, timeout=left_s, return_when=asyncio.FIRST_COMPLETED
                    )
                    for one in done:
                        if one.result().status is not None:
                            return one.result()
        finally:
            for one in tries:
                one.cancel()
        return UNKNOWN

    async def _once_by_http(self, method: str, uri: str, query: Mapping[str, str]) -> Reply:
        assert self._session is not None, "not started"
        url = f"{self._address.url}/{uri}"
        timeout = aiohttp.ClientTimeout(total=ASIDE_MS / 1000)
        begun, reply = time.monotonic(), UNKNOWN
        try:
            async with self._session.request(
                method, url, params=query, timeout=timeout
            ) as response:
                body = msgspec.json.decode(await response.read() or b"null")
                reply = Reply(response.status, body)
        except (aiohttp.ClientError, TimeoutError, msgspec.DecodeError, OSError, LinkError):
            pass  # unknown
        if self._trace is not None:
            took_ms = int((time.monotonic() - begun) * 1000)
            said = {"method": method, "uri": uri, "query": query, "status": reply.status}
            self._trace("=", msgspec.json.encode({**said, "duration_ms": took_ms}))
        return reply

    async def _check_fence(self, *_about: object) -> None:
        if not self._may_act():
            raise LinkError("we may not act now")

    async def _keep_linked(self) -> None:
        failures = 0
        while not self._replaced:
            if not self._may_act():
                await asyncio.sleep(FENCED_MS / 1000)
                continue
            links = self.link_count
            try:
                await self._link_once()
            except (aiohttp.ClientError, TimeoutError, OSError, LinkError) as error:
                log.warning("no link to the switch", extra={"error": type(error).__name__})
            except Exception:
                # A fault of ours in one event must not leave us deaf: the audit tells the truth.
                log.exception("link to the switch broken by a fault of ours")
            failures = 0 if self.link_count > links else failures + 1
            await asyncio.sleep(BACK_OFF_MS[min(failures, len(BACK_OFF_MS) - 1)] / 1000)

    async def _link_once(self) -> None:
        """Returns when the link has ended: a read loop that ends normally is an end too."""
        socket = await self._connect()
        events: asyncio.Queue[Message | None] = asyncio.Queue(EVENTS_MAX)
        self._socket = socket
        self._reader = asyncio.create_task(self._read(socket, events), name="ari-reader")
        writer = asyncio.create_task(self._write(socket), name="ari-writer")
        pump = asyncio.create_task(self._pump(events), name="ari-pump")
        tasks = (self._reader, writer, pump)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            pump.cancel()
            raise
        finally:
            if self._ready.is_set() and not pump.done():
                # What was heard is true; it is handled before the next link is audited.
                await events.put(None)
            else:
                pump.cancel()
            self._drop_link()
            self._reader.cancel()
            writer.cancel()
            outcomes = await asyncio.gather(*tasks, return_exceptions=True)
            await socket.close()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def _connect(self) -> aiohttp.ClientWebSocketResponse:
        assert self._session is not None, "not started"
        async with asyncio.timeout(CONNECT_MS / 1000):
            return await self._session.ws_connect(
                f"{self._address.url}/events",
                params={"app": self._address.app, "subscribeAll": "false"},
                max_msg_size=MESSAGE_BYTES_MAX,
                compress=0,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_MS / 1000),
            )

    async def _pump(self, events: asyncio.Queue[Message | None]) -> None:
        await self._set_filter()
        await self._on_link()
        self.link_count += 1
        self._ready.set()
        while (message := await events.get()) is not None:
            self._on_event(message)

    async def _set_filter(self) -> None:
        for wait_ms in FILTER_MS:
            reply = await self.request(
                "PUT",
                f"applications/{part(self._address.app)}/eventFilter",
                body={"allowed": [{"type": name} for name in EVENT_TYPES]},
                timeout_ms=wait_ms,
            )
            if reply.status is not None:
                break
        if not reply.ok:
            raise LinkError(f"event filter: {reply.status}")

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, events: asyncio.Queue[Message | None]
    ) -> None:
        async for frame in socket:
            if frame.type is not aiohttp.WSMsgType.TEXT:
                continue
            try:
                message = msgspec.json.decode(frame.data)
            except msgspec.DecodeError:
                log.warning("ari message is not JSON")
                continue
            if not isinstance(message, dict):
                continue
            kind = message.get("type")
            if self._trace is not None and _of_calls(message):
                self._trace("<", frame.data)
            if kind == "RESTResponse":
                self._awaited.take(*replies.read(message))
            elif kind == "ApplicationReplaced":
                # Asterisk would go on obeying us; two engines must not drive one call.
                self._replaced = True
                self._on_replaced()
                return
            else:
                if self._ready.is_set() and events.empty():
                    self._on_event(message)
                    continue
                try:
                    events.put_nowait(message)
                except asyncio.QueueFull:
                    log.error("ari events overflow: link cut")  # noqa: TRY400 - no traceback wanted
                    return

    async def _write(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while True:
            while self._outbox:
                await faultpoint.reach_waiting(Point.ARI_SEND, OSError)
                if not self._may_act():
                    # The rest is dropped with the link; what became of it the next audit tells.
                    log.warning("may not act: link cut")
                    return
                await socket.send_frame(self._outbox.popleft(), aiohttp.WSMsgType.TEXT)
            self._outbox_filled.clear()
            await self._outbox_filled.wait()

    def _drop_link(self) -> None:
        self._socket = None
        self._ready.clear()
        self._outbox.clear()
        self._awaited.drop()


class LinkError(Exception):
    """The link stands but cannot be used."""


def part(value: str) -> str:
    """One part of a path: our ids have slashes."""
    return quote(value, safe="")


def _of_calls(message: Message) -> bool:
    """Not of the heartbeat."""
    if message.get("type") == "RESTResponse":
        return not str(message.get("uri", "")).startswith(UNTRACED)
    return message.get("type") != "ChannelUserevent"
