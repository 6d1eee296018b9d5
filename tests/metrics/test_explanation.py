"""Every call can be explained, in both languages, with nothing left untranslated."""

import dataclasses
import re
import string
import types
import typing
from enum import StrEnum
from typing import Any, get_args, get_origin

import pytest

from perezvon.core import facts as f
from perezvon.core.events import EndCause, NumberClass
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
from perezvon.core.talk_facts import TransferFailure
from perezvon.metrics.explanation import Line, explain, render, sentence
from perezvon.metrics.explanation_words import LANGUAGES, TEMPLATES, WORDS, duration

CALL, BACK, DEBT = CallId("t-abc1"), CallId("t-abc2"), DebtId("t-abd1")
ANA, BORIS, VERA = AgentId("ana"), AgentId("boris"), AgentId("vera")
SALES, PERSON = QueueId("sales"), PersonId("p1")
NAMES = {"ana": "Анна", "boris": "Борис", "vera": "Вера", "sales": "Продажи"}


def clock(at: int) -> str:
    return f"12:{at // 60_000:02d}:{at // 1000 % 60:02d}"


def name_of(_kind: str, id_: str) -> str:
    return NAMES.get(id_, id_)


def offer(at: int, agent: AgentId, number: int, excluded: dict[str, int]) -> f.OfferMade:
    return f.OfferMade(
        at,
        CALL,
        LegId(f"{CALL}/{number}"),
        agent,
        SALES,
        0,
        Ranking.LONGEST_IDLE,
        (BORIS, VERA) if agent == ANA else (VERA,),
        tuple(excluded.items()),
    )


def ended(at: int, agent: AgentId, number: int, outcome: f.OfferOutcome, ring: int) -> f.OfferEnded:
    return f.OfferEnded(at, CALL, LegId(f"{CALL}/{number}"), agent, outcome, ring)


MISSED_CALL: list[f.Fact] = [
    f.CallReceived(
        0,
        CALL,
        LegId("1.1"),
        "78000000001",
        SALES,
        PERSON,
        NumberClass.MOBILE,
        None,
        PlanVersion("p"),
        known_number=True,
    ),
    f.CallQueued(2_500, CALL, SALES, 2_500),
    offer(2_500, ANA, 1, {"talking": 2, "paused": 1, "ringing": 0}),
    offer(2_500, BORIS, 2, {"talking": 2, "paused": 1, "ringing": 1}),
    ended(12_500, ANA, 1, f.OfferOutcome.MISSED, 9_900),
    ended(12_600, BORIS, 2, f.OfferOutcome.REFUSED, 3_000),
    f.CallMissed(
        40_000, CALL, f.MissReason.LEFT_RINGING, f.MissCause.UNANSWERED, 40_000, (ANA, BORIS)
    ),
    f.DebtOpened(
        40_000,
        DEBT,
        PERSON,
        CALL,
        SALES,
        f.MissReason.LEFT_RINGING,
        RuleId("default"),
        VERA,
        3_000_000,
        PlanVersion("p"),
    ),
    f.CallOwed(40_000, CALL, DEBT),
    f.AttemptScheduled(40_000, DEBT, 40_000, 0),
    f.AttemptStarted(41_000, DEBT, BACK, 1, CallbackOrder.AGENT_FIRST, 0),
    f.ClientDialled(45_000, DEBT, 1, LegId(f"{DEBT}/1c"), VERA),
    f.AttemptMade(52_000, DEBT, 1, f.AttemptOutcome.REACHED, VERA, counted=True),
    f.DebtSettled(54_000, DEBT, PERSON, f.Settlement.RECOVERED, 1, VERA),
]

RUSSIAN = """\
12:00:00  Звонок на номер 78000000001, очередь «Продажи».
12:00:02  Слушал приветствие 2,5 с.
12:00:02  Ждёт в очереди «Продажи».
12:00:02  Звоним операторам: Анна, Борис. Правило: дольше всех свободен, шаг 1.
12:00:02  Следующие по порядку: Вера.
12:00:02  Не рассматривались: говорят 2, на перерыве 1.
12:00:12  Анна: пропустил, телефон звонил 9,9 с.
12:00:12  Борис: отклонил, телефон звонил 3 с.
12:00:40  Пропущен: ушёл, пока звонили операторам; свободные не взяли трубку. Ждал 40 с. \
Звонили: Анна, Борис.
12:00:40  Открыт долг t-abd1: отвечает Вера, срок 12:50:00, правило «default».
12:00:40  Мы должны перезвонить: долг t-abd1.
12:00:40  Перезвон назначен на 12:00:40, ступень 1.
12:00:41  Попытка перезвона 1: сначала оператор.
12:00:45  Попытка 1: звоним клиенту, на линии Вера.
12:00:52  Попытка 1: клиент ответил.
12:00:54  Долг t-abd1 закрыт: перезвонили, говорил Вера. Обращений: 1."""

ENGLISH = """\
12:00:00  Call to 78000000001, queue “Продажи”.
12:00:02  Heard the greeting for 2.5 s.
12:00:02  Waits in queue “Продажи”.
12:00:02  Ringing: Анна, Борис. Rule: longest idle, step 1.
12:00:02  Next in order: Вера.
12:00:02  Not considered: talking 2, paused 1.
12:00:12  Анна: missed it, the telephone rang 9.9 s.
12:00:12  Борис: declined, the telephone rang 3 s.
12:00:40  Missed: left while agents were rung; those who were free did not pick up. \
Waited 40 s. Rung: Анна, Борис.
12:00:40  Debt t-abd1 opened: owner Вера, due 12:50:00, rule “default”.
12:00:40  We owe a call-back: debt t-abd1.
12:00:40  Call-back planned for 12:00:40, step 1 of the ladder.
12:00:41  Call-back attempt 1: agent first.
12:00:45  Attempt 1: dialling the client, Вера is on the line.
12:00:52  Attempt 1: the client answered.
12:00:54  Debt t-abd1 settled: called back, Вера talked. Attempts under it: 1."""


