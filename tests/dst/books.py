"""What the auditors keep of the facts: offers, attempts and debts, folded by themselves."""

from collections.abc import Collection
from dataclasses import dataclass, field

from perezvon.core.facts import MissReason
from perezvon.core.ids import AgentId, CallId, DebtId, GroupId, Instant, LegId, PersonId
from perezvon.core.plan import CallbackRule, Plan, Queue, Step


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


def people_of(step: Step, plan: Plan, lent: Collection[tuple[AgentId, GroupId]]) -> set[AgentId]:
    """Whom a step may ring."""
    people = {*step.agents, *(agent for agent, group in lent if group in step.groups)}
    for group in plan.groups:
        if group.id in step.groups:
            people |= {member.agent for member in group.members}
    wanted = set(step.skills)
    return {a.id for a in plan.agents if a.id in people and wanted <= set(a.skills)}
