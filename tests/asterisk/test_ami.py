"""The client of the manager interface, and what is made of what it hears."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Self

import pytest

from perezvon.asterisk import ami
from perezvon.asterisk.devices import UNREGISTERED_MS, Devices
from perezvon.core.events import DeviceChanged, TrunkChanged
from perezvon.core.ids import AgentId, TrunkId
from perezvon.core.plan import Trunk
from perezvon.runtime.alerts import AlertKind, Alerts
from tests.asterisk.phone import until

SECRET = "a-secret-of-the-manager"
CITY, DESK = TrunkId("city"), TrunkId("desk")
ANNA = AgentId("anna")


class Manager:
    """A manager that lets in who knows the secret, and then says what the test wants."""

    def __init__(self) -> None:
        self.port = 0
        self.link_count = 0
        self.asked: list[str] = []
        self._server: asyncio.Server | None = None
        self._lines: list[asyncio.StreamWriter] = []

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        try:
            while block := await ami.read_block(reader):
                self.asked.append(block.get("Action", ""))
                if block.get("Action") == "Login":
                    known = block.get("Secret") == SECRET
                    writer.write(b"Response: %b\r\n\r\n" % (b"Success" if known else b"Error"))
                    self.link_count += known
                    self._lines.append(writer)
        except (EOFError, ConnectionError):
            pass

    def say(self, data: bytes) -> None:
        self._lines[-1].write(data)

    def cut(self) -> None:
        self._lines[-1].transport.abort()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_error: object) -> None:
        assert self._server is not None
        self._server.close()
        for line in self._lines:
            line.transport.abort()


@asynccontextmanager
async def linked(secret: str = SECRET) -> AsyncIterator[tuple[Manager, list[ami.Block]]]:
    events: list[ami.Block] = []
    async with Manager() as manager:
        client = ami.Ami(
            ami.Address(manager.port, "perezvon", secret),
            on_event=events.append,
            on_link=lambda: events.append({"Event": "linked"}),
        )
        client.start()
        try:
            yield manager, events
        finally:
            await client.stop()


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(test())


@pytest.mark.parametrize(
    "rubbish",
    [
        b"\r\n\r\n\r\n",
        b"no colon here\r\n\r\n",
        b"Event: \xff\xfe\r\n\r\n",
        b"x" * 1_000_000 + b"\r\n\r\n",
        b"Event: long\r\n" + b"Key: value\r\n" * 5_000 + b"\r\n",
        b"Response: Success\r\nMessage: " + b"y" * 20_000 + b"\r\n\r\n",
    ],
)
def test_what_is_not_as_it_should_be_is_skipped_and_the_next_is_heard(rubbish: bytes) -> None:
    async def test() -> None:
        async with linked() as (manager, events):
            await until(lambda: events)
            manager.say(rubbish)
            manager.say(b"Event: Registry\r\nStatus: Rejected\r\n\r\n")
            await until(lambda: events[-1] == {"Event": "Registry", "Status": "Rejected"})
            assert all(len(event) <= ami.LINES_MAX for event in events)
            assert manager.link_count == 1

    run(test)


def test_a_link_that_is_cut_is_made_again() -> None:
    async def test() -> None:
        async with linked() as (manager, events):
            await until(lambda: events)
            manager.cut()
            await until(lambda: manager.link_count == 2)
            await until(lambda: events == [{"Event": "linked"}] * 2)

    run(test)


def test_without_the_secret_there_is_no_link_and_no_hurry() -> None:
    async def test() -> None:
        async with linked("another") as (manager, events):
            await until(lambda: len(manager.asked) >= 2)
            assert not events
            assert len(manager.asked) < 5

    run(test)


def devices() -> tuple[Devices, Alerts]:
    alerts = Alerts(lambda: 0)
    made = Devices(alerts)
    made.learn(
        [ANNA], [Trunk(CITY, "sip.example", register=True), Trunk(DESK, "127.0.0.1", port=5070)]
    )
    return made, alerts


def open_alerts(alerts: Alerts) -> list[tuple[AlertKind, str]]:
    return [(one.kind, one.about) for one in alerts]


def detail(status: str) -> dict[str, str]:
    return {"ObjectName": "trunk-city", "Status": status}


def test_a_registration_on_its_way_is_no_alert_until_it_takes_too_long() -> None:
    made, alerts = devices()
    assert made.registration(detail("Unregistered"), 0) == []
    assert made.registration(detail("Unregistered"), UNREGISTERED_MS - 1) == []
    assert not open_alerts(alerts)
    assert made.registration(detail("Unregistered"), UNREGISTERED_MS) == [
        TrunkChanged(CITY, up=False)
    ]
    assert open_alerts(alerts) == [(AlertKind.REGISTRATION_LOST, CITY)]
    assert made.registration(detail("Registered"), UNREGISTERED_MS) == [TrunkChanged(CITY, up=True)]
    assert not open_alerts(alerts)


def test_a_trunk_is_up_only_when_it_answers_and_is_registered() -> None:
    made, alerts = devices()
    assert made.endpoint("trunk-city", reachable=True) == [TrunkChanged(CITY, up=True)]
    assert made.registration(detail("Rejected"), 0) == [TrunkChanged(CITY, up=False)]
    assert made.endpoint("trunk-city", reachable=False) == []
    assert made.registration(detail("Registered"), 1) == []
    assert made.endpoint("trunk-city", reachable=True) == [TrunkChanged(CITY, up=True)]
    assert not open_alerts(alerts)


def test_a_trunk_without_registration_is_told_of_by_another_name() -> None:
    made, alerts = devices()
    made.endpoint("trunk-desk", reachable=False)
    assert open_alerts(alerts) == [(AlertKind.TRUNK_DOWN, DESK)]
    # It has left the plan: nobody waits for it.
    made.learn([ANNA], [])
    assert not open_alerts(alerts)


def test_only_what_is_new_is_told() -> None:
    made, _ = devices()
    assert made.endpoint("anna", reachable=True) == [DeviceChanged(ANNA, reachable=True)]
    assert made.endpoint("anna", reachable=True) == []
    assert made.endpoint("nobody", reachable=False) == []
    assert made.changes([{"resource": "anna", "state": "offline"}, None, {"state": 5}]) == [
        DeviceChanged(ANNA, reachable=False)
    ]
