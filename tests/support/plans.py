"""Plans of tests on a real switch: open day and night, without freezes (decision 22)."""

from typing import Any

from perezvon.core.ids import (
    SECOND,
    AgentId,
    GroupId,
    PlanVersion,
    QueueId,
    TenantId,
    TrunkId,
)
from perezvon.core.plan import Agent, Did, Group, Member, Plan, Queue, Step, Trunk

NUMBER = "74951234567"
CARRIER = TrunkId("carrier")


def plan_of(
    agents: tuple[Agent | str, ...] = ("anna", "boris"),
    *,
    callers_port: int,
    clients_port: int | None = None,
    k: int = 3,
    ring_ms: int = 10 * SECOND,
    **changes: Any,  # noqa: ANN401 - fields of Plan
) -> Plan:
    """One queue, one group, one trunk whose calls come from `callers_port` of the loopback.

    Clients who are called back, and agents' mobiles, live at `clients_port`.
    """
    people = tuple(
        agent if isinstance(agent, Agent) else Agent(AgentId(agent), agent.title())
        for agent in agents
    )
    group = Group(GroupId("all"), "All", tuple(Member(agent.id) for agent in people))
    trunk = Trunk(
        CARRIER,
        "127.0.0.1",
        port=clients_port or callers_port,
        match=(f"127.0.0.1:{callers_port}",),
    )
    sales = QueueId("sales")
    values: dict[str, Any] = {
        "version": PlanVersion("test"),
        "tenant": TenantId("t"),
        "zone": "Europe/Moscow",
        "queues": (Queue(sales, "Sales", (Step(groups=(group.id,), k=k, ring_ms=ring_ms),)),),
        "agents": people,
        "groups": (group,),
        "dids": (Did(NUMBER, sales, trunk=CARRIER),),
        "trunks": (trunk,),
    }
    return Plan(**values | changes)
