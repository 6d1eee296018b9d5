"""The ledger agrees with a count made apart from it, and says so when the tables do not."""

from collections.abc import Callable
from dataclasses import asdict
from random import Random

import pytest
from sqlalchemy import ColumnElement, Delete, Select, Update, delete, select, update

from perezvon.core.facts import PlanTaken
from perezvon.core.ids import PlanVersion
from perezvon.store import ledger
from perezvon.store.calls import list_calls
from perezvon.store.database import Database
from perezvon.store.journal import SqlJournal
from perezvon.store.paging import BadQuery
from perezvon.store.projection import Projection
from perezvon.store.reconciliation import Reconciliation
from perezvon.store.schema import calls, debts, facts
from tests.store.stories import Story, batches

KEYS = (
    "arrivals",
    "in_progress",
    "answered",
    "recovered",
    "reached_us",
    "waived",
    "open",
    "debts_open",
    "balanced",
    "reconciliation",
)
NOTHING = Reconciliation(
    has_witness=False, cel_arrivals=0, journal_calls=0, fallback_calls=0, unheard=0, unseen=0,
    awaited=0, difference=0,
)  # fmt: skip


def tell(journal: SqlJournal, projection: Projection, seed: int, step_count: int = 80) -> Story:
    story = Story(Random(seed)).tell(step_count)
    for batch in batches(story.facts, turn=50):
        journal.commit(batch)
    projection.catch_up_fully()
    return story


@pytest.mark.parametrize("seed", range(5))
def test_the_ledger_is_what_happened(
    journal: SqlJournal, projection: Projection, views: Database, seed: int
) -> None:
    story = tell(journal, projection, seed)
    found = ledger.count(views)
    assert found.wrong == ()
    assert found.as_dict() == story.ledger()
    assert tuple(found.as_dict()) == KEYS


def test_an_empty_ledger_balances(views: Database) -> None:
    found = ledger.count(views).as_dict()
    counts = {**dict.fromkeys(KEYS, 0), "balanced": True}
    assert found == {**counts, "reconciliation": asdict(NOTHING)}


def test_a_window_counts_what_arrived_in_it(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = tell(journal, projection, 21)
    since = 1_000_000 + (story.now - 1_000_000) // 2
    late = list_calls(views, since=since, limit=500).items
    found = ledger.count(views, since=since)
    assert found.balanced, found.wrong
    assert 0 < found.arrivals == len(late) < len(story.standing)
    assert found.open == sum(call.state == "open" for call in late)
    assert found.debts_open == len({call.person for call in late if call.state == "open"})
    assert ledger.count(views, since=story.now + 1).arrivals == 0


def test_a_window_without_bounds_is_refused(views: Database) -> None:
    with pytest.raises(BadQuery):
        ledger.count(views, since=2**64)


def _some(state: str) -> ColumnElement[bool]:
    return calls.c.id.in_(select(calls.c.id).where(calls.c.state == state).limit(1))


def _cut(state: str) -> ColumnElement[bool]:
    cut = select(calls.c.id).where(calls.c.state == state, calls.c.cut_at.is_not(None))
    return calls.c.id.in_(cut.limit(1))


def _untold() -> Select[tuple[str]]:
    return select(calls.c.id).where(calls.c.witnessed.is_(False), calls.c.difference.is_(None))


DAMAGES: dict[str, Callable[[], Update | Delete]] = {
    "a call is gone": lambda: delete(calls).where(_some("answered")),
    "a call has no known state": lambda: update(calls).where(_some("waived")).values(state="lost"),
    "an open call is called answered": lambda: (
        update(calls).where(_some("open")).values(state="answered")
    ),
    "an open call is called waived": lambda: (
        update(calls).where(_some("open")).values(state="waived")
    ),
    "a waived call is called in progress": lambda: (
        update(calls).where(_some("waived")).values(state="in_progress")
    ),
    "a recovered call is called open": lambda: (
        update(calls).where(_some("recovered")).values(state="open")
    ),
    "an open debt has no owner": lambda: (
        update(debts).where(debts.c.state == "open").values(owner=None)
    ),
    "an open debt has no due time": lambda: (
        update(debts).where(debts.c.state == "open").values(due_at=None)
    ),
    "a debt was closed and its calls were not": lambda: (
        update(debts).where(debts.c.state == "open").values(state="recovered")
    ),
    "a debt is open and its calls are not": lambda: (
        update(debts).where(debts.c.state == "recovered").values(state="open")
    ),
    "an open debt is gone": lambda: delete(debts).where(debts.c.state == "open"),
    "a person is owed twice": lambda: (
        update(debts).where(debts.c.state == "open").values(person="p-one")
    ),
    "a call that was cut is called answered": lambda: (
        update(calls).where(_cut("open")).values(state="answered")
    ),
    "an attempt is called witnessed and was not": lambda: (
        update(calls).where(calls.c.id.in_(_untold())).values(witnessed=True)
    ),
    "a difference is hidden": lambda: (
        update(calls).where(calls.c.difference.is_not(None)).values(difference=None)
    ),
    "a reopened debt is called recovered": lambda: (
        update(debts).where(debts.c.reopened_at.is_not(None)).values(state="recovered")
    ),
    "an arrival was never copied": lambda: delete(facts).where(
        facts.c.id.in_(select(facts.c.id).where(facts.c.type == "CallReceived").limit(1))
    ),
}


def test_tables_that_lie_are_found_out(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = tell(journal, projection, 23, step_count=70)
    assert len(story.debts) > 1
    for damage, statement in DAMAGES.items():
        assert ledger.count(views).balanced
        with views.write() as connection:
            result = connection.execute(statement())
        assert result.rowcount > 0, f"{damage}: the damage did nothing"
        found = ledger.count(views)
        assert not found.balanced, damage
        assert found.wrong, damage
        projection.rebuild()


def test_facts_that_concern_no_call_count_for_nothing(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    for batch in batches([PlanTaken(n, PlanVersion("v")) for n in range(10)]):
        journal.commit(batch)
    projection.catch_up_fully()
    assert ledger.count(views).arrivals == 0
