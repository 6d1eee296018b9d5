"""How fast the journal makes turns durable, by the number of events that share a commit.

On the disk of the folder for temporary files (`TMPDIR` names another).
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from bench._report import Figure, report
from perezvon.core.events import LegRinging
from perezvon.core.ids import LegId, TenantId
from perezvon.runtime.ports import Batch, Row
from perezvon.store.database import Location
from perezvon.store.journal import SqlJournal

COMMITS = 500
EVENTS_OF_A_TURN = (1, 10, 100)
NOW = 1_790_000_000_000


def turns() -> None:
    rows_of_table: list[dict[str, Figure]] = []
    with TemporaryDirectory() as folder:
        journal = SqlJournal.open(Location(Path(folder)), tenant=TenantId("bench"))
        journal.recover()
        seq = 0
        for size in EVENTS_OF_A_TURN:
            began, used = perf_counter(), process_time()
            for _ in range(COMMITS):
                rows = [Row(seq + n, NOW, LegRinging(LegId(f"c{n}"))) for n in range(1, size + 1)]
                seq += size
                journal.commit(Batch(rows))
            rate = COMMITS / (perf_counter() - began)
            rows_of_table.append(
                {
                    "events a commit": size,
                    "commits a second": round(rate),
                    "events a second": round(rate * size),
                    "processor, ms/commit": (process_time() - used) / COMMITS * 1_000,
                }
            )
        journal.close()
    report("journal", "commits of turns", rows_of_table)


if __name__ == "__main__":
    turns()
