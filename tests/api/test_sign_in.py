"""Signing in: who gets a session, how it ends, and what does not open one."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
import pyotp
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perezvon.api.browser import SESSION
from perezvon.core.ids import DAY, HOUR, MINUTE, SECOND
from perezvon.store import audit, sessions
from perezvon.store.users import change_user
from tests.api.house import PASSWORD, House

SIGN_IN = {"login": "supervisor", "password": PASSWORD}
WRONG = SIGN_IN | {"password": "wrong-wrong-wrong"}


class Browser:
    """One browser and one event loop, for tests that ask one thing after another."""

    def __init__(self, house: House, runner: asyncio.Runner, client: httpx.AsyncClient) -> None:
        self.house = house
        self.client = client
        self._runner = runner

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401
        return self._runner.run(self.client.request(method, path, **options))

    def sign_in(self, **values: str) -> httpx.Response:
        return self("POST", "/sessions", json=SIGN_IN | values)

    @property
    def cookie(self) -> str | None:
        return self.client.cookies.get(SESSION)

    @contextmanager
    def another(self) -> Iterator["Browser"]:
        """Beside it, of the same server."""
        app = self.client._transport.app  # type: ignore[attr-defined]
        client = self.house.page(app)
        yield Browser(self.house, self._runner, client)
        self._runner.run(client.aclose())


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    with asyncio.Runner() as runner:
        client = house.page(house.app())
        yield Browser(house, runner, client)
        runner.run(client.aclose())


def code_of(reply: httpx.Response) -> str:
    return str(reply.json()["error"]["code"])


def test_who_signs_in_is_known_by_a_cookie_that_no_script_can_read(browser: Browser) -> None:
    browser.house.user("supervisor")
    reply = browser.sign_in()
    assert reply.status_code == 201
    given_ = reply.headers["Set-Cookie"].lower()
    assert "httponly" in given_
    assert "samesite=strict" in given_
    assert "path=/" in given_
    me = browser("GET", "/auth").json()
    assert (me["role"], me["login"], me["kind"]) == ("supervisor", "supervisor", "user")
    assert "calls.supervise" in me["permissions"]
    assert me["zone"] == "Europe/Moscow"
    assert PASSWORD not in reply.text + str(me)


def test_over_https_the_cookie_is_kept_to_this_host_and_sent_encrypted(house: House) -> None:
    house.user("supervisor")

    async def scenario() -> None:
        app = house.app()
        async with house.page(app) as client:
            client.headers["Origin"] = "https://perezvon.test"
            url = "https://perezvon.test/api/v1"
            reply = await client.post(f"{url}/sessions", json=SIGN_IN)
            cookie = reply.headers["Set-Cookie"]
            assert cookie.startswith("__Host-perezvon=")
            assert "Secure" in cookie
            assert "domain" not in cookie.lower()
            assert (await client.get(f"{url}/auth")).status_code == 200
            # One that a neighbour on the network could have set is not looked at.
            planted = {"Cookie": f"{SESSION}={house.session('owner')}"}
            async with house.page(app) as other:
                reply = await other.get(f"{url}/auth", headers=planted)
                assert reply.status_code == 401

    asyncio.run(scenario())


def test_the_wrong_login_and_the_wrong_password_are_told_alike(browser: Browser) -> None:
    browser.house.user("supervisor")
    replies = [browser.sign_in(login="nobody"), browser.sign_in(password="wrong-wrong-wrong")]
    assert {reply.status_code for reply in replies} == {401}
    assert replies[0].content == replies[1].content
    assert browser.cookie is None


def test_a_disabled_user_is_out_at_once_and_does_not_come_in(browser: Browser) -> None:
    user = browser.house.user("supervisor")
    browser.house.user("owner")
    browser.sign_in()
    assert browser("GET", "/calls").status_code == 200
    change_user(browser.house.books.stored, user.id, disabled_at=browser.house.wall)
    assert browser("GET", "/calls").status_code == 401
    assert code_of(browser.sign_in()) == "wrong"


def test_a_session_of_before_is_never_signed_in(browser: Browser) -> None:
    """Fixation: a secret that an attacker knows is planted, and its owner then signs in."""
    browser.house.user("supervisor")
    planted = "x" * 43
    browser.client.cookies.set(SESSION, planted, domain="perezvon.test")
    assert browser.sign_in().status_code == 201
    assert browser.cookie not in (None, planted)
    assert sessions.check_session(browser.house.books.stored, planted, browser.house.wall) is None


def test_signing_in_again_ends_the_session_that_the_browser_had(browser: Browser) -> None:
    browser.house.user("supervisor")
    browser.sign_in()
    first = browser.cookie
    browser.sign_in()
    assert browser.cookie != first
    found = browser("GET", "/sessions").json()["items"]
    assert [each["current"] for each in found] == [True]


def test_signing_out_ends_the_session_and_not_only_the_cookie(browser: Browser) -> None:
    browser.house.user("supervisor")
    browser.sign_in()
    secret = browser.cookie
    assert secret is not None
    assert browser("DELETE", "/sessions/current").status_code == 204
    assert browser.cookie is None
    browser.client.cookies.set(SESSION, secret, domain="perezvon.test")
    assert browser("GET", "/auth").status_code == 401


def test_a_session_ends_when_it_is_not_used_and_when_it_is_old(browser: Browser) -> None:
    house = browser.house
    house.user("supervisor")
    browser.sign_in()
    house.wall += sessions.IDLE_MS - MINUTE
    assert browser("GET", "/auth").status_code == 200
    house.wall += sessions.IDLE_MS - MINUTE
    assert browser("GET", "/auth").status_code == 200
    house.wall += sessions.IDLE_MS + MINUTE
    assert browser("GET", "/auth").status_code == 401
    browser.sign_in()
    start = house.wall
    while house.wall - start < sessions.ABSOLUTE_MS - 2 * HOUR:
        house.wall += HOUR
        assert browser("GET", "/auth").status_code == 200
    house.wall += 2 * HOUR
    assert browser("GET", "/auth").status_code == 401


def test_a_session_left_elsewhere_can_be_ended_and_nobody_elses(browser: Browser) -> None:
    house = browser.house
    house.user("supervisor")
    browser.sign_in()
    house.session("agent")
    with browser.another() as elsewhere:
        elsewhere.sign_in()
        items = browser("GET", "/sessions").json()["items"]
        assert len(items) == 2
        (other,) = (each["id"] for each in items if not each["current"])
        assert browser("DELETE", f"/sessions/{other}").status_code == 204
        assert elsewhere("GET", "/auth").status_code == 401
    known = house.user("controller")
    opened, _ = sessions.open_session(house.books.stored, house.wall, user=known.id)
    assert browser("DELETE", f"/sessions/{opened.id}").status_code == 404


NEW = "совсем-другой-пароль 9"


def test_a_chosen_language_is_kept_and_ends_no_session(browser: Browser) -> None:
    browser.house.user("supervisor")
    browser.sign_in()
    for language in ("en", "ru"):
        reply = browser("PUT", "/auth/language", json={"language": language})
        assert reply.status_code == 204
        assert browser("GET", "/auth").json()["language"] == language
    assert browser("PUT", "/auth/language", json={"language": "xx"}).status_code == 422


def test_a_new_password_ends_all_sessions_but_this_which_gets_a_new_secret(
    browser: Browser,
) -> None:
    browser.house.user("supervisor")
    browser.sign_in()
    before = browser.cookie
    with browser.another() as elsewhere:
        elsewhere.sign_in()
        body = {"password": PASSWORD, "new_password": NEW}
        assert browser("PUT", "/auth/password", json=body).status_code == 204
        assert browser.cookie != before
        assert browser("GET", "/auth").status_code == 200
        assert elsewhere("GET", "/auth").status_code == 401
    assert browser.sign_in().status_code == 401
    assert browser.sign_in(password=NEW).status_code == 201


@pytest.mark.parametrize(
    "new", ["short", "a" * 30, "supervisor1", "1212121212", "x" * 201], ids=lambda new: new[:12]
)
def test_a_password_that_is_easily_guessed_is_refused(browser: Browser, new: str) -> None:
    browser.house.user("supervisor")
    browser.sign_in()
    body = {"password": PASSWORD, "new_password": new}
    assert browser("PUT", "/auth/password", json=body).status_code == 422
    assert browser.sign_in().status_code == 201


def test_who_has_a_given_password_can_do_nothing_before_he_has_his_own(browser: Browser) -> None:
    browser.house.user("supervisor", must_change_password=True)
    assert browser.sign_in().json() == {"must_change_password": True}
    assert code_of(browser("GET", "/calls")) == "password_change_needed"
    body = {"password": PASSWORD, "new_password": NEW}
    assert browser("PUT", "/auth/password", json=body).status_code == 204
    assert browser("GET", "/calls").status_code == 200


def enrolled(browser: Browser) -> pyotp.TOTP:
    browser.house.user("supervisor")
    browser.sign_in()
    reply = browser("POST", "/auth/totp", json={"password": PASSWORD})
    assert reply.json()["svg"].startswith("<svg")
    codes = pyotp.TOTP(reply.json()["secret"])
    assert reply.json()["uri"] == codes.provisioning_uri(name="supervisor", issuer_name="Perezvon")
    code = codes.at(browser.house.wall // SECOND)
    assert browser("PUT", "/auth/totp", json={"code": "000000"}).status_code == 422
    assert browser("PUT", "/auth/totp", json={"code": code}).status_code == 204
    browser.house.wall += MINUTE
    return codes


def test_a_code_is_asked_for_and_good_once(browser: Browser) -> None:
    codes = enrolled(browser)
    assert code_of(browser.sign_in()) == "code_needed"
    assert code_of(browser.sign_in(code="123456")) == "wrong_code"
    code = codes.at(browser.house.wall // SECOND)
    assert browser.sign_in(code=code).status_code == 201
    assert code_of(browser.sign_in(code=code)) == "wrong_code"
    browser.house.wall += MINUTE
    late = codes.at((browser.house.wall - 30 * SECOND) // SECOND)
    assert browser.sign_in(code=late).status_code == 201


def test_the_seed_of_codes_is_not_in_the_store_as_it_is(browser: Browser) -> None:
    codes = enrolled(browser)
    held = b"".join(
        path.read_bytes() for path in browser.house.location.directory.glob("perezvon.db*")
    )
    assert b"supervisor" in held
    assert codes.secret.encode() not in held
    assert PASSWORD.encode() not in held


def test_codes_are_taken_away_with_the_password(browser: Browser) -> None:
    codes = enrolled(browser)
    browser.sign_in(code=codes.at(browser.house.wall // SECOND))
    wrong = browser("POST", "/auth/totp/removal", json={"password": "no-no-no-no"})
    assert wrong.status_code == 403
    right = browser("POST", "/auth/totp/removal", json={"password": PASSWORD})
    assert right.status_code == 204
    assert browser.sign_in().status_code == 201


def test_guessing_takes_longer_with_each_try_even_after_a_restart(house: House) -> None:
    house.user("supervisor")

    async def tries(count: int, body: dict[str, str]) -> list[httpx.Response]:
        async with house.page(house.app()) as client:
            return [await client.post("/sessions", json=body) for _ in range(count)]

    def last(count: int, body: dict[str, str]) -> httpx.Response:
        return asyncio.run(tries(count, body))[-1]

    assert last(5, WRONG).status_code == 401
    waits = []
    for _ in range(12):
        refused = last(1, SIGN_IN)
        assert refused.status_code == 429, "the right password does not get in either"
        wait_s = int(refused.headers["Retry-After"])
        waits.append(wait_s)
        house.wall += wait_s * SECOND
        assert last(1, WRONG).status_code == 401
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    house.wall += 900 * SECOND
    assert last(1, SIGN_IN).status_code == 201
    assert last(5, WRONG).status_code == 401, "forgiven"


def test_many_tries_at_once_are_many_tries(house: House) -> None:
    house.user("supervisor")

    async def scenario() -> None:
        async with house.page(house.app()) as client:
            replies = await asyncio.gather(
                *(client.post("/sessions", json=WRONG) for _ in range(20))
            )
        looked_at = [reply for reply in replies if reply.status_code == 401]
        assert len(looked_at) == 5

    asyncio.run(scenario())


def test_one_address_cannot_try_all_logins(house: House) -> None:
    house.user("supervisor")

    async def scenario() -> None:
        async with house.page(house.app()) as client:
            statuses = [
                (await client.post("/sessions", json=WRONG | {"login": f"u{n}"})).status_code
                for n in range(31)
            ]
            assert statuses == [401] * 30 + [429]
            # Another address is not kept waiting, unless anybody could claim to be one.
            elsewhere = {"X-Forwarded-For": "203.0.113.5"}
            reply = await client.post("/sessions", json=SIGN_IN, headers=elsewhere)
            assert reply.status_code == 429
        house.proxies = ("127.0.0.1",)
        async with house.page(house.app()) as client:
            reply = await client.post("/sessions", json=SIGN_IN, headers=elsewhere)
            assert reply.status_code == 201

    asyncio.run(scenario())


def test_a_try_to_sign_in_is_in_the_audit_log_without_its_password(browser: Browser) -> None:
    browser.house.user("supervisor")
    browser.sign_in(password="wrong-wrong-wrong")
    browser.sign_in()
    rows = audit.list_audit(browser.house.books.stored).items
    assert [(row.action, row.status, row.who) for row in rows] == [
        ("POST /sessions", 201, "the supervisor"),
        ("POST /sessions", 401, "supervisor"),
    ]
    assert "wrong-wrong" not in str(rows)
    assert PASSWORD not in str(rows)


def test_a_body_of_a_megabyte_is_not_hashed(browser: Browser) -> None:
    browser.house.user("supervisor")
    assert browser.sign_in(password="x" * 1_000_000).status_code == 413
    assert browser.sign_in(password="x" * 10_000).status_code == 422
    assert browser.sign_in(login="x" * 10_000).status_code == 422


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=12))
@example("\x00", "\ud7ff", "١٢٣٤٥٦")
@example("' OR 1=1 --", "' OR 1=1 --", "0")
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_nothing_that_is_typed_makes_the_sign_in_fail(
    browser: Browser, login: str, password: str, code: str
) -> None:
    browser.house.wall += DAY
    reply = browser.sign_in(login=login, password=password, code=code)
    assert reply.status_code in (401, 422), reply.text


class Pages:
    """What pages of others can make a browser of a signed-in supervisor send."""

    FOREIGN: tuple[dict[str, str | None], ...] = (
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://perezvon.test.evil.example"},
        {"Origin": "http://perezvon.test:8443"},
        {"Origin": None, "Sec-Fetch-Site": "cross-site"},
        {"Origin": None, "Sec-Fetch-Site": "same-site"},
        {"Origin": None},
    )


@asynccontextmanager
async def _sent(client: httpx.AsyncClient, headers: dict[str, str | None]) -> Any:  # noqa: ANN401
    for name, value in headers.items():
        if value is None:
            del client.headers[name]
        else:
            client.headers[name] = value
    yield client


def test_a_page_of_somebody_else_changes_nothing_with_our_cookie(house: House) -> None:
    async def scenario() -> None:
        app = house.app()
        body = {"status": "paused", "reason": "attack"}
        for headers in Pages.FOREIGN:
            async with house.page(app, "supervisor") as client, _sent(client, headers) as page:
                reply = await page.put("/agents/ana/status", json=body)
                assert (reply.status_code, code_of(reply)) == (403, "foreign_page"), headers
        async with house.engine(), house.page(app, "supervisor") as page:
            assert (await page.put("/agents/ana/status", json=body)).status_code == 200

    asyncio.run(scenario())


def test_a_form_cannot_be_mistaken_for_json(house: House) -> None:
    async def scenario() -> None:
        async with house.page(house.app(), "supervisor") as page:
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
                reply = await page.post(
                    "/debts/d1/callback", content=b'{"a": 1}', headers={"Content-Type": kind}
                )
                assert (reply.status_code, code_of(reply)) == (415, "not_json"), kind

    asyncio.run(scenario())


def test_a_page_of_somebody_else_cannot_sign_a_browser_in_or_out(house: House) -> None:
    house.user("supervisor")

    async def scenario() -> None:
        app = house.app()
        async with house.page(app, "controller") as page:
            page.headers["Origin"] = "https://evil.example"
            assert (await page.post("/sessions", json=SIGN_IN)).status_code == 403
            assert (await page.delete("/sessions/current")).status_code == 403
            assert (await page.get("/auth")).json()["role"] == "controller"

    asyncio.run(scenario())


def test_the_first_user_is_made_with_the_code_of_the_terminal_and_once(browser: Browser) -> None:
    house = browser.house
    body = {"code": "abcd-efgh", "login": "Маша", "name": "Мария <b>", "password": PASSWORD}
    assert browser("GET", "/setup").json() == {"needed": True}
    assert browser("POST", "/setup", json=body).status_code == 403, "no code was made"
    house.setup_file.write_text("ABCDEFGH\n")
    assert browser("POST", "/setup", json=body | {"code": ""}).status_code == 403
    assert browser("POST", "/setup", json=body | {"code": "abcd-efgi"}).status_code == 403
    assert browser("POST", "/setup", json=body).status_code == 201
    assert not house.setup_file.exists()
    me = browser("GET", "/auth")
    assert (me.json()["role"], me.json()["name"]) == ("owner", "Мария <b>")
    assert me.headers["Content-Type"] == "application/json"
    assert browser("GET", "/setup").json() == {"needed": False}
    house.setup_file.write_text("ABCDEFGH\n")
    again = browser("POST", "/setup", json=body | {"login": "second"})
    assert (again.status_code, code_of(again)) == (409, "set_up")


def test_the_code_of_the_terminal_is_not_to_be_guessed(browser: Browser) -> None:
    browser.house.setup_file.write_text("ABCDEFGH\n")
    body = {"code": "x", "login": "me", "password": PASSWORD}
    statuses = [browser("POST", "/setup", json=body).status_code for _ in range(7)]
    assert statuses == [403] * 5 + [429] * 2
