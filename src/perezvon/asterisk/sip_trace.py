"""What the ring of the wire has of one call: the SIP ladder of its legs, and how they sounded."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from perezvon.asterisk.traces import WIRE
from perezvon.core.ids import Instant
from perezvon.runtime import ring

MESSAGES_MAX: Final = 5_000
NTP_EPOCH_S: Final = 2_208_988_800
CLOCK_HZ: Final = 8_000
"""Of our codecs: jitter is told in its ticks."""
NUMBER_DIGITS: Final = 7
FOUND_US: Final = 2_000_000
"""Between the first row of CEL and the INVITE."""

_OURS: Final = re.compile(r"^(?:User-Agent|Server)[ \t]*:[ \t]*Perezvon", re.I | re.M)  # noqa: FURB167 - on one line
_AUDIO: Final = re.compile(r"^m=audio (\d{1,5})", re.MULTILINE)
_FROM: Final = re.compile(r"^(?:From|f)[ \t]*:[^\r\n]*?(?:sips?|tel):\+?(\d+)", re.I | re.M)  # noqa: FURB167 - the same


@dataclass(frozen=True, slots=True)
class Message:
    at_us: int
    source: str
    target: str
    leg: str
    text: str

    @property
    def start(self) -> str:
        return self.text.partition("\r\n")[0][:200]


@dataclass(frozen=True, slots=True)
class Report:
    """One RTCP report."""

    at_us: int
    source: str
    leg: str
    content: dict[str, Any]


@dataclass
class Wire:
    messages: list[Message] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    dropped: int = 0
    cut: bool = False


@dataclass(frozen=True, slots=True)
class UnknownCaller:
    """A caller's leg of which ARI told nothing: the engine was away."""

    leg: str
    digits: str
    at_us: int


def wire_of(
    folder: Path,
    sip_calls: Mapping[str, str],
    unknown: Sequence[UnknownCaller],
    since: Instant,
    until: Instant,
) -> Wire:
    """`sip_calls`: Call-ID to leg. Callers whom ARI did not tell are found by number and moment."""
    wire = Wire()
    known = dict(sip_calls)
    for entry in ring.read(folder, WIRE, since * 1_000, until * 1_000):
        if entry.tag == ring.DROPPED:
            wire.dropped += int(entry.data) if entry.data.isdigit() else 0
            continue
        kept = _decoded(entry.data)
        if kept is None:
            continue
        call, at_us, source = (
            kept.get("call_id", kept["correlation"]),
            kept["at_us"],
            kept["source"],
        )
        if entry.tag == "S" and call not in known and unknown:
            leg = _found(unknown, kept["text"], at_us)
            if leg is not None:
                known[call] = leg
        if call not in known:
            continue
        if len(wire.messages) + len(wire.reports) >= MESSAGES_MAX:
            wire.cut = True
            break
        if entry.tag == "S":
            wire.messages.append(Message(at_us, source, kept["target"], known[call], kept["text"]))
        elif (content := _object(kept.get("report"))) is not None:
            wire.reports.append(Report(at_us, source, known[call], content))
    wire.messages.sort(key=lambda message: message.at_us)
    return wire


def ladder(messages: Iterable[Message]) -> str:
    """One line a message: time, leg, from, to, first line."""
    lines = []
    for one in messages:
        at = datetime.fromtimestamp(one.at_us / 1e6, UTC).strftime("%H:%M:%S.%f")[:-3]
        arrow = f"{one.source} -> {one.target}"
        lines.append(f"{at}  {one.leg:<20}  {arrow:<44}  {one.start}")
    return "\n".join(lines) + "\n"


def quality(messages: Iterable[Message], reports: Iterable[Report]) -> dict[str, Any]:
    """Of each leg: `received` (by our reports) and `sent` (by the telephone's): packets lost,
    jitter in ms, and how many reports; `round_trip_ms` where the telephone answers ours.
    """
    ours = _our_ports(messages)
    legs: dict[str, Any] = {}
    for report in reports:
        leg = legs.setdefault(report.leg, {})
        port = int(report.source.rpartition(":")[2])
        by_us = port in ours.get(report.leg, set())
        side = leg.setdefault("received" if by_us else "sent", {"reports": 0})
        side["reports"] += 1
        for block in report.content.get("report_blocks") or ():
            side["packets_lost"] = block.get("packets_lost")
            jitter_ms = round(int(block.get("ia_jitter", 0)) * 1_000 / CLOCK_HZ, 1)
            side["jitter_ms_last"] = jitter_ms
            side["jitter_ms_max"] = max(jitter_ms, side.get("jitter_ms_max", 0))
            lost = round(int(block.get("fraction_lost", 0)) * 100 / 256, 1)
            side["loss_percent_max"] = max(lost, side.get("loss_percent_max", 0))
            trip_ms = None if by_us else round_trip_ms(report.at_us, block)
            if trip_ms is not None:
                leg["round_trip_ms"] = trip_ms
        sender = report.content.get("sender_information")
        if isinstance(sender, dict):
            other = leg.setdefault("sent" if by_us else "received", {"reports": 0})
            other["packets"] = sender.get("packets")
    return legs


def round_trip_ms(at_us: int, block: Mapping[str, Any]) -> float | None:
    """RFC 3550: arrival less the stamp that is given back, less how long it was held."""
    last, held = int(block.get("lsr") or 0), int(block.get("dlsr") or 0)
    if not last:
        return None
    seconds, micros = divmod(at_us, 1_000_000)
    arrival = ((seconds + NTP_EPOCH_S) << 16) + (micros << 16) // 1_000_000
    trip = (arrival - last - held) & 0xFFFFFFFF
    # A clock that is ahead by a little gives a negative one.
    return None if trip > 0x7FFFFFFF else round(trip * 1_000 / 65_536, 1)  # noqa: PLR2004 - half


def _our_ports(messages: Iterable[Message]) -> dict[str, set[int]]:
    """By leg: our ports of sound and of reports on it."""
    ports: dict[str, set[int]] = {}
    for one in messages:
        audio = _AUDIO.search(one.text)
        if audio and _OURS.search(one.text):
            port = int(audio[1])
            ports.setdefault(one.leg, set()).update((port, port + 1))
    return ports


def _found(unknown: Sequence[UnknownCaller], text: str, at_us: int) -> str | None:
    who = _FROM.search(text) if text.startswith("INVITE ") else None
    if who is None or len(who[1]) < NUMBER_DIGITS:
        return None
    for one in unknown:
        if who[1].endswith(one.digits[-10:]) and abs(one.at_us - at_us) < FOUND_US:
            return one.leg
    return None


def _decoded(data: bytes) -> dict[str, Any] | None:
    """None for what is damaged."""
    kept = _object(data)
    if kept is None or not isinstance(kept.get("at_us"), int):
        return None
    texts = [kept.get(key) for key in ("source", "target", "correlation")]
    return kept if all(isinstance(text, str) for text in texts) else None


def _object(data: str | bytes | None) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(data or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found if isinstance(found, dict) else None
