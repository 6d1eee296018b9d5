"""The story: facts in, plain words out, in both languages."""

import pytest

from perezvon.bootstrap.story import Story
from perezvon.bootstrap.words import Language
from perezvon.core import facts as f
from perezvon.core.events import NumberClass
from perezvon.core.ids import (
    AgentId,
    CallId,
    DebtId,
    LegId,
    PersonId,
    PlanVersion,
    QueueId,
    RuleId,
)
from perezvon.core.plan import CallbackOrder, Ranking

CALL, BACK, DEBT = CallId("t-ac1"), CallId("t-ac2"), DebtId("t-ad1")
SHOP, WHO = QueueId("shop"), PersonId("p1")
ANNA, BORIS = AgentId("anna"), AgentId("boris")
NOON = 1_795_338_000_000
"""2026-11-22T12:00 in Moscow."""


def story(language: Language = "en") -> Story:
    names = {ANNA: "Anna", BORIS: "Boris"}
    return Story(names, {WHO: "+79161110003"}.get, "Europe/Moscow", language)


def received(at: int, person: PersonId | None = WHO) -> f.Fact:
    return f.CallReceived(
        at, CALL, LegId("1.1"), "74951230001", SHOP, person, NumberClass.MOBILE, None,
        PlanVersion("v"), known_number=True,
    )  # fmt: skip


def offer(at: int, agent: AgentId, debt: DebtId | None = None) -> f.Fact:
    call = BACK if debt else CALL
    return f.OfferMade(
        at, call, LegId(f"{call}/{agent}"), agent, SHOP, 0, Ranking.LONGEST_IDLE, (), (), debt
    )  # fmt: skip


MISSED: list[f.Fact] = [
    f.CallMissed(
        NOON + 13_000, CALL, f.MissReason.LEFT_RINGING, f.MissCause.UNANSWERED, 13_000, (ANNA,)
    ),
    f.DebtOpened(
        NOON + 13_000, DEBT, WHO, CALL, SHOP, f.MissReason.LEFT_RINGING, RuleId("default"), ANNA,
        NOON + 900_000, PlanVersion("v"),
    ),
    f.AttemptScheduled(NOON + 13_000, DEBT, NOON + 18_000, 0),
]  # fmt: skip
CALLED_BACK: list[f.Fact] = [
    f.AttemptStarted(NOON + 18_000, DEBT, BACK, 1, CallbackOrder.AGENT_FIRST, 0),
    offer(NOON + 18_000, ANNA, DEBT),
    f.ClientDialled(NOON + 21_000, DEBT, 1, LegId("d/1c"), ANNA),
    f.AttemptMade(NOON + 25_000, DEBT, 1, f.AttemptOutcome.REACHED, ANNA, counted=True),
    f.DebtSettled(NOON + 25_000, DEBT, WHO, f.Settlement.RECOVERED, 1, "anna"),
]


def test_telephones_that_ring_for_one_caller_are_told_in_one_line() -> None:
    lines = story().tell([received(NOON), offer(NOON, ANNA), offer(NOON, BORIS)])
    assert lines == [
        "12:00:00  ☎  +7 916 111-00-03 calls.",
        "12:00:00     +7 916 111-00-03 waits; rung: Anna, Boris.",
    ]


def test_a_missed_caller_is_followed_until_his_debt_is_settled() -> None:
    teller = story()
    lines = teller.tell([received(NOON), *MISSED])
    assert lines[1:] == [
        "12:00:13  ✘  +7 916 111-00-03 gave up after 13 s: a missed call.",
        "12:00:13  !  A debt is open: call +7 916 111-00-03 back by 12:15; owner Anna.",
        "12:00:13     Next try to call +7 916 111-00-03 back: 12:00:18.",
    ]
    assert not teller.seen.whole
    lines = teller.tell(CALLED_BACK)
    assert lines == [
        "12:00:18  ↩  Calling +7 916 111-00-03 back.",
        "12:00:18     To call +7 916 111-00-03 back, our own telephone first: Anna.",
        "12:00:21  ↩  Anna is on the line; dialling +7 916 111-00-03.",
        "12:00:25  ✔  Called back: Anna talks with +7 916 111-00-03. The debt is settled.",
    ]
    assert not teller.seen.whole
    teller.tell([f.CallAnswered(NOON + 30_000, CALL, BORIS, SHOP, 2_000)])
    assert teller.seen.whole


def test_a_withheld_number_has_words_of_its_own() -> None:
    (line,) = story("ru").tell([received(NOON, person=None)])
    assert line == "12:00:00  ☎  скрытый номер звонит."


@pytest.mark.parametrize(("balanced", "word"), [(True, "сходится"), (False, "НЕ СХОДИТСЯ")])
def test_the_ledger_is_told_as_a_sum(word: str, *, balanced: bool) -> None:
    counts = {
        "arrivals": 12, "in_progress": 1, "answered": 9, "recovered": 2, "reached_us": 0,
        "waived": 0, "open": 0, "debts_open": 0,
    }  # fmt: skip
    line = story("ru").ledger(NOON, counts, balanced=balanced)
    assert "обращений 12 = в работе 1 + отвечены 9 + перезвонили 2" in line
    assert f"РЕЕСТР {word}:" in line
