"""The engine under the product's own supervisor, with its watchdog and its loaded spare.

    with SupervisedEngine(running, root) as engine:
        engine.hit(signal.SIGKILL)          # somebody else starts it again
        engine.until_beating()

The supervisor has a thread with an event loop of its own: its children live as long as that one.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self, TypeVar

from perezvon.bootstrap.children import engine_child
from perezvon.runtime.supervisor import Happening, Supervisor, What
from tests.support.asterisk import Running
from tests.support.engine import EngineProcess
from tests.support.sipp import until_now

T = TypeVar("T")

START_S = 90


class SupervisedEngine(EngineProcess):
    """`start` and `stop` are the supervisor's; between them the engine may be hit at any moment."""

    def __init__(self, running: Running, root: Path, *, database_url: str = "") -> None:
        super().__init__(running, root, database_url=database_url)
        self.happenings: list[Happening] = []
        """What the supervisor told."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="supervisor")
        self._supervisor = Supervisor(
            [engine_child(self.settings, root / "engine.log")], tell=self.happenings.append
        )

    @property
    def pid(self) -> int | None:
        return self._supervisor.pid_of("engine")

    def start(self, *_options: str, wait: bool = True) -> Self:
        self._thread.start()
        try:
            self._run(self._supervisor.start)
            if wait:
                self.until_beating()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> int:
        if self._thread.is_alive():
            self._run(self._supervisor.stop)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        return 0

    def hit(self, number: signal.Signals, pid: int | None = None) -> int:
        """Send a signal to the engine of this moment, or to the one that was hit before; gives
        its pid. One that has gone meanwhile is left in peace.
        """
        if pid is None:
            until_now(lambda: self.pid is not None, START_S, self.log_tail)
        wanted = pid or self.pid
        if wanted is not None and wanted == self.pid:
            os.kill(wanted, number)
        return wanted or 0

    def until_heir_of(self, pid: int) -> None:
        """The supervisor has begun another one."""
        until_now(lambda: self.pid not in {None, pid}, START_S, self.log_tail)

    def count(self, what: What) -> int:
        return sum(one.what is what for one in self.happenings)

    def _run(self, act: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(act(), self._loop).result(START_S)
