"""A cable between a browser and the web process, which can be cut and mended; needs no loop.

with Cable(web.port) as cable:
    page.goto(f"http://127.0.0.1:{cable.port}/")
    cable.cut()
    cable.mend()
"""

import asyncio
import threading
from types import TracebackType
from typing import Self

from tests.asterisk.relay import Relay

START_S = 5


class Cable:
    def __init__(self, port: int) -> None:
        self._relay = Relay(port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="Cable")

    @property
    def port(self) -> int:
        """At this end."""
        return self._relay.port

    def cut(self) -> None:
        """What stands breaks, and nothing new gets through."""
        self._relay.closed = True
        self._loop.call_soon_threadsafe(self._relay.cut)

    def mend(self) -> None:
        self._relay.closed = False

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._relay.__aenter__(), self._loop).result(START_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leaving = self._relay.__aexit__(kind, error, trace)
        asyncio.run_coroutine_threadsafe(leaving, self._loop).result(START_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
