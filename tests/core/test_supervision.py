"""Who listens to a talk, whispers or barges in; and the talk goes on whatever becomes of it."""

from dataclasses import replace

import pytest

from perezvon.core import snapshot
from perezvon.core.commands import HangUp, RingAgent, StopRinging, Supervise, SupervisionMode
from perezvon.core.events import (
    DialAsked,
    EndCause,
    LegAnswered,
    LegEnded,
    LegSeen,
    LegState,
    NumberClass,
    RejoinAsked,
    Resynced,
    SuperviseAsked,
    SuperviseEndAsked,
)
from perezvon.core.facts import CallEnded
from perezvon.core.ids import SECOND, AgentId, LegId, PersonId, TrunkId
from perezvon.core.plan import DeviceKind
from perezvon.core.talk_facts import (
    DialRefused,
    SupervisionChanged,
    SupervisionEnded,
    SupervisionEndReason,
    SupervisionStarted,
)
from tests.core.office import ANA, BOB, CAT, Office, office_plan

LISTEN, WHISPER, BARGE = SupervisionMode


@pytest.fixture
def office() -> Office:
    """Ana talks with Ivan; Bob and Cat are free."""
    made = Office(office_plan(ANA, BOB, CAT), signed_in=False)
    made.sign_in(ANA)
    made.call("ivan", "in-ivan")
    made.all_ring()
    made.answer(ANA)
    made.sign_in(BOB, CAT)
    return made


def ask(office: Office, mode: SupervisionMode = LISTEN, supervisor: AgentId = BOB) -> None:
    (call,) = office.engine.calls.values()
    office.tell(SuperviseAsked(call.id, supervisor, mode, by="chief"))


def rung(office: Office) -> RingAgent:
    return office.told(RingAgent)[-1]


def pick_up(office: Office) -> LegId:
    leg = rung(office).leg
    office.tell(LegAnswered(leg))
    return leg


def heard(office: Office) -> list[tuple[SupervisionMode, int]]:
    return [(one.mode, one.count) for one in office.told(Supervise)]


def reasons(office: Office) -> list[SupervisionEndReason]:
    return [fact.reason for fact in office.told(SupervisionEnded)]


def still_talks(office: Office) -> bool:
    ended = [one.leg for one in office.told(HangUp) if one.leg == "in-ivan"]
    return not ended and not office.told(CallEnded)


def test_his_telephone_answers_by_itself_and_then_he_hears_the_talk(office: Office) -> None:
    ask(office)
    ring = rung(office)
    assert (ring.agent, ring.auto, ring.caller) == (BOB, True, None)
    assert not heard(office)
    leg = pick_up(office)
    (call,) = office.engine.calls.values()
    assert call.won is not None
    assert office.told(Supervise) == [Supervise(leg, call.id, call.won.leg, LISTEN, 1)]
    (fact,) = office.told(SupervisionStarted)
    assert (fact.supervisor, fact.agent, fact.mode, fact.by) == (BOB, ANA, LISTEN, "chief")


def test_the_mode_is_changed_while_he_listens_and_before(office: Office) -> None:
    ask(office)
    ask(office, WHISPER)
    pick_up(office)
    ask(office, BARGE)
    ask(office, BARGE)
    assert heard(office) == [(WHISPER, 1), (BARGE, 2)]
    assert [fact.mode for fact in office.told(SupervisionChanged)] == [WHISPER, BARGE]


def test_meanwhile_nobody_rings_him_and_he_dials_nobody(office: Office) -> None:
    ask(office)
    leg = rung(office).leg
    office.call("olga")
    assert list(office.rings()) == [CAT]
    office.tell(DialAsked(BOB, PersonId("petr"), NumberClass.MOBILE, by="bob"))
    assert office.told(DialRefused)
    office.tell(LegAnswered(leg))
    office.call("oleg")
    assert list(office.rings()) == [CAT]
    office.tell(LegEnded(leg, EndCause.NORMAL))
    assert set(office.rings()) == {BOB, CAT}


def test_he_hangs_up_and_the_talk_goes_on(office: Office) -> None:
    ask(office, BARGE)
    leg = pick_up(office)
    office.later(5 * SECOND)
    office.tell(LegEnded(leg, EndCause.NORMAL), LegEnded(leg, EndCause.NORMAL))
    (fact,) = office.told(SupervisionEnded)
    assert (fact.listened_ms, fact.reason) == (5 * SECOND, SupervisionEndReason.HUNG_UP)
    assert still_talks(office)


