"""A disk that is full, read-only or slow, with a caller each second: nobody waits for it.

Each fault is put on a running engine from outside and taken away again; the process is never
restarted. The callers tell what they met, CEL tells who was sent to the fallback and when.
"""

import asyncio
import contextlib
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from perezvon.asterisk import cel
from perezvon.asterisk.cel import CelKind
from perezvon.core.ids import SECOND, AgentId, GroupId, LegId
from perezvon.core.plan import Group, Member, Plan
from perezvon.runtime import faultpoint, local
from perezvon.runtime.alerts import AlertKind
from perezvon.runtime.local import Refused
from perezvon.runtime.ports import Unavailable
from perezvon.store import schema
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.journal import verify
from tests.proof.conftest import Figures
from tests.store.postgres import NoPostgres, Postgres, postgres_server
from tests.support import starved
from tests.support.asterisk import Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.silence import Sentry
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("disk")]

AGENTS = tuple(f"agent-{n:02}" for n in range(1, 7))
CLERK = "clerk"
"""In no queue: his status is set again and again, to see what is acknowledged."""

GUARD_S_MAX = 5
SILENT_S_MAX = 15
DIRECTLY_S = 1.5
"""From a caller's arrival to the fallback when the guard does not let him in."""
QUIET_S = 3
"""Of health after each fault."""
SOME_BYTES = 4_096
"""No file may grow beyond it: neither the WAL nor the log."""


@dataclass
class Story:
    """One run, and what was seen of it."""

    running: Running
    engine: EngineProcess
    disk: Path
    """Pragmas for SQLite; see `tests.support.starved`."""
    faults: Path
    """Text of fault points."""
    acknowledged: list[str] = field(default_factory=list)
    refused: int = 0
    windows: list[tuple[str, float, float]] = field(default_factory=list)
    """Of each fault: its name, when it began and when service was back."""

    def alerts(self) -> dict[str, Any]:
        """Those on the live board, by kind."""
        return asyncio.run(_alerts_of(self.engine.settings.engine_socket))

    def tell(self) -> None:
        """Set a status; remember what was acknowledged."""
        reason = f"told-{len(self.acknowledged) + self.refused}"
        status = "paused" if len(self.acknowledged) % 2 else "available"
        try:
            self.engine.ask("agent.status", agent=CLERK, status=status, reason=reason, by="test")
        except (Unavailable, Refused):
            self.refused += 1
        else:
            self.acknowledged.append(reason)

    def passes(self, seconds: float) -> None:
        """Callers come, and the clerk's status is set."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.tell()
            with contextlib.suppress(AssertionError):
                until_now(lambda: False, min(left, 0.5))

    def suffers(self, name: str, fault: AbstractContextManager[float], hold_s: float) -> None:
        """The fault comes, stays and goes; then service is back by itself."""
        pid = self.engine.pid
        with fault as begun_at:
            self.passes(hold_s)
            assert AlertKind.GUARD_DOWN in self.alerts(), name
        self.engine.until_beating()
        self.windows.append((name, begun_at, time.time()))
        assert self.engine.pid == pid
        until_now(lambda: AlertKind.JOURNAL_UNAVAILABLE not in self.alerts(), 10)


Fault = tuple[str, Callable[[Story], AbstractContextManager[float]], float]
"""Its name, what puts it on a story, and how long it stays, in seconds."""


async def _alerts_of(socket: Path) -> dict[str, Any]:
    async with contextlib.aclosing(local.follow(socket)) as told:
        board = await anext(told)
    return {key.partition("/")[0]: row for key, row in board["sections"].get("alerts", {}).items()}


# Faults: each gives the moment from which on nothing becomes durable.


@contextmanager
def pragma(story: Story, text: str) -> Iterator[float]:
    """SQLite itself refuses: at once where it may not write, at the next page where it is full."""
    story.disk.write_text(text)

    def unavailable() -> bool:
        story.tell()
        return AlertKind.JOURNAL_UNAVAILABLE in story.alerts()

    until_now(unavailable, 30, story.engine.log_tail)
    yield story.alerts()[AlertKind.JOURNAL_UNAVAILABLE]["since_at"] / SECOND
    story.disk.write_text("")


@contextmanager
def file_limit(story: Story) -> Iterator[float]:
    """The kernel refuses to let any file of the engine grow: its journal and its log."""
    pid = story.engine.pid
    assert pid is not None
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (SOME_BYTES, before[1]))
    yield time.time()
    assert AlertKind.JOURNAL_UNAVAILABLE in story.alerts()
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def slow_commits(story: Story, delay_ms: int) -> Iterator[float]:
    """Each fsync takes so long."""
    story.faults.write_text(f"journal.commit=delay:{delay_ms}")
    yield time.time()
    assert AlertKind.JOURNAL_SLOW in story.alerts()
    story.faults.write_text("")


@contextmanager
def one_stall(story: Story, length_s: int) -> Iterator[float]:
    """One fsync stands still."""
    story.faults.write_text(f"journal.commit=delay:{length_s * SECOND}")
    begun_at = time.time()
    # Not by the alert: that of an earlier fault is remembered for a while.
    until_now(lambda: not story.engine.health()["beating"], 10, story.engine.log_tail)
    story.faults.write_text("")
    yield begun_at
    assert AlertKind.JOURNAL_SLOW in story.alerts()


@contextmanager
def database_away(story: Story, server: Postgres) -> Iterator[float]:
    begun_at = time.time()
    server.stop()
    yield begun_at
    assert AlertKind.JOURNAL_UNAVAILABLE in story.alerts()
    server.start()


@contextmanager
def row_locked(story: Story, url: str) -> Iterator[float]:
    """Another session keeps the leader's row."""
    with psycopg.connect(url) as stranger:
        stranger.execute("SELECT 1 FROM journal.leader FOR UPDATE")
        yield time.time()
        assert AlertKind.JOURNAL_UNAVAILABLE in story.alerts()


