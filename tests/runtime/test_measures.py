"""Metrics: what a monitor reads after calls have come, been answered, missed and owed."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from perezvon.core.engine import Engine
from perezvon.core.events import EndCause, LegEnded, NumberClass
from perezvon.core.facts import (
    CallAnswered,
    CallMissed,
    CallOwed,
    CallReceived,
    DebtOpened,
    DebtSettled,
    MissCause,
    MissReason,
    Settlement,
)
from perezvon.core.ids import (
    HOUR,
    SECOND,
    AgentId,
    CallId,
    DebtId,
    Instant,
    LegId,
    PersonId,
    PlanVersion,
    QueueId,
    RuleId,
)
from perezvon.runtime.alerts import AlertKind, Alerts
from perezvon.runtime.measures import Guard, Measures
from tests.core.office import START, Office, office_plan

DOCS = Path(__file__).parents[2] / "docs"
SALES = QueueId("sales")
WELL = Guard(beating=True, halted=False, durable=True, lease_held=True, inbox=3)


class Standing:
    """An engine as it stands."""

    def __init__(self, engine: Engine, now: Instant) -> None:
        self.engine = engine
        self.now = now


def read(measures: Measures) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name and values of labels, by the labels' names → value, as a monitor parses it."""
    return {
        (sample.name, tuple(sample.labels[label] for label in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(measures.text())
        for sample in family.samples
    }


@pytest.mark.parametrize("guide", ["metrics.md", "metrics.ru.md"])
def test_the_guide_names_every_metric(guide: str) -> None:
    measures = Measures()
    measures.watch(Standing(Office(office_plan()).engine, START), lambda: WELL, Alerts(lambda: 0))
    named = set(re.findall(r"`perezvon_(\w+)`", (DOCS / guide).read_text(encoding="utf-8")))
    families = text_string_to_metric_families(measures.text())
    told = {each.name.removeprefix("perezvon_") for each in families}
    process = {name for name in told if name.startswith("engine_")}
    web = {"engine_up", "recordings_at_rest"}
    assert named == told - process | web | {"engine_resident_memory_bytes"}


def received(call: str) -> CallReceived:
    return CallReceived(
        START, CallId(call), LegId(call), "7", SALES, PersonId("p"), NumberClass.MOBILE, None,
        PlanVersion("1"), known_number=True,
    )  # fmt: skip


def test_each_call_is_counted_by_its_end_and_its_queue() -> None:
    measures = Measures()
    missed = CallMissed(
        START, CallId("b"), MissReason.LEFT_WAITING, MissCause.OVERLOADED, 40_000, ()
    )  # fmt: skip
    owed = CallOwed(START, CallId("b"), DebtId("d"))
    answered = CallAnswered(START, CallId("a"), AgentId("ana"), SALES, 7_000)
    measures.turned([received("a"), received("b"), answered, missed, owed], [0.002] * 3, 0.001)
    seen = read(measures)
    assert seen["perezvon_calls_total", ("answered", "sales")] == 1
    assert seen["perezvon_calls_total", ("owed", "sales")] == 1
    assert seen["perezvon_wait_seconds_bucket", ("10.0", "answered")] == 1
    assert seen["perezvon_wait_seconds_bucket", ("30.0", "missed")] == 0
    assert seen["perezvon_wait_seconds_bucket", ("45.0", "missed")] == 1
    assert seen["perezvon_events_total", ()] == 3
    assert seen["perezvon_event_lag_seconds_count", ()] == 3
    assert seen["perezvon_journal_commit_seconds_count", ()] == 1


def test_debts_are_counted_as_they_are_opened_and_settled() -> None:
    measures = Measures()
    opened = DebtOpened(
        START, DebtId("d"), PersonId("p"), CallId("a"), SALES, MissReason.TIMED_OUT, RuleId("r"),
        None, START, PlanVersion("1"),
    )  # fmt: skip
    settled = DebtSettled(START, DebtId("d"), PersonId("p"), Settlement.RECOVERED, 1, "ana")
    measures.turned([opened, settled], [], 0.001)
    seen = read(measures)
    assert seen["perezvon_debts_opened_total", ("timed_out",)] == 1
    assert seen["perezvon_debts_settled_total", ("recovered",)] == 1


def test_what_stands_is_read_when_somebody_asks() -> None:
    office = Office(office_plan())
    measures = Measures()
    alerts = Alerts(lambda: START)
    measures.watch(Standing(office.engine, START), lambda: WELL, alerts)
    assert read(measures)["perezvon_alerts_open", ("trunk_down",)] == 0
    alerts.raise_(AlertKind.TRUNK_DOWN, "carrier")
    seen = read(measures)
    assert seen["perezvon_alerts_open", ("trunk_down",)] == 1
    assert seen["perezvon_alerts_raised", ("trunk_down",)] == 1
    assert seen["perezvon_guard", ("beating",)] == 1
    assert seen["perezvon_guard", ("halted",)] == 0
    assert seen["perezvon_inbox", ()] == 3
    assert seen["perezvon_reconciliation_difference", ("unseen",)] == 0
    assert seen["perezvon_ledger", ("open",)] == 0
    assert sum(value for (name, _), value in seen.items() if name == "perezvon_agents") == len(
        office.engine.agents
    )


def test_open_debts_are_shown_by_state_and_age() -> None:
    office = Office(office_plan())
    measures = Measures()
    measures.watch(Standing(office.engine, START + 2 * HOUR), lambda: WELL, Alerts(lambda: START))
    caller = office.call()
    office.later(20 * SECOND)
    office.tell(LegEnded(caller, EndCause.CANCELLED))
    debts = {key: value for key, value in read(measures).items() if key[0] == "perezvon_debts"}
    assert list(debts.values()) == [1]
    ((_, (age, _)),) = debts
    assert age == "4h"