def test_a_missed_call_and_its_callback_are_told_in_russian() -> None:
    assert "\n".join(render(explain(MISSED_CALL), "ru", clock, name_of)) == RUSSIAN


def test_a_missed_call_and_its_callback_are_told_in_english() -> None:
    assert "\n".join(render(explain(MISSED_CALL), "en", clock, name_of)) == ENGLISH


def test_offers_of_two_moments_are_two_decisions() -> None:
    facts = [offer(1, ANA, 1, {}), offer(2, VERA, 2, {})]
    assert [line.key for line in explain(facts)] == ["offered", "runners_up", "offered"]


def test_what_is_known_later_stands_at_its_moment() -> None:
    facts: list[f.Fact] = [
        offer(1_000, ANA, 1, {}),
        ended(6_000, ANA, 1, f.OfferOutcome.ANSWERED, 3_000),
        f.CallAnswered(4_000, CALL, ANA, SALES, 3_000, in_fallback=False),
    ]
    told = [(line.at, line.key) for line in explain(facts)]
    assert [at for at, _ in told] == [1_000, 1_000, 4_000, 6_000]
    assert told[2][1] == "answered"


def test_braces_in_a_name_are_only_text() -> None:
    line = Line(0, "debt_reassigned", {"debt": "d", "agent": "{0.__class__}", "by": "{by}"})
    assert "{0.__class__}" in sentence(line, "en", clock)


def test_a_code_of_a_newer_engine_is_shown_as_it_is() -> None:
    line = Line(0, "excluded", {"excluded": {"on_the_moon": 3}})
    assert sentence(line, "en", clock) == "Not considered: on_the_moon 3."


@pytest.mark.parametrize(
    ("length_ms", "ru", "en"),
    [
        (0, "0 с", "0 s"),
        (4_249, "4,2 с", "4.2 s"),
        (9_949, "9,9 с", "9.9 s"),
        (9_950, "10 с", "10 s"),
        (59_499, "59 с", "59 s"),
        (59_500, "1 мин 00 с", "1 min 00 s"),
        (7_620_000, "2 ч 07 мин", "2 h 07 min"),
    ],
)
def test_lengths_are_short_to_read(length_ms: int, ru: str, en: str) -> None:
    assert (duration(length_ms, "ru"), duration(length_ms, "en")) == (ru, en)


@pytest.mark.parametrize("key", sorted(TEMPLATES))
def test_both_languages_say_a_thing_with_the_same_values(key: str) -> None:
    used = [
        {name for _, name, _, _ in string.Formatter().parse(TEMPLATES[key][language]) if name}
        for language in LANGUAGES
    ]
    assert used[0] == used[1]
    assert re.search("[а-яё]", TEMPLATES[key]["ru"])
    assert not re.search("[а-яё]", TEMPLATES[key]["en"])


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("ranking", Ranking),
        ("reason", f.MissReason),
        ("cause", f.MissCause),
        ("kind", f.WaiverKind),
        ("order", CallbackOrder),
        ("end_cause", EndCause),
        ("transfer_failure", TransferFailure),
    ],
)
def test_every_code_has_its_word(table: str, codes: type[StrEnum]) -> None:
    assert set(WORDS[table]) == {code.value for code in codes}
    assert all(set(words) == set(LANGUAGES) for words in WORDS[table].values())


def variants(kind: Any) -> list[Any]:  # noqa: ANN401 - an annotation may be anything
    """Values of a field's type that matter: each code, and absence."""
    if isinstance(kind, typing.NewType):
        return ["x"]
    if get_origin(kind) in (typing.Union, types.UnionType):
        parts = sorted(get_args(kind), key=lambda part: part is not types.NoneType)
        return [one for part in parts for one in variants(part)]
    if get_origin(kind) is tuple:
        return [(), tuple(variants(get_args(kind)[0])[:1])]
    if kind is types.NoneType:
        return [None]
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return list(kind)
    known: dict[Any, list[Any]] = {bool: [True, False], int: [7, 3], str: ["x"]}
    return known[kind]


def all_facts() -> list[f.Fact]:
    """Each fact with each value of each of its fields in turn."""
    made: list[f.Fact] = []
    for kind in get_args(f.Fact):
        hints = typing.get_type_hints(kind)
        fields = {field.name: variants(hints[field.name]) for field in dataclasses.fields(kind)}
        if kind is f.OfferMade:
            fields["excluded"] = [(), (("talking", 1),)]
            fields["runners_up"] = [(), ("y",)]
        usual = {name: values[0] for name, values in fields.items()}
        made += [
            kind(**(usual | {name: value})) for name, values in fields.items() for value in values
        ]
    return made


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_fact_can_be_told(language: typing.Literal["ru", "en"]) -> None:
    keys = set()
    for fact in all_facts():
        lines = explain([fact])
        keys |= {line.key for line in lines}
        assert all(render(lines, language, clock))
    assert keys | {"greeted", "settled_waived"} == set(TEMPLATES)
