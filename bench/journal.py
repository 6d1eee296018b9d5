"""How fast the journal makes turns durable, by the number of events that share a commit.

On the disk of the folder for temporary files (`TMPDIR` names another).
"""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from rich.console import Console
from rich.table import Table

from perezvon.core.events import LegRinging
from perezvon.core.ids import LegId, TenantId
from perezvon.runtime.ports import Batch, Row
from perezvon.store.database import Location
from perezvon.store.journal import SqlJournal

COMMITS = 500
EVENTS_OF_A_TURN = (1, 10, 100)
NOW = 1_790_000_000_000


def turns(console: Console) -> None:
    table = Table("events a commit", "commits a second", "events a second")
    with TemporaryDirectory() as folder:
        journal = SqlJournal.open(Location(Path(folder)), tenant=TenantId("bench"))
        journal.recover()
        seq = 0
        for size in EVENTS_OF_A_TURN:
            began = perf_counter()
            for _ in range(COMMITS):
                rows = [Row(seq + n, NOW, LegRinging(LegId(f"c{n}"))) for n in range(1, size + 1)]
                seq += size
                journal.commit(Batch(rows))
            took_s = perf_counter() - began
            rate = COMMITS / took_s
            table.add_row(str(size), f"{rate:,.0f}", f"{rate * size:,.0f}")
        journal.close()
    console.print(table)


if __name__ == "__main__":
    turns(Console())
