"""The simulated switch keeps the protocol between the core and any switch."""

from dataclasses import replace

from perezvon.core.commands import (
    AnswerCall,
    Command,
    ConnectCall,
    DialClient,
    HangUp,
    PlayPrompt,
    Prompt,
    PromptKind,
    RingAgent,
    StopRinging,
)
from perezvon.core.events import (
    ArrivalWitnessed,
    CallArrived,
    CallFellBack,
    DigitPressed,
    EndCause,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegState,
    PromptEnded,
)
from perezvon.core.ids import (
    SECOND,
    AgentId,
    CallId,
    Duration,
    LegId,
    PersonId,
    PlaybackId,
    TrunkId,
)
from perezvon.core.plan import Agent, DeviceKind
from perezvon.sim.people import Arrival
from perezvon.sim.scenario import loads
from perezvon.sim.world import World
from tests.sim.rooms import DID, room_plan

CALL = CallId("c1")
ANN, BOB = AgentId("a1"), AgentId("a2")
RING_ANN, RING_BOB, CLIENT = LegId("c1/1"), LegId("c1/2"), LegId("d1/1c")
HABITS = """
name: x
duration: 1s
calls: [{at: 0s, did: '00', patience: 0s}]
network: 100ms
people: {default: {pick_up: 2s, talk: 30s, ends_talk: 0}}
"""


class Stage:
    """A world of fixed habits in which one caller waits."""

    def __init__(self, habits: str = "", patience_ms: Duration = 60 * SECOND) -> None:
        plan = room_plan(agents=3)
        self.world = World(loads(HABITS + habits), plan, 1, 0)
        self.world.office.phones["a3"].mobile = True
        self.heard: list[Event] = []
        self.until(5 * SECOND)
        self.heard.clear()
        leg = self.world.outside.arrives(
            Arrival(0, "caller", DID, "client", withheld=False, patience_ms=patience_ms, talk=0.5)
        )
        assert leg is not None
        self.caller = leg

    def until(self, at: Duration) -> list[Event]:
        """Play on; gives what was heard since the last time."""
        self.heard += self.world.out
        self.world.out.clear()
        while (due_at := self.world.next_at()) is not None and due_at <= at:
            self.world.step(due_at)
            self.heard += self.world.out
            self.world.out.clear()
        self.world.board.now = max(self.world.now, at)
        heard, self.heard = self.heard, []
        return heard

    def do(self, *commands: Command) -> None:
        for command in commands:
            self.world.carry_out(command)

    def ring(self, leg: LegId, agent: AgentId) -> RingAgent:
        return RingAgent(leg, CALL, agent, self.caller, PersonId("p-client"), 20 * SECOND)


def test_a_caller_arrives_waits_and_leaves_and_is_witnessed() -> None:
    stage = Stage(patience_ms=8 * SECOND)
    heard = stage.until(30 * SECOND)
    assert isinstance(heard[0], CallArrived)
    assert heard[1] == LegEnded(stage.caller, EndCause.CANCELLED)
    assert isinstance(heard[2], ArrivalWitnessed)
    assert heard[2].ended_at - heard[2].arrived_at == 8 * SECOND


def test_who_was_picked_up_ends_normally() -> None:
    stage = Stage(patience_ms=8 * SECOND)
    stage.do(AnswerCall(stage.caller))
    assert LegEnded(stage.caller, EndCause.NORMAL) in stage.until(30 * SECOND)


def test_two_are_rung_one_wins_and_they_talk() -> None:
    stage = Stage()
    stage.do(stage.ring(RING_ANN, ANN), stage.ring(RING_BOB, BOB))
    heard = stage.until(8 * SECOND)
    assert [e for e in heard if isinstance(e, LegRinging | LegAnswered)] == [
        LegRinging(RING_ANN),
        LegRinging(RING_BOB),
        LegAnswered(RING_ANN),
        LegAnswered(RING_BOB),
    ]
    stage.do(ConnectCall(CALL, stage.caller, RING_ANN), StopRinging(RING_BOB))
    assert stage.until(9 * SECOND) == [LegEnded(RING_BOB, EndCause.NORMAL)]
    seen = {each.leg: each for each in stage.world.seen()}
    assert seen[stage.caller].bridged_with == RING_ANN
    assert seen[RING_ANN].state is LegState.UP
    assert stage.until(45 * SECOND)[0] == LegEnded(stage.caller, EndCause.NORMAL)
    stage.do(HangUp(RING_ANN))
    assert LegEnded(RING_ANN, EndCause.NORMAL) in stage.until(46 * SECOND)
    assert [who for who, _ in stage.world.truth.attempts[stage.caller].talks] == ["a1"]
    assert not stage.world.truth.wrongs


def test_a_leg_that_rings_out_or_refuses_or_is_not_there_tells_why() -> None:
    stage = Stage(patience_ms=90 * SECOND)
    stage.world.office.gone("a2", mute=False, told=False)
    stage.do(stage.ring(RING_BOB, BOB))
    assert LegEnded(RING_BOB, EndCause.UNREACHABLE) in stage.until(6 * SECOND)
    stage.do(RingAgent(LegId("c1/9"), CALL, AgentId("nobody"), None, None, 5 * SECOND))
    assert LegEnded(LegId("c1/9"), EndCause.UNREACHABLE) in stage.until(7 * SECOND)
    short = RingAgent(RING_ANN, CALL, ANN, stage.caller, None, 1 * SECOND)
    stage.do(short)
    assert stage.until(9 * SECOND) == [
        LegRinging(RING_ANN),
        LegEnded(RING_ANN, EndCause.NO_ANSWER),
    ]


