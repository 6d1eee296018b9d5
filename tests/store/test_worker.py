"""The worker copies what the engine tells, starts before it, and ends when asked."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from threading import Event, Thread

from perezvon.bootstrap.worker import WorkerOptions, run
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
