"""How fast the engine decides: whole simulated days, and the cost of an event by the line's length.

The second table is the claim that matching does not slow down with the number of waiting calls.
"""

from dataclasses import replace
from pathlib import Path
from statistics import quantiles
from time import thread_time_ns

from rich.console import Console
from rich.table import Table

from perezvon.core.engine import Engine
from perezvon.core.events import CallArrived, Caller, EndCause, Event, LegEnded, NumberClass
from perezvon.core.ids import LegId, PersonId
from perezvon.core.plan import Plan
from perezvon.sim import scenario
from perezvon.sim.run import run
from perezvon.store import plan_file

EXAMPLES = Path(__file__).parents[1] / "examples"
LINES = (0, 100, 1_000, 10_000)
EVENTS = 2_000
START = 1_790_000_000_000


def days(console: Console) -> None:
    table = Table("room", "calls", "calls a second", "a day of 8 hours takes")
    for load in ("low", "medium", "high"):
        played = scenario.load(EXAMPLES / "scenarios" / f"room-{load}.yaml")
        plan = plan_file.load(EXAMPLES / "plans" / "ring-3x10-callback.yaml")
        result = run(played, plan, seed=1)
        took = f"{result.took_s * 1_000:.0f} ms"
        table.add_row(load, str(result.arrivals), f"{result.calls_per_s:.0f}", took)
    console.print(table)


def lines(console: Console) -> None:
    table = Table("waiting", "event, median", "event, 99 of 100")
    for length in LINES:
        plan = plan_file.load(EXAMPLES / "plans" / "three-phones.yaml")
        queues = tuple(
            replace(queue, length_max=2 * max(LINES), wait_ms_max=None, rounds_max=1_000_000)
            for queue in plan.queues
        )
        spent = sorted(_spent_us(replace(plan, queues=queues), length))
        cuts = quantiles(spent, n=100)
        table.add_row(f"{length:,}", f"{cuts[49]:.0f} µs", f"{cuts[98]:.0f} µs")
    console.print(table)


def _spent_us(plan: Plan, length: int) -> list[float]:
    """A caller comes, another leaves: what each such event costs while `length` others wait."""
    engine = Engine(era="bench-a", plan=plan)
    for number in range(length):
        engine.handle(_arrival(plan, number), START + number)
    spent: list[float] = []
    for number in range(length, length + EVENTS):
        events: tuple[Event, ...] = (
            _arrival(plan, number),
            LegEnded(LegId(f"in-{number}"), EndCause.CANCELLED),
        )
        for event in events:
            began = thread_time_ns()
            engine.handle(event, START + number)
            spent.append((thread_time_ns() - began) / 1_000)
    return spent


def _arrival(plan: Plan, number: int) -> CallArrived:
    caller = Caller(PersonId(f"p{number}"), NumberClass.MOBILE)
    return CallArrived(LegId(f"in-{number}"), plan.dids[0].number, caller)


if __name__ == "__main__":
    out = Console()
    days(out)
    lines(out)
