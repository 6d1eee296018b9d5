"""From ARI's messages to the core's events: pure, tested on recorded messages.

Nothing that Asterisk or a stranger behind it sends makes this fail: what is unknown or malformed
gives nothing and is counted.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from perezvon.asterisk.pjsip import Telephone
from perezvon.core.events import (
    CallArrived,
    Caller,
    DeviceChanged,
    DigitPressed,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    PromptEnded,
    TrunkChanged,
)
from perezvon.core.ids import LegId, PlaybackId, TrunkId

SWITCHED_OFF = 32
"""In a ChannelHangupRequest: the switch itself ends the leg, by our word or by its own timer."""

SILENT = 44
"""In the end of a leg that was up: its telephone sent no sound for too long (measured)."""

CHANNEL_NAME = re.compile(r"PJSIP/(.+)-[0-9a-f]{8,}")
DID_CHARS_MAX = 32
TRUNK = "trunk-"

REFUSED = frozenset({403, 486, 600, 603})
BAD_NUMBER = frozenset({404, 410, 484, 485, 604})


TAP = "tap"
"""What the application is told of a channel that is no party's: a supervisor hears by it."""


class Side(StrEnum):
    """Who is at the other end of a leg."""

    CALLER = "caller"
    AGENT = "agent"
    CLIENT = "client"
    """Dialled by us."""


@dataclass
class LegView:
    """What the driver knows of a leg and the end of it depends on."""

    side: Side
    rang: bool = False
    answered: bool = False
    withdrawn: bool = False
    """By our word."""
    switched_off: bool = False
    """The switch ended it: by our word, its dial time-out or its dead-man."""


@dataclass(frozen=True, slots=True)
class LegStarted:
    """A leg of ours has entered the application and can be dialled."""

    leg: LegId
    args: tuple[str, ...]
    channel_name: str = ""


@dataclass(frozen=True, slots=True)
class LegCalling:
    """The switch has begun to dial a leg of ours: to be told so once more would end it."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class LegReplaced:
    """A transfer by the switch: the party of `old` is on channel `new` now."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class LegLeaving:
    """It is being hung up; what it leaves the application for is no fallback."""

    leg: LegId
    switched_off: bool


@dataclass(frozen=True, slots=True)
class LegLeft:
    """Out of the application: hung up, or gone on in the dialplan."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class BeatHeard:
    name: str


Report: TypeAlias = (
    CallArrived
    | LegRinging
    | LegAnswered
    | LegEnded
    | PromptEnded
    | DigitPressed
    | DeviceChanged
    | TrunkChanged
    | LegStarted
    | LegCalling
    | LegReplaced
    | LegLeaving
    | LegLeft
    | BeatHeard
)

Message: TypeAlias = dict[str, Any]


@dataclass
class Translator:
    """`legs` and `phones` are looked at, never changed."""

    app: str
    identify: Callable[[str, str], Caller]
    """From a number and a name as they came."""
    legs: Mapping[LegId, LegView]
    phones: Mapping[str, Telephone]
    trunks: Collection[TrunkId]
    unknown: dict[str, int] = field(default_factory=dict)
    """Messages not understood, by type; a type's name is cut, and so is their number."""

    def translate(self, message: Message) -> tuple[Report, ...]:
        match message:
            case {"type": "StasisStart", "replace_channel": {"id": str(old)},
                  "channel": {"id": str(new)}}:  # fmt: skip
                return (LegReplaced(old, new),)
            case {"type": "StasisStart", "channel": {"id": str()} as channel, "args": [*args]}:
                return self._started(channel, args)
            case {"type": "Dial", "peer": {"id": str(leg)}, "dialstatus": str(status)}:
                return _dialled(LegId(leg), status)
            case {"type": "ChannelStateChange", "channel": {"id": str(leg), "state": str(state)}}:
                return self._state(LegId(leg), state)
            case {"type": "ChannelHangupRequest", "channel": {"id": str(leg)}}:
                return (LegLeaving(LegId(leg), message.get("cause") == SWITCHED_OFF),)
            case {"type": "StasisEnd", "channel": {"id": str(leg)}}:
                return (LegLeft(LegId(leg)),)
            case {"type": "ChannelDestroyed", "channel": {"id": str(leg)}}:
                return self._destroyed(LegId(leg), message)
            case {"type": "PlaybackFinished",
                  "playback": {"id": str(playback), "target_uri": str(target)}}:  # fmt: skip
                leg = LegId(target.removeprefix("channel:"))
                return (PromptEnded(leg, PlaybackId(playback)),)
            case {"type": "ChannelDtmfReceived", "channel": {"id": str(leg)}, "digit": str(digit)}:
                return (DigitPressed(LegId(leg), digit[:1]),) if digit else ()
            case {"type": "ChannelUserevent", "eventname": str(name)}:
                return (BeatHeard(name),)
            case {"type": "ContactStatusChange", "endpoint": {"resource": str(name)},
                  "contact_info": {"contact_status": str(status)}}:  # fmt: skip
                return self._reachable(name, status in {"Reachable", "NonQualified"})
            case {"type": "PeerStatusChange", "endpoint": {"resource": str(name)},
                  "peer": {"peer_status": str(status)}}:  # fmt: skip
                return self._reachable(name, status in {"Reachable", "Registered"})
            case _:
                self._wonder(message)
                return ()

    def _started(self, channel: Message, args: list[Any]) -> tuple[Report, ...]:
        leg = LegId(channel["id"])
        if args[:1] == [TAP]:
            return ()
        if not args or args[0] != "in":
            started = tuple(str(arg) for arg in args)
            return (LegStarted(leg, started, str(channel.get("name") or "")),)
        return (arrived(channel, [str(arg) for arg in args], self.identify),)

    def _state(self, leg: LegId, state: str) -> tuple[Report, ...]:
        match state:
            case "Ringing":
                return (LegRinging(leg),)
            case "Up":
                return (LegAnswered(leg),)
            case _:
                return ()

    def _destroyed(self, leg: LegId, message: Message) -> tuple[Report, ...]:
        view = self.legs.get(leg)
        if view is None:
            return ()
        return (
            LegEnded(leg, end_cause(view, _int(message, "cause"), _int(message, "tech_cause"))),
        )

    def _reachable(self, name: str, reachable: bool) -> tuple[Report, ...]:  # noqa: FBT001 - a value
        if name.startswith(TRUNK) and name.removeprefix(TRUNK) in self.trunks:
            return (TrunkChanged(TrunkId(name.removeprefix(TRUNK)), reachable),)
        if name in self.phones:
            agent, device = self.phones[name]
            return (DeviceChanged(agent, reachable, device),)
        return ()

    def _wonder(self, message: Message) -> None:
        kind = str(message.get("type"))[:40]
        if kind in self.unknown or len(self.unknown) < 100:  # noqa: PLR2004 - a bound
            self.unknown[kind] = self.unknown.get(kind, 0) + 1


