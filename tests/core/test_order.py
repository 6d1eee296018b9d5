"""One order for the tenant, also among those who come free, or begin to want, in one turn.

Each story was a failing seed of the simulation first.
"""

from dataclasses import replace

from perezvon.core.commands import RingAgent, StopRinging
from perezvon.core.events import (
    CallArrived,
    Caller,
    EndCause,
    LegAnswered,
    LegEnded,
    LegSeen,
    LegState,
    NumberClass,
    Resynced,
)
from perezvon.core.facts import OfferEnded, OfferMade, OfferOutcome
from perezvon.core.ids import SECOND, LegId, PersonId, QueueId, TrunkId
from perezvon.core.plan import Did, Plan, Queue, Step
from tests.core.office import ANA, BOB, CAT, DID, SALES, Office, office_plan

OTHER_DID = "74951112244"


def two_queues(first: Queue, second: Queue) -> Plan:
    """Ana, Bob and Cat, and a number for each of two queues."""
    plan = office_plan(ANA, BOB, CAT, queue=first)
    other = Did(OTHER_DID, second.id, TrunkId("city"))
    return replace(plan, queues=(first, second), dids=(*plan.dids, other))


def queue_of(name: str, step: Step, tier: int = 0) -> Queue:
    return Queue(QueueId(name), name, (step,), tier=tier, pause_after_misses=None)


def call_of(name: str, did: str) -> CallArrived:
    return CallArrived(LegId(f"in-{name}"), did, Caller(PersonId(name), NumberClass.MOBILE))


def test_of_two_losers_of_a_race_each_goes_to_the_first_who_wants_him() -> None:
    """Seed 10085: the call that wanted both took both, past an older one who wanted the second."""
    everybody = queue_of(SALES, Step(agents=(ANA, BOB, CAT), k=3))
    bobs = queue_of("bobs", Step(agents=(BOB,), k=1))
    office = Office(two_queues(everybody, bobs))
    office.call("first")
    office.all_ring()
    office.tell(call_of("wants-bob", OTHER_DID))
    office.call("wants-all")
    office.tell(LegAnswered(office.rings()[CAT]))
    rung = {fact.agent: fact.call[-2:] for fact in office.told(OfferMade)[3:]}
    assert rung == {BOB: "c2", ANA: "c3"}


def test_who_missed_a_call_is_offered_to_the_line_before_that_call_again() -> None:
    """Seed 137: the call whose offer ran out kept the agent, past one with a better place."""
    normal = queue_of(SALES, Step(agents=(ANA,), k=1), tier=1)
    vip = queue_of("vip", Step(agents=(ANA,), k=1))
    office = Office(two_queues(normal, vip))
    office.call("normal")
    office.all_ring()
    office.tell(call_of("vip", OTHER_DID))
    office.later(10 * SECOND)
    assert [fact.call[-2:] for fact in office.told(OfferMade)] == ["c1", "c2"]


def test_a_telephone_that_rings_late_bars_its_agent_for_this_call_without_a_miss() -> None:
    office = Office(office_plan(ANA, BOB, step=Step(agents=(ANA, BOB), k=1, ring_ms=2 * SECOND)))
    office.call()
    office.later(1_500)
    office.all_ring()
    office.later(500)
    assert office.told(OfferEnded)[0].outcome is OfferOutcome.RESCINDED
    assert set(office.rings()) == {BOB}
    assert office.engine.agents[ANA].missed_count == 0


def test_an_audit_older_than_a_callers_end_does_not_enter_him_twice() -> None:
    """Seed 693 with stale audits."""
    office = Office(office_plan(ANA))
    leg = office.call("ivan", "17.5")
    office.later(8 * SECOND)
    office.tell(LegEnded(leg, EndCause.CANCELLED))
    arrival = CallArrived(leg, DID, Caller(PersonId("ivan"), NumberClass.MOBILE))
    office.tell(Resynced((LegSeen(leg, LegState.UP, inbound=arrival),)))
    assert office.engine.ledger.arrivals == 1


def test_an_audit_older_than_a_leg_leaves_no_telephone_ringing_twice() -> None:
    """Seed 34 with stale audits: the leg was taken for lost, and its telephone rang on."""
    office = Office(office_plan(ANA))
    caller = office.call("ivan", "17.6")
    (ring,) = office.told(RingAgent)
    arrival = CallArrived(caller, DID, Caller(PersonId("ivan"), NumberClass.MOBILE))
    office.tell(Resynced((LegSeen(caller, LegState.UP, inbound=arrival),)))
    assert StopRinging(LegId(ring.leg)) in office.commands
    assert len(office.rings()) == 1
