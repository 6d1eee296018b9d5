"""kill -9 of the engine with callers waiting and callers talking: nobody is lost by it."""

from pathlib import Path

import pytest

from perezvon.core.ids import SECOND, GroupId, QueueId
from perezvon.core.plan import Plan, Queue, Step, Trunk
from tests.proof.conftest import Figures
from tests.support.asterisk import asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("kills")]

PARTY = 5
AGENTS = tuple(f"agent-{n:02}" for n in range(1, PARTY + 1))


def the_plan(*callers_ports: int) -> Plan:
    """The line is not picked up before an agent does: who is answered talks with somebody."""
    step = Step(groups=(GroupId("all"),))
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False, wrap_up_ms=0)
    match = tuple(f"127.0.0.1:{port}" for port in callers_ports)
    trunk = Trunk(CARRIER, "127.0.0.1", callers_ports[0], match=match)
    return plan_of(AGENTS, callers_port=callers_ports[0], queues=(queue,), trunks=(trunk,))


def calls(prefix: str) -> list[Call]:
    return [Call(f"{prefix}{n:07}", NUMBER) for n in range(PARTY)]


def test_talks_go_on_and_the_waiting_are_served_over_kills_of_the_engine(
    figures: Figures, tmp_path: Path
) -> None:
    kills, talk_ms = (5, 60 * SECOND) if figures.full else (2, 25 * SECOND)
    ports = free_udp_port(), free_udp_port()
    restarts: list[float] = []
    with (
        asterisk(the_plan(*ports), tmp_path) as running,
        EngineProcess(running, tmp_path) as engine,
        Phone(running, AGENTS, Answering(answer_after_ms=200), tmp_path) as phones,
    ):
        engine.sign_in(*AGENTS)
        talking = Caller(
            running, calls("7916"), tmp_path / "talking", port=ports[0], talk_ms=talk_ms
        )
        waiting = Caller(
            running,
            calls("7917"),
            tmp_path / "waiting",
            port=ports[1],
            talk_ms=2_000,
            patience_ms=180_000,
        )
        with talking:
            until_now(lambda: len(talking.of("answered")) == PARTY, 15, talking.trouble)
            until_now(lambda: len(phones.of("answered")) >= PARTY, 15, phones.trouble)
            with waiting:
                until_now(lambda: engine.ledger()["arrivals"] == 2 * PARTY, 15, engine.log_tail)
                for _ in range(kills):
                    engine.kill()
                    assert not talking.of("ended_by_other", "refused")
                    assert not waiting.of("ended_by_other", "refused")
                    restarts.append(engine.start().restart_s)
                    assert engine.ledger()["balanced"]
                assert not talking.finished()
                until_now(talking.finished, 90, talking.trouble)
                until_now(waiting.finished, 90, waiting.trouble)
        until_now(lambda: engine.ledger()["in_progress"] == 0, 40, engine.log_tail)
        status, ledger = engine.told_ledger()
        in_cel = engine.arrivals_in_cel()
    assert len(talking.of("hung_up", "ended_by_other")) == PARTY, talking.trouble()
    assert len(waiting.of("hung_up", "ended_by_other")) == PARTY, waiting.trouble()
    assert status == 0
    assert ledger["arrivals"] == ledger["answered"] == len(in_cel) == 2 * PARTY, ledger
    figures.state(f"kill -9 with {PARTY} talking and {PARTY} waiting", kills, kills)
    figures.state("talks cut by it", PARTY - len(talking.of("hung_up", "ended_by_other")), 0)
    figures.state("waiting callers served in the end", len(waiting.of("answered")), PARTY)
    figures.state("longest from start of the engine to its heartbeat, s", f"{max(restarts):.1f}", 4)
    ended = ledger["arrivals"] - ledger["in_progress"]
    figures.state(
        "arrivals in CEL / with an end in the ledger", f"{len(in_cel)} / {ended}", "equal"
    )
