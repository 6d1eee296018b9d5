"""kill -9 of Asterisk with callers talking and waiting: all are owed and called back, once each.

The Asterisk of a whole installation, which `up` starts again. Its callers' telephones hear nothing
more of it; the agents' register again, as real ones do. Counted at the clients' telephone.
"""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from perezvon.core.facts import AttemptStarted, CallReceived, DebtOpened, Fact
from perezvon.core.ids import SECOND, GroupId, QueueId, RuleId
from perezvon.core.plan import CallbackRule, Plan, Queue, Step, Trunk
from tests.proof.conftest import Figures
from tests.support.installation import Installation
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("switch-kills")]

EAGER = Answering(answer_after_ms=200)
CLIENT = Answering(answer_after_ms=300, talk_ms=1_000)
BACK_S_MAX = 120
"""From Asterisk's return until the last one was called back."""

SETTLE_S = 60


def the_plan(agents: tuple[str, ...], callers_port: int, clients_port: int) -> Plan:
    """The line is not picked up before an agent does: who is answered talks with somebody."""
    step = Step(groups=(GroupId("all"),), ring_ms=10 * SECOND)
    queue = Queue(QueueId("sales"), "Sales", (step,), answer_first=False, wrap_up_ms=0)
    rule = CallbackRule(RuleId("at-once"), briefing=False)
    trunk = Trunk(CARRIER, "127.0.0.1", clients_port, match=(f"127.0.0.1:{callers_port}",))
    return plan_of(
        agents,
        callers_port=callers_port,
        queues=(queue,),
        callback_rules=(rule,),
        trunks=(trunk,),
    )


def test_all_who_talked_or_waited_are_called_back_once_after_a_kill_of_asterisk(
    figures: Figures, tmp_path: Path
) -> None:
    kills, talking, waiting = (20, 20, 5) if figures.full else (1, 6, 2)
    agents = tuple(f"agent-{n:02}" for n in range(1, talking + 1))
    ports = free_udp_port(), free_udp_port()
    party = talking + waiting
    took_s: list[float] = []
    with Installation(the_plan(agents, *ports), tmp_path) as whole:
        with Phone(whole.running, [], CLIENT, tmp_path / "clients", port=ports[1]) as clients:
            for turn in range(kills):
                calls = [Call(f"79{turn:02}{n:07}", NUMBER) for n in range(1, party + 1)]
                place = tmp_path / f"kill-{turn}"
                took_s.append(_kill_once(whole, agents, calls, ports[0], place))
            rung = Counter(one.agent.removeprefix("+") for one in clients.of("invited"))
        facts = whole.facts()
        status, ledger = whole.told_ledger()
        in_cel = whole.arrivals_in_cel()
    everyone = kills * party
    assert len(rung) == everyone
    assert set(rung.values()) == {1}
    attempts = _attempts(facts)
    assert list(dict.fromkeys(attempts)) == _order_of_arrivals(facts)
    assert max(took_s) <= BACK_S_MAX
    assert ledger["recovered"] == ledger["arrivals"] == len(in_cel) == everyone
    assert status == 0
    figures.state(f"kill -9 of Asterisk, {talking} talking and {waiting} waiting", kills, kills)
    figures.state("owed and called back", ledger["recovered"], everyone)
    figures.state("rings of a client's telephone, at most", max(rung.values()), 1)
    figures.state("called back in the order in which they had called", "yes", "yes")
    figures.state("tried once more, as the trunk had failed", len(attempts) - everyone, "stated")
    figures.state("longest from Asterisk's return to the last talk, s", f"{max(took_s):.0f}",
                  BACK_S_MAX)  # fmt: skip
    figures.state("arrivals: ledger / CEL", f"{ledger['arrivals']} / {len(in_cel)}", "equal")


def _kill_once(
    whole: Installation, agents: tuple[str, ...], calls: list[Call], port: int, place: Path
) -> float:
    """Seconds from Asterisk's return until all had been called back."""
    before = whole.ledger()

    def risen(what: str) -> int:
        return int(whole.ledger()[what]) - int(before[what])

    with (
        Phone(whole.running, agents, EAGER, place / "before"),
        Caller(
            whole.running, calls, place, port=port, rate=10, talk_ms=600_000, patience_ms=600_000
        ),
    ):
        whole.sign_in(*agents)
        until_now(lambda: risen("arrivals") == len(calls), SETTLE_S, whole.log_tail)
        # By the engine's word: an answer counts when the talk has lasted.
        until_now(lambda: risen("answered") == len(agents), SETTLE_S, whole.log_tail)
        killed = whole.pid_of("asterisk")
        os.kill(killed, signal.SIGKILL)
    until_now(lambda: whole.pid_of("asterisk") != killed, SETTLE_S, whole.log_tail)
    until_now(whole.has_booted, SETTLE_S, whole.log_tail)
    returned_at = time.monotonic()
    with Phone(whole.running, agents, EAGER, place / "after"):
        until_now(lambda: risen("recovered") == len(calls), 2 * BACK_S_MAX, whole.log_tail)
        took_s = time.monotonic() - returned_at
        until_now(lambda: whole.ledger()["in_progress"] == 0, SETTLE_S, whole.log_tail)
    return took_s


def _order_of_arrivals(facts: list[Fact]) -> list[str]:
    return [str(fact.call) for fact in facts if isinstance(fact, CallReceived)]


def _attempts(facts: list[Fact]) -> list[str]:
    """The calls that the debts are of, as they were tried."""
    call_of = {fact.debt: str(fact.call) for fact in facts if isinstance(fact, DebtOpened)}
    return [call_of[fact.debt] for fact in facts if isinstance(fact, AttemptStarted)]
