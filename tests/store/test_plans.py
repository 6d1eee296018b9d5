"""A plan's version is its content's digest, and its stored form proves it."""

import dataclasses

import pytest

from perezvon.core.events import PlanChanged
from perezvon.core.ids import PlanVersion, QueueId
from perezvon.runtime.ports import Batch, Row
from perezvon.store.codec import CodecError
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.journal import SqlJournal
from perezvon.store.plans import decode_plan, encode_plan, list_plans, version_of, with_version
from tests.store.stories import small_plan


def test_the_version_is_of_the_content_and_not_of_the_version() -> None:
    plan = small_plan()
    assert version_of(plan) == version_of(with_version(plan))
    assert version_of(plan) != version_of(small_plan("Support"))
    assert len(version_of(plan)) == 16


def test_a_plan_comes_back_under_its_version() -> None:
    plan = with_version(small_plan())
    assert decode_plan(encode_plan(plan)) == plan


def test_the_canonical_form_has_its_keys_in_order() -> None:
    data = encode_plan(small_plan()).decode()
    assert data.index('"agents"') < data.index('"groups"') < data.index('"zone"')
    assert '"version":""' in data


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"tenant": 5}'])
def test_what_is_not_a_plan_is_refused(data: bytes) -> None:
    with pytest.raises(CodecError, match="not a plan"):
        decode_plan(data, "plan 0123")


def test_a_stored_plan_that_contradicts_itself_is_refused() -> None:
    data = encode_plan(small_plan()).replace(b'"sales"', b'"sales"', 1)
    broken = data.replace(b'"default_queue":null', b'"default_queue":"nowhere"')
    with pytest.raises(CodecError, match="nowhere"):
        decode_plan(broken)


def test_the_journal_refuses_a_plan_under_a_version_that_is_not_its_own(
    journal: SqlJournal,
) -> None:
    plan = dataclasses.replace(small_plan(), version=PlanVersion("v1"))
    with pytest.raises(ValueError, match="not what its version says"):
        journal.commit(Batch([Row(1, 5, PlanChanged(plan))]))
    assert journal.recover().rows == ()


def test_the_applied_plans_are_listed_newest_first(journal: SqlJournal, location: Location) -> None:
    first, second = with_version(small_plan()), with_version(small_plan("Support"))
    changes = [PlanChanged(first), PlanChanged(second), PlanChanged(first)]
    journal.commit(Batch([Row(n, n, change) for n, change in enumerate(changes, 1)]))
    reader = open_journal_reader(location)
    with reader.read() as connection:
        applied = list_plans(connection).items
    reader.close()
    assert [(plan.version, plan.seq) for plan in applied] == [
        (first.version, 3),
        (second.version, 2),
        (first.version, 1),
    ]
    assert journal.recover().plan == first
    assert first.queues[0].id == QueueId("sales")
