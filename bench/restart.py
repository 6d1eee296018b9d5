"""kill -9 of the engine until its next heartbeat, under the supervisor with its loaded spare.

Until that heartbeat new callers go to the switch's own queue, and the waiting ones live on their
dead-man; so the limit is 4 seconds. Each time there are some hundred new rows to replay.

    python -m bench.restart [KILLS]
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import TypeAlias

from bench._report import report
from perezvon.core.ids import SECOND
from perezvon.runtime.local import Refused, ask
from perezvon.runtime.ports import Unavailable
from perezvon.runtime.supervisor import Backoff, Child, Supervisor
from tests.support.asterisk import asterisk_running
from tests.support.engine import EngineProcess
from tests.support.plans import plan_of
from tests.support.ports import free_udp_port

Check: TypeAlias = Callable[[], Awaitable[bool]]

KILLS = 30
LIMIT_MS = 4 * SECOND
POLL_S = 0.01
PATIENCE_S = 30
ROWS = 5_000


async def restarts(root: Path, kills: int) -> list[float]:
    plan = plan_of(callers_port=free_udp_port())
    async with asterisk_running(plan, root) as running:
        settings = EngineProcess(running, root).settings
        socket = settings.engine_socket

        async def answers() -> bool:
            try:
                return bool(await ask(socket, "health", timeout_s=1))
            except (Unavailable, Refused):
                return False

        async def beats() -> bool:
            try:
                return bool((await ask(socket, "health", timeout_s=1))["beating"])
            except (Unavailable, Refused):
                return False

        child = Child(
            name="engine",
            argv=(sys.executable, "-m", "perezvon", "engine", "--wait"),
            log=root / "engine.log",
            env=settings.environment(),
            ready=answers,
            # Not a storm's pace: what is measured is one restart.
            backoff=Backoff(waits_ms=(100,)),
            spare=True,
        )
        supervisor = Supervisor([child])
        await supervisor.start()
        try:
            return [await _one(supervisor, beats, socket, kill) for kill in range(kills)]
        finally:
            await supervisor.stop()


async def _one(supervisor: Supervisor, beats: Check, socket: Path, kill: int) -> float:
    async def has_spare() -> bool:
        return supervisor.spare_of("engine") is not None

    await _until(beats)
    await _until(has_spare)
    for number in range(ROWS // KILLS):
        status = "available" if (number + kill) % 2 else "paused"
        await ask(socket, "agent.status", {"agent": "anna", "status": status, "by": "bench"})
    pid = supervisor.pid_of("engine")
    assert pid is not None
    began = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    await _until(beats)
    return (time.monotonic() - began) * SECOND


async def _until(holds: Check) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await holds():
            await asyncio.sleep(POLL_S)


def main(kills: int) -> None:
    with TemporaryDirectory(prefix="perezvon-bench-") as folder:
        took = sorted(asyncio.run(restarts(Path(folder), kills)))
    report(
        "restart",
        "kill -9 to the next heartbeat",
        [
            {
                "kills": kills,
                "p50, ms": quantiles(took, n=100)[49],
                "longest, ms": took[-1],
                "limit for p99, ms": LIMIT_MS,
            }
        ],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else KILLS)
