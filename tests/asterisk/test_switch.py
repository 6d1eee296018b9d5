"""The driver on a real Asterisk: offers, withdrawals, talks, and what goes wrong with them."""

import asyncio
import re
from collections.abc import Iterator

import pytest

from perezvon.asterisk import upkeep
from perezvon.core.commands import (
    AnswerCall,
    ConnectCall,
    DialClient,
    HangUp,
    HangUpReason,
    PlayPrompt,
    Prompt,
    PromptKind,
    SignalRinging,
    StartMusic,
    StopRinging,
)
from perezvon.core.events import (
    CallArrived,
    CallFellBack,
    DeviceChanged,
    DigitPressed,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    NumberClass,
    PromptEnded,
)
from perezvon.core.ids import SECOND, AgentId, CallId, LegId, PersonId, PlaybackId, TrunkId
from perezvon.core.plan import Agent, DeviceKind, Trunk
from perezvon.runtime.ports import Unavailable
from tests.asterisk.office import Office, in_office, ring
from tests.asterisk.phone import until
from tests.support.asterisk import Running, asterisk
from tests.support.patience import PATIENCE
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'
DEAF = TrunkId("deaf")
CLIENT = "+79161234567"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    callers_port = free_udp_port()
    mobile = Agent(AgentId("mira"), "Mira", DeviceKind.MOBILE, number=CLIENT, trunk=CARRIER)
    plan = plan_of(
        (*(Agent(AgentId(name), name.title()) for name in ("anna", "boris", "vera")), mobile),
        callers_port=callers_port,
    )
    deaf = Trunk(DEAF, "127.0.0.1", port=free_udp_port(), number_format="digits")
    plan = plan_of(plan.agents, callers_port=callers_port, trunks=(*plan.trunks, deaf))
    with asterisk(plan, tmp_path_factory.mktemp("switch"), dead_man_s=2) as one:
        yield one


def dial(place: Office, leg: str, number: str = CLIENT, trunk: TrunkId = CARRIER) -> DialClient:
    person = place.directory.person_of(number)
    call = CallId(leg.partition("/")[0])
    return DialClient(LegId(leg), call, person, trunk, NUMBER, 10 * SECOND, None)


