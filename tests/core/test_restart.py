"""The switch is restarted: all who waited or talked are owed, and called back in their order."""

from dataclasses import replace

import pytest

from perezvon.core import snapshot
from perezvon.core.commands import DialClient, PlayPrompt, RingAgent, StopRinging
from perezvon.core.events import (
    ArrivalWitnessed,
    CallArrived,
    Caller,
    CallFellBack,
    DeviceChanged,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegSeen,
    LegState,
    NumberClass,
    Resynced,
)
from perezvon.core.facts import (
    ArrivalConfirmed,
    AttemptMade,
    AttemptOutcome,
    AttemptStarted,
    CallAnswered,
    CallCut,
    CallEnded,
    CallMissed,
    CallOwed,
    DebtOpened,
    DebtReopened,
    DebtSettled,
    MissReason,
    Settlement,
    Status,
)
from perezvon.core.ids import MINUTE, SECOND, AgentId, LegId, PersonId, RuleId
from perezvon.core.plan import CallbackOrder, CallbackRule, Ladder, Plan, Queue, Step
from tests.core.office import ANA, BOB, CAT, DID, SALES, START, Office, office_plan

RULE = CallbackRule(RuleId("quick"), briefing=False)


def plan_of(*people: AgentId, rule: CallbackRule = RULE, wrap_up_ms: int = 20 * SECOND) -> Plan:
    """One telephone rings for a caller, and work after a call takes a while."""
    step = Step(agents=people, k=1)
    queue = Queue(SALES, "Sales", (step,), pause_after_misses=None, wrap_up_ms=wrap_up_ms)
    return office_plan(*people, queue=queue, rules=[rule])


def office_of(*people: AgentId, rule: CallbackRule = RULE, signed_in: bool = True) -> Office:
    office = Office(plan_of(*people, rule=rule), signed_in=signed_in)
    office.tell(Resynced((), switch_started_at=START - MINUTE))
    return office


def restart(office: Office, *legs: LegSeen, gone: tuple[tuple[LegId, EndCause], ...] = ()) -> None:
    """The switch is killed and is back two seconds later; the engine notices a second on."""
    office.all_ring()
    office.later(2 * SECOND)
    started_at = office.now
    office.later(SECOND)
    office.tell(Resynced(legs, gone, started_at))


def talk(office: Office, name: str, agent: AgentId) -> LegId:
    leg = office.call(name)
    office.all_ring()
    office.answer(agent)
    return leg


def call_back(office: Office, agent: AgentId, *, until: str = "talks") -> LegId:
    """The agent takes the call-back that rings at his, and it comes to ...; his client's leg."""
    office.tell(LegAnswered(office.rings()[agent]))
    leg = office.told(DialClient)[-1].leg
    if until == "talks":
        office.tell(LegRinging(leg), LegAnswered(leg))
        office.later(3 * SECOND)
    return leg


def called_back(office: Office) -> list[str]:
    """Whom we tried, in order."""
    persons = {debt.debt: debt.person for debt in office.told(DebtOpened)}
    return [persons[attempt.debt] for attempt in office.told(AttemptStarted)]


def test_who_waited_at_a_restart_is_owed_at_once_and_no_witness_is_waited_for() -> None:
    office = office_of(ANA)
    talk(office, "talks", ANA)
    office.call("waits")
    office.later(8 * SECOND)
    restart(office)
    (missed,) = office.told(CallMissed)
    assert missed.reason is MissReason.SYSTEM_FAILURE
    assert missed.waited_ms == 10 * SECOND
    assert not office.engine.calls
    assert office.engine.ledger.open == 2


def test_a_talk_that_a_restart_cut_is_told_ended_then_cut_then_owed() -> None:
    office = office_of(ANA)
    talk(office, "talks", ANA)
    office.later(MINUTE)
    restart(office)
    of_its_end = [f for f in office.facts if isinstance(f, CallEnded | CallCut | CallOwed)]
    ended, cut, owed = of_its_end
    assert isinstance(ended, CallEnded)
    assert isinstance(cut, CallCut)
    assert isinstance(owed, CallOwed)
    assert ended.ended_by == "system"
    # Until the switch was there again at the most: it may be noticed much later.
    assert ended.talk_ms == cut.talk_ms == MINUTE + 5 * SECOND
    assert cut.debt is None
    assert not office.told(CallMissed)
    ledger = office.engine.ledger
    assert (ledger.answered, ledger.open, ledger.debts_open) == (0, 1, 1)


def test_the_agent_whose_talk_was_cut_is_free_at_once_and_calls_back() -> None:
    office = office_of(ANA)
    talk(office, "talks", ANA)
    restart(office)
    assert office.engine.agents[ANA].status is Status.AVAILABLE
    office.later(0)
    assert called_back(office) == ["talks"]
    assert set(office.rings()) == {ANA}


