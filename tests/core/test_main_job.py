"""The main job, told as stories: answered in seconds, or owed and called back."""

import pytest

from perezvon.core import snapshot
from perezvon.core.commands import (
    ConnectCall,
    DialClient,
    HangUp,
    PlayPrompt,
    PromptKind,
    RingAgent,
    StopRinging,
)
from perezvon.core.events import (
    AgentStatusSet,
    ArrivalWitnessed,
    CallArrived,
    Caller,
    CallFellBack,
    ChosenStatus,
    DeviceChanged,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegSeen,
    LegState,
    NumberClass,
    PromptEnded,
    Resynced,
)
from perezvon.core.facts import (
    AttemptMade,
    AttemptOutcome,
    CallAnswered,
    CallMissed,
    CallWaived,
    DebtOpened,
    DebtSettled,
    MissReason,
    OfferEnded,
    OfferMade,
    OfferOutcome,
    Settlement,
    Status,
    WaiverKind,
)
from perezvon.core.ids import MINUTE, SECOND, AgentId, LegId, PersonId, RuleId
from perezvon.core.plan import CallbackOrder, CallbackRule, Ladder, Step
from tests.core.office import ANA, BOB, CAT, DAN, DID, Office, office_plan


def test_three_telephones_ring_at_once_and_the_first_answer_wins() -> None:
    office = Office(office_plan(ANA, BOB, CAT, DAN))
    caller = office.call()
    assert set(office.rings()) == {ANA, BOB, CAT}
    office.all_ring()
    legs = office.rings()
    commands = office.tell(LegAnswered(legs[BOB]))
    assert commands[0] == ConnectCall(next(iter(office.engine.calls)), caller, legs[BOB])
    assert StopRinging(legs[ANA]) in commands
    assert StopRinging(legs[CAT]) in commands
    office.later(3 * SECOND)
    outcomes = {fact.agent: fact.outcome for fact in office.told(OfferEnded)}
    assert outcomes == {
        ANA: OfferOutcome.RESCINDED,
        BOB: OfferOutcome.ANSWERED,
        CAT: OfferOutcome.RESCINDED,
    }
    assert office.engine.ledger.answered == 1


def test_the_second_answer_of_the_same_moment_is_hung_up() -> None:
    office = Office(office_plan(ANA, BOB))
    office.call()
    office.all_ring()
    legs = office.rings()
    office.tell(LegAnswered(legs[ANA]))
    assert office.tell(LegAnswered(legs[BOB])) == [StopRinging(legs[BOB])]
    assert len(office.told(ConnectCall)) == 1


def test_who_lets_it_ring_has_missed_it_and_others_ring_next() -> None:
    office = Office(office_plan(ANA, BOB, CAT, DAN))
    office.call()
    office.all_ring()
    office.later(10 * SECOND)
    missed = [f for f in office.told(OfferEnded) if f.outcome is OfferOutcome.MISSED]
    assert {fact.agent for fact in missed} == {ANA, BOB, CAT}
    assert all(fact.ring_ms == 10 * SECOND for fact in missed)
    assert set(office.rings()) == {DAN}
    office.all_ring()
    office.later(10 * SECOND)
    # Everyone was tried: now all may ring again.
    assert len(office.rings()) == 3


def test_a_telephone_without_a_sign_is_unreachable_and_another_rings_at_once() -> None:
    office = Office(office_plan(ANA, BOB, step=Step(agents=(ANA, BOB), k=1)))
    office.call()
    first = next(iter(office.rings()))
    office.later(2 * SECOND)
    assert set(office.rings()) == {ANA, BOB} - {first}
    assert office.told(OfferEnded)[0].outcome is OfferOutcome.UNREACHABLE
    assert not office.engine.agents[first].reachable
    office.tell(DeviceChanged(first, reachable=True))
    assert office.engine.agents[first].free


