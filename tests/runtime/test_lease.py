"""The fence by our own clock: held for a while after each commit, and never again once lost."""

import pytest

from perezvon.runtime import lease
from perezvon.runtime.lease import LEASE_MS, MARGIN_MS, Lease


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Milliseconds; a test sets them."""
    now = [1_000_000]
    monkeypatch.setattr(lease, "elapsed_ms", lambda: now[0])
    return now


def test_it_is_held_from_a_commit_until_a_margin_before_another_may_take_over(
    clock: list[int],
) -> None:
    held = Lease()
    assert not held.held()
    held.renew(clock[0])
    clock[0] += LEASE_MS - MARGIN_MS - 1
    assert held.held()
    clock[0] += 1
    assert not held.held()


def test_a_commit_counts_from_its_beginning_however_long_it_took(clock: list[int]) -> None:
    held = Lease()
    begun_at = clock[0]
    clock[0] += LEASE_MS
    held.renew(begun_at)
    assert not held.held()


def test_commits_that_end_out_of_order_do_not_shorten_it(clock: list[int]) -> None:
    held = Lease()
    held.renew(clock[0])
    held.renew(clock[0] - LEASE_MS)
    assert held.held()
    assert held.age_ms == 0


def test_in_doubt_it_is_not_held_until_the_next_commit(clock: list[int]) -> None:
    held = Lease()
    held.renew(clock[0])
    held.doubt()
    assert not held.held()
    held.renew(clock[0])
    assert held.held()


def test_once_lost_it_is_never_held_again(clock: list[int]) -> None:
    held = Lease()
    held.renew(clock[0])
    held.lose()
    held.renew(clock[0])
    assert not held.held()
