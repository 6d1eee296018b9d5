"""An agent dials by hand: whom he may, from his own telephone to what it came to."""

import pytest

from perezvon.core.commands import ConnectCall, DialClient, RingAgent
from perezvon.core.events import (
    CallArrived,
    Caller,
    DeviceChanged,
    DialAsked,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    NumberClass,
)
from perezvon.core.facts import (
    AgentStatusChanged,
    AttemptMade,
    AttemptOutcome,
    CallEnded,
    DebtOpened,
    DebtSettled,
    MissReason,
    OfferEnded,
    OfferOutcome,
    PlacedCallFailed,
    Settlement,
    Status,
)
from perezvon.core.ids import SECOND, AgentId, LegId, PersonId
from perezvon.core.talk_facts import CallPlaced, DialRefusal, DialRefused, PlacedCallAnswered
from tests.core.office import ANA, BOB, DID, Office, office_plan

IVAN = PersonId("ivan")


def office() -> Office:
    return Office(office_plan(ANA, BOB))


def dial(office: Office, agent: AgentId = ANA, person: PersonId = IVAN) -> None:
    office.tell(DialAsked(agent, person, NumberClass.MOBILE, by=agent))


def picks_up_own(office: Office, agent: AgentId = ANA) -> DialClient:
    office.tell(LegAnswered(office.rings()[agent]))
    return office.told(DialClient)[-1]


def statuses(office: Office, agent: AgentId = ANA) -> list[Status]:
    return [fact.status for fact in office.told(AgentStatusChanged) if fact.agent == agent]


def owe_ivan(office: Office) -> None:
    """He called, and left before anybody answered; nobody is free to call him back."""
    for agent in (ANA, BOB):
        office.pause(agent)
    leg = office.call("ivan")
    office.later(20 * SECOND)
    office.tell(LegEnded(leg, EndCause.CANCELLED))


def test_his_own_telephone_answers_by_itself_and_then_the_client_rings() -> None:
    story = office()
    dial(story)
    (ring,) = story.told(RingAgent)
    assert (ring.agent, ring.auto, ring.person) == (ANA, True, IVAN)
    dialled = picks_up_own(story)
    assert (dialled.person, dialled.did, dialled.agent) == (IVAN, DID, ring.leg)
    (placed,) = story.told(CallPlaced)
    assert placed.leg == dialled.leg
    story.tell(LegRinging(dialled.leg), LegAnswered(dialled.leg))
    assert story.told(ConnectCall)[-1] == ConnectCall(placed.call, dialled.leg, ring.leg)
    story.later(5 * SECOND)
    story.tell(LegEnded(dialled.leg, EndCause.NORMAL))
    assert story.told(PlacedCallAnswered)[0].agent == ANA
    assert story.told(CallEnded)[0].talk_ms == 5 * SECOND
    assert statuses(story)[-2:] == [Status.TALKING, Status.WRAP_UP]
    assert story.engine.ledger.arrivals == 0


def test_a_talk_with_whom_we_owe_recovers_his_debt() -> None:
    story = office()
    owe_ivan(story)
    dial(story)
    dialled = picks_up_own(story)
    assert not story.told(CallPlaced)
    story.tell(LegAnswered(dialled.leg))
    story.later(5 * SECOND)
    (settled,) = story.told(DebtSettled)
    assert (settled.how, settled.by) == (Settlement.RECOVERED, ANA)
    assert story.engine.ledger.recovered == 1


def test_whom_we_owe_and_who_does_not_answer_used_up_a_step_of_his_ladder() -> None:
    story = office()
    owe_ivan(story)
    dial(story)
    dialled = picks_up_own(story)
    story.tell(LegRinging(dialled.leg), LegEnded(dialled.leg, EndCause.BUSY))
    (made,) = story.told(AttemptMade)
    assert (made.outcome, made.counted, made.agent) == (AttemptOutcome.BUSY, True, ANA)


