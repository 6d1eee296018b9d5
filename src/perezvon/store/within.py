"""Which calls and debts somebody may see, as conditions of the queries themselves.

So a list's pages, its counts and a single row all agree: what is out of reach is not there.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

from sqlalchemy import ColumnElement, Select, and_, or_, select

from perezvon.core.plan import Plan
from perezvon.store.schema import attempts, calls, debts, offers, placed

Condition: TypeAlias = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class OfProjects:
    """A client of projects: what came to their numbers, and to their queues by numbers that are
    no other project's.
    """

    dids: frozenset[str]
    foreign_dids: frozenset[str]
    queues: frozenset[str]

    @classmethod
    def of(cls, plan: Plan | None, projects: Collection[str]) -> Self:
        """Without a plan nothing is anybody's."""
        if plan is None:
            return cls(frozenset(), frozenset(), frozenset())
        ours = {did.number for did in plan.dids if did.project in projects}
        foreign = {did.number for did in plan.dids if did.project is not None} - ours
        queues = frozenset(str(each.id) for each in plan.queues if each.project in projects)
        return cls(_spelled(ours), _spelled(foreign), queues)

    def calls(self) -> Condition:
        in_queue = and_(calls.c.queue.in_(self.queues), calls.c.did.not_in(self.foreign_dids))
        return or_(calls.c.did.in_(self.dids), in_queue)

    def placed(self) -> Condition:
        in_queue = and_(placed.c.queue.in_(self.queues), placed.c.did.not_in(self.foreign_dids))
        return or_(placed.c.did.in_(self.dids), in_queue)

    def debts(self) -> Condition:
        """Of the project whose call was missed first."""
        return debts.c.first_call.in_(select(calls.c.id).where(self.calls()))

    def callbacks(self) -> Condition:
        """Of these debts."""
        return self.debts()


@dataclass(frozen=True, slots=True)
class OfAgent:
    """An agent: calls that he was offered or talked on; debts that are his, or that the people of
    his groups call back.
    """

    agent: str
    queues: frozenset[str]
    """That his groups serve."""

    @classmethod
    def of(cls, plan: Plan | None, agent: str | None) -> Self:
        if plan is None or agent is None:
            return cls(agent or "", frozenset())
        groups = {group.id for group in plan.groups if any(m.agent == agent for m in group.members)}
        queues = {
            str(queue.id)
            for queue in plan.queues
            for step in queue.steps
            if agent in step.agents or groups & set(step.groups)
        }
        return cls(agent, frozenset(queues))

    def calls(self) -> Condition:
        offered = select(offers.c.call).where(offers.c.agent == self.agent)
        return or_(calls.c.agent == self.agent, calls.c.id.in_(offered))

    def placed(self) -> Condition:
        offered = select(offers.c.call).where(offers.c.agent == self.agent)
        return or_(placed.c.agent == self.agent, placed.c.id.in_(offered))

    def debts(self) -> Condition:
        return or_(debts.c.owner == self.agent, debts.c.queue.in_(self.queues))

    def callbacks(self) -> Condition:
        """Of these debts, and those that he was rung for while the debt was a colleague's."""
        offered = select(offers.c.call).where(offers.c.agent == self.agent)
        return or_(self.debts(), attempts.c.call.in_(offered))


Within: TypeAlias = OfProjects | OfAgent | None
"""None: everything."""


def calls_within(statement: Select[Any], within: Within) -> Select[Any]:
    return statement if within is None else statement.where(within.calls())


def placed_within(statement: Select[Any], within: Within) -> Select[Any]:
    return statement if within is None else statement.where(within.placed())


def debts_within(statement: Select[Any], within: Within) -> Select[Any]:
    return statement if within is None else statement.where(within.debts())


def attempts_within(statement: Select[Any], within: Within) -> Select[Any]:
    """Of debts that he may see."""
    if within is None:
        return statement
    return statement.where(attempts.c.debt.in_(select(debts.c.id).where(within.debts())))


def callbacks_within(statement: Select[Any], within: Within) -> Select[Any]:
    """Attempts with their debts, one by one."""
    return statement if within is None else statement.where(within.callbacks())


def _spelled(numbers: Collection[str]) -> frozenset[str]:
    """As trunks may deliver them: the plan and the trunk need not agree on the plus."""
    bare = {number.removeprefix("+") for number in numbers}
    return frozenset(bare | {f"+{number}" for number in bare})
