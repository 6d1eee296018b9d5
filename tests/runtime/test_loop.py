"""The loop on a real journal: durable first, then decided, then done; and back after a crash."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest
from sqlalchemy import select

from perezvon.core.commands import Command, RingAgent
from perezvon.core.events import (
    AgentStatusSet,
    ChosenStatus,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    LegSeen,
    LegState,
    Resynced,
)
from perezvon.core.ids import SECOND, LegId
from perezvon.runtime.loop import GATHER_MS, SNAPSHOT_ROWS, Poisoned
from perezvon.runtime.ports import Batch, Unavailable
from perezvon.runtime.recover import NoPlan, recover
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.journal import SqlJournal
from perezvon.store.schema import journal
from tests.core.office import ANA, START
from tests.runtime.lives import (
    TENANT,
    Process,
    ScriptedSwitch,
    arrival,
    live,
)


def sign_in(process: Process) -> Callable[[], Awaitable[None]]:
    return lambda: process.loop.submit(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))


def test_what_was_handled_before_a_stop_is_known_after_it(tmp_path: Path) -> None:
    async def first() -> None:
        process = Process(tmp_path)
        await live(process, sign_in(process), lambda: process.loop.submit(arrival("in-1")))
        assert any(isinstance(each, RingAgent) for each in process.switch.commands)

    asyncio.run(first())
    again = Process(tmp_path)
    assert again.engine.ledger.arrivals == 1
    assert len(again.engine.calls) == 1
    assert not again.switch.expected
    again.journal.close()


def test_commands_of_a_turn_that_a_crash_cut_short_are_unknown_not_repeated(
    tmp_path: Path,
) -> None:
    class CrashingSwitch(ScriptedSwitch):
        def carry_out(self, commands: Iterable[Command]) -> None:
            for command in commands:
                if isinstance(command, RingAgent):
                    raise KeyboardInterrupt  # stands for kill -9: durable, not carried out

    lives: list[Process] = []

    async def first() -> None:
        process = Process(tmp_path)
        process.loop._switch = CrashingSwitch()
        lives.append(process)
        turning = asyncio.create_task(process.loop.run())
        await process.loop.submit(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))
        process.loop.put(arrival("in-1"))
        await turning

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(first())
    lives[0].journal.close()  # as the kernel does it for a process that is gone
    again = Process(tmp_path)
    assert RingAgent in {type(each) for each in again.switch.expected}
    assert not again.switch.commands
    assert again.engine.ledger.arrivals == 1
    again.journal.close()


def test_an_event_that_breaks_the_core_is_marked_and_left_out_of_the_next_life(
    tmp_path: Path,
) -> None:
    async def first() -> None:
        process = Process(tmp_path)
        process.engine.ledger.arrivals += 1  # out of balance: any next turn finds it
        await live(process, lambda: process.loop.put(arrival("in-1")), lambda: asyncio.sleep(0.2))

    with pytest.raises(Poisoned):
        asyncio.run(first())
    again = Process(tmp_path)
    # The marked row is left out; the one behind it, durable too, is not.
    assert again.engine.ledger.arrivals == 1
    assert again.engine.ledger.balanced
    again.journal.close()


def test_nothing_is_decided_while_no_commit_succeeds_and_nothing_is_lost(tmp_path: Path) -> None:
    class FullDisk(SqlJournal):
        full = False

        def commit(self, batch: Batch) -> None:
            if self.full:
                raise Unavailable("disk full")
            super().commit(batch)

    journal = FullDisk.open(Location(tmp_path), tenant=TENANT)

    async def story() -> None:
        process = Process(tmp_path, journal)
        loop = process.loop

        async def no_room() -> None:
            journal.full = True
            loop.put(arrival("in-1"))
            while loop.durable:
                await asyncio.sleep(0.01)
            assert process.engine.ledger.arrivals == 0
            with pytest.raises(Unavailable):
                await loop.submit(arrival("in-2"))

        async def room_again() -> None:
            journal.full = False
            while process.engine.ledger.arrivals != 1:
                await asyncio.sleep(0.01)
            assert loop.durable

        await live(process, sign_in(process), no_room, room_again)

    asyncio.run(story())


def test_a_replay_makes_the_same_facts_and_a_timer_is_a_row_of_its_own(tmp_path: Path) -> None:
    async def first() -> None:
        process = Process(tmp_path)

        async def let_it_ring() -> None:
            leg = next(c.leg for c in process.switch.commands if isinstance(c, RingAgent))
            await process.loop.submit(LegRinging(leg))
            while process.clock.now() < START + 20 * SECOND:
                await asyncio.sleep(0.001)
            rung = [c.leg for c in process.switch.commands if isinstance(c, RingAgent)]
            await process.loop.submit(LegAnswered(rung[-1]))

        await live(
            process,
            sign_in(process),
            lambda: process.loop.submit(arrival("in-1")),
            let_it_ring,
        )

    asyncio.run(first())
    journal = SqlJournal.open(Location(tmp_path), tenant=TENANT)
    found = journal.recover()
    assert found.snapshot is not None
    recovery = recover(found, lambda: None)
    assert recovery.engine.calls
    journal.close()


def test_a_replay_does_not_grow_with_lives_that_end_before_a_snapshot_is_due(
    tmp_path: Path,
) -> None:
    async def cut_short() -> None:
        process = Process(tmp_path)
        turning = asyncio.create_task(process.loop.run())
        for number in range(SNAPSHOT_ROWS * 2 // 3):
            chosen = ChosenStatus.AVAILABLE if number % 2 else ChosenStatus.PAUSED
            process.loop.put(AgentStatusSet(ANA, chosen))
        await process.loop.submit(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))
        turning.cancel()  # stands for kill -9: no snapshot is left behind
        await asyncio.gather(turning, return_exceptions=True)
        process.journal.close()

    for _ in range(4):
        asyncio.run(cut_short())
    journal = SqlJournal.open(Location(tmp_path), tenant=TENANT)
    assert len(journal.recover().rows) < 2 * SNAPSHOT_ROWS
    journal.close()


def test_an_end_waits_a_moment_for_others_to_be_durable_with_and_no_arrival_waits(
    tmp_path: Path,
) -> None:
    ended = LegEnded(LegId("gone"), EndCause.NORMAL)

    async def lone_end_then_one_with_an_arrival(process: Process) -> None:
        async def empty() -> None:
            while process.loop.inbox_length:
                await asyncio.sleep(0)

        await live(
            process,
            empty,
            lambda: process.loop.put(ended),
            empty,
            lambda: process.loop.put(ended),
            lambda: process.loop.put(arrival("in-1")),
            empty,
        )

    process = Process(tmp_path)
    asyncio.run(lone_end_then_one_with_an_arrival(process))
    with open_journal_reader(Location(tmp_path)).read() as connection:
        moments = connection.scalars(select(journal.c.at).order_by(journal.c.seq)).all()
    put_at = moments[0]
    assert moments == [put_at, put_at + GATHER_MS, put_at + GATHER_MS, put_at + GATHER_MS]


def test_a_new_store_without_a_plan_says_so(tmp_path: Path) -> None:
    journal = SqlJournal.open(Location(tmp_path), tenant=TENANT)
    with pytest.raises(NoPlan, match="plan"):
        recover(journal.recover(), lambda: None)
    journal.close()


def test_legs_found_after_a_crash_go_on_where_they_were(tmp_path: Path) -> None:
    async def first() -> None:
        process = Process(tmp_path)
        await live(process, sign_in(process), lambda: process.loop.submit(arrival("in-1")))

    asyncio.run(first())

    async def second() -> None:
        process = Process(tmp_path)
        (offer,) = [o for call in process.engine.calls.values() for o in call.offers]
        caller = LegSeen(LegId("in-1"), LegState.UP, inbound=arrival("in-1"))
        seen = Resynced((caller, LegSeen(offer, LegState.UP)))
        await live(process, lambda: process.loop.submit(seen))
        (call,) = process.engine.calls.values()
        assert call.won is not None
        assert call.won.leg == offer

    asyncio.run(second())
