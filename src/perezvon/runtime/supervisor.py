"""Keeps named programs running: each started in order, watched, and restarted alone.

The promises: a program that ends comes back, the first time at once and in a storm slower, but
it is never given up; one that is there and does not answer is ended and comes back too; at the
end all are stopped in reverse order, and none outlives the supervisor, however that one ends.

A program writes its log itself, into a file opened for appending: were it a pipe, a supervisor
that stands still would soon stop the calls as well. The file is cut when it is too long.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from perezvon.core.ids import MINUTE, SECOND, Duration
from perezvon.runtime import tether

LOG_BYTES_MAX = 20_000_000
"""Of one program's log; the one before it is kept beside it, so twice that is used at most."""

TAIL_BYTES = 4_000
POLL_MS: Duration = 50
TIDY_MS: Duration = 30 * SECOND

SPARE_AFTER_MS: Duration = 3 * SECOND
"""After its forerunner was ready: until then the machine has better things to do."""

_A = TypeVar("_A")

ENDS_AT_START_MAX = 3
"""A program that ended so often before it was ever ready will not start by waiting."""

NO_ANSWER = "no answer at all"
"""What a probe that came to no end is taken to say."""

Check = Callable[[], Awaitable[bool]]

Probe = Callable[[], Awaitable[Collection[str]]]
"""Names what does not answer; empty when all is well."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before a program is started again."""

    waits_ms: tuple[Duration, ...] = (100, 500, 1 * SECOND, 2 * SECOND, 5 * SECOND)
    """The last one is repeated for ever."""
    calm_ms: Duration = MINUTE
    """Restarts are counted over so long; the storm is over when it held so long."""


@dataclass(frozen=True, slots=True)
class Child:
    """A program to keep running."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to our own environment."""
    ready: Check | None = None
    """Whether it serves already; None: as soon as it runs."""
    ready_ms: Duration = 60 * SECOND
    """Not ready after so long: ended and started again."""
    alive: Probe | None = None
    """The watchdog's question, asked again and again once the program was ready."""
    alive_every_ms: Duration = 2 * SECOND
    alive_wait_ms: Duration = 2 * SECOND
    misses_max: int = 3
    """So many in a row of one and the same name: then it is ended."""
    abort_ms: Duration = 1 * SECOND
    """Between SIGABRT and SIGKILL, should a core dump have to be written: who does not answer is
    not waited for otherwise."""
    stop_ms: Duration = 8 * SECOND
    """Between SIGTERM and SIGKILL."""
    backoff: Backoff = field(default_factory=Backoff)
    follows: bool = True
    """Start it only when all before it are ready."""
    spare: bool = False
    """Keep a second one loaded, to take over at once: the program begins its work only when it
    has read a line from its input.
    """


class What(StrEnum):
    STARTED = "started"
    READY = "ready"
    ENDED = "ended"
    """By itself, or killed by somebody else."""
    HUNG = "hung"
    """Ended by the watchdog, or because it was never ready."""
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Happening:
    name: str
    what: What
    pid: int
    detail: str = ""


class StartError(Exception):
    """A program did not become ready at the first start."""

    def __init__(self, name: str, tail: str) -> None:
        super().__init__(f"{name} did not start")
        self.name = name
        self.tail = tail
        """The last lines of its log."""


