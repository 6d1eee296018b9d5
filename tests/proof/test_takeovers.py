"""Two engines on one store: one freezes at a bad moment, the other takes over, the first wakes up.

Nothing is written under an epoch that is over, no client's telephone rings twice for one attempt,
and who wakes up ends by itself without a word to the switch.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random

import aiohttp
import pytest
from sqlalchemy import select

from perezvon.asterisk.provision import application
from perezvon.core.facts import ClientDialled, DebtOpened
from perezvon.core.ids import SECOND, GroupId, PersonId, QueueId, RuleId
from perezvon.core.plan import CallbackRule, Ladder, Plan, Queue, Step, Thresholds
from perezvon.runtime.lease import LEASE_MS
from perezvon.store import schema
from perezvon.store.database import Location, open_journal_reader
from perezvon.store.journal import verify
from tests.proof.conftest import Figures
from tests.store.postgres import NoPostgres, running_postgres
from tests.support.ari_proxy import AriProxy
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("takeovers")]

AGENTS = ("anna", "boris", "clara", "dina")
WAITING = 2
OWED = 4
"""Debts that are being worked off while the leader freezes."""
HAPPENINGS_MAX = 14
"""Of the telephones, of which a few are let pass before the leader freezes."""
PATIENCE_MS = 1_500
TAKEOVER_S_MAX = 60
SEED = 3
STANDS_BY = '"event": "standing_by"'
TOOK_OVER = '"alert": "standby_took_over"'
BLOCKED = "frozen in the middle of a write"


def the_plan(callers_port: int, clients_port: int) -> Plan:
    step = Step(groups=(GroupId("all"),))
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False, wrap_up_ms=0)
    # A client whose talk began with silence, because the engine froze just then, is tried again
    # while we look.
    ladder = Ladder(tuple(n * 5 * SECOND for n in range(20)))
    rule = CallbackRule(RuleId("at-once"), ladder=ladder, gap_ms_min=3 * SECOND, briefing=False)
    return plan_of(
        AGENTS,
        callers_port=callers_port,
        clients_port=clients_port,
        queues=(queue,),
        callback_rules=(rule,),
        thresholds=Thresholds(short_ms=1 * SECOND),
    )


@contextmanager
def database(kind: str) -> Iterator[str]:
    """The URL; empty for SQLite."""
    if kind == "sqlite":
        yield ""
        return
    try:
        with running_postgres() as url:
            yield url
    except NoPostgres as error:
        pytest.skip(f"no PostgreSQL here: {error}")


@dataclass(slots=True)
class Pair:
    """The engine that leads and the one that stands by."""

    running: Running
    leader: EngineProcess
    standby: EngineProcess
    links: dict[str, AriProxy]
    """By the engine's name: its way to the switch, which counts."""
    killed: int = 0
    """Frozen in the middle of a SQLite write, where only their end helps."""
    ended: list[int] = field(default_factory=list)
    """Exit statuses of those who woke up."""
    requests_after: Counter[str] = field(default_factory=Counter)
    """Of those who woke up, to the switch, by kind."""
    took_s: list[float] = field(default_factory=list)
    """From the freezing to the other one's heartbeat, where nobody had to be killed."""
    _stood_by: int = 0

    def stand_by(self) -> None:
        """Returns at once; `until_standing_by` waits for it."""
        self._stood_by = self._said(self.standby, STANDS_BY)
        self.standby.start("--standby", wait=False)

    def until_standing_by(self) -> None:
        until_now(
            lambda: self._said(self.standby, STANDS_BY) > self._stood_by, 30, self.standby.log_tail
        )

    def epoch(self) -> int:
        return int(self.leader.health()["epoch"])

    def freeze(self) -> None:
        """The leader freezes; returns when the other one is the engine, and beats."""
        epoch = self.epoch()
        took, blocked = (self._said(self.standby, what) for what in (TOOK_OVER, BLOCKED))
        self.leader.freeze()
        frozen_at = time.monotonic()
        until_now(
            lambda: (
                self._said(self.standby, TOOK_OVER) > took
                or self._said(self.standby, BLOCKED) > blocked
            ),
            TAKEOVER_S_MAX,
            self.standby.log_tail,
        )
        if self._said(self.standby, TOOK_OVER) == took:
            self.killed += 1
            self.leader.kill()
        self.leader, self.standby = self.standby, self.leader
        until_now(
            lambda: self._said(self.leader, TOOK_OVER) > took, TAKEOVER_S_MAX, self.leader.log_tail
        )
        self.leader.until_beating()
        if self.standby.pid is not None:
            self.took_s.append(time.monotonic() - frozen_at)
        assert self.epoch() == epoch + 1

    def thaw(self) -> None:
        """The other one wakes up, and ends by itself."""
        if self.standby.pid is None:
            return
        link = self.links[self.standby.name]
        before = link.carried.copy()
        self.standby.thaw()
        self.ended.append(self.standby.until_ended(20))
        self.requests_after += link.carried - before

    def stop(self) -> None:
        self.standby.stop()
        self.leader.stop()

    @staticmethod
    def _said(engine: EngineProcess, what: str) -> int:
        log = engine.root / f"{engine.name}.log"
        return log.read_text(errors="replace").count(what) if log.exists() else 0


