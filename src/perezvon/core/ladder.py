"""Which rule a missed call falls under, and when it is tried: pure, for the engine and whoever
wants to know beforehand what it would do.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from perezvon.core.calendar import Calendar
from perezvon.core.events import NumberClass
from perezvon.core.facts import MissReason, WaiverKind
from perezvon.core.ids import Duration, HoursId, Instant, QueueId, RuleId
from perezvon.core.plan import CallbackRule, Plan, Queue

DEFAULT_RULE = CallbackRule(RuleId("_unmatched"))
"""For a call that no rule of the plan matches: nobody is lost for want of a rule. No rule of a
plan file can have this id."""

SHORT_REASONS = frozenset(
    {MissReason.LEFT_IN_GREETING, MissReason.LEFT_WAITING, MissReason.LEFT_RINGING}
)

CalendarOf: TypeAlias = Callable[[HoursId | None], Calendar]


def waiver_at_once(
    plan: Plan, number_class: NumberClass, reason: MissReason, waited_ms: Duration
) -> WaiverKind | None:
    """Whether nothing is owed, whatever the rules say."""
    if number_class is NumberClass.WITHHELD:
        return WaiverKind.NO_NUMBER
    if reason in SHORT_REASONS and waited_ms < plan.thresholds.short_ms:
        return WaiverKind.SHORT
    return None


def rule_for(
    rules: Iterable[CallbackRule],
    calendar_of: CalendarOf,
    *,
    queue: QueueId,
    number_class: NumberClass,
    waited_ms: Duration,
    at: Instant,
) -> CallbackRule:
    """The first that matches."""
    for rule in rules:
        if rule.queues and queue not in rule.queues:
            continue
        if rule.number_classes and number_class.value not in rule.number_classes:
            continue
        if waited_ms < rule.wait_ms_min:
            continue
        if rule.hours_missed is None or calendar_of(rule.hours_missed).is_open(at):
            return rule
    return DEFAULT_RULE


def deadline(rule: CallbackRule, calendar: Calendar, missed_at: Instant) -> Instant:
    due_at = calendar.add_open(missed_at, rule.deadline_ms)
    return missed_at + rule.deadline_ms if due_at is None else due_at


def next_try(
    rule: CallbackRule,
    calendar: Calendar,
    *,
    missed_at: Instant,
    step: int,
    counted: int,
    last_attempt_at: Instant | None,
) -> Instant | None:
    """None: exhausted, or never open again within reach; a person has to see to it."""
    offsets = rule.ladder.offsets_ms
    if step >= len(offsets) or counted >= rule.attempts_max:
        return None
    due_at = calendar.add_open(missed_at, offsets[step])
    if due_at is not None and last_attempt_at is not None:
        due_at = calendar.next_open(max(due_at, last_attempt_at + rule.gap_ms_min))
    return due_at


def step_after(
    rule: CallbackRule, calendar: Calendar, *, missed_at: Instant, step: int, now: Instant
) -> int:
    """The step after an attempt: those that fell due meanwhile merge into it."""
    offsets = rule.ladder.offsets_ms
    step += 1
    while step < len(offsets):
        due_at = calendar.add_open(missed_at, offsets[step])
        if due_at is None or due_at > now:
            break
        step += 1
    return step


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What becomes of a missed call when nobody is reached and an agent is always free."""

    waiver: WaiverKind | None
    """None: it is owed."""
    rule: CallbackRule
    tries_at: tuple[Instant, ...]
    due_at: Instant
    give_up_at: Instant | None


def foresee(
    plan: Plan, queue: Queue, number_class: NumberClass, waited_ms: Duration, missed_at: Instant
) -> Foreseen:
    def calendar_of(hours: HoursId | None) -> Calendar:
        found = next((each for each in plan.hours if each.id == hours), None)
        return Calendar(found, plan.holidays, plan.zone)

    rule = rule_for(
        plan.callback_rules,
        calendar_of,
        queue=queue.id,
        number_class=number_class,
        waited_ms=waited_ms,
        at=missed_at,
    )
    waiver = waiver_at_once(plan, number_class, MissReason.LEFT_WAITING, waited_ms)
    if waiver is None and rule.waive:
        waiver = WaiverKind.RULE
    calendar = calendar_of(rule.hours or queue.hours)
    give_up_at = None if rule.give_up_after_ms is None else missed_at + rule.give_up_after_ms
    tries: list[Instant] = []
    step = 0
    while waiver is None:
        last = tries[-1] if tries else None
        at = next_try(
            rule,
            calendar,
            missed_at=missed_at,
            step=step,
            counted=len(tries),
            last_attempt_at=last,
        )
        if at is None or (give_up_at is not None and at >= give_up_at):
            break
        tries.append(at)
        step = step_after(rule, calendar, missed_at=missed_at, step=step, now=at)
    due_at = deadline(rule, calendar, missed_at)
    return Foreseen(waiver, rule, tuple(tries), due_at, give_up_at)