class Supervisor:
    """Start it from the main thread: children die with the thread that started them."""

    def __init__(
        self, children: Sequence[Child], *, tell: Callable[[Happening], None] | None = None
    ) -> None:
        assert len({child.name for child in children}) == len(children), "names are distinct"
        self._keepers = [_Keeper(child, tell or _tell_nobody) for child in children]
        self._tidy: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start all in order; return when all are ready. None is left over on `StartError`."""
        self._tidy = asyncio.create_task(self._tidy_logs())
        starting: list[asyncio.Task[None]] = []
        try:
            for keeper in self._keepers:
                # It loads while those before it start.
                await keeper.preload()
            for keeper in self._keepers:
                if keeper.child.follows:
                    await asyncio.gather(*starting)
                starting.append(asyncio.create_task(keeper.start()))
            await asyncio.gather(*starting)
        except BaseException:
            for task in starting:
                task.cancel()
            await asyncio.gather(*starting, return_exceptions=True)
            await self.stop()
            raise

    async def stop(self) -> None:
        """End all in reverse order. May be called twice."""
        for keeper in reversed(self._keepers):
            await keeper.stop()
        if self._tidy is not None:
            self._tidy.cancel()
            await asyncio.gather(self._tidy, return_exceptions=True)
            self._tidy = None

    def pid_of(self, name: str) -> int | None:
        """None while it is not running."""
        return next(keeper.pid for keeper in self._keepers if keeper.child.name == name)

    def spare_of(self, name: str) -> int | None:
        """The process that would take over; None while there is none."""
        return next(keeper.spare for keeper in self._keepers if keeper.child.name == name)

    async def _tidy_logs(self) -> None:
        while True:
            await asyncio.sleep(TIDY_MS / SECOND)
            for keeper in self._keepers:
                cut_log(keeper.child.log)


class _Keeper:
    """One program: a task that runs it, again and again, until it is told to stop."""

    def __init__(self, child: Child, tell: Callable[[Happening], None]) -> None:
        self.child = child
        self._tell = tell
        self._process: asyncio.subprocess.Process | None = None
        self._spare: asyncio.subprocess.Process | None = None
        self._task: asyncio.Task[None] | None = None
        self._settled = asyncio.Event()
        """Set when it was ready once, or when it is plain that it will not be."""
        self._ready_once = False
        self._started_at: deque[float] = deque(maxlen=len(child.backoff.waits_ms))
        """Of the last starts, by the loop's clock."""

    @property
    def pid(self) -> int | None:
        return _pid(self._process)

    @property
    def spare(self) -> int | None:
        return _pid(self._spare)

    async def preload(self) -> None:
        if self.child.spare:
            self._spare = await self._launch()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._keep())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.child.ready_ms / SECOND):
                await self._settled.wait()
        if not self._ready_once:
            raise StartError(self.child.name, tail_of(self.child.log))

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if self._spare is not None:
            # It has done nothing yet, so there is nothing to be polite about.
            _kill_group(self._spare.pid)
            await self._spare.wait()
            self._spare = None
        process = self._process
        if process is not None:
            await self._end(process, signal.SIGTERM, self.child.stop_ms)
            self._say(What.STOPPED, process)
            self._process = None

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._wait_ms() / SECOND)
            process = await self._spawn()
            watch = asyncio.create_task(self._watch(process))
            try:
                await process.wait()
            finally:
                watch.cancel()
                await asyncio.gather(watch, return_exceptions=True)
            _kill_group(process.pid)
            self._say(What.ENDED, process, _manner(process.returncode))
            if len(self._started_at) >= ENDS_AT_START_MAX:
                self._settled.set()

    def _wait_ms(self) -> Duration:
        backoff = self.child.backoff
        now = asyncio.get_running_loop().time()
        recent = sum(1 for at in self._started_at if (now - at) * SECOND < backoff.calm_ms)
        if recent == 0:
            return 0 if not self._started_at else backoff.waits_ms[0]
        return backoff.waits_ms[min(recent, len(backoff.waits_ms)) - 1]

    async def _spawn(self) -> asyncio.subprocess.Process:
        self._started_at.append(asyncio.get_running_loop().time())
        process, self._spare = self._spare, None
        if process is None or process.returncode is not None:
            process = await self._launch()
        self._process = process
        if process.stdin is not None:
            # One that has ended meanwhile is found out by the wait for its end.
            process.stdin.write(b"begin\n")
            process.stdin.close()
        self._say(What.STARTED, process)
        return process

    async def _launch(self) -> asyncio.subprocess.Process:
        child = self.child
        child.log.parent.mkdir(parents=True, exist_ok=True)
        with child.log.open("ab") as log:
            launching = asyncio.ensure_future(
                asyncio.create_subprocess_exec(
                    *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                    *child.argv,
                    stdin=asyncio.subprocess.PIPE if child.spare else asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env={**os.environ, **child.env},
                    # Ctrl-C goes to us alone: the order of stopping is ours.
                    process_group=0,
                )
            )
            try:
                return await asyncio.shield(launching)
            except asyncio.CancelledError:
                # Stopped in the middle: what was just started is still ours to end.
                process = await launching
                _kill_group(process.pid)
                await process.wait()
                raise

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        child = self.child
        loop = asyncio.get_running_loop()
        if child.ready is not None:
            until = loop.time() + child.ready_ms / SECOND
            while not await _asked(child.ready, child.alive_wait_ms, late=False):
                if loop.time() > until:
                    await self._end_hung(process, "never ready")
                    return
                await asyncio.sleep(POLL_MS / SECOND)
        self._ready_once = True
        self._settled.set()
        self._say(What.READY, process)
        if child.spare:
            await asyncio.sleep(SPARE_AFTER_MS / SECOND)
            self._spare = await self._launch()
        misses: Counter[str] = Counter()
        late: Collection[str] = (NO_ANSWER,)
        while child.alive is not None:
            await asyncio.sleep(child.alive_every_ms / SECOND)
            silent = await _asked(child.alive, child.alive_wait_ms, late=late)
            misses = Counter({name: misses[name] + 1 for name in silent})
            if max(misses.values(), default=0) >= child.misses_max:
                await self._end_hung(process, ", ".join(sorted(misses)))
                return

    async def _end_hung(self, process: asyncio.subprocess.Process, why: str) -> None:
        self._say(What.HUNG, process, why)
        # ABRT, so that a machine which collects core dumps gets one of the lock-up.
        await self._end(process, signal.SIGABRT, self.child.abort_ms)

    async def _end(
        self, process: asyncio.subprocess.Process, first: signal.Signals, wait_ms: Duration
    ) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(first)
            try:
                async with asyncio.timeout(wait_ms / SECOND):
                    await process.wait()
            except TimeoutError:
                _kill_group(process.pid)
                await process.wait()
        _kill_group(process.pid)

    def _say(self, what: What, process: asyncio.subprocess.Process, detail: str = "") -> None:
        self._tell(Happening(self.child.name, what, process.pid, detail))


