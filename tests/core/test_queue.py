"""Waiting: greeting, music, steps, the longest wait, a full queue, closed hours, a new plan."""

from dataclasses import replace

import pytest

from perezvon.core.commands import AnswerCall, HangUp, PlayPrompt, PromptKind, RingAgent, StartMusic
from perezvon.core.events import (
    DigitPressed,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    PlanChanged,
    PromptEnded,
)
from perezvon.core.facts import (
    CallAnswered,
    CallMissed,
    CallQueued,
    CallReceived,
    DebtOpened,
    MissCause,
    MissReason,
    OfferEnded,
    OfferMade,
    OfferOutcome,
    Status,
)
from perezvon.core.ids import MINUTE, SECOND, GroupId, HoursId, LegId, PlanVersion, TrunkId
from perezvon.core.plan import (
    Agent,
    DeviceKind,
    Hours,
    Interval,
    Plan,
    PlanError,
    Queue,
    Ranking,
    Step,
    StepMode,
)
from tests.core.office import ANA, BOB, CAT, DAN, SALES, Office, office_plan

EVERYBODY = (GroupId("all"),)


def queue_of(*steps: Step, **changes: object) -> Queue:
    queue = Queue(SALES, "Sales", steps or (Step(groups=EVERYBODY),), pause_after_misses=None)
    return replace(queue, **changes)  # type: ignore[arg-type] # fields of Queue


def test_the_greeting_is_heard_before_anybody_rings() -> None:
    office = Office(office_plan(ANA, queue=queue_of(greeting="hello")))
    caller = office.call()
    (prompt,) = office.told(PlayPrompt)
    assert prompt.prompt.kind is PromptKind.GREETING
    assert office.commands[0] == AnswerCall(caller)
    assert not office.rings()
    office.tell(PromptEnded(caller, prompt.playback))
    assert office.told(StartMusic)
    assert set(office.rings()) == {ANA}


def test_a_greeting_whose_end_is_never_heard_does_not_hold_the_caller_for_ever() -> None:
    office = Office(office_plan(ANA, queue=queue_of(greeting="hello")))
    office.call()
    office.later(61 * SECOND)
    assert set(office.rings()) == {ANA}


def test_who_leaves_in_the_greeting_is_owed_with_that_reason() -> None:
    office = Office(office_plan(ANA, queue=queue_of(greeting="hello")))
    caller = office.call()
    office.later(6 * SECOND)
    office.tell(LegEnded(caller, EndCause.NORMAL))
    (missed,) = office.told(CallMissed)
    assert missed.reason is MissReason.LEFT_IN_GREETING
    assert office.told(DebtOpened)


def test_the_longest_wait_ends_with_a_promise_and_a_debt() -> None:
    office = Office(office_plan(ANA, queue=queue_of(wait_ms_max=30 * SECOND)), signed_in=False)
    caller = office.call()
    office.later(30 * SECOND)
    (missed,) = office.told(CallMissed)
    assert (missed.reason, missed.cause) == (MissReason.TIMED_OUT, MissCause.NOBODY_THERE)
    (prompt,) = office.told(PlayPrompt)
    assert prompt.prompt.kind is PromptKind.PROMISE
    office.tell(PromptEnded(caller, prompt.playback))
    assert office.commands[-1] == HangUp(caller)
    assert office.engine.ledger.open == 1


def test_a_full_queue_promises_a_callback_at_once() -> None:
    office = Office(office_plan(ANA, queue=queue_of(length_max=1)), signed_in=False)
    office.call("one")
    office.call("two")
    assert [fact.reason for fact in office.told(CallMissed)] == [MissReason.QUEUE_FULL]


def closed_plan(*, closed: bool) -> Plan:
    # START is a Monday, 17:13 in Moscow.
    day = (Interval(9 * 60, 12 * 60) if closed else Interval(9 * 60, 20 * 60),)
    hours = Hours(HoursId("office"), (day,) * 7)
    return office_plan(ANA, queue=queue_of(hours=hours.id), hours=(hours,))


def test_a_call_after_hours_hears_so_and_is_owed_for_the_next_opening() -> None:
    office = Office(closed_plan(closed=True))
    caller = office.call()
    (prompt,) = office.told(PlayPrompt)
    assert prompt.prompt.kind is PromptKind.CLOSED
    assert not office.rings()
    (missed,) = office.told(CallMissed)
    assert (missed.reason, missed.cause) == (MissReason.AFTER_HOURS, MissCause.CLOSED)
    office.tell(LegEnded(caller, EndCause.NORMAL))
    office.later(10 * MINUTE)
    assert not office.told(RingAgent)
    office.later(17 * 60 * MINUTE)
    ring = office.told(RingAgent)[0]
    assert ring.callback_clock == "17:13"


