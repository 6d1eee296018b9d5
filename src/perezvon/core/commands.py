"""Commands: what the core asks of the switch. Imperative, a closed union.

Each names its leg or playback by an id of ours, so it can be repeated safely. A command never
answers: what comes of it is an event (`LegEnded` when a leg could not be made).
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from perezvon.core.ids import (
    AgentId,
    CallId,
    Duration,
    LegId,
    PersonId,
    PlaybackId,
    TrunkId,
)
from perezvon.core.plan import DeviceKind


class PromptKind(StrEnum):
    GREETING = "greeting"
    CLOSED = "closed"
    PROMISE = "promise"
    """We could not take the call and will call back."""
    PRESS_ONE = "press_one"
    """To an agent on a mobile: his voicemail does not press."""
    BRIEFING = "briefing"
    """To an agent before a call-back: whom he calls, when it was missed, how long he waited."""


@dataclass(frozen=True, slots=True)
class Prompt:
    kind: PromptKind
    sound: str = ""
    """Name of a sound of the plan; empty: the kind's own."""
    clock: str = ""
    """For a briefing: when the call was missed, `HH:MM` in the tenant's zone."""
    waited_ms: Duration = 0


class HangUpReason(StrEnum):
    NORMAL = "normal"
    BUSY = "busy"
    CONGESTION = "congestion"
    """Refuses an unanswered caller because we cannot serve him (a debt was opened)."""
    UNKNOWN_NUMBER = "unknown_number"


@dataclass(frozen=True, slots=True)
class AnswerCall:
    """Pick up the caller's line, so that prompts and music can be heard."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class SignalRinging:
    """Let the caller hear ringing without picking up his line."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class StartMusic:
    leg: LegId
    music: str


@dataclass(frozen=True, slots=True)
class PlayPrompt:
    """Ends with `PromptEnded`, also when it could not be played."""

    leg: LegId
    playback: PlaybackId
    prompt: Prompt


@dataclass(frozen=True, slots=True)
class RingAgent:
    leg: LegId
    call: CallId
    agent: AgentId
    caller: LegId | None
    """The leg whose party the agent would talk to; None in a call-back that rings him first."""
    person: PersonId | None
    ring_ms: Duration
    """A bound for the switch; the core withdraws the offer by its own timer."""
    callback_clock: str = ""
    """`HH:MM` of the missed call when this is a call-back; the telephone shows it."""
    auto: bool = False
    """He asked for it himself: a telephone that can answers at once."""
    device: DeviceKind | None = None
    """Which of his telephones; None: his own."""


@dataclass(frozen=True, slots=True)
class StopRinging:
    """Withdraw an agent's leg; his telephone logs no missed call."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class DialClient:
    leg: LegId
    call: CallId
    person: PersonId
    trunk: TrunkId
    did: str
    """Our number that the client sees: the one he had called."""
    ring_ms: Duration
    agent: LegId | None
    """The agent's leg that hears the ringing; None when the client is called first."""
    recorded: bool = True
    """Not when it is to take a client over: it is the client's leg that is recorded."""


@dataclass(frozen=True, slots=True)
class ConnectCall:
    call: CallId
    client: LegId
    agent: LegId


class SupervisionMode(StrEnum):
    LISTEN = "listen"
    """Nobody hears him."""
    WHISPER = "whisper"
    """The agent hears him."""
    BARGE = "barge"
    """Both hear him."""


@dataclass(frozen=True, slots=True)
class Supervise:
    """Let the party of this leg, which is up, hear a talk, and be heard by whom the mode says."""

    leg: LegId
    call: CallId
    agent: LegId
    """Of the agent who talks: whom he hears, and through whom."""
    mode: SupervisionMode
    count: int
    """The same again is the same command; a higher one takes the place of those before."""


@dataclass(frozen=True, slots=True)
class HangUp:
    leg: LegId
    reason: HangUpReason = HangUpReason.NORMAL


Command: TypeAlias = (
    AnswerCall
    | SignalRinging
    | StartMusic
    | PlayPrompt
    | RingAgent
    | StopRinging
    | DialClient
    | ConnectCall
    | Supervise
    | HangUp
)
