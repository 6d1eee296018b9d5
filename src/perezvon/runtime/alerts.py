"""Alerts: what a person has to know now, raised once and cleared once, however often it is seen.

Each goes three ways: a line in the log, a row of the live board, and a count for the metrics. An
alert is (kind, about): the same one again only refreshes its detail. What has no end of its own
(a restart, a stray leg) is noted, and clears itself after `NOTE_MS`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import structlog

from perezvon.core.ids import MINUTE, Duration, Instant

log = structlog.get_logger("alerts")

NOTE_MS: Final[Duration] = 10 * MINUTE
OPEN_MAX: Final = 200
"""Open at once. Beyond, a new one is only logged and counted: nobody reads so many."""

DETAIL_LENGTH_MAX: Final = 300


class AlertKind(StrEnum):
    """The closed list. `alert_words` says of each what has happened and what to do."""

    GUARD_DOWN = "guard_down"
    """No heartbeat: new callers go to the fallback."""
    ENGINE_RESTARTED = "engine_restarted"
    ENGINE_HALTED = "engine_halted"
    LOOP_SLOW = "loop_slow"
    LEASE_LOST = "lease_lost"
    STANDBY_TOOK_OVER = "standby_took_over"
    JOURNAL_UNAVAILABLE = "journal_unavailable"
    JOURNAL_SLOW = "journal_slow"
    CLOCK_STEPPED = "clock_stepped"
    SWITCH_AWAY = "switch_away"
    """No link to the switch."""
    SWITCH_HUNG = "switch_hung"
    """It runs and does not answer; the watchdog restarts it."""
    SWITCH_RESTARTED = "switch_restarted"
    REPLY_LOST = "reply_lost"
    STRAY_LEG = "stray_leg"
    TRUNK_DOWN = "trunk_down"
    REGISTRATION_LOST = "registration_lost"
    PHONE_AWAY = "phone_away"
    """The telephone of an agent who is signed in."""
    WITNESS_SILENT = "witness_silent"
    RECONCILIATION = "reconciliation"
    """The second witness and the journal differ."""
    RECORDINGS_BEHIND = "recordings_behind"
    """The worker does not make MP3s of them as fast as they come, or cannot."""


@dataclass(frozen=True, slots=True)
class Alert:
    kind: AlertKind
    about: str
    """A trunk, an agent, a leg: an id, never a number or a name of a client."""
    since: Instant
    detail: str = ""


class Alerts:
    """Those of one process. Call it from one thread."""

    def __init__(self, now: Callable[[], Instant]) -> None:
        self._now = now
        self._open: dict[tuple[AlertKind, str], Alert] = {}
        self._ends_at: dict[tuple[AlertKind, str], Instant] = {}
        self.raised_count: Counter[AlertKind] = Counter()
        """Since the start of the process; for the metrics."""

    def __iter__(self) -> Iterator[Alert]:
        """The open ones, oldest first."""
        now = self._now()
        for key in [key for key, ends_at in self._ends_at.items() if ends_at <= now]:
            del self._ends_at[key]
            del self._open[key]
        return iter(tuple(self._open.values()))

    def raise_(self, kind: AlertKind, about: str = "", detail: str = "") -> None:
        """It is so from now on, until `clear`."""
        self._ends_at.pop((kind, about), None)
        self._put(kind, about, detail)

    def note(self, kind: AlertKind, about: str = "", detail: str = "") -> None:
        """It has happened; it clears itself."""
        if self._put(kind, about, detail):
            self._ends_at[kind, about] = self._now() + NOTE_MS

    def clear(self, kind: AlertKind, about: str = "") -> None:
        """It is so no more; nothing when it was not."""
        alert = self._open.pop((kind, about), None)
        self._ends_at.pop((kind, about), None)
        if alert is not None:
            lasted_ms = self._now() - alert.since
            log.warning("alert_cleared", alert=kind.value, about=about, lasted_ms=lasted_ms)

    def set(self, kind: AlertKind, about: str, *, wrong: bool, detail: str = "") -> None:
        """Raise or clear."""
        if wrong:
            self.raise_(kind, about, detail)
        else:
            self.clear(kind, about)

    def _put(self, kind: AlertKind, about: str, detail: str) -> bool:
        """Whether it is open now."""
        detail = detail[:DETAIL_LENGTH_MAX]
        known = self._open.get((kind, about))
        if known is not None:
            self._open[kind, about] = replace(known, detail=detail or known.detail)
            return True
        self.raised_count[kind] += 1
        log.error("alert_raised", alert=kind.value, about=about, detail=detail)
        if len(self._open) >= OPEN_MAX:
            return False
        self._open[kind, about] = Alert(kind, about, self._now(), detail)
        return True
