"""Selection: in which order the free agents of a step are rung. Pure ranking functions.

Ties go by id, so that every run agrees. Sources of the rankings: docs/decisions and the table in
the glossary of rankings (`Ranking`).
"""

from collections.abc import Callable, Iterable
from hashlib import blake2b
from heapq import nsmallest
from itertools import islice
from math import exp
from typing import TypeAlias

from perezvon.core.agent import AgentState
from perezvon.core.ids import MINUTE, AgentId, CallId, Duration, Instant
from perezvon.core.plan import Ranking
from perezvon.core.queue import Pool

ABSENCE_MEAN_MS: Duration = 4 * MINUTE
"""How long an absence lasts on average when nothing better is known."""

ABSENCE_PRIOR = (3.0, 10.0)
"""Share of offers not taken before we know an agent: 3 of 10."""

Rank: TypeAlias = tuple[int | str, ...]
RankOf: TypeAlias = Callable[[AgentState], Rank]


def ranked(
    ranking: Ranking,
    free: Iterable[AgentState],
    *,
    at_most: int,
    pool: Pool,
    call: CallId,
    now: Instant,
    last_rung: AgentId | None,
    today: str,
) -> list[AgentState]:
    """The first `at_most` of the free agents: who is to be rung first stands first.

    `free` comes longest idle first, so that the default ranking looks at nobody else.
    """
    rank: RankOf
    match ranking:
        case Ranking.LONGEST_IDLE | Ranking.ALL:
            return list(islice(free, at_most))
        case Ranking.FEWEST_CALLS:

            def rank(agent: AgentState) -> Rank:
                answered = agent.answered_today if agent.day == today else 0
                return answered, agent.idle_since_at, agent.id

        case Ranking.ROUND_ROBIN:
            rank = _after(pool, last_rung)
        case Ranking.BY_LEVEL:

            def rank(agent: AgentState) -> Rank:
                return pool.levels[agent.id], agent.idle_since_at, agent.id

        case Ranking.RANDOM:

            def rank(agent: AgentState) -> Rank:
                return _digest(call, agent.id), agent.id

        case Ranking.BY_PRESENCE:

            def rank(agent: AgentState) -> Rank:
                return -presence(agent, now), agent.id

        case Ranking.LEAST_RECENT:

            def rank(agent: AgentState) -> Rank:
                return agent.last_answered_at, agent.id

    return nsmallest(at_most, free, key=rank)


def _after(pool: Pool, last_rung: AgentId | None) -> RankOf:
    size = len(pool.order) or 1
    last = pool.order.get(last_rung, -1) if last_rung is not None else -1
    return lambda agent: ((pool.order[agent.id] - last - 1) % size,)


def _digest(call: CallId, agent: AgentId) -> str:
    return blake2b(f"{call}:{agent}".encode(), digest_size=8).hexdigest()


def presence(agent: AgentState, now: Instant) -> int:
    """Estimate the probability that he sits at his telephone, in millionths.

    An agent seen t ago is present with (1 - a) + a * exp(-t / m), where a is the share of his
    time away and m his mean absence (algorithm notes, section 3 of the planning document). a is
    the share of offers that he let ring, drawn towards a prior while there are few.
    """
    weight_missed, weight_all = ABSENCE_PRIOR
    away = (agent.missed_count + weight_missed) / (agent.offered_count + weight_all)
    since = max(0, now - agent.seen_at)
    return round(1_000_000 * ((1 - away) + away * exp(-since / ABSENCE_MEAN_MS)))
