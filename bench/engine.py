"""How fast the engine decides, in plain Python and on one core, without a journal.

1. Whole simulated days, the world included.
2. A flow of calls over a thousand agents: events a second, of the engine alone.
3. The cost of an event while 100, 1,000 or 10,000 callers wait and all agents talk: the claim is
   that it does not grow with the crowd.
"""

from collections import deque
from pathlib import Path
from statistics import quantiles
from time import thread_time_ns

from bench._report import Figure, number_of, report
from perezvon.core.commands import Command, ConnectCall, HangUp, PlayPrompt, RingAgent, StopRinging
from perezvon.core.engine import Engine
from perezvon.core.events import (
    AgentStatusSet,
    CallArrived,
    Caller,
    ChosenStatus,
    EndCause,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
    NumberClass,
    PromptEnded,
)
from perezvon.core.ids import GroupId, Instant, LegId, PersonId, QueueId
from perezvon.core.plan import Plan, Queue, Step
from perezvon.sim import scenario
from perezvon.sim.run import run
from perezvon.store import plan_file
from tests.support.plans import plan_of

EXAMPLES = Path(__file__).parents[1] / "examples"
AGENTS = tuple(f"agent-{n:04}" for n in range(1_000))
LINES = (100, 1_000, 10_000)
EVENTS = 4_000
CALLS = 4_000
START = 1_790_000_000_000
ARRIVALS_MS = 25
TALKS = 600
"""That go on at once."""


def days() -> None:
    rows: list[dict[str, Figure]] = []
    for load in ("low", "medium", "high"):
        played = scenario.load(EXAMPLES / "scenarios" / f"room-{load}.yaml")
        plan = plan_file.load(EXAMPLES / "plans" / "ring-3x10-callback.yaml")
        result = run(played, plan, seed=1)
        rows.append(
            {
                "room": load,
                "calls": result.arrivals,
                "calls a second": round(result.calls_per_s),
                "a day of 8 hours, ms": round(result.took_s * 1_000),
            }
        )
    report("engine", "simulated days", rows)


def flow() -> None:
    rows: list[dict[str, Figure]] = []
    for k in (1, 3):
        driven = Driven(_plan(k))
        for number in range(CALLS):
            driven.call(number)
        spent_s = sum(driven.spent_us) / 1_000_000
        cuts = quantiles(driven.spent_us, n=100)
        rows.append(
            {
                "ring": k,
                "agents": len(AGENTS),
                "events": len(driven.spent_us),
                "events a second": round(len(driven.spent_us) / spent_s),
                "wanted": 20_000,
                "p50, µs": cuts[49],
                "p99, µs": cuts[98],
            }
        )
    report("engine", "a flow of calls", rows)


def lines() -> None:
    rows: list[dict[str, Figure]] = []
    for length in LINES:
        spent = _spent_waiting(length)
        mean = sum(spent) / len(spent)
        rows.append(
            {
                "waiting": length,
                "event, mean µs": mean,
                "p50, µs": quantiles(spent, n=100)[49],
                "p99, µs": quantiles(spent, n=100)[98],
            }
        )
    few = rows[0]["event, mean µs"]
    for row in rows:
        row["of 100 waiting (2.0 at most)"] = number_of(row["event, mean µs"]) / number_of(few)
    report("engine", "the cost of a crowd", rows)


class Driven:
    """An engine and a switch that obeys at once: telephones ring, the first one answers."""

    def __init__(self, plan: Plan) -> None:
        self.engine = Engine(era="bench-a", plan=plan)
        self.now: Instant = START
        self.spent_us: list[float] = []
        self._talks: deque[LegId] = deque()
        self._coming: deque[Event] = deque()
        for agent in plan.agents:
            self.engine.handle(AgentStatusSet(agent.id, ChosenStatus.AVAILABLE), START)

    def call(self, number: int) -> None:
        """One more caller; when enough talk, the one who has talked longest hangs up."""
        self.now += ARRIVALS_MS
        self.handle(_arrival(self.engine.plan, number))
        if len(self._talks) > TALKS:
            self.handle(LegEnded(self._talks.popleft(), EndCause.NORMAL))

    def handle(self, event: Event) -> None:
        self._coming.append(event)
        while self._coming:
            event = self._coming.popleft()
            began = thread_time_ns()
            step = self.engine.handle(event, self.now)
            self.spent_us.append((thread_time_ns() - began) / 1_000)
            for command in step.commands:
                self._obey(command)

    def _obey(self, command: Command) -> None:
        match command:
            case RingAgent():
                self._coming.append(LegRinging(command.leg))
                self._coming.append(LegAnswered(command.leg))
            case ConnectCall(_, client, _):
                self._talks.append(client)
            case StopRinging(leg):
                self._coming.append(LegEnded(leg, EndCause.CANCELLED))
            case HangUp(leg):
                self._coming.append(LegEnded(leg, EndCause.NORMAL))
            case PlayPrompt(leg, playback, _):
                self._coming.append(PromptEnded(leg, playback))
            case _:
                pass


def _plan(k: int) -> Plan:
    queue = Queue(
        QueueId("sales"), "Sales", (Step(groups=(GroupId("all"),), k=k),),
        answer_first=False, wrap_up_ms=0, length_max=2 * max(LINES),
    )  # fmt: skip
    return plan_of(AGENTS, callers_port=5060, queues=(queue,))


def _spent_waiting(length: int) -> list[float]:
    """A caller comes, another leaves, an agent hangs up and gets the next: with a line behind."""
    driven = Driven(_plan(3))
    for number in range(len(AGENTS) + length):
        driven.engine.handle(_arrival(driven.engine.plan, number), START + number)
    driven.now = START + length
    driven.spent_us.clear()
    for number in range(length + len(AGENTS), length + len(AGENTS) + EVENTS // 2):
        driven.call(number)
        driven.handle(LegEnded(LegId(f"in-{number}"), EndCause.CANCELLED))
    return driven.spent_us


def _arrival(plan: Plan, number: int) -> CallArrived:
    caller = Caller(PersonId(f"p{number}"), NumberClass.MOBILE)
    return CallArrived(LegId(f"in-{number}"), plan.dids[0].number, caller)


if __name__ == "__main__":
    days()
    flow()
    lines()
