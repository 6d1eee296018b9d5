"""Debts: our duty to reach a missed caller. How one is opened, joined, scheduled and settled.

One open debt a person: a second missed call adds evidence and starts the ladder anew, it makes no
second task. How a debt is worked off is `callback.py`.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perezvon.core.call import Call
from perezvon.core.events import NumberClass
from perezvon.core.facts import (
    AttemptScheduled,
    CallOwed,
    CallWaived,
    DebtOpened,
    DebtOverdue,
    DebtReassigned,
    DebtReopened,
    DebtSettled,
    MissReason,
    Settlement,
    WaiverKind,
)
from perezvon.core.ids import (
    MINUTE,
    AgentId,
    CallId,
    DebtId,
    Duration,
    Instant,
    PersonId,
    QueueId,
    RuleId,
    TrunkId,
)
from perezvon.core.ladder import (
    DEFAULT_RULE,
    deadline,
    next_try,
    rule_for,
    step_after,
    waiver_at_once,
)
from perezvon.core.ledger import Standing
from perezvon.core.plan import CallbackRule, Queue
from perezvon.core.queue import DebtKey
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine


@dataclass(slots=True)
class Debt:
    id: DebtId
    person: PersonId
    queue: QueueId
    policy: str
    rule: RuleId
    did: str
    trunk: TrunkId | None
    first_missed_at: Instant
    """His place in the line when the debt is old enough to stand in it."""
    missed_at: Instant
    """The last miss: the ladder counts from it."""
    waited_ms: Duration
    owner: AgentId | None
    due_at: Instant
    call_count: int = 1
    """Inbound attempts under it."""
    step: int = 0
    next_at: Instant | None = None
    """When it is tried next; None: exhausted, a person has to see to it."""
    due: bool = False
    """Its time has come; it waits for somebody free."""
    dial: int = 0
    """Only grows: part of the ids of legs."""
    counted: int = 0
    """Attempts that used up a step of the ladder."""
    last_attempt_at: Instant | None = None
    attempt: CallId | None = None
    """The call-back in flight."""
    trunk_failed_at: Instant | None = None
    """When the carrier failed it last, and has not carried it since."""
    barred: list[AgentId] = field(default_factory=list)
    """Who did not take this call-back; until its next time."""
    overdue: bool = False
    came_at: Instant = 0
    """When the caller came whose miss opened it: their order among those missed at one moment."""

    @property
    def place(self) -> DebtKey:
        """In the line of those who are called back."""
        return self.first_missed_at, self.came_at, self.id


class Debts:
    """The room of the engine where debts are kept."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def rule(self, debt: Debt) -> CallbackRule:
        return self._engine.rules.get(debt.rule, DEFAULT_RULE)

    def policy(self, debt: Debt) -> Queue:
        return self._engine.policies[debt.policy]

    # Opening.

    def owe_or_waive(self, call: Call, reason: MissReason, at: Instant) -> None:
        engine = self._engine
        waited_ms = max(0, at - call.arrived_at)
        waiver = waiver_at_once(engine.plan, call.number_class, reason, waited_ms)
        if call.person is None:
            self._waive_call(call, WaiverKind.NO_NUMBER, None, at)
        elif waiver is not None:
            self._waive_call(call, waiver, None, at)
        else:
            rule = self._match(call, waited_ms, at)
            if rule.waive:
                self._waive_call(call, WaiverKind.RULE, rule.id, at)
                return
            engine.ledger.move(Standing.IN_PROGRESS, Standing.OPEN)
            self._owe(call, call.person, rule, reason, at, waited_ms)

    def owe_again(
        self, call: Call, at: Instant, reason: MissReason = MissReason.SYSTEM_FAILURE
    ) -> None:
        """The attempt was answered and is open again: the switch cut the talk, or nobody took a
        transfer. Without a number, or by a rule that waives, nobody can be called back: it stays
        answered.
        """
        if call.person is None or call.number_class is NumberClass.WITHHELD:
            return
        if call.was_cut and not call.reached_us:
            # Lost for the second time, and nothing was owed after the first.
            return
        waited_ms = max(0, (call.answered_at or at) - call.arrived_at)
        rule = self._match(call, waited_ms, at)
        if not rule.waive:
            was = Standing.REACHED_US if call.was_cut else Standing.ANSWERED
            self._engine.ledger.move(was, Standing.OPEN)
            self._owe(call, call.person, rule, reason, at, waited_ms)

    def _owe(
        self,
        call: Call,
        person: PersonId,
        rule: CallbackRule,
        reason: MissReason,
        at: Instant,
        waited_ms: Duration,
    ) -> None:
        known = self._engine.debt_of.get(person)
        if known is None:
            debt = self._open(call, person, rule, reason, at, waited_ms)
        else:
            debt = self._engine.debts[known]
            self._join(debt, call, at, waited_ms)
        if reason is MissReason.SYSTEM_FAILURE:
            self.try_at_once(debt)
        elif debt.attempt is None:
            self.schedule(debt)

    def _waive_call(self, call: Call, kind: WaiverKind, rule: RuleId | None, at: Instant) -> None:
        self._engine.ledger.move(Standing.IN_PROGRESS, Standing.WAIVED)
        self._engine.note(CallWaived(at, call.id, kind, rule))

    def _match(self, call: Call, waited_ms: Duration, at: Instant) -> CallbackRule:
        return rule_for(
            self._engine.plan.callback_rules,
            self._engine.calendar_of,
            queue=call.queue,
            number_class=call.number_class,
            waited_ms=waited_ms,
            at=at,
        )

    def _open(
        self,
        call: Call,
        person: PersonId,
        rule: CallbackRule,
        reason: MissReason,
        at: Instant,
        waited_ms: Duration,
    ) -> Debt:
        engine = self._engine
        engine.state.debt_count += 1
        debt = Debt(
            id=DebtId(f"{engine.era}d{engine.state.debt_count}"),
            person=person,
            queue=call.queue,
            policy=call.policy,
            rule=rule.id,
            did=call.did,
            trunk=call.trunk,
            first_missed_at=at,
            missed_at=at,
            waited_ms=waited_ms,
            owner=rule.assignee or self._owner(call.queue),
            due_at=self._deadline(rule, engine.policy(call), at),
            came_at=call.arrived_at,
        )
        engine.debts[debt.id] = debt
        engine.debt_of[person] = debt.id
        engine.ledger.debts_open += 1
        engine.note(
            DebtOpened(
                at,
                debt.id,
                person,
                call.id,
                debt.queue,
                reason,
                rule.id,
                debt.owner,
                debt.due_at,
                call.plan,
            )
        )
        engine.note(CallOwed(at, call.id, debt.id))
        self._arm(debt, rule, at)
        return debt

    def _arm(self, debt: Debt, rule: CallbackRule, at: Instant) -> None:
        timers = self._engine.timers
        timers.set(TimerKind.DEBT_DEADLINE, debt.id, debt.due_at)
        if rule.give_up_after_ms is not None:
            timers.set(TimerKind.DEBT_GIVE_UP, debt.id, at + rule.give_up_after_ms)

    def _join(self, debt: Debt, call: Call, at: Instant, waited_ms: Duration) -> None:
        """Another missed call of the same person: more evidence, and the ladder from its start."""
        debt.call_count += 1
        debt.missed_at = max(debt.missed_at, at)
        debt.waited_ms = waited_ms
        debt.step = 0
        self._engine.note(CallOwed(at, call.id, debt.id))

    def reopen(self, call: Call, at: Instant) -> None:
        """The switch cut the very talk that had settled it: all under it is open again."""
        engine = self._engine
        debt = engine.recovered.pop(call.id, None)
        if debt is None:
            return
        known = engine.debt_of.get(debt.person)
        if known is not None:
            # He called meanwhile and was missed: one debt a person, and that one is open.
            self.try_at_once(engine.debts[known])
            return
        rule = self.rule(debt)
        debt.missed_at, debt.waited_ms = at, 0
        debt.step = debt.counted = 0
        debt.last_attempt_at = None
        debt.overdue = False
        debt.due_at = self._deadline(rule, self.policy(debt), at)
        if debt.owner not in engine.agents:
            debt.owner = rule.assignee or self._owner(debt.queue)
        engine.debts[debt.id] = debt
        engine.debt_of[debt.person] = debt.id
        engine.ledger.debts_open += 1
        engine.ledger.move(Standing.RECOVERED, Standing.OPEN, debt.call_count)
        engine.note(
            DebtReopened(at, debt.id, debt.person, debt.owner, debt.due_at, debt.call_count)
        )
        self._arm(debt, rule, at)
        self.try_at_once(debt)

    def _owner(self, queue_id: QueueId) -> AgentId | None:
        """The leader of the queue's first group, else its first member, else anybody."""
        plan = self._engine.plan
        queue = next((queue for queue in plan.queues if queue.id == queue_id), plan.queues[0])
        for step in queue.steps:
            for group in plan.groups:
                if group.id in step.groups and (group.leader or group.members):
                    return group.leader or group.members[0].agent
            if step.agents:
                return step.agents[0]
        return plan.agents[0].id if plan.agents else None

    def _deadline(self, rule: CallbackRule, queue: Queue, at: Instant) -> Instant:
        return deadline(rule, self._engine.calendar_of(rule.hours or queue.hours), at)

    # The ladder.

    def schedule(self, debt: Debt) -> None:
        """Find the next due time from the ladder, in open time, and arm it."""
        rule = self.rule(debt)
        due_at = next_try(
            rule,
            self._engine.calendar_of(rule.hours or self.policy(debt).hours),
            missed_at=debt.missed_at,
            step=debt.step,
            counted=debt.counted,
            last_attempt_at=debt.last_attempt_at,
        )
        self.try_at(debt, due_at)

    def try_at_once(self, debt: Debt) -> None:
        """We failed him: he is tried as soon as it is permitted, whatever the ladder says."""
        rule = self.rule(debt)
        if debt.attempt is not None:
            return
        if debt.counted >= rule.attempts_max:
            self.schedule(debt)
            return
        calendar = self._engine.calendar_of(rule.hours or self.policy(debt).hours)
        self.try_at(debt, calendar.next_open(self._engine.now))

    def try_at(self, debt: Debt, due_at: Instant | None) -> None:
        engine = self._engine
        engine.callbacks.leave_due(debt)
        engine.timers.cancel(TimerKind.DEBT_TRY, debt.id)
        debt.next_at = due_at
        debt.barred.clear()
        engine.note(AttemptScheduled(engine.now, debt.id, due_at, debt.step))
        if due_at is not None:
            engine.timers.set(TimerKind.DEBT_TRY, debt.id, max(due_at, engine.now))

    def count_attempt(self, debt: Debt) -> None:
        """Use up a step, and those that fell due meanwhile: they merge into this attempt."""
        engine = self._engine
        rule = self.rule(debt)
        calendar = engine.calendar_of(rule.hours or self.policy(debt).hours)
        debt.counted += 1
        debt.last_attempt_at = engine.now
        debt.step = step_after(
            rule, calendar, missed_at=debt.missed_at, step=debt.step, now=engine.now
        )

    # The end.

    def settle(
        self,
        debt: Debt,
        how: Settlement,
        by: str,
        *,
        waiver: WaiverKind | None = None,
        reason: str = "",
    ) -> None:
        """Close the debt and every inbound attempt under it, in this turn."""
        engine = self._engine
        engine.callbacks.leave_due(debt)
        for kind in (TimerKind.DEBT_TRY, TimerKind.DEBT_DEADLINE, TimerKind.DEBT_GIVE_UP):
            engine.timers.cancel(kind, debt.id)
        del engine.debts[debt.id]
        del engine.debt_of[debt.person]
        engine.ledger.debts_open -= 1
        engine.ledger.move(Standing.OPEN, Standing(how.value), debt.call_count)
        engine.note(
            DebtSettled(
                engine.now,
                debt.id,
                debt.person,
                how,
                debt.call_count,
                by,
                waiver,
                reason,
            )
        )

    def waive(self, debt_id: DebtId, by: str, reason: str) -> None:
        debt = self._engine.debts.get(debt_id)
        if debt is not None:
            self._engine.callbacks.cancel(debt)
            self.settle(debt, Settlement.WAIVED, by, waiver=WaiverKind.PERSON, reason=reason)

    def give_up(self, debt_id: DebtId) -> None:
        engine = self._engine
        debt = engine.debts.get(debt_id)
        if debt is None:
            return
        if debt.attempt is not None:
            engine.timers.set(TimerKind.DEBT_GIVE_UP, debt.id, engine.now + MINUTE)
            return
        self.settle(debt, Settlement.WAIVED, debt.rule, waiver=WaiverKind.GAVE_UP)

    def overdue(self, debt_id: DebtId) -> None:
        engine = self._engine
        debt = engine.debts.get(debt_id)
        if debt is not None and not debt.overdue:
            debt.overdue = True
            debt.owner = self._owner(debt.queue) or debt.owner
            engine.note(DebtOverdue(engine.now, debt.id, debt.owner))

    def assign(self, debt_id: DebtId, owner: AgentId, by: str) -> None:
        engine = self._engine
        debt = engine.debts.get(debt_id)
        if debt is not None and owner in engine.agents:
            debt.owner = owner
            engine.note(DebtReassigned(engine.now, debt.id, owner, by))
