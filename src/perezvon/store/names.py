"""What ids of a plan are called, and what time it is in its zone: for whoever shows things."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from perezvon.core.ids import Instant
from perezvon.core.plan import Plan


class Names:
    """Without a plan, ids are their own names and the clock is UTC."""

    def __init__(self, plan: Plan | None) -> None:
        self.zone = plan.zone if plan is not None else "UTC"
        self._zone = ZoneInfo(self.zone)
        self._names: dict[tuple[str, str], str] = {}
        if plan is not None:
            self._names = {("agent", agent.id): agent.name for agent in plan.agents}
            self._names |= {("queue", queue.id): queue.name for queue in plan.queues}

    def of(self, kind: str, id_: str) -> str:
        return self._names.get((kind, id_), id_)

    def clock(self, at: Instant) -> str:
        return self._at(at).strftime("%H:%M:%S")

    def clock_since(self, start: Instant) -> Callable[[Instant], str]:
        """A clock that tells the day too, where it is not the day of `start`."""
        day = self.day(start)
        return lambda at: self.clock(at) if self.day(at) == day else self.moment(at)

    def day(self, at: Instant) -> str:
        return self._at(at).strftime("%Y-%m-%d")

    def moment(self, at: Instant) -> str:
        return self._at(at).strftime("%Y-%m-%d %H:%M:%S")

    def _at(self, at: Instant) -> datetime:
        return datetime.fromtimestamp(at // 1000, UTC).astimezone(self._zone)
