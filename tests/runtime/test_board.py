"""The board's changes: what is told to followers, and that none can be told a wrong board."""

import asyncio
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perezvon.core.events import (
    AgentLent,
    AgentStatusSet,
    ChosenStatus,
    DeviceChosen,
    EndCause,
    LegEnded,
    TrunkChanged,
)
from perezvon.core.ids import GroupId, TrunkId
from perezvon.core.plan import DeviceKind, Group, Member
from perezvon.runtime import board as boards
from perezvon.runtime.board import (
    FOLLOWER_MESSAGES_MAX,
    Board,
    Feed,
    Gap,
    Mirror,
    Rows,
    apply,
    delta_message,
    difference,
    snapshot_message,
)
from tests.core.office import ANA, BOB, START, Office, office_plan

rows = st.dictionaries(
    st.sampled_from("abcd"),
    st.dictionaries(st.sampled_from("xy"), st.integers(0, 2) | st.none(), max_size=2),
    max_size=4,
)
drawn = st.builds(
    Board,
    st.integers(0, 9),
    st.dictionaries(st.sampled_from(["waiting", "agents", "debts"]), rows.filter(bool)),
)


@given(drawn, drawn)
def test_the_difference_of_two_boards_leads_from_one_to_the_other(old: Board, new: Board) -> None:
    assert apply(old, difference(old, new)) == new


@given(drawn)
def test_a_board_does_not_differ_from_itself(board: Board) -> None:
    assert difference(board, board).sections == {}


@given(st.lists(drawn, min_size=1, max_size=40), st.data())
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


def shown(office: Office) -> dict[str, Rows]:
    return boards.board(office.engine, office.now, lambda person: (f"+{person}", "")).sections


def test_a_caller_is_shown_while_he_waits_and_then_while_he_talks() -> None:
    office = Office(office_plan(ANA, BOB))
    office.call("1")
    (row,) = shown(office)["waiting"].values()
    assert (row["number"], row["ringing"], row["since_at"]) == ("+1", ["ana", "bob"], START)
    assert shown(office)["queues"]["sales"]["waiting"] == 1
    office.all_ring()
    office.answer(ANA)
    assert "waiting" not in shown(office)
    (row,) = shown(office)["talking"].values()
    assert (row["agent_name"], row["since_at"]) == ("Ana", START)
    assert shown(office)["agents"]["ana"]["status"] == "talking"


def test_an_owed_client_is_shown_with_his_owner_and_the_next_attempt() -> None:
    office = Office(office_plan(ANA), signed_in=False)
    leg = office.call("1")
    office.later(20_000)
    office.tell(LegEnded(leg, EndCause.NORMAL))
    (row,) = shown(office)["debts"].values()
    assert (row["owner_name"], row["attempting"], row["next_at"]) == ("Ana", False, office.now)
    office.tell(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))
    (row,) = shown(office)["debts"].values()
    assert row["attempting"] is True
    (row,) = shown(office)["waiting"].values()
    assert (row["state"], row["ringing"]) == ("ringing_agent", ["ana"])
    assert shown(office)["queues"]["sales"]["waiting"] == 0


def test_an_agent_shows_his_groups_where_he_helps_out_and_which_device_rings() -> None:
    plan = office_plan(ANA, BOB)
    ana = replace(plan.agents[0], others=(DeviceKind.WEBRTC,))
    night = Group(GroupId("night"), "Night", (Member(BOB),))
    office = Office(replace(plan, agents=(ana, plan.agents[1]), groups=(*plan.groups, night)))
    rows = shown(office)["agents"]
    assert (rows["ana"]["device"], rows["ana"]["groups"]) == ("sip", ["all"])
    assert rows["bob"]["groups"] == ["all", "night"]
    assert shown(office)["queues"]["sales"]["groups"] == ["all"]
    until_at = office.now + 60_000
    office.tell(DeviceChosen(ANA, DeviceKind.WEBRTC, by="ana"))
    office.tell(AgentLent(ANA, night.id, until_at, by="chief"))
    row = shown(office)["agents"]["ana"]
    assert row["device"] == "webrtc"
    assert row["lent_to"] == [{"group": "night", "until_at": until_at}]


def test_a_trunk_is_down_until_it_is_told_up_or_its_time_is_over() -> None:
    office = Office(office_plan(ANA))
    assert shown(office)["trunks"]["city"]["up"] is True
    office.tell(TrunkChanged(TrunkId("city"), up=False))
    assert shown(office)["trunks"]["city"]["up"] is False
    office.tell(TrunkChanged(TrunkId("city"), up=True))
    assert shown(office)["trunks"]["city"]["up"] is True


def test_a_section_is_cut_where_its_limit_is_and_counts_know_of_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boards, "SECTION_ROWS_MAX", 3)
    office = Office(office_plan(ANA), signed_in=False)
    legs = [office.call(str(number)) for number in range(5)]
    office.later(20_000)
    office.tell(*(LegEnded(leg, EndCause.NORMAL) for leg in legs))
    assert len(shown(office)["debts"]) == 3
    assert shown(office)["queues"]["sales"]["debts"] == 5


def test_time_alone_changes_nothing_on_the_board() -> None:
    office = Office(office_plan(ANA, BOB))
    office.call("1")
    before = boards.board(office.engine, office.now)
    assert difference(before, boards.board(office.engine, office.now + 5_000)).sections == {}


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