def test_a_telephone_that_is_known_to_be_gone_is_not_tried_until_it_is_back() -> None:
    office = Office(office_plan(ANA, BOB, step=Step(agents=(ANA, BOB), k=1)))
    office.call()
    office.all_ring()
    (first,) = office.rings()
    office.tell(DeviceChanged(first, reachable=False))
    assert set(office.rings()) == {ANA, BOB} - {first}
    office.later(MINUTE)
    assert not office.engine.agents[first].reachable
    office.tell(DeviceChanged(first, reachable=True))
    assert office.engine.agents[first].reachable


def test_a_refusal_bars_the_agent_for_this_call_for_good() -> None:
    office = Office(office_plan(ANA, BOB))
    office.call()
    office.all_ring()
    office.tell(LegEnded(office.rings()[ANA], EndCause.REFUSED))
    assert set(office.rings()) == {BOB}
    office.later(10 * SECOND)
    assert set(office.rings()) == {BOB}
    assert office.engine.agents[ANA].free


def test_a_miss_resets_idleness_so_an_absent_agent_does_not_stay_first() -> None:
    office = Office(office_plan(ANA, BOB, step=Step(agents=(ANA, BOB), k=1)))
    office.call("one")
    office.all_ring()
    assert set(office.rings()) == {ANA}
    office.later(10 * SECOND)
    office.all_ring()
    office.answer(BOB)
    office.tell(LegEnded(LegId("in-one-0"), EndCause.NORMAL))
    office.later(20 * SECOND)
    assert office.engine.agents[ANA].idle_since_at > office.engine.agents[ANA].since - MINUTE


def test_short_attempts_are_waived_and_longer_ones_are_owed_with_owner_and_due_time() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    short = office.call("short")
    office.later(1 * SECOND)
    office.tell(LegEnded(short, EndCause.CANCELLED))
    long = office.call("long")
    office.later(8 * SECOND)
    office.tell(LegEnded(long, EndCause.CANCELLED))
    assert [fact.kind for fact in office.told(CallWaived)] == [WaiverKind.SHORT]
    (debt,) = office.told(DebtOpened)
    assert debt.owner == ANA
    assert debt.due_at > office.now
    assert office.engine.ledger.open == office.engine.ledger.debts_open == 1


def missed(office: Office, name: str = "ivan") -> None:
    leg = office.call(name)
    office.later(8 * SECOND)
    office.tell(LegEnded(leg, EndCause.CANCELLED))


def sign_in(office: Office, *people: str) -> None:
    for person in people:
        office.tell(AgentStatusSet(AgentId(person), ChosenStatus.AVAILABLE))


def test_agent_first_hears_whom_he_calls_back_then_the_client_is_dialled() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    missed(office)
    sign_in(office, "ana")
    (ring,) = office.told(RingAgent)
    assert ring.leg.endswith("d1/1a1")
    assert ring.callback_clock == "17:13"
    office.all_ring()
    office.later(SECOND)
    commands = office.tell(LegAnswered(ring.leg))
    (briefing,) = [each for each in commands if isinstance(each, PlayPrompt)]
    assert briefing.prompt.kind is PromptKind.BRIEFING
    assert briefing.prompt.waited_ms == 8 * SECOND
    office.tell(PromptEnded(ring.leg, briefing.playback))
    (dial,) = office.told(DialClient)
    assert dial.leg.endswith("d1/1c")
    assert dial.did == DID
    office.tell(LegRinging(dial.leg))
    office.later(5 * SECOND)
    office.tell(LegAnswered(dial.leg))
    office.later(3 * SECOND)
    (settled,) = office.told(DebtSettled)
    assert settled.how is Settlement.RECOVERED
    # The agent's telephone rang for the second before he took it, not until the client did.
    assert [fact.ring_ms for fact in office.told(OfferEnded)] == [SECOND]
    office.tell(LegEnded(dial.leg, EndCause.NORMAL))
    assert office.engine.agents[ANA].status is Status.WRAP_UP
    assert office.engine.ledger.recovered == 1


