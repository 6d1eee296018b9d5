"""What is foreseen of a missed call is what the engine does."""

import pytest

from perezvon.core.commands import DialClient
from perezvon.core.events import (
    AgentStatusSet,
    CallArrived,
    Caller,
    ChosenStatus,
    EndCause,
    LegAnswered,
    LegEnded,
    LegRinging,
    NumberClass,
)
from perezvon.core.facts import AttemptScheduled, AttemptStarted, CallWaived, DebtOpened
from perezvon.core.ids import HOUR, MINUTE, SECOND, HoursId, LegId, PersonId, RuleId
from perezvon.core.ladder import foresee
from perezvon.core.plan import CallbackRule, Hours, Interval, Ladder
from tests.core.office import ANA, DID, Office, office_plan

OFFICE = Hours(HoursId("office"), ((Interval(9 * 60, 18 * 60),),) * 5 + ((), ()))
TALKS = 26 * SECOND
"""How long a dialling takes that nobody answers."""

RULES = [
    CallbackRule(RuleId("plain"), briefing=False),
    CallbackRule(
        RuleId("merged"), ladder=Ladder((0, MINUTE, 2 * MINUTE, HOUR)), gap_ms_min=3 * MINUTE,
        briefing=False,
    ),
    CallbackRule(RuleId("hours"), hours=HoursId("office"), attempts_max=4, briefing=False),
    CallbackRule(RuleId("weary"), give_up_after_ms=90 * MINUTE, briefing=False),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_attempts_that_reach_nobody_are_made_when_it_was_foreseen(rule: CallbackRule) -> None:
    office = Office(office_plan(ANA, rules=[rule], hours=(OFFICE,)), signed_in=False)
    leg = office.call()
    office.later(30 * SECOND)
    office.tell(LegEnded(leg, EndCause.NORMAL))
    (debt,) = office.told(DebtOpened)
    plan = office.plan
    foreseen = foresee(plan, plan.queues[0], NumberClass.MOBILE, 30 * SECOND, debt.at)
    assert (foreseen.waiver, foreseen.rule.id) == (None, rule.id)
    assert foreseen.due_at == debt.due_at

    office.tell(AgentStatusSet(ANA, ChosenStatus.AVAILABLE))
    for _ in foreseen.tries_at:
        if not office.rings():
            due_at = office.told(AttemptScheduled)[-1].due_at
            assert due_at is not None
            office.later(due_at - office.now)
        office.all_ring()
        office.tell(LegAnswered(office.rings()[ANA]))
        office.tell(LegRinging(office.told(DialClient)[-1].leg))
        office.later(TALKS)
    office.later(3 * 24 * HOUR)
    made = [fact.at for fact in office.told(AttemptStarted)]
    assert len(made) == len(foreseen.tries_at)
    for at, foreseen_at in zip(made, foreseen.tries_at, strict=True):
        assert 0 <= at - foreseen_at <= 2 * TALKS


@pytest.mark.parametrize(
    ("number_class", "waited_ms", "rule"),
    [
        (NumberClass.WITHHELD, 30 * SECOND, CallbackRule(RuleId("r"))),
        (NumberClass.MOBILE, SECOND, CallbackRule(RuleId("r"))),
        (NumberClass.MOBILE, 30 * SECOND, CallbackRule(RuleId("r"), waive=True)),
    ],
)
def test_what_is_waived_is_foreseen_too(
    number_class: NumberClass, waited_ms: int, rule: CallbackRule
) -> None:
    office = Office(office_plan(ANA, rules=[rule]), signed_in=False)
    office.tell(CallArrived(LegId("in"), DID, Caller(PersonId("ivan"), number_class)))
    office.later(waited_ms)
    office.tell(LegEnded(LegId("in"), EndCause.NORMAL))
    (waived,) = office.told(CallWaived)
    plan = office.plan
    foreseen = foresee(plan, plan.queues[0], number_class, waited_ms, waived.at)
    assert (foreseen.waiver, foreseen.tries_at) == (waived.kind, ())
