"""The worker copies what the engine tells, starts before it, and ends when asked."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Any

from perezvon.bootstrap.worker import WorkerOptions, run, trim
from perezvon.runtime.board import Feed
from perezvon.runtime.local import LocalServer
from perezvon.store import ledger
from perezvon.store.database import Database, Location
from perezvon.store.journal import SqlJournal
from tests.store.conftest import TENANT
from tests.store.stories import Story, batches

ROOT = Path(__file__).parents[2]
START_IT = """
import sys
from pathlib import Path
from perezvon.bootstrap.worker import WorkerOptions, run
from perezvon.store.database import Location
sys.exit(run(WorkerOptions(Location(Path(sys.argv[1])))))
"""


def until_arrivals(views: Database, count: int) -> None:
    deadline = time.monotonic() + 20
    while ledger.count(views).arrivals < count:
        assert time.monotonic() < deadline, "the worker copied nothing"
        Event().wait(0.02)


def test_the_worker_copies_what_the_engine_tells(location: Location, views: Database) -> None:
    stop = Event()
    worker = Thread(target=run, args=(WorkerOptions(location, period_ms=20), stop))
    worker.start()
    try:
        journal = SqlJournal.open(location, tenant=TENANT)
        story = Story(Random(2)).tell(20)
        for batch in batches(story.facts):
            journal.commit(batch)
        until_arrivals(views, len(story.standing))
        journal.close()
    finally:
        stop.set()
        worker.join(20)
    assert not worker.is_alive()
    assert ledger.count(views).as_dict() == story.ledger()


def test_the_worker_ends_well_at_a_signal(sqlite_location: Location) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", START_IT, str(sqlite_location.directory)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
    )
    try:
        assert worker.stdout is not None
        worker.stdout.readline()  # it says once that no engine ran here yet
        os.kill(worker.pid, signal.SIGTERM)
        assert worker.wait(20) == 0
    finally:
        worker.kill()
        worker.communicate()


def test_the_worker_has_the_engine_drop_what_is_old_until_nothing_is_left(tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []

    async def forget(args: dict[str, Any]) -> dict[str, Any]:
        asked.append(args)
        return {"rows": 5_000 if len(asked) < 3 else 0}

    async def story() -> int:
        server = LocalServer(tmp_path / "s", {"journal.trim": forget}, Feed())
        await server.start()
        try:
            return await asyncio.to_thread(trim, tmp_path / "s", 42)
        finally:
            await server.stop()

    assert asyncio.run(story()) == 10_000
    assert asked == [{"facts_copied": 42}] * 3


def test_an_engine_that_is_away_trims_nothing_and_stops_nobody(tmp_path: Path) -> None:
    assert trim(tmp_path / "nobody", 42) == 0
