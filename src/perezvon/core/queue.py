"""Queues: who stands in which line, and which agents can serve it. An index, rebuilt at will.

A *pool* is the set of people that a step names. Calls that want (more) telephones to ring stand
in the line of their step's pool, due debts in another; free agents are known per pool. So an
event looks only at the calls and agents it concerns, however long the lines are.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from perezvon.core.agent import AgentState
from perezvon.core.facts import Status
from perezvon.core.ids import AgentId, CallId, DebtId, GroupId, Instant
from perezvon.core.plan import Plan, Step

PoolKey: TypeAlias = str
CallKey: TypeAlias = tuple[int, Instant, CallId]
"""(tier, arrived_at or older, call): one total order for the tenant."""
IdleKey: TypeAlias = tuple[Instant, AgentId]
DebtKey: TypeAlias = tuple[Instant, Instant, DebtId]
"""(first missed at, came at, debt): who was missed first, and of one moment who came first."""


@dataclass(slots=True)
class Line:
    """Calls in order. Inserting moves memory, not comparisons: microseconds at 10,000."""

    _keys: list[CallKey] = field(default_factory=list)

    def add(self, key: CallKey) -> None:
        at = bisect_left(self._keys, key)
        if at == len(self._keys) or self._keys[at] != key:
            self._keys.insert(at, key)

    def remove(self, key: CallKey) -> None:
        at = bisect_left(self._keys, key)
        if at < len(self._keys) and self._keys[at] == key:
            del self._keys[at]

    def __iter__(self) -> Iterator[CallKey]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(slots=True)
class FreeAgents:
    """Who is free, longest idle first: the default ranking, at no cost. Nobody's `idle_since_at`
    changes while he is in it.
    """

    _keys: list[IdleKey] = field(default_factory=list)
    _agents: dict[AgentId, tuple[IdleKey, AgentState]] = field(default_factory=dict)

    def add(self, agent: AgentState) -> None:
        key = (agent.idle_since_at, agent.id)
        insort(self._keys, key)
        self._agents[agent.id] = key, agent

    def discard(self, agent: AgentId) -> None:
        found = self._agents.pop(agent, None)
        if found is not None:
            del self._keys[bisect_left(self._keys, found[0])]

    def __iter__(self) -> Iterator[AgentState]:
        return (self._agents[agent][1] for _, agent in self._keys)

    def __len__(self) -> int:
        return len(self._keys)


@dataclass(slots=True, eq=False)
class Pool:
    """The people of a step, in the plan's order."""

    key: PoolKey
    levels: dict[AgentId, int]
    order: dict[AgentId, int]
    free: FreeAgents = field(default_factory=FreeAgents)
    excluded: dict[str, int] = field(default_factory=dict)
    """Counts of those who are not free, by reason."""
    hungry: Line = field(default_factory=Line)
    due: list[DebtKey] = field(default_factory=list)
    """Debts that wait for somebody free, oldest first."""

    @property
    def present_count(self) -> int:
        away = self.excluded.get(Status.SIGNED_OUT.value, 0)
        return len(self.levels) - away - self.excluded.get(Status.PAUSED.value, 0)


def pool_key(step: Step) -> PoolKey:
    return "|".join((",".join(step.groups), ",".join(step.agents), ",".join(step.skills)))


def group_step(group: GroupId) -> Step:
    """Give a step that names one group: the people of a call-back rule."""
    return Step(groups=(group,))


