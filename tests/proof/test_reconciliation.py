"""Two accounts of each inbound attempt: what happened in our absence is known, and what differs.

Callers come while the engine is dead, and CEL is put aside under its eyes: who was answered in the
fallback, by whom and when, and who left, is in the ledger after its return. An attempt of which
only CEL has a row, and one of which only we know, are alerts and a difference in `perezvon ledger`.
"""

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from perezvon.core.facts import Difference, MissReason
from perezvon.core.ids import SECOND, Instant
from perezvon.core.plan import Trunk
from perezvon.runtime import local
from perezvon.runtime.alerts import AlertKind
from perezvon.store.calls import CallRow, CallState, list_calls
from perezvon.store.database import Location
from perezvon.store.debts import DebtState, Wanted, list_debts
from perezvon.store.projection import Projection
from tests.proof.conftest import Figures
from tests.support.asterisk import Running, asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Happening, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("kills")]

ANNA = "anna"
SLACK_MS = 2 * SECOND
"""queue_log has whole seconds, and a busy machine is late."""

UNSEEN_S = 120
"""It may take a minute until an end that CEL never tells is a difference."""


@dataclass
class House:
    running: Running
    engine: EngineProcess
    phone: Phone
    place: Path
    free_ports: list[int]
    """By which the trunk is known: one for each who calls."""

    def caller(self, number: str, *, talk_ms: int) -> Caller:
        calls, place = [Call(number, NUMBER)], self.place / number
        return Caller(self.running, calls, place, port=self.free_ports.pop(), talk_ms=talk_ms)

    def put_cel_aside(self, name: str) -> None:
        """As `AsteriskProcess.tend` does when it is long."""
        cel = self.running.process.places.cel
        cel.rename(cel.with_name(f"{cel.name}.{name}"))

    def write_to_cel(self, number: str) -> None:
        """An attempt that was never made, of this second."""
        second, tenant = int(time.time()), self.running.plan.tenant
        leg, channel = f"{second}.999999", "PJSIP/trunk-carrier-0000ffff"
        with self.running.process.places.cel.open("a") as cel:
            for kind, context in (("CHAN_START", "inbound"), ("CHAN_END", "guard")):
                cel.write(
                    f'"{kind}","{second}.000000","{leg}","{leg}","{context}-{tenant}","{NUMBER}",'
                    f'"{channel}","{number}",""\n'
                )

    def calls(self) -> list[CallRow]:
        """In the order in which they came."""
        with self._views() as projection:
            rows = list_calls(projection.views).items
        return sorted(rows, key=lambda row: row.received_at)

    def owed(self) -> set[str]:
        """The calls that opened the debts that are open."""
        with self._views() as projection:
            debts = list_debts(projection.views, Wanted(states=[DebtState.OPEN])).items
        return {debt.first_call for debt in debts}

    def alerts(self) -> set[tuple[str, str]]:
        return asyncio.run(_alerts_of(self.engine.settings.engine_socket))

    def until_counted(self, attempts: int) -> None:
        def counted() -> bool:
            ledger = self.engine.ledger()
            return bool(ledger["arrivals"] == attempts and ledger["in_progress"] == 0)

        until_now(counted, 40, self.engine.log_tail)
        self.engine.until_told()

    @contextlib.contextmanager
    def _views(self) -> Iterator[Projection]:
        settings = self.engine.settings
        projection = Projection.open(Location(settings.data_dir, settings.database_url or ""))
        try:
            projection.catch_up_fully()
            yield projection
        finally:
            projection.views.close()
            projection.close()


async def _alerts_of(socket: Path) -> set[tuple[str, str]]:
    async with contextlib.aclosing(local.follow(socket)) as told:
        board = await anext(told)
    return {(row["kind"], row["about"]) for row in board["sections"].get("alerts", {}).values()}


def moment(happening: Happening) -> Instant:
    return round(happening.at * SECOND)


def is_about(one: Instant | None, other: Happening) -> bool:
    return one is not None and abs(one - moment(other)) <= SLACK_MS


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    place = tmp_path
    ports = [free_udp_port() for _ in range(3)]
    trunk = Trunk(CARRIER, "127.0.0.1", ports[0], match=tuple(f"127.0.0.1:{p}" for p in ports))
    with (
        asterisk(plan_of((ANNA,), callers_port=ports[0], trunks=(trunk,)), place) as running,
        EngineProcess(running, place) as engine,
        Phone(running, (ANNA,), Answering(answer_after_ms=200), place) as phone,
    ):
        yield House(running, engine, phone, place, ports)


