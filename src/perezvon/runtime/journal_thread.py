"""The one thread in which the journal is written, and what is known of its speed.

A disk may stand still for half a minute while the event loop goes on, so nobody waits for the
journal in the loop's own thread; and how long the thread has been at one thing tells at any
moment whether the store keeps up. The thread is a daemon: one that the disk never lets go of
must not keep the process from ending.
"""

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, TypeAlias, TypeVar

from perezvon.core.ids import SECOND, Duration
from perezvon.runtime.clock import monotonic_ms

SLOW_MS: Final[Duration] = 1 * SECOND
"""A commit that takes longer is worth telling: the disk usually answers in milliseconds."""

REMEMBER_MS: Final[Duration] = 10 * SECOND
"""A store is called slow so long after its last slow act: not each commit is an alert."""

_T = TypeVar("_T")
_Act: TypeAlias = tuple[Future[Any], Callable[[], Any]]


class JournalThread:
    """Acts are done one after another, in the order given."""

    def __init__(self) -> None:
        self._acts: queue.SimpleQueue[_Act | None] = queue.SimpleQueue()
        self._begun_ms: Duration | None = None
        """When the act that is being done began, by the monotonic clock."""
        self._slow: tuple[Duration, Duration] | None = None
        """When the last slow act ended, and how long it took."""
        self._thread: threading.Thread | None = None
        """From the first act on."""

    async def run(self, act: Callable[[], _T]) -> _T:
        """Its result or its exception. Who is cancelled before its turn has come does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
            self._thread.start()
        done: Future[_T] = Future()
        self._acts.put((done, act))
        return await asyncio.wrap_future(done)

    @property
    def busy_ms(self) -> Duration:
        """How long the present act has taken so far; 0 when there is none."""
        begun_ms = self._begun_ms
        return 0 if begun_ms is None else monotonic_ms() - begun_ms

    @property
    def slow_ms(self) -> Duration:
        """How long the last slow act took, or takes, while that is news; else 0."""
        busy_ms = self.busy_ms
        if busy_ms > SLOW_MS:
            return busy_ms
        if self._slow is None or monotonic_ms() - self._slow[0] > REMEMBER_MS:
            return 0
        return self._slow[1]

    def close(self, wait_ms: Duration) -> bool:
        """Take nothing more; whether all that was given is done after `wait_ms` at most."""
        if self._thread is None:
            return True
        self._acts.put(None)
        self._thread.join(wait_ms / SECOND)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (given := self._acts.get()) is not None:
            done, act = given
            if not done.set_running_or_notify_cancel():
                continue
            self._begun_ms = begun_ms = monotonic_ms()
            try:
                result = act()
            except BaseException as error:  # noqa: BLE001 - it is the asker's, of whatever kind
                done.set_exception(error)
            else:
                done.set_result(result)
            ended_ms = monotonic_ms()
            self._begun_ms = None
            if ended_ms - begun_ms > SLOW_MS:
                self._slow = (ended_ms, ended_ms - begun_ms)