def test_his_own_telephone_that_is_not_answered_is_no_miss_of_his() -> None:
    story = office()
    dial(story)
    story.all_ring()
    story.later(20 * SECOND)
    (ended,) = story.told(OfferEnded)
    assert ended.outcome is OfferOutcome.RESCINDED
    assert story.told(PlacedCallFailed)[0].outcome is AttemptOutcome.CANCELLED
    assert story.engine.agents[ANA].status is Status.AVAILABLE


def test_who_dials_out_of_a_pause_is_paused_again_after_it() -> None:
    story = office()
    story.pause(ANA)
    dial(story)
    dialled = picks_up_own(story)
    story.tell(LegEnded(dialled.leg, EndCause.BAD_NUMBER))
    agent = story.engine.agents[ANA]
    assert (agent.status, agent.reason) == (Status.PAUSED, "tea")
    assert story.told(PlacedCallFailed)[0].outcome is AttemptOutcome.BAD_NUMBER


def test_who_calls_while_he_is_dialled_gets_the_agent_who_dials_him() -> None:
    story = office()
    dial(story)
    dialled = picks_up_own(story)
    ring = story.told(RingAgent)[0]
    leg = LegId("in-ivan")
    story.tell(CallArrived(leg, DID, Caller(IVAN, NumberClass.MOBILE)))
    assert story.told(ConnectCall)[-1].client == leg
    assert story.told(ConnectCall)[-1].agent == ring.leg
    assert dialled.leg in story.engine.state.ending


def test_a_person_who_is_on_the_line_is_not_dialled() -> None:
    story = office()
    story.call("ivan")
    story.all_ring()
    story.answer(BOB)
    dial(story)
    assert story.told(DialRefused)[0].reason is DialRefusal.ON_THE_LINE


def test_a_person_whom_a_colleague_dials_is_not_dialled_again() -> None:
    story = office()
    dial(story)
    dial(story, BOB)
    assert story.told(DialRefused)[0].reason is DialRefusal.ON_THE_LINE
    assert len(story.told(RingAgent)) == 1


@pytest.mark.parametrize("what", ["talks", "is away"])
def test_an_agent_who_cannot_be_rung_does_not_dial(what: str) -> None:
    story = office()
    if what == "talks":
        story.call("olga")
        story.all_ring()
        story.answer(ANA)
    else:
        story.tell(DeviceChanged(ANA, reachable=False))
    dial(story)
    wanted = DialRefusal.AGENT_BUSY if what == "talks" else DialRefusal.TELEPHONE_AWAY
    assert story.told(DialRefused)[0].reason is wanted


def test_an_agent_who_hangs_up_while_it_rings_has_broken_it_off() -> None:
    story = office()
    dial(story)
    dialled = picks_up_own(story)
    ring = story.told(RingAgent)[0]
    story.tell(LegRinging(dialled.leg), LegEnded(ring.leg, EndCause.NORMAL))
    assert story.told(PlacedCallFailed)[0].outcome is AttemptOutcome.CANCELLED
    assert not story.engine.calls
    assert dialled.leg in story.engine.state.ending


def test_whom_we_miss_while_an_agent_dials_him_is_called_when_that_is_over() -> None:
    """He has two telephones: his own call waits in vain while the other one rings."""
    story = office()
    story.pause(BOB)
    dial(story)
    dialled = picks_up_own(story)
    story.tell(LegAnswered(dialled.leg))
    story.later(3 * SECOND)
    leg = story.call("ivan")
    story.later(20 * SECOND)
    story.tell(LegEnded(leg, EndCause.CANCELLED))
    assert story.told(DebtOpened)[0].reason is MissReason.LEFT_WAITING
    assert len(story.told(RingAgent)) == 1
    story.tell(LegEnded(dialled.leg, EndCause.NORMAL))
    story.later(20 * SECOND)
    assert len(story.told(RingAgent)) == 2
