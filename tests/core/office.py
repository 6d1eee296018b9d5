"""A small office to tell stories of: people, a plan, and an engine with a diary."""

from collections.abc import Sequence
from typing import TypeVar

from perezvon.core import invariants
from perezvon.core.commands import Command
from perezvon.core.engine import Engine
from perezvon.core.events import (
    AgentStatusSet,
    CallArrived,
    Caller,
    ChosenStatus,
    Event,
    LegAnswered,
    LegRinging,
    NumberClass,
)
from perezvon.core.facts import Fact
from perezvon.core.ids import (
    SECOND,
    AgentId,
    GroupId,
    Instant,
    LegId,
    PersonId,
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
    Hours,
    Member,
    Plan,
    Queue,
    Step,
    Trunk,
)

ANA, BOB, CAT, DAN = (AgentId(name) for name in ("ana", "bob", "cat", "dan"))
SALES = QueueId("sales")
DID = "74951112233"
START: Instant = 1_790_000_000_000
"""A Monday, 2026-09-21 14:13:20 UTC."""

T = TypeVar("T")


def office_plan(
    *people: AgentId,
    step: Step | None = None,
    queue: Queue | None = None,
    rules: Sequence[CallbackRule] | None = None,
    hours: tuple[Hours, ...] = (),
    version: str = "v1",
) -> Plan:
    group = GroupId("all")
    step = step or Step(groups=(group,))
    return Plan(
        version=PlanVersion(version),
        tenant=TenantId("shop"),
        zone="Europe/Moscow",
        queues=(queue or Queue(SALES, "Sales", (step,), pause_after_misses=None),),
        agents=tuple(Agent(person, person.title()) for person in people),
        groups=(Group(group, "All", tuple(Member(person) for person in people)),),
        dids=(Did(DID, SALES, TrunkId("city")),),
        trunks=(Trunk(TrunkId("city"), "127.0.0.1"),),
        hours=hours,
        callback_rules=tuple(rules) if rules is not None else (CallbackRule(RuleId("quick")),),
    )


class Office:
    """Drives an engine through its door, checks it after each turn, and keeps all it said."""

    def __init__(self, plan: Plan, *, signed_in: bool = True) -> None:
        self.plan = plan
        self.engine = Engine("shop-tst", plan)
        self.now = START
        self.commands: list[Command] = []
        self.facts: list[Fact] = []
        if signed_in:
            for agent in plan.agents:
                self.tell(AgentStatusSet(agent.id, ChosenStatus.AVAILABLE))

    def tell(self, *events: Event) -> list[Command]:
        """Hand events over at this very moment; gives the commands that came of them."""
        before = len(self.commands)
        for event in events:
            step = self.engine.handle(event, self.now)
            self.commands += step.commands
            self.facts += step.facts
            invariants.check(self.engine)
        return self.commands[before:]

    def later(self, length_ms: int) -> list[Command]:
        """Let time pass, timer by timer."""
        before = len(self.commands)
        end = self.now + length_ms
        while (due_at := self.engine.next_deadline()) is not None and due_at <= end:
            self._advance(due_at)
        self._advance(end)
        return self.commands[before:]

    def _advance(self, now: Instant) -> None:
        self.now = now
        step = self.engine.advance(now)
        self.commands += step.commands
        self.facts += step.facts
        invariants.check(self.engine)

    def call(self, name: str = "ivan", leg: str | None = None) -> LegId:
        """Someone calls our number."""
        leg_id = LegId(leg or f"in-{name}-{len(self.commands)}")
        caller = Caller(PersonId(name), NumberClass.MOBILE)
        self.tell(CallArrived(leg_id, DID, caller))
        return leg_id

    def rings(self) -> dict[AgentId, LegId]:
        """Which agents' telephones ring now, by which leg."""
        return {
            offer.agent: offer.leg
            for call in self.engine.calls.values()
            for offer in call.offers.values()
        }

    def all_ring(self) -> None:
        """Every telephone that was rung gives a sign of life."""
        self.tell(*(LegRinging(leg) for leg in self.rings().values()))

    def answer(self, agent: AgentId, talk_ms: int = 3 * SECOND) -> LegId:
        """The agent picks up, and the talk lasts long enough to be one."""
        leg = self.rings()[agent]
        self.tell(LegAnswered(leg))
        self.later(talk_ms)
        return leg

    def sign_in(self, *people: AgentId) -> None:
        for person in people:
            self.tell(AgentStatusSet(person, ChosenStatus.AVAILABLE, by=person))

    def pause(self, person: AgentId) -> None:
        self.tell(AgentStatusSet(person, ChosenStatus.PAUSED, "tea", by=person))

    def told(self, kind: type[T]) -> list[T]:
        """Give all facts or commands of a kind, in order."""
        return [each for each in (*self.facts, *self.commands) if isinstance(each, kind)]
