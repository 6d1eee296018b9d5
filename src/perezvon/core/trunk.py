"""Trunks: how often a client is dialled through a carrier that fails.

A failure of the carrier uses up no attempt, so nothing else would bound how often it is tried.
From a failure on one attempt at a time finds out whether the trunk works; each further failure
holds it twice as long as the one before. As soon as it has carried somebody, those who waited
for it follow, `PACE_MS` apart.

Whose fault a failure is, its code does not tell (a 403 may mean us or this one number). So it is
the carrier's, unless he has carried another since this very debt failed last: then it is the
number's, and uses up a step like any other attempt.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perezvon.core.debt import Debt
from perezvon.core.ids import MINUTE, CallId, DebtId, Duration, Instant, TrunkId

if TYPE_CHECKING:
    from perezvon.core.call import Call
    from perezvon.core.engine import Engine

HOLD_MS_MAX: Duration = 5 * MINUTE
DOUBLINGS_MAX = 10
PACE_MS: Duration = 200
"""Between two of those who waited for a trunk: it has just come back, and agents are few."""

TRIAL_MS: Duration = MINUTE
"""Longer than an attempt rings. Whoever waits for its result looks again then at the latest."""


@dataclass(slots=True)
class TrunkState:
    failure_count: int = 0
    """In a row: since it last carried somebody."""
    carried_at: Instant | None = None
    trial: CallId | None = None
    """The one attempt that finds out, while it is in doubt."""
    waiting: dict[DebtId, None] = field(default_factory=dict)
    """Who would be dialled but for it, in order."""


class Trunks:
    """The room of the engine where carriers are judged."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._states = engine.state.trunks
        self._held_until = engine.trunk_held_until

    def lets_try(self, trunk: TrunkId | None, debt: Debt) -> bool:
        """Whether an attempt may start; else the debt is put off until it is known."""
        state = self._states.get(trunk) if trunk is not None else None
        if state is None or trunk is None:
            return True
        now = self._engine.now
        again_at = self._held_until.get(trunk, 0)
        if again_at <= now:
            if state.trial not in self._engine.calls:
                return True
            again_at = now + TRIAL_MS
        state.waiting[debt.id] = None
        self._engine.debts_room.try_at(debt, again_at)
        return False

    def tried(self, call: "Call") -> None:
        """An attempt has started."""
        state = self._states.get(call.trunk) if call.trunk is not None else None
        if state is not None and call.debt is not None:
            state.waiting.pop(call.debt, None)
            if state.failure_count:
                state.trial = call.id

    def over(self, call: "Call") -> None:
        """An attempt has ended, maybe without a word of the carrier's: somebody else finds out."""
        state = self._states.get(call.trunk) if call.trunk is not None else None
        if state is not None and state.trial == call.id:
            state.trial = None
            self._let_go(state, self._engine.now)

    def carried(self, call: "Call") -> None:
        """It has brought us to a client, or a word about him."""
        if call.trunk is None:
            return
        state = self._states.setdefault(call.trunk, TrunkState())
        state.carried_at = self._engine.now
        debt = self._engine.debts.get(call.debt) if call.debt is not None else None
        if debt is not None:
            debt.trunk_failed_at = None
        self._trust(call.trunk, state)

    def failed(self, call: "Call", debt: Debt) -> bool:
        """Judge a failure. True: the number is at fault, and the attempt counts."""
        if call.trunk is None:
            return False
        now = self._engine.now
        state = self._states.setdefault(call.trunk, TrunkState())
        last_at, debt.trunk_failed_at = debt.trunk_failed_at, now
        if last_at is not None and state.carried_at is not None and state.carried_at > last_at:
            return True
        state.trial = None
        # Those that were under way when it failed say nothing new.
        if self._held_until.get(call.trunk, 0) <= now:
            state.failure_count += 1
            self._hold(call.trunk, state)
        self._let_go(state, max(now, self._held_until.get(call.trunk, 0)))
        return False

    def put_behind(self, trunk: TrunkId | None, debt: Debt) -> None:
        """Try the one whose attempt failed after the others who wait: it may be his number, and
        they must not wait for him.
        """
        again_at = self._engine.now + self._engine.plan.thresholds.trunk_retry_ms
        state = self._states.get(trunk) if trunk is not None else None
        if state is not None and trunk is not None:
            state.waiting[debt.id] = None
            again_at = max(self._held_until.get(trunk, 0), again_at) + PACE_MS
        self._engine.debts_room.try_at(debt, again_at)

    def changed(self, trunk: TrunkId, *, up: bool) -> None:
        """What the switch says of it, by its own questions."""
        if up:
            state = self._states.get(trunk)
            if state is not None:
                self._trust(trunk, state)
            return
        state = self._states.setdefault(trunk, TrunkState())
        state.failure_count = max(1, state.failure_count)
        retry_at = self._engine.now + self._engine.plan.thresholds.trunk_retry_ms
        self._held_until[trunk] = max(self._held_until.get(trunk, 0), retry_at)

    def _hold(self, trunk: TrunkId, state: TrunkState) -> None:
        # The first after it carried somebody holds nobody up: it may be about this number only.
        doublings = state.failure_count - (1 if state.carried_at is None else 2)
        if doublings >= 0:
            hold_ms = self._engine.plan.thresholds.trunk_retry_ms << min(doublings, DOUBLINGS_MAX)
            self._held_until[trunk] = self._engine.now + min(hold_ms, HOLD_MS_MAX)

    def _trust(self, trunk: TrunkId, state: TrunkState) -> None:
        if not state.failure_count and not state.waiting:
            return
        state.failure_count, state.trial = 0, None
        self._held_until.pop(trunk, None)
        engine = self._engine
        waiting, state.waiting = state.waiting, {}
        at = engine.now
        for debt_id in waiting:
            debt = engine.debts.get(debt_id)
            if debt is not None and debt.attempt is None and not debt.due:
                engine.debts_room.try_at(debt, at)
                at += PACE_MS

    def _let_go(self, state: TrunkState, at: Instant) -> None:
        """One of those who wait is tried at `at`; what comes of it decides for the others."""
        engine = self._engine
        for debt_id in list(state.waiting):
            debt = engine.debts.get(debt_id)
            if debt is not None and debt.attempt is None and not debt.due:
                engine.debts_room.try_at(debt, at)
                return
            del state.waiting[debt_id]
