"""A call's whole life, with each of its commits failed, or the process killed there, once.

Failed before it is durable, failed after, killed before, killed after: whatever the place, the
engine ends where it ends when nothing fails, and each fact is in the journal once.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from perezvon.core import snapshot
from perezvon.core.commands import Command, RingAgent
from perezvon.core.engine import Engine
from perezvon.core.events import (
    AgentStatusSet,
    ChosenStatus,
    EndCause,
    Event,
    LegAnswered,
    LegEnded,
    LegRinging,
)
from perezvon.core.ids import SECOND, Instant, LegId
from perezvon.runtime import faultpoint, loop
from perezvon.runtime.ports import Batch
from perezvon.store import schema
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.journal import SqlJournal, verify
from tests.core.office import ANA, START
from tests.runtime.lives import TENANT, Process, arrival

Step = Callable[[Engine], Event]

TICK_MS = SECOND
"""Between two steps of the story."""


class Killed(BaseException):
    """Stands for kill -9: nothing of this process runs after it."""


class Mortal(SqlJournal):
    """Dies at one commit, before or after it is durable."""

    commits = 0
    dies_at = 0
    durable_first = False

    def commit(self, batch: Batch) -> None:
        self.commits += 1
        if self.commits != self.dies_at:
            super().commit(batch)
            return
        if self.durable_first:
            super().commit(batch)
        raise Killed


class SetClock:
    """Time is what the story says; an event that waits for company is soon due all the same."""

    def __init__(self) -> None:
        self.moment: Instant = START

    def now(self) -> Instant:
        return self.moment

    async def wait(self, woken: asyncio.Event, due_at: Instant | None) -> None:
        if due_at is not None and due_at <= self.moment + loop.GATHER_MS:
            self.moment = max(self.moment, due_at)
        else:
            await woken.wait()


@dataclass
class End:
    """Where it all came to, in words that do not name the store."""

    state: str
    facts: list[str]
    rung: list[str]
    """Legs."""


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(loop, "RETRY_S", 0)
    yield
    faultpoint.switch("")


def leg_of_offer(engine: Engine) -> LegId:
    return next(leg for call in engine.calls.values() for leg in call.offers)


def leg_of_talk(engine: Engine) -> LegId:
    return next(call.won.leg for call in engine.calls.values() if call.won is not None)


STORY: Sequence[Step] = (
    lambda _engine: AgentStatusSet(ANA, ChosenStatus.AVAILABLE),
    lambda _engine: arrival("in-1"),
    lambda engine: LegRinging(leg_of_offer(engine)),
    lambda engine: LegAnswered(leg_of_offer(engine)),
    lambda _engine: arrival("in-2"),
    lambda _engine: LegEnded(LegId("in-2"), EndCause.NORMAL),
    lambda engine: LegEnded(leg_of_talk(engine), EndCause.NORMAL),
    lambda _engine: LegEnded(LegId("in-1"), EndCause.NORMAL),
)
COMMITS = 1 + len(STORY) + 2
"""The plan's, one for each step, and those of the polite end."""


class Tale:
    """The story told to one store, over as many lives as it takes."""

    def __init__(
        self, place: Path, dies_at: int = 0, *, durable_first: bool = False, fault: str = ""
    ) -> None:
        self._place = place
        self._dies_at = dies_at
        self._durable_first = durable_first
        self._fault = fault
        self._rung: list[str] = []
        self._looked_for: list[str] = []
        """What a life may have rung that was killed before it could say so."""
        self._end = End("", [], [])
        self.lives = 0
        self.commits = 0
        self._era = ""

    def told(self) -> End:
        while not asyncio.run(self._live()):
            assert self.lives < 3
        faultpoint.switch("")
        assert len(set(self._rung)) == len(self._rung), "no leg is rung twice"
        return replace(self._end, facts=[self._known(fact) for fact in self._facts()])

    def _known(self, text: str) -> str:
        """Without what was drawn with the store."""
        return text.replace(self._era, "ERA")

    async def _live(self) -> bool:
        """Whether it came to the end."""
        self.lives += 1
        journal = Mortal.open(Location(self._place), tenant=TENANT, wait_ms=0)
        journal.dies_at = self._dies_at if self.lives == 1 else 0
        journal.durable_first = self._durable_first
        steps_done = max(0, len(journal.recover().rows) - 1)
        process = Process(self._place, journal)
        clock = SetClock()
        process.loop._clock = clock
        self._era = journal.era
        faultpoint.switch(self._fault)
        turning = asyncio.create_task(process.loop.run())
        try:
            await _handled(process, turning, START)
            for number, step in enumerate(STORY[steps_done:], start=steps_done + 1):
                clock.moment = START + number * TICK_MS
                process.loop.put(step(process.engine))
                await _handled(process, turning, clock.moment)
            process.loop.stop()
            await turning
        except Killed:
            return False
        finally:
            self.commits = journal.commits
            self._rung += _rung(process.switch.commands)
            self._looked_for += _rung(process.switch.expected)
            journal.close()  # as the kernel does it for a process that is gone
        self._end = End(
            self._known(snapshot.take(process.engine).decode()),
            [],
            sorted(map(self._known, {*self._rung, *self._looked_for})),
        )
        return True

    def _facts(self) -> Iterator[str]:
        reader = open_journal_reader(Location(self._place))
        try:
            assert verify(reader) == 1 + len(STORY)
            table = schema.journal_facts
            with reader.read() as connection:
                for row in connection.execute(select(table).order_by(table.c.seq, table.c.n)):
                    yield f"{row.seq}/{row.n} {row.body.decode()}"
        finally:
            reader.close()


def _rung(commands: Sequence[Command]) -> list[str]:
    return [str(each.leg) for each in commands if isinstance(each, RingAgent)]


async def _handled(process: Process, turning: asyncio.Task[None], moment: Instant) -> None:
    """Until the engine has handled what came at that moment, or is no more."""
    while process.engine.now < moment:
        if turning.done():
            await turning
        await asyncio.sleep(0)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> End:
    """The end when nothing fails."""
    tale = Tale(tmp_path_factory.mktemp("model"))
    end = tale.told()
    assert tale.commits == COMMITS
    assert len(end.rung) == 1
    assert len(end.facts) > len(STORY)
    return end


@pytest.mark.parametrize("n", range(1, COMMITS + 1))
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_engine_killed_at_its_nth_commit_ends_where_the_others_do(
    tmp_path: Path, model: End, n: int, when: str
) -> None:
    tale = Tale(tmp_path, n, durable_first=when == "after")
    assert tale.told() == model
    assert tale.lives == 2


@pytest.mark.parametrize("n", range(1, COMMITS + 1))
@pytest.mark.parametrize("point", ["journal.commit", "journal.committed"])
def test_an_engine_whose_nth_transaction_fails_ends_where_the_others_do(
    tmp_path: Path, model: End, n: int, point: str
) -> None:
    tale = Tale(tmp_path, fault=f"{point}=fail:{n}")
    assert tale.told() == model
    assert tale.lives == 1
