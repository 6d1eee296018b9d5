"""An engine's writer as a process of its own, to be killed or starved by a test.

`python -m tests.store.writer_process DIRECTORY URL MODE`; prints a line for each thing done.
Its lease is short, so that a test need not watch it for long.
"""

import json
import resource
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

import structlog

from perezvon.core.facts import PlanTaken
from perezvon.core.ids import PlanVersion, TenantId
from perezvon.runtime import lease
from perezvon.runtime.ports import Batch, LeaseLost, Row, StoredFact, Unavailable
from perezvon.store.database import Location, Name
from perezvon.store.journal import SqlJournal
from tests.store.stories import rows

WAL_LIMIT = 400_000
"""Reached by the WAL, long before the first checkpoint."""
FILE_LIMIT = 4_800_000
"""Room for the WAL until a checkpoint, but not for the file that the checkpoints write."""
TURNS_MAX = 100_000
REFUSALS = 5
SHORT_LEASE_MS = 2_000
RENEW_S = 0.05


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def turn(seq: int, count: int) -> Batch:
    """Rows from `seq` on, and one fact for each row before them that has none yet."""
    facts = [StoredFact(seq - 1, 0, PlanTaken(seq - 1, PlanVersion("v")))] if seq > 1 else []
    made: list[Row] = rows(seq, seq + count - 1)
    return Batch(made, facts, carried_out=seq - 1)


def commit_until_killed(journal: SqlJournal) -> None:
    rng = Random(1)
    recovered = journal.recover()
    seq = recovered.rows[-1].seq if recovered.rows else 0
    say(ready=seq)
    for _ in range(TURNS_MAX):
        count = rng.randrange(1, 40)
        journal.commit(turn(seq + 1, count))
        seq += count
        say(durable=seq)


def commit_until_full(journal: SqlJournal, limit: int, filling: int = 0) -> None:
    """With a limit on the size of files the kernel plays a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    # Something big, so that few rows are enough for the rest.
    journal.save_snapshot(0, 0, b'{"format":1,"plan":"none","filling":"%s"}' % (b"x" * filling))
    seq, refused = 0, 0
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    # Not the first refusal: closing a file makes SQLite tidy up, which may yield a little room.
    while refused < REFUSALS:
        try:
            journal.commit(turn(seq + 1, 30))
            seq, refused = seq + 30, 0
        except Unavailable:
            refused += 1
    file = Location(Path(sys.argv[1])).file(Name.JOURNAL)
    say(durable=seq, file_bytes=file.stat().st_size)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    kept = journal.recover().rows
    say(kept=[row.seq for row in kept] == list(range(1, len(kept) + 1)), rows=len(kept))
    journal.commit(turn(len(kept) + 1, 1))
    say(again=len(kept) + 1)


def hold(journal: SqlJournal) -> None:
    say(epoch=journal.epoch)
    sys.stdin.readline()


def lead(journal: SqlJournal) -> None:
    """Commit in a steady rhythm, and say what the fence says, until another one leads."""
    seq = len(journal.recover().rows)
    say(leads=journal.epoch)
    while True:
        before = journal.lease.held()
        try:
            journal.commit(turn(seq + 1, 1))
        except LeaseLost:
            # By the clock alone: he may have been frozen between asking and committing, when he
            # still held it.
            is_young = journal.lease.age_ms < lease.LEASE_MS - lease.MARGIN_MS
            say(lost=journal.epoch, held=is_young)
            return
        except Unavailable as error:
            say(unavailable=str(error), held=before)
        else:
            seq += 1
            say(durable=seq, held=before)
        threading.Event().wait(RENEW_S)


def freeze_in_a_write(journal: SqlJournal) -> None:
    """As a process does that is stopped between the statements of a commit: no front door leads
    to that moment.
    """
    with journal._writer.transaction():
        say(leads=journal.epoch)
        signal.raise_signal(signal.SIGSTOP)
    say(committed=journal.epoch)


MODES: dict[str, Callable[[SqlJournal], None]] = {
    "lead": lead,
    "freeze": freeze_in_a_write,
    "kill": commit_until_killed,
    "full": partial(commit_until_full, limit=WAL_LIMIT),
    "checkpoint": partial(commit_until_full, limit=FILE_LIMIT, filling=4_200_000),
    "hold": hold,
}


def main() -> None:
    directory, url, mode = sys.argv[1:]
    location = Location(Path(directory), url)
    vars(lease).update(LEASE_MS=SHORT_LEASE_MS)
    structlog.configure(processors=[structlog.processors.JSONRenderer()])
    if mode == "standby":
        say(stands_by=True)
        mode = "lead"
        waited = SqlJournal.stand_by(location, threading.Event(), tenant=TenantId("t"))
        assert waited is not None
        journal = waited
    else:
        journal = SqlJournal.open(location, tenant=TenantId("t"))
    MODES[mode](journal)
    journal.close()


if __name__ == "__main__":
    main()
