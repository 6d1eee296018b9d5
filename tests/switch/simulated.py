"""The bench of the simulated switch: every test has a world of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count

from perezvon.core.commands import Command
from perezvon.core.events import (
    ArrivalWitnessed,
    CallArrived,
    Event,
    LegAnswered,
    LegRinging,
    LegSeen,
    NumberClass,
    Resynced,
)
from perezvon.core.ids import SECOND, AgentId, Duration, LegId, PersonId
from perezvon.sim.people import Answer, Arrival
from perezvon.sim.realtime import SimulatedSwitch
from perezvon.sim.scenario import Scenario
from tests.support.plans import NUMBER
from tests.support.sipp import until
from tests.switch import cast
from tests.switch.bench import HEARD_MS, Bench
from tests.switch.cast import MOBILES, Client, ClientManner, Manner, agents_of

SCENARIO = Scenario.model_validate(
    {
        "name": "contract",
        "duration": 0,
        # Nobody calls by himself.
        "calls": [{"at": "365d", "did": NUMBER}],
        "people": {"agents": cast.scenario_of_people()},
        # Of everybody some, so that each part can be given to one who plays it by nature.
        "clients": {
            "mobile": 0.5,
            "bad_number": 0.2,
            "answers_callback": [0.5],
            "answers_after": cast.length(cast.ANSWERS_AFTER_MS),
            "busy": 0.5,
        },
        "trunks": {"fails": 0.2},
    }
)


def plays(answer: Answer, manner: ClientManner) -> bool:
    if answer.trunk_fails or answer.bad_number:
        wanted = ClientManner.NO_TRUNK if answer.trunk_fails else ClientManner.BAD_NUMBER
        return manner is wanted
    if answer.after_ms is not None:
        return manner is ClientManner.ANSWERS
    return manner is (ClientManner.BUSY if answer.busy else ClientManner.RINGS_ON)


class SimulatedBench(Bench):
    def __init__(self) -> None:
        super().__init__()
        self._switch = SimulatedSwitch(SCENARIO, seed=1)
        self._count = count(1)

    async def open(self) -> None:
        ports = dict.fromkeys((MOBILES, *map(cast.trunk_of, ClientManner)), 1)
        self._switch.learn_plan(cast.plan((1,), ports))
        await self._switch.start(self._hear)
        office = self._switch.world.office
        for agent in agents_of(Manner.MUTE):
            office.gone(agent, mute=True, told=False)
        for agent in agents_of(Manner.ABSENT):
            office.gone(agent, mute=False, told=True)

    def _hear(self, event: Event) -> None:
        self.events.append(event)
        if (
            isinstance(event, LegAnswered)
            and self._rung.get(event.leg) in agents_of(Manner.FLEES)
        ):  # fmt: skip
            self._switch.hang_up(event.leg)

    @property
    def switch(self) -> SimulatedSwitch:
        return self._switch

    def client(self, manner: ClientManner) -> Client:
        name = self._somebody("client", lambda one: plays(self._answer(one), manner))
        return Client(PersonId(f"p-{name}"), cast.trunk_of(manner))

    def client_who(self, arrival: CallArrived) -> Client:
        assert arrival.caller.person is not None
        return Client(arrival.caller.person, cast.trunk_of(ClientManner.ANSWERS))

    def _call_in(
        self, who: str, patience_ms: Duration, talk_ms: Duration | None, number: NumberClass
    ) -> None:
        callers = self._switch.world.callers
        mobile = number is NumberClass.MOBILE
        name = self._somebody(
            who,
            lambda one: (
                callers.is_mobile(one) is mobile and plays(self._answer(one), ClientManner.ANSWERS)
            ),
        )
        withheld = number is NumberClass.WITHHELD
        key = f"call-{next(self._count)}"
        self._switch.call_in(
            Arrival(0, key, NUMBER, name, withheld, patience_ms, 0.5, talk_ms)
        )  # fmt: skip

    def _somebody(self, root: str, fits: Callable[[str], bool]) -> str:
        """The same for the same root."""
        return next(name for place in count() if fits(name := f"{root}-{place}"))

    def _answer(self, name: str) -> Answer:
        return self._switch.world.callers.answer(name, 1)

    async def audit(self) -> dict[LegId, LegSeen]:
        return {seen.leg: seen for seen in self._switch.world.seen()}

    def rings_count(self, agent: AgentId) -> int:
        return sum(self._rung.get(event.leg) == agent for event in self.of(LegRinging))

    def is_quiet(self, agent: AgentId) -> bool:
        return not self._switch.world.office.phones[agent].legs

    def has_gone(self, arrival: CallArrived) -> bool:
        return arrival.leg not in self._switch.world.board.legs

    async def gap(
        self,
        *unsure: Command,
        passes: Callable[[], bool] | None = None,
        commanded: Command | None = None,
    ) -> Resynced:
        if passes is not None:
            await until(passes, HEARD_MS / SECOND)
        self._switch.expect(unsure)
        self.do(*(() if commanded is None else (commanded,)))
        self._switch._resync()
        return self.of(Resynced)[-1]

    async def witnessed(self, leg: LegId) -> ArrivalWitnessed:
        return await self.heard(ArrivalWitnessed, leg)


class SimulatedHouse:
    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        bench = SimulatedBench()
        await bench.open()
        try:
            yield bench
            bench.check_story()
        finally:
            await bench.switch.stop()
