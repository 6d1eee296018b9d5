"""A token's secret is shown once, known by its digest only, and worth nothing once revoked."""

import pytest
from sqlalchemy import select

from perezvon.store import schema
from perezvon.store.database import Database
from perezvon.store.paging import BadQuery
from perezvon.store.tokens import check_token, create_token, list_tokens, revoke_token


def test_a_token_opens_until_it_is_revoked(views: Database) -> None:
    token, secret = create_token(views, " board ", {"read", "agents:write"}, 1_000)
    found = check_token(views, secret, 2_000)
    assert found is not None
    assert (found.id, found.name) == (token.id, "board")
    assert found.scopes == frozenset({"read", "agents:write"})
    assert revoke_token(views, token.id, 3_000)
    assert check_token(views, secret, 4_000) is None
    assert not revoke_token(views, token.id, 5_000)
    assert not revoke_token(views, "nobody", 5_000)


def test_the_secret_is_long_and_not_kept(views: Database) -> None:
    _token, secret = create_token(views, "a", (), 1)
    _token, other = create_token(views, "a", (), 1)
    assert secret != other
    assert len(secret) >= 43
    with views.read() as connection:
        for row in connection.execute(select(schema.tokens)):
            assert secret not in str(tuple(row))
            assert len(row.hash) == 32


@pytest.mark.parametrize(
    "wrong", ["", "pz_", "pz_" + "x" * 43, "pz_\0", "pz_\ud800", "x" * 100_000, "Bearer pz_"]
)
def test_what_is_no_secret_opens_nothing(views: Database, wrong: str) -> None:
    _token, secret = create_token(views, "a", (), 1)
    for attempt in (wrong, secret[:-1], secret + "x", secret.swapcase()):
        assert check_token(views, attempt, 5) is None


def test_a_use_is_noted_once_a_minute(views: Database) -> None:
    _token, secret = create_token(views, "a", (), 0)
    used = []
    for now in (10, 20, 59_000, 60_010, 60_020):
        check_token(views, secret, now)
        used.append(list_tokens(views)[0].last_used_at)
    assert used == [10, 10, 10, 60_010, 60_010]


def test_tokens_are_listed_newest_first_and_the_revoked_stay(views: Database) -> None:
    ids = [create_token(views, f"n{n}", ("read",), n)[0].id for n in range(3)]
    revoke_token(views, ids[1], 50)
    listed = list_tokens(views)
    assert [token.id for token in listed] == ids[::-1]
    assert [token.revoked_at for token in listed] == [None, 50, None]


@pytest.mark.parametrize("name", ["", "   ", "x" * 101])
def test_a_token_needs_a_name(views: Database, name: str) -> None:
    with pytest.raises(BadQuery, match="name"):
        create_token(views, name, (), 1)


@pytest.mark.parametrize("scope", ["", "two words", "Ä", "x" * 50, "a\n"])
def test_a_scope_is_a_word(views: Database, scope: str) -> None:
    with pytest.raises(BadQuery, match="not a scope"):
        create_token(views, "a", (scope,), 1)
