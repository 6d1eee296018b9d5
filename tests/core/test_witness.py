"""The second witness: its account and ours are compared, call by call."""

from perezvon.core import snapshot
from perezvon.core.commands import HangUp, PlayPrompt
from perezvon.core.events import (
    ArrivalWitnessed,
    CallArrived,
    Caller,
    CallFellBack,
    EndCause,
    LegEnded,
    NumberClass,
    PromptEnded,
    Resynced,
)
from perezvon.core.facts import (
    ArrivalConfirmed,
    CallAnswered,
    CallCut,
    CallFellBackToSwitch,
    CallMissed,
    CallOwed,
    CallReceived,
    DebtSettled,
    Difference,
    MissReason,
    Settlement,
    WitnessDiffered,
)
from perezvon.core.ids import MINUTE, SECOND, LegId, PersonId
from perezvon.core.witness import ENDED_LEGS_MAX
from tests.core.office import ANA, BOB, DID, Office, office_plan


def row(
    office: Office,
    leg: LegId,
    name: str = "ivan",
    *,
    length_ms: int = 10 * SECOND,
    in_fallback: bool = False,
    answered: bool = False,
) -> ArrivalWitnessed:
    """What the witness tells of an attempt that has just ended."""
    arrived_at = office.now - length_ms
    return ArrivalWitnessed(
        leg,
        DID,
        Caller(PersonId(name), NumberClass.MOBILE),
        arrived_at,
        office.now,
        arrived_at + 2 * SECOND if answered else None,
        BOB if answered else None,
        in_fallback,
    )


def ended(office: Office, name: str = "ivan") -> LegId:
    """Somebody called, waited and left."""
    leg = office.call(name)
    office.later(10 * SECOND)
    office.tell(LegEnded(leg, EndCause.CANCELLED))
    return leg


def office_with_witness() -> Office:
    """Its witness has spoken once."""
    office = Office(office_plan(ANA, BOB), signed_in=False)
    leg = ended(office, "first")
    office.tell(row(office, leg, "first"))
    return office


def figures(office: Office) -> tuple[int, int, int, int, int]:
    books = office.engine.reconciliation
    return books.witnessed, books.journal, books.fallback, books.unheard, books.unseen


def test_an_attempt_that_both_have_is_confirmed_once() -> None:
    office = office_with_witness()
    leg = ended(office)
    told = row(office, leg)
    office.tell(told, told)
    office.later(5 * MINUTE)
    assert [fact.in_fallback for fact in office.told(ArrivalConfirmed)] == [False, False]
    assert figures(office) == (2, 2, 0, 0, 0)


def test_a_witness_who_is_quicker_than_the_switch_confirms_once_too() -> None:
    office = office_with_witness()
    leg = office.call()
    office.later(8 * SECOND)
    told = row(office, leg)
    office.tell(told, told, LegEnded(leg, EndCause.CANCELLED), told)
    office.later(5 * MINUTE)
    assert len(office.told(ArrivalConfirmed)) == 2
    assert figures(office) == (2, 2, 0, 0, 0)


def test_an_end_that_is_not_witnessed_within_a_minute_is_a_difference() -> None:
    office = office_with_witness()
    ended(office)
    office.later(59 * SECOND)
    assert not office.told(WitnessDiffered)
    office.later(SECOND)
    assert [fact.how for fact in office.told(WitnessDiffered)] == [Difference.UNSEEN]
    assert figures(office) == (1, 2, 0, 0, 1)


def test_a_late_witness_takes_the_difference_back() -> None:
    office = office_with_witness()
    leg = ended(office)
    office.later(5 * MINUTE)
    assert office.engine.reconciliation.difference == 1
    office.tell(row(office, leg), row(office, leg))
    assert len(office.told(ArrivalConfirmed)) == 2
    assert figures(office) == (2, 2, 0, 0, 0)


def test_each_of_several_ends_has_its_own_minute() -> None:
    office = office_with_witness()
    office.later(MINUTE)
    ended(office, "one")
    office.later(20 * SECOND)
    ended(office, "two")
    office.later(45 * SECOND)
    assert len(office.told(WitnessDiffered)) == 1
    office.later(20 * SECOND)
    assert len(office.told(WitnessDiffered)) == 2


def test_without_a_witness_nothing_differs_and_nothing_is_kept() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    for number in range(20):
        ended(office, f"client-{number}")
    office.later(10 * MINUTE)
    assert not office.told(WitnessDiffered)
    assert len(office.engine.reconciliation.unwitnessed) <= 8


