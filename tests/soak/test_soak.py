"""The soak's own parts, without an Asterisk: what it draws, whom it calls lost, what it reports."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from perezvon.core.events import NumberClass
from perezvon.core.facts import CallReceived, DebtOpened, DebtSettled, Fact, MissReason, Settlement
from perezvon.core.ids import (
    SECOND,
    CallId,
    DebtId,
    Instant,
    LegId,
    PersonId,
    PlanVersion,
    QueueId,
    RuleId,
)
from scripts.soak.faults import BOUNDS, ENDING_A_LIFE, FaultKind, draw
from scripts.soak.hand import FROZEN, KILLED, POINTS, Done
from scripts.soak.judge import Judgement, Story, judge
from scripts.soak.report import Findings, Row, rows_of, text_of
from scripts.soak.vitals import MEGABYTE, Sample, descriptors_of, slope_of
from tests.support.silence import Silence
from tests.support.sipp import Happening

CALLER, OTHER = "79160000001", "79160000002"


# What is drawn.


def test_a_seed_tells_the_same_story_again() -> None:
    one, same, other = (list(islice(draw(random.Random(seed)), 50)) for seed in (7, 7, 8))
    assert one == same
    assert one != other


def test_every_kind_of_fault_comes_within_its_bounds() -> None:
    drawn = list(islice(draw(random.Random(1)), 1_000))
    assert {fault.kind for fault in drawn} == set(FaultKind)
    for fault in drawn:
        bounds = BOUNDS[fault.kind]
        assert bounds.length_s[0] <= fault.length_s <= bounds.length_s[1]
        assert bounds.amount_ms[0] <= fault.amount_ms <= bounds.amount_ms[1]
        assert fault.calm_s > 0


def test_kinds_that_end_a_life_can_be_left_out() -> None:
    mild = frozenset(FaultKind) - ENDING_A_LIFE
    assert {fault.kind for fault in islice(draw(random.Random(1), of=mild), 1_000)} == mild


def test_the_hand_knows_how_to_do_each_kind() -> None:
    done = [*KILLED, *FROZEN, *POINTS, FaultKind.PLAN_APPLIED]
    assert sorted(done) == sorted(FaultKind)


# Who was lost.


def call(number: str, *kinds: tuple[str, float]) -> Sequence[Happening]:
    return [Happening(kind, "7495", number, f"call-{number}", at, "") for kind, at in kinds]


def at_agent(*kinds: tuple[str, float], number: str = CALLER) -> Sequence[Happening]:
    return [Happening(kind, "anna", f"+{number}", "leg", at, "") for kind, at in kinds]


def rings(*moments: float, number: str = CALLER) -> Sequence[Happening]:
    return [Happening("invited", f"+{number}", "office", "leg", at, "") for at in moments]


def received(number: str) -> Fact:
    return CallReceived(
        Instant(0), CallId(number), LegId(number), "7495", QueueId("q"), PersonId(number),
        NumberClass.MOBILE, None, PlanVersion("v"), known_number=True,
    )  # fmt: skip


def owed(at_s: float, number: str = CALLER) -> Fact:
    return DebtOpened(
        Instant(int(at_s * SECOND)), DebtId(number), PersonId(number), CallId(number), QueueId("q"),
        MissReason.LEFT_WAITING, RuleId("r"), None, Instant(0), PlanVersion("v"),
    )  # fmt: skip


def settled(at_s: float, number: str = CALLER) -> Fact:
    at = Instant(int(at_s * SECOND))
    return DebtSettled(at, DebtId(number), PersonId(number), Settlement.RECOVERED, 1, "anna")


def judged(
    calls: Mapping[str, Sequence[Happening]],
    *,
    agents: Sequence[Happening] = (),
    clients: Sequence[Happening] = (),
    deaths: Sequence[float] = (),
    facts: Sequence[Fact] = (),
    attempts: int = 0,
) -> Judgement:
    known = [received(number) for number in calls]
    story = Story(calls, agents, clients, deaths, [*known, *facts], str)
    return judge(story, Counter({CALLER: attempts}))


SERVED = {CALLER: call(CALLER, ("called", 1), ("answered", 2), ("hung_up", 9))}
LEFT = {CALLER: call(CALLER, ("called", 1), ("rings", 2), ("left", 9))}


def test_who_talked_with_an_agent_was_served() -> None:
    judgement = judged(SERVED, agents=at_agent(("answered", 2)))
    assert judgement.served == {CALLER}
    assert not judgement.lost


def test_who_heard_music_only_and_was_never_rung_is_lost() -> None:
    assert judged(SERVED).lost == {CALLER}
    assert judged(LEFT).lost == {CALLER}


def test_who_is_rung_later_or_owed_still_is_not_lost() -> None:
    assert judged(LEFT, clients=rings(12), attempts=1).rung == {CALLER}
    assert judged(LEFT, facts=[owed(9)]).owed == {CALLER}
    assert judged(LEFT, facts=[owed(9), settled(20)]).lost == {CALLER}


def test_who_was_cut_by_the_death_of_the_switch_has_to_be_rung_after_it() -> None:
    cut: dict[str, Any] = {"agents": at_agent(("answered", 2)), "deaths": [5.0]}
    assert judged(SERVED, **cut).lost == {CALLER}
    assert judged(SERVED, **cut, clients=rings(4), attempts=1).lost == {CALLER}
    assert not judged(SERVED, **cut, clients=rings(8), attempts=1).lost


def test_an_agent_who_had_hung_up_before_the_switch_died_had_ended_the_talk() -> None:
    agents = at_agent(("answered", 2), ("hung_up", 4.9))
    assert judged(SERVED, agents=agents, deaths=[5.0]).served == {CALLER}


def test_silence_is_counted_until_the_switch_died() -> None:
    story = Story(SERVED, [], [], [5.0], [], str)
    assert [one.at for one in story.before_the_cut(CALLER)] == [1, 2, 5]


def test_a_talk_that_neither_side_ended_is_found_unless_the_switch_died() -> None:
    calls = {CALLER: call(CALLER, ("called", 1), ("answered", 2), ("ended_by_other", 9))}
    assert judged(calls, agents=at_agent(("answered", 2))).cut_without_cause == {CALLER}
    ended = at_agent(("answered", 2), ("hung_up", 9))
    assert not judged(calls, agents=ended).cut_without_cause
    assert not judged(calls, agents=at_agent(("answered", 2)), deaths=[5.0]).cut_without_cause


def test_rings_that_are_not_on_record_or_follow_the_settlement_are_duplicates() -> None:
    assert judged(LEFT, clients=rings(12, 30), attempts=1).duplicates == 1
    facts = [owed(9), settled(20)]
    assert judged(LEFT, clients=rings(12, 30), facts=facts, attempts=2).duplicates == 1
    again = [*facts, owed(25)]
    assert judged(LEFT, clients=rings(12, 30), facts=again, attempts=2).duplicates == 0


def test_a_caller_of_whom_the_ledger_knows_nothing_is_named() -> None:
    story = Story(LEFT | {OTHER: call(OTHER, ("called", 1))}, [], [], [], [received(CALLER)], str)
    assert judge(story, Counter()).unknown == {OTHER}


# Memory.


def life(pid: int, since: float, base: int, growth: float) -> list[Sample]:
    """A process that grows by so many bytes a second after a minute's warm-up."""
    return [
        Sample(pid, since + second, int(base + growth * max(0, second - 60)), 20 + (second > 90))
        for second in range(0, 200, 2)
    ]


