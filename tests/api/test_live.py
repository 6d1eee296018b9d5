"""The live feed over a real server: who gets it, and that what he sees is the engine's board."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from perezvon.api import live
from perezvon.api.browser import SESSION
from perezvon.bootstrap.web import WebOptions, listen, make_server
from perezvon.core.events import AgentStatusSet, ChosenStatus
from perezvon.runtime import board as boards
from perezvon.runtime.board import Mirror
from perezvon.store.journal import wall_clock
from perezvon.store.sessions import end_session, open_session
from perezvon.store.tokens import create_token
from tests.api.house import IVAN, House
from tests.core.office import ANA

LIMIT_S = 15


class Client:
    """A page: keeps its copy of the board, and how it was told."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.mirror = Mirror()
        self.kinds: list[str] = []

    async def take(self) -> dict[str, Any]:
        message: dict[str, Any] = await self.socket.receive_json()
        self.mirror.take(message)
        self.kinds.append(message["type"])
        return message

    async def until(self, true: Callable[[dict[str, boards.Rows]], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not true(self.mirror.board.sections):
                await self.take()


Door = Callable[..., "contextlib.AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]"]


def served(house: House, scenario: Callable[[Door], Awaitable[None]]) -> None:
    async def run() -> None:
        listener = listen("127.0.0.1", 0)
        port = listener.getsockname()[1]
        options = WebOptions(house.location, house.socket, origins=("https://desk.example",))
        server = make_server(options, house.books)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:

            def door(
                token: str | None = None, **headers: str
            ) -> contextlib.AbstractAsyncContextManager[aiohttp.ClientWebSocketResponse]:
                if token is not None:
                    headers["Authorization"] = f"Bearer {token}"
                return session.ws_connect("/api/v1/live", headers=headers, compress=15)

            try:
                async with asyncio.timeout(2 * LIMIT_S):
                    await scenario(door)
            finally:
                server.should_exit = True
                await serving
                listener.close()

    asyncio.run(run())


def engine_is_up(sections: dict[str, boards.Rows]) -> bool:
    return sections.get("guard", {}).get("engine", {}).get("up") is True


def test_a_page_sees_the_board_and_each_change_of_it(house: House) -> None:
    async def scenario(door: Door) -> None:
        async with house.engine(), door(house.tokens["read"]) as socket:
            client = Client(socket)
            await client.until(engine_is_up)
            assert client.mirror.board.sections["agents"]["ana"]["status"] == "available"
            house.office.tell(AgentStatusSet(ANA, ChosenStatus.PAUSED, "lunch"))
            house.save()
            await client.until(lambda sections: sections["agents"]["ana"]["reason"] == "lunch")
            assert client.kinds[0] == "snapshot"
            assert client.kinds[-1] == "delta"

    served(house, scenario)


def test_a_caller_is_seen_waiting_with_whom_it_rings(house: House) -> None:
    async def scenario(door: Door) -> None:
        async with house.engine(), door(house.tokens["act"]) as socket:
            client = Client(socket)
            await client.until(engine_is_up)
            house.call(IVAN)
            house.save()
            await client.until(lambda sections: bool(sections.get("waiting")))
            (row,) = client.mirror.board.sections["waiting"].values()
            assert (row["number"], row["ringing"]) == (IVAN, ["ana", "bob"])
            assert client.mirror.board.sections["queues"]["sales"]["waiting"] == 1

    served(house, scenario)


def test_numbers_are_masked_on_the_feed_of_who_only_reads(house: House) -> None:
    house.call(IVAN)
    house.save()

    async def scenario(door: Door) -> None:
        async with house.engine(), door(house.tokens["read"]) as socket:
            client = Client(socket)
            await client.until(lambda sections: bool(sections.get("waiting")))
            (row,) = client.mirror.board.sections["waiting"].values()
            assert (row["number"], row["name"]) == ("+7********67", "")

    served(house, scenario)


def test_the_board_says_when_the_engine_goes_and_when_it_is_back(house: House) -> None:
    async def scenario(door: Door) -> None:
        async with door(house.tokens["read"]) as socket:
            client = Client(socket)
            async with house.engine():
                await client.until(engine_is_up)
            await client.until(lambda sections: not engine_is_up(sections))
            assert client.mirror.board.sections["agents"]["ana"]["status"] == "available"
            async with house.engine():
                await client.until(engine_is_up)

    served(house, scenario)


def test_a_page_that_reads_too_slowly_gets_a_new_snapshot(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "FOLLOWER_MESSAGES_MAX", 2)

    async def scenario(door: Door) -> None:
        async with house.engine(), door(house.tokens["read"]) as socket:
            client = Client(socket)
            await client.until(engine_is_up)
            for number in range(400):
                reason = f"{number} " + "x" * 20_000
                status = ChosenStatus.PAUSED if number % 2 else ChosenStatus.AVAILABLE
                house.office.tell(AgentStatusSet(ANA, status, reason))
                now = boards.board(house.office.engine, house.office.now)
                house.feed.publish(now)
                await asyncio.sleep(0)
            last = house.feed.board.sections["agents"]
            await client.until(lambda sections: sections["agents"] == last)
            assert "snapshot" in client.kinds[1:]

    served(house, scenario)


def test_a_page_that_reads_nothing_is_let_go(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "TAKES_WITHIN_S", 0.5)
    monkeypatch.setattr(live, "CLOSE_S", 0.05)
    left = asyncio.Event()
    leave = boards.Feed.leave

    def leaving(feed: boards.Feed, follower: boards.Follower) -> None:
        leave(feed, follower)
        left.set()

    monkeypatch.setattr(boards.Feed, "leave", leaving)

    async def scenario(door: Door) -> None:
        async with house.engine(), door(house.tokens["read"]) as socket, asyncio.timeout(LIMIT_S):
            await Client(socket).until(engine_is_up)
            number = 0
            while not left.is_set():
                number += 1
                house.office.tell(
                    AgentStatusSet(ANA, ChosenStatus.PAUSED, f"{number} " + "x" * 1_000_000)
                )
                house.feed.publish(boards.board(house.office.engine, house.office.now))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(left.wait(), 0.05)

    served(house, scenario)


def test_a_change_is_not_compressed_for_each_page_anew(house: House) -> None:
    async def scenario(door: Door) -> None:
        async with door(house.tokens["read"]) as socket:
            assert socket.compress == 0

    served(house, scenario)


async def _end_of(socket: aiohttp.ClientWebSocketResponse) -> int | None:
    message = await socket.receive(timeout=LIMIT_S)
    assert message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
    return socket.close_code


def test_the_token_may_come_in_the_first_message(house: House) -> None:
    async def scenario(door: Door) -> None:
        async with house.engine(), door() as socket:
            await socket.send_json({"token": house.tokens["read"]})
            await Client(socket).until(engine_is_up)

    served(house, scenario)


def test_a_page_without_a_good_token_is_sent_away(house: House) -> None:
    async def scenario(door: Door) -> None:
        for first in ('{"token": "pz_no"}', "[]", "{", '{"token": 1}', "x" * 2_000):
            async with door() as socket:
                await socket.send_str(first)
                assert await _end_of(socket) == 4401
        async with door("pz_no") as socket:
            assert await _end_of(socket) == 4401

    served(house, scenario)


def test_a_page_of_another_house_is_not_let_in(house: House) -> None:
    async def refused(door: Door, origin: str) -> bool:
        try:
            async with door(house.tokens["read"], Origin=origin):
                return False
        except aiohttp.WSServerHandshakeError as error:
            return error.status == 403

    async def scenario(door: Door) -> None:
        assert await refused(door, "https://evil.example")
        assert await refused(door, "null")
        assert not await refused(door, "https://desk.example")
        cookie = as_user(house.session("supervisor"))["Cookie"]
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with door(Cookie=cookie, Origin="https://evil.example"):
                pass

    served(house, scenario)


def as_user(secret: str) -> dict[str, str]:
    return {"Cookie": f"{SESSION}={secret}"}


def test_who_is_signed_in_sees_the_board_by_his_cookie(house: House) -> None:
    house.call(IVAN)
    house.save()
    seen: dict[str, object] = {}

    async def scenario(door: Door) -> None:
        async with house.engine():
            for role in ("supervisor", "controller", "screen"):
                async with door(**as_user(house.session(role))) as socket:
                    client = Client(socket)
                    await client.until(lambda sections: bool(sections.get("waiting")))
                    (row,) = client.mirror.board.sections["waiting"].values()
                    seen[role] = row["number"]

    house.wall = wall_clock()
    served(house, scenario)
    masked = "+7********67"
    assert seen == {"supervisor": IVAN, "controller": masked, "screen": masked}


def test_who_may_not_see_the_board_is_sent_away(house: House) -> None:
    async def scenario(door: Door) -> None:
        async with door(**as_user(house.session("viewer"))) as socket:
            assert await _end_of(socket) == 4403
        async with door(**as_user("nobodys")) as socket:
            assert await _end_of(socket) == 4401
        _, secret = create_token(house.books.stored, "t", {"integrator"}, house.wall)
        async with door(secret) as socket:
            assert await _end_of(socket) == 4403

    house.wall = wall_clock()
    served(house, scenario)


def test_an_agent_sees_his_colleagues_and_of_calls_his_own(house: House) -> None:
    house.wall = wall_clock()
    cookies = {}
    for agent in ("ana", "bob"):
        user = house.user("agent", agent, agent=agent)
        cookies[agent] = open_session(house.books.stored, house.wall, user=user.id)[1]

    async def scenario(door: Door) -> None:
        async with (
            house.engine(),
            door(**as_user(cookies["ana"])) as hers,
            door(**as_user(cookies["bob"])) as his,
        ):
            ana, bob = Client(hers), Client(his)
            for client in (ana, bob):
                await client.until(engine_is_up)
                assert set(client.mirror.board.sections["agents"]) == {"ana", "bob"}
                assert not {"ledger", "trunks", "alerts"} & set(client.mirror.board.sections)
            house.call(IVAN)
            house.office.all_ring()
            house.save()
            for client in (ana, bob):
                await client.until(lambda sections: bool(sections.get("waiting")))
            house.office.answer(ANA)
            house.save()
            await ana.until(lambda sections: bool(sections.get("talking")))
            (row,) = ana.mirror.board.sections["talking"].values()
            assert row["number"] == IVAN
            await bob.until(lambda sections: sections["agents"]["ana"]["status"] == "talking")
            assert not {"talking", "waiting"} & set(bob.mirror.board.sections)

    served(house, scenario)


def test_a_page_is_closed_when_its_session_is_over(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "ALLOWED_EVERY_S", 0.05)
    house.wall = wall_clock()
    user = house.user("supervisor")
    session, secret = open_session(house.books.stored, house.wall, user=user.id)

    async def scenario(door: Door) -> None:
        async with house.engine(), door(**as_user(secret)) as socket:
            await Client(socket).until(engine_is_up)
            end_session(house.books.stored, session.id)
            async with asyncio.timeout(LIMIT_S):
                while not socket.closed:
                    await socket.receive()
        async with door(**as_user(secret)) as socket:
            assert await _end_of(socket) == 4401

    served(house, scenario)


async def _all_gone(feeds: list[boards.Feed]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while any(feed._followers for feed in feeds):
            await asyncio.sleep(0.01)


def test_who_leaves_is_no_follower_any_more(house: House) -> None:
    async def scenario(door: Door) -> None:
        async with house.engine():
            async with door(house.tokens["read"]) as socket:
                await Client(socket).until(engine_is_up)
            # One is left: the web process itself, which follows the engine.
            assert len(house.feed._followers) == 1

    served(house, scenario)
    asyncio.run(_all_gone([house.feed]))
