"""What the ring of ARI has of one call: events, and requests with their replies.

Frames are matched by the ids of the call's channels, which all begin with an id of ours or are
Asterisk's own for the caller's leg. Nothing is decoded that is of another call.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from perezvon.asterisk.traces import TRACE
from perezvon.core.ids import Instant
from perezvon.runtime import ring

ENTRIES_MAX: Final = 20_000
_REQUEST: Final = re.compile(rb'"request_id":\s*"(r\d+)"')


@dataclass
class CallTrace:
    events: list[dict[str, Any]] = field(default_factory=list)
    """`{"at", "event"}`, in order; `at` in milliseconds since 1970."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """`{"at", "method", "uri", "query", "body", "status", "duration_ms", "reply"}`, in order;
    `status` None: no reply was heard."""
    sip_calls: dict[str, str] = field(default_factory=dict)
    """Call-ID: id of the leg."""
    channels: dict[str, str] = field(default_factory=dict)
    """Name of the channel: id of the leg."""
    dropped: int = 0
    """Frames of whatever call that were not kept in this time."""
    cut: bool = False
    """There was more than is here."""


class Ids:
    """The ids of a call, its debt and its call-backs, and all that is made of them."""

    def __init__(self, ids: Collection[str]) -> None:
        wanted = sorted({form for one in ids for form in (one, quote(one, safe=""))})
        either = "|".join(re.escape(one) for one in wanted)
        self._in_text = re.compile(rf'(?:^|["/,:=])(?:{either})(?:$|["/,?&\\]|%2F)'.encode())
        self._ids = tuple(ids)

    def in_text(self, text: bytes) -> bool:
        return self._in_text.search(text) is not None

    def has(self, leg: str) -> bool:
        return any(leg == one or leg.startswith(f"{one}/") for one in self._ids)


def trace_of(folder: Path, ids: Ids, since: Instant, until: Instant) -> CallTrace:
    """All that was kept between two moments."""
    trace = CallTrace()
    waiting: dict[tuple[int, str], dict[str, Any]] = {}
    for entry in ring.read(folder, TRACE, since * 1_000, until * 1_000):
        if entry.tag == ring.DROPPED:
            trace.dropped += int(entry.data) if entry.data.isdigit() else 0
            continue
        found = _REQUEST.search(entry.data) if entry.tag in "<>" else None
        key = (entry.writer, found[1].decode()) if found else None
        asked = waiting.pop(key, None) if key is not None and entry.tag == "<" else None
        if asked is None and not ids.in_text(entry.data):
            continue
        if len(trace.events) + len(trace.requests) >= ENTRIES_MAX:
            trace.cut = True
            break
        frame = _decoded(entry.data)
        if frame is None:
            continue
        if asked is not None:
            _settle(asked, frame, entry.at_us)
        elif entry.tag == ">" and key is not None:
            waiting[key] = _request(frame, entry.at_us)
            trace.requests.append(waiting[key])
        elif entry.tag == "=":
            trace.requests.append({"at": entry.at_us // 1_000, **frame})
        elif entry.tag == "<":
            trace.events.append({"at": entry.at_us // 1_000, "event": frame})
        _learn(trace, frame, ids)
    for one in trace.requests:
        one.pop("_us", None)
    return trace


def _request(frame: dict[str, Any], at_us: int) -> dict[str, Any]:
    return {
        "at": at_us // 1_000,
        "method": frame.get("method"),
        "uri": frame.get("uri"),
        "query": frame.get("query_strings"),
        "body": frame.get("message_body"),
        "status": None,
        "duration_ms": None,
        "reply": None,
        "_us": at_us,
    }


def _settle(asked: dict[str, Any], frame: dict[str, Any], at_us: int) -> None:
    asked["status"] = frame.get("status_code")
    asked["duration_ms"] = round((at_us - asked.pop("_us")) / 1_000, 1)
    asked["reply"] = frame.get("message_body")


def _decoded(data: bytes) -> dict[str, Any] | None:
    try:
        frame = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return frame if isinstance(frame, dict) else None


def _learn(trace: CallTrace, frame: dict[str, Any], ids: Ids) -> None:
    """Which SIP call and which channel each leg is."""
    for channel in _channels(frame):
        leg, name, call = (channel.get(key) for key in ("id", "name", "protocol_id"))
        if isinstance(leg, str) and ids.has(leg):
            if isinstance(name, str) and name:
                trace.channels[name] = leg
            if isinstance(call, str) and call:
                trace.sip_calls[call] = leg


def _channels(frame: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key in ("channel", "peer", "caller", "replace_channel"):
        if isinstance(frame.get(key), dict):
            yield frame[key]
    body = frame.get("message_body")
    if isinstance(body, str) and '"protocol_id"' in body:
        made = _decoded(body.encode())
        if made is not None:
            yield made