def test_a_telephone_without_a_sign_says_nothing_until_the_bound() -> None:
    stage = Stage()
    stage.world.office.gone("a1", mute=True, told=False)
    stage.do(stage.ring(RING_ANN, ANN))
    heard = stage.until(30 * SECOND)
    assert LegRinging(RING_ANN) not in heard
    assert LegEnded(RING_ANN, EndCause.UNREACHABLE) in heard


def test_a_prompt_ends_also_for_one_who_is_gone() -> None:
    stage = Stage(patience_ms=1 * SECOND)
    stage.until(8 * SECOND)
    stage.do(PlayPrompt(stage.caller, PlaybackId("p1"), Prompt(PromptKind.GREETING)))
    assert stage.until(9 * SECOND) == [PromptEnded(stage.caller, PlaybackId("p1"))]


def test_a_person_with_a_mobile_presses_one_when_asked() -> None:
    stage = Stage()
    stage.do(stage.ring(RING_ANN, AgentId("a3")))
    assert LegAnswered(RING_ANN) in stage.until(9 * SECOND)
    stage.do(PlayPrompt(RING_ANN, PlaybackId("p1"), Prompt(PromptKind.PRESS_ONE)))
    assert DigitPressed(RING_ANN, "1") in stage.until(20 * SECOND)


def test_connecting_one_who_is_gone_tells_that_he_is_lost() -> None:
    stage = Stage(patience_ms=1 * SECOND)
    stage.do(stage.ring(RING_ANN, ANN))
    stage.until(8 * SECOND)
    stage.do(ConnectCall(CALL, stage.caller, RING_ANN))
    assert stage.until(8 * SECOND) == [LegEnded(stage.caller, EndCause.LOST)]


def dial(stage: Stage, *, leg: LegId = CLIENT) -> None:
    person, trunk = PersonId("p-somebody"), TrunkId("carrier")
    stage.do(DialClient(leg, CALL, person, trunk, DID, 25 * SECOND, None))


def test_a_client_who_is_dialled_rings_and_answers() -> None:
    stage = Stage("clients: {answers_callback: [1.0], answers_after: 4s}")
    dial(stage)
    heard = [e for e in stage.until(12 * SECOND) if not isinstance(e, CallArrived)]
    assert heard == [LegRinging(CLIENT), LegAnswered(CLIENT)]
    assert stage.world.truth.client_rings == {CLIENT: 1}


def test_the_carriers_fault_is_told_from_the_clients() -> None:
    stage = Stage("clients: {answers_callback: [0], busy: 1.0}")
    stage.world.set_trunk(TrunkId("carrier"), up=False)
    dial(stage)
    assert LegEnded(CLIENT, EndCause.TRUNK_FAILED) in stage.until(7 * SECOND)
    stage.world.set_trunk(TrunkId("carrier"), up=True)
    dial(stage, leg=LegId("d1/2c"))
    assert LegEnded(LegId("d1/2c"), EndCause.BUSY) in stage.until(9 * SECOND)


def test_without_an_engine_callers_fall_back_and_come_to_an_end() -> None:
    stage = Stage(patience_ms=600 * SECOND)
    stage.until(6 * SECOND)
    stage.world.outside.engine_away()
    heard = stage.until(200 * SECOND)
    assert heard[0] == CallFellBack(stage.caller)
    witnessed = heard[-1]
    assert isinstance(witnessed, ArrivalWitnessed)
    assert witnessed.fallback_agent == ANN
    assert stage.world.seen() == ()


def test_an_engine_that_is_back_in_time_keeps_its_callers() -> None:
    stage = Stage()
    stage.until(6 * SECOND)
    stage.world.outside.engine_away()
    stage.until(15 * SECOND)
    stage.world.outside.engine_back()
    assert not stage.until(40 * SECOND)
    assert [each.leg for each in stage.world.seen()] == [stage.caller]


def test_the_wrong_thing_is_noted() -> None:
    stage = Stage()
    stage.do(stage.ring(RING_ANN, ANN), stage.ring(LegId("c1/7"), ANN))
    assert "an agent is given two calls" in stage.world.truth.wrongs[0]
    dial(stage)
    stage.until(30 * SECOND)
    stage.do(HangUp(CLIENT))
    stage.until(40 * SECOND)
    dial(stage)
    assert "rung twice in one attempt" in stage.world.truth.wrongs[-1]


def test_a_mobile_of_the_plan_is_a_mobile_here() -> None:
    plan = room_plan(agents=1)
    mobile = Agent(AgentId("m"), "M", DeviceKind.MOBILE, "+79160000000", TrunkId("carrier"))
    world = World(loads(HABITS), plan, 1, 0)
    world.learn_plan(replace(plan, agents=(*plan.agents, mobile)))
    assert world.office.phones["m"].mobile
