"""Callers of three kinds, those who serve them, and the plan that brings them together.

For runs under load and faults: most callers are served, picked up at once or after ringing; some
find nobody and hang up, so that they are owed and called back; some talk for long.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from perezvon.core.facts import ClientDialled, DebtOpened, Fact
from perezvon.core.ids import SECOND, AgentId, GroupId, QueueId, RuleId
from perezvon.core.plan import (
    Agent,
    CallbackRule,
    Did,
    Group,
    Member,
    Plan,
    Queue,
    Step,
    Thresholds,
    Trunk,
)
from perezvon.store.database import Location
from perezvon.store.persons import SqlDirectory
from tests.support.engine import EngineProcess
from tests.support.plans import CARRIER, plan_of
from tests.support.silence import Ears
from tests.support.sipp import Call

AGENTS = tuple(f"agent-{n:02}" for n in range(1, 13))
TALKERS = tuple(f"talker-{n}" for n in range(1, 7))
ABSENT = "absent"
RINGING, MUSIC, LATE, LONG = "74950000001", "74950000002", "74950000003", "74950000004"
"""Numbers: rung to, picked up at once, where nobody sits, for long talks."""


@dataclass(frozen=True)
class Kind:
    """Callers that behave alike."""

    name: str
    prefix: str
    numbers: tuple[str, ...]
    rate: float
    """A second."""
    talk_ms: int
    patience_ms: int = 120_000
    ears: tuple[int, int] = (0, 0)
    """From which of the ears, and how many in turn."""

    def calls(self, ears: Ears, count: int) -> list[Call]:
        first, own = self.ears
        return [
            Call(f"{self.prefix}{n:07}", self.numbers[n % len(self.numbers)],
                 ear=ears.port(first + n % own))
            for n in range(count)
        ]  # fmt: skip


KINDS = (
    Kind("short", "7916", (RINGING, MUSIC), 4.2, 1_200, ears=(0, 650)),
    Kind("late", "7917", (LATE,), 0.5, 3_000, patience_ms=6_000, ears=(650, 150)),
    Kind("long", "7918", (LONG,), 0.3, 14_000, ears=(800, 100)),
)


AT_ONCE = CallbackRule(RuleId("at-once"), group=GroupId("all"), briefing=False)


def the_plan(callers: Sequence[int], clients_port: int, rule: CallbackRule = AT_ONCE) -> Plan:
    """`callers`: ports of the three kinds, in their order; clients who are called back live at
    `clients_port`.
    """
    everyone = (*AGENTS, *TALKERS, ABSENT)
    steps = {
        group: (Step(groups=(GroupId(group),), k=k, ring_ms=10 * SECOND),)
        for group, k in (("all", 2), ("talkers", 1), ("absent", 1))
    }
    rest: dict[str, Any] = {"wrap_up_ms": 0, "pause_after_misses": None}
    queues = (
        Queue(QueueId("ringing"), "Ringing", steps["all"], answer_first=False, **rest),
        Queue(QueueId("music"), "Music", steps["all"], **rest),
        Queue(QueueId("late"), "Late", steps["absent"], **rest),
        Queue(QueueId("long"), "Long", steps["talkers"], **rest),
    )
    groups = {"all": AGENTS, "talkers": TALKERS, "absent": (ABSENT,)}
    return plan_of(
        tuple(Agent(AgentId(one), one) for one in everyone),
        callers_port=callers[0],
        queues=queues,
        groups=tuple(
            Group(GroupId(id_), id_, tuple(Member(AgentId(one)) for one in members))
            for id_, members in groups.items()
        ),
        dids=tuple(
            Did(number, queue.id, trunk=CARRIER)
            for number, queue in zip((RINGING, MUSIC, LATE, LONG), queues, strict=True)
        ),
        trunks=(
            Trunk(
                CARRIER,
                "127.0.0.1",
                clients_port,
                match=tuple(f"127.0.0.1:{port}" for port in callers),
            ),
        ),
        callback_rules=(rule,),
        thresholds=Thresholds(short_ms=2 * SECOND, dropped_at_answer_ms=500),
    )  # fmt: skip


def attempts_by_number(engine: EngineProcess, facts: Sequence[Fact]) -> Counter[str]:
    """Diallings of call-backs on record, by the client's number without a plus."""
    location = Location(engine.settings.data_dir, engine.settings.database_url or "")
    directory = SqlDirectory.open(location)
    try:
        numbers = {
            fact.debt: (directory.number_of(fact.person) or "").removeprefix("+")
            for fact in facts
            if isinstance(fact, DebtOpened)
        }
    finally:
        directory.close()
    return Counter(numbers[fact.debt] for fact in facts if isinstance(fact, ClientDialled))


def pass_time(length_s: float) -> None:
    """Until the next drawn moment: here the time itself is the condition."""
    threading.Event().wait(length_s)
