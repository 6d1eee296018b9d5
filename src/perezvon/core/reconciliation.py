"""Reconciliation: two accounts of the same inbound attempts, and how far they agree.

    witnessed + unseen = journal + fallback + unheard

holds after every step, over attempts that have ended. Counters, and the few attempts of which one
side has still to tell; how they come to be is `witness.py`.
"""

from dataclasses import dataclass, field

from perezvon.core.facts import Difference
from perezvon.core.ids import CallId, Instant, LegId


@dataclass(slots=True)
class Unwitnessed:
    """An attempt that has ended for us; the second witness has still to tell."""

    call: CallId
    ended_at: Instant


@dataclass(slots=True)
class Differing:
    call: CallId
    how: Difference
    arrived_at: Instant = 0
    """Of an `UNHEARD` one."""


@dataclass(slots=True)
class Reconciliation:
    heard: bool = False
    """Whether the second witness ever spoke: an installation may have none."""
    witnessed: int = 0
    """Told by the second witness, or ended by a restart of the switch, which nobody tells."""
    journal: int = 0
    """Ours, and either confirmed or `unseen`."""
    fallback: int = 0
    """Confirmed, and in the hands of the guard: in the switch's own queue at their end, or come
    and gone while nobody listened.
    """
    unheard: int = 0
    unseen: int = 0
    unwitnessed: dict[LegId, Unwitnessed] = field(default_factory=dict)
    """Oldest end first."""
    differing: dict[LegId, Differing] = field(default_factory=dict)
    """The newest of those that differ now: what comes late may still take a difference back."""

    deaf: list[tuple[Instant, Instant]] = field(default_factory=list)
    """The last times when nobody listened to the switch: from, until."""

    def was_deaf(self, at: Instant) -> bool:
        return any(since <= at <= until for since, until in self.deaf)

    @property
    def difference(self) -> int:
        return self.unheard + self.unseen

    @property
    def balanced(self) -> bool:
        return self.witnessed + self.unseen == self.journal + self.fallback + self.unheard

    def confirm(self, *, in_fallback: bool) -> None:
        """Both accounts have it."""
        self.witnessed += 1
        if in_fallback:
            self.fallback += 1
        else:
            self.journal += 1

    def differ(self, leg: LegId, differing: Differing, at_most: int) -> None:
        """Only one account has it; the last `at_most` such attempts are remembered."""
        how = differing.how
        if how is Difference.UNSEEN:
            self.unseen += 1
            self.journal += 1
        else:
            self.unheard += 1
            self.witnessed += 1
        self.differing[leg] = differing
        while len(self.differing) > at_most:
            del self.differing[next(iter(self.differing))]

    def take_back(self, leg: LegId) -> Differing | None:
        """It did not differ after all: forget that it did. None when it is not known to."""
        differing = self.differing.pop(leg, None)
        if differing is None:
            return None
        if differing.how is Difference.UNSEEN:
            self.unseen -= 1
            self.journal -= 1
        else:
            self.unheard -= 1
            self.witnessed -= 1
        return differing
