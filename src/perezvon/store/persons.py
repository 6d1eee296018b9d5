"""Who stands behind a PersonId: the one erasable table, and the engine's way to it.

A PersonId is a keyed digest of the number, so it is the same for ever and tells nothing without
the key, which is drawn with the store and never leaves it. An erased person keeps a row without
number and name: that it was erased must survive.
"""

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Collection, Sequence
from threading import Lock
from typing import Final

from sqlalchemy import Connection, Executable, select, update

from perezvon.core.ids import Instant, PersonId
from perezvon.runtime.ports import Person, Unavailable
from perezvon.store.database import Database, Location, insert_on, open_journal_reader
from perezvon.store.eras import get_meta
from perezvon.store.prepared import Prepared
from perezvon.store.schema import persons

CACHE_MAX: Final = 10_000
NAME_LENGTH_MAX: Final = 64
DIGITS: Final = 20
LOOKUP_MAX: Final = 500


class SqlDirectory:
    """`runtime.ports.Directory`. Made by `open`, after the engine's journal was."""

    def __init__(self, database: Database, cache_max: int = CACHE_MAX) -> None:
        with database.read() as connection:
            key = get_meta(connection, "person_key")
        if key is None:
            raise Unavailable("the store has no key for persons yet: no engine ran here")
        self._database = database
        self._key = bytes.fromhex(key)
        self._cache_max = cache_max
        self._known: OrderedDict[str, Person] = OrderedDict()
        self._fresh: dict[str, Person] = {}
        """Not yet taken into a batch: these must not fall out of the cache."""
        self._lock = Lock()

    @classmethod
    def open(cls, location: Location) -> "SqlDirectory":
        return cls(open_journal_reader(location))

    def id_of(self, number: str) -> PersonId:
        """Whoever has this number, known or not; nothing is kept."""
        digest = hmac.new(self._key, number.encode("utf-8", "replace"), hashlib.sha256)
        return PersonId("p" + digest.hexdigest()[:DIGITS])

    def person_of(self, number: str, name: str = "") -> PersonId:
        person = self.id_of(number)
        name = name[:NAME_LENGTH_MAX]
        with self._lock:
            known = self._fresh.get(person) or self._known.get(person)
            if known is None or known.number != number or (name and known.name != name):
                entry = Person(person, number, name or (known.name if known else ""))
                self._fresh[person] = entry
                self._remember(entry)
        return person

    def number_of(self, person: PersonId) -> str | None:
        found = self._find(person)
        return found.number if found is not None and found.number else None

    def name_of(self, person: PersonId) -> str:
        found = self._find(person)
        return found.name if found is not None else ""

    def look_up(self, wanted: Collection[PersonId]) -> dict[PersonId, Person]:
        """Many at once, for a list; `LOOKUP_MAX` at most. Erased and unknown ones are left out."""
        if len(wanted) > LOOKUP_MAX:
            raise ValueError(f"{len(wanted)} persons at once; {LOOKUP_MAX} is the limit")
        with self._database.read() as connection:
            rows = connection.execute(
                select(persons).where(
                    persons.c.person.in_(list(wanted)), persons.c.number.is_not(None)
                )
            ).all()
        return {PersonId(row.person): Person(row.person, row.number, row.name) for row in rows}

    def drain(self) -> list[Person]:
        with self._lock:
            fresh = list(self._fresh.values())
            self._fresh.clear()
        return fresh

    def forget(self, person: PersonId) -> None:
        """He was erased from the table: out of the memory too."""
        with self._lock:
            self._fresh.pop(person, None)
            self._known.pop(person, None)

    def close(self) -> None:
        self._database.close()

    def _find(self, person: PersonId) -> Person | None:
        with self._lock:
            known = self._fresh.get(person) or self._known.get(person)
            if known is not None:
                if person in self._known:
                    self._known.move_to_end(person)
                return known
        with self._database.read() as connection:
            row = connection.execute(
                select(persons).where(persons.c.person == person)
            ).one_or_none()
        if row is None or row.number is None:
            return None
        found = Person(row.person, row.number, row.name)
        with self._lock:
            self._remember(found)
        return found

    def _remember(self, entry: Person) -> None:
        self._known[entry.person] = entry
        self._known.move_to_end(entry.person)
        while len(self._known) > self._cache_max:
            self._known.popitem(last=False)


def _keeping(*columns: str) -> Prepared:
    def make(dialect: str) -> Executable:
        fresh = insert_on(dialect, persons)
        kept = {name: fresh.excluded[name] for name in columns}
        statement: Executable = fresh.on_conflict_do_update(
            index_elements=["person"], set_=kept | {"erased_at": None}
        )
        return statement

    return Prepared(make, ("person", "number", "name"))


_KEEP: Final = _keeping("number", "name")
_KEEP_NAMELESS: Final = _keeping("number")


def keep(connection: Connection, fresh: Sequence[Person]) -> None:
    """A name that we know is not lost to a call that came without one."""
    for person in fresh:
        statement = _KEEP if person.name else _KEEP_NAMELESS
        statement.run(
            connection,
            {"person": person.person, "number": person.number, "name": person.name},
        )


def erase(connection: Connection, person: PersonId, now: Instant) -> bool:
    result = connection.execute(
        update(persons)
        .where(persons.c.person == person, persons.c.number.is_not(None))
        .values(number=None, name="", erased_at=now)
    )
    return result.rowcount > 0


def erased(connection: Connection) -> list[PersonId]:
    """The tombstones, to be applied again to a store that was restored from an older backup."""
    rows = connection.scalars(
        select(persons.c.person).where(persons.c.erased_at.is_not(None)).order_by(persons.c.person)
    )
    return [PersonId(row) for row in rows]
