"""Today's counts for the live board, from the stored calls and offers.

Counted here and not by the engine: a restart loses nothing, the figures are those that history
will show, and the engine has no work with them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import and_, case, func, or_, select

from perezvon.core.facts import OfferOutcome, WaiverKind
from perezvon.core.ids import Duration, Instant
from perezvon.store.database import Database
from perezvon.store.schema import calls, offers


@dataclass(frozen=True, slots=True)
class QueueToday:
    arrivals: int
    answered: int
    in_target: int
    """Of those answered, soon enough."""
    missed: int
    """Without those too short to count."""


@dataclass(frozen=True, slots=True)
class AgentToday:
    answered: int
    missed: int


def count_queues(database: Database, since: Instant, within_ms: Duration) -> dict[str, QueueToday]:
    """Of inbound attempts received from `since` on."""
    answered = calls.c.answered_at.is_not(None)
    is_long = or_(calls.c.waiver.is_(None), calls.c.waiver != WaiverKind.SHORT.value)
    missed = and_(calls.c.miss_reason.is_not(None), is_long)
    with database.read() as connection:
        rows = connection.execute(
            select(
                calls.c.queue,
                func.count(),
                func.count(case((answered, 1))),
                func.count(case((and_(answered, calls.c.wait_ms <= within_ms), 1))),
                func.count(case((missed, 1))),
            )
            .where(calls.c.received_at >= since)
            .group_by(calls.c.queue)
        ).all()
    return {queue: QueueToday(*counts) for queue, *counts in rows}


def count_agents(
    database: Database, agents: Collection[str], since: Instant
) -> dict[str, AgentToday]:
    """Of offers made from `since` on. By agent, for the index of offers begins with him."""
    outcome = offers.c.outcome
    with database.read() as connection:
        rows = connection.execute(
            select(
                offers.c.agent,
                func.count(case((outcome == OfferOutcome.ANSWERED.value, 1))),
                func.count(case((outcome == OfferOutcome.MISSED.value, 1))),
            )
            .where(offers.c.agent.in_(agents), offers.c.made_at >= since)
            .group_by(offers.c.agent)
        ).all()
    return {agent: AgentToday(*counts) for agent, *counts in rows}
