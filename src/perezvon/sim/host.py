"""The engine's host in the simulation: journal, snapshots, crash and recovery, in memory.

Does what `runtime` does with a disk. After each recovery it compares the facts of the replay
with those of the first time: a difference is a bug of the core.
"""

from collections.abc import Callable
from dataclasses import dataclass

from perezvon.core import snapshot
from perezvon.core.commands import Command
from perezvon.core.engine import Engine, Step
from perezvon.core.events import Event, PlanChanged
from perezvon.core.facts import Fact
from perezvon.core.ids import Instant
from perezvon.core.plan import Plan

SNAPSHOT_EVERY = 60
"""Rows: often, so that what a snapshot forgets is noticed soon."""

Check = Callable[[Engine], None]


class ReplayDiffersError(AssertionError):
    """The same events gave other facts or commands: state is missing in a snapshot, or chance
    has crept in.
    """


@dataclass(slots=True)
class Turn:
    """A durable row and what came of it the first time."""

    now: Instant
    event: Event
    step: Step | None


class Host:
    def __init__(self, plan: Plan, era: str, check: Check) -> None:
        self.engine = Engine(era=era, plan=plan)
        self.facts: list[Fact] = []
        self._check = check
        self._plan = plan
        self._plan_then = plan
        self._rows: list[Turn] = []
        self._snapshot = snapshot.take(self.engine)

    def append(self, event: Event, now: Instant) -> None:
        """Make it durable: it will be handled, by this engine or by the next."""
        if len(self._rows) >= SNAPSHOT_EVERY:
            self._snapshot = snapshot.take(self.engine)
            self._plan_then = self._plan
            self._rows.clear()
        if isinstance(event, PlanChanged):
            self._plan = event.plan
        self._rows.append(Turn(now, event, None))

    def handle_last(self) -> Step:
        turn = self._rows[-1]
        step = self.engine.handle(turn.event, turn.now)
        self._check(self.engine)
        turn.step = step
        self.facts += step.facts
        return step

    def recover(self, unknown_rows: int) -> list[Command]:
        """Start again from what is durable; gives the commands of the last rows, of which nobody
        knows whether they were carried out.
        """
        self.engine = snapshot.restore(self._snapshot, self._plan_then)
        self._check(self.engine)
        unknown: list[Command] = []
        first_unknown = len(self._rows) - unknown_rows
        for index, turn in enumerate(self._rows):
            step = self.engine.handle(turn.event, turn.now)
            self._check(self.engine)
            if turn.step is None:
                turn.step = step
                self.facts += step.facts
            elif turn.step != step:
                raise ReplayDiffersError(f"row {index} {turn.event}:\n{turn.step}\n{step}")
            if index >= first_unknown:
                unknown += step.commands
        return unknown