def test_of_three_who_ring_one_answers_and_the_others_hear_completed_elsewhere(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        caller, leg = await place.caller()
        place.do(AnswerCall(leg), StartMusic(leg, "default"))
        legs = [LegId(f"t-c1/{n}") for n in (1, 2, 3)]
        for one, agent in zip(legs, place.phones, strict=True):
            place.do(ring(one, agent))
        await until(lambda: len(place.of(LegRinging)) == 3)
        anna, boris, vera = place.phones.values()
        boris.calls[0].answer()
        await place.heard(LegAnswered(legs[1]))
        place.do(ConnectCall(CallId("t-c1"), leg, legs[1]))
        place.do(StopRinging(legs[0]), StopRinging(legs[2]))
        assert await place.end_of(legs[0]) is EndCause.CANCELLED
        assert await place.end_of(legs[2]) is EndCause.CANCELLED
        await until(lambda: anna.calls[0].ended and vera.calls[0].ended)
        assert [phone.calls[0].reason for phone in (anna, vera)] == [ELSEWHERE, ELSEWHERE]
        assert not boris.calls[0].ended
        assert "t-c1 " in await bridges(running)
        caller.hang_up()
        assert await place.end_of(leg) is EndCause.NORMAL
        place.do(HangUp(legs[1]))
        assert await place.end_of(legs[1]) is EndCause.NORMAL
        await until(lambda: boris.calls[0].ended)
        assert await place.channels() == 0
        assert "t-c1 " not in await bridges(running)

    in_office(running, test, ("anna", "boris", "vera"))


@pytest.mark.parametrize("to", ["*43@127.0.0.1", "boris@127.0.0.1", f"{NUMBER}@127.0.0.1"])
def test_a_telephone_cannot_send_its_caller_elsewhere(running: Running, to: str) -> None:
    """Transfers by the telephone are not served: the talk stands, nobody becomes a new caller."""

    async def test(place: Office) -> None:
        caller, leg = await place.caller()
        agent = LegId("t-c7/1")
        place.phones["anna"].answers_at_once = True
        place.do(ring(agent, "anna"))
        await place.heard(LegAnswered(agent))
        place.do(AnswerCall(leg), ConnectCall(CallId("t-c7"), leg, agent))
        await until(lambda: caller.answered)
        talk = place.phones["anna"].calls[0]
        talk.refer(to)
        # Whatever it might have led to would be told before the next caller is.
        await place.caller("+79160000009")
        assert not [one for one in talk.heard if one.status and one.status < 300]
        assert len(place.of(CallArrived)) == 2
        assert not place.of(LegEnded)
        assert not caller.ended
        assert not place.phones["boris"].calls

    in_office(running, test, ("anna", "boris"))


def test_a_telephone_shows_who_calls_and_in_a_callback_when_he_was_missed(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        person = place.directory.person_of("+74951112233", "Ivan <b>")
        place.do(ring("t-c2/1", "anna", person=person))
        place.do(ring("t-d2/1a1", "boris", person=person, clock="12:03"))
        anna, boris = place.phones.values()
        await until(lambda: anna.calls and boris.calls)
        assert anna.calls[0].invite is not None
        assert boris.calls[0].invite is not None
        assert '"Ivan b" <sip:+74951112233@' in anna.calls[0].invite.headers["from"]
        assert '"Перезвон 12:03"' in boris.calls[0].invite.headers["from"]

    in_office(running, test, ("anna", "boris"))


def test_a_cancelled_caller_is_told_and_the_telephones_stop(running: Running) -> None:
    async def test(place: Office) -> None:
        caller, leg = await place.caller()
        place.do(SignalRinging(leg), ring("t-c3/1", "anna"))
        await place.heard(LegRinging(LegId("t-c3/1")))
        caller.cancel()
        assert await place.end_of(leg) is EndCause.CANCELLED
        place.do(StopRinging(LegId("t-c3/1")))
        await until(lambda: place.phones["anna"].calls[0].ended)
        assert await place.end_of(LegId("t-c3/1")) is EndCause.CANCELLED
        assert CallFellBack(leg) not in place.events

    in_office(running, test, ("anna",))


def test_a_leg_withdrawn_in_the_breath_it_was_made_never_rings_on(running: Running) -> None:
    async def test(place: Office) -> None:
        legs = [LegId(f"t-c4/{n}") for n in range(1, 21)]
        for leg in legs:
            place.do(ring(leg, "anna"), StopRinging(leg))
        for leg in legs:
            assert await place.end_of(leg) is EndCause.CANCELLED
        assert await place.channels() == 0
        assert all(call.ended for call in place.phones["anna"].calls)

    in_office(running, test, ("anna",))


def test_legs_looked_for_in_the_breath_they_were_made_ring_all_the_same(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The switch shows a new channel a moment before it is in the application.
    monkeypatch.setattr(upkeep, "PERIOD_MS", 1)
    monkeypatch.setattr(upkeep, "SWEEP_EVERY", 1)

    async def test(place: Office) -> None:
        legs = [LegId(f"t-c9/{n}") for n in range(1, 41)]
        for leg in legs:
            place.do(ring(leg, "anna"))
            await until(lambda leg=leg: LegRinging(leg) in place.of(LegRinging))  # type: ignore[misc]
        assert not place.of(LegEnded)

    in_office(running, test, ("anna",))


@pytest.mark.parametrize("status", [486, 603])
def test_who_declines_has_refused(running: Running, status: int) -> None:
    async def test(place: Office) -> None:
        place.phones["anna"].refuses_with = status
        place.do(ring(f"t-c5/{status}", "anna"))
        assert await place.end_of(LegId(f"t-c5/{status}")) is EndCause.REFUSED

    in_office(running, test, ("anna",))


def test_telephones_that_are_not_there_are_unreachable(running: Running) -> None:
    async def test(place: Office) -> None:
        place.phones["anna"].is_silent = True
        place.do(ring("t-c6/2", "nobody"))
        place.do(ring("t-c6/3", "anna", ring_ms=500))
        assert await place.end_of(LegId("t-c6/2")) is EndCause.UNREACHABLE
        assert await place.end_of(LegId("t-c6/3"), 8_000) is EndCause.UNREACHABLE
        assert not place.of(LegRinging)

    in_office(running, test, ("anna",))


def test_a_client_is_dialled_by_the_number_that_he_had_called_and_talks_to_the_agent(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        agent, client = LegId("t-d7/1a1"), LegId("t-d7/1c")
        place.phones["anna"].answers_at_once = True
        place.do(ring(agent, "anna", clock="12:03"))
        await place.heard(LegAnswered(agent))
        asked = dial(place, client)
        place.do(DialClient(client, asked.call, asked.person, CARRIER, NUMBER, 9 * SECOND, agent))
        await place.heard(LegRinging(client))
        call = await place.carrier.next_call()
        assert call.invite is not None
        assert call.invite.start.startswith(f"INVITE sip:{CLIENT}@")
        assert f"<sip:{NUMBER}@" in call.invite.headers["from"]
        call.answer()
        await place.heard(LegAnswered(client))
        place.do(ConnectCall(CallId("t-d7"), client, agent))
        await until_bridged(running, "t-d7")
        place.do(HangUp(client), HangUp(agent))
        assert await place.end_of(client) is EndCause.NORMAL
        assert await place.end_of(agent) is EndCause.NORMAL

    in_office(running, test, ("anna",))


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (486, EndCause.BUSY),
        (603, EndCause.REFUSED),
        (480, EndCause.NO_ANSWER),
        (404, EndCause.BAD_NUMBER),
        (484, EndCause.BAD_NUMBER),
        (403, EndCause.TRUNK_FAILED),
        (500, EndCause.TRUNK_FAILED),
        (503, EndCause.TRUNK_FAILED),
    ],
)
def test_what_a_carrier_says_of_a_client(running: Running, status: int, cause: EndCause) -> None:
    async def test(place: Office) -> None:
        place.carrier.refuses_with = status
        place.do(dial(place, f"t-d8/{status}c"))
        assert await place.end_of(LegId(f"t-d8/{status}c")) is cause

    in_office(running, test)


def test_a_trunk_that_says_nothing_has_failed_and_a_client_who_only_rings_has_not(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        deaf, rings = LegId("t-d9/1c"), LegId("t-d9/2c")
        for leg, trunk in ((deaf, DEAF), (rings, CARRIER)):
            asked = dial(place, leg)
            place.do(DialClient(leg, asked.call, asked.person, trunk, NUMBER, 500, None))
        assert await place.end_of(rings, 8_000) is EndCause.NO_ANSWER
        assert await place.end_of(deaf, 8_000) is EndCause.TRUNK_FAILED

    in_office(running, test)


@pytest.mark.parametrize("number", ["500&PJSIP/anna", "7916;x", "+7 916", "../1", "1" * 40])
def test_nothing_but_a_number_is_ever_dialled(running: Running, number: str) -> None:
    async def test(place: Office) -> None:
        place.do(dial(place, "t-d10/1c", number))
        assert await place.end_of(LegId("t-d10/1c")) is EndCause.BAD_NUMBER
        assert not place.carrier.calls

    in_office(running, test)


def test_a_client_without_a_number_cannot_be_called(running: Running) -> None:
    async def test(place: Office) -> None:
        asked = dial(place, "t-d11/1c")
        place.do(DialClient(asked.leg, asked.call, PersonId("erased"), CARRIER, "", 1000, None))
        assert place.events[-1] == LegEnded(asked.leg, EndCause.BAD_NUMBER)

    in_office(running, test)


def test_an_agents_mobile_is_rung_through_its_trunk_and_presses_one(running: Running) -> None:
    async def test(place: Office) -> None:
        leg = LegId("t-c12/1")
        place.do(ring(leg, "mira"))
        call = await place.carrier.next_call()
        assert call.invite is not None
        assert call.invite.start.startswith(f"INVITE sip:{CLIENT}@")
        call.answer()
        await place.heard(LegAnswered(leg))
        place.do(PlayPrompt(leg, PlaybackId(f"{leg}/p1"), Prompt(PromptKind.PRESS_ONE)))
        call.press("1")
        await place.heard(DigitPressed(leg, "1"))

    in_office(running, test)


def test_a_prompt_ends_whether_it_was_heard_or_not(running: Running) -> None:
    async def test(place: Office) -> None:
        place.phones["anna"].answers_at_once = True
        leg, missing = LegId("t-c13/1"), PlaybackId("t-c13/1/p2")
        place.do(ring(leg, "anna"))
        await place.heard(LegAnswered(leg))
        place.do(PlayPrompt(leg, missing, Prompt(PromptKind.GREETING, sound="no-such-sound")))
        await place.heard(PromptEnded(leg, missing))
        nowhere = PromptEnded(LegId("t-c99/1"), PlaybackId("t-c99/1/p1"))
        place.do(PlayPrompt(nowhere.leg, nowhere.playback, Prompt(PromptKind.GREETING)))
        await place.heard(nowhere)
        brief = PlaybackId("t-c13/1/p3")
        place.do(PlayPrompt(leg, brief, Prompt(PromptKind.BRIEFING, clock="12:03")))
        await place.heard(PromptEnded(leg, brief), 15_000)

    in_office(running, test, ("anna",))


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (HangUpReason.BUSY, 486),
        (HangUpReason.CONGESTION, 503),
        (HangUpReason.UNKNOWN_NUMBER, 404),
        (HangUpReason.NORMAL, 603),
    ],
)
def test_a_caller_who_is_refused_hears_why(
    running: Running, reason: HangUpReason, status: int
) -> None:
    async def test(place: Office) -> None:
        caller, leg = await place.caller()
        place.do(HangUp(leg, reason))
        await caller.status(status)
        assert await place.end_of(leg) is EndCause.CANCELLED

    in_office(running, test)


def test_a_caller_of_whom_nobody_takes_care_falls_back_and_is_not_gone(running: Running) -> None:
    async def test(place: Office) -> None:
        _, leg = await place.caller()
        await place.heard(CallFellBack(leg))
        assert "localq-t" in await running.process.cli("core show channels concise")
        place.switch.protect([leg], [])
        assert leg not in {event.leg for event in place.of(LegEnded)}

    in_office(running, test)


def test_a_protected_caller_stays(running: Running) -> None:
    async def test(place: Office) -> None:
        _, kept = await place.caller()
        place.switch.protect([kept], [])
        _, other = await place.caller("+79161112233")
        await place.heard(CallFellBack(other))
        assert CallFellBack(kept) not in place.events
        assert "Stasis" in await running.process.cli(f"core show channel {await name(place)}")

    async def name(place: Office) -> str:
        listing = await place.running.process.cli("core show channels concise")
        return next(line.split("!")[0] for line in listing.splitlines() if "Stasis" in line)

    in_office(running, test)


def test_a_beat_reaches_the_dialplan_only_with_a_proof(running: Running) -> None:
    async def no_disk() -> None:
        raise Unavailable("full")

    async def test(place: Office) -> None:
        await running.process.cli("dialplan set global CC_HB_t 1")
        assert not await place.switch.heartbeat(no_disk)
        assert "CC_HB_t=1\n" in await running.process.cli("dialplan show globals")
        assert await place.switch.heartbeat(_proof)
        assert "CC_HB_t=1\n" not in await running.process.cli("dialplan show globals")

    async def _proof() -> None:
        return None

    in_office(running, test)


@pytest.mark.parametrize(
    ("number", "name", "kind"),
    [
        ("anonymous", "", NumberClass.WITHHELD),
        ("ivan", "Ivan", NumberClass.UNKNOWN),
        ("+79161234567", "x" * 10_000, NumberClass.MOBILE),
        ("112", "&lt;b&gt;", NumberClass.UNKNOWN),
    ],
)
def test_whatever_a_caller_calls_himself_he_arrives(
    running: Running, number: str, name: str, kind: NumberClass
) -> None:
    async def test(place: Office) -> None:
        _, leg = await place.caller(number, name)
        arrival = place.of(CallArrived)[-1]
        assert (arrival.did, arrival.trunk) == (NUMBER, CARRIER)
        assert arrival.caller.number_class is kind
        assert (arrival.caller.person is None) == (number in {"anonymous", "ivan"})
        place.do(ring("t-c14/1", "anna", person=arrival.caller.person))
        await place.heard(LegRinging(LegId("t-c14/1")))
        place.do(HangUp(leg))
        await place.end_of(leg)

    in_office(running, test, ("anna",))


def test_an_agent_who_left_before_he_was_connected_is_reported_and_the_caller_kept(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        _, leg = await place.caller()
        agent = LegId("t-c15/1")
        place.phones["anna"].answers_at_once = True
        place.do(ring(agent, "anna"))
        await place.heard(LegAnswered(agent))
        place.phones["anna"].calls[0].hang_up()
        place.do(ConnectCall(CallId("t-c15"), leg, agent))
        await place.end_of(agent)
        place.do(ConnectCall(CallId("t-c15"), leg, agent))
        assert leg not in {event.leg for event in place.of(LegEnded)}
        assert await place.channels() == 1

    in_office(running, test, ("anna",))


def test_a_telephone_that_registers_is_reachable(running: Running) -> None:
    async def test(place: Office) -> None:
        await place.heard(DeviceChanged(AgentId("boris"), reachable=True), 10_000)

    in_office(running, test, ("boris",))


async def until_bridged(running: Running, call: str) -> None:
    """Both are in the bridge of the call."""
    async with asyncio.timeout(5 * PATIENCE):
        while not re.search(rf"^{call} .* 2 stasis", await bridges(running), re.MULTILINE):
            await asyncio.sleep(0.05)


async def bridges(running: Running) -> str:
    return await running.process.cli("bridge show all")