def test_told_to_stop_his_line_is_ended(office: Office) -> None:
    ask(office)
    leg = pick_up(office)
    office.tell(SuperviseEndAsked(BOB, by="bob"), SuperviseEndAsked(BOB, by="bob"))
    assert [one.leg for one in office.told(HangUp)] == [leg]
    assert reasons(office) == [SupervisionEndReason.ASKED]
    assert still_talks(office)


def test_the_talk_being_over_his_line_is_ended(office: Office) -> None:
    ask(office)
    leg = pick_up(office)
    office.tell(LegEnded(LegId("in-ivan"), EndCause.NORMAL))
    assert leg in [one.leg for one in office.told(HangUp)]
    assert reasons(office) == [SupervisionEndReason.TALK_OVER]
    assert office.engine.agents[BOB].free


def test_whoever_does_not_pick_up_is_rung_no_longer_and_may_be_offered_calls(
    office: Office,
) -> None:
    ask(office)
    leg = rung(office).leg
    office.later(20 * SECOND)
    assert StopRinging(leg) in office.told(StopRinging)
    (fact,) = office.told(SupervisionEnded)
    assert (fact.listened_ms, fact.reason) == (0, SupervisionEndReason.UNANSWERED)
    assert office.engine.agents[BOB].free
    # He picks up in the same breath: he is left in no silence.
    office.tell(LegAnswered(leg))
    assert office.told(StopRinging)[-1].leg == leg
    assert still_talks(office)


def test_who_talks_or_rings_or_has_only_a_mobile_does_not_supervise(office: Office) -> None:
    ask(office, supervisor=ANA)
    office.call("olga")
    talk, waiting = office.engine.calls
    office.tell(SuperviseAsked(talk, CAT, LISTEN, by="chief"))
    office.tell(SuperviseAsked(waiting, BOB, LISTEN, by="chief"))
    assert not office.told(SupervisionStarted)


def test_a_mobile_does_not_supervise_for_its_voicemail_would_listen() -> None:
    plan = office_plan(ANA, BOB)
    bob = replace(
        plan.agents[1], device=DeviceKind.MOBILE, number="+79161234567", trunk=TrunkId("city")
    )
    office = Office(replace(plan, agents=(plan.agents[0], bob)), signed_in=False)
    office.sign_in(ANA)
    office.call()
    office.all_ring()
    office.answer(ANA)
    ask(office)
    assert not office.told(SupervisionStarted)


def test_he_follows_an_agent_whose_telephone_is_another_one_now(office: Office) -> None:
    ask(office)
    pick_up(office)
    office.tell(RejoinAsked(ANA))
    new = rung(office).leg
    office.tell(LegAnswered(new))
    assert [(one.agent, one.count) for one in office.told(Supervise)][-1] == (new, 2)
    assert not office.told(SupervisionEnded)


def test_after_a_crash_he_is_kept_and_what_he_hears_is_set_up_anew(office: Office) -> None:
    ask(office, WHISPER)
    leg = pick_up(office)
    office.engine = snapshot.restore(snapshot.take(office.engine), office.plan)
    (call,) = office.engine.calls.values()
    assert call.won is not None
    talk = (
        LegSeen(LegId("in-ivan"), LegState.UP, call.won.leg),
        LegSeen(call.won.leg, LegState.UP, LegId("in-ivan")),
    )
    office.tell(Resynced((*talk, LegSeen(leg, LegState.UP))))
    assert heard(office) == [(WHISPER, 1), (WHISPER, 1)]
    office.tell(Resynced(talk))
    assert reasons(office) == [SupervisionEndReason.LOST]
    assert still_talks(office)


def test_a_telephone_that_was_picked_up_while_nobody_looked_hears_the_talk(
    office: Office,
) -> None:
    ask(office)
    leg = rung(office).leg
    (call,) = office.engine.calls.values()
    assert call.won is not None
    legs = (LegId("in-ivan"), call.won.leg, leg)
    office.tell(Resynced(tuple(LegSeen(one, LegState.UP) for one in legs)))
    assert heard(office) == [(LISTEN, 1)]
