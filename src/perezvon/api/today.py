"""Sections of the live board that the engine does not tell: groups, targets, and today's counts.

Asked of the store every two seconds while anybody looks, and less often where that is slow.
"""

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from perezvon.core.ids import SECOND, Instant
from perezvon.core.plan import Plan
from perezvon.runtime.board import Row, Rows
from perezvon.store.books import Books
from perezvon.store.today import count_agents, count_queues

PERIOD_S: Final = 2.0
SHARE_MAX: Final = 0.05
"""Of the time, spent on asking."""


class Today:
    def __init__(self, books: Books, now: Callable[[], Instant]) -> None:
        self._books = books
        self._now = now
        self._plan: Plan | None = None
        self._fixed: dict[str, Rows] = {}
        self.wait_s = PERIOD_S
        """Until it is worth asking again."""

    def sections(self, version: str) -> dict[str, Rows]:
        """By the plan that is in force; `Unavailable` when the store is away."""
        started = time.perf_counter()
        self._take_plan(version)
        plan = self._plan
        if plan is None:
            return {}
        since = midnight(self._now(), plan.zone)
        store = self._books.fresh()
        queues = count_queues(store, since, plan.targets.wait_ms)
        agents = count_agents(store, [agent.id for agent in plan.agents], since)
        self.wait_s = max(PERIOD_S, (time.perf_counter() - started) / SHARE_MAX)
        return {
            **self._fixed,
            "queues_today": {queue: asdict(counts) for queue, counts in queues.items()},
            "agents_today": {agent: asdict(counts) for agent, counts in agents.items()},
        }

    def _take_plan(self, version: str) -> None:
        if self._plan is not None and version in ("", self._plan.version):
            # The engine is away, or has the plan that we know.
            return
        self._plan = self._books.plan()
        if self._plan is not None:
            self._fixed = {"groups": _groups(self._plan), "targets": {"all": _targets(self._plan)}}


def midnight(now: Instant, zone: str) -> Instant:
    """When today began in the tenant's zone."""
    local = datetime.fromtimestamp(now / SECOND, UTC).astimezone(ZoneInfo(zone))
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * SECOND


def _groups(plan: Plan) -> Rows:
    """Who is in them, agents say themselves: some are lent."""
    return {group.id: {"name": group.name, "leader": group.leader} for group in plan.groups}


def _targets(plan: Plan) -> Row:
    return asdict(plan.targets)
