"""An office for tests of the driver: a carrier, agents' telephones, and the driver with its sink.

Several offices follow one another on one Asterisk; each leaves it empty.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from perezvon.asterisk.ari import Address
from perezvon.asterisk.provision import application, heartbeat_variable
from perezvon.asterisk.switch import AsteriskSwitch, Guard
from perezvon.core.commands import Command, RingAgent
from perezvon.core.events import CallArrived, EndCause, Event, LegEnded
from perezvon.core.ids import SECOND, AgentId, CallId, Duration, LegId, PersonId
from perezvon.core.plan import Plan
from perezvon.runtime.alerts import Alerts
from perezvon.runtime.ports import Person
from tests.asterisk.phone import Dialog, Phone, until
from tests.support.asterisk import PASSWORD, Running
from tests.support.plans import NUMBER
from tests.support.ports import free_udp_port
from tests.support.registration import register

E = TypeVar("E")


class MemoryDirectory:
    """A working `runtime.ports.Directory` without a store."""

    def __init__(self) -> None:
        self.persons: dict[PersonId, Person] = {}

    def person_of(self, number: str, name: str = "") -> PersonId:
        person = PersonId(f"p{len(number)}-{abs(hash(number))}")
        self.persons[person] = Person(person, number, name)
        return person

    def number_of(self, person: PersonId) -> str | None:
        known = self.persons.get(person)
        return known.number if known is not None else None

    def name_of(self, person: PersonId) -> str:
        known = self.persons.get(person)
        return known.name if known is not None else ""

    def drain(self) -> list[Person]:
        return []


class Office:
    """What a test sees of it: telephones, events, commands."""

    def __init__(self, running: Running, plan: Plan, directory: MemoryDirectory) -> None:
        self.running = running
        self.plan = plan
        self.directory = directory
        self.events: list[Event] = []
        self.phones: dict[str, Phone] = {}
        self.carrier = Phone()
        self.replaced: list[bool] = []
        self.alerts = Alerts(lambda: int(time.time() * SECOND))
        self.switch: AsteriskSwitch

    def driver(
        self,
        *,
        port: int | None = None,
        waiting_ms: Duration = 12 * SECOND,
        cel: Path | None = None,
    ) -> AsteriskSwitch:
        site = self.running.site
        return AsteriskSwitch(
            self.plan,
            Address(
                f"http://127.0.0.1:{port or site.http_port}/ari",
                site.ari_user,
                PASSWORD,
                application(self.plan.tenant),
            ),
            self.directory,
            guard=Guard(heartbeat_variable(self.plan.tenant), waiting_ms),
            cel_path=cel or self.running.process.places.cel,
            on_replaced=lambda: self.replaced.append(True),
            console=self.running.process.places.socket,
            alerts=self.alerts,
        )

    async def open_phone(self, agent: str) -> Phone:
        port = free_udp_port()
        server = ("127.0.0.1", self.running.sip_port)
        assert await asyncio.to_thread(register, server, port, agent, PASSWORD) == 200
        self.phones[agent] = await Phone().open(port)
        return self.phones[agent]

    def do(self, *commands: Command) -> None:
        self.switch.carry_out(commands)

    async def caller(self, number: str = "+79161234567", name: str = "") -> tuple[Dialog, LegId]:
        """Somebody calls; he is in the application when this returns."""
        assert await self.switch.heartbeat(proven)
        arrived = len(self.of(CallArrived))
        dialog = self.carrier.call(NUMBER, self.running.sip_port, caller=number, name=name)
        await until(lambda: len(self.of(CallArrived)) > arrived)
        return dialog, self.of(CallArrived)[-1].leg

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    async def heard(self, event: Event, within_ms: int = 5_000) -> None:
        await until(lambda: event in self.events, within_ms)

    async def end_of(self, leg: LegId, within_ms: int = 5_000) -> EndCause:
        def found() -> LegEnded | None:
            return next((one for one in self.of(LegEnded) if one.leg == leg), None)

        return (await until(found, within_ms)).cause

    async def channels(self) -> int:
        listing = await self.running.process.cli("core show channels count")
        return int(listing.split()[0])


async def proven() -> None:
    """The proof of a journal that works."""


def ring(
    leg: str, agent: str, *, ring_ms: Duration = 10 * SECOND, clock: str = "",
    person: PersonId | None = None,
) -> RingAgent:  # fmt: skip
    call = CallId(leg.partition("/")[0])
    return RingAgent(LegId(leg), call, AgentId(agent), None, person, ring_ms, clock)


@asynccontextmanager
async def office(
    running: Running,
    agents: Iterable[str] = (),
    *,
    started: bool = True,
    waiting_ms: Duration = 12 * SECOND,
) -> AsyncIterator[Office]:
    """The carrier's port is where the plan says its calls come from."""
    place = Office(running, running.plan, MemoryDirectory())
    port = int(running.plan.trunks[0].match[0].rpartition(":")[2])
    await place.carrier.open(port)
    place.switch = place.driver(waiting_ms=waiting_ms)
    try:
        for agent in agents:
            await place.open_phone(agent)
        if started:
            await place.switch.start(place.events.append)
        yield place
    finally:
        await running.process.cli("channel request hangup all")
        await place.switch.stop()
        for phone in (place.carrier, *place.phones.values()):
            phone.close()


def in_office(
    running: Running,
    test: Callable[[Office], Awaitable[None]],
    agents: Iterable[str] = (),
    *,
    started: bool = True,
    waiting_ms: Duration = 12 * SECOND,
) -> None:
    async def run() -> None:
        async with office(running, agents, started=started, waiting_ms=waiting_ms) as place:
            await test(place)

    asyncio.run(run())
