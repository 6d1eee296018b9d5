"""What an audit makes of the switch's listings and of CEL, whole and broken."""

from pathlib import Path
from typing import Any

import pytest

from perezvon.asterisk.audit import ends, last_beat, look, started_at
from perezvon.asterisk.translate import Side
from perezvon.core.events import Caller, EndCause, LegState, NumberClass
from perezvon.core.ids import LegId

NOBODY = Caller(None, NumberClass.WITHHELD)
CALLER, AGENT = LegId("1795313468.0"), LegId("t-xc1/2")


def channel(leg: str, data: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    dialplan = {"context": "guard-t", "exten": "s", "app_name": "Stasis", "app_data": data}
    return {"id": leg, "name": "PJSIP/x-00000001", "state": "Up", "dialplan": dialplan} | changes


def found(channels: object, bridges: object = ()) -> Any:  # noqa: ANN401 - as the driver sees it
    return look(channels, bridges, tenant="t", identify=lambda _number, _name: NOBODY)


def test_legs_of_ours_are_told_with_who_they_talk_to() -> None:
    there = found(
        [
            channel(CALLER, "perezvon-t,in,1,74951112233"),
            channel(AGENT, "perezvon-t,agent"),
            channel("t-xd1/1c", "perezvon-t,client", state="Ringing"),
            channel("1.5", "perezvon-other,in,1,2"),
        ],
        [{"id": "t-xc1", "channels": [CALLER, AGENT]}, {"id": "t-old", "channels": []}],
    )
    caller, agent, client = there.legs
    assert (caller.bridged_with, agent.bridged_with) == (AGENT, CALLER)
    assert caller.inbound.did == "74951112233"
    assert (client.state, client.inbound) == (LegState.RINGING, None)
    assert there.sides == {CALLER: Side.CALLER, AGENT: Side.AGENT, "t-xd1/1c": Side.CLIENT}
    assert there.empty_bridges == ("t-old",)


def test_a_caller_in_the_local_queue_has_fallen_back() -> None:
    dialplan = {"context": "localq-t", "exten": "s", "app_name": "Queue", "app_data": "x"}
    there = found([channel(CALLER, "", dialplan=dialplan)])
    assert (there.legs, there.fell_back) == ((), (CALLER,))


@pytest.mark.parametrize(
    "listing", [None, {}, [None], [{}], [{"id": 5}], [{"id": "x"}], [{"id": "x", "dialplan": []}]]
)
def test_a_listing_that_makes_no_sense_is_empty(listing: object) -> None:
    there = found(listing, listing)
    assert (there.legs, there.fell_back, there.empty_bridges) == ((), (), ())


def test_the_switch_tells_when_it_was_started() -> None:
    assert started_at({"status": {"startup_time": "2026-09-21T09:00:00.250+0300"}}) == 1789970400250


@pytest.mark.parametrize(
    "info", [None, [], {}, {"status": None}, {"status": {"startup_time": "yesterday"}}]
)
def test_a_switch_that_does_not_tell_it_is_not_taken_for_a_new_one(info: object) -> None:
    assert started_at(info) is None


def row(kind: str, leg: str, extra: str = "") -> str:
    return f'"{kind}","1795313468.1","{leg}","{leg}","c","s","PJSIP/x-00000001","","{extra}"\n'


def cause(number: int) -> str:
    return f'{{""hangupcause"":{number}}}'


def test_cel_tells_how_legs_ended_and_which_never_were(tmp_path: Path) -> None:
    file = tmp_path / "cel.csv"
    file.write_text(
        row("CHAN_START", AGENT)
        + row("HANGUP", AGENT, cause(17))
        + row("CHAN_START", "t-xd1/1c")
        + row("ANSWER", "t-xd1/1c")
        + row("HANGUP", "t-xd1/1c", cause(16))
        + row("CHAN_START", "t-xc1/3")
        + row("HANGUP", "t-xc1/3", cause(17))
        + row("CHAN_START", "t-xc1/3")
    )
    asked = [LegId("t-xc1/3"), LegId("t-xc1/4")]
    assert ends(file, {LegId("t-xc1/9")}, asked) == {
        AGENT: EndCause.REFUSED,
        "t-xd1/1c": EndCause.NORMAL,
        "t-xc1/3": EndCause.LOST,
        "t-xc1/4": EndCause.NEVER_MADE,
    }
    assert AGENT not in ends(file, {AGENT}, [])


def test_a_leg_of_a_segment_that_was_put_aside_is_not_taken_for_never_made(
    tmp_path: Path,
) -> None:
    leg = LegId("t-xd1/1c")
    (tmp_path / "cel.csv.1795313470").write_text(row("CHAN_START", leg) + row("CHAN_END", leg))
    assert ends(tmp_path / "cel.csv", (), [leg]) == {leg: EndCause.LOST}
    (tmp_path / "cel.csv").write_text(row("CHAN_START", "1.1"))
    assert ends(tmp_path / "cel.csv", (), [leg]) == {leg: EndCause.LOST}


def test_without_a_second_witness_nothing_is_claimed(tmp_path: Path) -> None:
    assert ends(None, set(), [AGENT]) == {}
    assert ends(tmp_path / "missing.csv", set(), [AGENT]) == {}


def test_the_last_heartbeat_is_what_the_guard_was_told() -> None:
    assert last_beat({"value": "1795305350"}) == 1_795_305_350_000


@pytest.mark.parametrize("answer", [None, {}, {"value": ""}, {"value": "-1"}, {"value": "9" * 40}])
def test_a_heartbeat_that_is_none_says_nothing(answer: object) -> None:
    assert last_beat(answer) is None
