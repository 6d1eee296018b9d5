"""The engine's heartbeat, as the dialplan's guard reads it.

It proves that the switch, its registry of applications, the socket, our own loop and the store all
work: nothing less lets a new caller in.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable

from perezvon.asterisk.ari import Ari, part
from perezvon.core.ids import SECOND, Duration
from perezvon.runtime.ports import Unavailable

ROUND_MS = 1 * SECOND
AGAIN_MS: tuple[Duration, ...] = (300, 300, 400)
"""Each try of a request that may have got lost; together one round."""

MISSED_MAX = 3
"""Then the link is made anew: it stands and says nothing."""

log = logging.getLogger(__name__)


class Heart:
    """One beat at a time."""

    def __init__(self, ari: Ari, app: str, variable: str) -> None:
        self._ari = ari
        self._app = app
        self._variable = variable
        self._count = 0
        self._missed = 0
        self._awaited: tuple[str, asyncio.Future[None]] | None = None

    async def beat(self, proof: Callable[[], Awaitable[None]]) -> bool:
        if not self._ari.linked:
            return False
        # The moment of its beginning counts: a proof that took long must not look fresh.
        beaten_at = time.time_ns() // 1_000_000_000
        came_round, registered = await asyncio.gather(self._go_round(), self._is_registered())
        if not came_round:
            self._missed += 1
            if self._missed >= MISSED_MAX:
                log.warning("switch is silent: link cut")
                self._missed = 0
                self._ari.cut()
            return False
        self._missed = 0
        if not registered:
            return False
        try:
            await proof()
        except Unavailable:
            return False
        return await self._tell(str(beaten_at))

    def heard(self, name: str) -> None:
        if self._awaited is not None and self._awaited[0] == name:
            self._awaited[1].set_result(None)
            self._awaited = None

    async def _go_round(self) -> bool:
        """By the switch and our own queue of events: both work, or it does not come back."""
        self._count += 1
        name = f"hb{self._count}"
        heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited = (name, heard)
        for wait_ms in AGAIN_MS:
            self._ari.submit("POST", f"events/user/{name}", query={"application": self._app})
            await asyncio.wait({heard}, timeout=wait_ms / SECOND)
            if heard.done():
                return True
        self._awaited = None
        return False

    async def _tell(self, value: str) -> bool:
        query = {"variable": self._variable, "value": value}
        for wait_ms in (*AGAIN_MS, ROUND_MS):
            told = await self._ari.request(
                "POST", "asterisk/variable", query=query, timeout_ms=wait_ms
            )
            if told.status is not None:
                return told.ok
        return False

    async def _is_registered(self) -> bool:
        """By HTTP: when the registry is locked up (#2170) the question hangs, and so would the
        socket that it was asked over. Events still go round then, and new callers get stuck.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ROUND_MS / SECOND):
                return (await self._ari.listing(f"applications/{part(self._app)}")).ok
        return False
