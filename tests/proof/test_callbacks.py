"""Callers who hung up become debts, and every debt is worked off by calling back, once each."""

from collections import Counter
from pathlib import Path

import pytest

from perezvon.core.facts import ClientDialled, DebtSettled, Settlement
from perezvon.core.ids import SECOND, GroupId, QueueId, RuleId
from perezvon.core.plan import CallbackOrder, CallbackRule, Plan, Queue, Step, Thresholds
from tests.proof.conftest import Figures
from tests.support.asterisk import Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("callbacks")]

AGENTS = tuple(f"agent-{n:02}" for n in range(1, 13))
PATIENCE_MS = 8 * SECOND
IMPATIENT_MS = 1 * SECOND


def the_plan(order: CallbackOrder, callers_port: int, clients_port: int) -> Plan:
    step = Step(groups=(GroupId("all"),))
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False)
    rule = CallbackRule(RuleId("at-once"), order=order, briefing=False)
    return plan_of(
        AGENTS,
        callers_port=callers_port,
        clients_port=clients_port,
        queues=(queue,),
        callback_rules=(rule,),
        thresholds=Thresholds(short_ms=3 * SECOND),
    )


def miss(running: Running, numbers: list[str], place: Path, port: int, patience_ms: int) -> None:
    """They call, nobody is there, they hang up."""
    calls = [Call(number, NUMBER) for number in numbers]
    with Caller(running, calls, place, port=port, rate=10, patience_ms=patience_ms) as callers:
        until_now(callers.finished, 60, callers.trouble)
    assert len(callers.of("left", "hung_up")) == len(numbers), callers.trouble()


@pytest.mark.parametrize("order", list(CallbackOrder))
def test_all_who_hung_up_are_owed_called_back_once_and_recovered(
    figures: Figures, tmp_path: Path, order: CallbackOrder
) -> None:
    owed, short = (50, 10) if figures.full else (12, 4)
    callers_port, clients_port = free_udp_port(), free_udp_port()
    plan = the_plan(order, callers_port, clients_port)
    patient = [f"7916{n:07}" for n in range(owed)]
    impatient = [f"7917{n:07}" for n in range(short)]
    with asterisk(plan, tmp_path) as running, EngineProcess(running, tmp_path) as engine:
        miss(running, patient, tmp_path, callers_port, PATIENCE_MS)
        miss(running, impatient, tmp_path / "short", callers_port, IMPATIENT_MS)
        until_now(lambda: engine.ledger()["in_progress"] == 0, 10, engine.log_tail)
        before = engine.ledger()
        assert before["debts_open"] == owed
        assert before["waived"] == short
        with (
            Phone(running, AGENTS, Answering(answer_after_ms=400), tmp_path),
            Phone(
                running,
                [],
                Answering(answer_after_ms=600, talk_ms=6_000),
                tmp_path / "clients",
                port=clients_port,
            ) as clients,
        ):
            engine.sign_in(*AGENTS)
            until_now(lambda: engine.ledger()["open"] == 0, 60 + 3 * owed, engine.log_tail)
            invited = Counter(one.agent for one in clients.of("invited"))
        facts = engine.facts()
        status, ledger = engine.told_ledger()
    attempts = Counter(fact.debt for fact in facts if isinstance(fact, ClientDialled))
    assert ledger["recovered"] == owed
    assert status == 0
    assert sum(invited.values()) == owed
    assert set(attempts.values()) == {1}
    assert max(invited.values()) == 1
    name = order.value.replace("_", " ")
    figures.state(f"{name}: hung up after 8 s / debts", f"{owed} / {before['debts_open']}", owed)
    figures.state(f"{name}: hung up after 1 s / waived", f"{short} / {before['waived']}", short)
    figures.state(f"{name}: recovered", ledger["recovered"], owed)
    figures.state(f"{name}: rings of a client's telephone per attempt", max(invited.values()), 1)


@pytest.mark.parametrize("order", list(CallbackOrder))
def test_a_client_who_calls_in_during_his_callback_talks_once_and_reached_us_himself(
    figures: Figures, tmp_path: Path, order: CallbackOrder
) -> None:
    callers_port, clients_port = free_udp_port(), free_udp_port()
    plan = the_plan(order, callers_port, clients_port)
    number = "79161112233"
    with asterisk(plan, tmp_path) as running, EngineProcess(running, tmp_path) as engine:
        miss(running, [number], tmp_path, callers_port, PATIENCE_MS)
        with (
            Phone(running, AGENTS[:2], Answering(answer_after_ms=300), tmp_path) as phones,
            Phone(
                running,
                [],
                Answering(answer_after_ms=None),
                tmp_path / "clients",
                port=clients_port,
            ) as clients,
        ):
            engine.sign_in(*AGENTS[:2])
            until_now(lambda: bool(clients.of("rings")), 15, engine.log_tail)
            with Caller(
                running,
                [Call(number, NUMBER)],
                tmp_path / "again",
                port=callers_port,
                talk_ms=3_000,
            ) as again:
                until_now(again.finished, 30, again.trouble)
            until_now(lambda: engine.ledger()["in_progress"] == 0, 10, engine.log_tail)
            assert len(again.of("answered")) == 1
            assert not clients.of("answered")
            until_now(lambda: bool(clients.of("cancelled")), 5, clients.trouble)
            talked = [one for one in phones.of("answered") if one.caller]
        settled = [fact for fact in engine.facts() if isinstance(fact, DebtSettled)]
        _, ledger = engine.told_ledger()
    assert talked
    assert [fact.how for fact in settled] == [Settlement.REACHED_US]
    assert ledger["reached_us"] == ledger["answered"] == 1
    name = order.value.replace("_", " ")
    figures.state(f"{name}: calls in during his call-back: talks", ledger["answered"], 1)
    figures.state(f"{name}: his debt", settled[0].how.value, Settlement.REACHED_US.value)
