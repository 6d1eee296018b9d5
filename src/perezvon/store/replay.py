"""Replay: the engine as it was when it chose, from the nearest snapshot and the journal.

A fact of an offer keeps counts and ten names; here is every person of the step, with the status
that he had at that very moment. Reads only, and only so much as `ROWS_MAX` journalled rows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from perezvon.core import snapshot
from perezvon.core.engine import Engine
from perezvon.core.events import PlanChanged
from perezvon.core.facts import Fact, OfferMade
from perezvon.core.ids import AgentId, Instant, LegId, PlanVersion
from perezvon.core.plan import Plan
from perezvon.core.state import State
from perezvon.core.timers import Timers
from perezvon.store import plans, schema
from perezvon.store.codec import decode_event
from perezvon.store.database import Database
from perezvon.store.facts import FactRow

ROWS_MAX: Final = 200_000
PAGE: Final = 1_000


class TooLongAgo(Exception):  # noqa: N818 - says why there is no answer
    """The journal does not reach back to it, or it is too much to play through."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One person of the step at the moment of the choice."""

    agent: AgentId
    status: str
    since_at: Instant
    reason: str
    why: str
    """`chosen`, `next` (free, and not needed), or in the words of `OfferMade.excluded`."""


@dataclass(frozen=True, slots=True)
class Decision:
    offer: OfferMade
    people: tuple[Standing, ...]


def decisions(journal: Database, told: Sequence[FactRow]) -> list[Decision]:
    """How each offer among these facts was decided. `TooLongAgo` when that cannot be known."""
    offers = {row.fact.offer: row for row in told if isinstance(row.fact, OfferMade)}
    if not offers:
        return []
    seqs = [row.seq for row in offers.values()]
    with journal.read() as connection:
        era = connection.scalar(select(schema.eras.c.era).order_by(schema.eras.c.n.desc()).limit(1))
        if any(row.era != era for row in offers.values()):
            raise TooLongAgo("the store was restored since")
        return _play(connection, str(era), set(offers), min(seqs), max(seqs))


class _Listening(Engine):
    """An engine that notes how people stood whenever it makes one of these offers."""

    def __init__(
        self, era: str, plan: Plan, state: State | None = None, timers: Timers | None = None
    ) -> None:
        self.wanted: set[LegId] = set()
        self.heard: list[Decision] = []
        super().__init__(era, plan, state, timers)

    def note(self, fact: Fact) -> None:
        if isinstance(fact, OfferMade) and fact.offer in self.wanted:
            self.heard.append(Decision(fact, tuple(self._people(fact))))
        super().note(fact)

    def _people(self, fact: OfferMade) -> Iterator[Standing]:
        call = self.calls[fact.call]
        if fact.debt is None:
            pool = self.pools.of(self.offers.step_of(call))
        else:
            pool = self.callbacks.pool_of(self.debts[fact.debt])
        for id_ in pool.levels:
            agent = self.agents[id_]
            if id_ == fact.agent:
                why = "chosen"
            elif agent.free and id_ in call.missed_by:
                why = "missed_this_call"
            elif agent.free and id_ in call.refused_by:
                why = "refused_this_call"
            else:
                why = agent.exclusion() or "next"
            yield Standing(id_, agent.status.value, agent.since, agent.reason, why)


def _play(
    connection: Connection, era: str, wanted: set[LegId], first: int, last: int
) -> list[Decision]:
    known: dict[PlanVersion, Plan] = {}

    def plan_of(version: PlanVersion) -> Plan:
        if version not in known:
            plan = plans.get_plan(connection, version)
            if plan is None:
                raise LookupError(version)
            known[version] = plan
        return known[version]

    seq, engine = _start(connection, first, plan_of)
    if last - seq > ROWS_MAX:
        raise TooLongAgo(f"{last - seq} rows lie between; {ROWS_MAX} is the limit")
    poisoned = set(connection.scalars(select(schema.poisoned.c.seq)))
    while seq < last:
        rows = _rows(connection, seq, last)
        if not rows or rows[0].seq != seq + 1:
            raise TooLongAgo("the journal does not reach back so far")
        for row in rows:
            seq = row.seq
            event = decode_event(row.body, plan_of, f"journal row {seq}")
            if engine is None:
                # The first row of every store brings the plan.
                assert isinstance(event, PlanChanged), event
                engine = _Listening(era, event.plan)
            engine.wanted = wanted
            if seq not in poisoned:
                engine.handle(event, row.at)
    assert engine is not None
    return engine.heard


def _start(
    connection: Connection, before: int, plan_of: Callable[[PlanVersion], Plan]
) -> tuple[int, _Listening | None]:
    """The nearest snapshot before this row, or the beginning of the journal."""
    kept = schema.snapshots
    row = connection.execute(
        select(kept).where(kept.c.seq < before).order_by(kept.c.seq.desc()).limit(1)
    ).one_or_none()
    if row is None:
        return 0, None
    was = snapshot.restore(row.data, plan_of(snapshot.plan_version(row.data)))
    return row.seq, _Listening(was.era, was.plan, was.state, was.timers)


def _rows(connection: Connection, after: int, until: int) -> Sequence[Row[Any, Any, Any]]:
    table = schema.journal
    return connection.execute(
        select(table.c.seq, table.c.at, table.c.body)
        .where(table.c.seq > after, table.c.seq <= until)
        .order_by(table.c.seq)
        .limit(PAGE)
    ).all()
