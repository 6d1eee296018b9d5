"""Messages as Asterisk 22.10.1 sent them, and what a fault or a stranger may make of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perezvon.asterisk import numbers
from perezvon.asterisk.book import Book, Leg
from perezvon.asterisk.translate import (
    BeatHeard,
    LegCalling,
    LegLeaving,
    LegLeft,
    LegReplaced,
    LegStarted,
    LegView,
    Side,
    Translator,
    end_cause,
)
from perezvon.core.events import (
    CallArrived,
    DeviceChanged,
    DigitPressed,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    NumberClass,
    PromptEnded,
    TrunkChanged,
)
from perezvon.core.ids import AgentId, LegId, PlaybackId, TrunkId
from perezvon.core.plan import DeviceKind
from tests.asterisk.office import MemoryDirectory

CALLER = LegId("1795312477.0")
AGENT = LegId("t-xc1/2")
CHANNEL: dict[str, Any] = {
    "id": "1795312477.0",
    "name": "PJSIP/trunk-t1-00000000",
    "state": "Ring",
    "protocol_id": "41268-1@test",
    "caller": {"name": "Иван", "number": "+79161234567"},
    "connected": {"name": "", "number": ""},
    "accountcode": "",
    "dialplan": {
        "context": "guard-demo",
        "exten": "s",
        "priority": 7,
        "app_name": "Stasis",
        "app_data": "perezvon-demo,in,17953124770,74951112233",
    },
    "creationtime": "2026-11-22T01:54:37.898+0000",
    "language": "en",
}
AGENTS = CHANNEL | {"id": "t-xc1/2", "name": "PJSIP/a2-00000002", "state": "Down"}


def message(kind: str, **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {
        "type": kind,
        "timestamp": "2026-11-22T01:54:37.899+0000",
        "asterisk_id": "02:fc:00:00:00:01",
        "application": "perezvon-t",
        **parts,
    }


def translator(*legs: Leg) -> Translator:
    book = Book()
    for leg in legs:
        book.add(leg)
    directory = MemoryDirectory()
    return Translator(
        "perezvon-t",
        lambda number, name: numbers.identify(number, name, "RU", directory),
        book.by_channel,
        {"a2": (AgentId("a2"), None), "a2~webrtc": (AgentId("a2"), DeviceKind.WEBRTC)},
        {TrunkId("t1")},
    )


def arrival(**changes: Any) -> CallArrived:  # noqa: ANN401 - JSON
    args = changes.pop("args", ["in", "17953124770", "74951112233"])
    started = message("StasisStart", args=args, channel=CHANNEL | changes)
    (event,) = translator().translate(started)
    assert isinstance(event, CallArrived)
    return event


def test_a_caller_who_enters_has_arrived() -> None:
    event = arrival()
    assert (event.leg, event.did, event.trunk) == (CALLER, "74951112233", TrunkId("t1"))
    assert event.caller.number_class is NumberClass.MOBILE
    assert event.caller.person is not None


@pytest.mark.parametrize(
    ("caller", "kind"),
    [
        ({"name": "", "number": ""}, NumberClass.WITHHELD),
        ({"name": "Anonymous", "number": "anonymous"}, NumberClass.WITHHELD),
        ({"name": "x" * 10_000, "number": "ivan"}, NumberClass.UNKNOWN),
        ({"name": None, "number": None}, NumberClass.WITHHELD),
        ("nobody", NumberClass.WITHHELD),
        (None, NumberClass.WITHHELD),
    ],
)
def test_a_caller_without_a_number_arrives_as_nobody(caller: object, kind: NumberClass) -> None:
    event = arrival(caller=caller)
    assert (event.caller.person, event.caller.number_class) == (None, kind)


def test_the_number_dialled_is_digits_whatever_the_dialplan_says() -> None:
    assert arrival(args=["in"]).did == ""
    assert arrival(args=["in", "1", "+7<b>495;x"]).did == "+7495"
    assert len(arrival(args=["in", "1", "9" * 1_000]).did) == 32


def test_a_call_that_came_by_no_trunk_has_none() -> None:
    assert arrival(name="Local/x@y-00000000;1").trunk is None


def test_a_leg_of_ours_has_started() -> None:
    started = message("StasisStart", args=["agent"], channel=AGENTS)
    (told,) = translator().translate(started)
    assert told == LegStarted(AGENT, ("agent",), started["channel"]["name"])


def test_a_transfer_is_no_new_caller() -> None:
    moved = message("StasisStart", args=[], channel=AGENTS, replace_channel=CHANNEL)
    assert translator().translate(moved) == (LegReplaced(CALLER, AGENT),)


@pytest.mark.parametrize("status", ["RINGING", "PROGRESS"])
def test_a_telephone_that_gives_a_sign_rings(status: str) -> None:
    dial = message("Dial", dialstatus=status, forward="", dialstring="a2", peer=AGENTS)
    assert translator().translate(dial) == (LegRinging(AGENT),)


def test_a_dial_that_began_is_told_and_one_that_ended_says_nothing() -> None:
    begun = message("Dial", dialstatus="", peer=AGENTS)
    assert translator().translate(begun) == (LegCalling(LegId(AGENTS["id"])),)
    for status in ("ANSWER", "CANCEL", "BUSY"):
        assert translator().translate(message("Dial", dialstatus=status, peer=AGENTS)) == ()


def test_a_state_is_ringing_or_an_answer() -> None:
    def told(state: str) -> tuple[object, ...]:
        changed = message("ChannelStateChange", channel=AGENTS | {"state": state})
        return translator().translate(changed)

    assert told("Ringing") == (LegRinging(AGENT),)
    assert told("Up") == (LegAnswered(AGENT),)
    assert told("Down") == told("Ring") == told("?") == ()


def test_the_switchs_own_hang_up_is_told_apart() -> None:
    by_us = message("ChannelHangupRequest", soft=True, cause=32, channel=AGENTS)
    by_him = message("ChannelHangupRequest", cause=127, tech_cause=487, channel=AGENTS)
    assert translator().translate(by_us) == (LegLeaving(AGENT, switched_off=True),)
    assert translator().translate(by_him) == (LegLeaving(AGENT, switched_off=False),)


def test_who_leaves_the_application_has_not_yet_ended() -> None:
    assert translator().translate(message("StasisEnd", channel=CHANNEL)) == (LegLeft(CALLER),)


def test_the_end_of_a_leg_has_its_cause() -> None:
    ended = message(
        "ChannelDestroyed", cause=17, cause_txt="User busy", tech_cause=486, channel=AGENTS
    )
    assert translator(Leg(Side.AGENT, id=AGENT)).translate(ended) == (
        LegEnded(AGENT, EndCause.REFUSED),
    )
    assert translator().translate(ended) == ()


def test_a_playback_that_ends_or_fails_is_a_prompt_that_ended() -> None:
    for state in ("done", "failed"):
        playback = {
            "id": "t-xc1/2/p1",
            "media_uri": "sound:nosuch",
            "target_uri": "channel:t-xc1/2",
            "language": "ru",
            "state": state,
        }
        assert translator().translate(message("PlaybackFinished", playback=playback)) == (
            PromptEnded(AGENT, PlaybackId("t-xc1/2/p1")),
        )


def test_a_digit_a_beat_and_a_device() -> None:
    one = translator()
    digit = message("ChannelDtmfReceived", digit="1", duration_ms=160, channel=AGENTS)
    assert one.translate(digit) == (DigitPressed(AGENT, "1"),)
    beat = message("ChannelUserevent", eventname="hb7", userevent={"eventname": "hb7"})
    assert one.translate(beat) == (BeatHeard("hb7"),)
    contact = {"uri": "sip:a2@127.0.0.1", "contact_status": "Unreachable", "aor": "a2"}
    endpoint = {"technology": "PJSIP", "resource": "a2", "state": "offline", "channel_ids": []}
    changed = message("ContactStatusChange", contact_info=contact, endpoint=endpoint)
    assert one.translate(changed) == (DeviceChanged(AgentId("a2"), reachable=False),)
    peer = message("PeerStatusChange", peer={"peer_status": "Reachable"},
                   endpoint=endpoint | {"resource": "trunk-t1"})  # fmt: skip
    assert one.translate(peer) == (TrunkChanged(TrunkId("t1"), up=True),)
    stranger = message("PeerStatusChange", peer={"peer_status": "Reachable"},
                       endpoint=endpoint | {"resource": "nobody"})  # fmt: skip
    assert one.translate(stranger) == ()
    assert one.unknown == {}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"type": None},
        {"type": "StasisStart"},
        {"type": "StasisStart", "channel": {}, "args": []},
        {"type": "StasisStart", "channel": {"id": 5}, "args": ["in"]},
        {"type": "ChannelDestroyed", "channel": []},
        {"type": "Dial", "peer": {"id": "x"}},
        {"type": "ChannelStateChange", "channel": {"id": "x", "state": 7}},
        {"type": "SomethingNew", "channel": CHANNEL},
    ],
)
def test_what_is_unknown_or_malformed_is_counted_and_nothing_else(broken: dict[str, Any]) -> None:
    one = translator()
    assert one.translate(broken) == ()
    assert sum(one.unknown.values()) == 1


def test_unknown_types_cannot_fill_the_memory() -> None:
    one = translator()
    for number in range(1_000):
        one.translate({"type": f"{number}" + "x" * 1_000})
    assert len(one.unknown) == 100
    assert max(map(len, one.unknown)) == 40


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "state", "channel", "peer", "resource"]), inner)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(["StasisStart", "Dial", "ChannelDestroyed", "StasisEnd", "PlaybackFinished"]),
    st.dictionaries(
        st.sampled_from(["channel", "peer", "args", "dialstatus", "cause", "playback"]), JSON
    ),
)
def test_no_message_makes_it_fail(kind: str, parts: dict[str, Any]) -> None:
    translator().translate({"type": kind, **parts})


def test_after_an_answer_every_end_is_normal() -> None:
    for side in Side:
        assert end_cause(LegView(side, answered=True), 16, 0) is EndCause.NORMAL
        assert end_cause(LegView(side, answered=True), 44, 0) is EndCause.WENT_SILENT


def test_before_an_answer_a_caller_or_our_own_word_cancels() -> None:
    assert end_cause(LegView(Side.CALLER), 127, 487) is EndCause.CANCELLED
    assert end_cause(LegView(Side.CALLER), 0, 0) is EndCause.CANCELLED
    for side in Side:
        assert end_cause(LegView(side, withdrawn=True), 26, 0) is EndCause.CANCELLED


@pytest.mark.parametrize(
    ("rang", "cause", "status", "end"),
    [
        (True, 17, 486, EndCause.REFUSED),
        (False, 21, 603, EndCause.REFUSED),
        (False, 21, 403, EndCause.REFUSED),
        (True, 17, 0, EndCause.REFUSED),
        (True, 19, 480, EndCause.NO_ANSWER),
        (False, 19, 480, EndCause.UNREACHABLE),
        (False, 18, 408, EndCause.UNREACHABLE),
        (False, 1, 404, EndCause.UNREACHABLE),
        (False, 34, 503, EndCause.UNREACHABLE),
    ],
)
def test_the_end_of_an_agents_leg(rang: bool, cause: int, status: int, end: EndCause) -> None:  # noqa: FBT001 - a case
    assert end_cause(LegView(Side.AGENT, rang=rang), cause, status) is end


@pytest.mark.parametrize(
    ("rang", "off", "cause", "status", "end"),
    [
        (True, False, 17, 486, EndCause.BUSY),
        (True, False, 21, 603, EndCause.REFUSED),
        (False, False, 1, 404, EndCause.BAD_NUMBER),
        (False, False, 28, 484, EndCause.BAD_NUMBER),
        (False, False, 1, 604, EndCause.BAD_NUMBER),
        (False, False, 19, 480, EndCause.NO_ANSWER),
        (True, False, 18, 408, EndCause.NO_ANSWER),
        (False, False, 18, 408, EndCause.TRUNK_FAILED),
        (False, False, 21, 403, EndCause.TRUNK_FAILED),
        (False, False, 34, 503, EndCause.TRUNK_FAILED),
        (False, False, 38, 500, EndCause.TRUNK_FAILED),
        (False, False, 127, 0, EndCause.TRUNK_FAILED),
        (True, True, 19, 480, EndCause.NO_ANSWER),
        (False, True, 19, 480, EndCause.TRUNK_FAILED),
        (False, False, 17, 0, EndCause.BUSY),
        (False, False, 1, 0, EndCause.BAD_NUMBER),
        (True, False, 19, 0, EndCause.NO_ANSWER),
    ],
)
def test_the_end_of_a_clients_leg(
    rang: bool, off: bool, cause: int, status: int, end: EndCause  # noqa: FBT001 - a case
) -> None:  # fmt: skip
    assert end_cause(LegView(Side.CLIENT, rang=rang, switched_off=off), cause, status) is end
