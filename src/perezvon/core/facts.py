"""Facts: what happened, in the words of the business. Past tense, never changed, a closed union.

Long because it is one union, each member beside what it means.

Store, metrics, the live board and the outbox are made of them. `at` is when it happened, which
for a timer is its due time and not when the process woke.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from perezvon.core.events import EndCause, NumberClass
from perezvon.core.ids import (
    AgentId,
    CallId,
    DebtId,
    Duration,
    GroupId,
    Instant,
    LegId,
    PersonId,
    PlanVersion,
    QueueId,
    RuleId,
    TrunkId,
)
from perezvon.core.plan import CallbackOrder, DeviceKind, Ranking
from perezvon.core.talk_facts import (
    AgentLost,
    AgentRejoined,
    CallPlaced,
    ConsultBegan,
    DialRefused,
    OfferPurpose,
    PlacedCallAnswered,
    SupervisionChanged,
    SupervisionEnded,
    SupervisionStarted,
    TalkHandedOver,
    TransferBegan,
    TransferFailed,
    TransferTaken,
)


class Status(StrEnum):
    """Of an agent."""

    SIGNED_OUT = "signed_out"
    AVAILABLE = "available"
    RINGING = "ringing"
    TALKING = "talking"
    WRAP_UP = "wrap_up"
    PAUSED = "paused"


class OfferOutcome(StrEnum):
    ANSWERED = "answered"
    RESCINDED = "rescinded"
    MISSED = "missed"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    DROPPED_AT_ANSWER = "dropped_at_answer"


class MissReason(StrEnum):
    LEFT_IN_GREETING = "left_in_greeting"
    LEFT_WAITING = "left_waiting"
    LEFT_RINGING = "left_ringing"
    TIMED_OUT = "timed_out"
    QUEUE_FULL = "queue_full"
    AFTER_HOURS = "after_hours"
    CALLER_ABANDONED_AT_ANSWER = "caller_abandoned_at_answer"
    DROPPED_AT_ANSWER = "dropped_at_answer"
    ABANDONED_IN_FALLBACK = "abandoned_in_fallback"
    TRANSFER_NOT_TAKEN = "transfer_not_taken"
    """He had talked, was handed over, and nobody took him."""
    SYSTEM_FAILURE = "system_failure"


class MissCause(StrEnum):
    """Who could have answered at that moment."""

    NOBODY_THERE = "nobody_there"
    OVERLOADED = "overloaded"
    UNANSWERED = "unanswered"
    FAULT = "fault"
    CLOSED = "closed"


class WaiverKind(StrEnum):
    """The closed list of reasons to owe nothing."""

    SHORT = "short"
    NO_NUMBER = "no_number"
    RULE = "rule"
    GAVE_UP = "gave_up"
    PERSON = "person"


class Difference(StrEnum):
    """How the second witness and we differ about an inbound attempt."""

    UNHEARD = "unheard"
    """It saw one of which neither we nor the fallback knew."""
    UNSEEN = "unseen"
    """We had one of whose end it never told."""


class Settlement(StrEnum):
    RECOVERED = "recovered"
    REACHED_US = "reached_us"
    WAIVED = "waived"


class AttemptOutcome(StrEnum):
    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    BAD_NUMBER = "bad_number"
    TRUNK_FAILED = "trunk_failed"
    """Does not use up a step of the ladder."""
    LEFT_WAITING = "left_waiting"
    """Client first: he answered and left before an agent did."""
    CANCELLED = "cancelled"
    """The client reached us himself meanwhile, or the agent left."""
    NEVER_MADE = "never_made"


@dataclass(frozen=True, slots=True)
class CallReceived:
    at: Instant
    call: CallId
    leg: LegId
    did: str
    queue: QueueId
    person: PersonId | None
    number_class: NumberClass
    trunk: TrunkId | None
    plan: PlanVersion
    known_number: bool
    """Whether the plan knows the number dialled; else the default queue took the call."""


@dataclass(frozen=True, slots=True)
class CallQueued:
    at: Instant
    call: CallId
    queue: QueueId
    key_at: Instant
    """His place in the line is by this; older than `at` for a person whom we owe."""


@dataclass(frozen=True, slots=True)
class OfferMade:
    """An agent is rung; with the reason why he and not another (see `metrics.explanation`)."""

    at: Instant
    call: CallId
    offer: LegId
    agent: AgentId
    queue: QueueId
    step: int
    ranking: Ranking
    runners_up: tuple[AgentId, ...]
    """Eligible too, in order, ten at most."""
    excluded: tuple[tuple[str, int], ...]
    """Counts of the step's people who were not eligible, by reason: `talking`, `wrap_up`,
    `paused`, `signed_out`, `ringing`, `unreachable`, `skills`, `missed_this_call`,
    `refused_this_call`, `supervising`."""
    debt: DebtId | None = None
    """Set when it is a call-back."""
    purpose: OfferPurpose = OfferPurpose.LINE


@dataclass(frozen=True, slots=True)
class OfferEnded:
    at: Instant
    call: CallId
    offer: LegId
    agent: AgentId
    outcome: OfferOutcome
    ring_ms: Duration
    """How long the telephone truly rang."""


@dataclass(frozen=True, slots=True)
class CallAnswered:
    at: Instant
    call: CallId
    agent: AgentId
    queue: QueueId
    wait_ms: Duration
    in_fallback: bool = False


@dataclass(frozen=True, slots=True)
class CallMissed:
    """An inbound attempt ended without a talk; `CallWaived` or `CallOwed` follows at once."""

    at: Instant
    call: CallId
    reason: MissReason
    cause: MissCause
    waited_ms: Duration
    rung: tuple[AgentId, ...]
    """Whom we tried, in order, twenty at most."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call with a talk is over: the client's leg and the agent's are gone."""

    at: Instant
    call: CallId
    agent: AgentId
    """Who talked with him last."""
    talk_ms: Duration
    """With all who did, one after another."""
    ended_by: str
    """`client`, `agent`, `system`, or `target`: somebody outside who was given the client."""