def epochs_of(engine: EngineProcess) -> list[int]:
    """The epochs of the journal's rows in order; the chain of digests is whole."""
    reader = open_journal_reader(
        Location(engine.settings.data_dir, engine.settings.database_url or "")
    )
    verify(reader)
    with reader.read() as connection:
        rows = schema.journal
        epochs = list(connection.scalars(select(rows.c.epoch).order_by(rows.c.seq)))
    reader.close()
    return epochs


def numbers_of(engine: EngineProcess) -> dict[PersonId, str]:
    reader = open_journal_reader(
        Location(engine.settings.data_dir, engine.settings.database_url or "")
    )
    with reader.read() as connection:
        found = {
            PersonId(row.person): str(row.number)
            for row in connection.execute(select(schema.persons))
        }
    reader.close()
    return found


def dials(engine: EngineProcess) -> Counter[str]:
    """How often each number was dialled, by the facts."""
    facts = engine.facts()
    numbers = numbers_of(engine)
    of = {fact.debt: numbers[fact.person] for fact in facts if isinstance(fact, DebtOpened)}
    return Counter(of[fact.debt] for fact in facts if isinstance(fact, ClientDialled))


@dataclass(slots=True)
class Scene:
    """The pair at work, with everybody who telephones."""

    pair: Pair
    agents: Phone
    clients: Phone
    callers_port: int
    rng: Random

    def cycle(self, number: int) -> None:
        """Debts are worked off, the leader freezes, the other one goes on, the first wakes up."""
        pair, running = self.pair, self.pair.running
        place = pair.leader.root / f"cycle-{number}"
        pair.stand_by()
        pair.leader.set_status("signed_out", AGENTS)
        self._miss([f"7916{number:03}{n:04}" for n in range(OWED)], place)
        # A beat that a loaded machine misses gives some of them to the fallback, which answers.
        until_now(lambda: pair.leader.ledger()["in_progress"] == 0, 60, pair.leader.log_tail)
        assert pair.leader.ledger()["open"], "nobody is owed: there is nothing to dial"
        pair.until_standing_by()
        until_then = self._happenings() + self.rng.randrange(HAPPENINGS_MAX)
        pair.leader.sign_in(*AGENTS)
        until_now(lambda: self._happenings() >= until_then, 30, pair.leader.log_tail)
        waiting = Caller(
            running,
            [Call(f"7917{number:03}{n:04}", NUMBER) for n in range(WAITING)],
            place / "waiting",
            port=self.callers_port,
            patience_ms=120 * SECOND,
            talk_ms=2 * SECOND,
        )
        with waiting:
            pair.freeze()
            if self.rng.random() < 0.5:
                pair.thaw()
            until_now(lambda: pair.leader.ledger()["open"] == 0, 90, pair.leader.log_tail)
            until_now(waiting.finished, 90, waiting.trouble)
        pair.thaw()
        until_now(lambda: pair.leader.ledger()["in_progress"] == 0, 60, pair.leader.log_tail)
        assert pair.epoch() == number + 2, "somebody took over from the one who leads"

    def _miss(self, numbers: list[str], place: Path) -> None:
        """They call, nobody is there, they hang up."""
        calls = [Call(number, NUMBER) for number in numbers]
        with Caller(
            self.pair.running,
            calls,
            place,
            port=self.callers_port,
            rate=20,
            patience_ms=PATIENCE_MS,
        ) as callers:
            until_now(callers.finished, 60, callers.trouble)

    def _happenings(self) -> int:
        return len(self.agents.happenings()) + len(self.clients.happenings())