def test_client_first_waits_for_an_agent_with_the_oldest_place() -> None:
    rule = CallbackRule(RuleId("cf"), order=CallbackOrder.CLIENT_FIRST)
    office = Office(office_plan(ANA, rules=[rule]), signed_in=False)
    missed(office)
    sign_in(office, "ana")
    (dial,) = office.told(DialClient)
    assert not office.told(RingAgent)
    office.tell(LegAnswered(dial.leg))
    office.all_ring()
    office.answer(ANA)
    assert office.engine.ledger.recovered == 1


def test_an_unanswered_callback_goes_up_the_ladder_and_stays_owed() -> None:
    rule = CallbackRule(
        RuleId("r"), ladder=Ladder((0, 5 * MINUTE)), gap_ms_min=MINUTE, briefing=False
    )
    office = Office(office_plan(ANA, rules=[rule]), signed_in=False)
    missed(office)
    sign_in(office, "ana")
    for _ in range(2):
        office.all_ring()
        office.tell(LegAnswered(office.rings()[ANA]))
        dial = office.told(DialClient)[-1]
        office.tell(LegRinging(dial.leg))
        office.later(25 * SECOND)
        office.later(4 * MINUTE + 36 * SECOND)
    made = office.told(AttemptMade)
    assert [fact.outcome for fact in made] == [AttemptOutcome.NO_ANSWER] * 2
    (debt,) = office.engine.debts.values()
    assert debt.next_at is None
    assert office.engine.ledger.open == 1


def test_a_client_who_calls_while_the_agent_is_rung_for_him_wins() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    missed(office)
    sign_in(office, "ana")
    office.all_ring()
    callback_leg = office.rings()[ANA]
    office.call("ivan", "in-again")
    assert StopRinging(callback_leg) in office.commands
    office.all_ring()
    office.answer(ANA)
    (settled,) = office.told(DebtSettled)
    assert settled.how is Settlement.REACHED_US
    assert office.engine.ledger.reached_us == 1
    assert office.engine.ledger.answered == 1


def test_a_client_who_calls_while_we_dial_him_gets_the_agent_who_waits_for_him() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    missed(office)
    sign_in(office, "ana")
    office.all_ring()
    agent_leg = office.rings()[ANA]
    office.tell(LegAnswered(agent_leg))
    prompt = office.told(PlayPrompt)[-1]
    office.tell(PromptEnded(agent_leg, prompt.playback))
    dial = office.told(DialClient)[-1]
    office.tell(LegRinging(dial.leg))
    again = office.call("ivan", "in-again")
    assert HangUp(dial.leg) in office.commands
    connect = office.told(ConnectCall)[-1]
    assert (connect.client, connect.agent) == (again, agent_leg)
    office.later(3 * SECOND)
    assert office.told(DebtSettled)[-1].how is Settlement.REACHED_US
    assert len(office.told(CallAnswered)) == 1


def test_a_second_miss_of_the_same_person_is_evidence_not_a_second_debt() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    missed(office)
    missed(office)
    assert len(office.told(DebtOpened)) == 1
    assert office.engine.ledger.open == 2
    assert office.engine.ledger.debts_open == 1


def test_live_callers_go_before_debts_and_the_reserve_stays_free() -> None:
    rule = CallbackRule(RuleId("r"), reserve=1)
    office = Office(office_plan(ANA, BOB, rules=[rule]), signed_in=False)
    missed(office)
    sign_in(office, "ana")
    assert not office.told(RingAgent)
    sign_in(office, "bob")
    assert len(office.told(RingAgent)) == 1
    office.later(0)
    office.call("live")
    assert len(office.rings()) == 2


def test_a_trunk_failure_uses_up_no_step_of_the_ladder() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    missed(office)
    sign_in(office, "ana")
    office.all_ring()
    office.tell(LegAnswered(office.rings()[ANA]))
    prompt = office.told(PlayPrompt)[-1]
    office.tell(PromptEnded(prompt.leg, prompt.playback))
    office.tell(LegEnded(office.told(DialClient)[-1].leg, EndCause.TRUNK_FAILED))
    (made,) = office.told(AttemptMade)
    assert not made.counted
    (debt,) = office.engine.debts.values()
    assert debt.counted == 0
    office.later(31 * SECOND)
    assert office.told(RingAgent)[-1].leg.endswith("d1/2a1")


