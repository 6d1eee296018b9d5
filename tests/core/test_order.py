"""One order for the tenant, also among those who come free, or begin to want, in one turn.

Each story was a failing seed of the simulation first.
"""

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
from perezvon.core.ids import SECOND, GroupId, LegId, PersonId
from perezvon.core.plan import Step
from tests.core.office import ANA, BOB, CAT, DID, Office, office_plan


def test_two_losers_of_a_race_go_to_the_two_oldest_callers() -> None:
    """Seed 10085: the younger caller took both, past an older one who wanted the second."""
    one = Step(groups=(GroupId("all"),), k=2)
    office = Office(office_plan(ANA, BOB, CAT, step=one))
    office.call("first")
    office.all_ring()
    office.call("second")
    office.all_ring()
    office.call("third")
    before = len(office.told(OfferMade))
    office.tell(LegAnswered(next(iter(office.rings().values()))))
    calls = [fact.call for fact in office.told(OfferMade)[before:]]
    assert calls[0].endswith("c2")


def test_who_rang_in_vain_is_offered_to_the_line_before_his_last_call_again() -> None:
    """Seed 137: the call whose offer ran out kept the agent, past an older one."""
    single = Step(agents=(ANA,), k=1)
    office = Office(office_plan(ANA, step=single), signed_in=False)
    office.call("older")
    office.later(SECOND)
    office.call("younger")
    office.sign_in(ANA)
    office.all_ring()
    office.later(10 * SECOND)
    # He has missed the older call's ring; now both want him, and the older one stands first.
    assert office.told(OfferMade)[-1].call.endswith("c1")


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
