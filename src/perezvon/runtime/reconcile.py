"""The second witness is read, and what it says and fails to say becomes an alert."""

import asyncio
from typing import Final

from perezvon.core.facts import Difference
from perezvon.core.ids import HOUR, SECOND, Duration, Instant
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.loop import Loop
from perezvon.runtime.ports import Witness

WITNESS_MS: Final[Duration] = 1 * SECOND
PIECES_MAX: Final = 20
"""Read one after another when it is behind: what happened in a long absence is told soon."""
PAUSE_MS: Final[Duration] = 25

DIFFERENCE_MS: Final[Duration] = 1 * HOUR
"""So long after the last one the alert stands. A difference has no end of its own: the caller is
owed, and `perezvon ledger` goes on showing it.
"""


class Reconciler:
    """Reads the witness into the loop. Differences from before our start raise nothing."""

    def __init__(self, witness: Witness, loop: Loop, alerts: Alerts) -> None:
        self._witness = witness
        self._loop = loop
        self._alerts = alerts
        self._counted = self._counts()
        self._clears_at: dict[Difference, Instant] = {}

    async def read(self) -> None:
        """All that is there, a bounded piece at a time; then the alerts."""
        for _ in range(PIECES_MAX):
            seen, offset = self._witness.poll()
            if seen:
                self._loop.put_witnessed(seen, offset)
            if not self._witness.behind:
                break
            # Calls first: between two pieces the loop turns.
            await asyncio.sleep(PAUSE_MS / 1_000)
        trouble = self._witness.trouble
        self._alerts.set(AlertKind.WITNESS_SILENT, "", wrong=bool(trouble), detail=trouble)
        self.compare()

    def compare(self) -> None:
        """Raise an alert for each kind of difference that there are more of; clear old ones."""
        now, counts = self._loop.now, self._counts()
        for how, count in counts.items():
            if count > self._counted[how]:
                detail = f"{count} so far"
                self._alerts.raise_(AlertKind.RECONCILIATION, how.value, detail)
                self._clears_at[how] = now + DIFFERENCE_MS
            elif count == 0 or self._clears_at.get(how, now) <= now:
                self._alerts.clear(AlertKind.RECONCILIATION, how.value)
        self._counted = counts

    def _counts(self) -> dict[Difference, int]:
        books = self._loop.engine.reconciliation
        return {Difference.UNHEARD: books.unheard, Difference.UNSEEN: books.unseen}
