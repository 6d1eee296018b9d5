"""The simulated switch in real time, behind the port that the engine process uses."""

import asyncio
from collections.abc import Callable
from time import monotonic, time

from perezvon.core.commands import ConnectCall, RingAgent
from perezvon.core.engine import Engine
from perezvon.core.events import CallArrived, EndCause, Event, LegEnded, Resynced
from perezvon.core.facts import CallAnswered, Fact
from perezvon.core.ids import AgentId, CallId, LegId, PersonId
from perezvon.runtime.ports import Switch, Unavailable
from perezvon.sim.people import Arrival
from perezvon.sim.realtime import SimulatedSwitch
from perezvon.sim.scenario import Scenario, loads
from tests.sim.rooms import DID, room_plan

DEADLINE_S = 20.0


def brisk() -> Scenario:
    return loads(f"""
name: brisk
duration: 1h
network: 5ms
arrivals: [{{did: '{DID}', per_hour: 36000}}]
clients: {{patience: 20s}}
people: {{default: {{pick_up: 20ms, talk: 2100ms}}}}
""")


class Driver:
    """The least that turns a switch and an engine into a call centre."""

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.engine = Engine(era="room-x", plan=room_plan())
        self.events: list[Event] = []
        self.facts: list[Fact] = []
        self.commands: list[object] = []

    def hear(self, event: Event) -> None:
        self.events.append(event)
        step = self.engine.handle(event, int(time() * 1000))
        self.facts += step.facts
        self.commands += step.commands
        self.switch.carry_out(step.commands)

    def wake(self) -> None:
        step = self.engine.advance(int(time() * 1000))
        self.facts += step.facts
        self.switch.carry_out(step.commands)


async def until(condition: Callable[[], bool], wake: Callable[[], None]) -> None:
    ends_at = monotonic() + DEADLINE_S
    while not condition():
        assert monotonic() < ends_at, "it did not come to pass"
        wake()
        await asyncio.sleep(0.02)


def test_callers_are_answered_in_real_time() -> None:
    async def play() -> Driver:
        switch = SimulatedSwitch(brisk())
        switch.learn_plan(room_plan())
        driver = Driver(switch)
        await switch.start(driver.hear)
        await until(lambda: any(isinstance(f, CallAnswered) for f in driver.facts), driver.wake)
        await switch.stop()
        return driver

    driver = asyncio.run(play())
    assert driver.events[0] == Resynced(())
    assert any(isinstance(command, ConnectCall) for command in driver.commands)


def test_the_first_audit_tells_what_was_never_made() -> None:
    async def play() -> list[Event]:
        switch = SimulatedSwitch(brisk())
        switch.learn_plan(room_plan())
        lost = RingAgent(LegId("c1/1"), CallId("c1"), AgentId("a1"), None, None, 10_000)
        switch.expect([lost])
        heard: list[Event] = []
        await switch.start(heard.append)
        await switch.stop()
        return heard

    heard = asyncio.run(play())
    assert heard[0] == Resynced((), ((LegId("c1/1"), EndCause.NEVER_MADE),))


def test_the_beat_stops_when_no_commit_succeeds_or_the_world_has_ended() -> None:
    async def fine() -> None:
        return None

    async def full() -> None:
        raise Unavailable

    async def play() -> list[bool]:
        switch = SimulatedSwitch(brisk())
        switch.learn_plan(room_plan())
        await switch.start(lambda _: None)
        beats = [await switch.heartbeat(fine), await switch.heartbeat(full)]
        await switch.stop()
        return [*beats, await switch.heartbeat(fine)]

    assert asyncio.run(play()) == [True, False, False]


def test_a_test_can_call_in_and_hang_up() -> None:
    async def play() -> list[Event]:
        switch = SimulatedSwitch(person_of=lambda number: PersonId("known " + number))
        switch.learn_plan(room_plan())
        heard: list[Event] = []
        await switch.start(heard.append)
        caller = Arrival(0, "t", DID, "s79160000001", withheld=False, patience_ms=9**9, talk=0.5)
        leg = switch.call_in(caller)
        assert leg is not None
        await until(lambda: any(isinstance(e, CallArrived) for e in heard), lambda: None)
        switch.hang_up(leg)
        await until(lambda: LegEnded(leg, EndCause.CANCELLED) in heard, lambda: None)
        await switch.stop()
        return heard

    arrived = next(e for e in asyncio.run(play()) if isinstance(e, CallArrived))
    assert str(arrived.caller.person).startswith("known +7")
