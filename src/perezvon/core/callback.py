"""Call-back: when a debt is worked off and by whom; the dialling itself is `attempt.py`.

Per person one attempt at a time, and none while he is on the line with us; if he calls himself
meanwhile, his call wins in the same turn. Live callers come first: an attempt starts only when an
agent is free whom no live caller wants, and the reserve stays free; a debt old enough stands in
one line with them by its own age.
"""

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.call import Call, CallState
from perezvon.core.debt import Debt
from perezvon.core.events import NumberClass
from perezvon.core.facts import AttemptOutcome, AttemptStarted, Settlement
from perezvon.core.ids import CallId, DebtId, Duration, PersonId, TrunkId
from perezvon.core.offer import RUNNERS_UP_MAX
from perezvon.core.plan import CallbackOrder, Step
from perezvon.core.queue import CallKey, Pool, add_due, group_step, remove_due
from perezvon.core.selection import ranked
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

DUE_LOOKED_AT_MAX = 50
"""Due debts that are considered for one agent: those behind have the same chances later."""

GOODBYE_MS: Duration = 5_000


class Callbacks:
    """The room of the engine where call-backs wait for somebody free."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def pool_of(self, debt: Debt) -> Pool:
        return self._engine.pools.of(self.step_of(debt))

    def step_of(self, debt: Debt) -> Step:
        engine = self._engine
        rule = engine.debts_room.rule(debt)
        if rule.group is not None:
            return group_step(rule.group)
        return engine.debts_room.policy(debt).steps[0]

    def fell_due(self, debt_id: DebtId) -> None:
        debt = self._engine.debts.get(debt_id)
        if debt is not None and debt.attempt is None:
            debt.due = True
            self.stand(debt)
            self._engine.may_be_tried(debt.id)

    def asked(self, debt_id: DebtId) -> None:
        """A person wants it tried now, whatever the ladder says; the lock still holds."""
        debt = self._engine.debts.get(debt_id)
        if debt is not None and debt.attempt is None:
            debt.barred.clear()
            self._engine.timers.cancel(TimerKind.DEBT_TRY, debt.id)
            debt.next_at = self._engine.now
            self.fell_due(debt_id)

    def stand(self, debt: Debt) -> None:
        if debt.due and debt.person not in self._engine.live_count:
            add_due(self.pool_of(debt), debt.place)

    def leave_due(self, debt: Debt) -> None:
        debt.due = False
        self._leave_line(debt)

    def _leave_line(self, debt: Debt) -> None:
        remove_due(self.pool_of(debt), debt.place)

    def refill(self) -> None:
        """Fill the lines of due debts again after the pools were rebuilt."""
        for debt in self._engine.debts.values():
            self.stand(debt)

    def wait_for_person(self, person: PersonId) -> None:
        """He is on the line with us: a due debt of his leaves the line until he is free."""
        debt_id = self._engine.debt_of.get(person)
        if debt_id is not None:
            self._leave_line(self._engine.debts[debt_id])

    def person_free(self, person: PersonId) -> None:
        """He is on the line with us no longer: a due debt of his may be tried."""
        engine = self._engine
        debt_id = engine.debt_of.get(person)
        if debt_id is not None:
            debt = engine.debts[debt_id]
            if debt.due:
                self.stand(debt)
                engine.may_be_tried(debt.id)

    def _aged(self, agent: AgentState, key: CallKey) -> Debt | None:
        """Find a debt so old that it has a better place in the one line than this caller."""
        engine = self._engine
        for pool in engine.pools.of_agent(agent.id):
            for missed_at, _, debt_id in islice(pool.due, DUE_LOOKED_AT_MAX):
                if (0, missed_at) >= key[:2]:
                    break
                debt = engine.debts[debt_id]
                able = agent.id not in debt.barred and self.slack(debt, pool)
                if able and self._is_aged(debt):
                    return debt
        return None

    def _is_aged(self, debt: Debt) -> bool:
        rule = self._engine.debts_room.rule(debt)
        return self._engine.now - debt.first_missed_at >= rule.join_line_after_ms

    def start_aged(self, agent: AgentState, before: CallKey) -> None:
        """Start the attempt of the old debt that stands before a live caller."""
        debt = self._aged(agent, before)
        if debt is not None:
            self._start(debt, agent)

    def give_work(self, agent: AgentState) -> None:
        """Start the attempts that wait for an agent whom no live caller wants."""
        engine = self._engine
        lines = [list(pool.due[:DUE_LOOKED_AT_MAX]) for pool in engine.pools.of_agent(agent.id)]
        for _, _, debt_id in islice(merge(*lines), DUE_LOOKED_AT_MAX):
            debt = engine.debts[debt_id]
            able = agent.id not in debt.barred and self.slack(debt, self.pool_of(debt))
            if able and self._start(debt, agent) and not agent.free:
                return

    def slack(self, debt: Debt, pool: Pool) -> bool:
        """Whether enough agents are free: one for it, those ahead of it, and the reserve."""
        rule = self._engine.debts_room.rule(debt)
        reserve = 0 if self._is_aged(debt) else rule.reserve
        promised = sum(1 for key in self._engine.client_first.values() if key == pool.key)
        return len(pool.free) - promised > reserve

    def try_now(self, debt_id: DebtId) -> None:
        """Start the attempt of a due debt, if somebody is free for it."""
        engine = self._engine
        debt = engine.debts.get(debt_id)
        if debt is None:
            return
        attempt = engine.calls.get(debt.attempt) if debt.attempt is not None else None
        if attempt is not None and attempt.state is CallState.RINGING_AGENT and not attempt.offers:
            engine.attempts.ring_next(attempt, debt)
        if not debt.due or debt.person in engine.live_count:
            return
        pool = self.pool_of(debt)
        if not self.slack(debt, pool):
            return
        order = self.ranked_for(debt, pool)
        if order:
            self._start(debt, order[0])

    def ranked_for(self, debt: Debt, pool: Pool) -> list[AgentState]:
        engine = self._engine
        """Who should take the attempt, and the runners-up."""
        able = (agent for agent in pool.free if agent.id not in debt.barred)
        step = self.step_of(debt)
        return ranked(
            step.ranking,
            able,
            at_most=1 + RUNNERS_UP_MAX,
            pool=pool,
            call=CallId(debt.id),
            now=engine.now,
            last_rung=engine.last_rung.get(pool.key),
            today=engine.today(),
        )

    def _start(self, debt: Debt, agent: AgentState) -> bool:
        """Begin an attempt, unless hours or the trunk forbid it now."""
        engine = self._engine
        rule = engine.debts_room.rule(debt)
        calendar = engine.calendar_of(rule.hours or engine.debts_room.policy(debt).hours)
        if not calendar.is_open(engine.now):
            engine.debts_room.try_at(debt, calendar.next_open(engine.now))
            return False
        if CallId(f"{debt.id}/{debt.dial}") in engine.calls:
            # The call of the last attempt still says goodbye.
            engine.debts_room.try_at(debt, engine.now + GOODBYE_MS)
            return False
        if not engine.trunks.lets_try(self.trunk(debt), debt):
            return False
        call = self.begin(debt, rule.order)
        if rule.order is CallbackOrder.CLIENT_FIRST:
            engine.client_first[call.id] = self.pool_of(debt).key
            engine.attempts.dial_client(call)
        else:
            engine.attempts.ring(call, debt, agent)
        return True

    def begin(self, debt: Debt, order: CallbackOrder) -> Call:
        """Enter an attempt into the books; whom it rings first is not decided here."""
        engine = self._engine
        trunk = self.trunk(debt)
        self.leave_due(debt)
        engine.timers.cancel(TimerKind.DEBT_TRY, debt.id)
        debt.dial += 1
        call = Call(
            id=CallId(f"{debt.id}/{debt.dial}"),
            policy=debt.policy,
            queue=debt.queue,
            plan=engine.plan.version,
            did=debt.did,
            trunk=trunk,
            person=debt.person,
            number_class=NumberClass.UNKNOWN,
            zone=None,
            arrived_at=engine.now,
            key_at=debt.first_missed_at,
            state=CallState.RINGING_AGENT,
            debt=debt.id,
            settled=True,
            order=order.value,
        )
        engine.calls[call.id] = call
        called = engine.state.called_back
        called[debt.person] = called.get(debt.person, 0) + 1
        debt.attempt = call.id
        engine.trunks.tried(call)
        engine.note(AttemptStarted(engine.now, debt.id, call.id, debt.dial, order, debt.step))
        return call

    def trunk(self, debt: Debt) -> TrunkId | None:
        if debt.trunk is not None:
            return debt.trunk
        trunks = self._engine.plan.trunks
        return trunks[0].id if trunks else None

    def settle_person(self, person: PersonId, how: Settlement, by: str) -> None:
        """He talks with us on his own call: what we owed him is settled."""
        engine = self._engine
        debt_id = engine.debt_of.get(person)
        if debt_id is not None:
            debt = engine.debts[debt_id]
            self.cancel(debt)
            engine.debts_room.settle(debt, how, by)

    def cancel(self, debt: Debt) -> None:
        """Stop the attempt in flight, if there is one that has not become a talk."""
        if debt.attempt is None:
            return
        engine = self._engine
        call = engine.calls[debt.attempt]
        if call.state in (CallState.TALKING, CallState.WAITING):
            # The client is on the line: nobody hangs up on him for the sake of the books.
            engine.attempts.made(call, AttemptOutcome.CANCELLED, counted=True)
        else:
            engine.attempts.over(call, AttemptOutcome.CANCELLED, counted=call.client_rang)

    def client_calls(self, call: Call) -> bool:
        """An owed person calls himself: his call wins. True when an agent has him already."""
        engine = self._engine
        debt_id = engine.debt_of.get(call.person) if call.person is not None else None
        if debt_id is None:
            return False
        debt = engine.debts[debt_id]
        if debt.attempt is None:
            return False
        attempt = engine.calls[debt.attempt]
        if attempt.state in (CallState.TALKING, CallState.WAITING, CallState.CLOSING):
            return False
        taken = engine.talks.take_from(attempt, call)
        engine.attempts.over(attempt, AttemptOutcome.CANCELLED, counted=attempt.client_rang)
        if debt.attempt is None and not debt.due:
            engine.debts_room.schedule(debt)
        if taken is None:
            return False
        engine.talks.give(call, taken)
        return True