def test_what_the_fallback_did_in_our_absence_is_in_the_ledger_with_its_true_times(
    house: House, figures: Figures
) -> None:
    house.engine.kill()
    answered = house.caller("79160000001", talk_ms=12_000)
    left = house.caller("79160000002", talk_ms=4_000)
    with answered:
        until_now(lambda: bool(house.phone.of("answered")), 30, answered.trouble)
        house.put_cel_aside("1")
        with left:
            until_now(left.finished, 30, left.trouble)
        house.put_cel_aside("2")
        until_now(answered.finished, 30, answered.trouble)
    house.engine.start()
    house.until_counted(2)
    first, second = house.calls()
    assert (first.state, first.agent, first.in_fallback) == (CallState.ANSWERED, ANNA, True)
    assert is_about(first.received_at, answered.of("called")[0])
    assert is_about(first.answered_at, house.phone.of("answered")[0])
    assert is_about(first.ended_at, answered.of("hung_up")[0])
    assert (second.state, second.miss_reason) == (CallState.OPEN, MissReason.ABANDONED_IN_FALLBACK)
    assert is_about(second.received_at, left.of("called")[0])
    assert is_about(second.ended_at, left.of("hung_up")[0])
    assert house.owed() == {second.id}
    status, ledger = house.engine.told_ledger()
    told = ledger["reconciliation"]
    assert (status, told["difference"]) == (0, 0), ledger
    assert (told["cel_arrivals"], told["fallback_calls"]) == (2, 2)
    figures.state("attempts in our absence / in the ledger", f"2 / {told['fallback_calls']}", "2")
    figures.state("reconciliation difference after it", told["difference"], 0)


@pytest.mark.in_full
def test_who_waited_in_the_fallback_when_the_switch_was_killed_is_owed(
    house: House, figures: Figures
) -> None:
    house.engine.kill()
    running = house.running
    with house.caller("79160000001", talk_ms=120_000) as waits:
        until_now(lambda: bool(house.phone.of("answered")), 30, waits.trouble)
        with house.caller("79160000002", talk_ms=120_000) as cut:
            queue_log = running.process.places.queue_log
            until_now(lambda: queue_log.read_text().count("ENTERQUEUE") == 2, 30, cut.trouble)
            running.process.kill()
    asyncio.run(running.process.start())
    house.engine.start()
    house.until_counted(2)
    talked, waited = house.calls()
    assert (talked.state, talked.agent) == (CallState.ANSWERED, ANNA)
    assert (waited.state, waited.miss_reason) == (CallState.OPEN, MissReason.ABANDONED_IN_FALLBACK)
    assert house.owed() == {waited.id}
    status, ledger = house.engine.told_ledger()
    assert (status, ledger["reconciliation"]["difference"]) == (0, 0), ledger
    figures.state("in the fallback when the switch was killed / in the ledger", "2 / 2", "2")


def test_an_attempt_of_which_only_cel_has_a_row_is_an_alert_a_debt_and_a_difference(
    house: House, figures: Figures
) -> None:
    house.write_to_cel("79160000003")
    wanted = (AlertKind.RECONCILIATION.value, Difference.UNHEARD.value)
    until_now(lambda: wanted in house.alerts(), 30, house.engine.log_tail)
    (unheard,) = house.calls()
    assert (unheard.difference, unheard.state) == (Difference.UNHEARD, CallState.OPEN)
    assert house.owed() == {unheard.id}
    status, ledger = house.engine.told_ledger()
    assert (status, ledger["balanced"], ledger["reconciliation"]["difference"]) == (1, True, 1)
    figures.state("difference after a row in CEL of a call that never was", 1, 1)


@pytest.mark.in_full
def test_an_attempt_of_which_cel_has_no_row_is_an_alert_and_a_difference(
    house: House, figures: Figures
) -> None:
    house.engine.sign_in(ANNA)
    with house.caller("79160000003", talk_ms=1_000) as seen:
        until_now(seen.finished, 60, seen.trouble)
    house.running.cli("module unload cel_custom.so")
    with house.caller("79160000004", talk_ms=3_000) as served:
        until_now(served.finished, 60, served.trouble)
    house.running.cli("module load cel_custom.so")
    wanted = (AlertKind.RECONCILIATION.value, Difference.UNSEEN.value)
    until_now(lambda: wanted in house.alerts(), UNSEEN_S, house.engine.log_tail)
    _, unseen = house.calls()
    assert unseen.difference == Difference.UNSEEN
    status, ledger = house.engine.told_ledger()
    told = ledger["reconciliation"]
    assert (status, ledger["balanced"]) == (1, True)
    assert (told["cel_arrivals"], told["unseen"], told["difference"]) == (1, 1, 1)
    figures.state("difference after a call whose rows were kept from CEL", 1, 1)