def test_within_hours_the_same_call_rings() -> None:
    office = Office(closed_plan(closed=False))
    office.call()
    assert set(office.rings()) == {ANA}


def test_steps_go_on_by_the_clock_and_end_with_the_leader() -> None:
    first = Step(agents=(ANA,), k=1, ring_ms=10 * SECOND)
    leader = Step(agents=(BOB,), k=1, ring_ms=20 * SECOND)
    office = Office(office_plan(ANA, BOB, queue=queue_of(first, leader, rounds_max=1)))
    office.call()
    office.all_ring()
    assert set(office.rings()) == {ANA}
    office.later(10 * SECOND)
    assert set(office.rings()) == {BOB}
    office.all_ring()
    office.later(20 * SECOND)
    (missed,) = office.told(CallMissed)
    assert missed.reason is MissReason.TIMED_OUT
    assert missed.rung == (ANA, BOB)


def test_a_step_is_skipped_at_once_when_nobody_of_it_is_free() -> None:
    manager = Step(agents=(ANA,), k=1, skip_when_nobody=True)
    others = Step(agents=(BOB, CAT), k=2)
    office = Office(office_plan(ANA, BOB, CAT, queue=queue_of(manager, others)))
    office.call("one")
    office.all_ring()
    office.answer(ANA)
    office.call("two")
    assert set(office.rings()) == {BOB, CAT}


def test_added_telephones_ring_on_beside_the_new_ones() -> None:
    first = Step(agents=(ANA,), k=1, mode=StepMode.ADD)
    more = Step(agents=(BOB,), k=1, mode=StepMode.ADD)
    office = Office(office_plan(ANA, BOB, queue=queue_of(first, more)))
    office.call()
    office.all_ring()
    office.later(10 * SECOND)
    assert set(office.rings()) == {ANA, BOB}


def test_between_two_rings_the_telephones_are_silent_for_the_gap() -> None:
    office = Office(office_plan(ANA, queue=queue_of(Step(groups=EVERYBODY), gap_ms=1 * SECOND)))
    office.call()
    office.all_ring()
    office.later(10 * SECOND)
    assert not office.rings()
    office.later(1 * SECOND)
    assert set(office.rings()) == {ANA}


def test_two_misses_in_a_row_pause_the_agent_with_a_reason() -> None:
    office = Office(office_plan(ANA, queue=queue_of(pause_after_misses=2)))
    office.call()
    for _ in range(2):
        office.all_ring()
        office.later(10 * SECOND)
    agent = office.engine.agents[ANA]
    assert (agent.status, agent.reason) == (Status.PAUSED, "missed_calls")


def test_a_mobile_has_the_call_only_after_pressing_one_and_its_voicemail_never() -> None:
    plan = office_plan(ANA, BOB)
    mobile = Agent(ANA, "Ana", DeviceKind.MOBILE, "+79990001122", TrunkId("city"))
    office = Office(replace(plan, agents=(mobile, plan.agents[1])))
    office.call()
    office.all_ring()
    leg = office.rings()[ANA]
    office.tell(LegAnswered(leg))
    assert office.told(PlayPrompt)[-1].prompt.kind is PromptKind.PRESS_ONE
    assert not office.told(CallAnswered)
    office.later(8 * SECOND)
    assert office.told(OfferEnded)[-1].outcome is OfferOutcome.MISSED
    office.later(2 * SECOND)
    office.all_ring()
    leg = office.rings()[ANA]
    office.tell(LegAnswered(leg), DigitPressed(leg, "5"))
    assert office.engine.agents[ANA].status is Status.RINGING
    office.tell(DigitPressed(leg, "1"))
    assert office.engine.agents[ANA].status is Status.TALKING


def test_an_unknown_number_dialled_goes_to_the_default_queue_and_says_so() -> None:
    plan = replace(office_plan(ANA), dids=())
    office = Office(plan)
    office.call()
    assert not office.told(CallReceived)[0].known_number
    assert set(office.rings()) == {ANA}


@pytest.mark.parametrize(
    ("ranking", "first"),
    [
        (Ranking.LONGEST_IDLE, ANA),
        (Ranking.BY_LEVEL, ANA),
        (Ranking.FEWEST_CALLS, BOB),
        (Ranking.ROUND_ROBIN, BOB),
        (Ranking.LEAST_RECENT, BOB),
    ],
)
def test_rankings_ring_the_agent_that_their_name_says(ranking: Ranking, first: str) -> None:
    step = Step(groups=EVERYBODY, k=1, ranking=ranking)
    office = Office(office_plan(ANA, BOB, CAT, queue=queue_of(step, wrap_up_ms=0)))
    caller = office.call("one")
    office.all_ring()
    leg = office.rings()[ANA]
    office.tell(LegAnswered(leg))
    office.later(3 * SECOND)
    office.tell(LegEnded(caller, EndCause.NORMAL))
    # The others come free after Ana did: they went on a break for a moment.
    office.later(1 * SECOND)
    for agent in (BOB, CAT):
        office.pause(agent)
        office.later(1 * SECOND)
        office.sign_in(agent)
    office.call("two")
    assert list(office.rings()) == [first]


