"""Agents' telephones that vanish without a word, on a real Asterisk with a real engine process."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from perezvon.core.facts import (
    AgentReachableChanged,
    CallAnswered,
    CallCut,
    DebtSettled,
    Fact,
    OfferEnded,
    OfferOutcome,
)
from perezvon.core.ids import AgentId
from perezvon.runtime.alerts import AlertKind
from tests.asterisk.phone import Dialog, Phone, until
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.registration import register

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("phones-lost")]

T = TypeVar("T")

ANNA, BORIS = AgentId("anna"), AgentId("boris")
FOUND_MS = 5_000
"""Two seconds are promised; a busy machine may take longer. Without a probe it is up to twelve."""

SOON_MS = 15_000

BACK_MS = 60_000
RING_MS = 30_000
RTP_TIMEOUT_S = 4


class Desk:
    """Two agents, of whom one is rung at a time, and somebody who calls."""

    def __init__(self, running: Running, engine: EngineProcess) -> None:
        self.running = running
        self.engine = engine
        self.carrier = Phone()
        self.phones: dict[AgentId, Phone] = {}

    async def all_are_known(self) -> None:
        """Each telephone has answered the switch once."""
        async with asyncio.timeout(SOON_MS / 1_000):
            while True:
                contacts = await self.running.process.cli("pjsip show contacts")
                if len(re.findall(r"\bAvail\b", contacts)) == len(self.phones):
                    return
                await asyncio.sleep(0.05)

    async def rung(self, caller: Dialog, within_ms: int = SOON_MS) -> tuple[AgentId, Dialog]:
        """Who is rung for him now. The time is a promise: no patience is added to it."""

        def found() -> tuple[AgentId, Dialog] | None:
            for agent, phone in self.phones.items():
                for dialog in phone.calls:
                    if not dialog.ended and not phone.is_silent:
                        return agent, dialog
            return None

        assert not caller.ended
        async with asyncio.timeout(within_ms / 1_000):
            return await until(found, within_ms)

    def other(self, agent: AgentId) -> AgentId:
        return BORIS if agent == ANNA else ANNA

    async def told_by(self, found: Callable[[list[Fact]], T | None], within_ms: int) -> T:
        """Wait until `found` is in the journal."""
        async with asyncio.timeout(within_ms / 1_000):
            while not (value := found(await asyncio.to_thread(self.engine.facts))):
                await asyncio.sleep(0.1)
            return value

    async def outcome_of(self, agent: AgentId) -> OfferOutcome:
        """Of his first offer."""

        def found(facts: list[Fact]) -> OfferEnded | None:
            return next((f for f in facts if isinstance(f, OfferEnded) and f.agent == agent), None)

        return (await self.told_by(found, SOON_MS)).outcome

    async def is_told_to_be(self, agent: AgentId, *, reachable: bool) -> None:
        def found(facts: list[Fact]) -> bool:
            told = [f for f in facts if isinstance(f, AgentReachableChanged) and f.agent == agent]
            return bool(told) and told[-1].reachable is reachable

        await self.told_by(found, BACK_MS)

    def told(self, what: str, agent: AgentId) -> bool:
        return any(
            what in line and AlertKind.PHONE_AWAY.value in line and f'"{agent}"' in line
            for line in self.engine.log_tail().splitlines()
        )


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of(callers_port=free_udp_port(), k=1, ring_ms=RING_MS)
    place = tmp_path_factory.mktemp("phones-lost")
    with asterisk(plan, place, rtp_timeout_s=RTP_TIMEOUT_S) as one:
        yield one


@asynccontextmanager
async def desk(running: Running, root: Path) -> AsyncIterator[Desk]:
    engine = EngineProcess(running, root)
    one = Desk(running, engine)
    await one.carrier.open(int(running.plan.trunks[0].match[0].rpartition(":")[2]))
    try:
        for agent in (ANNA, BORIS):
            port = free_udp_port()
            server = ("127.0.0.1", running.sip_port)
            assert await asyncio.to_thread(register, server, port, agent, PASSWORD) == 200
            one.phones[agent] = await Phone().open(port)
        await one.all_are_known()
        await asyncio.to_thread(engine.start)
        await asyncio.to_thread(engine.sign_in, ANNA, BORIS)
        yield one
    finally:
        await asyncio.to_thread(engine.stop)
        for phone in (one.carrier, *one.phones.values()):
            phone.close()


def at_desk(running: Running, root: Path, test: Callable[[Desk], Awaitable[None]]) -> None:
    async def run() -> None:
        async with desk(running, root) as one:
            await test(one)

    asyncio.run(run())


def test_a_telephone_that_dies_while_it_rings_is_found_and_the_next_agent_rung(
    running: Running, tmp_path: Path
) -> None:
    async def test(at: Desk) -> None:
        caller = at.carrier.call(NUMBER, running.sip_port)
        dead, _ = await at.rung(caller)
        at.phones[dead].is_silent = True
        taker, offer = await at.rung(caller, FOUND_MS)
        assert taker == at.other(dead)
        # Not his fault: he missed nothing, and is rung for nobody till his telephone lives.
        assert await at.outcome_of(dead) is OfferOutcome.UNREACHABLE
        await at.is_told_to_be(dead, reachable=False)
        await until(lambda: at.told("alert_raised", dead), SOON_MS)
        at.phones[dead].is_silent = False
        await at.is_told_to_be(dead, reachable=True)
        await until(lambda: at.told("alert_cleared", dead), SOON_MS)
        offer.answer()
        await until(lambda: caller.answered)
        caller.hang_up()
        await until(lambda: offer.ended)

    at_desk(running, tmp_path, test)


def test_a_telephone_that_was_dead_before_it_could_ring_costs_two_seconds(
    running: Running, tmp_path: Path
) -> None:
    async def test(at: Desk) -> None:
        at.phones[ANNA].is_silent = True
        caller = at.carrier.call(NUMBER, running.sip_port)
        taker, offer = await at.rung(caller, FOUND_MS)
        assert taker == BORIS
        assert await at.outcome_of(ANNA) is OfferOutcome.UNREACHABLE
        offer.answer()
        await until(lambda: caller.answered)
        caller.hang_up()
        await until(lambda: offer.ended)

    at_desk(running, tmp_path, test)


def test_a_telephone_that_dies_in_a_talk_gives_the_caller_his_place_back(
    running: Running, tmp_path: Path
) -> None:
    async def test(at: Desk) -> None:
        caller = at.carrier.call(NUMBER, running.sip_port)
        dead, offer = await at.rung(caller)
        offer.answer()
        await at.told_by(lambda facts: [f for f in facts if isinstance(f, CallAnswered)], SOON_MS)
        at.phones[dead].is_silent = True
        taker, again = await at.rung(caller, RING_MS)
        assert taker == at.other(dead)
        # Owed at once, should he not wait; the line that he has is his own still.
        await at.told_by(lambda facts: [f for f in facts if isinstance(f, CallCut)], SOON_MS)
        again.answer()
        await at.told_by(lambda facts: [f for f in facts if isinstance(f, DebtSettled)], SOON_MS)
        assert not caller.ended
        again.hang_up()
        await until(lambda: caller.ended)
        ledger = await asyncio.to_thread(at.engine.ledger)
        assert ledger["balanced"]
        assert ledger["open"] == 0

    at_desk(running, tmp_path, test)
