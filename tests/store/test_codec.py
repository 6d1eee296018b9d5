"""Events and facts come back from their bytes as they were, or are refused in plain words."""

import dataclasses
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perezvon.core.events import (
    CallArrived,
    Caller,
    DigitPressed,
    Event,
    LegAnswered,
    LegSeen,
    LegState,
    NumberClass,
    PlanChanged,
    Resynced,
    TimePassed,
)
from perezvon.core.facts import Fact, PlanTaken
from perezvon.core.ids import LegId, PlanVersion
from perezvon.core.plan import Plan
from perezvon.store.codec import (
    CodecError,
    decode_event,
    decode_fact,
    encode_event,
    encode_fact,
)
from perezvon.store.plans import with_version
from tests.store.stories import small_plan

PLAN = with_version(small_plan())
WHOLE = st.integers(-(2**53), 2**53)

st.register_type_strategy(int, WHOLE)
EVENTS = st.one_of(
    *(st.from_type(kind) for kind in get_args(Event) if kind is not PlanChanged),
    st.just(PlanChanged(PLAN)),
)
FACTS = st.one_of(*(st.from_type(kind) for kind in get_args(Fact)))


def plan_of(version: PlanVersion) -> Plan:
    return {PLAN.version: PLAN}[version]


@given(EVENTS)
def test_an_event_comes_back_as_it_was(event: Event) -> None:
    assert decode_event(encode_event(event), plan_of) == event


@given(FACTS)
def test_a_fact_comes_back_as_it_was(fact: Fact) -> None:
    assert decode_fact(encode_fact(fact)) == fact


@pytest.mark.parametrize("kind", [*get_args(Event), *get_args(Fact)])
def test_every_kind_is_named_by_its_type_and_fields(kind: type[Any]) -> None:
    """A field that is renamed makes old journals unreadable: this is seen here first."""
    is_event = kind in get_args(Event)
    for name in [field.name for field in dataclasses.fields(kind)]:
        data = f'{{"t": "{kind.__name__}", "{name}_": 1}}'.encode()
        with pytest.raises(CodecError, match=r"unknown|missing|needs"):
            decode_event(data, plan_of) if is_event else decode_fact(data)


def test_the_bytes_can_be_read_by_eye() -> None:
    assert encode_event(LegAnswered(LegId("t-1"))) == b'{"t":"LegAnswered","leg":"t-1"}'
    assert encode_event(TimePassed()) == b'{"t":"TimePassed"}'


def test_a_changed_plan_is_stored_by_its_version_only() -> None:
    data = encode_event(PlanChanged(PLAN))
    assert data == b'{"t":"PlanChanged","plan":"%s"}' % PLAN.version.encode()


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "not readable"),
        (b"{", "not readable"),
        (b"[1]", "not readable"),
        (b'{"t": "\xff"}', "not readable"),
        (b'{"leg": "x"}', "has no type"),
        (b'{"t": 5}', "has no type"),
        (b'{"t": "LegVanished", "leg": "x"}', "unknown type 'LegVanished'"),
        (b'{"t": "LegAnswered"}', "missing required field `leg`"),
        (b'{"t": "LegAnswered", "leg": 5}', "Expected `str`"),
        (b'{"t": "LegAnswered", "leg": "x", "colour": 1}', "unknown field 'colour'"),
        (b'{"t": "LegEnded", "leg": "x", "cause": "boredom"}', "Invalid enum value"),
        (b'{"t": "PlanChanged", "plan": "0123"}', "plan '0123' is not stored"),
        (b'{"t": "PlanChanged"}', "PlanChanged: needs `plan`"),
    ],
)
def test_what_cannot_be_read_is_refused_with_what_and_where(data: bytes, what: str) -> None:
    with pytest.raises(CodecError, match=what) as caught:
        decode_event(data, plan_of, "journal row 17")
    assert str(caught.value).startswith("journal row 17: ")


def test_an_unknown_field_is_found_however_deep() -> None:
    call = CallArrived(LegId("a"), "100", Caller(None, NumberClass.WITHHELD))
    event = Resynced((LegSeen(LegId("a"), LegState.UP, inbound=call),))
    data = encode_event(event).replace(b'"number_class"', b'"shoe_size":44,"number_class"')
    with pytest.raises(CodecError, match=r"legs\[0\]\.inbound\.caller\.shoe_size"):
        decode_event(data, plan_of)


def test_a_field_that_came_later_takes_its_default() -> None:
    data = (
        b'{"t":"CallArrived","leg":"a","did":"1","caller":{"person":null,"number_class":"mobile"}}'
    )
    event = decode_event(data, plan_of)
    assert isinstance(event, CallArrived)
    assert event.trunk is None


def test_half_a_surrogate_pair_does_not_stop_the_journal() -> None:
    event = decode_event(encode_event(DigitPressed(LegId("a"), "\ud800")), plan_of)
    assert event == DigitPressed(LegId("a"), "\ufffd")
    fact = decode_fact(encode_fact(PlanTaken(5, PlanVersion("v\udfff"))))
    assert fact == PlanTaken(5, PlanVersion("v\ufffd"))
