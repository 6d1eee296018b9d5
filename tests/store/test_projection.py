"""Facts are copied and folded once, whoever copies them, however often, in whatever order."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import Table, select

from perezvon.core.facts import (
    ArrivalConfirmed,
    AttemptStarted,
    CallAnswered,
    CallFellBackToSwitch,
    DebtOverdue,
    DebtReassigned,
    Difference,
    Fact,
    PlanTaken,
    Settlement,
    Status,
    WitnessDiffered,
)
from perezvon.core.ids import AgentId, CallId, PersonId, PlanVersion
from perezvon.core.plan import CallbackOrder
from perezvon.runtime.ports import Unavailable
from perezvon.store import schema
from perezvon.store.agents import list_agents, list_statuses
from perezvon.store.callbacks import list_attempts
from perezvon.store.calls import CallState, get_call, list_calls
from perezvon.store.database import Database, Location
from perezvon.store.debts import DebtState, Wanted, get_debt, list_debts
from perezvon.store.facts import facts_of_call, facts_of_debt, list_facts
from perezvon.store.journal import SqlJournal
from perezvon.store.offers import list_offers
from perezvon.store.paging import BadQuery, Page
from perezvon.store.projection import Projection
from tests.store.conftest import TENANT
from tests.store.stories import ANN, SALES, Story, batches

FOLDED = (
    schema.calls,
    schema.debts,
    schema.attempts,
    schema.offers,
    schema.agents,
    schema.agent_log,
)


def commit(journal: SqlJournal, facts: Sequence[Fact], first: int = 1) -> None:
    for batch in batches(facts, first):
        journal.commit(batch)


def next_seq(facts_count: int) -> int:
    """After so many facts of one `commit`."""
    return len(batches([PlanTaken(0, PlanVersion("v"))] * facts_count)) // 2 + 1


def contents(views: Database, tables: Sequence[Table] = FOLDED) -> dict[str, list[Any]]:
    with views.read() as connection:
        return {
            table.name: list(connection.execute(select(table).order_by(*table.primary_key)))
            for table in tables
        }


def all_pages(ask: Callable[[str | None], Page[Any]]) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    for _ in range(100):
        page = ask(cursor)
        found += page.items
        if page.next is None:
            return found
        cursor = page.next
    raise AssertionError("no end of pages")


def test_a_missed_call_becomes_a_debt_and_its_call_back_settles_it(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(5))
    debt = story.missed(PersonId("p1"))
    story.missed(PersonId("p1"))
    commit(journal, story.facts)
    projection.catch_up()
    row = get_debt(views, debt)
    assert row is not None
    assert (row.state, row.owner, row.calls, row.person) == ("open", ANN, 2, "p1")
    assert row.next_attempt_at == story.now
    calls = list_calls(views, debt=debt).items
    assert [call.state for call in calls] == ["open", "open"]
    assert calls[0].miss_reason == "left_ringing"
    assert calls[0].miss_cause == "unanswered"

    before = len(story.facts)
    while story.debts:
        story.dialled()
    commit(journal, story.facts[before:], first=1 + len(batches(story.facts[:before])) // 2)
    projection.catch_up()
    row = get_debt(views, debt)
    assert row is not None
    assert row.state in ("recovered", "waived")
    assert row.next_attempt_at is None
    assert row.dials == story.dials[debt]
    attempts = list_attempts(views, debt=debt).items
    assert len(attempts) == row.dials
    assert row.attempts == sum(attempt.counted for attempt in attempts)
    assert {call.state for call in list_calls(views, debt=debt).items} == {row.state}
    assert [offer.outcome for offer in list_offers(views, call=calls[0].id).items] == ["missed"]


def test_a_debt_changes_hands_and_falls_overdue(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(5))
    debt = story.missed()
    commit(
        journal,
        [
            *story.facts,
            DebtReassigned(5, debt, AgentId("bob"), "supervisor"),
            DebtOverdue(6, debt, None),
        ],
    )
    projection.catch_up()
    row = get_debt(views, debt)
    assert row is not None
    assert (row.owner, row.overdue_at) == ("bob", 6)


def test_a_call_that_fell_back_says_so(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(5))
    call, _person = story.arrive()
    other, _person = story.arrive()
    tail: list[Fact] = [
        CallFellBackToSwitch(7, call),
        CallAnswered(8, call, ANN, SALES, 5),
        CallAnswered(8, other, ANN, SALES, 5, in_fallback=True),
    ]
    commit(journal, [*story.facts, *tail])
    projection.catch_up()
    for name in (call, other):
        row = get_call(views, name)
        assert row is not None
        assert (row.state, row.in_fallback, row.agent, row.wait_ms) == ("answered", True, ANN, 5)


def test_a_talk_that_the_switch_cut_is_owed_and_keeps_what_it_was(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(0))
    while "open" not in story.standing.values():
        story.cut()
    commit(journal, story.facts)
    projection.catch_up()
    (cut,) = [call for call in list_calls(views).items if call.state == CallState.OPEN]
    assert (cut.agent, cut.talk_ms, cut.ended_by) == (ANN, 5_000, "system")
    assert cut.cut_at == cut.ended_at
    assert cut.answered_at is not None
    assert cut.debt is not None


def test_a_debt_whose_settling_talk_was_cut_is_open_again_with_all_its_calls(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(5))
    debt = story.missed(PersonId("p1"))
    story.missed(PersonId("p1"))
    call, under = CallId("t-abcb1"), story.debts[PersonId("p1")][1]
    story.facts.append(
        AttemptStarted(story.now, debt, call, 1, CallbackOrder.AGENT_FIRST, 0),
    )
    story.settle(PersonId("p1"), Settlement.RECOVERED)
    commit(journal, story.facts)
    projection.catch_up()
    settled = get_debt(views, debt)
    assert settled is not None
    assert (settled.state, settled.settled_by) == (DebtState.RECOVERED, ANN)
    before = len(story.facts)
    story.reopen(call, debt, PersonId("p1"), under)
    commit(journal, story.facts[before:], first=next_seq(before))
    projection.catch_up()
    reopened = get_debt(views, debt)
    assert reopened is not None
    assert (reopened.state, reopened.settled_by, reopened.settled_at) == (
        DebtState.OPEN,
        None,
        None,
    )
    assert reopened.reopened_at == story.now + 30_000
    assert reopened.due_at is not None
    assert reopened.due_at > reopened.reopened_at
    assert {one.state for one in list_calls(views).items} == {CallState.OPEN}
    (attempt,) = list_attempts(views).items
    assert attempt.cut_at == reopened.reopened_at


def test_what_the_second_witness_says_is_on_the_call_and_its_last_word_counts(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(5))
    call, _ = story.arrive()
    story.facts.append(WitnessDiffered(story.now, call, Difference.UNSEEN))
    commit(journal, story.facts)
    projection.catch_up()
    found = get_call(views, call)
    assert found is not None
    assert (found.witnessed, found.difference) == (False, "unseen")
    confirmed = [ArrivalConfirmed(story.now, call, in_fallback=True)]
    commit(journal, confirmed, first=next_seq(len(story.facts)))
    projection.catch_up()
    found = get_call(views, call)
    assert found is not None
    assert (found.witnessed, found.difference, found.in_fallback) == (True, None, True)


def test_an_agents_status_is_known_and_logged(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(5))
    for _ in range(5):
        story.answered()
    commit(journal, story.facts)
    projection.catch_up()
    (agent,) = list_agents(views)
    assert (agent.id, agent.status, agent.reachable) == (ANN, Status.RINGING, True)
    assert agent.since_at == story.now
    assert len(list_statuses(views, agent=ANN).items) == 5
    assert list_statuses(views, agent="bob").items == ()


def test_copying_in_steps_of_any_size_gives_the_same(
    journal: SqlJournal, projection: Projection, views: Database, location: Location
) -> None:
    story = Story(Random(9)).tell(60)
    commit(journal, story.facts)
    sizes = Random(3)
    total = 0
    while copied := projection.catch_up(sizes.randrange(1, 30)):
        total += copied
    assert total == len(story.facts)
    once = contents(views)
    assert projection.catch_up() == 0
    assert contents(views) == once
    assert projection.rebuild() == total
    assert contents(views) == once
    assert projection.copied_to() == total
    del location


def test_many_may_copy_at_once(
    journal: SqlJournal, projection: Projection, views: Database, location: Location
) -> None:
    story = Story(Random(11)).tell(80)
    projections = [Projection.open(location) for _ in range(4)]
    with ThreadPoolExecutor(5) as pool:
        writing = pool.submit(commit, journal, story.facts)
        copied = 0
        while not writing.done():
            copied += sum(pool.map(lambda one: one.catch_up(7), projections))
        writing.result()
        copied += sum(pool.map(lambda one: one.catch_up_fully(), projections))
    for one in projections:
        one.close()
        one.views.close()
    assert copied == len(story.facts)
    told = [row.fact for row in read_all(views)]
    assert told == story.facts
    once = contents(views)
    projection.rebuild()
    assert contents(views) == once


def read_all(views: Database) -> list[Any]:
    found: list[Any] = []
    while page := list_facts(views, after=found[-1].id if found else 0, limit=100):
        found += page
    return found


def test_before_the_first_engine_there_is_nothing_to_copy(sqlite_location: Location) -> None:
    projection = Projection.open(sqlite_location)
    with pytest.raises(Unavailable, match="no engine ran here"):
        projection.catch_up()
    projection.close()
    projection.views.close()


def test_after_a_restore_new_facts_flow_and_the_lost_ones_stay(
    sqlite_location: Location, tmp_path: Path
) -> None:
    """The backup knows less than what was copied from the store that was lost."""
    journal = SqlJournal.open(sqlite_location, tenant=TENANT)
    commit(journal, [PlanTaken(n, PlanVersion("first")) for n in range(8)])
    journal.close()
    file = sqlite_location.directory / "journal.db"
    shutil.copy(file, tmp_path / "backup")
    journal = SqlJournal.open(sqlite_location, tenant=TENANT)
    commit(journal, [PlanTaken(n, PlanVersion("lost")) for n in range(8)], first=3)
    journal.close()
    projection = Projection.open(sqlite_location)
    assert projection.catch_up_fully() == 16
    projection.close()

    file.unlink()
    shutil.copy(tmp_path / "backup", file)
    journal = SqlJournal.open(sqlite_location, tenant=TENANT)
    commit(journal, [PlanTaken(n, PlanVersion("after")) for n in range(4)], first=3)
    journal.close()
    assert projection.catch_up_fully() == 4
    told = [row.fact.plan for row in read_all(projection.views)]
    assert told == ["first"] * 8 + ["lost"] * 8 + ["after"] * 4
    projection.close()
    projection.views.close()


def test_a_call_is_explained_by_its_facts_in_order(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(5))
    debt = story.missed()
    story.answered()
    commit(journal, story.facts)
    projection.catch_up()
    call = list_calls(views, debt=debt).items[0].id
    told = [type(row.fact).__name__ for row in facts_of_call(views, call)]
    assert told == [
        "CallReceived",
        "CallQueued",
        "AgentStatusChanged",
        "OfferMade",
        "OfferEnded",
        "CallMissed",
        "DebtOpened",
        "CallOwed",
    ]
    of_debt = facts_of_debt(views, debt)
    assert [type(row.fact).__name__ for row in of_debt] == [
        "DebtOpened",
        "CallOwed",
        "AttemptScheduled",
    ]
    rest = facts_of_debt(views, debt, after=of_debt[0].id, limit=1)
    assert rest == of_debt[1:2]
    assert [type(row.fact).__name__ for row in list_facts(views, types=["CallAnswered"])] == [
        "CallAnswered"
    ]


def test_pages_hold_every_call_once_newest_first(
    journal: SqlJournal, projection: Projection, views: Database
) -> None:
    story = Story(Random(13)).tell(60)
    commit(journal, story.facts)
    projection.catch_up()
    whole = list_calls(views, limit=500).items
    assert len(whole) == len(story.standing)
    assert [call.received_at for call in whole] == sorted(
        (call.received_at for call in whole), reverse=True
    )
    assert all_pages(lambda cursor: list_calls(views, limit=7, cursor=cursor)) == list(whole)
    debts = list_debts(views, limit=500).items
    assert all_pages(lambda cursor: list_debts(views, limit=3, cursor=cursor)) == list(debts)
    attempts = list_attempts(views, limit=500).items
    assert all_pages(lambda cursor: list_attempts(views, limit=2, cursor=cursor)) == list(attempts)


def test_lists_are_filtered(journal: SqlJournal, projection: Projection, views: Database) -> None:
    story = Story(Random(17)).tell(60)
    commit(journal, story.facts)
    projection.catch_up()
    for state in CallState:
        found = list_calls(views, states=[state], limit=500).items
        assert {call.id for call in found} == {
            call for call, standing in story.standing.items() if standing == state.value
        }
    owed = list_debts(views, Wanted(states=[DebtState.OPEN]), limit=500).items
    assert {debt.person for debt in owed} == set(story.debts)
    middle = story.now // 2 + 500_000
    early = list_calls(views, until=middle, limit=500).items
    late = list_calls(views, since=middle, limit=500).items
    assert len(early) + len(late) == len(story.standing)
    assert all(call.received_at >= middle for call in late)
    assert list_calls(views, queue="nowhere").items == ()
    assert list_calls(views, agent="x'; DROP TABLE calls; --\0\ud800").items == ()
    assert list_debts(views, Wanted(due_before=0)).items == ()


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": 0},
        {"limit": 501},
        {"limit": -1},
        {"since": 2**64},
        {"until": -(2**70)},
        {"cursor": ""},
        {"cursor": "!!"},
        {"cursor": "W10"},
        {"cursor": "WyJhIiwgImIiXQ"},
        {"cursor": "ü"},
        {"cursor": "A" * 5_000},
    ],
)
def test_a_list_that_cannot_be_served_is_refused_in_words(
    views: Database, asked: dict[str, Any]
) -> None:
    with pytest.raises(BadQuery):
        list_calls(views, **asked)