class Pools:
    def __init__(self) -> None:
        self._pools: dict[PoolKey, Pool] = {}
        self._of_agent: dict[AgentId, list[Pool]] = {}
        self._counted: dict[AgentId, str] = {}
        self._steps: dict[PoolKey, Step] = {}
        self._plan: Plan | None = None
        self._skills: dict[AgentId, tuple[str, ...]] = {}
        self._lent: dict[GroupId, list[AgentId]] = {}
        self._agents: dict[AgentId, AgentState] = {}

    def rebuild(self, plan: Plan, agents: dict[AgentId, AgentState]) -> None:
        """Membership follows the newest plan; lines are filled again by their owners."""
        steps = list(self._steps.values())
        self._pools, self._of_agent, self._counted, self._steps = {}, {}, {}, {}
        self._plan, self._agents = plan, agents
        self._skills = {agent.id: agent.skills for agent in plan.agents}
        self._lend()
        for queue in plan.queues:
            for step in queue.steps:
                self.of(step)
        for step in steps:
            self.of(step)

    def of(self, step: Step) -> Pool:
        """Find the pool of a step, also of a step of an older plan that a call still has."""
        key = pool_key(step)
        pool = self._pools.get(key)
        return pool if pool is not None else self._make(key, step)

    def move(self, agent: AgentState, group: GroupId) -> None:
        """A loan of his began or ended: he comes into the pools of that group, or leaves them."""
        self._lend()
        for pool in self._pools.values():
            step = self._steps[pool.key]
            if group in step.groups:
                self._drop(pool, agent)
                self._name(pool, step)
                self._put(pool, agent)

    def _lend(self) -> None:
        """Who is lent to which group, in the order of all agents."""
        self._lent = {}
        for agent in self._agents.values():
            for group in agent.loans:
                self._lent.setdefault(group, []).append(agent.id)

    def _make(self, key: PoolKey, step: Step) -> Pool:
        pool = self._pools[key] = Pool(key, {}, {})
        self._steps[key] = step
        self._name(pool, step)
        for id_ in pool.levels:
            self._put(pool, self._agents[id_])
        return pool

    def _name(self, pool: Pool, step: Step) -> None:
        """Write down who belongs to it. The same for a pool that grew and for one made anew."""
        assert self._plan is not None
        levels: dict[AgentId, int] = {}
        for group in self._plan.groups:
            if group.id in step.groups:
                for member in group.members:
                    levels.setdefault(member.agent, member.level)
        for agent_id in step.agents:
            levels.setdefault(agent_id, 1)
        for group_id in step.groups:
            for agent_id in self._lent.get(group_id, ()):
                levels.setdefault(agent_id, 1)
        wanted = set(step.skills)
        unskilled = [id_ for id_ in levels if not wanted <= set(self._skills.get(id_, ()))]
        for id_ in unskilled:
            del levels[id_]
        pool.levels = {id_: level for id_, level in levels.items() if id_ in self._agents}
        pool.order = {id_: at for at, id_ in enumerate(pool.levels)}
        pool.excluded.pop("skills", None)
        if unskilled:
            pool.excluded["skills"] = len(unskilled)

    def _put(self, pool: Pool, agent: AgentState) -> None:
        if agent.id not in pool.levels:
            return
        # In an order of their own, whenever each was made.
        insort(self._of_agent.setdefault(agent.id, []), pool, key=lambda one: one.key)
        reason = self._counted.setdefault(agent.id, agent.exclusion())
        if reason:
            pool.excluded[reason] = pool.excluded.get(reason, 0) + 1
        else:
            pool.free.add(agent)

    def _drop(self, pool: Pool, agent: AgentState) -> None:
        pools = self._of_agent.get(agent.id, [])
        if pool not in pools:
            return
        self._of_agent[agent.id] = [one for one in pools if one is not pool]
        reason = self._counted[agent.id]
        if reason:
            pool.excluded[reason] -= 1
        else:
            pool.free.discard(agent.id)

    def refresh(self, agent: AgentState) -> None:
        """Bring the counts up to date after any change of the agent."""
        before = self._counted.get(agent.id)
        after = agent.exclusion()
        if before == after:
            return
        self._counted[agent.id] = after
        for pool in self._of_agent.get(agent.id, ()):
            if before:
                pool.excluded[before] -= 1
            else:
                pool.free.discard(agent.id)
            if after:
                pool.excluded[after] = pool.excluded.get(after, 0) + 1
            else:
                pool.free.add(agent)

    def of_agent(self, agent: AgentId) -> list[Pool]:
        return self._of_agent.get(agent, [])

    def by_key(self, key: PoolKey) -> Pool:
        return self._pools[key]

    def all(self) -> Iterable[Pool]:
        return self._pools.values()


def add_due(pool: Pool, key: DebtKey) -> None:
    if key not in pool.due:
        insort(pool.due, key)


def remove_due(pool: Pool, key: DebtKey) -> None:
    at = bisect_left(pool.due, key)
    if at < len(pool.due) and pool.due[at] == key:
        del pool.due[at]