@dataclass(frozen=True, slots=True)
class PlacedCallFailed:
    """It came to no talk."""

    at: Instant
    call: CallId
    agent: AgentId
    outcome: AttemptOutcome


@dataclass(frozen=True, slots=True)
class CallCut:
    """The switch failed in the middle of a talk. `CallEnded` (by `system`) was told just before;
    of an inbound attempt `CallOwed` follows: it counts as open again, and no more as answered.
    Unless nobody can be called back (no number, or a rule that waives): then it stays answered.
    """

    at: Instant
    call: CallId
    agent: AgentId
    talk_ms: Duration
    debt: DebtId | None
    """Of a call-back: the debt that it was to settle. `DebtReopened` follows if it had done so
    and the person is not owed anew since: of him one debt is open, and that one is tried.
    """


@dataclass(frozen=True, slots=True)
class ArrivalConfirmed:
    """The second witness has this inbound attempt as well: once for each. Or a restart of the
    switch ended it, of which no witness can tell.
    """

    at: Instant
    call: CallId
    in_fallback: bool


@dataclass(frozen=True, slots=True)
class WitnessDiffered:
    """Neither account is whole: an alert. Taken back by `ArrivalConfirmed`, should the other side
    tell late.
    """

    at: Instant
    call: CallId
    how: Difference


@dataclass(frozen=True, slots=True)
class CallWaived:
    at: Instant
    call: CallId
    kind: WaiverKind
    rule: RuleId | None


@dataclass(frozen=True, slots=True)
class CallOwed:
    """The attempt is part of this debt from now on."""

    at: Instant
    call: CallId
    debt: DebtId


@dataclass(frozen=True, slots=True)
class CallFellBackToSwitch:
    """The switch's own queue took the caller over, because the engine was away."""

    at: Instant
    call: CallId


@dataclass(frozen=True, slots=True)
class DebtOpened:
    at: Instant
    debt: DebtId
    person: PersonId
    call: CallId
    queue: QueueId
    reason: MissReason
    rule: RuleId
    owner: AgentId | None
    """None only while the plan has no people at all."""
    due_at: Instant
    """Deadline: overdue from then on."""
    plan: PlanVersion


@dataclass(frozen=True, slots=True)
class DebtReopened:
    """The talk that had settled it was cut by a failure of the switch: all attempts under it
    count as open again, and no more as recovered.
    """

    at: Instant
    debt: DebtId
    person: PersonId
    owner: AgentId | None
    due_at: Instant
    call_count: int