def test_an_engine_that_was_away_itself_gives_the_witness_its_time() -> None:
    """What it told meanwhile is heard after the timers that fell due meanwhile."""
    office = office_with_witness()
    leg = ended(office)
    office.now += 10 * MINUTE
    office.tell(row(office, leg))
    assert not office.told(WitnessDiffered)
    assert figures(office) == (2, 2, 0, 0, 0)


def test_a_caller_out_of_sight_while_the_engine_was_away_is_not_given_up_before_the_witness() -> (
    None
):
    office = office_with_witness()
    leg = office.call("served")
    office.tell(CallFellBack(leg), LegEnded(leg, EndCause.NORMAL))
    office.now += 10 * MINUTE
    office.tell(row(office, leg, "served", length_ms=9 * MINUTE, in_fallback=True, answered=True))
    assert len(office.told(CallAnswered)) == 1


def test_an_arrival_of_which_nobody_heard_is_received_and_owed_and_differs() -> None:
    office = office_with_witness()
    office.tell(row(office, LegId("17.9"), "ghost", length_ms=2 * SECOND))
    received = office.told(CallReceived)[-1]
    assert received.at == office.now - 2 * SECOND
    assert office.told(CallMissed)[-1].reason is MissReason.SYSTEM_FAILURE
    assert office.told(CallOwed)[-1].call == received.call
    (differed,) = office.told(WitnessDiffered)
    assert (differed.call, differed.how) == (received.call, Difference.UNHEARD)
    assert figures(office) == (2, 1, 0, 1, 0)
    office.later(5 * MINUTE)
    assert figures(office) == (2, 1, 0, 1, 0)


def test_an_arrival_that_we_hear_of_after_its_end_was_told_is_no_difference() -> None:
    """A socket's backlog after a freeze comes after the rows of the witness."""
    office = office_with_witness()
    leg = LegId("17.9")
    caller = Caller(PersonId("ghost"), NumberClass.MOBILE)
    office.tell(row(office, leg, "ghost"), CallArrived(leg, DID, caller))
    assert office.engine.reconciliation.difference == 0
    assert len(office.told(ArrivalConfirmed)) == 2
    assert len(office.told(CallReceived)) == 2


def test_a_call_of_the_fallback_alone_is_in_the_books_with_its_true_times() -> None:
    office = office_with_witness()
    arrived_at = office.now - 10 * SECOND
    office.tell(
        row(office, LegId("17.1"), "served", in_fallback=True, answered=True),
        row(office, LegId("17.2"), "left", in_fallback=True),
    )
    (answered,) = office.told(CallAnswered)
    assert (answered.agent, answered.in_fallback) == (BOB, True)
    assert answered.wait_ms == 2 * SECOND
    assert office.told(CallMissed)[-1].reason is MissReason.ABANDONED_IN_FALLBACK
    assert [fact.at for fact in office.told(CallFellBackToSwitch)] == [arrived_at] * 2
    assert [fact.in_fallback for fact in office.told(ArrivalConfirmed)] == [False, True, True]
    assert not office.told(WitnessDiffered)
    assert figures(office) == (3, 1, 2, 0, 0)


def test_a_caller_of_ours_whom_the_fallback_took_over_is_confirmed_as_such() -> None:
    office = office_with_witness()
    leg = office.call("ours")
    office.tell(CallFellBack(leg))
    office.later(20 * SECOND)
    office.tell(row(office, leg, "ours", in_fallback=True))
    assert office.told(ArrivalConfirmed)[-1].in_fallback
    assert figures(office) == (2, 1, 1, 0, 0)


def closing_office() -> tuple[Office, LegId]:
    """Nobody took him, and he hears the promise to call back when the engine goes away."""
    office = office_with_witness()
    leg = office.call("ivan")
    office.later(10 * MINUTE)
    assert [fact.reason for fact in office.told(CallMissed)][-1] is MissReason.TIMED_OUT
    office.tell(CallFellBack(leg))
    return office, leg


def test_who_fell_back_while_he_heard_the_promise_is_no_difference_however_long_he_stays() -> None:
    office, leg = closing_office()
    office.later(5 * MINUTE)
    assert not office.told(WitnessDiffered)
    office.tell(row(office, leg, in_fallback=True))
    assert figures(office) == (2, 1, 1, 0, 0)
    assert office.engine.ledger.open == 2


def test_who_stays_in_the_fallback_though_we_let_him_go_is_no_difference() -> None:
    """Seed 3568: the engine woke late, and gave him up before it heard where he was."""
    office = office_with_witness()
    leg = office.call("ivan")
    office.later(10 * MINUTE)
    promise = office.told(PlayPrompt)[-1]
    office.tell(PromptEnded(leg, promise.playback))
    assert leg not in office.engine.legs
    office.tell(CallFellBack(leg))
    office.later(5 * MINUTE)
    assert not office.told(WitnessDiffered)
    office.tell(row(office, leg, in_fallback=True, answered=True))
    assert figures(office) == (2, 1, 1, 0, 0)
    assert [fact.how for fact in office.told(DebtSettled)] == [Settlement.REACHED_US]


