"""A client is handed over: to a colleague, a queue or a number outside, blind or after asking."""

from dataclasses import replace

import pytest

from perezvon.core.commands import (
    ConnectCall,
    DialClient,
    HangUp,
    PlayPrompt,
    SignalRinging,
    StartMusic,
    StopRinging,
)
from perezvon.core.events import (
    CallFellBack,
    EndCause,
    LegAnswered,
    LegEnded,
    LegSeen,
    LegState,
    PlanChanged,
    Resynced,
    TransferAsked,
    TransferCancelAsked,
    TransferCompletionAsked,
)
from perezvon.core.facts import (
    CallAnswered,
    CallCut,
    CallEnded,
    CallQueued,
    DebtOpened,
    DebtReopened,
    MissReason,
    OfferMade,
    Status,
)
from perezvon.core.ids import SECOND, CallId, GroupId, LegId, PersonId, PlanVersion, QueueId
from perezvon.core.plan import Group, Member, Plan, Queue, Step
from perezvon.core.talk_facts import (
    ConsultBegan,
    OfferPurpose,
    TalkHandedOver,
    TransferFailed,
    TransferFailure,
    TransferTaken,
)
from tests.core.office import ANA, BOB, CAT, DAN, Office, office_plan

HELP = QueueId("help")
FRIEND = PersonId("friend")


def plan() -> Plan:
    """Ana and Cat sell, Bob helps; Dan is in no queue."""
    base = office_plan(ANA, BOB, CAT, DAN)
    groups = (
        Group(GroupId("all"), "All", (Member(ANA), Member(CAT))),
        Group(GroupId("help"), "Help", (Member(BOB),)),
    )
    help_desk = Queue(HELP, "Help", (Step(groups=(GroupId("help"),)),), pause_after_misses=None)
    return replace(base, groups=groups, queues=(*base.queues, help_desk))


class Desk(Office):
    """Ana talks with Ivan; Cat has a break."""

    def __init__(self) -> None:
        super().__init__(plan())
        self.pause(CAT)
        self.client = self.call("ivan")
        self.all_ring()
        self.ana = self.answer(ANA, talk_ms=10 * SECOND)
        (call,) = self.engine.calls.values()
        self.talk: CallId = call.id

    def hand(self, *, attended: bool = False, **to: object) -> None:
        self.tell(TransferAsked(self.talk, ANA, attended, ANA, **to))  # type: ignore[arg-type]

    def audited(self) -> None:
        """The switch runs since long ago, and the two talk on it."""
        seen = (LegSeen(self.client, LegState.UP, self.ana), LegSeen(self.ana, LegState.UP))
        self.tell(Resynced(seen, switch_started_at=1))

    def status(self) -> dict[str, str]:
        return {name: agent.status.value for name, agent in self.engine.agents.items()}

    def failed(self) -> list[TransferFailure]:
        return [fact.reason for fact in self.told(TransferFailed)]


def hangs_up(office: Desk, leg: LegId) -> None:
    office.tell(LegEnded(leg, EndCause.NORMAL))


# Blind.


def test_a_colleague_takes_a_client_over_and_who_handed_him_over_is_free_of_him_at_once() -> None:
    desk = Desk()
    desk.hand(to_agent=BOB)
    assert desk.told(StartMusic)[-1].leg == desk.client
    assert desk.told(HangUp)[-1].leg == desk.ana
    assert desk.engine.agents[ANA].status is Status.WRAP_UP
    assert desk.told(OfferMade)[-1].purpose is OfferPurpose.TRANSFER
    bob = desk.rings()[BOB]
    desk.all_ring()
    desk.answer(BOB, talk_ms=7 * SECOND)
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, bob)
    assert desk.told(TransferTaken)[0].agent == BOB
    hangs_up(desk, desk.client)
    (ended,) = desk.told(CallEnded)
    assert (ended.agent, ended.talk_ms) == (BOB, 17 * SECOND)
    assert desk.told(TalkHandedOver)[0].talk_ms == 10 * SECOND
    assert len(desk.told(CallAnswered)) == 1
    assert desk.engine.ledger.answered == 1