def test_a_talk_not_yet_proved_is_missed_by_our_fault() -> None:
    office = office_of(ANA)
    office.call("hello")
    office.all_ring()
    office.tell(LegAnswered(office.rings()[ANA]))
    office.tell(Resynced((), switch_started_at=office.now + 1))
    (missed,) = office.told(CallMissed)
    assert missed.reason is MissReason.SYSTEM_FAILURE
    assert not office.told(CallAnswered)
    assert not office.told(CallCut)
    assert office.engine.agents[ANA].free


def test_all_are_called_back_in_the_order_in_which_they_came() -> None:
    """More than nine: ids of debts are not in order as text."""
    office = office_of(ANA)
    names = [f"client-{number}" for number in range(12)]
    for name in names:
        office.call(name)
        office.all_ring()
        office.later(SECOND)
    restart(office)
    for _ in names:
        office.later(0)
        office.all_ring()
        client = call_back(office, ANA)
        office.tell(LegEnded(client, EndCause.NORMAL))
        office.later(20 * SECOND)
    assert called_back(office) == names
    assert office.engine.ledger.recovered == len(names)


def test_who_was_owed_before_goes_before_those_whom_the_restart_failed() -> None:
    office = office_of(ANA, signed_in=False)
    owed = office.call("owed")
    office.later(8 * SECOND)
    office.tell(LegEnded(owed, EndCause.CANCELLED))
    office.call("waits")
    restart(office)
    office.sign_in(ANA)
    assert called_back(office) == ["owed"]


def test_a_restart_is_called_back_at_once_whatever_the_ladder_says() -> None:
    slow = replace(RULE, ladder=Ladder((10 * MINUTE,)))
    office = office_of(ANA, BOB, rule=slow)
    talk(office, "talks", ANA)
    restart(office)
    office.later(0)
    assert called_back(office) == ["talks"]


def test_a_client_who_has_called_again_meanwhile_is_not_called_back() -> None:
    office = office_of(ANA, BOB)
    talk(office, "talks", ANA)
    again = CallArrived(LegId("in-again"), DID, Caller(PersonId("talks"), NumberClass.MOBILE))
    restart(office, LegSeen(again.leg, LegState.UP, inbound=again))
    office.all_ring()
    office.later(5 * SECOND)
    assert not office.told(AttemptStarted)
    office.answer(next(iter(office.rings())))
    assert office.engine.ledger.reached_us == 1


def test_who_has_no_number_was_answered_and_stays_so() -> None:
    office = office_of(ANA)
    office.tell(CallArrived(LegId("in-x"), DID, Caller(None, NumberClass.WITHHELD)))
    office.all_ring()
    office.answer(ANA)
    restart(office)
    assert office.told(CallCut)
    assert not office.told(CallOwed)
    assert office.engine.ledger.answered == 1


def test_an_end_that_the_witness_had_seen_is_taken_as_it_says() -> None:
    office = office_of(ANA, BOB)
    talks = talk(office, "talks", ANA)
    waits = office.call("waits")
    office.later(8 * SECOND)
    restart(office, gone=((talks, EndCause.NORMAL), (waits, EndCause.CANCELLED)))
    assert [fact.ended_by for fact in office.told(CallEnded)] == ["client"]
    assert not office.told(CallCut)
    assert [fact.reason for fact in office.told(CallMissed)] == [MissReason.LEFT_WAITING]
    assert office.engine.ledger.answered == 1


def test_a_caller_in_the_fallback_is_owed_too_unless_the_witness_knows_his_end() -> None:
    office = office_of(ANA, signed_in=False)
    lost, known = office.call("lost"), office.call("known")
    office.tell(CallFellBack(lost), CallFellBack(known))
    restart(office, gone=((known, EndCause.NORMAL),))
    assert [fact.reason for fact in office.told(CallMissed)] == [MissReason.SYSTEM_FAILURE]
    (left,) = office.engine.calls.values()
    assert left.client == known
    office.later(30 * SECOND)
    assert not office.engine.calls
    assert office.engine.ledger.open == 2


def test_a_call_younger_than_the_switch_was_not_lost_with_it() -> None:
    """An audit may be older than a call that it does not show."""
    office = office_of(ANA)
    started_at = office.now
    office.later(SECOND)
    office.call("new")
    office.tell(Resynced((), switch_started_at=started_at))
    assert not office.told(CallMissed)
    assert office.engine.calls


def test_who_waits_again_after_a_dead_telephone_is_owed_once_when_the_switch_dies_too() -> None:
    office = office_of(ANA, BOB)
    talk(office, "ivan", ANA)
    (call,) = office.engine.calls.values()
    assert call.won is not None
    office.tell(LegEnded(call.won.leg, EndCause.WENT_SILENT))
    office.all_ring()
    assert office.engine.ledger.open == 1
    restart(office)
    assert not office.told(CallMissed)
    assert office.engine.ledger.open == 1
    office.later(0)
    assert called_back(office) == ["ivan"]


