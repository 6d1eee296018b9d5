"""Loans: an agent helps out in a group that is not his, until a moment that was set.

Until then he is one of its people like any other (of level 1): the pools follow at once. A talk or
a ringing that he has when it is over goes on.
"""

from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.events import AgentGivenBack, AgentLent
from perezvon.core.facts import LoanBegan, LoanEnded
from perezvon.core.ids import AgentId, GroupId
from perezvon.core.plan import Plan
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine


def groups_of(plan: Plan) -> dict[AgentId, list[str]]:
    """Of the plan, in its order."""
    groups: dict[AgentId, list[str]] = {}
    for group in plan.groups:
        for member in group.members:
            groups.setdefault(member.agent, []).append(group.id)
    return groups


class Loans:
    """The room of the engine where agents are lent and given back."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def take(self, event: AgentLent | AgentGivenBack) -> None:
        if isinstance(event, AgentLent):
            self._lend(event)
        else:
            self._give_back(event)

    def _lend(self, event: AgentLent) -> None:
        """A second time for the same group: the newer moment counts."""
        engine = self._engine
        agent = engine.agents.get(event.agent)
        if agent is None or event.until_at <= engine.now:
            return
        if not self._may_have(event.group, event.agent):
            return
        if agent.loans.get(event.group) == event.until_at:
            return
        agent.loans[event.group] = event.until_at
        engine.note(LoanBegan(engine.now, agent.id, event.group, event.until_at, event.by))
        self._wake(agent)
        self._move(agent, event.group)

    def _give_back(self, event: AgentGivenBack) -> None:
        agent = self._engine.agents.get(event.agent)
        if agent is not None and event.group in agent.loans:
            self._end(agent, event.group, event.by)
            self._wake(agent)

    def over(self, agent_id: AgentId) -> None:
        """The time of a loan of his is up."""
        agent = self._engine.agents.get(agent_id)
        if agent is None:
            return
        for group, until_at in list(agent.loans.items()):
            if until_at <= self._engine.now:
                self._end(agent, group, "system")
        self._wake(agent)

    def take_plan(self) -> None:
        """A group that is gone, or that has become his own, has him no longer on loan; nor has any
        group one who is no more in the plan.
        """
        for agent in self._engine.agents.values():
            for group in list(agent.loans):
                if not self._may_have(group, agent.id):
                    self._end(agent, group, "plan")
            if agent.loans:
                self._wake(agent)

    def _may_have(self, group: GroupId, agent: AgentId) -> bool:
        if agent not in self._engine.devices:
            return False
        found = next((one for one in self._engine.plan.groups if one.id == group), None)
        return found is not None and all(member.agent != agent for member in found.members)

    def _end(self, agent: AgentState, group: GroupId, by: str) -> None:
        del agent.loans[group]
        self._engine.note(LoanEnded(self._engine.now, agent.id, group, by))
        self._move(agent, group)

    def _wake(self, agent: AgentState) -> None:
        timers = self._engine.timers
        timers.cancel(TimerKind.LOAN_ENDS, agent.id)
        if agent.loans:
            timers.set(TimerKind.LOAN_ENDS, agent.id, min(agent.loans.values()))

    def _move(self, agent: AgentState, group: GroupId) -> None:
        self._engine.pools.move(agent, group)
        if agent.free:
            self._engine.came_free(agent)
