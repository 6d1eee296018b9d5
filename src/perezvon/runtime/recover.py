"""Recovery: one ordinary path, taken at every start.

Snapshot, replay of the journal, then an audit of the switch (`Resynced`, put into the inbox by
the switch itself). What a replay says is not carried out again: it was, or it is *unknown*, and
then the switch is told to expect it and the audit tells what became of it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from perezvon.core import snapshot
from perezvon.core.commands import Command
from perezvon.core.engine import Engine
from perezvon.core.events import PlanChanged
from perezvon.core.ids import Instant
from perezvon.core.plan import Plan
from perezvon.runtime.ports import Recovered, StoredFact


class NoPlan(Exception):  # noqa: N818 - says what is missing
    """A new store and no plan: there is nothing to decide by."""


@dataclass(frozen=True, slots=True)
class Recovery:
    engine: Engine
    seq: int
    """Of the last row."""
    snapshot_seq: int
    """Of the last row that the newest snapshot has; a replay begins after it."""
    now: Instant
    """Of the last row: the clock begins no earlier."""
    facts: tuple[StoredFact, ...]
    """Of all replayed rows; the store knows most of them and leaves those as they are."""
    unknown: tuple[Command, ...]
    """Commands that may or may not have been carried out."""
    first_plan: Plan | None
    """Set when the store is new: its first row has to bring this plan."""


def recover(found: Recovered, first_plan: Callable[[], Plan | None]) -> Recovery:
    """Make the engine as it was when the last row was handled. Raises `NoPlan`."""
    if found.snapshot is not None and found.snapshot_plan is not None:
        engine = snapshot.restore(found.snapshot, found.snapshot_plan)
        new_plan = None
    elif found.rows:
        # The first row of every store brings the plan.
        first = found.rows[0].event
        assert isinstance(first, PlanChanged), first
        engine, new_plan = Engine(found.era, first.plan), None
    else:
        new_plan = first_plan()
        if new_plan is None:
            raise NoPlan("a new store needs a plan: name one with --plan, see docs/plan.md")
        engine = Engine(found.era, new_plan)
    facts: list[StoredFact] = []
    unknown: list[Command] = []
    seq, now = found.snapshot_seq, engine.now
    for row in found.rows:
        seq, now = row.seq, row.now
        if row.seq in found.poisoned:
            continue
        step = engine.handle(row.event, row.now)
        facts += (StoredFact(row.seq, n, fact) for n, fact in enumerate(step.facts))
        if row.seq > found.carried_out:
            unknown += step.commands
    return Recovery(engine, seq, found.snapshot_seq, now, tuple(facts), tuple(unknown), new_plan)