def test_the_slope_is_common_to_all_lives_and_leaves_out_their_beginnings() -> None:
    samples = life(1, 0, 90 * MEGABYTE, 1_000) + life(2, 500, 50 * MEGABYTE, 1_000)
    slope = slope_of(samples)
    assert slope.lives == 2
    assert slope.mb_per_hour == pytest.approx(3.6, rel=0.01)


def test_what_is_given_back_when_the_callers_stop_is_not_in_the_slope() -> None:
    freed = [Sample(1, float(at), MEGABYTE, 20) for at in range(200, 300, 2)]
    samples = life(1, 0, 90 * MEGABYTE, 1_000) + freed
    assert slope_of(samples, until=199).mb_per_hour == pytest.approx(3.6, rel=0.01)


def test_a_life_too_short_to_tell_says_nothing() -> None:
    assert slope_of(life(1, 0, MEGABYTE, 1_000)[:30]).lives == 0


def test_descriptors_are_those_of_the_last_life() -> None:
    samples = [*life(1, 0, MEGABYTE, 0), *life(2, 500, MEGABYTE, 0)]
    assert descriptors_of(samples) == "20 / 21 / 21"


# The report.

CLEAN = Findings(
    done=[Done(next(draw(random.Random(1))), 100.0, 3.2)],
    judgement=judged(SERVED, agents=at_agent(("answered", 2))),
    silences=[Silence(1.2, CALLER, "after the answer", 2)],
    stranded_s=11.0,
    left_over={"channels": 0, "bridges": 0},
    ledger={
        "balanced": True, "arrivals": 1, "in_progress": 0, "answered": 1, "recovered": 0,
        "reached_us": 0, "waived": 0, "open": 0, "reconciliation": {"difference": 0},
    },
    in_cel=1, calls=1, refused=0, attempts=0,
    samples={"engine": life(1, 0, 90 * MEGABYTE, 0), "asterisk": []}, stopped_at=200,
)  # fmt: skip


def wrong(rows: Sequence[Row]) -> list[str]:
    return [row.what for row in rows if row.wrong]


def test_a_soak_in_which_all_is_well_has_nothing_wrong() -> None:
    rows = rows_of(CLEAN)
    assert wrong(rows) == []
    assert "memory slope" in text_of(rows)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"judgement": judged(LEFT)}, "lost"),
        ({"silences": [Silence(15.1, CALLER, "after the answer", 2)]}, "silent"),
        ({"stranded_s": 15.1}, "in our hands"),
        ({"judgement": judged(LEFT, clients=rings(12, 30), attempts=1)}, "call-backs rung twice"),
        ({"left_over": {"channels": 1, "bridges": 0}}, "channels"),
        ({"left_over": {"channels": 0, "bridges": 1}}, "bridges"),
        ({"ledger": CLEAN.ledger | {"balanced": False}}, "ledger"),
        ({"ledger": CLEAN.ledger | {"in_progress": 1}}, "ledger"),
        ({"ledger": CLEAN.ledger | {"reconciliation": {"difference": 1}}}, "reconciliation"),
        ({"in_cel": 2}, "INVITEs"),
    ],
)
def test_whatever_has_to_be_zero_and_is_not_is_wrong(change: dict[str, Any], what: str) -> None:
    found = wrong(rows_of(replace(CLEAN, **change)))
    assert len(found) == 1
    assert found[0].startswith(what)
