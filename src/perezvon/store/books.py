"""The store as its readers have it: kept up with the journal, with names of people at hand.

Reading goes on when the engine is away: what was copied stays readable, and what cannot be
copied now is copied later. Threads may share one.
"""

from collections.abc import Iterable, Sequence
from threading import Lock
from typing import Final, Self

from perezvon.core.ids import PersonId, PlanVersion
from perezvon.core.plan import Plan
from perezvon.runtime.ports import Person, Unavailable
from perezvon.store import replay
from perezvon.store.database import Database, Location, open_journal_reader
from perezvon.store.facts import FactRow
from perezvon.store.paging import Page
from perezvon.store.persons import LOOKUP_MAX, SqlDirectory
from perezvon.store.plans import AppliedPlan, get_plan, list_plans, newest_plan
from perezvon.store.projection import Projection
from perezvon.store.replay import Decision

CATCH_UP_MAX: Final = 2_000
"""Facts copied by one reader; the worker has the rest, so that no request waits for a backlog."""


class Books:
    def __init__(self, location: Location, projection: Projection) -> None:
        self._location = location
        self._projection = projection
        self._copying = Lock()
        self._opening = Lock()
        self._journal: Database | None = None
        self._directory: SqlDirectory | None = None

    @classmethod
    def open(cls, location: Location) -> Self:
        return cls(location, Projection.open(location))

    @property
    def stored(self) -> Database:
        """As it was copied last; for what does not come from facts."""
        return self._projection.views

    def fresh(self) -> Database:
        """Copied up to now where that is quick: one reader copies, the others do not wait."""
        if self._copying.acquire(blocking=False):
            try:
                self._projection.catch_up(CATCH_UP_MAX)
            except Unavailable:
                pass  # no engine ran here, or the journal is away: what we have is still true
            finally:
                self._copying.release()
        return self._projection.views

    def complete(self) -> Database:
        """Copied up to now, however long it takes: for a command line that wants the truth."""
        self._projection.catch_up_fully()
        return self._projection.views

    def persons(self, wanted: Iterable[str | None]) -> dict[str, Person]:
        """Who they are; left out who was erased, or cannot be looked up now."""
        ids = sorted({PersonId(person) for person in wanted if person is not None})
        found: dict[str, Person] = {}
        try:
            directory = self._opened_directory()
            for at in range(0, len(ids), LOOKUP_MAX):
                found.update(directory.look_up(ids[at : at + LOOKUP_MAX]).items())
        except Unavailable:
            pass  # a list without names is better than none
        return found

    def person_of(self, number: str) -> PersonId | None:
        """Who has this number, as it is spelt by `runtime.numbers`; None: cannot be said now."""
        try:
            return self._opened_directory().id_of(number)
        except Unavailable:
            return None

    def plan(self) -> Plan | None:
        """The newest applied plan; None when there is none yet, or it cannot be read now."""
        try:
            with self._opened_journal().read() as connection:
                return newest_plan(connection)
        except Unavailable:
            return None

    def plan_of(self, version: str) -> Plan | None:
        """One that was applied some time; None when there is none such. `Unavailable`."""
        with self._opened_journal().read() as connection:
            return get_plan(connection, PlanVersion(version))

    def plans(self, limit: int, cursor: str | None) -> Page[AppliedPlan]:
        """Which were applied, by whom and why, newest first. `Unavailable`."""
        with self._opened_journal().read() as connection:
            return list_plans(connection, limit, cursor)

    def decisions(self, told: Sequence[FactRow]) -> list[Decision]:
        """How each offer among these facts was decided; `TooLongAgo`, `Unavailable`."""
        return replay.decisions(self._opened_journal(), told)

    def close(self) -> None:
        with self._opening:
            for opened in (self._directory, self._journal):
                if opened is not None:
                    opened.close()
            self._directory = self._journal = None
        self._projection.close()
        self._projection.views.close()

    def _opened_journal(self) -> Database:
        with self._opening:
            if self._journal is None:
                self._journal = open_journal_reader(self._location)
            return self._journal

    def _opened_directory(self) -> SqlDirectory:
        journal = self._opened_journal()
        with self._opening:
            if self._directory is None:
                self._directory = SqlDirectory(journal)
            return self._directory
