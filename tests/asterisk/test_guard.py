"""The guard of the dialplan on a real Asterisk: no engine, a silent one, a frozen one."""

import asyncio
import base64
import json
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Self

import aiohttp
import pytest

from perezvon.asterisk.provision import application
from perezvon.core.ids import AgentId
from perezvon.core.plan import Agent, DeviceKind, Trunk
from tests.support.asterisk import PASSWORD, Running, asterisk, asterisk_running
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import LOOPBACK, free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until

pytestmark = pytest.mark.asterisk

DEAD_MAN_S = 2
EAGER = Answering(answer_after_ms=100)
_numbers = count(79_160_000_000)

HEADERS = {
    "Authorization": "Basic " + base64.b64encode(f"perezvon:{PASSWORD}".encode()).decode()
}  # fmt: skip


@pytest.fixture(scope="module")
def callers_port() -> int:
    return free_udp_port()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, callers_port: int) -> Iterator[Running]:
    plan = plan_of(callers_port=callers_port)
    with asterisk(plan, tmp_path_factory.mktemp("guard"), dead_man_s=DEAD_MAN_S) as one:
        yield one


def new_call(to: str = NUMBER) -> Call:
    return Call(str(next(_numbers)), to)


async def beat(running: Running, age_s: float = 0) -> None:
    epoch_s = int(time.time() - age_s)
    await running.process.cli(f"dialplan set global CC_HB_t {epoch_s}")


async def talks_with_an_agent(running: Running, callers_port: int, place: Path) -> None:
    """Without help of any engine."""
    call = new_call()
    with (
        Phone(running, ["anna", "boris"], EAGER, place) as phones,
        Caller(running, [call], place, port=callers_port, talk_ms=1_500) as caller,
    ):
        await until(caller.finished, 12, caller.trouble)
        await until(lambda: bool(phones.of("ended_by_other")), 3, phones.trouble)
    answered = phones.of("answered")
    assert [one.caller for one in answered] == [call.number]
    assert answered[0].agent in {"anna", "boris"}
    assert [one.kind for one in caller.happenings()][-1] == "hung_up"


