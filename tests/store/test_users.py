"""Users, sessions and tries to sign in: what the store promises on both databases."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from perezvon.core.ids import DAY, MINUTE, SECOND
from perezvon.store import audit, passwords, sessions, sign_in_limits, users
from perezvon.store.board_links import check_link, create_link, revoke_link
from perezvon.store.database import Database
from perezvon.store.users import LastManager, LoginTaken, User
from perezvon.store.vault import Vault

NOW = 1_790_000_000_000
THREADS = 6


def user(views: Database, login: str, role: str = "agent", *, first: bool = False) -> User:
    return users.create_user(
        views, login=login, name=login, role=role, password="x", now=NOW, first=first
    )


def at_once(act: Callable[[int], object]) -> list[object]:
    """What came of it when several do it at the same time; refusals as their types."""

    def one(number: int) -> object:
        try:
            return act(number)
        except (LastManager, LoginTaken) as refusal:
            return type(refusal)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_a_user_comes_back_as_he_was_made(views: Database) -> None:
    made = users.create_user(
        views,
        login=" Ёлка@Shop ",
        name="Ёлка",
        role="viewer",
        password="digest",
        projects=["b", "a"],
        now=NOW,
    )
    assert users.find_user(views, "ёлка@SHOP") == made
    assert users.get_user(views, made.id) == made
    assert (made.login, sorted(made.projects)) == ("ёлка@shop", ["a", "b"])
    assert "digest" not in repr(made)


def test_one_of_two_first_users_at_once_is_the_first(views: Database) -> None:
    def make(number: int) -> object:
        return user(views, f"owner{number}", "owner", first=True).role

    assert sorted(map(str, at_once(make))).count("owner") == 1


def test_two_who_remove_each_other_at_once_leave_one(views: Database) -> None:
    managers = [user(views, f"m{number}", "admin") for number in range(THREADS)]
    done = at_once(lambda number: users.remove_user(views, managers[number].id))
    assert done.count(LastManager) == 1
    assert len(users.list_users(views)) == 1
    assert users.has_manager(views)


def test_tries_at_once_are_counted_one_by_one(views: Database) -> None:
    def try_once(_number: int) -> object:
        return sign_in_limits.admit(views, "anna", "192.0.2.1", NOW)

    results = [*at_once(try_once), *at_once(try_once)]
    assert results.count(0) == sign_in_limits.FREE_OF_LOGIN


def test_tries_are_forgotten_after_a_day_and_forgiven_at_once(views: Database) -> None:
    def tries() -> int:
        admitted = 0
        while not sign_in_limits.admit(views, "anna", f"192.0.2.{admitted}", NOW + late):
            admitted += 1
        return admitted

    late = 0
    assert tries() == 5
    assert tries() == 0
    late = DAY
    assert tries() == 5
    sign_in_limits.forgive(views, "ANNA", "192.0.2.1")
    assert tries() == 5


def test_a_network_of_ipv6_is_one_address(views: Database) -> None:
    waits = [
        sign_in_limits.admit(views, f"u{number}", f"2001:db8::{number:x}", NOW)
        for number in range(31)
    ]
    assert waits == [0] * 30 + [SECOND]
    assert sign_in_limits.admit(views, "u", "2001:db8:0:1::1", NOW) == 0
    assert sign_in_limits.admit(views, "v", "not an address " * 9, NOW) == 0


def test_the_tries_of_a_flood_do_not_fill_the_store(
    views: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_limits, "ROWS_MAX", 6)
    for number in range(20):
        sign_in_limits.admit(views, f"u{number}", f"192.0.2.{number}", NOW + number)
    with views.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sign_in_tries")) == 6


def test_a_user_has_so_many_sessions_and_the_unused_one_ends(
    views: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SESSIONS_MAX", 3)
    anna, boris = user(views, "anna"), user(views, "boris")
    opened = [sessions.open_session(views, NOW + n, user=anna.id)[1] for n in range(4)]
    other = sessions.open_session(views, NOW, user=boris.id)[1]
    alive = [sessions.check_session(views, secret, NOW + 5) is not None for secret in opened]
    assert alive == [False, True, True, True]
    assert sessions.check_session(views, other, NOW + 5) is not None


def test_sessions_that_are_over_are_swept(views: Database) -> None:
    anna = user(views, "anna")
    for _ in range(3):
        sessions.open_session(views, NOW, user=anna.id)
    sessions.open_session(views, NOW + sessions.IDLE_MS + MINUTE, user=anna.id)
    with views.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == 1


def test_a_link_opens_until_it_is_revoked(views: Database) -> None:
    link, secret = create_link(views, name="hall", by="b", expires_at=NOW + DAY, now=NOW)
    assert check_link(views, secret, NOW + DAY - 1) == link
    assert check_link(views, secret, NOW + DAY) is None
    assert revoke_link(views, link.id, NOW)
    assert check_link(views, secret, NOW) is None


def test_the_audit_log_cannot_be_changed_even_by_sql(views: Database) -> None:
    audit.note(
        views,
        NOW,
        kind="user",
        who="anna",
        who_id="1",
        address="192.0.2.1",
        action="PUT /plan",
        object_={"version": "v1"},
        status=200,
        detail={"after": "x" * 50_000, "name": "\x00"},
    )
    for statement in ("UPDATE audit SET who = 'boris'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="never changed"), views.write() as connection:
            connection.execute(text(statement))
    (row,) = audit.list_audit(views, who="anna").items
    assert (row.who, row.action, row.detail) == ("anna", "PUT /plan", '{"too_long": 50031}')


def test_a_password_is_checked_as_it_was_typed_on_any_keyboard() -> None:
    kept = passwords.hashed("пароль-й 1")
    assert kept.startswith("$argon2id$")
    assert passwords.verify(kept, "пароль-и\u0306 1"), "й as two signs"
    assert not passwords.verify(kept, "пароль-и 1")
    assert not passwords.verify(passwords.DUMMY, "")
    assert not passwords.is_outdated(kept)
    assert not passwords.is_outdated(passwords.DUMMY), "it must cost the same time"
    assert not passwords.verify("no digest", "x")


def test_what_is_locked_opens_with_its_own_key_only() -> None:
    vault = Vault(Vault.new_key())
    locked = vault.lock("seed")
    assert vault.unlock(locked) == "seed"
    assert Vault(Vault.new_key()).unlock(locked) is None
    assert vault.unlock(b"damaged") is None
