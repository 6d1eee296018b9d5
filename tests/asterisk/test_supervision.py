"""Supervision on a real Asterisk, by ear: each party sends a tone of its own and tells which it
hears.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from perezvon.core.commands import (
    AnswerCall,
    ConnectCall,
    HangUp,
    Supervise,
    SupervisionMode,
)
from perezvon.core.events import LegAnswered, LegEnded, LegState, Resynced
from perezvon.core.ids import CallId, LegId
from tests.asterisk.office import Office, in_office, ring
from tests.asterisk.phone import Dialog, until
from tests.asterisk.sound import Sound
from tests.support.asterisk import Running, asterisk
from tests.support.patience import PATIENCE
from tests.support.plans import plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk

CLIENT_HZ, AGENT_HZ, SUPERVISOR_HZ = 500, 700, 1_100
CALL, AGENT_LEG, LEG = CallId("t-c1"), LegId("t-c1/1"), LegId("t-c1/s1")
LISTEN, WHISPER, BARGE = SupervisionMode


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of(("anna", "boris"), callers_port=free_udp_port())
    with asterisk(plan, tmp_path_factory.mktemp("supervision")) as one:
        yield one


@dataclass
class Talk:
    """A client and Anna talk; Boris has picked up to supervise."""

    place: Office
    client_leg: LegId
    caller: Dialog
    anna: Dialog
    boris: Dialog
    client: Sound
    agent: Sound
    supervisor: Sound

    def supervise(self, mode: SupervisionMode, count: int) -> None:
        self.place.do(Supervise(LEG, CALL, AGENT_LEG, mode, count))

    def heard(self) -> tuple[set[int], set[int], set[int]]:
        """Which tones the client, the agent and the supervisor hear now."""
        tones = (CLIENT_HZ, AGENT_HZ, SUPERVISOR_HZ)
        parties = (self.client, self.agent, self.supervisor)
        client, agent, supervisor = ({hz for hz in tones if one.hears(hz)} for one in parties)
        return client, agent, supervisor

    async def comes_to(self, *wanted: set[int]) -> None:
        """Until all hear this, and it stays so."""
        stays = 0

        def found() -> bool:
            nonlocal stays
            stays = stays + 1 if self.heard() == tuple(wanted) else 0
            return stays >= 50

        try:
            await until(found, 10_000)
        except TimeoutError:
            pytest.fail(f"client, agent and supervisor hear {self.heard()}, not {wanted}")

    async def hears_all(self, client: set[int], agent: set[int]) -> None:
        await self.comes_to(client, agent, {CLIENT_HZ, AGENT_HZ})


@asynccontextmanager
async def talk_of(place: Office) -> AsyncIterator[Talk]:
    anna, boris = place.phones.values()
    parties = (place.carrier, anna, boris)
    for party, hz in zip(parties, (CLIENT_HZ, AGENT_HZ, SUPERVISOR_HZ), strict=True):
        party.sound = await Sound(hz).open()
    caller, client = await place.caller()
    place.do(AnswerCall(client), ring(AGENT_LEG, "anna"))
    answered = await anna.next_call()
    answered.answer()
    await place.heard(LegAnswered(AGENT_LEG))
    place.do(ConnectCall(CALL, client, AGENT_LEG))
    place.do(replace(ring(LEG, "boris"), call=CALL, auto=True))
    listening = await boris.next_call()
    listening.answer()
    await place.heard(LegAnswered(LEG))
    sounds = [party.sound for party in parties if party.sound is not None]
    yield Talk(place, client, caller, answered, listening, *sounds)


async def taps(place: Office) -> list[str]:
    listing = await place.running.process.cli("core show channels concise")
    return [line for line in listing.splitlines() if line.startswith("Snoop/")]


async def nobody_taps(place: Office) -> None:
    async with asyncio.timeout(5 * PATIENCE):
        while await taps(place):
            await asyncio.sleep(0.05)


def test_each_mode_is_heard_by_whom_it_says_and_can_be_changed(running: Running) -> None:
    async def test(place: Office) -> None:
        async with talk_of(place) as talk:
            client, agent = {AGENT_HZ}, {CLIENT_HZ}
            talk.supervise(LISTEN, 1)
            await talk.hears_all(client, agent)
            talk.supervise(WHISPER, 2)
            await talk.hears_all(client, agent | {SUPERVISOR_HZ})
            talk.supervise(BARGE, 3)
            await talk.hears_all(client | {SUPERVISOR_HZ}, agent | {SUPERVISOR_HZ})
            talk.supervise(LISTEN, 4)
            await talk.hears_all(client, agent)
            assert len(await taps(place)) == 1
            assert not place.of(LegEnded)

    in_office(running, test, ("anna", "boris"))


def test_whoever_supervises_and_hangs_up_leaves_the_talk_as_it_was(running: Running) -> None:
    async def test(place: Office) -> None:
        async with talk_of(place) as talk:
            talk.supervise(BARGE, 1)
            both = {SUPERVISOR_HZ}
            await talk.hears_all({AGENT_HZ} | both, {CLIENT_HZ} | both)
            talk.boris.hang_up()
            await place.end_of(LEG)
            await talk.comes_to({AGENT_HZ}, {CLIENT_HZ}, {CLIENT_HZ, AGENT_HZ})
            await nobody_taps(place)
            listing = await place.running.process.cli("bridge show all")
            assert "t-c1/s1" not in listing
            assert [one.leg for one in place.of(LegEnded)] == [LEG]

    in_office(running, test, ("anna", "boris"))


def test_a_supervisor_whose_agent_has_gone_is_let_go_by_us_alone(running: Running) -> None:
    async def test(place: Office) -> None:
        async with talk_of(place) as talk:
            talk.supervise(LISTEN, 1)
            await talk.hears_all({AGENT_HZ}, {CLIENT_HZ})
            talk.anna.hang_up()
            await place.end_of(AGENT_LEG)
            place.do(HangUp(LEG))
            await place.end_of(LEG)
            await until(lambda: talk.boris.ended)
            await nobody_taps(place)

    in_office(running, test, ("anna", "boris"))


def test_after_a_crash_the_tap_is_kept_for_whom_the_core_wants_and_swept_for_others(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        async with talk_of(place) as talk:
            talk.supervise(WHISPER, 1)
            whispered = ({AGENT_HZ}, {CLIENT_HZ, SUPERVISOR_HZ})
            await talk.hears_all(*whispered)
            await place.switch.stop()
            place.switch = place.driver()
            await place.switch.start(place.events.append)
            (seen,) = await until(lambda: place.of(Resynced)[1:])
            legs = {one.leg: one for one in seen.legs}
            assert set(legs) == {talk.client_leg, AGENT_LEG, LEG}
            assert legs[talk.client_leg].bridged_with == AGENT_LEG
            assert legs[LEG].state is LegState.UP
            # The core says again what it wants.
            talk.supervise(WHISPER, 1)
            await talk.hears_all(*whispered)
            assert len(await taps(place)) == 1
            # This time the supervisor's leg goes while nobody looks.
            await place.switch.stop()
            talk.boris.hang_up()
            place.switch = place.driver()
            await place.switch.start(place.events.append)
            await until(lambda: place.of(Resynced)[2:])
            await nobody_taps(place)
            await talk.comes_to({AGENT_HZ}, {CLIENT_HZ}, {CLIENT_HZ, AGENT_HZ})

    in_office(running, test, ("anna", "boris"))
