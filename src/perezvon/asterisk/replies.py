"""What came of the requests over the socket, and those of which nothing is known yet.

The switch answers in the order in which it was asked (measured). So a reply tells that each one
before it which did not come is lost. And while none comes at all the switch may stand still: then
they are given up one by one, for what is sent in their place only has to wait behind the others.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

import msgspec

from perezvon.core.ids import Duration

LATE_MS: Duration = 5_000
"""How long a request may wait for its reply at all."""

APART_MS: Duration = 100
"""Between two that are given up while no reply comes: enough to find out soon whether the switch
answers again, and few enough not to bury it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a request. `status` None: unknown, it may or may not have been done."""

    status: int | None
    body: Any = None

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 - HTTP success

    @property
    def gone(self) -> bool:
        """The channel is not there (any more), or not in our application."""
        return self.status in {400, 404, 409, 412, 422}


UNKNOWN = Reply(None)


def unknown() -> asyncio.Future[Reply]:
    """Of a request that was not sent."""
    future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
    future.set_result(UNKNOWN)
    return future


def read(message: dict[str, Any]) -> tuple[str, Reply]:
    """The id of the request and its reply, from a `RESTResponse`."""
    body = message.get("message_body")
    found = None
    if isinstance(body, str) and body:
        try:
            found = msgspec.json.decode(body)
        except msgspec.DecodeError:
            found = None  # the status says enough
    return str(message.get("request_id")), Reply(int(message.get("status_code", 0)), found)


@dataclass(slots=True)
class _Request:
    """Times are the event loop's."""

    future: asyncio.Future[Reply]
    timer: asyncio.TimerHandle
    sent_at: float


class Awaited:
    """The requests of one link that have no reply, in the order in which they were sent."""

    def __init__(self) -> None:
        self._awaited: dict[str, _Request] = {}
        self._given_up_at = 0.0
        """When one was last given up without any reply since; 0: there was one."""

    def __len__(self) -> int:
        return len(self._awaited)

    def add(self, request_id: str, timeout_ms: Duration) -> asyncio.Future[Reply]:
        """Done within `LATE_MS`, whatever becomes of it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Reply] = loop.create_future()
        timer = loop.call_later(timeout_ms / 1000, self._give_up, request_id)
        self._awaited[request_id] = _Request(future, timer, loop.time())
        return future

    def take(self, request_id: str, reply: Reply) -> None:
        """What was given up before is not told again."""
        self._given_up_at = 0.0
        if request_id not in self._awaited:
            return
        while (first := next(iter(self._awaited))) != request_id:
            self._settle(first, UNKNOWN)
        self._settle(request_id, reply)

    def drop(self) -> None:
        """The link has ended: no reply will come."""
        for request_id in list(self._awaited):
            self._settle(request_id, UNKNOWN)

    def _give_up(self, request_id: str) -> None:
        loop = asyncio.get_running_loop()
        one, now = self._awaited[request_id], loop.time()
        next_at = min(self._given_up_at + APART_MS / 1000, one.sent_at + LATE_MS / 1000)
        if now < next_at:
            one.timer = loop.call_at(next_at, self._give_up, request_id)
            return
        self._given_up_at = now
        self._settle(request_id, UNKNOWN)

    def _settle(self, request_id: str, reply: Reply) -> None:
        one = self._awaited.pop(request_id)
        one.timer.cancel()
        if not one.future.done():
            one.future.set_result(reply)