def test_not_taken_he_goes_back_to_who_handed_him_over() -> None:
    desk = Desk()
    desk.hand(to_agent=BOB)
    desk.all_ring()
    desk.later(20 * SECOND)
    assert desk.failed() == [TransferFailure.NOT_TAKEN]
    assert desk.told(OfferMade)[-1].purpose is OfferPurpose.RETURN
    desk.answer(ANA)
    assert desk.told(ConnectCall)[-1].client == desk.client
    assert not desk.told(TransferTaken)
    hangs_up(desk, desk.client)
    assert desk.engine.ledger.answered == 1


def test_who_handed_him_over_is_busy_by_then_so_the_client_is_first_in_the_line() -> None:
    desk = Desk()
    desk.hand(to_agent=BOB)
    desk.pause(ANA)
    desk.tell(LegEnded(desk.rings()[BOB], EndCause.REFUSED))
    assert desk.failed() == [TransferFailure.REFUSED]
    queued = desk.told(CallQueued)[-1]
    assert queued.key_at == desk.engine.calls[desk.talk].arrived_at
    other = desk.call("olga")
    desk.sign_in(CAT)
    desk.all_ring()
    desk.answer(CAT)
    connected = desk.told(ConnectCall)[-1]
    assert connected.client == desk.client != other


def test_to_a_queue_he_stands_there_by_when_he_had_come() -> None:
    desk = Desk()
    desk.pause(BOB)
    arrived_at = desk.engine.calls[desk.talk].arrived_at
    desk.hand(to_queue=HELP)
    queued = desk.told(CallQueued)[-1]
    assert (queued.queue, queued.key_at) == (HELP, arrived_at)
    desk.sign_in(BOB)
    desk.all_ring()
    desk.answer(BOB)
    assert desk.told(TransferTaken)[0].agent == BOB


def test_to_a_number_outside_the_two_talk_without_us() -> None:
    desk = Desk()
    desk.hand(to_person=FRIEND)
    dialled = desk.told(DialClient)[-1]
    assert (dialled.person, dialled.agent) == (FRIEND, None)
    desk.tell(LegAnswered(dialled.leg))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, dialled.leg)
    assert desk.told(TransferTaken)[0].agent is None
    desk.later(20 * SECOND)
    assert desk.status()[ANA] == Status.AVAILABLE
    hangs_up(desk, dialled.leg)
    (ended,) = desk.told(CallEnded)
    assert (ended.ended_by, ended.talk_ms) == ("target", 30 * SECOND)
    assert desk.told(HangUp)[-1].leg == desk.client


def test_a_number_outside_that_is_busy_gives_him_back() -> None:
    desk = Desk()
    desk.hand(to_person=FRIEND)
    desk.tell(LegEnded(desk.told(DialClient)[-1].leg, EndCause.BUSY))
    assert desk.failed() == [TransferFailure.REFUSED]
    assert ANA in desk.rings()


@pytest.mark.parametrize("to", [{"to_agent": BOB}, {"to_queue": HELP}, {"to_person": FRIEND}])
def test_a_client_who_leaves_before_he_is_taken_is_owed(to: dict[str, object]) -> None:
    desk = Desk()
    desk.hand(**to)  # type: ignore[arg-type]
    desk.all_ring()
    desk.later(3 * SECOND)
    hangs_up(desk, desk.client)
    assert desk.failed() == [TransferFailure.CLIENT_LEFT]
    (opened,) = desk.told(DebtOpened)
    assert opened.reason is MissReason.TRANSFER_NOT_TAKEN
    ledger = desk.engine.ledger
    assert (ledger.answered, ledger.open, ledger.balanced) == (0, 1, True)


def test_a_client_who_waits_in_vain_in_the_other_queue_is_promised_a_call_and_owed() -> None:
    desk = Desk()
    desk.pause(BOB)
    desk.hand(to_queue=HELP)
    desk.later(601 * SECOND)
    assert desk.failed() == [TransferFailure.TIMED_OUT]
    assert desk.told(PlayPrompt)[-1].leg == desk.client
    assert desk.told(DebtOpened)[0].reason is MissReason.TRANSFER_NOT_TAKEN