@dataclass(frozen=True, slots=True)
class DebtOverdue:
    at: Instant
    debt: DebtId
    owner: AgentId | None
    """The leader it went to."""


@dataclass(frozen=True, slots=True)
class DebtReassigned:
    at: Instant
    debt: DebtId
    owner: AgentId
    by: str


@dataclass(frozen=True, slots=True)
class DebtSettled:
    """Closes the debt and all inbound attempts under it."""

    at: Instant
    debt: DebtId
    person: PersonId
    how: Settlement
    call_count: int
    by: str
    """The agent who talked, the person or the rule that waived."""
    waiver: WaiverKind | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class AttemptScheduled:
    at: Instant
    debt: DebtId
    due_at: Instant | None
    """None: the ladder is exhausted; a person has to see to it before the deadline."""
    step: int


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    at: Instant
    debt: DebtId
    call: CallId
    dial: int
    order: CallbackOrder
    step: int


@dataclass(frozen=True, slots=True)
class ClientDialled:
    at: Instant
    debt: DebtId
    dial: int
    leg: LegId
    agent: AgentId | None


@dataclass(frozen=True, slots=True)
class AttemptMade:
    """An attempt is over; a talk that came of it goes on as a call."""

    at: Instant
    debt: DebtId
    dial: int
    outcome: AttemptOutcome
    agent: AgentId | None
    counted: bool
    """Whether it used up a step of the ladder."""


@dataclass(frozen=True, slots=True)
class AgentStatusChanged:
    at: Instant
    agent: AgentId
    status: Status
    reason: str
    by: str
    call: CallId | None = None


@dataclass(frozen=True, slots=True)
class AgentReachableChanged:
    at: Instant
    agent: AgentId
    reachable: bool
    """By the device that he has chosen."""


@dataclass(frozen=True, slots=True)
class AgentDeviceChosen:
    at: Instant
    agent: AgentId
    device: DeviceKind
    by: str


@dataclass(frozen=True, slots=True)
class LoanBegan:
    """He helps out in a group that is not his. Told again when its end is moved."""

    at: Instant
    agent: AgentId
    group: GroupId
    until_at: Instant
    by: str


@dataclass(frozen=True, slots=True)
class LoanEnded:
    at: Instant
    agent: AgentId
    group: GroupId
    by: str
    """`system`: its time was up; `plan`: the group is gone, or his own."""


@dataclass(frozen=True, slots=True)
class TrunkStateChanged:
    at: Instant
    trunk: TrunkId
    up: bool


@dataclass(frozen=True, slots=True)
class PlanTaken:
    at: Instant
    plan: PlanVersion


@dataclass(frozen=True, slots=True)
class SwitchResynced:
    at: Instant
    kept: int
    adopted: int
    ended: int


@dataclass(frozen=True, slots=True)
class LegFailed:
    """A leg ended for a cause worth showing: evidence on the call's page."""

    at: Instant
    call: CallId
    leg: LegId
    cause: EndCause


Fact: TypeAlias = (
    CallReceived
    | CallQueued
    | OfferMade
    | OfferEnded
    | CallAnswered
    | CallMissed
    | CallEnded
    | CallPlaced
    | DialRefused
    | PlacedCallAnswered
    | PlacedCallFailed
    | TransferBegan
    | ConsultBegan
    | TalkHandedOver
    | TransferTaken
    | TransferFailed
    | AgentLost
    | AgentRejoined
    | SupervisionStarted
    | SupervisionChanged
    | SupervisionEnded
    | CallCut
    | ArrivalConfirmed
    | WitnessDiffered
    | CallWaived
    | CallOwed
    | CallFellBackToSwitch
    | DebtOpened
    | DebtReopened
    | DebtOverdue
    | DebtReassigned
    | DebtSettled
    | AttemptScheduled
    | AttemptStarted
    | ClientDialled
    | AttemptMade
    | AgentStatusChanged
    | AgentReachableChanged
    | AgentDeviceChosen
    | LoanBegan
    | LoanEnded
    | TrunkStateChanged
    | PlanTaken
    | SwitchResynced
    | LegFailed
)