def arrived(
    channel: Message, args: list[str], identify: Callable[[str, str], Caller]
) -> CallArrived:
    """`args` as the dialplan gives them: `in`, its own id of the call, the number dialled."""
    party = channel.get("caller")
    party = party if isinstance(party, dict) else {}
    caller = identify(str(party.get("number") or ""), str(party.get("name") or ""))
    dialled = args[2] if len(args) > 2 else ""  # noqa: PLR2004 - its place
    did = re.sub(r"[^0-9+]", "", dialled)[:DID_CHARS_MAX]
    return CallArrived(LegId(str(channel["id"])), did, caller, trunk_of(channel))


def trunk_of(channel: Message) -> TrunkId | None:
    """By the name of the channel, which is its endpoint's with a number behind."""
    shape = CHANNEL_NAME.fullmatch(str(channel.get("name")))
    if shape is None or not shape[1].startswith(TRUNK):
        return None
    return TrunkId(shape[1].removeprefix(TRUNK))


def end_cause(view: LegView, cause: int, status: int) -> EndCause:
    """By Q.850 `cause` and SIP `status`, 0 where there is none. Measured: asterisk.md section 8."""
    if view.answered:
        return EndCause.WENT_SILENT if cause == SILENT else EndCause.NORMAL
    if view.withdrawn or view.side is Side.CALLER or status == 487:  # noqa: PLR2004 - CANCEL
        return EndCause.CANCELLED
    if view.side is Side.AGENT:
        return _agent_cause(view, cause, status)
    return _client_cause(view, cause, status)


def _agent_cause(view: LegView, cause: int, status: int) -> EndCause:
    if status in REFUSED or (not status and cause in {17, 21}):
        return EndCause.REFUSED
    # An answer that says he is not there, or the end of our patience: did it ring till then?
    return EndCause.NO_ANSWER if view.rang else EndCause.UNREACHABLE


def _client_cause(view: LegView, cause: int, status: int) -> EndCause:
    if view.switched_off:
        # Our patience ended. A carrier that never said a word did not ask him.
        return EndCause.NO_ANSWER if view.rang else EndCause.TRUNK_FAILED
    if status in {486, 600} or (not status and cause == 17):  # noqa: PLR2004 - busy
        return EndCause.BUSY
    if status in BAD_NUMBER or (not status and cause in {1, 22, 28}):
        return EndCause.BAD_NUMBER
    if status == 603 or (not status and cause == 21):  # noqa: PLR2004 - declined
        return EndCause.REFUSED
    if status == 480 or (not status and cause in {18, 19, 20}):  # noqa: PLR2004 - not there
        return EndCause.NO_ANSWER
    if status == 408 and view.rang:  # noqa: PLR2004 - time-out
        return EndCause.NO_ANSWER
    return EndCause.TRUNK_FAILED


def _dialled(leg: LegId, status: str) -> tuple[Report, ...]:
    """The first `Dial` of a leg has no status (measured: right after each dial, before a ring)."""
    match status:
        case "":
            return (LegCalling(leg),)
        case "RINGING" | "PROGRESS":
            return (LegRinging(leg),)
        case _:
            return ()


def _int(message: Message, key: str) -> int:
    value = message.get(key)
    return value if isinstance(value, int) else 0
