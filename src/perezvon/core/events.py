"""Events: what the world tells the core. Past tense, technical, a closed union.

Any event may come late, twice or never; the core never fails because of one.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from perezvon.core.commands import SupervisionMode
from perezvon.core.ids import (
    AgentId,
    CallId,
    DebtId,
    GroupId,
    Instant,
    LegId,
    PersonId,
    PlaybackId,
    QueueId,
    TrunkId,
)
from perezvon.core.plan import DeviceKind, Plan


class NumberClass(StrEnum):
    """What kind of number a caller has, as far as its digits tell."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


class EndCause(StrEnum):
    """Why a leg ended, in the switch's view. The core decides what it means for whom."""

    NORMAL = "normal"
    """Hung up by its own will, or by us after a talk."""
    CANCELLED = "cancelled"
    """Withdrawn before an answer, by us or by a caller; a leg that was up ends `NORMAL`."""
    BUSY = "busy"
    REFUSED = "refused"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    """No contact, no route, no such device: it cannot have rung."""
    BAD_NUMBER = "bad_number"
    TRUNK_FAILED = "trunk_failed"
    """The carrier's fault: the other party was not asked."""
    WENT_SILENT = "went_silent"
    """Up, and without a sound for too long: the telephone is dead, or its line is."""
    LOST = "lost"
    """Gone while nobody looked; found by an audit."""
    NEVER_MADE = "never_made"
    """An audit found that the leg of an unknown command never existed."""


class ChosenStatus(StrEnum):
    """The statuses that a person can choose for an agent."""

    AVAILABLE = "available"
    PAUSED = "paused"
    SIGNED_OUT = "signed_out"


@dataclass(frozen=True, slots=True)
class Caller:
    """What the edge knows of who calls: no number and no name, which stay in the store."""

    person: PersonId | None
    """None when the number is withheld or cannot be read."""
    number_class: NumberClass
    zone: str | None = None
    """IANA time zone of the client where it is known, for permitted hours."""


@dataclass(frozen=True, slots=True)
class CallArrived:
    """A caller's leg entered the application."""

    leg: LegId
    did: str
    caller: Caller
    trunk: TrunkId | None = None


@dataclass(frozen=True, slots=True)
class CallFellBack:
    """A caller's leg left the application alive: the switch's own queue has him now."""

    leg: LegId


@dataclass(frozen=True, slots=True)
class ArrivalWitnessed:
    """The second witness (CEL, and queue_log for the fallback) saw an inbound attempt end.

    Comes for every attempt, also for those that the engine has handled itself.
    """

    leg: LegId
    did: str
    caller: Caller
    arrived_at: Instant
    ended_at: Instant
    fallback_answered_at: Instant | None = None
    fallback_agent: AgentId | None = None
    in_fallback: bool = False
    """Whether he ended in the switch's own queue: then it is no wonder if we never heard of him."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    leg: LegId


@dataclass(frozen=True, slots=True)
class LegAnswered:
    leg: LegId


@dataclass(frozen=True, slots=True)
class LegEnded:
    """The leg is gone, or could not be made: the one end of every leg, answered or not."""

    leg: LegId
    cause: EndCause


@dataclass(frozen=True, slots=True)
class PromptEnded:
    """A prompt was heard to its end, or could not be played."""

    leg: LegId
    playback: PlaybackId


@dataclass(frozen=True, slots=True)
class DigitPressed:
    leg: LegId
    digit: str


@dataclass(frozen=True, slots=True)
class AgentStatusSet:
    """A person chose a status; `by` is who did (the agent himself, or a supervisor)."""

    agent: AgentId
    status: ChosenStatus
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class DeviceChanged:
    """An agent's telephone registered or answered qualify, or stopped doing so."""

    agent: AgentId
    reachable: bool
    device: DeviceKind | None = None
    """None: his own."""


@dataclass(frozen=True, slots=True)
class DeviceChosen:
    """A person chose which of an agent's devices rings for him."""

    agent: AgentId
    device: DeviceKind
    by: str


@dataclass(frozen=True, slots=True)
class AgentLent:
    """A person lent an agent to another group until a moment."""

    agent: AgentId
    group: GroupId
    until_at: Instant
    by: str


