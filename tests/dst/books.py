"""What the auditors keep of the facts: offers, attempts and debts, folded by themselves."""

from dataclasses import dataclass, field

from perezvon.core.facts import MissReason
from perezvon.core.ids import AgentId, CallId, DebtId, Instant, LegId, PersonId
from perezvon.core.plan import CallbackRule, Queue


@dataclass(slots=True)
class Offer:
    call: CallId
    agent: AgentId
    made_at: Instant
    step: int


@dataclass(slots=True)
class Inbound:
    leg: LegId
    person: PersonId | None
    queue: Queue | None
    at: Instant
    waiting: bool = False
    key_at: Instant = 0
    tried: set[AgentId] = field(default_factory=set)
    refused: set[AgentId] = field(default_factory=set)
    ends: list[str] = field(default_factory=list)
    missed_as: MissReason | None = None
    cut: bool = False
    """The switch died under his talk: it was an end, and is one no more if he can be owed."""
    debt: DebtId | None = None
    handed: bool = False
    """An agent has asked to hand him over: no length of a talk decides any more."""


@dataclass(slots=True)
class Debt:
    person: PersonId
    owner: AgentId | None
    rule: CallbackRule | None
    queue: Queue | None
    attempt: CallId | None = None
    attempt_before: CallId | None = None
    counted: int = 0
    last_at: Instant | None = None
    settled: str = ""
    failed_with: CallId | None = None
    """The call that a failure of ours made it of."""
    failed_at: Instant = 0
    tried: bool = False
