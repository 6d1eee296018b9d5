"""Prompts on a real Asterisk: what is played to one party may not hold up anybody else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.asterisk import sounds
from perezvon.core.commands import AnswerCall, PlayPrompt, Prompt, PromptKind, StartMusic
from perezvon.core.events import LegAnswered, PromptEnded
from perezvon.core.ids import LegId, PlaybackId
from tests.asterisk.office import Office, in_office, proven, ring
from tests.support.asterisk import Running, asterisk
from tests.support.plans import plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk

BRIEFING = Prompt(PromptKind.BRIEFING, clock="12:03", waited_ms=40_000)
"""Some eight seconds."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    plan = plan_of(("anna", "boris"), callers_port=free_udp_port())
    with asterisk(plan, tmp_path_factory.mktemp("hearing"), dead_man_s=3) as one:
        yield one


def test_a_prompt_to_one_party_holds_up_nobody_else(running: Running) -> None:
    async def test(place: Office) -> None:
        for phone in place.phones.values():
            phone.answers_at_once = True
        leg, playback = LegId("t-c1/1"), PlaybackId("t-c1/p1")
        place.do(ring(leg, "anna"))
        await place.heard(LegAnswered(leg))
        place.do(PlayPrompt(leg, playback, BRIEFING))
        for n in range(3):
            place.switch.protect([leg], [])
            other = LegId(f"t-c2/{n}")
            place.do(ring(other, "boris"))
            await place.heard(LegAnswered(other), 1_000)
            assert await place.switch.heartbeat(proven)
        assert PromptEnded(leg, playback) not in place.events

    in_office(running, test, ("anna", "boris"))


def test_a_caller_who_hears_a_prompt_longer_than_his_dead_man_stays(running: Running) -> None:
    async def test(place: Office) -> None:
        _, leg = await place.caller()
        playback = PlaybackId("t-c3/p1")
        place.do(AnswerCall(leg), PlayPrompt(leg, playback, BRIEFING))
        await place.heard(PromptEnded(leg, playback), 15_000)
        assert "Stasis" in await running.process.cli("core show channels concise")

    in_office(running, test)


def test_music_stops_a_prompt_and_does_not_wait_for_its_end(running: Running) -> None:
    async def test(place: Office) -> None:
        _, leg = await place.caller()
        playback = PlaybackId("t-c4/p1")
        place.do(AnswerCall(leg), PlayPrompt(leg, playback, BRIEFING))
        await asyncio.sleep(0.3)
        place.do(StartMusic(leg, "default"))
        await place.heard(PromptEnded(leg, playback), 1_000)
        assert await place.switch.heartbeat(proven)

    in_office(running, test)


def test_the_length_of_what_is_said_is_known_from_its_recordings(tmp_path: Path) -> None:
    (tmp_path / "ru").mkdir()
    (tmp_path / "ru" / "hello.wav").write_bytes(bytes(16_000))
    assert sounds.length_ms(("sound:hello",), "ru", tmp_path) == 1_000
    assert sounds.length_ms(("sound:nowhere",), "ru", tmp_path) == sounds.UNKNOWN_MS
    assert sounds.length_ms(("number:40",), "ru", tmp_path) == 2 * sounds.SPOKEN_MS