def test_who_fell_back_from_what_we_took_for_a_talk_is_owed_until_he_is_served() -> None:
    """Seed 3568: the command that was to connect him was lost, and then the engine was away."""
    office = Office(office_plan(ANA))
    leg = office.call("ivan")
    office.all_ring()
    office.answer(ANA, 30 * SECOND)
    office.tell(CallFellBack(leg))
    assert [fact.talk_ms for fact in office.told(CallCut)] == [30 * SECOND]
    assert office.engine.agents[ANA].free
    assert office.engine.ledger.open == 1
    assert leg not in [command.leg for command in office.told(HangUp)]
    office.later(20 * SECOND)
    office.tell(row(office, leg, length_ms=50 * SECOND, in_fallback=True, answered=True))
    assert [fact.how for fact in office.told(DebtSettled)] == [Settlement.REACHED_US]


def test_who_is_served_in_the_fallback_after_he_was_missed_is_not_called_back() -> None:
    office, leg = closing_office()
    office.later(5 * MINUTE)
    office.tell(row(office, leg, length_ms=20 * SECOND, in_fallback=True, answered=True))
    (settled,) = office.told(DebtSettled)
    assert (settled.how, settled.by) == (Settlement.REACHED_US, BOB)


def test_who_was_given_up_before_the_witness_told_of_his_talk_is_not_called_back() -> None:
    office = office_with_witness()
    leg = office.call("ivan")
    office.tell(Resynced(()))
    office.later(40 * SECOND)
    assert office.told(CallMissed)[-1].reason is MissReason.SYSTEM_FAILURE
    office.tell(row(office, leg, length_ms=40 * SECOND, in_fallback=True, answered=True))
    assert [fact.how for fact in office.told(DebtSettled)] == [Settlement.REACHED_US]


def test_what_is_still_to_be_told_survives_a_snapshot() -> None:
    office = office_with_witness()
    leg = ended(office)
    office.engine = snapshot.restore(snapshot.take(office.engine), office.plan)
    office.tell(row(office, leg))
    assert figures(office) == (2, 2, 0, 0, 0)


def test_a_witness_that_falls_silent_costs_bounded_memory() -> None:
    office = office_with_witness()
    engine, caller = office.engine, Caller(None, NumberClass.WITHHELD)
    for number in range(ENDED_LEGS_MAX + 5):
        leg = LegId(f"x{number}")
        engine.handle(CallArrived(leg, DID, caller), office.now + number)
        engine.handle(LegEnded(leg, EndCause.CANCELLED), office.now + number)
    books = engine.reconciliation
    assert len(books.unwitnessed) == ENDED_LEGS_MAX
    while (due_at := engine.next_deadline()) is not None:
        engine.advance(due_at)
    assert not books.unwitnessed
    assert len(books.differing) == books.unseen == ENDED_LEGS_MAX


def test_who_came_and_left_while_nobody_listened_was_the_guards_and_is_owed() -> None:
    office = office_with_witness()
    deaf_since = office.now
    office.later(20 * SECOND)
    office.tell(Resynced((), deaf_since=deaf_since), row(office, LegId("1.1")))
    assert len(office.told(CallOwed)) == 2
    assert not office.told(WitnessDiffered)
    assert figures(office) == (2, 1, 1, 0, 0)


def test_a_witness_who_is_quicker_than_the_new_link_is_believed_when_that_comes() -> None:
    office = office_with_witness()
    deaf_since = office.now
    office.later(20 * SECOND)
    office.tell(row(office, LegId("1.1")))
    assert office.engine.reconciliation.unheard == 1
    office.tell(Resynced((), deaf_since=deaf_since))
    assert figures(office) == (2, 1, 1, 0, 0)


def test_who_came_unheard_while_we_listened_is_a_difference() -> None:
    office = office_with_witness()
    office.later(30 * SECOND)
    office.tell(Resynced((), deaf_since=office.now - 5 * SECOND))
    office.tell(row(office, LegId("1.1")))
    assert [fact.how for fact in office.told(WitnessDiffered)] == [Difference.UNHEARD]


def test_a_heartbeat_of_the_future_says_nothing_of_deafness() -> None:
    office = office_with_witness()
    office.tell(Resynced((), deaf_since=office.now + MINUTE))
    assert not office.engine.reconciliation.deaf
