"""Metrics in Prometheus's form: what a monitor draws curves of and wakes somebody up by.

Counters and histograms grow as turns are handled; what stands still (calls, debts, agents,
alerts) is read from the engine when somebody asks. No number, name or id of a client is in them,
and no label has more values than the plan has queues. docs/metrics.md lists them all.
"""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from perezvon.core import facts as f
from perezvon.core.debt import Debt
from perezvon.core.engine import Engine
from perezvon.core.ids import DAY, HOUR, MINUTE, SECOND, Duration, Instant
from perezvon.runtime.alerts import AlertKind, Alerts

# When each counter began is said by the start of the process.
disable_created_metrics()  # type: ignore[no-untyped-call] # of the library

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

WAITS_S: Final = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600)
FAST_S: Final = (0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
AGES: Final[tuple[tuple[str, Duration], ...]] = (
    ("15m", 15 * MINUTE),
    ("1h", HOUR),
    ("4h", 4 * HOUR),
    ("1d", DAY),
)
OLDER: Final = "older"


@dataclass(frozen=True, slots=True)
class Guard:
    """How the engine itself is."""

    beating: bool
    halted: bool
    durable: bool
    lease_held: bool
    inbox: int


class Watched(Protocol):
    """What is read when somebody asks."""

    @property
    def engine(self) -> Engine: ...

    @property
    def now(self) -> Instant: ...


class Measures:
    """Of one engine process, since its start."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._calls = self._counter(
            "calls", "Inbound attempts that ended, by how", ("outcome", "queue")
        )
        self._waits = self._histogram(
            "wait_seconds", "From the arrival to the answer or to the miss", WAITS_S, ("outcome",)
        )
        self._offers = self._counter("offers", "Telephones rung, by how it ended", ("outcome",))
        self._attempts = self._counter("callback_attempts", "Call-backs tried", ("outcome",))
        self._opened = self._counter("debts_opened", "Debts opened, by why", ("reason",))
        self._settled = self._counter("debts_settled", "Debts settled, by how", ("how",))
        self._cut = self._counter("talks_cut", "Talks that a failure of the switch ended", ())
        self._events = self._counter("events", "Events handled", ())
        self._lag = self._histogram(
            "event_lag_seconds", "From the inbox to the end of the turn", FAST_S, ()
        )
        self._commit = self._histogram("journal_commit_seconds", "A turn made durable", FAST_S, ())
        self._queue_of: dict[str, str] = {}
        # Its default is the process that asks, which is this one.
        ProcessCollector(namespace="perezvon_engine", registry=self._registry)

    def watch(self, loop: Watched, guard: Callable[[], Guard], alerts: Alerts) -> None:
        """Show also what stands still."""
        self._registry.register(_Standing(loop, guard, alerts))

    def turned(self, facts: Sequence[f.Fact], lags_s: Sequence[float], commit_s: float) -> None:
        """A turn was handled: what it told, how long its events had waited, its commit."""
        self._events.inc(len(lags_s))
        self._commit.observe(commit_s)
        for lag_s in lags_s:
            self._lag.observe(lag_s)
        for fact in facts:
            self._take(fact)

    def text(self) -> str:
        return generate_latest(self._registry).decode()

    def _take(self, fact: f.Fact) -> None:
        match fact:
            case f.CallReceived():
                self._queue_of[fact.call] = fact.queue
            case f.CallQueued():
                self._queue_of[fact.call] = fact.queue
            case f.CallAnswered():
                self._end(fact.call, "in_fallback" if fact.in_fallback else "answered")
                self._waits.labels("answered").observe(fact.wait_ms / SECOND)
            case f.CallMissed():
                self._waits.labels("missed").observe(fact.waited_ms / SECOND)
            case f.CallWaived():
                self._end(fact.call, f"waived_{fact.kind.value}")
            case f.CallOwed():
                self._end(fact.call, "owed")
            case f.CallCut():
                self._cut.inc()
            case f.OfferEnded():
                self._offers.labels(fact.outcome.value).inc()
            case f.AttemptMade():
                self._attempts.labels(fact.outcome.value).inc()
            case f.DebtOpened():
                self._opened.labels(fact.reason.value).inc()
            case f.DebtSettled():
                self._settled.labels(fact.how.value).inc()
            case _:
                pass

    def _end(self, call: str, outcome: str) -> None:
        # A cut talk is owed after it was answered: its queue is forgotten by then.
        self._calls.labels(outcome, self._queue_of.pop(call, "")).inc()

    def _counter(self, name: str, help_: str, labels: Iterable[str]) -> Counter:
        return Counter(f"perezvon_{name}", help_, labels, registry=self._registry)

    def _histogram(
        self, name: str, help_: str, buckets: Sequence[float], labels: Iterable[str]
    ) -> Histogram:
        return Histogram(
            f"perezvon_{name}", help_, labels, buckets=buckets, registry=self._registry
        )


class _Standing(Collector):
    def __init__(self, loop: Watched, guard: Callable[[], Guard], alerts: Alerts) -> None:
        self._loop = loop
        self._guard = guard
        self._alerts = alerts

    def collect(self) -> Iterator[Metric]:
        engine = self._loop.engine
        yield _gauge(
            "calls_now",
            "Calls that go on, by state",
            ("state",),
            Tally((call.state.value,) for call in engine.calls.values()),
        )
        yield _gauge(
            "agents",
            "Agents by status, and whether their telephone is there",
            ("status", "reachable"),
            Tally(
                (agent.status.value, str(agent.reachable_now).lower())
                for agent in engine.agents.values()
            ),
        )
        yield self._debts(engine)
        yield _gauge(
            "ledger",
            "Inbound attempts of all times by where they stand",
            ("standing",),
            {
                (name,): getattr(engine.ledger, name)
                for name in ("in_progress", "answered", "recovered", "reached_us", "waived", "open")
            },
        )
        books = engine.reconciliation
        yield _gauge(
            "reconciliation_difference",
            "Attempts of which the journal and the switch's diary differ",
            ("how",),
            {("unheard",): books.unheard, ("unseen",): books.unseen},
        )
        guard = self._guard()
        yield _gauge(
            "guard",
            "1 when it is so: beating lets callers in",
            ("state",),
            {
                ("beating",): guard.beating,
                ("halted",): guard.halted,
                ("durable",): guard.durable,
                ("lease_held",): guard.lease_held,
            },
        )
        yield _gauge("inbox", "Events that wait for a turn", (), {(): guard.inbox})
        yield _gauge(
            "alerts_open",
            "Alerts that are open",
            ("alert",),
            dict.fromkeys(((kind.value,) for kind in AlertKind), 0)
            | Tally((alert.kind.value,) for alert in self._alerts),
        )
        yield _gauge(
            "alerts_raised",
            "Alerts raised since the start of the engine",
            ("alert",),
            {(kind.value,): count for kind, count in self._alerts.raised_count.items()},
        )

    def _debts(self, engine: Engine) -> Metric:
        now = self._loop.now
        counts = Tally((_state(debt), _age(now - debt.missed_at)) for debt in engine.debts.values())
        return _gauge(
            "debts", "Persons owed a call-back, by state and age", ("state", "age"), counts
        )


def _gauge(name: str, help_: str, labels: tuple[str, ...], values: Mapping[Any, int]) -> Metric:
    family = GaugeMetricFamily(f"perezvon_{name}", help_, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(key, float(value))
    return family


def _state(debt: Debt) -> str:
    if debt.overdue:
        return "overdue"
    if debt.attempt is not None:
        return "being_tried"
    if debt.due:
        return "due"
    return "exhausted" if debt.next_at is None else "scheduled"


def _age(age_ms: Duration) -> str:
    return next((name for name, limit_ms in AGES if age_ms < limit_ms), OLDER)
