"""The softphone's line: a page, the web process and a switch that keeps what it is told."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import httpx
import pytest
from aiohttp import web
from starlette.requests import HTTPConnection

from perezvon.api import phone_relay
from perezvon.api.access import Kind, Principal
from perezvon.api.app import create_app
from perezvon.api.context import Context, Softphones
from perezvon.api.roles import ROLES, Role
from perezvon.bootstrap.web import WebOptions, listen, make_server
from perezvon.runtime.actions import PhoneArgs, checked
from perezvon.runtime.local import Action
from tests.api.house import BASE, House
from tests.api.test_sip_gate import BYE, REGISTER, sip
from tests.core.office import START

LIMIT_S = 15
PAGE, OTHER_PAGE = "page-of-anna-0001", "page-of-anna-0002"


@dataclass
class Switch:
    """Takes softphones, as Asterisk does; notes all that is asked of it."""

    heard: list[list[str]] = field(default_factory=list)
    """By connection, in the order in which they were made."""
    asked: list[str] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    url: str = ""

    async def take(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        socket = web.WebSocketResponse(protocols=("sip",))
        await socket.prepare(request)
        self.sockets.append(socket)
        self.heard.append([])
        place = len(self.heard) - 1
        async for frame in socket:
            self.heard[place].append(frame.data)
        return socket

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_get("/{path:.*}", self.take)
        runner = web.AppRunner(app, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"ws://127.0.0.1:{port}/ws"
        try:
            yield
        finally:
            await runner.cleanup()


class Guests(Context):
    """Knows people by a cookie: who may sign in is another test's business."""

    known: set[str]

    def principal_of(self, request: HTTPConnection) -> Principal | None:
        name = request.cookies.get("guest", "")
        if name not in self.known:
            return None
        role = Role.VIEWER if name == "viewer" else Role.AGENT
        return Principal(Kind.USER, name, name, ROLES[role], role, agent=name)


class Page:
    """One connection of a page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.told: list[Any] = []
        """SIP messages as they are, the relay's own frames as values."""

    async def take(self) -> object:
        frame = await self.socket.receive(timeout=LIMIT_S)
        assert frame.type is aiohttp.WSMsgType.TEXT, (frame, self.socket.close_code, self.told)
        self.told.append(json.loads(frame.data) if frame.data[0] == "{" else frame.data)
        return self.told[-1]

    async def until(self, wanted: object) -> None:
        while await self.take() != wanted:
            pass

    async def end(self) -> int | None:
        while not self.socket.closed:
            await self.socket.receive(timeout=LIMIT_S)
        return self.socket.close_code

    def cut(self) -> None:
        """As a network does it that goes: no word of parting."""
        transport = self.socket._response.connection
        assert transport is not None
        assert transport.transport is not None
        transport.transport.abort()


