"""Numbers and names: stable ids outside, the digits in one table, and gone when erased."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from perezvon.core.ids import PersonId
from perezvon.runtime.ports import Batch, Directory, Person, Unavailable
from perezvon.store import persons, schema
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.journal import SqlJournal
from perezvon.store.persons import SqlDirectory
from tests.store.conftest import TENANT

NUMBER = "+79161234567"


@pytest.fixture
def directory(journal: SqlJournal, location: Location) -> Iterator[SqlDirectory]:
    del journal  # it draws the key
    directory = SqlDirectory.open(location)
    yield directory
    directory.close()


def commit(journal: SqlJournal, directory: Directory) -> list[Person]:
    fresh = directory.drain()
    journal.commit(Batch([], persons=fresh))
    return fresh


def test_a_number_is_one_person_for_ever_and_another_store_tells_nothing_of_him(
    location: Location, directory: SqlDirectory, sqlite_location: Location
) -> None:
    person = directory.person_of(NUMBER)
    assert person[0] == "p"
    assert len(person) == 21
    assert NUMBER[1:] not in person
    assert directory.person_of(NUMBER, "Ann") == person
    assert directory.person_of(NUMBER[:-1]) != person
    again = SqlDirectory.open(location)
    assert again.person_of(NUMBER) == person
    again.close()
    other_location = Location(sqlite_location.directory.with_name("other"))
    SqlJournal.open(other_location, tenant=TENANT).close()
    other = SqlDirectory.open(other_location)
    assert other.person_of(NUMBER) != person
    other.close()


def test_a_new_person_is_known_at_once_and_drained_once(
    journal: SqlJournal, directory: SqlDirectory
) -> None:
    person = directory.person_of(NUMBER, "Ann")
    assert directory.number_of(person) == NUMBER
    assert directory.name_of(person) == "Ann"
    assert commit(journal, directory) == [Person(person, NUMBER, "Ann")]
    directory.person_of(NUMBER)
    assert directory.drain() == []
    assert directory.number_of(person) == NUMBER


def test_what_fell_out_of_memory_is_found_in_the_table(
    journal: SqlJournal, location: Location
) -> None:
    directory = SqlDirectory(open_journal_reader(location), cache_max=3)
    people = [directory.person_of(f"+7916000000{n}", f"name {n}") for n in range(10)]
    assert [directory.number_of(person) for person in people] == [
        f"+7916000000{n}" for n in range(10)
    ], "those not yet in a batch may not fall out"
    assert len(commit(journal, directory)) == 10
    for n, person in enumerate(people):
        assert directory.number_of(person) == f"+7916000000{n}"
        assert directory.name_of(person) == f"name {n}"
    found = directory.look_up([*people, PersonId("nobody")])
    assert len(found) == 10
    assert found[people[3]].number == "+79160000003"
    directory.close()


def test_a_name_is_kept_when_the_next_call_comes_without_one_and_follows_a_new_one(
    journal: SqlJournal, directory: SqlDirectory, location: Location
) -> None:
    person = directory.person_of(NUMBER, "Ann")
    commit(journal, directory)
    fresh = SqlDirectory.open(location)
    fresh.person_of(NUMBER)
    commit(journal, fresh)
    assert directory.look_up([person])[person].name == "Ann"
    fresh.person_of(NUMBER, "Anna")
    commit(journal, fresh)
    fresh.close()
    assert directory.look_up([person])[person].name == "Anna"


def test_an_unknown_person_has_no_number_and_no_name(directory: SqlDirectory) -> None:
    assert directory.number_of(PersonId("p0")) is None
    assert directory.name_of(PersonId("p0")) == ""


def test_an_erased_person_leaves_a_tombstone_and_nothing_else(
    journal: SqlJournal, directory: SqlDirectory, location: Location
) -> None:
    person = directory.person_of(NUMBER, "Ann")
    commit(journal, directory)
    assert journal.erase_person(person, 77)
    directory.forget(person)
    assert directory.number_of(person) is None
    assert directory.name_of(person) == ""
    assert not journal.erase_person(person, 78)
    assert not journal.erase_person(PersonId("p0"), 78)
    reader = open_journal_reader(location)
    with reader.read() as connection:
        rows = connection.execute(select(schema.persons)).all()
        assert persons.erased(connection) == [person]
    reader.close()
    assert [tuple(row) for row in rows] == [(person, None, "", 77)]


def test_an_erased_person_who_calls_again_is_the_same_person_and_known_again(
    journal: SqlJournal, directory: SqlDirectory, location: Location
) -> None:
    person = directory.person_of(NUMBER, "Ann")
    commit(journal, directory)
    journal.erase_person(person, 77)
    directory.forget(person)
    assert directory.person_of(NUMBER) == person
    commit(journal, directory)
    assert directory.number_of(person) == NUMBER
    reader = open_journal_reader(location)
    with reader.read() as connection:
        assert persons.erased(connection) == []
    reader.close()


@pytest.mark.parametrize("number", ["", "\0", "\ud800", "7" * 10_000, "'; DROP TABLE persons"])
def test_any_digits_at_all_can_be_a_person(
    journal: SqlJournal, directory: SqlDirectory, number: str
) -> None:
    person = directory.person_of(number, "\0" + "x" * 10_000)
    commit(journal, directory)
    assert len(person) == 21
    directory.forget(person)
    assert len(directory.name_of(person)) <= 64


def test_the_key_never_shows(journal: SqlJournal, directory: SqlDirectory) -> None:
    key = directory._key.hex()
    assert key not in repr(directory)
    assert key not in repr(journal)


def test_without_an_engine_there_is_no_directory(sqlite_location: Location) -> None:
    with pytest.raises(Unavailable, match="no engine ran here"):
        SqlDirectory.open(sqlite_location)