# What is seen.


def the_plan(callers_port: int, clients_port: int) -> Plan:
    members = tuple(Member(AgentId(agent)) for agent in AGENTS)
    return plan_of(
        (*AGENTS, CLERK),
        callers_port=callers_port,
        clients_port=clients_port,
        groups=(Group(GroupId("all"), "All", members),),
    )


def came_and_fell_back(running: Running) -> dict[LegId, tuple[float, float | None]]:
    """Of each caller by CEL, in seconds: when he came, and when the fallback picked up."""
    rows = [row for line in running.cel_rows() if (row := cel.parse_line(line)) is not None]
    tenant = running.plan.tenant
    fell = {
        row.leg: row.at / SECOND
        for row in rows
        if row.kind is CelKind.ANSWER and row.context == f"localq-{tenant}"
    }
    return {
        row.leg: (row.at / SECOND, fell.get(row.leg)) for row in rows if cel.is_arrival(row, tenant)
    }


def guard_s(story: Story, begun_at: float, back_at: float) -> float:
    """From the fault until the last caller whom the guard still let in."""
    let_in = [
        came_at
        for came_at, fell_at in came_and_fell_back(story.running).values()
        if begun_at <= came_at < back_at - 1 and (fell_at is None or fell_at - came_at > DIRECTLY_S)
    ]
    return max(let_in, default=begun_at) - begun_at


def rows_told(engine: EngineProcess) -> str:
    """The bodies of all rows of the journal, whose chain of digests stands."""
    settings = engine.settings
    reader = open_journal_reader(Location(settings.data_dir, settings.database_url or ""))
    try:
        verify(reader)
        with reader.read() as connection:
            return "\n".join(
                body.decode() for body in connection.scalars(select(schema.journal.c.body))
            )
    finally:
        reader.close()


@contextmanager
def story_of(root: Path, calls: int, database_url: str = "") -> Iterator[tuple[Story, Caller]]:
    """A caller each second, agents who answer, clients who are called back."""
    callers_port, clients_port = free_udp_port(), free_udp_port()
    disk, faults = root / "disk", root / "faults"
    environment = {
        starved.VARIABLE: str(disk),
        faultpoint.VARIABLE: f"{faultpoint.FILE}{faults}",
    }
    who = [Call(f"7916{n:07}", NUMBER) for n in range(calls)]
    answering = Answering(answer_after_ms=300)
    with (
        asterisk(the_plan(callers_port, clients_port), root) as running,
        EngineProcess(
            running,
            root,
            database_url=database_url,
            program=starved.PROGRAM,
            environment=environment,
        ) as engine,
        Phone(running, AGENTS, answering, root),
        Phone(running, [], answering, root, port=clients_port),
        Caller(running, who, root, port=callers_port, rate=1, talk_ms=2_000) as callers,
    ):
        engine.sign_in(*AGENTS)
        yield Story(running, engine, disk, faults), callers


