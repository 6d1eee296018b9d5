"""Call-back: working off a debt by calling the client, agent first or client first.

Per person one attempt at a time, and none while he is on the line with us; if he calls himself
meanwhile, his call wins in the same turn. Live callers come first: an attempt starts only when an
agent is free whom no live caller wants, and the reserve stays free; a debt old enough stands in
one line with them by its own age.
"""

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.calendar import clock_text
from perezvon.core.call import Call, CallState, Offer
from perezvon.core.commands import (
    AnswerCall,
    DialClient,
    Prompt,
    PromptKind,
    StartMusic,
)
from perezvon.core.debt import Debt
from perezvon.core.events import EndCause, NumberClass
from perezvon.core.facts import (
    AttemptMade,
    AttemptOutcome,
    AttemptStarted,
    ClientDialled,
    MissReason,
    OfferOutcome,
    Settlement,
)
from perezvon.core.ids import (
    MINUTE,
    AgentId,
    CallId,
    DebtId,
    Duration,
    Instant,
    LegId,
    PersonId,
    TrunkId,
)
from perezvon.core.offer import RUNNERS_UP_MAX, excluded_of
from perezvon.core.plan import CallbackOrder, Step
from perezvon.core.queue import CallKey, Pool, add_due, group_step, remove_due
from perezvon.core.selection import ranked
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

OUTCOMES = {
    EndCause.BUSY: AttemptOutcome.BUSY,
    EndCause.REFUSED: AttemptOutcome.BUSY,
    EndCause.BAD_NUMBER: AttemptOutcome.BAD_NUMBER,
    EndCause.TRUNK_FAILED: AttemptOutcome.TRUNK_FAILED,
    EndCause.UNREACHABLE: AttemptOutcome.TRUNK_FAILED,
    EndCause.NEVER_MADE: AttemptOutcome.NEVER_MADE,
}
DUE_LOOKED_AT_MAX = 50
"""Due debts that are considered for one agent: those behind have the same chances later."""

GOODBYE_MS: Duration = 5_000
NOT_COUNTED = frozenset({AttemptOutcome.TRUNK_FAILED, AttemptOutcome.NEVER_MADE})