def test_a_clock_set_back_hides_a_restart_from_nobody() -> None:
    office = office_of(ANA)
    talk(office, "talks", ANA)
    fell_back = office.call("fell-back")
    office.tell(CallFellBack(fell_back))
    office.tell(Resynced((), switch_started_at=START - SECOND))
    assert len(office.told(CallCut)) == 1
    assert len(office.told(CallMissed)) == 1
    assert office.engine.ledger.open == 2


@pytest.mark.parametrize("started_at", [None, START - MINUTE])
def test_without_a_restart_the_witness_has_its_time_as_ever(started_at: int | None) -> None:
    office = office_of(ANA)
    talk(office, "talks", ANA)
    office.call("waits")
    office.tell(Resynced((), switch_started_at=started_at))
    assert not office.told(CallMissed)
    assert not office.told(CallCut)
    office.later(30 * SECOND)
    assert [fact.reason for fact in office.told(CallMissed)] == [MissReason.SYSTEM_FAILURE]


def test_the_first_start_that_is_told_is_no_restart() -> None:
    office = Office(plan_of(ANA))
    office.call("waits")
    office.later(SECOND)
    office.tell(Resynced((), switch_started_at=office.now))
    assert not office.told(CallMissed)


def test_agents_whose_telephones_gave_no_sign_while_the_switch_was_dead_are_tried_again() -> None:
    """Else nobody could call back for half a minute."""
    office = office_of(ANA, BOB)
    office.call("waits")
    office.later(5 * SECOND)
    assert not any(agent.reachable for agent in office.engine.agents.values())
    office.tell(DeviceChanged(BOB, reachable=True), DeviceChanged(BOB, reachable=False))
    office.tell(Resynced((), switch_started_at=office.now))
    assert office.engine.agents[ANA].reachable
    assert not office.engine.agents[BOB].reachable
    office.later(0)
    assert called_back(office) == ["waits"]


def test_a_restart_is_known_as_one_after_a_crash_of_the_engine_too() -> None:
    office = office_of(ANA)
    talk(office, "talks", ANA)
    office.engine = snapshot.restore(snapshot.take(office.engine), office.plan)
    restart(office)
    assert len(office.told(CallCut)) == 1


def owed_office(
    order: CallbackOrder = CallbackOrder.AGENT_FIRST, *, briefing: bool = False
) -> Office:
    """Ivan was missed, and Ana is about to call him back."""
    office = office_of(ANA, rule=replace(RULE, order=order, briefing=briefing), signed_in=False)
    leg = office.call("ivan")
    office.later(8 * SECOND)
    office.tell(LegEnded(leg, EndCause.CANCELLED))
    office.sign_in(ANA)
    return office


def attempt_is_made_again(office: Office) -> None:
    (made,) = office.told(AttemptMade)
    assert (made.outcome, made.counted) == (AttemptOutcome.NEVER_MADE, False)
    (debt,) = office.engine.debts.values()
    assert (debt.step, debt.counted) == (0, 0)
    assert office.engine.agents[ANA].status in (Status.AVAILABLE, Status.RINGING)
    office.later(0)
    assert [fact.dial for fact in office.told(AttemptStarted)] == [1, 2]


def test_a_callback_whose_agent_is_rung_is_made_again() -> None:
    office = owed_office()
    assert office.told(RingAgent)
    restart(office)
    attempt_is_made_again(office)


def test_a_callback_whose_agent_is_being_briefed_is_made_again() -> None:
    office = owed_office(briefing=True)
    office.tell(LegAnswered(office.rings()[ANA]))
    assert office.told(PlayPrompt)
    restart(office)
    attempt_is_made_again(office)


@pytest.mark.parametrize("order", list(CallbackOrder))
def test_a_callback_whose_client_rings_is_made_again_and_uses_up_no_step(
    order: CallbackOrder,
) -> None:
    office = owed_office(order)
    if order is CallbackOrder.AGENT_FIRST:
        call_back(office, ANA, until="dialled")
    office.tell(LegRinging(office.told(DialClient)[-1].leg))
    restart(office)
    attempt_is_made_again(office)


def test_a_callback_that_was_hardly_answered_is_made_again() -> None:
    office = owed_office()
    client = call_back(office, ANA, until="dialled")
    office.tell(LegAnswered(client))
    office.tell(Resynced((), switch_started_at=office.now + 1))
    attempt_is_made_again(office)


