"""What there is on the switch, compared with nothing: pure, from listings to `Resynced`.

The engine compares it with what it believes. A caller whom the local queue has is told apart: he
is in no leg of ours any more, and yet he has not gone.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from perezvon.asterisk import cel
from perezvon.asterisk.book import side_of
from perezvon.asterisk.translate import TAP, LegView, Side, arrived, end_cause
from perezvon.core.events import Caller, EndCause, LegSeen, LegState
from perezvon.core.ids import Instant, LegId

TAIL_BYTES = 4 * 1024 * 1024
"""Of CEL: hours of a busy day, read in a tenth of a second."""

GONE_MAX = 1_000
"""Ends that an audit tells besides those that were asked for, the newest."""

STATES = {"Up": LegState.UP, "Ringing": LegState.RINGING, "Ring": LegState.RINGING}


@dataclass(frozen=True, slots=True)
class Found:
    legs: tuple[LegSeen, ...]
    sides: Mapping[LegId, Side]
    bridges: Mapping[LegId, str]
    """In which bridge a leg is."""
    fell_back: tuple[LegId, ...]
    """Callers whom the local queue has."""
    empty_bridges: tuple[str, ...]
    taps: tuple[str, ...] = ()
    """By which supervisors hear; no legs."""


def look(
    channels: object,
    bridges: object,
    *,
    tenant: str,
    identify: Callable[[str, str], Caller],
) -> Found:
    """From the answers to GET /channels and GET /bridges."""
    ours: dict[LegId, tuple[dict[str, Any], list[str]]] = {}
    fell_back: list[LegId] = []
    taps: list[str] = []
    for channel in _objects(channels):
        args = _args(channel, f"perezvon-{tenant}")
        if args is not None and args[:1] == [TAP]:
            taps.append(channel["id"])
        elif args is not None:
            ours[LegId(channel["id"])] = (channel, args)
        elif _context(channel) == f"localq-{tenant}" and cel.OWN_SHAPE.fullmatch(channel["id"]):
            fell_back.append(LegId(channel["id"]))
    bridge_of: dict[LegId, str] = {}
    partner: dict[LegId, LegId] = {}
    empty: list[str] = []
    for bridge in _objects(bridges):
        members = bridge.get("channels")
        members = members if isinstance(members, list) else []
        inside = [LegId(one) for one in members if isinstance(one, str) and one in ours]
        if not members and str(bridge["id"]).startswith(f"{tenant}-"):
            empty.append(bridge["id"])
        for leg in inside:
            bridge_of[leg] = bridge["id"]
            others = [other for other in inside if other != leg]
            if others:
                partner[leg] = others[0]
    legs = tuple(
        LegSeen(
            leg,
            STATES.get(str(channel.get("state")), LegState.DOWN),
            partner.get(leg),
            arrived(channel, args, identify) if args[:1] == ["in"] else None,
        )
        for leg, (channel, args) in ours.items()
    )
    sides = {leg: _side(leg, args) for leg, (_, args) in ours.items()}
    return Found(legs, sides, bridge_of, tuple(fell_back), tuple(empty), tuple(taps))


def channel_ids(channels: object) -> frozenset[str]:
    """Of all that the switch has, ours or not, from the answer to GET /channels."""
    return frozenset(channel["id"] for channel in _objects(channels))


def started_at(info: object) -> Instant | None:
    """When the switch itself was started, from the answer to GET /asterisk/info."""
    match info:
        case {"status": {"startup_time": str(text)}}:
            try:
                moment = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")
            except ValueError:
                return None
            return round(moment.timestamp() * 1000)
        case _:
            return None


def last_beat(variable: object) -> Instant | None:
    """When an engine last told the dialplan that it lives, from the answer to GET variable."""
    match variable:
        case {"value": str(text)} if text.isascii() and text.isdecimal() and len(text) <= 11:  # noqa: PLR2004 - whole seconds
            return int(text) * 1000
        case _:
            return None


def ends(
    path: Path | None, there: Collection[LegId], asked: Iterable[LegId]
) -> dict[LegId, EndCause]:
    """How legs ended that are not there, by CEL; of those asked for also that they never were.

    Without the file nothing is claimed: what may have rung must not be rung again. Blocking.
    """
    rows = _tail(path)
    if rows is None:
        return {}
    started: set[LegId] = set()
    answered: set[LegId] = set()
    ended: dict[LegId, EndCause] = {}
    for row in rows:
        match row.kind:
            case cel.CelKind.START:
                started.add(row.leg)
                # An id is free again after its channel: the newest one counts.
                ended.pop(row.leg, None)
                answered.discard(row.leg)
            case cel.CelKind.ANSWER:
                answered.add(row.leg)
            case cel.CelKind.HANGUP:
                view = LegView(side_of(row.leg), rang=True, answered=row.leg in answered)
                ended[row.leg] = end_cause(view, row.cause or 0, 0)
            case cel.CelKind.END:
                ended.setdefault(row.leg, EndCause.LOST)
    gone = {leg: cause for leg, cause in list(ended.items())[-GONE_MAX:] if leg not in there}
    for leg in asked:
        if leg in there:
            continue
        if leg in started:
            gone[leg] = ended.get(leg, EndCause.LOST)
        else:
            gone[leg] = EndCause.NEVER_MADE
    return gone


def _tail(path: Path | None) -> list[cel.CelRow] | None:
    """The newest rows, also of a segment that was put aside; None when there is no file."""
    if path is None:
        return None
    segments = sorted(path.parent.glob(f"{path.name}.*"), key=lambda one: one.name)
    newest = [*segments[-1:], path]
    texts = [text for text in map(_end_of, newest) if text is not None]
    if not texts:
        return None
    rows = (cel.parse_line(line) for text in texts for line in text.split("\n"))
    return [row for row in rows if row is not None]


def _end_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            return file.read(TAIL_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return None


def _objects(listing: object) -> list[dict[str, Any]]:
    if not isinstance(listing, list):
        return []
    return [one for one in listing if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _args(channel: Mapping[str, Any], app: str) -> list[str] | None:
    """Of the application when it is ours and the channel is in it."""
    match channel:
        case {"dialplan": {"app_name": "Stasis", "app_data": str(data)}}:
            name, *args = data.split(",")
            return args if name == app else None
        case _:
            return None


def _context(channel: Mapping[str, Any]) -> str:
    match channel:
        case {"dialplan": {"context": str(context)}}:
            return context
        case _:
            return ""


def _side(leg: LegId, args: list[str]) -> Side:
    match args[:1]:
        case ["in"]:
            return Side.CALLER
        case ["agent"]:
            return Side.AGENT
        case ["client"]:
            return Side.CLIENT
        case _:
            return side_of(leg)
