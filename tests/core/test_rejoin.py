"""An agent's softphone is gone in mid-talk, and he comes back to it."""

from dataclasses import replace

from perezvon.core.commands import ConnectCall, HangUp, RingAgent, StartMusic
from perezvon.core.events import EndCause, LegAnswered, LegEnded, RejoinAsked
from perezvon.core.facts import CallCut, CallEnded, CallQueued, DebtOpened, DebtSettled, Status
from perezvon.core.ids import SECOND, LegId
from perezvon.core.plan import DeviceKind
from perezvon.core.talk_facts import AgentLost, AgentRejoined
from tests.core.office import ANA, BOB, Office, office_plan


class Desk(Office):
    """Ana talks with Ivan on a telephone of this kind."""

    def __init__(self, kind: DeviceKind = DeviceKind.WEBRTC) -> None:
        plan = office_plan(ANA, BOB)
        agents = tuple(replace(agent, device=kind) for agent in plan.agents)
        super().__init__(replace(plan, agents=agents))
        self.pause(BOB)
        self.client = self.call("ivan")
        self.all_ring()
        self.ana = self.answer(ANA, talk_ms=10 * SECOND)

    def rejoin(self) -> RingAgent:
        self.tell(RejoinAsked(ANA))
        return self.told(RingAgent)[-1]


def test_his_new_telephone_takes_the_place_of_the_old_one() -> None:
    desk = Desk()
    ring = desk.rejoin()
    assert (ring.agent, ring.auto, ring.leg != desk.ana) == (ANA, True, True)
    desk.tell(LegAnswered(ring.leg))
    assert desk.told(HangUp)[-1].leg == desk.ana
    assert desk.told(ConnectCall)[-1] == ConnectCall(ring.call, desk.client, ring.leg)
    assert desk.told(AgentRejoined)[0].leg == ring.leg
    desk.tell(LegEnded(desk.ana, EndCause.NORMAL))
    assert desk.engine.agents[ANA].status is Status.TALKING
    desk.later(5 * SECOND)
    desk.tell(LegEnded(ring.leg, EndCause.NORMAL))
    (ended,) = desk.told(CallEnded)
    assert (ended.ended_by, ended.talk_ms) == ("agent", 15 * SECOND)


def test_a_browser_that_fell_silent_is_waited_for_with_music() -> None:
    desk = Desk()
    desk.tell(LegEnded(desk.ana, EndCause.WENT_SILENT))
    assert desk.told(StartMusic)[-1].leg == desk.client
    assert desk.told(AgentLost)[0].agent == ANA
    desk.later(10 * SECOND)
    ring = desk.rejoin()
    desk.tell(LegAnswered(ring.leg))
    assert desk.told(ConnectCall)[-1] == ConnectCall(ring.call, desk.client, ring.leg)
    desk.later(60 * SECOND)
    assert not desk.told(CallCut)
    assert desk.engine.agents[ANA].status is Status.TALKING


def test_the_old_leg_may_end_while_the_new_one_rings_by_whatever_cause() -> None:
    desk = Desk()
    ring = desk.rejoin()
    desk.tell(LegEnded(desk.ana, EndCause.NORMAL))
    assert not desk.told(CallEnded)
    desk.tell(LegAnswered(ring.leg))
    assert desk.told(ConnectCall)[-1].agent == ring.leg


def test_who_does_not_come_back_leaves_the_client_owed_and_first_in_the_line() -> None:
    desk = Desk()
    desk.tell(LegEnded(desk.ana, EndCause.WENT_SILENT))
    desk.later(16 * SECOND)
    assert len(desk.told(CallCut)) == len(desk.told(DebtOpened)) == 1
    assert len(desk.told(CallQueued)) == 1
    desk.sign_in(BOB)
    desk.all_ring()
    desk.answer(BOB)
    assert desk.told(ConnectCall)[-1].client == desk.client
    assert len(desk.told(DebtSettled)) == 1


def test_a_client_who_leaves_meanwhile_is_owed() -> None:
    desk = Desk()
    desk.tell(LegEnded(desk.ana, EndCause.WENT_SILENT))
    desk.tell(LegEnded(desk.client, EndCause.NORMAL))
    assert len(desk.told(DebtOpened)) == 1
    assert not desk.engine.calls


def test_a_browser_in_which_he_hung_up_has_ended_the_talk() -> None:
    desk = Desk()
    desk.tell(LegEnded(desk.ana, EndCause.NORMAL))
    assert desk.told(CallEnded)[0].ended_by == "agent"


def test_a_sip_telephone_that_died_is_not_waited_for() -> None:
    desk = Desk(DeviceKind.SIP)
    desk.tell(LegEnded(desk.ana, EndCause.WENT_SILENT))
    assert len(desk.told(CallCut)) == 1


def test_a_new_telephone_that_does_not_answer_changes_nothing() -> None:
    desk = Desk()
    ring = desk.rejoin()
    desk.later(11 * SECOND)
    assert ring.leg in desk.engine.state.ending
    assert desk.engine.agents[ANA].status is Status.TALKING
    assert not desk.told(AgentLost)
    again = desk.rejoin()
    desk.tell(LegAnswered(again.leg))
    assert desk.told(ConnectCall)[-1].agent == again.leg


def test_who_talks_with_nobody_has_nothing_to_come_back_to() -> None:
    desk = Desk()
    desk.tell(LegEnded(desk.client, EndCause.NORMAL))
    before = list(desk.commands)
    desk.tell(RejoinAsked(ANA))
    assert desk.commands == before
    assert LegId("x") not in desk.engine.legs
