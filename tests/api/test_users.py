"""Users, keys, links to the board, and the log of who changed what."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from perezvon.core.ids import DAY
from perezvon.runtime.ports import Unavailable
from perezvon.store import audit
from perezvon.store.users import find_user
from tests.api.house import PASSWORD, House

Page = httpx.AsyncClient
NEW = {"login": "Вера", "name": "<script>alert(1)</script>", "role": "agent", "password": PASSWORD}


def as_role(house: House, role: str, scenario: Callable[[Page], Awaitable[None]]) -> None:
    async def run() -> None:
        async with house.engine(), house.page(house.app(), role) as page:
            await scenario(page)

    asyncio.run(run())


def test_a_user_is_made_changed_and_removed(house: House) -> None:
    async def scenario(page: Page) -> None:
        made = await page.post("/users", json=NEW | {"agent": "ana"})
        assert made.status_code == 201
        user = made.json()
        assert (user["login"], user["agent"], user["must_change_password"]) == ("вера", "ana", True)
        assert "password" not in user
        path = f"/users/{user['id']}"
        changed = await page.patch(path, json={"role": "viewer", "projects": ["shop"]})
        assert (changed.json()["role"], changed.json()["projects"]) == ("viewer", ["shop"])
        assert changed.json()["agent"] == "ana", "what is not named stays"
        logins = [each["login"] for each in (await page.get("/users")).json()["items"]]
        assert logins == ["admin", "вера"]
        assert (await page.delete(path)).status_code == 204
        assert (await page.get(path)).status_code == 404

    as_role(house, "admin", scenario)


def test_a_login_is_one_persons_however_it_is_written(house: House) -> None:
    async def scenario(page: Page) -> None:
        for login, status in (("Вера", 201), ("вЕРА", 409), ("ВЕРА ", 409), ("a b", 422)):
            reply = await page.post("/users", json=NEW | {"login": login})
            assert reply.status_code == status, login

    as_role(house, "admin", scenario)


@pytest.mark.parametrize(
    "wrong",
    [
        {"role": "king"},
        {"agent": "nobody"},
        {"password": "short"},
        {"login": "x" * 65},
        {"name": "x" * 201},
        {"projects": ["p"] * 101},
        {"language": "fr"},
        {"name": "\x00"},
    ],
    ids=str,
)
def test_a_user_that_cannot_be_meant_is_refused(house: House, wrong: dict[str, Any]) -> None:
    async def scenario(page: Page) -> None:
        assert (await page.post("/users", json=NEW | wrong)).status_code == 422

    as_role(house, "admin", scenario)


def test_markup_in_a_name_comes_back_as_json_and_as_nothing_else(house: House) -> None:
    async def scenario(page: Page) -> None:
        made = await page.post("/users", json=NEW)
        key = await page.post("/keys", json={"name": NEW["name"], "scopes": ["read"]})
        replies = [made, key, *[await page.get(path) for path in ("/users", "/keys", "/audit")]]
        for reply in replies:
            assert NEW["name"] in str(reply.json())
            assert reply.headers["Content-Type"] == "application/json"
            assert reply.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
        missing = await page.get("/users/<script>alert(1)</script>")
        assert "script" not in missing.text

    as_role(house, "owner", scenario)


def test_the_last_who_manages_users_stays(house: House) -> None:
    async def scenario(page: Page) -> None:
        (only,) = (await page.get("/users")).json()["items"]
        path = f"/users/{only['id']}"
        for reply in (
            await page.delete(path),
            await page.patch(path, json={"disabled": True}),
            await page.patch(path, json={"role": "supervisor"}),
        ):
            assert (reply.status_code, reply.json()["error"]["code"]) == (409, "last_manager")
        await page.post("/users", json=NEW | {"role": "admin"})
        assert (await page.patch(path, json={"role": "supervisor"})).status_code == 200
        assert (await page.get("/auth")).status_code == 401, "his session is over with his role"

    as_role(house, "owner", scenario)


def test_an_admin_makes_no_owner_and_touches_none(house: House) -> None:
    owner = house.user("owner")

    async def scenario(page: Page) -> None:
        me = find_user(house.books.stored, "admin")
        assert me is not None
        path = f"/users/{owner.id}"
        for reply in (
            await page.post("/users", json=NEW | {"role": "owner"}),
            await page.patch(f"/users/{me.id}", json={"role": "owner"}),
            await page.patch(path, json={"disabled": True}),
            await page.put(f"{path}/password", json={"password": PASSWORD}),
            await page.delete(f"{path}/sessions"),
            await page.delete(path),
        ):
            assert (reply.status_code, reply.json()["error"]["code"]) == (403, "forbidden")

    as_role(house, "admin", scenario)


def test_a_changed_role_holds_at_once(house: House) -> None:
    async def scenario(page: Page) -> None:
        app = page._transport.app  # type: ignore[attr-defined]
        async with house.page(app, "supervisor") as other:
            assert (await other.get("/calls")).status_code == 200
            user = find_user(house.books.stored, "supervisor")
            assert user is not None
            await page.patch(f"/users/{user.id}", json={"role": "viewer"})
            assert (await other.get("/auth")).status_code == 401

    as_role(house, "admin", scenario)


def test_a_forgotten_password_is_given_anew_and_has_to_be_changed(house: House) -> None:
    user = house.user("agent", "vera")

    async def scenario(page: Page) -> None:
        given = {"password": "временный-пароль 5"}
        assert (await page.put(f"/users/{user.id}/password", json=given)).status_code == 204
        reply = await page.post("/sessions", json={"login": "vera"} | given)
        assert reply.json() == {"must_change_password": True}

    as_role(house, "admin", scenario)


def test_a_key_is_shown_once_and_does_what_its_scopes_say(house: House) -> None:
    async def scenario(page: Page) -> None:
        made = await page.post("/keys", json={"name": "crm", "scopes": ["calls.see"]})
        assert made.status_code == 201
        secret, id_ = made.json()["secret"], made.json()["id"]
        assert secret not in (await page.get("/keys")).text
        assert secret not in (await page.get("/audit")).text
        bearer = {"Authorization": f"Bearer {secret}"}
        assert (await page.get("/calls", headers=bearer)).status_code == 200
        assert (await page.get("/debts", headers=bearer)).status_code == 403
        assert (await page.delete(f"/keys/{id_}")).status_code == 204
        assert (await page.get("/calls", headers=bearer)).status_code == 401
        for scopes in (["everything"], ["self.manage"], []):
            reply = await page.post("/keys", json={"name": "crm", "scopes": scopes})
            assert reply.status_code == 422, scopes

    as_role(house, "admin", scenario)


def test_a_key_is_its_holder_whatever_cookie_comes_with_it(house: House) -> None:
    async def scenario(page: Page) -> None:
        for header in ("Bearer pz_wrong", "Basic x"):
            assert (await page.get("/calls", headers={"Authorization": header})).status_code == 401
        key = {"Authorization": f"Bearer {house.tokens['read']}"}
        assert (await page.get("/auth", headers=key)).json()["kind"] == "key"

    as_role(house, "supervisor", scenario)


def test_a_screen_on_the_wall_sees_the_board_until_its_link_is_revoked(house: House) -> None:
    async def scenario(page: Page) -> None:
        body = {"name": "hall", "expires_at": house.wall + DAY}
        made = (await page.post("/board-links", json=body)).json()
        path, _, secret = made["path"].partition("#")
        assert path == "/tv"
        assert secret not in (await page.get("/board-links")).text
        app = page._transport.app  # type: ignore[attr-defined]
        async with house.page(app) as screen:
            wrong = await screen.post("/board-sessions", json={"token": "pzb_wrong"})
            assert wrong.status_code == 401
            opened = await screen.post("/board-sessions", json={"token": secret})
            assert opened.json() == {"expires_at": house.wall + DAY}
            me = (await screen.get("/auth")).json()
            assert (me["kind"], me["permissions"]) == ("screen", ["board.see", "self.see"])
            assert (await screen.get("/calls")).status_code == 403
            assert (await page.delete(f"/board-links/{made['id']}")).status_code == 204
            assert (await screen.get("/auth")).status_code == 401
            again = await screen.post("/board-sessions", json={"token": secret})
            assert again.status_code == 401

    as_role(house, "supervisor", scenario)


def test_a_link_to_the_board_ends(house: House) -> None:
    async def scenario(page: Page) -> None:
        for expires_at in (house.wall, house.wall + 400 * DAY, -1):
            body = {"name": "hall", "expires_at": expires_at}
            assert (await page.post("/board-links", json=body)).status_code == 422
        body = {"name": "hall", "expires_at": house.wall + DAY}
        secret = (await page.post("/board-links", json=body)).json()["path"].partition("#")[2]
        house.wall += DAY
        reply = await page.post("/board-sessions", json={"token": secret})
        assert reply.status_code == 401

    as_role(house, "supervisor", scenario)


def rows_of(house: House) -> list[audit.AuditRow]:
    return list(audit.list_audit(house.books.stored).items)


def test_every_change_is_in_the_audit_log_with_who_and_what(house: House) -> None:
    async def scenario(page: Page) -> None:
        user = (await page.post("/users", json=NEW)).json()["id"]
        await page.patch(f"/users/{user}", json={"role": "viewer"})
        await page.get("/users")
        await page.put("/agents/ana/status", json={"status": "paused", "reason": "tea"})
        status, changed, made = rows_of(house)
        assert (made.action, made.who, made.kind) == ("POST /users", "the owner", "user")
        assert '"password": "***"' in made.detail
        assert user in made.object
        assert changed.action == "PATCH /users/{user}"
        assert '"role": "agent"' in changed.detail.partition("after")[0]
        assert '"role": "viewer"' in changed.detail.partition("after")[2]
        assert status.action == "PUT /agents/{agent}/status"
        assert (status.object, status.address) == ('{"agent": "ana"}', "127.0.0.1")
        assert "tea" in status.detail
        assert not any(PASSWORD in row.detail for row in rows_of(house))
        shown = (await page.get("/audit", params={"action": "POST /users", "limit": 1})).json()
        assert [each["id"] for each in shown["items"]] == [made.id]
        assert (await page.get("/audit", params={"limit": 501})).status_code == 422

    as_role(house, "owner", scenario)


def test_a_refusal_to_somebody_known_is_in_the_log_and_noise_is_not(house: House) -> None:
    async def scenario(page: Page) -> None:
        assert (await page.put("/plan", json={"text": "x"})).status_code == 403
        await page.put("/agents/ana/status", json={"status": "asleep"})
        app = page._transport.app  # type: ignore[attr-defined]
        async with house.page(app) as nobody:
            await nobody.put("/plan", json={"text": "x"})
        (row,) = rows_of(house)
        assert (row.action, row.status, row.who) == ("PUT /plan", 403, "the supervisor")

    as_role(house, "supervisor", scenario)


def test_what_is_too_long_or_no_json_is_in_the_log_as_that(house: House) -> None:
    async def scenario(page: Page) -> None:
        text = "# long\n" * 10_000
        await page.put("/plan", json={"text": text})
        await page.put("/users/x/password", json={"password": "x" * 15, "deep": [[[[[[[1]]]]]]]})
        for row in rows_of(house):
            assert len(row.detail) < 1_000

    as_role(house, "owner", scenario)


def test_a_store_that_is_away_loses_no_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was done is done: the asker has to know, and our log has what the other one lacks."""

    def full(*_args: object, **_values: object) -> None:
        raise Unavailable("disk is full")

    async def scenario(page: Page) -> None:
        monkeypatch.setattr(audit, "note", full)
        body = {"status": "paused", "reason": "tea"}
        assert (await page.put("/agents/ana/status", json=body)).status_code == 200

    as_role(house, "supervisor", scenario)
