"""An agent's devices: which one rings, and what becomes of him when it cannot be reached."""

from dataclasses import replace

from perezvon.core import snapshot
from perezvon.core.commands import PlayPrompt, RingAgent, StopRinging
from perezvon.core.events import (
    DeviceChanged,
    DeviceChosen,
    EndCause,
    LegAnswered,
    LegEnded,
    PlanChanged,
)
from perezvon.core.facts import AgentDeviceChosen, AgentReachableChanged, OfferEnded, OfferOutcome
from perezvon.core.ids import SECOND, PlanVersion, TrunkId
from perezvon.core.plan import Agent, DeviceKind, Plan
from tests.core.office import ANA, BOB, SALES, Office, office_plan

SIP, WEBRTC, MOBILE = DeviceKind.SIP, DeviceKind.WEBRTC, DeviceKind.MOBILE


def plan_with(*others: DeviceKind, own: DeviceKind = SIP, version: str = "v1") -> Plan:
    plan = office_plan(ANA, BOB, version=version)
    ana = Agent(ANA, "Ana", own, "+79161234567", TrunkId("city"), others=others)
    return replace(plan, agents=(ana, *plan.agents[1:]))


def office_of_ana(*others: DeviceKind) -> Office:
    office = Office(plan_with(*others), signed_in=False)
    office.sign_in(ANA)
    return office


def choose(office: Office, device: DeviceKind) -> None:
    office.tell(DeviceChosen(ANA, device, by="chief"))


def test_the_chosen_device_is_rung_and_his_own_again_when_he_chooses_it() -> None:
    office = office_of_ana(WEBRTC)
    choose(office, WEBRTC)
    leg = office.call()
    assert [ring.device for ring in office.told(RingAgent)] == [WEBRTC]
    office.tell(LegEnded(leg, EndCause.CANCELLED))
    choose(office, SIP)
    office.call()
    assert [ring.device for ring in office.told(RingAgent)] == [WEBRTC, None]
    chosen = [(fact.agent, fact.device, fact.by) for fact in office.told(AgentDeviceChosen)]
    assert chosen == [(ANA, WEBRTC, "chief"), (ANA, SIP, "chief")]


def test_a_device_that_the_plan_does_not_have_for_him_is_not_chosen() -> None:
    office = office_of_ana(WEBRTC)
    choose(office, MOBILE)
    office.tell(DeviceChosen(BOB, WEBRTC, by="chief"))
    assert not office.told(AgentDeviceChosen)
    office.call()
    assert [ring.device for ring in office.told(RingAgent)] == [None]


def test_whoever_chooses_another_device_while_one_rings_is_rung_there_at_once() -> None:
    office = office_of_ana(WEBRTC)
    office.call()
    (first,) = office.told(RingAgent)
    choose(office, WEBRTC)
    second = office.told(RingAgent)[-1]
    assert (second.device, second.call) == (WEBRTC, first.call)
    assert office.told(StopRinging) == [StopRinging(first.leg)]
    assert [fact.outcome for fact in office.told(OfferEnded)] == [OfferOutcome.RESCINDED]
    # The old telephone was picked up in the same breath: nobody is put through to two.
    office.tell(LegAnswered(first.leg))
    assert office.rings() == {ANA: second.leg}


def test_offers_look_at_the_chosen_device_alone() -> None:
    office = office_of_ana(WEBRTC)
    office.tell(DeviceChanged(ANA, reachable=False, device=WEBRTC))
    assert not office.told(AgentReachableChanged)
    choose(office, WEBRTC)
    office.call()
    assert not office.rings()
    office.tell(DeviceChanged(ANA, reachable=False))
    office.tell(DeviceChanged(ANA, reachable=True, device=WEBRTC))
    assert office.told(RingAgent)[-1].device is WEBRTC
    assert [fact.reachable for fact in office.told(AgentReachableChanged)] == [False, True]


def test_a_caller_rings_the_agent_who_takes_a_device_that_lives() -> None:
    office = office_of_ana(WEBRTC)
    office.tell(DeviceChanged(ANA, reachable=False))
    office.call()
    assert not office.rings()
    choose(office, WEBRTC)
    assert list(office.rings()) == [ANA]


def test_an_offer_ends_when_the_device_that_rings_vanishes_and_not_when_another_does() -> None:
    office = office_of_ana(WEBRTC)
    choose(office, WEBRTC)
    office.call()
    office.tell(DeviceChanged(ANA, reachable=False))
    assert list(office.rings()) == [ANA]
    office.tell(DeviceChanged(ANA, reachable=False, device=WEBRTC))
    assert not office.rings()
    assert office.told(OfferEnded)[-1].outcome is OfferOutcome.UNREACHABLE


def test_a_device_that_gave_no_sign_is_no_longer_doubted_when_another_was_chosen() -> None:
    office = office_of_ana(WEBRTC)
    office.call()
    office.later(3 * SECOND)
    assert not office.rings()
    choose(office, WEBRTC)
    office.later(SECOND)
    choose(office, SIP)
    assert office.told(RingAgent)[-1].device is None


def test_a_chosen_mobile_has_the_call_only_after_1_was_pressed() -> None:
    office = office_of_ana(MOBILE)
    choose(office, MOBILE)
    office.call()
    office.all_ring()
    office.tell(LegAnswered(office.rings()[ANA]))
    assert office.told(PlayPrompt)
    assert list(office.rings()) == [ANA]


def test_the_choice_survives_a_crash() -> None:
    office = office_of_ana(WEBRTC)
    office.tell(DeviceChanged(ANA, reachable=False, device=WEBRTC))
    choose(office, WEBRTC)
    office.engine = snapshot.restore(snapshot.take(office.engine), office.plan)
    office.call()
    assert not office.rings()
    office.tell(DeviceChanged(ANA, reachable=True, device=WEBRTC))
    assert office.told(RingAgent)[-1].device is WEBRTC


def test_a_plan_that_no_longer_has_the_device_puts_him_back_to_his_own() -> None:
    office = office_of_ana(WEBRTC)
    office.tell(DeviceChanged(ANA, reachable=False, device=WEBRTC))
    choose(office, WEBRTC)
    office.call()
    office.tell(PlanChanged(plan_with(version="v2")))
    assert office.told(RingAgent)[-1].device is None
    fact = office.told(AgentDeviceChosen)[-1]
    assert (fact.device, fact.by) == (SIP, "plan")


def test_a_plan_that_makes_the_chosen_device_his_own_changes_nothing_for_him() -> None:
    office = office_of_ana(WEBRTC)
    choose(office, WEBRTC)
    office.tell(DeviceChanged(ANA, reachable=False, device=WEBRTC))
    office.tell(PlanChanged(plan_with(SIP, own=WEBRTC, version="v2")))
    office.call()
    assert not office.rings()
    office.tell(DeviceChanged(ANA, reachable=True))
    assert office.told(RingAgent)[-1].device is None
    assert office.engine.plan.version == PlanVersion("v2")
    assert office.engine.calls[office.told(RingAgent)[-1].call].queue == SALES