@contextmanager
def scene(kind: str, root: Path) -> Iterator[Scene]:
    callers_port, clients_port = free_udp_port(), free_udp_port()
    talking = Answering(answer_after_ms=400, talk_ms=1_500)
    with (
        database(kind) as url,
        asterisk(the_plan(callers_port, clients_port), root) as running,
        ExitStack() as stack,
    ):
        links = {
            name: stack.enter_context(AriProxy(running.site.http_port)) for name in ("one", "other")
        }
        one, other = (
            EngineProcess(running, root, database_url=url, name=name, ari_port=link.port)
            for name, link in links.items()
        )
        pair = Pair(running, one, other, links)
        stack.callback(pair.stop)
        pair.leader.start()
        agents = stack.enter_context(Phone(running, AGENTS, Answering(answer_after_ms=300), root))
        clients = stack.enter_context(
            Phone(running, [], talking, root / "clients", port=clients_port)
        )
        yield Scene(pair, agents, clients, callers_port, Random(f"{SEED} {kind}"))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_frozen_engine_is_followed_and_does_nothing_when_it_wakes_up(
    figures: Figures, tmp_path: Path, kind: str
) -> None:
    takeovers = 25 if figures.full else 1
    with scene(kind, tmp_path) as played:
        for number in range(takeovers):
            played.cycle(number)
        pair = played.pair
        status, ledger = pair.leader.told_ledger()
        rung = Counter(one.agent for one in played.clients.of("invited"))
        dialled = dials(pair.leader)
        epochs = epochs_of(pair.leader)
    stale = sum(after < before for before, after in pairwise(epochs))
    twice = [number for number, count in rung.items() if count > dialled[number]]
    assert stale == 0
    assert set(epochs) == set(range(1, takeovers + 2))
    assert set(pair.ended) <= {1}
    assert not pair.requests_after
    assert len(pair.ended) + pair.killed == takeovers
    assert (status, ledger["balanced"]) == (0, True)
    assert ledger["arrivals"] == (OWED + WAITING) * takeovers
    assert ledger["open"] == ledger["in_progress"] == ledger["waived"] == 0
    assert not twice, "more rings than attempts"
    figures.state(f"{kind}: takeovers by freeze and thaw (seed {SEED})", takeovers, takeovers)
    figures.state(f"{kind}: of those, frozen in the middle of a write and killed", pair.killed, "-")
    figures.state(f"{kind}: rows under a stale epoch, of {len(epochs)}", stale, 0)
    figures.state(
        f"{kind}: rings of clients' telephones / attempts dialled",
        f"{rung.total()} / {dialled.total()}",
        "no more",
    )
    figures.state(f"{kind}: clients rung more often than dialled", len(twice), 0)
    figures.state(
        f"{kind}: woken, and ended by themselves", len(pair.ended), takeovers - pair.killed
    )
    figures.state(
        f"{kind}: their requests to the switch after that", pair.requests_after.total(), 0
    )
    figures.state(
        f"{kind}: longest from freezing to the other's heartbeat, s",
        f"{max(pair.took_s, default=0):.1f}",
        (LEASE_MS + 4 * SECOND) // SECOND,
    )
    figures.state(f"{kind}: debts recovered / left", f"{ledger['recovered']} / {ledger['open']}", 0)


def test_an_engine_whose_application_is_taken_ends_at_once_and_hangs_nobody_up(
    tmp_path: Path,
) -> None:
    callers_port = free_udp_port()
    plan = the_plan(callers_port, free_udp_port())
    with asterisk(plan, tmp_path) as running, EngineProcess(running, tmp_path) as engine:
        waiting = Caller(
            running, [Call("79161112233", NUMBER)], tmp_path, port=callers_port, patience_ms=90_000
        )
        with waiting:
            until_now(lambda: engine.ledger()["arrivals"] == 1, 15, engine.log_tail)
            asyncio.run(take_application(running, engine))
            assert not waiting.of("ended_by_other", "refused")
            engine.start()
            assert engine.ledger()["in_progress"] == 1
            assert not waiting.of("ended_by_other", "refused")


async def take_application(running: Running, engine: EngineProcess) -> None:
    """As another engine does it; returns when the first one has ended."""
    login = aiohttp.encode_basic_auth(running.site.ari_user, PASSWORD)
    async with (
        aiohttp.ClientSession(headers={"Authorization": login}) as session,
        session.ws_connect(
            f"{running.ari_url}/events", params={"app": application(running.plan.tenant)}
        ),
    ):
        assert await asyncio.to_thread(engine.until_ended) == 1
        log = engine.log_tail()
        assert '"replaced"' in log, log