def test_a_client_whom_the_fallback_took_over_meanwhile_is_owed() -> None:
    desk = Desk()
    desk.hand(to_agent=BOB)
    desk.tell(CallFellBack(desk.client))
    assert desk.told(DebtOpened)[0].reason is MissReason.TRANSFER_NOT_TAKEN
    assert BOB not in desk.rings()


def test_to_a_colleague_who_is_not_free_the_talk_goes_on() -> None:
    desk = Desk()
    before = list(desk.commands)
    desk.hand(to_agent=CAT)
    assert desk.failed() == [TransferFailure.NOT_FREE]
    assert desk.commands == before
    assert desk.engine.agents[ANA].status is Status.TALKING


def test_only_who_talks_hands_over() -> None:
    desk = Desk()
    desk.tell(TransferAsked(desk.talk, BOB, attended=False, by="bob", to_agent=DAN))
    assert DAN not in desk.rings()
    assert not desk.told(TransferFailed)


# Attended.


def asked(desk: Desk) -> LegId:
    """Bob is on the line with Ana; the client hears music."""
    desk.hand(attended=True, to_agent=BOB)
    assert desk.told(SignalRinging)[-1].leg == desk.ana
    leg = desk.rings()[BOB]
    desk.all_ring()
    desk.tell(LegAnswered(leg))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, leg, desk.ana)
    assert desk.told(ConsultBegan)[0].with_agent == BOB
    desk.later(4 * SECOND)
    return leg


def test_who_has_asked_completes_it() -> None:
    desk = Desk()
    bob = asked(desk)
    assert desk.status()[ANA] == desk.status()[BOB] == Status.TALKING
    desk.tell(TransferCompletionAsked(desk.talk, ANA))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, bob)
    assert (desk.status()[ANA], desk.status()[BOB]) == (Status.WRAP_UP, Status.TALKING)
    assert desk.told(TransferTaken)[0].agent == BOB
    hangs_up(desk, bob)
    (ended,) = desk.told(CallEnded)
    assert (ended.agent, ended.ended_by) == (BOB, "agent")


def test_who_has_asked_hangs_up_and_that_completes_it() -> None:
    desk = Desk()
    bob = asked(desk)
    hangs_up(desk, desk.ana)
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, bob)


def test_who_has_asked_comes_back() -> None:
    desk = Desk()
    bob = asked(desk)
    desk.tell(TransferCancelAsked(desk.talk, ANA))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, desk.ana)
    assert HangUp(bob) in desk.commands
    assert (desk.status()[ANA], desk.status()[BOB]) == (Status.TALKING, Status.AVAILABLE)
    assert desk.failed() == [TransferFailure.CANCELLED]


def test_who_is_asked_hangs_up_and_the_client_has_his_agent_again() -> None:
    desk = Desk()
    hangs_up(desk, asked(desk))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, desk.ana)
    assert desk.failed() == [TransferFailure.TARGET_LEFT]


def test_who_hangs_up_before_anybody_answers_leaves_the_client_to_who_is_rung() -> None:
    desk = Desk()
    desk.hand(attended=True, to_agent=BOB)
    hangs_up(desk, desk.ana)
    assert BOB in desk.rings()
    desk.all_ring()
    desk.answer(BOB)
    assert desk.told(TransferTaken)[0].agent == BOB


def test_a_client_who_leaves_while_he_is_talked_about_is_not_owed() -> None:
    desk = Desk()
    bob = asked(desk)
    hangs_up(desk, desk.client)
    assert not desk.told(DebtOpened)
    assert {HangUp(bob), HangUp(desk.ana)} <= set(desk.commands)
    assert (desk.status()[ANA], desk.status()[BOB]) == (Status.WRAP_UP, Status.AVAILABLE)


def test_a_number_outside_is_asked_first_and_rings_in_the_agents_ear() -> None:
    desk = Desk()
    desk.hand(attended=True, to_person=FRIEND)
    dialled = desk.told(DialClient)[-1]
    assert dialled.agent == desk.ana
    desk.tell(LegAnswered(dialled.leg))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, dialled.leg, desk.ana)
    desk.tell(TransferCompletionAsked(desk.talk, ANA))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, dialled.leg)
    hangs_up(desk, desk.client)
    assert HangUp(dialled.leg) in desk.commands


