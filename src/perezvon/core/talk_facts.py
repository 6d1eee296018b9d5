"""Facts of what an agent does with calls: dialling by hand, handing over, coming back;
and of who supervises it.

Part of the union in `facts.py`, whose rules hold here too.
"""

from dataclasses import dataclass
from enum import StrEnum

from perezvon.core.commands import SupervisionMode
from perezvon.core.events import NumberClass
from perezvon.core.ids import (
    AgentId,
    CallId,
    Duration,
    Instant,
    LegId,
    PersonId,
    PlanVersion,
    QueueId,
    TrunkId,
)


class OfferPurpose(StrEnum):
    """Why a telephone is rung, when it is not by a queue's steps or a call-back's."""

    LINE = "line"
    DIAL = "dial"
    """His own: he dials somebody."""
    TRANSFER = "transfer"
    """A colleague hands a client over to him by name."""
    RETURN = "return"
    """Nobody took the client whom he had handed over."""


class DialRefusal(StrEnum):
    """Why an agent's dialling came to nothing at once."""

    AGENT_BUSY = "agent_busy"
    TELEPHONE_AWAY = "telephone_away"
    ON_THE_LINE = "on_the_line"
    """The person talks with us, or is being called already."""
    OUT_OF_HOURS = "out_of_hours"
    """A person whom we owe may not be called now, by the rule of his debt."""
    NO_TRUNK = "no_trunk"


class TransferFailure(StrEnum):
    NOT_FREE = "not_free"
    CLOSED = "closed"
    NOT_TAKEN = "not_taken"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    CANCELLED = "cancelled"
    """By the agent who had asked for it."""
    TARGET_LEFT = "target_left"
    """He had answered, and hung up before the client came to him."""
    CLIENT_LEFT = "client_left"
    TIMED_OUT = "timed_out"
    """Nobody of the queue took him within its longest wait."""
    BROKEN_OFF = "broken_off"
    """The switch failed."""


@dataclass(frozen=True, slots=True)
class CallPlaced:
    """An agent dials somebody by hand whom we do not owe. His own telephone rings first."""

    at: Instant
    call: CallId
    agent: AgentId
    person: PersonId
    number_class: NumberClass
    queue: QueueId
    """Whose number he shows, and whose rules hold for the talk."""
    did: str
    trunk: TrunkId
    plan: PlanVersion
    leg: LegId
    """The client's."""
    by: str


@dataclass(frozen=True, slots=True)
class DialRefused:
    at: Instant
    agent: AgentId
    person: PersonId
    reason: DialRefusal
    by: str


@dataclass(frozen=True, slots=True)
class PlacedCallAnswered:
    """He talks with whom he has dialled."""

    at: Instant
    call: CallId
    agent: AgentId
    wait_ms: Duration
    """Since he asked for it."""


@dataclass(frozen=True, slots=True)
class TransferBegan:
    """Who talks hands his client over; the client hears music."""

    at: Instant
    call: CallId
    transfer: int
    """Counts from 1 within the call."""
    agent: AgentId
    attended: bool
    to_agent: AgentId | None
    to_queue: QueueId | None
    to_person: PersonId | None
    by: str


@dataclass(frozen=True, slots=True)
class ConsultBegan:
    """Who is to take the client over has answered, and is asked first."""

    at: Instant
    call: CallId
    transfer: int
    agent: AgentId
    with_agent: AgentId | None
    """None: a number outside."""


@dataclass(frozen=True, slots=True)
class TalkHandedOver:
    """An agent's part of a talk is over; the call goes on without him."""

    at: Instant
    call: CallId
    agent: AgentId
    talk_ms: Duration


@dataclass(frozen=True, slots=True)
class TransferTaken:
    """The client and who was to take him over talk."""

    at: Instant
    call: CallId
    transfer: int
    agent: AgentId | None
    """None: a number outside."""


@dataclass(frozen=True, slots=True)
class TransferFailed:
    """Back to who asked for it, else to the queue, in his place by when he had come."""

    at: Instant
    call: CallId
    transfer: int
    reason: TransferFailure


@dataclass(frozen=True, slots=True)
class AgentLost:
    """His telephone fell silent in mid-talk, and may come back: the client hears music."""

    at: Instant
    call: CallId
    agent: AgentId


@dataclass(frozen=True, slots=True)
class AgentRejoined:
    """He talks on, by another leg."""

    at: Instant
    call: CallId
    agent: AgentId
    leg: LegId


class SupervisionEndReason(StrEnum):
    HUNG_UP = "hung_up"
    ASKED = "asked"
    """Told to stop, by himself or by another."""
    TALK_OVER = "talk_over"
    UNANSWERED = "unanswered"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class SupervisionStarted:
    """His telephone rings for it; from now on nobody else rings him."""

    at: Instant
    call: CallId
    supervisor: AgentId
    agent: AgentId
    mode: SupervisionMode
    by: str


@dataclass(frozen=True, slots=True)
class SupervisionChanged:
    """Another mode, or the call has another agent."""

    at: Instant
    call: CallId
    supervisor: AgentId
    agent: AgentId
    mode: SupervisionMode
    by: str
    """Who asked for this mode."""


@dataclass(frozen=True, slots=True)
class SupervisionEnded:
    at: Instant
    call: CallId
    supervisor: AgentId
    listened_ms: Duration
    """From when his telephone was picked up; 0: it never was."""
    reason: SupervisionEndReason
