"""The ledger: a conservation law over inbound attempts.

    arrivals = in_progress + answered + recovered + reached_us + waived + open

holds after every step. Counters only; the attempts themselves are facts in the store, and the
debts are `debt.Debt`.
"""

from dataclasses import dataclass
from enum import StrEnum


class Standing(StrEnum):
    """Where an inbound attempt stands. `open` and `in_progress` are left again; what a talk has
    settled is so only when the switch fails under that very talk.
    """

    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    RECOVERED = "recovered"
    REACHED_US = "reached_us"
    WAIVED = "waived"
    OPEN = "open"


MOVES = frozenset(
    {
        (Standing.IN_PROGRESS, Standing.ANSWERED),
        (Standing.IN_PROGRESS, Standing.WAIVED),
        (Standing.IN_PROGRESS, Standing.OPEN),
        (Standing.OPEN, Standing.RECOVERED),
        (Standing.OPEN, Standing.REACHED_US),
        (Standing.OPEN, Standing.WAIVED),
        (Standing.ANSWERED, Standing.OPEN),
        (Standing.RECOVERED, Standing.OPEN),
        (Standing.REACHED_US, Standing.OPEN),
    }
)


@dataclass(slots=True)
class Ledger:
    arrivals: int = 0
    in_progress: int = 0
    answered: int = 0
    recovered: int = 0
    reached_us: int = 0
    waived: int = 0
    open: int = 0
    debts_open: int = 0
    """Persons owed: a debt may have several attempts under it."""

    def arrive(self) -> None:
        self.arrivals += 1
        self.in_progress += 1

    def move(self, before: Standing, after: Standing, count: int = 1) -> None:
        assert (before, after) in MOVES, (before, after)
        left = getattr(self, before.value) - count
        assert left >= 0, (before, after, count)
        setattr(self, before.value, left)
        setattr(self, after.value, getattr(self, after.value) + count)

    @property
    def balanced(self) -> bool:
        settled = self.answered + self.recovered + self.reached_us + self.waived
        return self.arrivals == self.in_progress + settled + self.open
