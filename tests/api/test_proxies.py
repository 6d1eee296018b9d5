"""Behind a proxy of ours all is as if there were none; of nobody else is it believed."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from perezvon.api.browser import SECURE, SESSION
from perezvon.store import sessions, users
from tests.api.house import PASSWORD, House

PROXY = "127.0.0.1"
"""Where the client of these tests comes from."""
SIGN_IN = {"login": "supervisor", "password": PASSWORD}
TOLD = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": "https"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    made.user("supervisor")
    yield made
    made.close()


def sign_in(house: House, peer: str = PROXY, **headers: str) -> httpx.Response:
    async def scenario() -> httpx.Response:
        transport = httpx.ASGITransport(house.app(), client=(peer, 4_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://desk.example") as client:
            given = {"Origin": "https://desk.example"} | headers
            return await client.post("/api/v1/sessions", json=SIGN_IN, headers=given)

    return asyncio.run(scenario())


def addresses(house: House) -> list[str]:
    user = users.find_user(house.books.stored, "supervisor")
    assert user is not None
    found = sessions.list_sessions(house.books.stored, user.id, house.wall)
    return sorted(each.address for each in found)


def test_who_asks_through_our_proxy_is_known_by_his_own_address(house: House) -> None:
    house.proxies = (PROXY,)
    assert sign_in(house, **TOLD).status_code == 201
    # What came before the address that our proxy saw was written by the one who asks.
    assert sign_in(house, **TOLD | {"X-Forwarded-For": "10.9.9.9, 203.0.113.8"}).status_code == 201
    # A proxy that says nothing, and a long lie.
    assert sign_in(house).status_code == 201
    assert sign_in(house, **{"X-Forwarded-For": "x" * 4_000}).status_code == 201
    assert addresses(house) == [PROXY, "198.51.100.7", "203.0.113.8", "x" * 60]


def test_nobody_else_may_say_for_whom_he_asks(house: House) -> None:
    house.proxies = (PROXY,)
    assert sign_in(house, "192.0.2.66", **TOLD).status_code == 201
    house.proxies = ()
    assert sign_in(house, **TOLD).status_code == 201
    assert addresses(house) == [PROXY, "192.0.2.66"]


def test_a_proxy_is_known_on_a_socket_that_takes_both_kinds_of_addresses(house: House) -> None:
    house.proxies = (PROXY,)
    assert sign_in(house, f"::ffff:{PROXY}", **TOLD).status_code == 201
    assert sign_in(house, "::ffff:192.0.2.66", **TOLD).status_code == 201
    assert addresses(house) == ["192.0.2.66", "198.51.100.7"]


def test_behind_a_proxy_with_tls_only_what_came_by_tls_counts(house: House) -> None:
    house.proxies = (PROXY,)
    planted = {"Cookie": f"{SESSION}={house.session('owner')}"}
    secure = {"Cookie": f"{SECURE[SESSION]}={house.session('owner')}"}

    async def status(headers: dict[str, str]) -> int:
        async with house.page(house.app()) as client:
            reply = await client.get("/auth", headers=headers)
            return reply.status_code

    assert asyncio.run(status(planted | TOLD)) == 401, "a neighbour could have set it"
    assert asyncio.run(status(secure | TOLD)) == 200
    assert asyncio.run(status(planted)) == 200


def test_a_page_that_came_without_tls_is_not_ours_where_ours_come_by_it(house: House) -> None:
    house.proxies = (PROXY,)
    plain = {"Origin": "http://desk.example"}
    assert sign_in(house, **TOLD | plain).status_code == 403
    assert sign_in(house, **plain).status_code == 201
    assert sign_in(house, **TOLD | {"Origin": "https://[desk.example"}).status_code == 403


@pytest.mark.parametrize(
    ("url", "hsts", "wanted"),
    [
        ("https://desk.example", True, True),
        ("http://desk.example", True, False),
        # Browsers would demand it of the machine's other ports too.
        ("https://desk.example:8443", True, False),
        # Who gave our own authority up could not come back.
        ("https://desk.example", False, False),
    ],
)
def test_browsers_are_told_to_come_by_tls_only_where_the_name_is_ours(
    house: House, url: str, *, hsts: bool, wanted: bool
) -> None:
    house.hsts = hsts

    async def scenario() -> None:
        transport = httpx.ASGITransport(house.app())
        async with httpx.AsyncClient(transport=transport, base_url=url) as client:
            for path in ("/", "/api/v1/health"):
                reply = await client.get(path)
                assert ("strict-transport-security" in reply.headers) is wanted

    asyncio.run(scenario())
