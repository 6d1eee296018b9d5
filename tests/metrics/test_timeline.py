"""The stages of a call as they are drawn: whose line, from when to when, and what came of it."""

from typing import Any

from perezvon.core.commands import DialClient
from perezvon.core.events import (
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    TransferCompletionAsked,
)
from perezvon.core.ids import SECOND, RuleId
from perezvon.core.plan import CallbackRule
from perezvon.metrics.timeline import Part, PartKind, timeline
from tests.core.office import ANA, BOB, START, Office, office_plan
from tests.core.test_transfer import Desk


def shown(part: Part, start: int = START) -> list[tuple[Any, ...]]:
    """Moments as seconds since the start."""

    def since(at: int | None) -> float | None:
        return None if at is None else (at - start) / SECOND

    return [
        (span.stage.value, span.agent, since(span.from_at), since(span.to_at), span.outcome)
        for span in part.spans
    ]


def test_a_talk_is_drawn_from_the_queue_to_the_wrap_up() -> None:
    office = Office(office_plan(ANA, BOB))
    leg = office.call()
    office.all_ring()
    office.later(4 * SECOND)
    office.answer(ANA)
    office.later(7 * SECOND)
    office.tell(LegEnded(leg, EndCause.NORMAL))
    (part,) = timeline(office.facts)
    assert shown(part) == [
        ("waiting", None, 0, 4, None),
        ("ringing", "ana", 0, 4, "answered"),
        ("ringing", "bob", 0, 4, "rescinded"),
        ("talk", "ana", 4, 14, None),
        ("wrap_up", "ana", 14, None, None),
    ]
    assert (part.kind, part.outcome) == (PartKind.CALL, "client")


def test_a_call_that_goes_on_has_no_end_yet() -> None:
    office = Office(office_plan(ANA))
    office.call()
    office.all_ring()
    office.later(4 * SECOND)
    (part,) = timeline(office.facts)
    assert part.to_at is None
    assert [(stage, to) for stage, _, _, to, _ in shown(part)] == [
        ("waiting", None),
        ("ringing", None),
    ]


def test_a_missed_call_and_its_callback_are_two_parts() -> None:
    office = Office(office_plan(ANA, rules=[CallbackRule(RuleId("r"), briefing=False)]))
    office.pause(ANA)
    leg = office.call()
    office.later(8 * SECOND)
    office.tell(LegEnded(leg, EndCause.NORMAL))
    office.later(60 * SECOND)
    office.sign_in(ANA)
    office.all_ring()
    office.later(2 * SECOND)
    office.tell(LegAnswered(office.rings()[ANA]))
    start = office.now - 2 * SECOND
    dial = office.told(DialClient)[-1]
    office.tell(LegRinging(dial.leg))
    office.later(5 * SECOND)
    office.tell(LegAnswered(dial.leg))
    office.later(9 * SECOND)
    office.tell(LegEnded(dial.leg, EndCause.NORMAL))
    missed, callback = timeline(office.facts)
    assert (missed.kind, missed.outcome) == (PartKind.CALL, "left_waiting")
    assert shown(missed)[0] == ("waiting", None, 0, 8, None)
    assert callback.kind is PartKind.CALLBACK
    told = [(stage, agent, to, outcome) for stage, agent, _, to, outcome in shown(callback, start)]
    assert told == [
        ("ringing", "ana", 2, "answered"),
        ("dialling", None, 7, "reached"),
        ("talk", "ana", 16, None),
        ("wrap_up", "ana", None, None),
    ]


def test_who_is_asked_first_and_who_takes_over_have_their_own_bars() -> None:
    office = Desk()
    start = office.now
    office.hand(attended=True, to_agent=BOB)
    office.all_ring()
    office.later(3 * SECOND)
    office.answer(BOB, talk_ms=5 * SECOND)
    office.tell(TransferCompletionAsked(office.talk, ANA))
    office.later(10 * SECOND)
    office.tell(LegEnded(office.client, EndCause.NORMAL))
    (part,) = timeline(office.facts)
    since = shown(part, start)
    assert ("transfer", None, 0, 8, None) in since
    assert ("consult", "bob", 3, 8, None) in since
    assert ("talk", "bob", 8, 18, None) in since
    assert [to for stage, agent, _, to, _ in since if (stage, agent) == ("talk", "ana")] == [8]
