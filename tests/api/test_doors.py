"""Who may do what, and that nothing which is sent makes the API fail."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perezvon.api.limits import BODY_BYTES_MAX
from perezvon.api.roles import Role
from perezvon.store import tokens
from tests.api.doors import DOORS, SCREEN
from tests.api.house import House, a_story
from tests.core.office import START

SCOPES = ["read", "act", "admin"]


def routes_of(app: FastAPI) -> Iterator[str]:
    for path, item in app.openapi()["paths"].items():
        for method in item:
            yield f"{method.upper()} {path.removeprefix('/api/v1')}"


def test_every_route_is_in_the_table_of_doors(house: House) -> None:
    assert set(routes_of(house.app())) == set(DOORS)


ANYBODY = (None, *SCOPES, "screen", *Role)


def is_open(route: str, who: str | None) -> bool:
    """What the table says."""
    scope, roles = DOORS[route]
    if who is None or not scope:
        return not scope
    if who == "screen":
        return route in SCREEN
    if who in SCOPES and not isinstance(who, Role):
        return scope != "-" and SCOPES.index(who) >= SCOPES.index(scope)
    return who in roles.split()


def test_every_door_is_open_to_those_of_the_table_and_to_nobody_else(house: House) -> None:
    a_story(house)

    async def scenario() -> None:
        app = house.app()
        for route in DOORS:
            method, path = route.replace("{agent}", "ana").split(" ")
            for who in ANYBODY:
                async with house.anybody(app, who) as client:
                    status = (await client.request(method, path, json={})).status_code
                if is_open(route, who):
                    assert status in (200, 204, 404, 422, 503), (route, who, status)
                else:
                    assert status == (401 if who is None else 403), (route, who, status)

    asyncio.run(scenario())


NO_TOKENS = ["", "Bearer", "Bearer ", "Bearer pz_wrong", "Basic abc", "Bearer " + "x" * 5_000]


def test_a_token_that_is_none_opens_nothing(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        for header in NO_TOKENS:
            reply = await client.get("/calls", headers={"Authorization": header})
            assert reply.status_code == 401, header
            assert reply.headers["WWW-Authenticate"] == "Bearer"
            assert reply.json()["error"]["code"] == "unauthorised"

    house.serve(scenario, None)


def test_a_revoked_token_opens_nothing(house: House) -> None:
    token = tokens.list_tokens(house.books.stored)
    reader = next(one for one in token if one.scopes == {"read"})

    async def scenario(client: httpx.AsyncClient) -> None:
        assert (await client.get("/auth")).json()["scopes"] == ["read"]
        tokens.revoke_token(house.books.stored, reader.id, START)
        assert (await client.get("/auth")).status_code == 401

    house.serve(scenario)


def test_a_token_of_another_kind_may_nothing(house: House) -> None:
    _, secret = tokens.create_token(house.books.stored, "other", {"billing"}, START)

    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get("/calls", headers={"Authorization": f"Bearer {secret}"})
        assert reply.status_code == 403

    house.serve(scenario, None)


def test_an_unknown_path_is_told_in_the_same_shape(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        for path in ("/nothing", "/calls/a/b/c", "/../calls", "/calls/%00", "/calls//"):
            reply = await client.get(path)
            assert reply.status_code in (404, 422), path
            assert set(reply.json()["error"]) == {"code", "message", "where"}

    house.serve(scenario)


def test_a_wrong_method_is_told_in_the_same_shape(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.delete("/calls")
        assert (reply.status_code, reply.json()["error"]["code"]) == (405, "method_not_allowed")

    house.serve(scenario)


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 10_000):
        yield b"x" * 10_000


def test_a_body_that_is_too_large_is_refused_declared_or_not(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        for content in (b"x" * 10_000_000, _chunks(BODY_BYTES_MAX * 2)):
            reply = await client.put("/agents/ana/status", content=content)
            assert (reply.status_code, reply.json()["error"]["code"]) == (413, "too_large")
        lie = {"Content-Length": "-1"}
        reply = await client.put("/agents/ana/status", content=b"{}", headers=lie)
        assert reply.status_code == 413

    house.serve(scenario, "act")


BAD_BODIES: list[bytes] = [
    b"",
    b"{",
    b"null",
    b"[]",
    b'"status"',
    b"\xff\xfe",
    b"\x00",
    b"\xef\xbb\xbf{}",
    b"[" * 20_000,
    b'{"status": ' + b"[" * 20_000,
    b'{"status": NaN}',
    b'{"status": 1e400}',
    b'{"status": "paused", "reason": "\\ud800"}',
    b'{"status": "paused", "reason": "\\u0000"}',
    b'{"status": "paused", "reason": ' + b"9" * 30_000 + b"}",
    json.dumps({"status": "paused", "reason": "x" * 60_000}).encode(),
]


def test_a_body_that_cannot_be_meant_is_refused(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        headers = {"Content-Type": "application/json"}
        for body in BAD_BODIES:
            reply = await client.put("/agents/ana/status", content=body, headers=headers)
            assert reply.status_code in (400, 422), (body[:50], reply.text)
            assert len(reply.content) < 1_000
            assert set(reply.json()["error"]) == {"code", "message", "where"}

    house.serve(scenario, "act")


def test_answers_are_not_to_be_guessed_at_or_kept_by_browsers(house: House) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        reply = await client.get("/calls")
        assert reply.headers["X-Content-Type-Options"] == "nosniff"
        assert reply.headers["Cache-Control"] == "no-store"

    house.serve(scenario)


Question = Callable[[str, dict[str, str]], httpx.Response]

LISTS = ["/calls", "/debts", "/attempts", "/agents/ana/statuses", "/ledger"]
NAMES = ["since", "until", "limit", "cursor", "state", "queue", "agent", "outcome", "due_before"]
ODD: list[str] = [
    "-1",
    "0",
    "1" + "0" * 30,
    "9" * 5_000,
    "1e400",
    "NaN",
    "-0",
    " 5 ",
    "true",
    "\x00",
    "\ud7ff",
    "' OR 1=1 --",
    "%",
    "../../etc/passwd",
    "x" * 4_000,
    "W10",
    "W251bGwsbnVsbF0",
    "WzFlNDAwLCJ4Il0",
]


@given(
    st.sampled_from(LISTS),
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD) | st.text(max_size=20)),
)
@example("/calls", {"limit": "1" + "0" * 30})
@example("/calls", {"cursor": "W251bGwsbnVsbF0"})
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_query_makes_a_list_fail(open_house: Question, path: str, query: dict[str, str]) -> None:
    reply = open_house(path, query)
    assert reply.status_code in (200, 422), (reply.status_code, reply.text)
    assert "Traceback" not in reply.text


@given(st.text(min_size=1, max_size=30).filter(lambda text: text not in (".", "..")))
@example("\x00")
@example("x" * 9_000)
@example("' OR 1=1 --")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_id_makes_a_page_fail(open_house: Question, id_: str) -> None:
    for prefix in ("/calls/", "/debts/"):
        reply = open_house(prefix + "".join(f"%{byte:02x}" for byte in id_.encode()), {})
        assert reply.status_code in (200, 404, 422), (reply.status_code, reply.text)


@pytest.fixture
def open_house(house: House) -> Iterator[Question]:
    """Asks one question after another of an API without an engine, in one event loop."""
    a_story(house)
    with asyncio.Runner() as runner:
        client = house.client(house.app(), "read")
        yield lambda path, query: runner.run(client.get(path, params=query))
        runner.run(client.aclose())


def test_the_document_of_the_api_names_its_errors(house: House) -> None:
    app = house.app()
    for path, item in app.openapi()["paths"].items():
        for operation in item.values():
            if not path.endswith(("/health", "/ready")):
                assert {"401", "403", "422", "503"} <= set(operation["responses"])
    assert not [
        route
        for route in app.routes
        if isinstance(route, APIRoute) and route.include_in_schema and not route.tags
    ]