class Place:
    """A web process in the test's own loop, before the fake switch."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.switch = Switch()
        self.known = {"anna", "boris", "viewer"}
        self.given: list[str] = []
        self.port = 0
        self.session: aiohttp.ClientSession

    def actions(self) -> dict[str, Action]:
        async def give(args: PhoneArgs) -> dict[str, Any]:
            self.given.append(args.agent)
            return {"username": args.agent, "password": "secret", "expires_at": 1}

        async def forget(args: PhoneArgs) -> dict[str, Any]:
            self.given.remove(args.agent)
            return {}

        return {
            "phone.credentials": checked(PhoneArgs, give),
            "phone.forget": checked(PhoneArgs, forget),
        }

    def context(self, softphones: Softphones) -> Context:
        guests = Guests(
            self.house.books, self.house.socket, lambda: START, ("https://desk.example",),
            softphones=softphones,
        )  # fmt: skip
        object.__setattr__(guests, "known", self.known)
        return guests

    @contextlib.asynccontextmanager
    async def page(
        self, page: str = PAGE, *, got: int = 0, agent: str = "anna", **headers: str
    ) -> AsyncIterator[Page]:
        async with self.session.ws_connect(
            f"/api/v1/phone?page={page}&got={got}",
            protocols=("sip",),
            headers={"Cookie": f"guest={agent}", **headers},
        ) as socket:
            yield Page(socket)

    async def heard(self, connection: int, *messages: str) -> None:
        await until(lambda: self.switch.heard[connection:][:1] == [list(messages)])

    async def says(self, *messages: str, connection: int = 0) -> None:
        """The switch does, once it has taken the connection."""
        await until(lambda: len(self.switch.sockets) > connection)
        for message in messages:
            await self.switch.sockets[connection].send_str(message)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not condition():
            await asyncio.sleep(0.01)


def in_place(house: House, scenario: Callable[[Place], Awaitable[None]]) -> None:
    async def run() -> None:
        place = Place(house)
        listener = listen("127.0.0.1", 0)
        place.port = listener.getsockname()[1]
        async with place.switch.running():
            context = place.context(Softphones(url=place.switch.url))
            server = make_server(
                WebOptions(house.location, house.socket), house.books, create_app(context)
            )
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                async with aiohttp.ClientSession(f"http://127.0.0.1:{place.port}") as session:
                    place.session = session
                    async with asyncio.timeout(2 * LIMIT_S):
                        await scenario(place)
            finally:
                server.should_exit = True
                await serving
                listener.close()

    asyncio.run(run())


HELLO = {"hello": "new", "got": 0}
ACTIVE, PASSIVE = {"active": True}, {"active": False}


def test_messages_pass_both_ways(house: House) -> None:
    async def scenario(place: Place) -> None:
        async with place.page() as page:
            await page.socket.send_str(sip(REGISTER))
            await place.heard(0, sip(REGISTER))
            await place.says("SIP/2.0 200 OK")
            await page.until("SIP/2.0 200 OK")
            assert page.told[:2] == [HELLO, ACTIVE]

    in_place(house, scenario)


def test_a_page_whose_line_was_cut_goes_on_where_it_was(house: House) -> None:
    async def scenario(place: Place) -> None:
        async with place.page() as page:
            await page.socket.send_str(sip(REGISTER))
            await place.heard(0, sip(REGISTER))
            for text in ("one", "two"):
                await place.switch.sockets[0].send_str(text)
            await page.until("two")
            page.cut()
        for text in ("three", "four"):
            await place.switch.sockets[0].send_str(text)
        # Of "two" the page knows nothing: it was on its way when the line was cut.
        async with place.page(got=1) as again:
            await again.until("four")
            assert again.told == [{"hello": "again", "got": 1}, ACTIVE, "two", "three", "four"]
            await again.socket.send_str(sip(BYE))
            await place.heard(0, sip(REGISTER), sip(BYE))
        assert len(place.switch.sockets) == 1

    in_place(house, scenario)


def test_a_new_connection_takes_the_place_of_a_dead_one(house: House) -> None:
    async def scenario(place: Place) -> None:
        async with place.page() as first, place.page() as second:
            await second.until({"hello": "again", "got": 0})
            assert await first.end() == phone_relay.REPLACED
            await place.says("one")
            await second.until("one")
        assert len(place.switch.sockets) == 1

    in_place(house, scenario)


def test_what_a_page_has_confirmed_is_not_kept_and_is_answered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_relay, "KEPT_MAX", 3)

    async def scenario(place: Place) -> None:
        async with place.page() as page:
            for number in range(9):
                await page.until(ACTIVE if number == 0 else {"got": 0})
                await place.says(f"m{number}")
                await page.until(f"m{number}")
                await page.socket.send_json({"got": number + 1})

    in_place(house, scenario)


def test_a_page_that_confirms_nothing_does_not_fill_the_memory(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_relay, "KEPT_MAX", 3)

    async def scenario(place: Place) -> None:
        async with place.page() as page:
            await page.until(ACTIVE)
            for number in range(4):
                await place.says(f"m{number}")
            assert await page.end() == phone_relay.AWAY
            await until(lambda: place.switch.sockets[0].closed)

    in_place(house, scenario)


def test_a_page_that_says_good_bye_is_gone_at_once(house: House) -> None:
    async def scenario(place: Place) -> None:
        async with place.page() as page:
            await page.until(ACTIVE)
        await until(lambda: place.switch.sockets[0].closed)

    in_place(house, scenario)


def test_a_page_that_does_not_come_back_is_gone_after_a_while(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_relay, "AWAY_MAX_S", 0.3)

    async def scenario(place: Place) -> None:
        async with place.page() as page:
            await page.until(ACTIVE)
            page.cut()
        await until(lambda: place.switch.sockets[0].closed)

    in_place(house, scenario)


def test_a_page_that_is_silent_for_long_is_gone(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_relay, "SILENT_MAX_S", 0.3)

    async def scenario(place: Place) -> None:
        async with place.page() as page:
            assert await page.end() == phone_relay.AWAY

    in_place(house, scenario)


def test_the_newest_page_of_an_agent_has_his_telephone(house: House) -> None:
    async def scenario(place: Place) -> None:
        async with place.page() as old:
            await old.until(ACTIVE)
            async with place.page(OTHER_PAGE) as new:
                await new.until(ACTIVE)
                await old.until(PASSIVE)
                # He keeps the calls that he has, and does not register any more.
                await old.socket.send_str(sip(REGISTER))
                await old.socket.send_str(sip(BYE))
                await place.heard(0, sip(BYE))
                await old.socket.send_json({"take": True})
                await old.until(ACTIVE)
                await new.until(PASSIVE)
                await new.socket.send_json({"take": True})
                await old.until(PASSIVE)
            await old.until(ACTIVE)
            async with place.page("page-of-boris-001", agent="boris") as boris:
                await boris.until(ACTIVE)
                await old.socket.send_json({"got": 0})
                assert await old.take() == {"got": 2}

    in_place(house, scenario)


def test_an_agent_has_so_many_pages_and_no_more(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_relay, "PAGES_MAX", 1)

    async def scenario(place: Place) -> None:
        async with place.page() as old, place.page(OTHER_PAGE) as new:
            assert await old.end() == phone_relay.AWAY
            await new.until(ACTIVE)

    in_place(house, scenario)


def test_who_speaks_for_another_is_cut_off(house: House) -> None:
    async def scenario(place: Place) -> None:
        for bad in (sip(REGISTER, sender="<sip:boris@x>"), "{", '{"got": 7}', '{"got": "x"}'):
            async with place.page() as page:
                await page.socket.send_str(bad)
                assert await page.end() == phone_relay.NOT_ALLOWED
        assert place.switch.heard == [[]] * 4
        await until(lambda: all(socket.closed for socket in place.switch.sockets))

    in_place(house, scenario)


def test_who_says_too_much_is_cut_off(house: House) -> None:
    async def scenario(place: Place) -> None:
        async with place.page() as page:
            for _ in range(2 * phone_relay.BURST):
                await page.socket.send_json({"got": 0})
            assert await page.end() == phone_relay.TOO_MUCH

    in_place(house, scenario)


def test_a_line_ends_with_the_session_and_its_password_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_relay, "CHECK_EVERY_S", 0.1)

    async def scenario(place: Place) -> None:
        monkeypatch.setattr(house, "actions", place.actions)
        async with house.engine(), place.page() as page:
            headers = {"Cookie": "guest=anna", "Origin": f"http://127.0.0.1:{place.port}"}
            reply = await place.session.post("/api/v1/phone/credentials", json={}, headers=headers)
            wanted = {"username": "anna", "password": "secret", "expires_at": 1}
            assert await reply.json() == wanted
            await page.until(ACTIVE)
            place.known.clear()
            assert await page.end() == phone_relay.UNAUTHORISED
            await until(lambda: not place.given)

    in_place(house, scenario)


def test_nobody_but_a_signed_in_agent_gets_a_line(house: House) -> None:
    async def scenario(place: Place) -> None:
        for agent in ("", "stranger", "viewer"):
            async with place.page(agent=agent) as page:
                assert await page.end() == phone_relay.UNAUTHORISED
        assert not place.switch.asked

    in_place(house, scenario)


def test_a_page_of_another_house_or_without_a_name_is_not_let_in(house: House) -> None:
    async def scenario(place: Place) -> None:
        async def refused(page: str = PAGE, protocol: str = "sip", **headers: str) -> bool:
            try:
                async with place.session.ws_connect(
                    f"/api/v1/phone?page={page}",
                    protocols=(protocol,),
                    headers={"Cookie": "guest=anna", **headers},
                ):
                    return False
            except aiohttp.WSServerHandshakeError as error:
                return error.status == 403

        assert await refused(Origin="https://evil.example")
        assert await refused(Origin="null")
        assert await refused("short")
        assert await refused("x" * 65)
        assert await refused(protocol="chat")
        assert not await refused(Origin="https://desk.example")
        assert not await refused(Origin=f"http://127.0.0.1:{place.port}")

    in_place(house, scenario)


def test_a_page_is_told_when_the_switch_takes_nobody(house: House) -> None:
    async def scenario(place: Place) -> None:
        async with place.page() as page:
            await page.until(ACTIVE)
            await place.switch.sockets[0].close()
            assert await page.end() == phone_relay.AWAY
        async with place.page() as page:
            await page.until(HELLO)

    in_place(house, scenario)


def test_nothing_else_of_the_switch_is_reached_through_our_port(house: House) -> None:
    async def scenario(place: Place) -> None:
        paths = (
            "/ari/asterisk/info", "/ari/events", "/ws", "/httpstatus", "/api/v1/phone/ari",
            "/api/v1/phone/%2e%2e/ari/asterisk/info", "/api/v1/ari/asterisk/info",
        )  # fmt: skip
        for path in paths:
            reply = await place.session.get(path, headers={"Cookie": "guest=anna"})
            assert "Perezvon" in await reply.text() or reply.status == 404, path
        async with place.page() as page:
            await page.until(ACTIVE)
        assert place.switch.asked == ["/ws"]

    in_place(house, scenario)


def test_a_browser_gets_the_servers_of_sound_with_a_signature_that_ends(house: House) -> None:
    async def scenario() -> None:
        softphones = Softphones("", "stun:stun.example", "turn:turn.example:3478", "the secret")
        app = create_app(Place(house).context(softphones))
        headers = {"Cookie": "guest=anna"}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers) as client:
            stun, turn = (await client.get("/phone/ice")).json()["servers"]
        assert stun == {"urls": ["stun:stun.example"], "username": None, "credential": None}
        until_s, _, agent = turn["username"].partition(":")
        assert agent == "anna"
        assert 1_800 < int(until_s) - time.time() <= 3_600
        digest = hmac.new(b"the secret", turn["username"].encode(), hashlib.sha1).digest()
        assert turn["credential"] == base64.b64encode(digest).decode()
        assert "the secret" not in repr(softphones)

    asyncio.run(scenario())
