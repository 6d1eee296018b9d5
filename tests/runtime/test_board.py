"""The board's changes: what is told to followers, and that none can be told a wrong board."""

import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perezvon.runtime.board import (
    FOLLOWER_MESSAGES_MAX,
    Board,
    Feed,
    Gap,
    Mirror,
    apply,
    delta_message,
    difference,
    snapshot_message,
)

rows = st.dictionaries(
    st.sampled_from("abcd"),
    st.dictionaries(st.sampled_from("xy"), st.integers(0, 2) | st.none(), max_size=2),
    max_size=4,
)
boards = st.builds(
    Board,
    st.integers(0, 9),
    st.dictionaries(st.sampled_from(["waiting", "agents", "debts"]), rows.filter(bool)),
)


@given(boards, boards)
def test_the_difference_of_two_boards_leads_from_one_to_the_other(old: Board, new: Board) -> None:
    assert apply(old, difference(old, new)) == new


@given(boards)
def test_a_board_does_not_differ_from_itself(board: Board) -> None:
    assert difference(board, board).sections == {}


@given(st.lists(boards, min_size=1, max_size=40), st.data())
def test_a_follower_who_reads_now_and_then_ends_with_the_true_board(
    told: list[Board], data: st.DataObject
) -> None:
    async def scenario() -> None:
        feed, mirror = Feed(), Mirror()
        follower = feed.follow()
        for board in told:
            feed.publish(board)
            if follower.ready and data.draw(st.booleans()):
                mirror.take(msgspec.json.decode(await follower.next()))
        while follower.ready:
            mirror.take(msgspec.json.decode(await follower.next()))
        assert mirror.board == feed.board

    asyncio.run(scenario())


def board(at: int, waiting: int) -> Board:
    return Board(at, {"waiting": {f"c{n}": {"since_at": n} for n in range(waiting)}})


def test_a_follower_gets_a_snapshot_and_then_numbered_deltas() -> None:
    async def scenario() -> None:
        feed = Feed(board(1, 2))
        follower = feed.follow()
        first = msgspec.json.decode(await follower.next())
        feed.publish(board(2, 3))
        feed.publish(board(3, 1))
        second = msgspec.json.decode(await follower.next())
        third = msgspec.json.decode(await follower.next())
        assert first == snapshot_message(board(1, 2), 0)
        assert second == delta_message(difference(board(1, 2), board(2, 3)), 1)
        assert third["number"] == 2
        assert third["sections"] == {"waiting": {"c1": None, "c2": None}}

    asyncio.run(scenario())


def test_a_board_that_has_not_changed_is_not_told() -> None:
    feed = Feed(board(1, 2))
    feed.publish(board(99, 2))
    assert msgspec.json.decode(feed.snapshot())["number"] == 0


def test_a_slow_follower_gets_a_new_snapshot_and_never_more_memory() -> None:
    async def scenario() -> None:
        feed = Feed()
        follower = feed.follow()
        await follower.next()
        for n in range(1, 10 * FOLLOWER_MESSAGES_MAX):
            feed.publish(board(n, n))
            assert len(follower._pending) <= FOLLOWER_MESSAGES_MAX
        mirror = Mirror()
        mirror.take(msgspec.json.decode(await follower.next()))
        while follower.ready:
            mirror.take(msgspec.json.decode(await follower.next()))
        assert mirror.board == feed.board

    asyncio.run(scenario())


def test_a_missing_delta_is_noticed() -> None:
    mirror = Mirror()
    with pytest.raises(Gap):
        mirror.take(delta_message(difference(board(1, 0), board(1, 1)), 1))
    mirror.take(snapshot_message(board(1, 1), 4))
    mirror.take(delta_message(difference(board(1, 1), board(2, 2)), 5))
    with pytest.raises(Gap):
        mirror.take(delta_message(difference(board(2, 2), board(3, 3)), 7))


def test_who_left_the_feed_is_told_nothing() -> None:
    feed = Feed()
    follower = feed.follow()
    feed.leave(follower)
    feed.leave(follower)
    feed.publish(board(1, 1))
    assert not follower._pending