# What others saw while we looked away.


def test_an_audit_in_the_middle_of_a_transfer_mends_what_is_not_as_it_should_be() -> None:
    desk = Desk()
    bob = asked(desk)
    desk.tell(
        Resynced(
            (
                LegSeen(desk.client, LegState.UP, desk.ana),
                LegSeen(desk.ana, LegState.UP, desk.client),
                LegSeen(bob, LegState.UP),
            )
        )
    )
    assert desk.told(StartMusic)[-1].leg == desk.client
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, bob, desk.ana)


def test_an_audit_finds_that_the_colleague_has_answered() -> None:
    desk = Desk()
    desk.hand(to_agent=BOB)
    bob = desk.rings()[BOB]
    desk.tell(Resynced((LegSeen(desk.client, LegState.UP), LegSeen(bob, LegState.UP))))
    assert desk.told(ConnectCall)[-1] == ConnectCall(desk.talk, desk.client, bob)


def test_a_switch_that_died_in_the_middle_of_a_transfer_leaves_the_client_owed() -> None:
    desk = Desk()
    desk.audited()
    desk.hand(to_agent=BOB)
    desk.all_ring()
    desk.later(2 * SECOND)
    desk.tell(Resynced((), switch_started_at=desk.now))
    assert desk.failed() == [TransferFailure.BROKEN_OFF]
    assert len(desk.told(DebtOpened)) == 1
    assert desk.engine.ledger.open == 1


def test_who_was_promised_a_call_is_owed_once_whatever_becomes_of_him_then() -> None:
    desk = Desk()
    desk.audited()
    desk.pause(BOB)
    desk.hand(to_queue=HELP)
    desk.later(601 * SECOND)
    desk.tell(CallFellBack(desk.client))
    desk.tell(Resynced((), switch_started_at=desk.now))
    assert len(desk.told(DebtOpened)) == 1
    assert (desk.engine.ledger.open, desk.engine.ledger.balanced) == (1, True)


def test_a_switch_that_died_while_two_agents_talked_about_him_cut_his_talk() -> None:
    desk = Desk()
    desk.audited()
    asked(desk)
    desk.tell(Resynced((), switch_started_at=desk.now))
    assert desk.told(CallCut)[0].agent == ANA
    assert desk.failed() == [TransferFailure.BROKEN_OFF]
    # Both are free at once, and wanted for him.
    assert Status.TALKING not in desk.status().values()


def test_nobody_is_rung_any_more_for_a_client_who_was_taken() -> None:
    desk = Desk()
    desk.hand(attended=True, to_agent=BOB)
    bob = desk.rings()[BOB]
    desk.tell(TransferCancelAsked(desk.talk, ANA))
    assert StopRinging(bob) in desk.commands
    desk.tell(LegAnswered(bob))
    assert desk.told(StopRinging)[-1].leg == bob


def test_a_callback_that_was_handed_over_and_cut_after_a_change_of_the_plan_is_owed() -> None:
    """What his debt was to go by is kept as long as a failure may open it again."""
    office = Office(plan())
    office.tell(Resynced((), switch_started_at=1))
    for agent in (ANA, BOB, CAT):
        office.pause(agent)
    leg = office.call("ivan")
    office.later(20 * SECOND)
    office.tell(LegEnded(leg, EndCause.CANCELLED))
    office.sign_in(ANA)
    office.all_ring()
    office.answer(ANA)
    office.later(60 * SECOND)
    client = office.told(DialClient)[-1].leg
    office.tell(LegAnswered(client))
    office.later(3 * SECOND)
    call = next(iter(office.engine.calls))
    office.tell(TransferAsked(call, ANA, attended=False, by=ANA, to_queue=HELP))
    office.sign_in(BOB)
    office.all_ring()
    office.answer(BOB)
    office.tell(PlanChanged(replace(plan(), version=PlanVersion("v2"))))
    office.tell(Resynced((), switch_started_at=office.now))
    assert len(office.told(DebtReopened)) == 1
