"""What was committed is there after a start, in order, once; what was not is not there at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, delete, select, text, update
from sqlalchemy.exc import DBAPIError

from perezvon.core.events import DigitPressed, LegAnswered, PlanChanged, TimePassed
from perezvon.core.facts import PlanTaken
from perezvon.core.ids import DAY, MINUTE, LegId, PlanVersion
from perezvon.runtime.ports import Batch, Person, Row, StoredFact, Unavailable
from perezvon.store import schema
from perezvon.store.codec import CodecError
from perezvon.store.database import Location, Name, connect, open_journal_reader
from perezvon.store.journal import JournalDamaged, OutOfOrder, SqlJournal, verify, wall_clock
from perezvon.store.leader import Head, Writer
from perezvon.store.plans import with_version
from tests.store.conftest import TENANT
from tests.store.stories import rows, small_plan


def told(seq: int, n: int = 0, version: str = "v") -> StoredFact:
    return StoredFact(seq, n, PlanTaken(seq, PlanVersion(version)))


def state(mark: int) -> bytes:
    """What the journal looks at in a snapshot, and a mark to know it by."""
    return b'{"format":1,"plan":"none","mark":%d}' % mark


def tamper(location: Location, change: Callable[[Connection], object]) -> None:
    """As a stranger with access to the database would."""
    database = connect(location, Name.JOURNAL)
    with database.write() as connection:
        change(connection)
    database.close()


def stored_facts(location: Location) -> list[tuple[int, int, bytes]]:
    database = open_journal_reader(location)
    with database.read() as connection:
        table = schema.journal_facts
        found = connection.execute(select(table).order_by(table.c.id)).all()
    database.close()
    return [(row.seq, row.n, row.body) for row in found]


def test_a_new_journal_is_empty_and_has_an_era(journal: SqlJournal) -> None:
    recovered = journal.recover()
    assert recovered.rows == ()
    assert recovered.snapshot is None
    assert recovered.snapshot_seq == recovered.carried_out == 0
    assert recovered.plan is None
    assert recovered.poisoned == frozenset()
    assert recovered.witness_offset == {}
    head, letters = recovered.era.split("-")
    assert head == "t"
    assert len(letters) == 3


def test_what_was_committed_is_there_after_a_start(location: Location) -> None:
    journal = SqlJournal.open(location, tenant=TENANT)
    era = journal.era
    plan = with_version(small_plan())
    first = [
        Row(1, 10, PlanChanged(plan)),
        Row(2, 11, LegAnswered(LegId("a"))),
        Row(3, 11, TimePassed()),
    ]
    journal.commit(Batch(first, witness_offset={"cel.csv": 7}))
    journal.commit(
        Batch(rows(4, 5), [told(1), told(3)], 3, witness_offset={"cel.csv": 90, "queue_log": 1})
    )
    journal.close()

    journal = SqlJournal.open(location, tenant=TENANT)
    recovered = journal.recover()
    journal.close()
    assert list(recovered.rows) == [*first, *rows(4, 5)]
    assert recovered.carried_out == 3
    assert recovered.plan == plan
    assert recovered.witness_offset == {"cel.csv": 90, "queue_log": 1}
    assert recovered.era == era


@pytest.mark.parametrize("wrong", [(3, 3), (1, 1), (0, 0), (2, 2)])
def test_a_gap_and_a_repeated_row_are_refused(journal: SqlJournal, wrong: tuple[int, int]) -> None:
    journal.commit(Batch(rows(1, 1)))
    journal.commit(Batch(rows(2, 2)))
    bad = rows(*wrong) if wrong != (3, 3) else [*rows(3, 3), *rows(5, 5)]
    with pytest.raises(OutOfOrder):
        journal.commit(Batch(bad, [told(1)]))
    assert [row.seq for row in journal.recover().rows] == [1, 2]
    journal.commit(Batch(rows(3, 3)))


def test_a_fact_that_is_there_is_left_as_it_is(journal: SqlJournal, location: Location) -> None:
    journal.commit(Batch(rows(1, 2)))
    journal.commit(Batch([], [told(1, 0, "first"), told(1, 1)], 1))
    journal.commit(Batch([], [told(1, 0, "second"), told(2)], 2))
    bodies = stored_facts(location)
    assert [body[:2] for body in bodies] == [(1, 0), (1, 1), (2, 0)]
    assert b"first" in bodies[0][2]


def test_the_mark_only_grows(journal: SqlJournal) -> None:
    journal.commit(Batch(rows(1, 2), carried_out=1))
    journal.commit(Batch(rows(3, 3)))
    assert journal.recover().carried_out == 1


def test_an_empty_batch_commits(journal: SqlJournal) -> None:
    journal.commit(Batch([]))
    assert journal.recover().rows == ()


def test_recovery_starts_from_the_newest_snapshot_and_three_are_kept(
    journal: SqlJournal, location: Location
) -> None:
    journal.commit(Batch(rows(1, 9)))
    for seq in (2, 4, 6, 8):
        journal.save_snapshot(seq, seq, state(seq))
    journal.save_snapshot(8, 9, state(88))
    recovered = journal.recover()
    assert recovered.snapshot == state(88)
    assert recovered.snapshot_seq == 8
    assert list(recovered.rows) == rows(9, 9)
    reader = open_journal_reader(location)
    with reader.read() as connection:
        kept = list(connection.scalars(select(schema.snapshots.c.seq).order_by("seq")))
    reader.close()
    assert kept == [4, 6, 8]


def test_a_snapshot_that_cannot_be_read_gives_way_to_the_one_before(
    journal: SqlJournal,
) -> None:
    journal.commit(Batch(rows(1, 9)))
    journal.save_snapshot(4, 4, state(4))
    journal.save_snapshot(8, 8, b"half a pag")
    recovered = journal.recover()
    assert (recovered.snapshot_seq, recovered.snapshot) == (4, state(4))
    assert list(recovered.rows) == rows(5, 9)
    journal.save_snapshot(4, 4, b"")
    recovered = journal.recover()
    assert (recovered.snapshot_seq, recovered.snapshot) == (0, None)
    assert list(recovered.rows) == rows(1, 9)


def test_a_snapshot_comes_with_its_plan(journal: SqlJournal) -> None:
    old, new = with_version(small_plan()), with_version(small_plan("New"))
    journal.commit(Batch([Row(1, 1, PlanChanged(old)), Row(2, 2, PlanChanged(new))]))
    journal.save_snapshot(1, 1, b'{"format":1,"plan":"%s"}' % old.version.encode())
    recovered = journal.recover()
    assert (recovered.snapshot_plan, recovered.plan) == (old, new)


def test_poisoned_rows_are_counted_for_ten_minutes(journal: SqlJournal) -> None:
    journal.commit(Batch(rows(1, 9)))
    assert journal.mark_poisoned(3, 0, "AssertionError") == 1
    assert journal.mark_poisoned(5, 9 * MINUTE, "x" * 10_000) == 2
    assert journal.mark_poisoned(7, 11 * MINUTE, "nul \0 and \ud800") == 2
    assert journal.recover().poisoned == {3, 5, 7}


def test_a_plan_that_poisoned_the_core_is_not_the_newest_one(journal: SqlJournal) -> None:
    good, bad = with_version(small_plan()), with_version(small_plan("Bad"))
    journal.commit(Batch([Row(1, 1, PlanChanged(good)), Row(2, 2, PlanChanged(bad))]))
    assert journal.recover().plan == bad
    journal.mark_poisoned(2, 3, "AssertionError")
    assert journal.recover().plan == good


def test_a_row_that_cannot_be_stored_leaves_nothing_behind(
    journal: SqlJournal, location: Location
) -> None:
    too_long = StoredFact(1, 2**70, PlanTaken(1, PlanVersion("v")))
    with pytest.raises((OverflowError, DBAPIError)):
        journal.commit(Batch(rows(1, 1), [told(1), too_long], persons=[Person("p1", "+7")]))
    assert journal.recover().rows == ()
    assert stored_facts(location) == []


def test_the_chain_of_digests_stands_across_starts(location: Location) -> None:
    for start in (1, 4, 7):
        journal = SqlJournal.open(location, tenant=TENANT)
        journal.commit(Batch(rows(start, start + 2)))
        journal.close()
    reader = open_journal_reader(location)
    assert verify(reader) == 9
    reader.close()


@pytest.mark.parametrize("row", [1, 4, 5])
def test_a_changed_row_is_noticed(journal: SqlJournal, location: Location, row: int) -> None:
    journal.commit(Batch(rows(1, 5)))
    body = b'{"t":"LegAnswered","leg":"gel"}'
    tamper(
        location,
        lambda c: c.execute(
            update(schema.journal).where(schema.journal.c.seq == row).values(body=body)
        ),
    )
    reader = open_journal_reader(location)
    with pytest.raises(JournalDamaged):
        verify(reader)
    reader.close()
    with pytest.raises(JournalDamaged):
        journal.recover()


@pytest.mark.parametrize("row", [1, 3, 5])
def test_a_row_taken_out_is_noticed(journal: SqlJournal, location: Location, row: int) -> None:
    journal.commit(Batch(rows(1, 5)))
    tamper(location, lambda c: c.execute(delete(schema.journal).where(schema.journal.c.seq == row)))
    reader = open_journal_reader(location)
    with pytest.raises(JournalDamaged):
        verify(reader)
    reader.close()
    with pytest.raises(JournalDamaged):
        journal.recover()


def test_a_row_of_a_later_release_is_refused_by_its_number(
    journal: SqlJournal, location: Location
) -> None:
    journal.commit(Batch([Row(1, 1, DigitPressed(LegId("a"), "1"))]))
    tamper(location, lambda c: c.execute(text("DELETE FROM journal")))
    body = b'{"t":"FaxReceived","leg":"a"}'
    tamper(
        location,
        lambda c: c.execute(
            schema.journal.insert().values(seq=1, at=1, epoch=1, body=body, hash_prev=bytes(32))
        ),
    )
    with pytest.raises(CodecError, match="journal row 1: unknown type 'FaxReceived'"):
        journal.recover()


def test_old_rows_go_when_a_snapshot_covers_them_and_their_facts_are_copied(
    journal: SqlJournal, location: Location
) -> None:
    day = [Row(seq, seq * DAY, TimePassed()) for seq in range(1, 61)]
    journal.commit(Batch(day, [told(seq) for seq in range(1, 61)]))
    now = 61 * DAY
    assert journal.drop_before(now, facts_copied=60) == 0, "no snapshot covers anything"
    journal.save_snapshot(20, now, state(0))
    assert journal.drop_before(now, facts_copied=5) == 20
    assert len(stored_facts(location)) == 55, "a fact that was not copied stays"
    journal.save_snapshot(60, now, state(0))
    journal.save_snapshot(59, now, state(0))
    journal.save_snapshot(58, now, state(0))
    assert journal.drop_before(now, facts_copied=60) == 10, "thirty days are kept"
    assert journal.drop_before(now, facts_copied=60) == 0
    reader = open_journal_reader(location)
    assert verify(reader) == 30
    tamper(location, lambda c: c.execute(delete(schema.journal).where(schema.journal.c.seq == 31)))
    with pytest.raises(JournalDamaged):
        verify(reader)
    reader.close()
    assert journal.drop_before(now + 90 * DAY, facts_copied=60) == 27
    journal.commit(Batch(rows(61, 61)))


def test_a_journal_emptied_by_age_still_stands(journal: SqlJournal, location: Location) -> None:
    journal.commit(Batch(rows(1, 5)))
    for seq in (5, 5, 5):
        journal.save_snapshot(seq, 1, state(0))
    assert journal.drop_before(99 * DAY, facts_copied=0) == 5
    reader = open_journal_reader(location)
    assert verify(reader) == 0
    assert journal.recover().rows == ()
    journal.commit(Batch(rows(6, 7)))
    assert verify(reader) == 2
    reader.close()


class LosesAnswers(Writer):
    """A server that commits, and whose word of it is lost on the way."""

    lose = False

    @contextmanager
    def transaction(self) -> Iterator[tuple[Connection, Head]]:
        with super().transaction() as turn:
            yield turn
        if self.lose:
            self.lose = False
            raise Unavailable("the connection broke before the answer")


@pytest.fixture
def unsure(location: Location) -> Iterator[tuple[SqlJournal, LosesAnswers]]:
    writer = LosesAnswers(location, tenant=TENANT, holder="", clock=wall_clock)
    writer.take(0)
    journal = SqlJournal(writer)
    yield journal, writer
    journal.close()


def test_a_commit_whose_answer_was_lost_can_be_repeated(
    unsure: tuple[SqlJournal, LosesAnswers], location: Location
) -> None:
    journal, writer = unsure
    journal.commit(Batch(rows(1, 2)))
    writer.lose = True
    with pytest.raises(Unavailable):
        journal.commit(Batch(rows(3, 4), [told(2)], 2))
    journal.commit(Batch(rows(3, 6), [told(2), told(3)], 3))
    assert list(journal.recover().rows) == rows(1, 6)
    assert len(stored_facts(location)) == 2
    reader = open_journal_reader(location)
    assert verify(reader) == 6
    reader.close()


def test_after_a_lost_answer_other_rows_under_the_same_numbers_are_refused(
    unsure: tuple[SqlJournal, LosesAnswers],
) -> None:
    journal, writer = unsure
    writer.lose = True
    with pytest.raises(Unavailable):
        journal.commit(Batch(rows(1, 2)))
    with pytest.raises(OutOfOrder, match="another one"):
        journal.commit(Batch(rows(1, 2, TimePassed())))