def test_an_answer_that_drops_at_once_leaves_the_caller_his_place() -> None:
    office = Office(office_plan(ANA, BOB))
    office.call()
    office.all_ring()
    legs = office.rings()
    office.tell(LegAnswered(legs[ANA]))
    office.later(SECOND)
    office.tell(LegEnded(legs[ANA], EndCause.NORMAL))
    assert set(office.rings()) == {BOB}
    assert office.told(OfferEnded)[-1].outcome is OfferOutcome.DROPPED_AT_ANSWER
    assert not office.told(CallAnswered)


def test_a_caller_of_whom_we_lost_sight_is_owed_unless_the_witness_saw_a_talk() -> None:
    office = Office(office_plan(ANA, BOB))
    lost, talked = office.call("lost"), office.call("talked")
    arrived_at = office.now
    office.tell(CallFellBack(talked), Resynced(legs=()))
    assert not office.rings()
    caller = Caller(PersonId("talked"), NumberClass.MOBILE)
    office.later(10 * SECOND)
    office.tell(
        ArrivalWitnessed(talked, DID, caller, arrived_at, office.now, arrived_at + 6 * SECOND, ANA)
    )
    office.later(30 * SECOND)
    assert office.engine.ledger.answered == 1
    (miss,) = office.told(CallMissed)
    assert miss.reason is MissReason.SYSTEM_FAILURE
    assert lost in office.engine.ended_legs
    assert office.engine.ledger.open == 1


def test_an_arrival_that_only_the_witness_saw_enters_the_ledger_once() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    caller = Caller(PersonId("ghost"), NumberClass.MOBILE)
    witness = ArrivalWitnessed(LegId("17.1"), DID, caller, office.now - 60_000, office.now)
    office.tell(witness, witness, CallArrived(LegId("17.1"), DID, caller))
    assert office.engine.ledger.arrivals == 1
    assert office.engine.ledger.open == 1


def test_an_unknown_caller_in_the_switch_is_adopted_and_an_unknown_agent_leg_stopped() -> None:
    office = Office(office_plan(ANA))
    caller = CallArrived(LegId("17.2"), DID, Caller(PersonId("x"), NumberClass.MOBILE))
    commands = office.tell(
        Resynced(
            (
                LegSeen(LegId("17.2"), LegState.UP, inbound=caller),
                LegSeen(LegId("shop-tstc9/1"), LegState.RINGING),
            )
        )
    )
    assert StopRinging(LegId("shop-tstc9/1")) in commands
    assert set(office.rings()) == {ANA}


def test_who_was_passed_over_and_why_stands_in_the_offer() -> None:
    office = Office(office_plan(ANA, BOB, CAT, step=Step(agents=(ANA, BOB, CAT), k=1)))
    office.tell(DeviceChanged(CAT, reachable=False))
    office.call()
    (made,) = office.told(OfferMade)
    assert made.agent == ANA
    assert made.runners_up == (BOB,)
    assert dict(made.excluded) == {"unreachable": 1}


@pytest.mark.parametrize("at_ms", [0, 500, 1_500, 2_500, 12_000])
def test_a_restored_engine_goes_on_exactly_as_the_old_one(at_ms: int) -> None:
    plan = office_plan(ANA, BOB, CAT, DAN)
    office, twin = Office(plan), Office(plan)
    for each in (office, twin):
        missed(each, "owed")
        each.call("a", "in-a")
        each.call("b", "in-b")
        each.all_ring()
        each.later(at_ms)
    twin.engine = snapshot.restore(snapshot.take(twin.engine), plan)
    for each in (office, twin):
        each.all_ring()
        each.later(4 * SECOND)
        for agent, leg in each.rings().items():
            if agent in (ANA, DAN):
                each.tell(LegAnswered(leg))
        each.later(30 * SECOND)
        each.tell(LegEnded(LegId("in-a"), EndCause.NORMAL))
        each.later(5 * MINUTE)
    assert office.facts == twin.facts
    assert office.commands == twin.commands