def test_a_callback_cut_in_its_talk_opens_its_debt_again() -> None:
    office = owed_office()
    call_back(office, ANA)
    assert office.engine.ledger.recovered == 1
    restart(office)
    (cut,), (reopened,) = office.told(CallCut), office.told(DebtReopened)
    assert cut.debt == reopened.debt
    assert reopened.call_count == 1
    assert reopened.owner == ANA
    ledger = office.engine.ledger
    assert (ledger.recovered, ledger.open, ledger.debts_open) == (0, 1, 1)
    office.later(0)
    assert [fact.dial for fact in office.told(AttemptStarted)] == [1, 2]
    client = call_back(office, ANA)
    office.tell(LegEnded(client, EndCause.NORMAL))
    assert office.engine.ledger.recovered == 1


def test_a_reopened_debt_survives_a_snapshot_taken_in_its_talk() -> None:
    office = owed_office()
    call_back(office, ANA)
    office.engine = snapshot.restore(snapshot.take(office.engine), office.plan)
    restart(office)
    assert len(office.told(DebtReopened)) == 1


def test_a_talk_of_a_callback_that_ended_before_opens_nothing() -> None:
    office = owed_office()
    client = call_back(office, ANA)
    office.tell(LegEnded(client, EndCause.NORMAL))
    restart(office)
    assert not office.told(DebtReopened)
    assert not office.engine.recovered


def test_who_called_and_was_missed_during_his_callback_is_owed_once() -> None:
    """One open debt a person: the one of his own call stays the one."""
    office = owed_office()
    call_back(office, ANA)
    second = office.call("ivan", "in-second")
    office.later(8 * SECOND)
    office.tell(LegEnded(second, EndCause.CANCELLED))
    restart(office)
    assert not office.told(DebtReopened)
    assert office.engine.ledger.debts_open == 1
    office.later(0)
    assert called_back(office) == ["ivan", "ivan"]


def test_those_whom_a_restart_ended_are_confirmed_by_it() -> None:
    office = office_of(ANA)
    talk(office, "talks", ANA)
    office.call("waits")
    restart(office)
    assert len(office.told(ArrivalConfirmed)) == 2
    office.later(5 * MINUTE)
    assert office.engine.reconciliation.difference == 0


def test_who_was_let_go_and_held_to_the_last_is_confirmed_by_the_restart_too() -> None:
    """Our hang-up was lost: his end was a difference, until the switch ended with him."""
    office = office_of(ANA)
    heard = ArrivalWitnessed(LegId("17.1"), DID, Caller(None, NumberClass.WITHHELD), 0, 1)
    office.tell(heard)
    talk(office, "talks", ANA)
    (call,) = office.engine.calls.values()
    assert call.won is not None
    office.tell(LegEnded(call.won.leg, EndCause.NORMAL))
    office.later(2 * MINUTE)
    assert office.engine.reconciliation.unseen == 1
    restart(office)
    assert office.engine.reconciliation.unseen == 0


def test_the_debt_of_a_cut_call_is_settled_like_any_other() -> None:
    office = office_of(ANA, BOB, CAT)
    talk(office, "talks", ANA)
    restart(office)
    office.later(0)
    (agent,) = office.rings()
    office.all_ring()
    call_back(office, agent)
    assert office.engine.ledger.recovered == 1
    assert Settlement.RECOVERED in [debt.how for debt in office.told(DebtSettled)]


def test_a_callback_that_fell_due_as_the_restart_was_heard_of_is_made_and_not_broken_off() -> None:
    """Its leg is made after the audit was taken, and the switch that runs now makes it."""
    rule = replace(RULE, order=CallbackOrder.CLIENT_FIRST, ladder=Ladder((20 * SECOND,)))
    office = office_of(ANA, rule=rule, signed_in=False)
    leg = office.call("ivan")
    office.later(10 * SECOND)
    office.tell(LegEnded(leg, EndCause.CANCELLED))
    office.sign_in(ANA)
    office.now += 22 * SECOND
    office.tell(Resynced((), switch_started_at=office.now - SECOND))
    (dialled,) = office.told(DialClient)
    assert dialled.leg in office.engine.legs
    assert not office.told(AttemptMade)


def test_who_is_rung_in_the_turn_of_the_audit_for_a_caller_who_is_gone_is_stopped() -> None:
    step = Step(agents=(ANA, BOB), k=1, ring_ms=5 * SECOND)
    office = Office(office_plan(ANA, BOB, step=step))
    office.tell(Resynced((), switch_started_at=START - MINUTE))
    office.call("ivan")
    office.all_ring()
    office.now += 6 * SECOND
    office.tell(Resynced((), switch_started_at=office.now - 2 * SECOND))
    fresh = [ring.leg for ring in office.told(RingAgent) if ring.agent == BOB]
    assert fresh
    assert {stop.leg for stop in office.told(StopRinging)} >= set(fresh)
