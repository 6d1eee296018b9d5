"""Agents who help out in another group until a set time."""

from dataclasses import replace

import pytest

from perezvon.core import snapshot
from perezvon.core.events import (
    AgentGivenBack,
    AgentLent,
    AgentStatusSet,
    ChosenStatus,
    EndCause,
    LegEnded,
    PlanChanged,
)
from perezvon.core.facts import LoanBegan, LoanEnded
from perezvon.core.ids import MINUTE, AgentId, GroupId, PlanVersion
from perezvon.core.plan import Group, Member, Plan, Step
from tests.core.office import ANA, BOB, Office, office_plan

SALES, SERVICE = GroupId("sales"), GroupId("service")


def plan_of_two(version: str = "v1", sales: tuple[AgentId, ...] = (ANA,)) -> Plan:
    """Ana sells, Bob serves; callers come to the sales."""
    plan = office_plan(ANA, BOB)
    queue = replace(plan.queues[0], steps=(Step(groups=(SALES,)),))
    groups = (
        Group(SALES, "Sales", tuple(Member(agent) for agent in sales)),
        Group(SERVICE, "Service", (Member(BOB),)),
    )
    return replace(plan, groups=groups, queues=(queue,), version=PlanVersion(version))


@pytest.fixture
def office() -> Office:
    made = Office(plan_of_two(), signed_in=False)
    made.sign_in(BOB)
    return made


def lend(office: Office, for_ms: int = 10 * MINUTE, group: GroupId = SALES) -> None:
    office.tell(AgentLent(BOB, group, office.now + for_ms, by="chief"))


def test_who_is_lent_is_rung_at_once_for_a_caller_who_waits_there(office: Office) -> None:
    office.call()
    assert not office.rings()
    lend(office)
    assert list(office.rings()) == [BOB]


def test_his_time_being_up_he_is_rung_there_no_more(office: Office) -> None:
    lend(office)
    office.later(10 * MINUTE)
    office.call()
    assert not office.rings()
    told = [(fact.agent, fact.group, fact.by) for fact in office.told(LoanBegan)]
    assert told == [(BOB, SALES, "chief")]
    assert [(fact.group, fact.by) for fact in office.told(LoanEnded)] == [(SALES, "system")]


def test_the_newer_moment_counts(office: Office) -> None:
    lend(office)
    lend(office, 2 * MINUTE)
    office.later(2 * MINUTE)
    assert not office.engine.agents[BOB].loans
    lend(office, 2 * MINUTE)
    lend(office)
    office.later(9 * MINUTE)
    assert list(office.engine.agents[BOB].loans) == [SALES]


def test_given_back_he_keeps_the_call_that_rings_him_and_gets_no_other(office: Office) -> None:
    lend(office)
    office.call()
    office.tell(AgentGivenBack(BOB, SALES, by="chief"))
    office.all_ring()
    office.answer(BOB)
    office.tell(AgentGivenBack(BOB, SALES, by="chief"))
    assert [(fact.group, fact.by) for fact in office.told(LoanEnded)] == [(SALES, "chief")]
    office.call("olga")
    assert not office.rings()


def test_a_loan_without_sense_is_none(office: Office) -> None:
    lend(office, group=SERVICE)
    lend(office, group=GroupId("nowhere"))
    lend(office, for_ms=0)
    office.tell(AgentLent(AgentId("zoe"), SALES, office.now + MINUTE, by="chief"))
    assert not office.told(LoanBegan)


def test_a_loan_survives_a_crash_and_ends_in_time(office: Office) -> None:
    lend(office)
    office.engine = snapshot.restore(snapshot.take(office.engine), office.plan)
    office.call()
    assert list(office.rings()) == [BOB]
    office.later(10 * MINUTE)
    assert [fact.by for fact in office.told(LoanEnded)] == ["system"]


def test_a_group_that_becomes_his_own_or_is_gone_has_him_no_longer_on_loan(
    office: Office,
) -> None:
    lend(office)
    office.tell(PlanChanged(plan_of_two("v2", sales=(ANA, BOB))))
    assert [fact.by for fact in office.told(LoanEnded)] == ["plan"]
    office.call()
    assert list(office.rings()) == [BOB]


def test_who_has_left_the_plan_is_lent_to_nobody_and_chooses_no_status(office: Office) -> None:
    """Seed 770: he was still in a talk when the plan without him came."""
    lend(office)
    office.call()
    office.all_ring()
    leg = office.answer(BOB)
    plan = plan_of_two("v2")
    groups = (plan.groups[0], replace(plan.groups[1], members=(Member(ANA),)))
    office.tell(PlanChanged(replace(plan, agents=office_plan(ANA).agents, groups=groups)))
    assert [fact.by for fact in office.told(LoanEnded)] == ["plan"]
    office.tell(AgentStatusSet(BOB, ChosenStatus.AVAILABLE, "", "bob"))
    lend(office)
    assert len(office.told(LoanBegan)) == 1
    office.tell(LegEnded(leg, EndCause.NORMAL))
    office.later(MINUTE)
    assert BOB not in office.engine.agents


def test_who_is_lent_must_have_the_skills_of_the_step() -> None:
    plan = plan_of_two()
    step = Step(groups=(SALES,), skills=("english",))
    office = Office(replace(plan, queues=(replace(plan.queues[0], steps=(step,)),)))
    office.tell(AgentLent(BOB, SALES, office.now + MINUTE, by="chief"))
    office.call()
    assert not office.rings()
