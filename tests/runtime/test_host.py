"""The engine process as a whole: what it does when the core fails again and again."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from perezvon.core.ids import LegId
from perezvon.runtime import host as host_of
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.board import Feed
from perezvon.runtime.host import Host
from perezvon.runtime.local import LocalServer
from tests.runtime.lives import Process, arrival

DEADLINE_S = 30


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():
            await asyncio.sleep(0.01)


def test_an_engine_that_failed_too_often_says_so_and_leaves_callers_to_the_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_of, "POISONED_MAX", 1)
    process = Process(tmp_path)
    # Time stands still: else the caller would have waited too long before he is seen.
    monkeypatch.setattr(process.clock, "wait", lambda woken, _due_at: woken.wait())
    alerts, feed = Alerts(lambda: process.loop.now), Feed()
    protected: list[LegId] = []
    after_the_halt: list[LegId] = []

    def protect(waiting: Iterable[LegId], talking: Iterable[LegId]) -> None:
        del talking
        (after_the_halt if host.health.halted else protected).extend(waiting)

    monkeypatch.setattr(process.switch, "protect", protect)
    host = Host(
        process.loop,
        process.switch,
        LocalServer(tmp_path / "engine.sock", {}, feed),
        feed,
        witness=None,
        refresh_ms=10,
        alerts=alerts,
        lease=process.journal.lease,
    )

    async def story() -> int:
        running = asyncio.create_task(host.run())
        await process.loop.audited.wait()
        process.loop.put(arrival("in-1"))
        await until(lambda: LegId("in-1") in protected)
        process.engine.ledger.arrivals += 1  # out of balance: any next turn finds it
        process.loop.put(arrival("in-2"))
        await until(lambda: f"{AlertKind.ENGINE_HALTED}/" in feed.board.sections.get("alerts", {}))
        await until(lambda: AlertKind.GUARD_DOWN in {alert.kind for alert in alerts})
        assert not host.health.beating
        assert not after_the_halt
        host.stop()
        return await running

    try:
        assert asyncio.run(story()) == 1
    finally:
        process.journal.close()
