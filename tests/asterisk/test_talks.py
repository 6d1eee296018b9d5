"""What is really heard, and recorded, when a talk is handed over or was dialled by us: by tones."""

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.core.commands import AnswerCall, ConnectCall, DialClient, HangUp, StartMusic
from perezvon.core.events import LegAnswered
from perezvon.core.ids import SECOND, AgentId, CallId, LegId
from perezvon.core.plan import Agent
from perezvon.runtime.recordings import AGENT, CLIENT, MIXED, stem_of
from tests.asterisk.office import Office, in_office, ring
from tests.asterisk.phone import Phone, until
from tests.asterisk.sound import HEARD_FRAMES, Sound
from tests.support.asterisk import Running, asterisk
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.tones import write_tone

pytestmark = pytest.mark.asterisk

CLIENT_HZ, ANNA_HZ, BORIS_HZ, MUSIC_HZ = 500, 900, 1_400, 2_100
CALL = CallId("t-c1")
SECOND_OF_FRAMES = 60


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    people = (Agent(AgentId("anna"), "Anna"), Agent(AgentId("boris"), "Boris"))
    plan = plan_of(people, callers_port=free_udp_port())
    # Real music has everybody's tone in it now and then.
    music = tmp_path_factory.mktemp("music")
    write_tone(music / "music.wav", MUSIC_HZ, 10 * SECOND)
    with asterisk(plan, tmp_path_factory.mktemp("talks"), music={"default": music}) as one:
        yield one


async def with_voices(place: Office) -> tuple[Sound, Sound, Sound]:
    """Everybody has a tone of his own: the client, Anna, Boris."""
    voices = []
    phones = (place.carrier, place.phones["anna"], place.phones["boris"])
    for phone, hz in zip(phones, (CLIENT_HZ, ANNA_HZ, BORIS_HZ), strict=True):
        phone.sound = await Sound(hz).open()
        voices.append(phone.sound)
    client, anna, boris = voices
    return client, anna, boris


async def hears(ear: Sound, *tones: int) -> None:
    """These tones and none of the others, at last."""
    all_tones = {CLIENT_HZ, ANNA_HZ, BORIS_HZ, MUSIC_HZ}
    await until(lambda: {hz for hz in all_tones if ear.hears(hz)} == set(tones) or None, 8_000)


async def answered(place: Office, agent: str, leg: LegId) -> Phone:
    """His telephone rings for this leg, and he picks up."""
    phone = place.phones[agent]
    before = len(phone.calls)
    place.do(ring(leg, agent))
    await until(lambda: len(phone.calls) > before or None)
    phone.calls[-1].answer()
    await place.heard(LegAnswered(leg))
    return phone


def test_a_client_on_hold_hears_neither_of_those_who_talk_about_him(running: Running) -> None:
    async def test(place: Office) -> None:
        client, anna, boris = await with_voices(place)
        _, caller = await place.caller()
        first, second = LegId("t-c1/1"), LegId("t-c1/2")
        place.do(AnswerCall(caller))
        await answered(place, "anna", first)
        place.do(ConnectCall(CALL, caller, first))
        await hears(client, ANNA_HZ)
        await hears(anna, CLIENT_HZ)
        place.do(StartMusic(caller, "default"))
        await answered(place, "boris", second)
        place.do(ConnectCall(CALL, second, first))
        await hears(anna, BORIS_HZ)
        await hears(boris, ANNA_HZ)
        music = client.heard_count
        await until(lambda: client.heard_count > music + HEARD_FRAMES or None)
        await hears(client, MUSIC_HZ)
        place.do(HangUp(first), ConnectCall(CALL, caller, second))
        await hears(client, BORIS_HZ)
        await hears(boris, CLIENT_HZ)

    in_office(running, test, ("anna", "boris"))


def test_an_agents_next_leg_takes_the_place_of_the_one_that_was_lost(running: Running) -> None:
    async def test(place: Office) -> None:
        client, anna, _ = await with_voices(place)
        _, caller = await place.caller()
        old, new = LegId("t-c1/1"), LegId("t-c1/2")
        place.do(AnswerCall(caller))
        await answered(place, "anna", old)
        place.do(ConnectCall(CALL, caller, old))
        await hears(client, ANNA_HZ)
        anna.hz = BORIS_HZ
        await answered(place, "anna", new)
        place.do(HangUp(old), ConnectCall(CALL, caller, new))
        await hears(client, BORIS_HZ)
        await hears(anna, CLIENT_HZ)

    in_office(running, test, ("anna", "boris"))


def test_a_client_whom_we_dial_is_recorded_from_the_talk_on(running: Running) -> None:
    async def test(place: Office) -> None:
        client, _, _ = await with_voices(place)
        agent, leg = LegId("t-d1/1a1"), LegId("t-d1/1c")
        call = CallId("t-d1/1")
        await answered(place, "anna", agent)
        person = place.directory.person_of("+79161234567")
        place.do(DialClient(leg, call, person, CARRIER, NUMBER, 10 * SECOND, agent))
        dialled = await place.carrier.next_call()
        dialled.answer()
        await place.heard(LegAnswered(leg))
        place.do(ConnectCall(call, leg, agent))
        await hears(client, ANNA_HZ)
        heard = client.heard_count
        await until(lambda: client.heard_count > heard + SECOND_OF_FRAMES or None)
        place.do(HangUp(leg), HangUp(agent))
        await place.end_of(leg)
        folder = running.process.places.recordings
        for end in (MIXED, CLIENT, AGENT):
            file = folder / f"{stem_of(leg)}{end}"
            await until(lambda file=file: length_ms(file) >= SECOND or None)  # type: ignore[misc]

    in_office(running, test, ("anna", "boris"))


def test_a_number_outside_that_takes_a_client_over_is_not_recorded_by_itself(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        leg = LegId("t-c7/3c")
        person = place.directory.person_of("+79161234567")
        place.do(DialClient(leg, CALL, person, CARRIER, NUMBER, 10 * SECOND, None, recorded=False))
        (await place.carrier.next_call()).answer()
        await place.heard(LegAnswered(leg))
        shown = await running.process.cli("mixmonitor list " + await channel_of(running))
        assert stem_of(leg) not in shown

    in_office(running, test)


async def channel_of(running: Running) -> str:
    lines = (await running.process.cli("core show channels concise")).splitlines()
    return next(line.split("!")[0] for line in lines if line.startswith("PJSIP/trunk-"))


def length_ms(file: Path) -> int:
    """Of a recording whose header is written; 0 before."""
    if not file.is_file():
        return 0
    with wave.open(str(file)) as sound:
        return int(sound.getnframes() * SECOND // sound.getframerate())
