"""What the second witness says and fails to say becomes an alert, and the books know of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from perezvon.core.events import ArrivalWitnessed, Caller, NumberClass
from perezvon.core.ids import LegId, PersonId
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.reconcile import DIFFERENCE_MS, PIECES_MAX, Reconciler
from tests.core.office import DID, START
from tests.runtime.lives import Process, live


class ScriptedWitness:
    """Says what it was told to, in pieces."""

    def __init__(self) -> None:
        self.pieces: list[list[ArrivalWitnessed]] = []
        self.trouble = ""
        self.polls = 0

    @property
    def behind(self) -> bool:
        return bool(self.pieces)

    def poll(self) -> tuple[list[ArrivalWitnessed], dict[str, int]]:
        self.polls += 1
        seen = self.pieces.pop(0) if self.pieces else []
        return seen, {"cel.csv": self.polls}


def attempt(name: str, *, in_fallback: bool = False) -> ArrivalWitnessed:
    caller = Caller(PersonId(name), NumberClass.MOBILE)
    return ArrivalWitnessed(LegId(name), DID, caller, START, START + 9_000, in_fallback=in_fallback)


class Desk:
    """A process with a witness, and what it raises."""

    def __init__(self, place: Path) -> None:
        self.process = Process(place)
        self.witness = ScriptedWitness()
        self.now = START
        self.alerts = Alerts(lambda: self.now)
        self.reconciler = Reconciler(self.witness, self.process.loop, self.alerts)
        clock = self.process.clock
        jumped = clock.now
        # What waits for company goes on by the process's own clock.
        clock.now = lambda: max(self.now, jumped())  # type: ignore[method-assign]

    def open(self) -> set[tuple[AlertKind, str]]:
        return {(alert.kind, alert.about) for alert in self.alerts}

    async def heard(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.process.engine.ledger.arrivals < count:
                await asyncio.sleep(0.01)

    def run(self, *steps: Callable[[], Awaitable[None] | None]) -> None:
        asyncio.run(live(self.process, *steps))


def test_an_attempt_of_which_nobody_knew_is_an_alert_and_a_debt(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def scenario() -> None:
        desk.witness.pieces = [[attempt("petr")]]
        await desk.reconciler.read()
        await desk.heard(1)
        desk.reconciler.compare()
        assert desk.open() == {(AlertKind.RECONCILIATION, "unheard")}
        assert desk.process.engine.ledger.open == 1
        desk.now += DIFFERENCE_MS
        desk.reconciler.compare()
        assert desk.open() == set()

    desk.run(scenario)


def test_an_attempt_that_the_fallback_had_is_no_difference(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def scenario() -> None:
        desk.witness.pieces = [[attempt("petr", in_fallback=True)]]
        await desk.reconciler.read()
        await desk.heard(1)
        desk.reconciler.compare()
        assert desk.open() == set()

    desk.run(scenario)


def test_a_long_absence_is_read_at_once_in_pieces(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def scenario() -> None:
        desk.witness.pieces = [[attempt(f"p{n}", in_fallback=True)] for n in range(PIECES_MAX)]
        await desk.reconciler.read()
        await desk.heard(PIECES_MAX)

    desk.run(scenario)
    assert desk.witness.polls == PIECES_MAX


def test_a_witness_in_trouble_is_an_alert_until_it_reads_again(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    async def scenario() -> None:
        desk.witness.trouble = "cel.csv is gone"
        await desk.reconciler.read()
        (alert,) = desk.alerts
        assert (alert.kind, alert.detail) == (AlertKind.WITNESS_SILENT, "cel.csv is gone")
        desk.witness.trouble = ""
        await desk.reconciler.read()
        assert desk.open() == set()

    desk.run(scenario)
