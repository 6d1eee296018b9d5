"""Locks up a real Asterisk: the deadlock of issue #2170, as a stranger's ARI client provokes it.

    hung_at = lock_up(running, within_s=60)     # None: this Asterisk stood it

A client that hears of every device state connects and is cut off, again and again, while Local
calls make device states change. At some cut the registry of applications stays locked: sockets,
`/applications` and `Stasis()` hang, channels and SIP go on. Measured on 22.10.1 with 450 calls/s:
after 4 to 6 cuts, in 1 to 11 s. A list of all applications hangs first; a second or two later
ours does too, and with it the callers: that is the moment which counts.
"""

import asyncio
import time
from collections.abc import Coroutine
from itertools import count
from typing import Any

import aiohttp

from perezvon.asterisk.provision import application
from tests.support.asterisk import PASSWORD, Running

LOAD_WORKERS = 8
CUT_AFTER_S = 0.1
PROBE_EVERY_S = 0.1
HUNG_AFTER_S = 1.5
"""A question that is unanswered for so long will never be answered."""

APP = "stranger"


def lock_up(running: Running, within_s: float) -> float | None:
    """When it began to hang, by `time.monotonic`; None when it did not in that time."""
    return asyncio.run(_LockUp(running).provoke(within_s))


class _LockUp:
    def __init__(self, running: Running) -> None:
        self._url = running.ari_url
        self._user = running.site.ari_user
        self._asked = f"{self._url}/applications/{application(running.plan.tenant)}"
        self._extension = f"*43@phones-{running.plan.tenant}"
        self._hung_at: float | None = None
        self._numbers = count()

    async def provoke(self, within_s: float) -> float | None:
        login = aiohttp.encode_basic_auth(self._user, PASSWORD)
        async with aiohttp.ClientSession(
            headers={"Authorization": login},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=HUNG_AFTER_S),
        ) as self._session:
            work: list[Coroutine[Any, Any, None]] = [self._call() for _ in range(LOAD_WORKERS)]
            tasks = [asyncio.create_task(one) for one in (*work, self._connect(), self._probe())]
            await asyncio.wait(tasks, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return self._hung_at

    async def _probe(self) -> None:
        """Return as soon as one question was not answered."""
        asked: set[asyncio.Task[float | None]] = set()
        while self._hung_at is None:
            asked.add(asyncio.create_task(self._ask()))
            done, asked = await asyncio.wait(asked, timeout=PROBE_EVERY_S)
            self._hung_at = min((at for one in done if (at := one.result())), default=None)

    async def _ask(self) -> float | None:
        begun_at = time.monotonic()
        try:
            async with self._session.get(self._asked):
                return None
        except TimeoutError:
            return begun_at
        except aiohttp.ClientError:
            return None

    async def _call(self) -> None:
        """One Local call after the other."""
        while True:
            channel = f"{self._url}/channels/load-{next(self._numbers)}"
            side = {"endpoint": f"Local/{self._extension}/n", "timeout": "5"}
            leads = {"extension": "*43", "context": self._extension.partition("@")[2]}
            try:
                async with self._session.post(channel, params={**side, **leads, "priority": "1"}):
                    pass
                async with self._session.delete(channel):
                    pass
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(PROBE_EVERY_S)

    async def _connect(self) -> None:
        """Connect and be cut off."""
        every = {"app": APP, "subscribeAll": "true"}
        while True:
            try:
                async with asyncio.timeout(HUNG_AFTER_S):
                    socket = await self._session.ws_connect(
                        f"{self._url}/events", params=every, max_msg_size=0
                    )
            except (aiohttp.ClientError, TimeoutError):
                continue
            reading = asyncio.create_task(_read(socket))
            await asyncio.sleep(CUT_AFTER_S)
            reading.cancel()
            connection = socket._response.connection
            if connection is not None and connection.transport is not None:
                connection.transport.abort()


async def _read(socket: aiohttp.ClientWebSocketResponse) -> None:
    async for _ in socket:
        pass
