"""What the rings have of one call is found, and nothing of another call."""

import json
import time
from pathlib import Path
from typing import Any

from perezvon.asterisk.call_trace import CallTrace, Ids, trace_of
from perezvon.asterisk.sip_trace import UnknownCaller, quality, round_trip_ms, wire_of
from perezvon.asterisk.traces import TRACE, WIRE
from perezvon.runtime.ring import Ring

MINUTE_MS = 60_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def traced(folder: Path, *frames: tuple[str, dict[str, Any]]) -> CallTrace:
    kept = Ring(folder, TRACE, bytes_max=1_000_000)
    for tag, frame in frames:
        kept.put(tag, json.dumps(frame))
    kept.close()
    ids = Ids(["t-ac1", "1795325568.0"])
    return trace_of(folder, ids, now_ms() - MINUTE_MS, now_ms() + MINUTE_MS)


def wired(folder: Path, entries: list[tuple[str, dict[str, Any]]]) -> None:
    kept = Ring(folder, WIRE, bytes_max=1_000_000)
    for tag, entry in entries:
        kept.put(tag, json.dumps({"target": "h:2", "correlation": "", **entry}))
    kept.close()


def channel(leg: str, sip_call: str = "") -> dict[str, Any]:
    return {"id": leg, "name": f"PJSIP/{leg}", "protocol_id": sip_call}


def request(number: int, uri: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - a frame
    return {"type": "RESTRequest", "request_id": f"r{number}", "method": "POST", "uri": uri, **more}


def reply(number: int, status: int, uri: str) -> dict[str, Any]:
    return {"type": "RESTResponse", "request_id": f"r{number}", "status_code": status, "uri": uri}


def test_only_what_is_of_the_call_is_found(tmp_path: Path) -> None:
    trace = traced(
        tmp_path,
        ("<", {"type": "StasisStart", "channel": channel("1795325568.0", "in@h")}),
        ("<", {"type": "StasisStart", "channel": channel("t-ac1/1", "out@h")}),
        ("<", {"type": "StasisStart", "channel": channel("t-ac12/1", "other@h")}),
        ("<", {"type": "StasisStart", "channel": channel("1795325568.01", "another@h")}),
    )
    assert [one["event"]["channel"]["id"] for one in trace.events] == ["1795325568.0", "t-ac1/1"]
    assert trace.sip_calls == {"in@h": "1795325568.0", "out@h": "t-ac1/1"}


def test_a_reply_that_names_no_leg_belongs_to_its_request(tmp_path: Path) -> None:
    trace = traced(
        tmp_path,
        (">", request(7, "channels/create", message_body='{"channelId": "t-ac1/1"}')),
        (">", request(8, "channels/t-ac12%2F1/dial")),
        (">", request(9, "channels/t-ac1%2F1/dial")),
        ("<", reply(8, 204, "channels/t-ac12%2F1/dial")),
        ("<", reply(7, 500, "channels/create")),
    )
    assert [(one["uri"], one["status"]) for one in trace.requests] == [
        ("channels/create", 500),
        ("channels/t-ac1%2F1/dial", None),
    ]
    assert trace.requests[0]["duration_ms"] >= 0
    assert trace.events == []


def test_a_caller_of_whom_ari_told_nothing_is_found_by_his_number(tmp_path: Path) -> None:
    invite = "INVITE sip:1@h SIP/2.0\r\nFrom: <sip:{who}@h>;tag=1\r\n\r\n"
    at = time.time_ns() // 1_000
    wired(
        tmp_path,
        [
            ("S", {"at_us": at, "source": "h:1", "call_id": "a",
                   "text": invite.format(who="79161112233")}),
            ("S", {"at_us": at, "source": "h:1", "call_id": "b",
                   "text": invite.format(who="79034445566")}),
            ("S", {"at_us": at, "source": "h:1", "call_id": "a", "text": "BYE sip:1@h SIP/2.0"}),
            ("S", {"at_us": "spoilt", "source": 1}),
        ],
    )  # fmt: skip
    since, until = now_ms() - MINUTE_MS, now_ms() + MINUTE_MS
    wire = wire_of(tmp_path, {}, [UnknownCaller("17.0", "9161112233", at)], since, until)
    assert [(one.leg, one.start[:6]) for one in wire.messages] == [
        ("17.0", "INVITE"),
        ("17.0", "BYE si"),
    ]


def test_sound_is_told_apart_by_who_reports_it(tmp_path: Path) -> None:
    sdp = "SIP/2.0 200 OK\r\nServer: Perezvon\r\n\r\nm=audio 26538 RTP/AVP 8\r\n"
    at = time.time_ns() // 1_000
    # 40 ms on the way there and back, held for half a second.
    arrival = ((at // 1_000_000 + 2_208_988_800) << 16) + ((at % 1_000_000) << 16) // 1_000_000
    held = 32_768
    last = (arrival - held - int(0.040 * 65_536)) & 0xFFFFFFFF
    ours = {"report_blocks": [{"packets_lost": 3, "ia_jitter": 80, "fraction_lost": 64}]}
    theirs = {
        "report_blocks": [{"packets_lost": 9, "ia_jitter": 8, "lsr": str(last), "dlsr": held}]
    }
    wired(
        tmp_path,
        [
            ("S", {"at_us": at, "source": "h:1", "call_id": "a", "text": sdp}),
            ("R", {"at_us": at, "source": "h:26539", "correlation": "a",
                   "report": json.dumps(ours)}),
            ("R", {"at_us": at, "source": "h:4001", "correlation": "a",
                   "report": json.dumps(theirs)}),
            ("R", {"at_us": at, "source": "h:4001", "correlation": "a", "report": "not JSON"}),
        ],
    )  # fmt: skip
    wire = wire_of(tmp_path, {"a": "t-ac1/1"}, [], now_ms() - MINUTE_MS, now_ms() + MINUTE_MS)
    sound = quality(wire.messages, wire.reports)["t-ac1/1"]
    assert sound["received"]["packets_lost"] == 3
    assert sound["received"]["jitter_ms_max"] == 10
    assert sound["received"]["loss_percent_max"] == 25
    assert sound["sent"]["packets_lost"] == 9
    assert 39 <= sound["round_trip_ms"] <= 41


def test_without_a_stamp_there_is_no_round_trip() -> None:
    assert round_trip_ms(1_795_325_568_000_000, {"lsr": "0", "dlsr": 0}) is None
