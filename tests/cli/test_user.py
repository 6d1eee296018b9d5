"""`perezvon user`: making the first user, and letting in who is locked out."""

import pytest
from typer.testing import CliRunner, Result

from perezvon import cli
from perezvon.store import audit
from perezvon.store.passwords import verify
from perezvon.store.users import User, change_user, find_user
from tests.api.house import PASSWORD, House


def run(*arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli.make("user"), ["user", *arguments], input=typed)


def found(house: House, login: str) -> User:
    user = find_user(house.books.stored, login)
    assert user is not None
    return user


def test_a_user_is_made_with_the_password_that_was_typed(house: House) -> None:
    made = run("create", "Vera", "--role", "agent", "--agent", "ana", typed=f"{PASSWORD}\n")
    assert made.exit_code == 0
    vera = found(house, "vera")
    assert (vera.role, vera.agent, vera.must_change_password) == ("agent", "ana", False)
    assert verify(vera.password, PASSWORD)
    assert PASSWORD not in made.output


def test_without_one_a_password_is_made_and_has_to_be_changed(house: House) -> None:
    made = run("create", "boss", "--role", "owner", "--lang", "ru")
    assert "показан один раз" in made.output
    boss = found(house, "boss")
    password = made.output.split()[2]
    assert boss.must_change_password
    assert verify(boss.password, password)
    assert "boss" in run("list").output


@pytest.mark.parametrize("typed", ["short\n", "x" * 300 + "\n", "aaaaaaaaaaaa\n"])
def test_a_bad_password_makes_nobody(house: House, typed: str) -> None:
    assert run("create", "vera", typed=typed).exit_code == 1
    assert find_user(house.books.stored, "vera") is None


def test_a_login_that_is_taken_or_none_is_refused(house: House) -> None:
    house.user("agent", "vera")
    for login in ("VERA", "two words"):
        assert run("create", login, typed=f"{PASSWORD}\n").exit_code == 1


def test_who_lost_password_and_telephone_is_let_in_again(house: House) -> None:
    user = house.user("owner", "boss")
    change_user(house.books.stored, user.id, has_totp=True, totp=b"x")
    assert run("password", "boss", typed="новый-пароль-шефа 1\n").exit_code == 0
    boss = found(house, "boss")
    assert verify(boss.password, "новый-пароль-шефа 1")
    assert not boss.has_totp
    (row,) = audit.list_audit(house.books.stored).items
    assert (row.kind, row.action, row.object) == ("terminal", "user password", '{"login": "boss"}')
    assert run("password", "nobody").exit_code == 1


def test_a_user_is_disabled_but_not_the_last_who_manages_users(house: House) -> None:
    house.user("admin", "root")
    house.user("agent", "vera")
    assert run("disable", "vera").exit_code == 0
    assert found(house, "vera").disabled_at is not None
    last = run("disable", "root", "--lang", "en")
    assert last.exit_code == 1
    assert "last who manages" in last.stderr
    assert run("enable", "vera").exit_code == 0
    assert found(house, "vera").disabled_at is None
