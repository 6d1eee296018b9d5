"""The bench of a real Asterisk: one for all tests, with SIPp telephones, clients and callers."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path
from zlib import crc32

from perezvon.asterisk import numbers
from perezvon.asterisk.ari import Address
from perezvon.asterisk.provision import application, heartbeat_variable
from perezvon.asterisk.switch import AsteriskSwitch, Guard
from perezvon.asterisk.witness import Witness
from perezvon.core import events
from perezvon.core.commands import Command, DialClient
from perezvon.core.events import ArrivalWitnessed, CallArrived, LegSeen, NumberClass, Resynced
from perezvon.core.ids import SECOND, AgentId, Duration, LegId, TrunkId
from tests.asterisk.office import MemoryDirectory
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.plans import NUMBER
from tests.support.ports import free_udp_port
from tests.support.scenarios import FOREVER_MS, Answering
from tests.support.sipp import Call, Caller, Happening, Phone, until
from tests.switch import cast
from tests.switch.bench import HEARD_MS, Bench
from tests.switch.cast import MOBILES, Client, ClientManner, Manner, agents_of

CALLERS_AT_ONCE = 3
OVER = ("cancelled", "refused", "hung_up", "ended_by_other")
ELSEWHERE = "Call completed elsewhere"

ANSWERS = Answering(answer_after_ms=cast.ANSWERS_AFTER_MS)
RINGS_ON = Answering(answer_after_ms=None)
TELEPHONES = {
    Manner.ANSWERS: ANSWERS,
    Manner.LEAVES: Answering(answer_after_ms=cast.ANSWERS_AFTER_MS, talk_ms=cast.TALKS_MS),
    Manner.FLEES: Answering(answer_after_ms=cast.ANSWERS_AFTER_MS, talk_ms=cast.FLEES_AFTER_MS),
    Manner.RINGS_ON: RINGS_ON,
    Manner.BUSY: Answering(answer_after_ms=50, refuse_with=486),
    Manner.DECLINES: Answering(answer_after_ms=50, refuse_with=603),
    Manner.MUTE: Answering(dead=True),
}
OUTSIDE: dict[TrunkId, Answering] = {
    MOBILES: Answering(answer_after_ms=cast.ANSWERS_AFTER_MS, digits="1", digits_after_ms=1_000),
    cast.trunk_of(ClientManner.ANSWERS): ANSWERS,
    cast.trunk_of(ClientManner.RINGS_ON): RINGS_ON,
    cast.trunk_of(ClientManner.BUSY): Answering(answer_after_ms=1, rings=False, refuse_with=486),
    cast.trunk_of(ClientManner.BAD_NUMBER): Answering(
        answer_after_ms=1, rings=False, refuse_with=404
    ),
    cast.trunk_of(ClientManner.NO_TRUNK): Answering(
        answer_after_ms=1, rings=False, refuse_with=503
    ),
}


class RealHouse:
    """Everybody who plays, and what follows from one test to the next."""

    def __init__(self, running: Running, place: Path, callers_ports: tuple[int, ...]) -> None:
        self.running = running
        self.place = place
        self.callers_ports = callers_ports
        self.telephones: dict[Manner, Phone] = {}
        self.outside: dict[TrunkId, Phone] = {}
        self.directory = MemoryDirectory()
        self.count = count(1)
        places = running.process.places
        self.witness = Witness(
            running.plan.tenant, places.cel, places.queue_log, self._identify, {}
        )  # fmt: skip

    def _identify(self, number: str) -> events.Caller:
        return numbers.identify(number, "", self.running.plan.country, self.directory)

    @asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        bench = RealBench(self)
        await bench.open()
        try:
            yield bench
            bench.check_story()
        finally:
            await bench.close()


@contextmanager
def real_house(place: Path) -> Iterator[RealHouse]:
    callers_ports = tuple(free_udp_port() for _ in range(CALLERS_AT_ONCE))
    ports = {trunk: free_udp_port() for trunk in OUTSIDE}
    with asterisk(cast.plan(callers_ports, ports), place) as running, ExitStack() as phones:
        house = RealHouse(running, place, callers_ports)
        for manner, how in TELEPHONES.items():
            phone = Phone(running, agents_of(manner), how, place / manner)
            house.telephones[manner] = phones.enter_context(phone)
        for trunk, how in OUTSIDE.items():
            phone = Phone(running, (), how, place / trunk, port=ports[trunk])
            house.outside[trunk] = phones.enter_context(phone)
        yield house


class RealBench(Bench):
    def __init__(self, house: RealHouse) -> None:
        super().__init__()
        self._house = house
        self._running = house.running
        self._switch = self._driver()
        self._callers: list[Caller] = []
        self._line: dict[LegId, Caller] = {}
        self._before = {phone: len(phone.happenings()) for phone in self._phones()}
        self._witnessed: list[ArrivalWitnessed] = []

    def _phones(self) -> list[Phone]:
        return [*self._house.telephones.values(), *self._house.outside.values()]

    def _driver(self) -> AsteriskSwitch:
        site, tenant = self._running.site, self._running.plan.tenant
        return AsteriskSwitch(
            self._running.plan,
            Address(self._running.ari_url, site.ari_user, PASSWORD, application(tenant)),
            self._house.directory,
            guard=Guard(heartbeat_variable(tenant)),
            cel_path=self._running.process.places.cel,
            on_replaced=lambda: None,
        )

    async def open(self) -> None:
        await self._switch.start(self.events.append)

    async def close(self) -> None:
        """Everybody is told that it is over, so that nothing of it comes in the next test."""
        try:
            await self._running.process.cli("channel request hangup all")
            await self.until_nobody()
            await until(lambda: all(one.finished() for one in self._callers), HEARD_MS / SECOND)
        finally:
            await self._switch.stop()
            for caller in self._callers:
                caller.stop()

    @property
    def switch(self) -> AsteriskSwitch:
        return self._switch

    def client(self, manner: ClientManner) -> Client:
        number = f"+7916{next(self._house.count):07}"
        return Client(self._house.directory.person_of(number), cast.trunk_of(manner))

    def client_who(self, arrival: CallArrived) -> Client:
        assert arrival.caller.person is not None
        return Client(arrival.caller.person, cast.trunk_of(ClientManner.ANSWERS))

    async def caller_comes(
        self,
        who: str = "",
        *,
        patience_ms: Duration = 20 * SECOND,
        talk_ms: Duration | None = None,
        number: NumberClass = NumberClass.MOBILE,
    ) -> CallArrived:
        arrival = await super().caller_comes(
            who, patience_ms=patience_ms, talk_ms=talk_ms, number=number
        )  # fmt: skip
        self._line[arrival.leg] = self._callers[-1]
        return arrival

    def _call_in(
        self, who: str, patience_ms: Duration, talk_ms: Duration | None, number: NumberClass
    ) -> None:
        digits = f"{crc32(who.encode()) % 10**7:07}"
        shown = {
            NumberClass.MOBILE: f"7916{digits}",
            NumberClass.LANDLINE: f"7495{digits}",
            NumberClass.WITHHELD: "anonymous",
        }[number]
        busy = {caller.port for caller in self._callers if not caller.finished()}
        port = next(port for port in self._house.callers_ports if port not in busy)
        caller = Caller(
            self._running,
            [Call(shown, NUMBER)],
            self._house.place / f"caller-{next(self._house.count)}",
            port=port,
            patience_ms=patience_ms,
            talk_ms=FOREVER_MS if talk_ms is None else talk_ms,
        )
        self._callers.append(caller.start())

    async def audit(self) -> dict[LegId, LegSeen]:
        return {seen.leg: seen for seen in (await self._switch.audit()).legs}

    def _happenings(self, agent: AgentId) -> list[Happening]:
        phone = self._house.telephones[Manner(agent.rpartition("-")[0])]
        return [one for one in phone.happenings()[self._before[phone] :] if one.agent == agent]

    def rings_count(self, agent: AgentId) -> int:
        return sum(one.kind == "invited" for one in self._happenings(agent))

    def is_quiet(self, agent: AgentId) -> bool:
        heard = self._happenings(agent)
        return {one.call for one in heard} == {one.call for one in heard if one.kind in OVER}

    def has_gone(self, arrival: CallArrived) -> bool:
        return self._line[arrival.leg].finished()

    # Where the two differ by design.

    async def gap(
        self,
        *unsure: Command,
        passes: Callable[[], bool] | None = None,
        commanded: Command | None = None,
    ) -> Resynced:
        await self._switch.stop()
        if passes is not None:
            await until(passes, HEARD_MS / SECOND)
        before = len(self.of(Resynced))
        self._switch = self._driver()
        self._switch.expect(unsure)
        self.do(*(() if commanded is None else (commanded,)))
        await self._switch.start(self.events.append)
        await until(lambda: len(self.of(Resynced)) > before, HEARD_MS / SECOND)
        return self.of(Resynced)[-1]

    async def witnessed(self, leg: LegId) -> ArrivalWitnessed:
        def told() -> bool:
            self._witnessed += self._house.witness.poll()[0]
            return any(one.leg == leg for one in self._witnessed)

        await until(told, HEARD_MS / SECOND)
        (only,) = (one for one in self._witnessed if one.leg == leg)
        return only

    async def check_answered_elsewhere(self, agent: AgentId) -> None:
        await super().check_answered_elsewhere(agent)
        ends = [one.detail for one in self._happenings(agent) if one.kind in OVER]
        assert ends
        assert set(ends) == {ELSEWHERE}, ends

    async def check_hears_ringing(self, arrival: CallArrived) -> None:
        await super().check_hears_ringing(arrival)
        caller = self._line[arrival.leg]
        await until(lambda: bool(caller.of("rings")), HEARD_MS / SECOND, caller.trouble)
        assert not caller.of("answered")

    async def check_shown(self, command: DialClient) -> None:
        number = self._house.directory.number_of(command.person)
        phone = self._house.outside[command.trunk]
        calls = [one for one in phone.of("invited") if one.agent == number]
        assert [one.caller for one in calls] == [command.did], phone.happenings()
