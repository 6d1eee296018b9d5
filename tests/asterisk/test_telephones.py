"""Telephones of ours on a real Asterisk: what they are told, and which of an agent's is rung."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from perezvon.core.events import DeviceChanged, EndCause, LegAnswered, LegRinging
from perezvon.core.ids import AgentId, LegId
from perezvon.core.plan import Agent, DeviceKind
from tests.asterisk.office import Office, in_office, ring
from tests.asterisk.phone import until
from tests.support.asterisk import Running, asterisk
from tests.support.plans import CARRIER, plan_of
from tests.support.ports import free_udp_port

pytestmark = pytest.mark.asterisk

MOBILE = "+79161234567"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    web, sip, mobile = DeviceKind.WEBRTC, DeviceKind.SIP, DeviceKind.MOBILE
    anna = Agent(AgentId("anna"), "Anna")
    olga = Agent(AgentId("olga"), "Olga", web, MOBILE, CARRIER, others=(sip, mobile))
    mira = Agent(AgentId("mira"), "Mira", mobile, number=MOBILE, trunk=CARRIER)
    plan = plan_of((anna, olga, mira), callers_port=free_udp_port())
    with asterisk(plan, tmp_path_factory.mktemp("telephones")) as one:
        yield one


def test_a_telephone_of_ours_is_told_the_call_and_to_answer_by_itself(running: Running) -> None:
    async def test(place: Office) -> None:
        (anna,) = place.phones.values()
        plain, auto = ring(LegId("t-c1/1"), "anna"), ring(LegId("t-d1/2a1"), "anna")
        place.do(plain)
        told = (await anna.next_call()).invite
        assert told is not None
        assert told.headers["x-perezvon-call"] == plain.call
        assert "x-perezvon-answer" not in told.headers
        anna.calls[0].refuse(603)
        await place.end_of(plain.leg)
        place.do(replace(auto, auto=True))
        await place.heard(LegRinging(auto.leg))
        told = anna.calls[1].invite
        assert told is not None
        assert told.headers["x-perezvon-call"] == auto.call
        assert told.headers["x-perezvon-answer"] == "auto"

    in_office(running, test, ("anna",))


def test_a_carrier_is_not_told_which_call_it_is(running: Running) -> None:
    async def test(place: Office) -> None:
        place.do(replace(ring(LegId("t-c1/1"), "mira"), auto=True))
        call = await until(lambda: next(iter(place.carrier.calls), None))
        assert call.invite is not None
        assert not [name for name in call.invite.headers if name.startswith("x-perezvon")]

    in_office(running, test)


def test_the_device_that_was_chosen_is_rung_and_known_by_a_name_of_its_own(
    running: Running,
) -> None:
    async def test(place: Office) -> None:
        (desk,) = place.phones.values()
        olga = AgentId("olga")
        await place.heard(DeviceChanged(olga, reachable=True, device=DeviceKind.SIP))
        await place.heard(DeviceChanged(olga, reachable=False))
        own, on_desk, mobile = (ring(LegId(f"t-c1/{n}"), "olga") for n in (1, 2, 3))
        place.do(own)
        assert await place.end_of(own.leg) is EndCause.UNREACHABLE
        place.do(replace(on_desk, device=DeviceKind.SIP))
        call = await desk.next_call()
        assert call.invite is not None
        assert call.invite.headers["x-perezvon-call"] == on_desk.call
        call.answer()
        await place.heard(LegAnswered(on_desk.leg))
        place.do(replace(mobile, device=DeviceKind.MOBILE))
        dialled = await place.carrier.next_call()
        assert dialled.invite is not None
        assert dialled.invite.start.startswith(f"INVITE sip:{MOBILE}@")

    in_office(running, test, ("olga~sip",))


def test_a_chosen_telephone_that_dies_while_it_rings_is_found_out(running: Running) -> None:
    async def test(place: Office) -> None:
        (desk,) = place.phones.values()
        olga = AgentId("olga")
        await place.heard(DeviceChanged(olga, reachable=True, device=DeviceKind.SIP))
        on_desk = replace(ring(LegId("t-c1/1"), "olga"), device=DeviceKind.SIP)
        place.do(on_desk)
        await place.heard(LegRinging(on_desk.leg))
        desk.is_silent = True
        await place.heard(DeviceChanged(olga, reachable=False, device=DeviceKind.SIP))

    in_office(running, test, ("olga~sip",))