def _pid(process: asyncio.subprocess.Process | None) -> int | None:
    return process.pid if process is not None and process.returncode is None else None


async def _asked(question: Callable[[], Awaitable[_A]], wait_ms: Duration, *, late: _A) -> _A:
    """`late` when there was no answer in time."""
    try:
        # Not `wait_for`: until Python 3.12 it swallows a cancellation that comes together with
        # the answer, as it does when a program dies while it is asked.
        async with asyncio.timeout(wait_ms / SECOND):
            return await question()
    except OSError:
        return late


def names(check: Check, name: str) -> Probe:
    """The probe of a program that is asked one thing only."""

    async def probe() -> Collection[str]:
        return () if await check() else (name,)

    return probe


def _kill_group(pid: int) -> None:
    """What a child has started itself goes with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _manner(returncode: int | None) -> str:
    if returncode is None or returncode >= 0:
        return f"exit {returncode}"
    return signal.Signals(-returncode).name


def _tell_nobody(_: Happening) -> None:
    pass


def cut_log(log: Path, bytes_max: int = LOG_BYTES_MAX) -> None:
    """Keep one log of the past. The writer appends, so it goes on at the new end."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > bytes_max:
            shutil.copyfile(log, log.with_name(f"{log.name}.1"))
            os.truncate(log, 0)


def tail_of(log: Path, bytes_max: int = TAIL_BYTES) -> str:
    """The last lines of a log; empty when there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - bytes_max))
            return file.read().decode(errors="replace").strip()
    except OSError:
        return ""