def test_all_rings_everybody_and_presence_prefers_who_was_seen_last() -> None:
    office = Office(
        office_plan(
            ANA, BOB, CAT, DAN, queue=queue_of(Step(groups=EVERYBODY, k=1, ranking=Ranking.ALL))
        )
    )
    office.call()
    assert len(office.rings()) == 4
    step = Step(groups=EVERYBODY, k=1, ranking=Ranking.BY_PRESENCE)
    office = Office(office_plan(ANA, BOB, queue=queue_of(step)))
    office.later(10 * MINUTE)
    office.pause(BOB)
    office.sign_in(BOB)
    office.call()
    assert list(office.rings()) == [BOB]


def test_a_random_ranking_is_the_same_in_every_run_and_differs_from_call_to_call() -> None:
    step = Step(groups=EVERYBODY, k=1, ranking=Ranking.RANDOM)

    def order() -> list[str]:
        office = Office(office_plan(ANA, BOB, CAT, DAN, queue=queue_of(step)))
        for n in range(4):
            office.call(f"caller-{n}")
        return [fact.agent for fact in office.told(OfferMade)]

    assert order() == order()
    assert order() != sorted(order())


def test_an_older_caller_is_served_before_a_younger_one_of_a_lower_tier_before_both() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    office.call("first")
    office.later(SECOND)
    office.call("second")
    office.sign_in(ANA)
    (made,) = office.told(OfferMade)
    assert made.call.endswith("c1")


def test_a_person_whom_we_owe_inherits_his_older_place() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    owed = office.call("owed")
    office.later(8 * SECOND)
    office.tell(LegEnded(owed, EndCause.CANCELLED))
    office.later(8 * SECOND)
    office.call("other")
    office.later(SECOND)
    office.call("owed", "in-again")
    office.sign_in(ANA)
    offers = [fact for fact in office.told(OfferMade) if fact.debt is None]
    assert offers[0].call.endswith("c3")
    assert office.told(CallQueued)[-1].key_at < office.now - 8 * SECOND


def test_a_new_plan_brings_agents_and_keeps_the_settings_of_calls_that_wait() -> None:
    office = Office(office_plan(ANA, queue=queue_of(wait_ms_max=30 * SECOND)), signed_in=False)
    office.call()
    newer = replace(
        office_plan(ANA, BOB, queue=queue_of(wait_ms_max=90 * SECOND)), version=PlanVersion("v2")
    )
    office.tell(PlanChanged(newer))
    office.sign_in(BOB)
    assert set(office.rings()) == {BOB}
    office.later(30 * SECOND)
    assert [fact.reason for fact in office.told(CallMissed)] == [MissReason.TIMED_OUT]


def test_an_agent_who_leaves_the_plan_in_a_talk_ends_it_and_is_gone() -> None:
    office = Office(office_plan(ANA, BOB))
    caller = office.call()
    office.all_ring()
    office.answer(ANA)
    office.tell(PlanChanged(replace(office_plan(BOB), version=PlanVersion("v2"))))
    assert office.engine.agents[ANA].status is Status.TALKING
    office.tell(LegEnded(caller, EndCause.NORMAL))
    office.later(MINUTE)
    assert ANA not in office.engine.agents


@pytest.mark.parametrize(
    "event",
    [
        LegRinging(LegId("shop-tstc9/1")),
        LegAnswered(LegId("shop-tstc9/1")),
        LegEnded(LegId("shop-tstc9/1"), EndCause.NORMAL),
        DigitPressed(LegId("nobody"), "1"),
    ],
)
def test_news_of_legs_that_nobody_knows_harm_nothing(event: object) -> None:
    office = Office(office_plan(ANA))
    office.tell(event)  # type: ignore[arg-type] # each of them is an Event
    office.call()
    assert set(office.rings()) == {ANA}


def test_a_plan_that_contradicts_itself_cannot_be_built() -> None:
    with pytest.raises(PlanError, match=r"queues\.sales\.steps\[0\]\.k"):
        office_plan(ANA, queue=queue_of(Step(groups=EVERYBODY, k=51)))
    with pytest.raises(PlanError, match="not in the plan"):
        office_plan(ANA, queue=queue_of(Step(agents=(BOB,))))
    with pytest.raises(PlanError, match="must end the wait"):
        office_plan(ANA, queue=queue_of(wait_ms_max=None))