def check(figures: Figures, story: Story, callers: Caller, sentry: Sentry, calls: int) -> None:
    """Everybody reached somebody; each arrival has its end; what was acknowledged is there."""
    engine = story.engine
    until_now(lambda: engine.ledger()["in_progress"] == 0, 60, engine.log_tail)
    until_now(lambda: engine.told_ledger()[1]["arrivals"] == calls, 20, engine.log_tail)
    status, ledger = engine.told_ledger()
    assert status == 0
    assert ledger["arrivals"] == len(engine.arrivals_in_cel()) == calls, ledger
    assert ledger["in_progress"] == 0
    rows = rows_told(engine)
    lost = [reason for reason in story.acknowledged if f'"{reason}"' not in rows]
    assert lost == []
    waits = [
        next(one.at for one in call if one.kind == "answered") - call[0].at
        for call in callers.by_call().values()
    ]
    assert len(waits) == calls, callers.trouble()
    assert max(waits) <= SILENT_S_MAX
    assert sentry.looks
    assert sentry.longest_stranded_s <= SILENT_S_MAX
    for name, begun_at, back_at in story.windows:
        reached_s = guard_s(story, begun_at, back_at)
        assert reached_s <= GUARD_S_MAX, f"{name}: {reached_s}"
        figures.state(f"{name}: last caller let in after, s", f"{reached_s:.1f}", GUARD_S_MAX)
    figures.state("callers, of them without somebody or an end", f"{calls}, 0", "0")
    figures.state("longest until somebody picked up, s", f"{max(waits):.1f}", SILENT_S_MAX)
    figures.state(
        "acknowledged / refused meanwhile / acknowledged and lost",
        f"{len(story.acknowledged)} / {story.refused} / {len(lost)}",
        "lost 0",
    )


def play(
    figures: Figures,
    root: Path,
    faults: Sequence[Fault],
    *,
    database_url: str = "",
) -> None:
    """One fault after another, each followed by a while of health."""
    calls = int(sum(hold_s + QUIET_S for _, _, hold_s in faults) + QUIET_S)
    with story_of(root, calls, database_url) as (story, callers), Sentry(story.running) as sentry:
        until_now(lambda: len(callers.of("answered")) > 1, 20, callers.trouble)
        for name, fault, hold_s in faults:
            story.suffers(name, fault(story), hold_s)
            story.passes(QUIET_S)
        until_now(callers.finished, 90, callers.trouble)
        check(figures, story, callers, sentry, calls)


def test_a_full_and_a_slow_disk_send_callers_to_the_fallback_until_they_are_well_again(
    figures: Figures, tmp_path: Path
) -> None:
    hold_s, rounds = (14.0, 2) if figures.full else (6.5, 1)
    faults: list[Fault] = [
        ("page limit", partial(pragma, text=starved.FULL), hold_s),
        ("file-size limit", file_limit, hold_s),
        ("one fsync of 10 s", partial(one_stall, length_s=10), 8),
    ]
    if figures.full:
        faults += [
            ("each fsync 2 s", partial(slow_commits, delay_ms=2_000), hold_s),
            ("one fsync of 30 s", partial(one_stall, length_s=30), 28),
            ("read-only", partial(pragma, text=starved.READ_ONLY), hold_s),
        ]
    play(figures, tmp_path, faults * rounds)


@pytest.mark.postgres
def test_a_database_that_goes_away_sends_callers_to_the_fallback_until_it_is_back(
    figures: Figures, tmp_path: Path
) -> None:
    hold_s, rounds = (14.0, 2) if figures.full else (6.5, 1)
    with _server() as server:
        faults: list[Fault] = [
            ("PostgreSQL stopped", partial(database_away, server=server), hold_s),
        ]
        if figures.full:
            faults.append(("row locked", partial(row_locked, url=server.url), 10))
        play(figures, tmp_path, faults * rounds, database_url=server.url)


@contextmanager
def _server() -> Iterator[Postgres]:
    try:
        with postgres_server() as server:
            yield server
    except NoPostgres as error:
        pytest.skip(f"no PostgreSQL here: {error}")