@dataclass(frozen=True, slots=True)
class AgentGivenBack:
    """Before its time, a person ended a loan."""

    agent: AgentId
    group: GroupId
    by: str


@dataclass(frozen=True, slots=True)
class TrunkChanged:
    trunk: TrunkId
    up: bool


@dataclass(frozen=True, slots=True)
class PlanChanged:
    plan: Plan
    by: str = ""
    comment: str = ""
    """Who put it in force, and why, in his words."""


@dataclass(frozen=True, slots=True)
class WaiverGiven:
    """A named person closes a debt unmet."""

    debt: DebtId
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class DebtAssigned:
    debt: DebtId
    owner: AgentId
    by: str


@dataclass(frozen=True, slots=True)
class CallbackAsked:
    """A person asked to try a debt now, whatever its ladder says."""

    debt: DebtId
    by: str


@dataclass(frozen=True, slots=True)
class DialAsked:
    """An agent dials a number by hand. The edge has found the person, and that he may."""

    agent: AgentId
    person: PersonId
    number_class: NumberClass
    by: str
    did: str | None = None
    """Our number that he is to see; None: that of the agent's queue."""


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """Who talks hands his client over; one of the three `to_…` says to whom."""

    call: CallId
    agent: AgentId
    attended: bool
    """He first asks the other one, while the client hears music."""
    by: str
    to_agent: AgentId | None = None
    to_queue: QueueId | None = None
    to_person: PersonId | None = None
    """Whose number outside, found and permitted by the edge."""


@dataclass(frozen=True, slots=True)
class TransferCompletionAsked:
    """Enough was asked: the client and the other one are to talk."""

    call: CallId
    by: str


@dataclass(frozen=True, slots=True)
class TransferCancelAsked:
    """Back to the client."""

    call: CallId
    by: str


@dataclass(frozen=True, slots=True)
class RejoinAsked:
    """An agent who lost his telephone in mid-talk has it again (his page was loaded anew)."""

    agent: AgentId


@dataclass(frozen=True, slots=True)
class SuperviseAsked:
    """A person wants to hear a talk; or, if he hears it already, in another mode."""

    call: CallId
    supervisor: AgentId
    """On whose telephone; he must be an agent of the plan."""
    mode: SupervisionMode
    by: str


@dataclass(frozen=True, slots=True)
class SuperviseEndAsked:
    supervisor: AgentId
    by: str


class LegState(StrEnum):
    DOWN = "down"
    RINGING = "ringing"
    UP = "up"


@dataclass(frozen=True, slots=True)
class LegSeen:
    """A leg that the switch has now, as an audit found it."""

    leg: LegId
    state: LegState
    bridged_with: LegId | None = None
    inbound: CallArrived | None = None
    """For a caller's leg: what is needed to adopt him when we never heard of him."""


@dataclass(frozen=True, slots=True)
class Resynced:
    """An audit of the switch: all legs of ours that exist, after a gap in what we heard.

    A leg that the core believes in and that is not in `legs` is gone; `gone` tells the cause
    where the second witness knows it.
    """

    legs: tuple[LegSeen, ...]
    gone: tuple[tuple[LegId, EndCause], ...] = ()
    switch_started_at: Instant | None = None
    """When the switch itself was started, in its own words. Another one than at the last audit:
    all that it held before is gone, and no witness will tell the ends.
    """
    deaf_since: Instant | None = None
    """When the dialplan was last told that somebody listens. Who came between then and now may
    have come and gone unheard.
    """


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Timers fell due: a turn of its own, so that what they do is durable before it is done."""


Event: TypeAlias = (
    CallArrived
    | CallFellBack
    | ArrivalWitnessed
    | LegRinging
    | LegAnswered
    | LegEnded
    | PromptEnded
    | DigitPressed
    | AgentStatusSet
    | DeviceChanged
    | DeviceChosen
    | AgentLent
    | AgentGivenBack
    | TrunkChanged
    | PlanChanged
    | WaiverGiven
    | DebtAssigned
    | CallbackAsked
    | DialAsked
    | TransferAsked
    | TransferCompletionAsked
    | TransferCancelAsked
    | RejoinAsked
    | SuperviseAsked
    | SuperviseEndAsked
    | Resynced
    | TimePassed
)
