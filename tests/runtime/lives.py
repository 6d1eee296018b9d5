"""The loop for tests: a real journal, a switch that remembers, a clock that jumps.

`Process` is one life of the engine process; `live` runs it through some steps to a polite end.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from perezvon.core.commands import Command
from perezvon.core.engine import Engine
from perezvon.core.events import (
    CallArrived,
    Caller,
    NumberClass,
    Resynced,
)
from perezvon.core.ids import SECOND, Instant, LegId, PersonId, TenantId
from perezvon.core.plan import Plan
from perezvon.runtime.loop import Loop
from perezvon.runtime.ports import Person, Sink, Unavailable
from perezvon.runtime.recover import recover
from perezvon.store.database import Location
from perezvon.store.journal import SqlJournal
from perezvon.store.plans import with_version
from tests.core.office import ANA, BOB, DID, START, office_plan

PLAN = with_version(office_plan(ANA, BOB))
TENANT = TenantId("shop")


class ScriptedSwitch:
    """Does nothing but remember what it was told, and when that was durable."""

    linked = True

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.expected: list[Command] = []
        self.plans: list[Plan] = []

    async def start(self, sink: Sink) -> None:
        sink(Resynced(()))

    def carry_out(self, commands: Iterable[Command]) -> None:
        self.commands += commands

    def learn_plan(self, plan: Plan) -> None:
        self.plans.append(plan)

    def expect(self, commands: Iterable[Command]) -> None:
        self.expected += commands

    def protect(self, waiting: Iterable[LegId], talking: Iterable[LegId]) -> None:
        raise NotImplementedError

    async def heartbeat(self, proof: Callable[[], Awaitable[None]]) -> bool:
        try:
            await proof()
        except Unavailable:
            return False
        return True

    async def stop(self) -> None:
        return None


class JumpingClock:
    """Time passes only when everybody waits."""

    def __init__(self, now: Instant = START) -> None:
        self._now = now

    def now(self) -> Instant:
        return self._now

    async def wait(self, woken: asyncio.Event, due_at: Instant | None) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        if not woken.is_set() and due_at is not None and due_at < START + 60 * SECOND:
            self._now = max(self._now, due_at)
        else:
            await woken.wait()


class Nobody:
    """A directory of nobody new."""

    def person_of(self, number: str, name: str = "") -> PersonId:
        del name
        return PersonId(number)

    def number_of(self, person: PersonId) -> str | None:
        return person

    def name_of(self, person: PersonId) -> str:
        del person
        return ""

    def drain(self) -> list[Person]:
        return []


class Process:
    """One life of the engine process."""

    def __init__(self, place: Path, journal: SqlJournal | None = None) -> None:
        self.journal = journal or SqlJournal.open(Location(place), tenant=TENANT)
        self.switch = ScriptedSwitch()
        recovery = recover(self.journal.recover(), lambda: PLAN)
        self.clock = JumpingClock(max(START, recovery.now))
        self.loop = Loop(recovery, self.journal, self.switch, self.clock, Nobody())

    @property
    def engine(self) -> Engine:
        return self.loop.engine


def arrival(name: str) -> CallArrived:
    return CallArrived(LegId(name), DID, Caller(PersonId(name), NumberClass.MOBILE))


async def live(process: Process, *steps: Callable[[], Awaitable[None] | None]) -> None:
    """Run the loop, do the steps one after another, and end it politely."""
    turning = asyncio.create_task(process.loop.run())
    try:
        for step in steps:
            waited = step()
            if waited is not None:
                await waited
            assert not turning.done(), turning.exception()
    finally:
        process.loop.stop()
        try:
            await turning
        finally:
            process.journal.close()
