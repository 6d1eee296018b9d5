"""The loop on a disk that stands still or fails: it says so, gives up nothing, ends in time."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.core.events import AgentStatusSet, ChosenStatus
from perezvon.core.facts import Status
from perezvon.runtime import faultpoint, loop
from perezvon.runtime.ports import Unavailable
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.journal import verify
from tests.core.office import ANA
from tests.runtime.lives import Process, arrival, live

STALL_MS = 1_500
AVAILABLE = AgentStatusSet(ANA, ChosenStatus.AVAILABLE)


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loop, "STALLED_MS", 100)
    monkeypatch.setattr(loop, "STOP_MS", 300)
    monkeypatch.setattr(loop, "RETRY_S", 0.02)
    yield
    faultpoint.switch("")


async def until(process: Process, *, keeps_up: bool) -> None:
    async with asyncio.timeout(10):
        while process.loop.keeps_up is not keeps_up:
            await asyncio.sleep(0.01)


def rows_that_stand(place: Path) -> int:
    reader = open_journal_reader(Location(place))
    try:
        return verify(reader)
    finally:
        reader.close()


def test_while_a_commit_stands_still_nobody_is_kept_and_nothing_new_is_taken(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        process = Process(tmp_path)

        async def stalled() -> None:
            faultpoint.switch(f"journal.commit=delay:{STALL_MS}")
            process.loop.put(arrival("in-1"))
            await until(process, keeps_up=False)
            faultpoint.switch("")
            assert process.loop.durable, "nothing has failed"
            with pytest.raises(Unavailable):
                await process.loop.submit(AVAILABLE)
            assert process.engine.ledger.arrivals == 0

        async def well_again() -> None:
            await until(process, keeps_up=True)
            assert process.engine.ledger.arrivals == 1
            assert process.loop.journal_slow_ms >= STALL_MS
            await process.loop.submit(AVAILABLE)

        await live(process, stalled, well_again)

    asyncio.run(story())


def test_a_stop_does_not_wait_for_a_disk_that_stands_still(tmp_path: Path) -> None:
    async def story() -> tuple[Process, float]:
        process = Process(tmp_path)
        turning = asyncio.create_task(process.loop.run())
        await process.loop.submit(AVAILABLE)
        faultpoint.switch(f"journal.commit=delay:{STALL_MS}")
        process.loop.put(arrival("in-1"))
        await until(process, keeps_up=False)
        faultpoint.switch("")
        begun = time.monotonic()
        process.loop.stop()
        await turning
        return process, time.monotonic() - begun

    process, took_s = asyncio.run(story())
    assert 0.3 <= took_s < STALL_MS / 1_000 - 0.3
    # The commit on its way comes to its end, as that of a process which is still ending.
    process.loop._thread.close(10_000)
    process.journal.close()
    again = Process(tmp_path)
    assert rows_that_stand(tmp_path) == len(("plan", "status", "arrival"))
    assert again.engine.ledger.arrivals == 1
    again.journal.close()


def test_what_keeps_it_from_being_durable_is_told_in_the_stores_words(tmp_path: Path) -> None:
    async def story() -> None:
        process = Process(tmp_path)
        # An idle engine has nothing to commit but its proof.
        faultpoint.switch("journal.commit=fail")
        with pytest.raises(Unavailable):
            await process.loop.prove()
        assert "journal.commit" in process.loop.trouble
        assert not process.loop.keeps_up
        faultpoint.switch("")
        await process.loop.prove()
        assert process.loop.keeps_up

        async def commit_fails() -> None:
            faultpoint.switch("journal.commit=fail")
            process.loop.put(AVAILABLE)
            await until(process, keeps_up=False)
            assert "journal.commit" in process.loop.trouble
            faultpoint.switch("")
            await until(process, keeps_up=True)
            assert process.loop.trouble == ""

        await live(process, commit_fails)

    asyncio.run(story())


def test_a_stop_in_the_middle_of_failures_ends_and_loses_only_what_was_never_acknowledged(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        process = Process(tmp_path)
        turning = asyncio.create_task(process.loop.run())
        await process.loop.submit(AVAILABLE)
        faultpoint.switch("journal.commit=fail")
        with pytest.raises(Unavailable):
            await process.loop.submit(arrival("in-1"))
        process.loop.stop()
        async with asyncio.timeout(5):
            await turning
        process.journal.close()

    asyncio.run(story())
    faultpoint.switch("")
    assert rows_that_stand(tmp_path) == len(("plan", "status"))
    again = Process(tmp_path)
    assert again.engine.ledger.arrivals == 0
    assert again.engine.agents[ANA].status is Status.AVAILABLE
    again.journal.close()
