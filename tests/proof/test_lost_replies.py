"""Every fifth reply of the switch is lost before the deed and every fifth after it: each client
is still rung once per attempt, none is skipped, and nobody who answers is left in silence.
"""

import random
import threading
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from perezvon.core.facts import AttemptMade, AttemptOutcome, ClientDialled, DebtOpened
from perezvon.core.ids import SECOND, DebtId, Duration, GroupId, QueueId, RuleId
from perezvon.core.plan import CallbackOrder, CallbackRule, Plan, Queue, Step, Thresholds
from perezvon.store.database import Location
from perezvon.store.persons import SqlDirectory
from tests.proof.conftest import Figures
from tests.support.ari_proxy import AriProxy
from tests.support.asterisk import Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.onlooker import Onlooker
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Happening, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("lost-replies")]

AGENTS = tuple(f"agent-{n:02}" for n in range(1, 13))
SHARE = 0.2
PATIENCE_MS = 2 * SECOND
TALK_MS = 4 * SECOND
STAYS_MS = 12 * SECOND
"""Of a client who may find no engine when he answers: longer than he may be in silence."""
SILENT_S_MAX = 10
SEED = 5


@dataclass(frozen=True)
class Run:
    """Of one order; `kills` of the engine while the clients are called back."""

    order: CallbackOrder
    full: int
    scaled: int
    briefing: bool = False
    full_kills: int = 0
    scaled_kills: int = 0
    talk_ms: Duration = TALK_MS

    def __str__(self) -> str:
        killed = ", engine killed" if self.full_kills else ""
        return self.order.value.replace("_", " ") + killed


RUNS = (
    Run(CallbackOrder.AGENT_FIRST, full=100, scaled=5, briefing=True),
    Run(CallbackOrder.CLIENT_FIRST, full=100, scaled=5),
    Run(
        CallbackOrder.AGENT_FIRST, full=60, scaled=3, full_kills=8, scaled_kills=1, talk_ms=STAYS_MS
    ),
)


@dataclass
class Rings:
    """Of the clients' telephones, as they counted them."""

    engine: EngineProcess
    invited: list[Happening]
    per_attempt: dict[tuple[DebtId, int], int] = field(default_factory=lambda: defaultdict(int))
    skipped: list[DebtId] = field(default_factory=list)

    def count(self) -> None:
        """A ring belongs to the attempt that was begun last before it."""
        settings = self.engine.settings
        directory = SqlDirectory.open(Location(settings.data_dir, settings.database_url or ""))
        facts = self.engine.facts()
        debts = {fact.debt: fact.person for fact in facts if isinstance(fact, DebtOpened)}
        dialled: dict[DebtId, list[ClientDialled]] = defaultdict(list)
        for fact in facts:
            if isinstance(fact, ClientDialled):
                dialled[fact.debt].append(fact)
        for debt, person in debts.items():
            number = (directory.number_of(person) or "").removeprefix("+")
            rung = [one.at for one in self.invited if one.agent.removeprefix("+") == number]
            if not rung:
                self.skipped.append(debt)
            begun = [fact.at / SECOND for fact in dialled[debt]]
            for at in rung:
                self.per_attempt[debt, bisect_right(begun, at)] += 1
        directory.close()


def the_plan(run: Run, callers_port: int, clients_port: int) -> Plan:
    step = Step(groups=(GroupId("all"),))
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False, wrap_up_ms=0)
    rule = CallbackRule(
        RuleId("at-once"), order=run.order, briefing=run.briefing, gap_ms_min=SECOND
    )
    return plan_of(
        AGENTS,
        callers_port=callers_port,
        clients_port=clients_port,
        queues=(queue,),
        callback_rules=(rule,),
        thresholds=Thresholds(short_ms=SECOND),
    )


def owe(running: Running, engine: EngineProcess, count: int, place: Path, port: int) -> None:
    """They call, nobody is there, they hang up."""
    calls = [Call(f"7916{n:07}", NUMBER) for n in range(count)]
    with Caller(running, calls, place, port=port, rate=10, patience_ms=PATIENCE_MS) as callers:
        until_now(callers.finished, 60, callers.trouble)
    until_now(lambda: engine.ledger()["debts_open"] == count, 15, engine.log_tail)


def kill_now_and_then(engine: EngineProcess, times: int) -> None:
    """At moments drawn from the seed."""
    chance, pause = random.Random(SEED), threading.Event()
    for _ in range(times):
        pause.wait(chance.uniform(0.5, 4.0))
        engine.kill()
        engine.start()


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_with_two_fifths_of_replies_lost_each_client_is_rung_once_an_attempt_and_none_is_skipped(
    figures: Figures, tmp_path: Path, run: Run
) -> None:
    owed = run.full if figures.full else run.scaled
    kills = run.full_kills if figures.full else run.scaled_kills
    callers_port, clients_port = free_udp_port(), free_udp_port()
    with (
        asterisk(the_plan(run, callers_port, clients_port), tmp_path) as running,
        AriProxy(running.site.http_port, seed=SEED) as proxy,
        EngineProcess(running, tmp_path, ari_port=proxy.port) as engine,
    ):
        owe(running, engine, owed, tmp_path, callers_port)
        with (
            Phone(running, AGENTS, Answering(answer_after_ms=400), tmp_path),
            Phone(
                running,
                [],
                Answering(answer_after_ms=600, talk_ms=run.talk_ms),
                tmp_path / "clients",
                port=clients_port,
            ) as clients,
            Onlooker(running) as onlooker,
        ):
            proxy.lose(before=SHARE, after=SHARE)
            engine.sign_in(*AGENTS)
            kill_now_and_then(engine, kills)
            until_now(lambda: engine.ledger()["open"] == 0, 60 + 3 * owed, engine.log_tail)
            until_now(lambda: not onlooker.left_behind(), 40, onlooker.left_behind)
            proxy.lose()
            rings = Rings(engine, clients.of("invited"))
        rings.count()
        outcomes = [fact.outcome for fact in engine.facts() if isinstance(fact, AttemptMade)]
        status, ledger = engine.told_ledger()
    longest_s = max(seen.silent_s for seen in onlooker.clients.values())
    assert ledger["recovered"] == owed, ledger
    assert status == 0
    assert rings.skipped == []
    assert max(rings.per_attempt.values()) == 1, rings.per_attempt
    assert onlooker.never_connected() == []
    assert longest_s <= SILENT_S_MAX
    assert proxy.lost_count("before") > owed
    assert proxy.lost_count("after") > owed
    figures.state(f"{run}: call-backs / reached", f"{owed} / {ledger['recovered']}", "equal")
    lost = f"{proxy.lost_count('before')} before, {proxy.lost_count('after')} after"
    figures.state(f"{run}: replies lost of {sum(proxy.carried.values())} requests", lost, "20 %")
    if kills:
        figures.state(f"{run}: kill -9 of the engine meanwhile", kills, kills)
    figures.state(f"{run}: rings per attempt, at most", max(rings.per_attempt.values()), 1)
    figures.state(f"{run}: clients never rung", len(rings.skipped), 0)
    again = sum(outcome is not AttemptOutcome.REACHED for outcome in outcomes)
    figures.state(f"{run}: attempts that did not reach him", again, "stated")
    figures.state(
        f"{run}: longest from a client's answer to his agent, s", f"{longest_s:.1f}", SILENT_S_MAX
    )
    figures.state(f"{run}: who answered and was never connected", 0, 0)
