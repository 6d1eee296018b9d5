"""The calibrated room of 12 agents: its plan, with the policies that are compared in it."""

from perezvon.core.ids import (
    MINUTE,
    SECOND,
    AgentId,
    GroupId,
    PlanVersion,
    QueueId,
    RuleId,
    TenantId,
    TrunkId,
)
from perezvon.core.plan import (
    Agent,
    CallbackRule,
    Did,
    Group,
    Ladder,
    Member,
    Plan,
    Queue,
    Ranking,
    Step,
    Trunk,
)

DID = "74951230001"
NO_CALLBACK = (CallbackRule(RuleId("none"), waive=True),)
CALLBACK = (
    CallbackRule(
        RuleId("quick"),
        ladder=Ladder((0, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE)),
        reserve=2,
        ring_client_ms=25 * SECOND,
    ),
)


def room_plan(
    k: int = 3,
    ring_s: int = 10,
    ranking: Ranking = Ranking.LONGEST_IDLE,
    rules: tuple[CallbackRule, ...] = NO_CALLBACK,
    agents: int = 12,
) -> Plan:
    people = tuple(Agent(AgentId(f"a{n}"), f"Agent {n}") for n in range(1, agents + 1))
    group = Group(GroupId("room"), "Room", tuple(Member(agent.id) for agent in people))
    queue = Queue(
        QueueId("line"),
        "Line",
        (Step(groups=(group.id,), k=k, ring_ms=ring_s * SECOND, ranking=ranking),),
        gap_ms=1 * SECOND,
        wait_ms_max=None,
        rounds_max=1_000_000,
        wrap_up_ms=30 * SECOND,
        pause_after_misses=None,
    )
    return Plan(
        PlanVersion(f"room-{k}-{ring_s}-{ranking}-{len(rules)}"),
        TenantId("room"),
        "Europe/Moscow",
        (queue,),
        people,
        (group,),
        dids=(Did(DID, queue.id, TrunkId("carrier")),),
        trunks=(Trunk(TrunkId("carrier"), "127.0.0.1"),),
        callback_rules=rules,
    )
