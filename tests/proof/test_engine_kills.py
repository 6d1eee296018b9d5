"""kill -9 of the engine with callers waiting and callers talking: nobody is lost by it."""

from pathlib import Path

import pytest

from perezvon.core.ids import SECOND, GroupId, QueueId
from perezvon.core.plan import Queue, Step, Trunk
from tests.proof.conftest import Figures
from tests.support.asterisk import asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("kills")]

AGENTS = tuple(f"agent-{n:02}" for n in range(1, 6))


def test_talks_go_on_and_the_waiting_are_served_over_kills_of_the_engine(
    figures: Figures, tmp_path: Path
) -> None:
    kills, talk_ms = (5, 60 * SECOND) if figures.full else (2, 25 * SECOND)
    callers_port = free_udp_port()
    step = Step(groups=(GroupId("all"),))
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False, wrap_up_ms=0)
    others_port = free_udp_port()
    trunk = Trunk(
        CARRIER,
        "127.0.0.1",
        callers_port,
        match=tuple(f"127.0.0.1:{port}" for port in (callers_port, others_port)),
    )
    plan = plan_of(AGENTS, callers_port=callers_port, queues=(queue,), trunks=(trunk,))
    talking = [Call(f"7916{n:07}", NUMBER) for n in range(5)]
    waiting = [Call(f"7917{n:07}", NUMBER) for n in range(5)]
    restarts: list[float] = []
    with (
        asterisk(plan, tmp_path) as running,
        EngineProcess(running, tmp_path) as engine,
        Phone(running, AGENTS, Answering(answer_after_ms=200, talk_ms=talk_ms), tmp_path) as phones,
    ):
        engine.sign_in(*AGENTS)
        with (
            Caller(
                running, talking, tmp_path / "talking", port=callers_port, talk_ms=talk_ms
            ) as first,
        ):
            until_now(lambda: len(first.of("answered")) == 5, 15, first.trouble)
            until_now(lambda: len(phones.of("answered")) >= 5, 15, phones.trouble)
            with Caller(
                running,
                waiting,
                tmp_path / "waiting",
                port=others_port,
                talk_ms=2_000,
                patience_ms=180_000,
            ) as second:
                until_now(lambda: engine.ledger()["arrivals"] == 10, 15, engine.log_tail)
                for _ in range(kills):
                    engine.kill()
                    assert not first.of("ended_by_other", "refused")
                    assert not second.of("ended_by_other", "refused")
                    restarts.append(engine.start().restart_s)
                    assert engine.ledger()["balanced"]
                assert not first.finished()
                until_now(first.finished, 90, first.trouble)
                until_now(second.finished, 90, second.trouble)
        until_now(lambda: engine.ledger()["in_progress"] == 0, 40, engine.log_tail)
        status, ledger = engine.told_ledger()
        in_cel = engine.arrivals_in_cel()
    assert len(first.of("hung_up", "ended_by_other")) == 5, first.trouble()
    assert len(second.of("hung_up", "ended_by_other")) == 5, second.trouble()
    assert status == 0
    assert ledger["arrivals"] == len(in_cel) == 10
    assert ledger["in_progress"] == 0
    assert ledger["answered"] == 10, ledger
    figures.state("kill -9 with 5 talking and 5 waiting", kills, kills)
    figures.state("talks cut by it", 5 - len(first.of("hung_up", "ended_by_other")), 0)
    figures.state("waiting callers served in the end", len(second.of("answered")), 5)
    figures.state("longest from start of the engine to its heartbeat, s", f"{max(restarts):.1f}", 4)
    figures.state(
        "ledger: arrivals / with an end",
        f"{ledger['arrivals']} / {ledger['arrivals'] - ledger['in_progress']}",
        "10 / 10",
    )