class Application:
    """An engine that is connected and does nothing but keep what it hears."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self.events: list[dict[str, object]] = []

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers=HEADERS)
        name = application(self._running.plan.tenant)
        self._socket = await self._session.ws_connect(
            f"{self._running.ari_url}/events?app={name}", autoping=True
        )
        self._reader = asyncio.create_task(self._read())
        return self

    async def _read(self) -> None:
        async for message in self._socket:
            self.events.append(json.loads(message.data))

    def of(self, kind: str) -> list[dict[str, object]]:
        return [event for event in self.events if event["type"] == kind]

    async def post(self, path: str, **query: str) -> int:
        async with self._session.post(f"{self._running.ari_url}/{path}", params=query) as answer:
            return answer.status

    async def __aexit__(self, *_: object) -> None:
        await self._socket.close()
        await self._reader
        await self._session.close()


def test_without_an_engine_a_caller_talks_with_an_agent(
    running: Running, callers_port: int, tmp_path: Path
) -> None:
    asyncio.run(talks_with_an_agent(running, callers_port, tmp_path))


@pytest.mark.parametrize("age_s", [0, 60, -3_600])
def test_a_heartbeat_without_an_application_or_of_another_time_saves_nobody_from_the_fallback(
    running: Running, callers_port: int, tmp_path: Path, age_s: int
) -> None:
    async def play() -> None:
        await beat(running, age_s)
        await talks_with_an_agent(running, callers_port, tmp_path)

    asyncio.run(play())


def test_an_engine_that_went_silent_receives_no_new_callers(
    running: Running, callers_port: int, tmp_path: Path
) -> None:
    async def play() -> None:
        async with Application(running) as engine:
            await beat(running, 30)
            await talks_with_an_agent(running, callers_port, tmp_path)
            assert engine.of("StasisStart") == []

    asyncio.run(play())


def test_a_caller_whom_a_frozen_engine_took_reaches_an_agent_when_the_dead_man_falls_due(
    running: Running, callers_port: int, tmp_path: Path
) -> None:
    async def play() -> None:
        call = new_call()
        async with Application(running) as engine:
            await beat(running)
            with (
                Phone(running, ["anna", "boris"], EAGER, tmp_path) as phones,
                Caller(running, [call], tmp_path, port=callers_port, talk_ms=1_500) as caller,
            ):
                await until(caller.finished, 15, caller.trouble)
            assert len(engine.of("StasisStart")) == 1
            assert len(engine.of("StasisEnd")) == 1
        first, *_, last = caller.of("called", "answered")
        assert last.kind == "answered"
        assert DEAD_MAN_S - 0.5 < last.at - first.at < DEAD_MAN_S + 2
        assert [one.caller for one in phones.of("answered")] == [call.number]

    asyncio.run(play())


def test_a_caller_whom_a_living_engine_renews_stays_with_it(
    running: Running, callers_port: int, tmp_path: Path
) -> None:
    async def play() -> None:
        async with Application(running) as engine:
            await beat(running)
            call = new_call()
            with Caller(running, [call], tmp_path, port=callers_port, patience_ms=5_000) as caller:
                await until(lambda: bool(engine.of("StasisStart")), 3, caller.trouble)
                start = engine.of("StasisStart")[0]
                assert isinstance(start["channel"], dict)
                variable = f"channels/{start['channel']['id']}/variable"
                while not caller.finished():
                    status = await engine.post(
                        variable, variable="TIMEOUT(absolute)", value=str(DEAD_MAN_S)
                    )
                    assert status in {204, 404}
                    await asyncio.sleep(0.3)
            assert [one.kind for one in caller.of("left", "answered")] == ["left"]

    asyncio.run(play())


@pytest.mark.parametrize(
    ("dialled", "told"),
    [
        (NUMBER, NUMBER),
        ("+74951234567", "+74951234567"),
        ("7", "7"),
        ("100500", "100500"),
        ("*43", "43"),
        ("sales-team", ""),
        ("s", ""),
        ("T", ""),
        ("1" * 200, None),
        ("x%24%7BSHELL(id)%7D,1", "1"),
    ],
)
def test_whatever_number_is_dialled_the_engine_gets_the_caller(
    running: Running, callers_port: int, tmp_path: Path, dialled: str, told: str | None
) -> None:
    async def play() -> None:
        async with Application(running) as engine:
            await beat(running)
            call = new_call(dialled)
            with Caller(running, [call], tmp_path, port=callers_port, patience_ms=400) as caller:
                await until(caller.finished, 10, caller.trouble)
            starts = engine.of("StasisStart")
            assert len(starts) == 1, caller.happenings()
            args = starts[0]["args"]
            assert isinstance(args, list)
            assert args[0] == "in"
            if told is not None:
                assert args[2:] in ([told], [told] if told else [])

    asyncio.run(play())


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("anonymous", "Anonymous"),
        ("79161112233", "я" * 5_000),
        ("79161112233", "${SHELL(id)} %s `id` $(id) <script>"),
        ("7916%00111", ""),
        ("9" * 300, "long"),
    ],
)
def test_whoever_calls_and_whatever_he_calls_himself_he_gets_in(
    running: Running, callers_port: int, tmp_path: Path, number: str, name: str
) -> None:
    async def play() -> None:
        async with Application(running) as engine:
            await beat(running)
            call = Call(number, NUMBER, name)
            with Caller(running, [call], tmp_path, port=callers_port, patience_ms=400) as caller:
                await until(caller.finished, 10, caller.trouble)
            assert len(engine.of("StasisStart")) == 1, (caller.happenings(), caller.trouble())

    asyncio.run(play())


@pytest.mark.parametrize("number", ["79161112233", "trunk-carrier", "anna", "anonymous"])
def test_a_stranger_gets_in_under_no_name(
    running: Running, tmp_path: Path, number: str
) -> None:  # fmt: skip
    async def play() -> None:
        rows = len(running.cel_rows())
        call = Call(number, NUMBER)
        with Caller(running, [call], tmp_path, port=free_udp_port(), patience_ms=3_000) as caller:
            await until(caller.finished, 10, caller.trouble)
        assert [(one.kind, one.detail) for one in caller.happenings()][-1] == ("refused", "401")
        assert len(running.cel_rows()) == rows

    asyncio.run(play())


def test_an_agents_telephone_cannot_dial_outside(running: Running, tmp_path: Path) -> None:
    async def play() -> None:
        for number in (NUMBER, "+79161112233", "112"):
            call = Call("anna", number)
            port = free_udp_port()
            with Caller(running, [call], tmp_path, port=port, patience_ms=3_000) as caller:
                await until(caller.finished, 10, caller.trouble)
            assert caller.of("refused"), caller.happenings()

    asyncio.run(play())


@pytest.mark.parametrize("digits", ["1", "2", ""])
def test_a_mobile_in_the_fallback_gets_the_caller_only_by_pressing_one(
    callers_port: int, tmp_path: Path, digits: str
) -> None:
    mobiles_port = free_udp_port()
    mobile = Agent(
        AgentId("marta"), "Marta", DeviceKind.MOBILE, number="+79031234567", trunk=CARRIER
    )
    plan = plan_of((mobile,), callers_port=callers_port, clients_port=mobiles_port)
    how = Answering(answer_after_ms=100, digits=digits, digits_after_ms=500)

    async def play() -> None:
        async with asterisk_running(plan, tmp_path) as own:
            call = new_call()
            with (
                Phone(own, [], how, tmp_path, port=mobiles_port) as phone,
                Caller(own, [call], tmp_path, port=callers_port, talk_ms=4_000) as caller,
            ):
                await until(lambda: bool(phone.of("answered")), 5, caller.trouble)
                await until(caller.finished, 8, caller.trouble)
            assert {one.agent for one in phone.of("answered")} == {"+79031234567"}
            connected = "|CONNECT|" in own.process.places.queue_log.read_text()
            assert connected == (digits == "1")

    asyncio.run(play())


def test_a_trunk_registers_with_its_carrier_and_its_calls_come_in(tmp_path: Path) -> None:
    carrier_port = free_udp_port()
    carrier = plan_of((Agent(AgentId("office"), "Office", secret="office"),), callers_port=1)
    trunk = Trunk(
        CARRIER, LOOPBACK, port=carrier_port, username="office", secret="office", register=True
    )
    ours = plan_of(callers_port=1, trunks=(trunk,))

    async def registered(running: Running) -> bool:
        return "Registered" in await running.process.cli("pjsip show registrations")

    async def play() -> None:
        async with (
            asterisk_running(carrier, tmp_path / "carrier", sip_port=carrier_port) as carriers,
            asterisk_running(ours, tmp_path / "ours") as own,
        ):
            give_up_at = time.monotonic() + 10
            while not await registered(own):
                assert time.monotonic() < give_up_at
                await asyncio.sleep(0.1)
            contacts = await carriers.process.cli("pjsip show contacts")
            assert f"office/sip:office@{LOOPBACK}:{own.sip_port}" in contacts
            async with aiohttp.ClientSession(headers=HEADERS) as session:
                place = {"endpoint": "PJSIP/office", "extension": "*43", "context": "phones-t"}
                async with session.post(f"{carriers.ari_url}/channels", params=place) as answer:
                    assert answer.status == 200
            until_in = time.monotonic() + 5
            while not any('"inbound-t"' in row for row in own.cel_rows()):
                assert time.monotonic() < until_in
                await asyncio.sleep(0.1)

    asyncio.run(play())