class Callbacks:
    """The room of the engine where clients are called back."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    # When.

    def owe_or_waive(self, call: Call, reason: MissReason, at: Instant) -> None:
        self._engine.debts_room.owe_or_waive(call, reason, at)

    def pool_of(self, debt: Debt) -> Pool:
        return self._engine.pools.of(self._step_of(debt))

    def _step_of(self, debt: Debt) -> Step:
        engine = self._engine
        rule = engine.debts_room.rule(debt)
        if rule.group is not None:
            return group_step(rule.group)
        return engine.debts_room.policy(debt).steps[0]

    def fell_due(self, debt_id: DebtId) -> None:
        debt = self._engine.debts.get(debt_id)
        if debt is not None and debt.attempt is None:
            debt.due = True
            self._stand(debt)
            self._engine.may_be_tried(debt.id)

    def asked(self, debt_id: DebtId) -> None:
        """A person wants it tried now, whatever the ladder says; the lock still holds."""
        debt = self._engine.debts.get(debt_id)
        if debt is not None and debt.attempt is None:
            debt.barred.clear()
            self._engine.timers.cancel(TimerKind.DEBT_TRY, debt.id)
            debt.next_at = self._engine.now
            self.fell_due(debt_id)

    def _stand(self, debt: Debt) -> None:
        if debt.due and debt.person not in self._engine.live_count:
            add_due(self.pool_of(debt), (debt.first_missed_at, debt.id))

    def leave_due(self, debt: Debt) -> None:
        debt.due = False
        self._leave_line(debt)

    def _leave_line(self, debt: Debt) -> None:
        remove_due(self.pool_of(debt), (debt.first_missed_at, debt.id))

    def refill(self) -> None:
        """Fill the lines of due debts again after the pools were rebuilt."""
        for debt in self._engine.debts.values():
            self._stand(debt)

    def person_free(self, person: PersonId) -> None:
        """He is on the line with us no longer: a due debt of his may be tried."""
        engine = self._engine
        debt_id = engine.debt_of.get(person)
        if debt_id is not None:
            debt = engine.debts[debt_id]
            if debt.due:
                self._stand(debt)
                engine.may_be_tried(debt.id)

    def _aged(self, agent: AgentState, key: CallKey) -> Debt | None:
        """Find a debt so old that it has a better place in the one line than this caller."""
        engine = self._engine
        for pool in engine.pools.of_agent(agent.id):
            for missed_at, debt_id in islice(pool.due, DUE_LOOKED_AT_MAX):
                if (0, missed_at) >= key[:2]:
                    break
                debt = engine.debts[debt_id]
                able = agent.id not in debt.barred and self._slack(debt, pool)
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
        for _, debt_id in islice(merge(*lines), DUE_LOOKED_AT_MAX):
            debt = engine.debts[debt_id]
            able = agent.id not in debt.barred and self._slack(debt, self.pool_of(debt))
            if able and self._start(debt, agent) and not agent.free:
                return

    def _slack(self, debt: Debt, pool: Pool) -> bool:
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
            self._ring_next(attempt, debt)
        if not debt.due or debt.person in engine.live_count:
            return
        pool = self.pool_of(debt)
        if not self._slack(debt, pool):
            return
        order = self._ranked(debt, pool)
        if order:
            self._start(debt, order[0])

    def _ranked(self, debt: Debt, pool: Pool) -> list[AgentState]:
        engine = self._engine
        able = [agent for agent in pool.free.values() if agent.id not in debt.barred]
        step = self._step_of(debt)
        return ranked(
            step.ranking,
            able,
            pool=pool,
            call=CallId(debt.id),
            now=engine.now,
            last_rung=engine.last_rung.get(pool.key),
            today=engine.today(),
        )

    # The attempt.

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
        trunk = self._trunk(debt)
        held_until = engine.trunk_held_until.get(trunk, 0) if trunk is not None else 0
        if held_until > engine.now:
            engine.debts_room.try_at(debt, held_until)
            return False
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
            order=rule.order.value,
        )
        engine.calls[call.id] = call
        debt.attempt = call.id
        engine.note(AttemptStarted(engine.now, debt.id, call.id, debt.dial, rule.order, debt.step))
        if rule.order is CallbackOrder.CLIENT_FIRST:
            engine.client_first[call.id] = self.pool_of(debt).key
            self.dial_client(call)
        else:
            self._ring(call, debt, agent)
        return True

    def _ring(self, call: Call, debt: Debt, agent: AgentState) -> None:
        engine = self._engine
        pool = self.pool_of(debt)
        step = self._step_of(debt)
        rule = engine.debts_room.rule(debt)
        engine.last_rung[pool.key] = agent.id
        others = [other.id for other in self._ranked(debt, pool) if other.id != agent.id]
        excluded = excluded_of(pool.excluded)
        ringing = Step(
            groups=step.groups,
            agents=step.agents,
            k=1,
            ring_ms=rule.ring_agent_ms,
            ranking=step.ranking,
        )
        engine.offers.ring(
            call,
            agent,
            ringing,
            runners_up=tuple(others[:RUNNERS_UP_MAX]),
            excluded=excluded,
        )

    def _trunk(self, debt: Debt) -> TrunkId | None:
        if debt.trunk is not None:
            return debt.trunk
        trunks = self._engine.plan.trunks
        return trunks[0].id if trunks else None

    def clock_of(self, call: Call) -> str:
        """When the call was missed, for the agent's telephone; empty for an inbound call."""
        if call.debt is None or call.debt not in self._engine.debts:
            return ""
        debt = self._engine.debts[call.debt]
        return clock_text(debt.missed_at - debt.waited_ms, self._engine.plan.zone)

    def agent_did_not_take(self, call: Call, agent: AgentId, outcome: OfferOutcome) -> None:
        debt = self._debt(call)
        if outcome in (OfferOutcome.MISSED, OfferOutcome.REFUSED):
            debt.barred.append(agent)
        # Live callers are asked first; then the next one is rung for it, or nobody.
        self._engine.may_be_tried(debt.id)

    def _ring_next(self, call: Call, debt: Debt) -> None:
        """Go on with an attempt whose agent did not take it."""
        engine = self._engine
        pool = self.pool_of(debt)
        order = self._ranked(debt, pool) if self._slack(debt, pool) else []
        if order:
            self._ring(call, debt, order[0])
            return
        barred = list(debt.barred)
        self._over(call, AttemptOutcome.CANCELLED, counted=False)
        if barred:
            # Those who are there did not want it: not at once again, but soon.
            gap_ms = max(MINUTE, engine.debts_room.rule(debt).gap_ms_min)
            engine.debts_room.try_at(debt, engine.now + gap_ms)
        else:
            debt.due = True
            self._stand(debt)

    def agent_ready(self, call: Call, offer: Offer) -> None:
        """The agent has picked up: he hears whom he calls back, then the client is dialled."""
        engine = self._engine
        debt = self._debt(call)
        del call.offers[offer.leg]
        call.won = offer
        engine.agents_room.talk(engine.agents[offer.agent], call.id)
        if engine.debts_room.rule(debt).briefing:
            call.state = CallState.BRIEFING
            engine.calls_room.play(
                call,
                offer.leg,
                Prompt(PromptKind.BRIEFING, clock=self.clock_of(call), waited_ms=debt.waited_ms),
            )
        else:
            self.dial_client(call)

    def dial_client(self, call: Call) -> None:
        engine = self._engine
        debt = self._debt(call)
        rule = engine.debts_room.rule(debt)
        call.state = CallState.DIALLING
        call.client = LegId(f"{call.id}c")
        engine.legs[call.client] = call.id
        agent_leg = call.won.leg if call.won is not None else None
        agent = call.won.agent if call.won is not None else None
        engine.note(ClientDialled(engine.now, debt.id, debt.dial, call.client, agent))
        engine.timers.set(TimerKind.CLIENT_RINGS, call.id, engine.now + rule.ring_client_ms)
        engine.do(
            DialClient(
                call.client,
                call.id,
                debt.person,
                call.trunk or TrunkId(""),
                debt.did,
                rule.ring_client_ms + 5_000,
                agent_leg,
            )
        )

    def client_answered(self, call: Call) -> None:
        engine = self._engine
        if call.state is not CallState.DIALLING or call.client is None:
            return
        engine.timers.cancel(TimerKind.CLIENT_RINGS, call.id)
        call.picked_up = True
        call.client_rang = True
        if call.won is not None:
            offer = call.won
            call.offers[offer.leg] = offer
            engine.talks.connect(call, offer)
        else:
            engine.do(StartMusic(call.client, engine.policy(call).music))
            engine.client_first.pop(call.id, None)
            engine.calls_room.wait(call)

    def client_rings_no_longer(self, call: Call) -> None:
        """Our time for ringing the client is over."""
        if call.state is CallState.DIALLING:
            self.client_failed(call, EndCause.NO_ANSWER)

    def client_failed(self, call: Call, cause: EndCause) -> None:
        """The client's leg ended before an answer."""
        engine = self._engine
        outcome = OUTCOMES.get(cause, AttemptOutcome.NO_ANSWER)
        if cause is EndCause.LOST and not call.client_rang:
            outcome = AttemptOutcome.TRUNK_FAILED
        debt = self._debt(call)
        counted = outcome not in NOT_COUNTED
        self._over(call, outcome, counted=counted)
        if counted:
            engine.debts_room.schedule(debt)
        elif outcome is AttemptOutcome.TRUNK_FAILED:
            held_until = engine.now + engine.plan.thresholds.trunk_retry_ms
            if call.trunk is not None:
                engine.trunk_held_until[call.trunk] = held_until
            engine.debts_room.try_at(debt, held_until)
        else:
            engine.debts_room.try_at(debt, engine.now)

    def agent_left_before(self, call: Call) -> None:
        """The agent hung up in the briefing or while the client's telephone rang."""
        engine = self._engine
        debt = self._debt(call)
        counted = call.client_rang
        assert call.won is not None
        barred = call.won.agent
        self._over(call, AttemptOutcome.CANCELLED, counted=counted)
        if counted:
            engine.debts_room.schedule(debt)
        else:
            gap_ms = engine.debts_room.rule(debt).gap_ms_min
            engine.debts_room.try_at(debt, engine.now + gap_ms)
            debt.barred.append(barred)

    def client_was_not_served(self, call: Call) -> None:
        """Client first: he answered, and no agent came in time. The attempt counts."""
        debt = self._open_debt(call)
        if debt is not None:
            self._made(call, AttemptOutcome.LEFT_WAITING, counted=True)
            self._engine.debts_room.schedule(debt)

    def reached(self, call: Call) -> None:
        """They talk: the debt is recovered."""
        debt = self._open_debt(call)
        assert call.won is not None
        if debt is not None:
            self._made(call, AttemptOutcome.REACHED, counted=True)
            self._engine.debts_room.settle(debt, Settlement.RECOVERED, call.won.agent)

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
        call = self._engine.calls[debt.attempt]
        if call.state in (CallState.TALKING, CallState.WAITING):
            # The client is on the line: nobody hangs up on him for the sake of the books.
            self._made(call, AttemptOutcome.CANCELLED, counted=True)
        else:
            self._over(call, AttemptOutcome.CANCELLED, counted=call.client_rang)

    def client_calls(self, call: Call) -> bool:
        """An owed person calls himself: his call wins. True when an agent has him already."""
        engine = self._engine
        assert call.person is not None
        debt_id = engine.debt_of.get(call.person)
        if debt_id is None:
            return False
        debt = engine.debts[debt_id]
        self._leave_line(debt)
        if debt.attempt is None:
            return False
        attempt = engine.calls[debt.attempt]
        if attempt.state in (CallState.TALKING, CallState.WAITING, CallState.CLOSING):
            return False
        taken = attempt.won
        if taken is not None:
            # The agent is on the line already and waits for this very client.
            attempt.won = None
            engine.legs[taken.leg] = call.id
        self._over(attempt, AttemptOutcome.CANCELLED, counted=attempt.client_rang)
        if debt.attempt is None and not debt.due:
            engine.debts_room.schedule(debt)
        if taken is None:
            return False
        assert call.client is not None
        engine.do(AnswerCall(call.client))
        call.picked_up = True
        call.offers[taken.leg] = taken
        engine.talks.connect(call, taken)
        return True

    def _over(self, call: Call, outcome: AttemptOutcome, *, counted: bool) -> None:
        """The attempt came to nothing: hang up what is left of it."""
        engine = self._engine
        self._made(call, outcome, counted=counted)
        engine.calls_room.finish(call)

    def _open_debt(self, call: Call) -> Debt | None:
        """Give the debt whose attempt this call still is; None when it was settled meanwhile."""
        debt = self._engine.debts.get(call.debt) if call.debt is not None else None
        return debt if debt is not None and debt.attempt == call.id else None

    def _made(self, call: Call, outcome: AttemptOutcome, *, counted: bool) -> None:
        engine = self._engine
        debt = self._debt(call)
        assert debt.attempt == call.id
        engine.client_first.pop(call.id, None)
        debt.attempt = None
        if counted:
            engine.debts_room.count_attempt(debt)
        agent = call.won.agent if call.won is not None else None
        engine.note(AttemptMade(engine.now, debt.id, debt.dial, outcome, agent, counted))

    def _debt(self, call: Call) -> Debt:
        assert call.debt is not None
        return self._engine.debts[call.debt]
