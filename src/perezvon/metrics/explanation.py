"""Why a call or a debt went as it did: a fold over its facts, told in Russian or English.

`explain` gives keys and values, which a screen can show in its own way; `render` gives sentences
from `explanation_words`. Pure: clock and names are handed in, since zone and plan are not facts.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from perezvon.core.facts import (
    AgentDeviceChosen,
    AgentReachableChanged,
    AgentStatusChanged,
    ArrivalConfirmed,
    AttemptMade,
    AttemptScheduled,
    AttemptStarted,
    CallAnswered,
    CallCut,
    CallEnded,
    CallFellBackToSwitch,
    CallMissed,
    CallOwed,
    CallQueued,
    CallReceived,
    CallWaived,
    ClientDialled,
    DebtOpened,
    DebtOverdue,
    DebtReassigned,
    DebtReopened,
    DebtSettled,
    Fact,
    LegFailed,
    LoanBegan,
    LoanEnded,
    OfferEnded,
    OfferMade,
    PlacedCallFailed,
    PlanTaken,
    SwitchResynced,
    TrunkStateChanged,
    WitnessDiffered,
)
from perezvon.core.ids import Instant
from perezvon.core.talk_facts import (
    AgentLost,
    AgentRejoined,
    CallPlaced,
    ConsultBegan,
    DialRefused,
    OfferPurpose,
    PlacedCallAnswered,
    SupervisionChanged,
    SupervisionEnded,
    SupervisionStarted,
    TalkHandedOver,
    TransferBegan,
    TransferFailed,
    TransferTaken,
)
from perezvon.metrics.explanation_words import (
    LISTS,
    TEMPLATES,
    WORDS,
    Language,
    duration,
)

Param: TypeAlias = str | int | list[str] | dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Line:
    at: Instant
    key: str
    params: dict[str, Param] = field(default_factory=dict)


def explain(facts: Iterable[Fact]) -> list[Line]:
    """Facts of one call or debt, in order, as lines. What says nothing about it is left out."""
    lines: list[Line] = []
    together: list[OfferMade] = []
    received_at: Instant | None = None
    for fact in facts:
        if isinstance(fact, OfferMade) and (not together or _together(together[-1], fact)):
            together.append(fact)
            continue
        lines += _offers(together)
        together = []
        match fact:
            case OfferMade():
                together = [fact]
            case CallReceived():
                received_at = fact.at
                lines += _line(fact)
            case CallQueued() if received_at is not None and fact.at > received_at:
                greeting_ms = fact.at - received_at
                lines.append(Line(fact.at, "greeted", {"greeting_ms": greeting_ms}))
                lines += _line(fact)
            case _:
                lines += _line(fact)
    # An answer is known to be a talk two seconds later, and is told of the moment it was given.
    return sorted([*lines, *_offers(together)], key=lambda line: line.at)


def _together(before: OfferMade, after: OfferMade) -> bool:
    """Telephones that begin to ring at one moment by one rule are one decision."""
    if OfferPurpose.LINE not in (before.purpose, after.purpose):
        return False
    return (before.at, before.call, before.step) == (after.at, after.call, after.step)


def _offers(made: Sequence[OfferMade]) -> list[Line]:
    if not made:
        return []
    first, last = made[0], made[-1]
    if first.purpose is not OfferPurpose.LINE:
        key = f"offered_{first.purpose.value}"
        return [Line(first.at, key, {"agent": first.agent})]
    agents: list[str] = [offer.agent for offer in made]
    params: dict[str, Param] = {
        "agents": agents,
        "ranking": first.ranking.value,
        "step": first.step + 1,
        "queue": first.queue,
    }
    key = "offered" if first.debt is None else "offered_callback"
    lines = [Line(first.at, key, params)]
    runners_up: list[str] = [agent for agent in last.runners_up if agent not in agents]
    if runners_up:
        lines.append(Line(first.at, "runners_up", {"agents": runners_up}))
    if excluded := {reason: count for reason, count in first.excluded if count > 0}:
        lines.append(Line(first.at, "excluded", {"excluded": excluded}))
    return lines


def _line(fact: Fact) -> list[Line]:
    match fact:
        case OfferMade():
            return _offers([fact])
        case (
            CallReceived()
            | CallQueued()
            | OfferEnded()
            | CallAnswered()
            | CallMissed()
            | CallEnded()
            | CallCut()
            | WitnessDiffered()
            | CallWaived()
            | CallOwed()
            | CallFellBackToSwitch()
            | LegFailed()
        ):
            return [_of_call(fact)]
        case (
            CallPlaced()
            | PlacedCallAnswered()
            | PlacedCallFailed()
            | TransferBegan()
            | ConsultBegan()
            | TalkHandedOver()
            | TransferTaken()
            | TransferFailed()
            | AgentLost()
            | AgentRejoined()
        ):
            return [_of_talk(fact)]
        case (
            DebtOpened()
            | DebtReopened()
            | DebtOverdue()
            | DebtReassigned()
            | DebtSettled()
            | AttemptScheduled()
            | AttemptStarted()
            | ClientDialled()
            | AttemptMade()
        ):
            return [_of_debt(fact)]
        case (
            AgentStatusChanged()
            | DialRefused()
            | ArrivalConfirmed()
            | AgentReachableChanged()
            | TrunkStateChanged()
            | PlanTaken()
            | SwitchResynced()
        ):
            return []
        case SupervisionStarted() | SupervisionChanged() | SupervisionEnded():
            return []  # not for the agent's eyes
        case AgentDeviceChosen() | LoanBegan() | LoanEnded():
            return []
        case _:
            assert_never(fact)


def _of_call(
    fact: CallReceived
    | CallQueued
    | OfferEnded
    | CallAnswered
    | CallMissed
    | CallEnded
    | CallCut
    | WitnessDiffered
    | CallWaived
    | CallOwed
    | CallFellBackToSwitch
    | LegFailed,
) -> Line:
    key: str
    params: dict[str, Param] = {}
    match fact:
        case CallReceived():
            key = "received" if fact.known_number else "received_unknown_number"
            params = {"did": fact.did, "queue": fact.queue}
            params["number_class"] = fact.number_class.value
        case CallQueued():
            key = "queued" if fact.key_at >= fact.at else "queued_older"
            params = {"queue": fact.queue, "key_at": fact.key_at}
        case OfferEnded():
            key = f"offer_{fact.outcome.value}"
            params = {"agent": fact.agent, "ring_ms": fact.ring_ms}
        case CallAnswered():
            key = "answered_in_fallback" if fact.in_fallback else "answered"
            params = {"agent": fact.agent, "queue": fact.queue, "wait_ms": fact.wait_ms}
        case CallMissed():
            key = "missed" if fact.rung else "missed_nobody_rung"
            params = {"reason": fact.reason.value, "cause": fact.cause.value}
            params |= {"waited_ms": fact.waited_ms, "agents": [*fact.rung]}
        case CallEnded():
            key = "ended"
            params = {"agent": fact.agent, "talk_ms": fact.talk_ms, "ended_by": fact.ended_by}
        case CallCut():
            key, params = "cut", {"agent": fact.agent, "talk_ms": fact.talk_ms}
        case WitnessDiffered():
            key = f"witness_{fact.how.value}"
        case CallWaived():
            key = "waived" if fact.rule is None else "waived_by_rule"
            params = {"kind": fact.kind.value, "rule": fact.rule}
        case CallOwed():
            key, params = "owed", {"debt": fact.debt}
        case CallFellBackToSwitch():
            key = "fell_back"
        case LegFailed():
            key, params = "leg_failed", {"leg": fact.leg, "end_cause": fact.cause.value}
    return Line(fact.at, key, params)


def _of_talk(
    fact: CallPlaced
    | PlacedCallAnswered
    | PlacedCallFailed
    | TransferBegan
    | ConsultBegan
    | TalkHandedOver
    | TransferTaken
    | TransferFailed
    | AgentLost
    | AgentRejoined,
) -> Line:
    key: str
    params: dict[str, Param]
    match fact:
        case CallPlaced():
            key, params = "placed", {"agent": fact.agent, "did": fact.did}
        case PlacedCallAnswered():
            key, params = "placed_answered", {"agent": fact.agent, "wait_ms": fact.wait_ms}
        case PlacedCallFailed():
            key, params = f"placed_{fact.outcome.value}", {"agent": fact.agent}
        case TransferBegan():
            to = "agent" if fact.to_agent is not None else "queue"
            to = "number" if fact.to_person is not None else to
            key, params = f"transfer_to_{to}", {"by": fact.agent, "agent": fact.to_agent}
            params["queue"] = fact.to_queue
            params["manner"] = "attended" if fact.attended else "blind"
        case ConsultBegan():
            key = "consults_agent" if fact.with_agent is not None else "consults_number"
            params = {"by": fact.agent, "agent": fact.with_agent}
        case TalkHandedOver():
            key, params = "handed_over", {"agent": fact.agent, "talk_ms": fact.talk_ms}
        case TransferTaken():
            key = "transfer_taken" if fact.agent is not None else "transfer_taken_outside"
            params = {"agent": fact.agent}
        case TransferFailed():
            key, params = "transfer_failed", {"transfer_failure": fact.reason.value}
        case AgentLost():
            key, params = "agent_lost", {"agent": fact.agent}
        case AgentRejoined():
            key, params = "agent_rejoined", {"agent": fact.agent}
    return Line(fact.at, key, params)


def _of_debt(
    fact: DebtOpened
    | DebtReopened
    | DebtOverdue
    | DebtReassigned
    | DebtSettled
    | AttemptScheduled
    | AttemptStarted
    | ClientDialled
    | AttemptMade,
) -> Line:
    key: str
    params: dict[str, Param] = {"debt": fact.debt}
    match fact:
        case DebtOpened():
            key = "debt_opened" if fact.owner is not None else "debt_opened_nobody"
            params |= {"agent": fact.owner, "rule": fact.rule, "due_at": fact.due_at}
            params |= {"reason": fact.reason.value, "queue": fact.queue}
        case DebtReopened():
            key = "debt_reopened" if fact.owner is not None else "debt_reopened_nobody"
            params |= {"agent": fact.owner, "due_at": fact.due_at, "count": fact.call_count}
        case DebtOverdue():
            key = "debt_overdue" if fact.owner is not None else "debt_overdue_nobody"
            params["agent"] = fact.owner
        case DebtReassigned():
            key = "debt_reassigned"
            params |= {"agent": fact.owner, "by": fact.by}
        case DebtSettled():
            key = f"settled_{fact.how.value}"
            if fact.waiver is not None:
                key = f"settled_waived_{fact.waiver.value}"
            params |= {"by": fact.by, "note": fact.reason, "count": fact.call_count}
        case AttemptScheduled():
            key = "attempt_scheduled" if fact.due_at is not None else "ladder_exhausted"
            params |= {"due_at": fact.due_at, "step": fact.step + 1}
        case AttemptStarted():
            key = "attempt_started"
            params |= {"dial": fact.dial, "order": fact.order.value, "step": fact.step + 1}
        case ClientDialled():
            key = "client_dialled" if fact.agent is not None else "client_dialled_first"
            params |= {"dial": fact.dial, "agent": fact.agent}
        case AttemptMade():
            key = f"attempt_{fact.outcome.value}"
            params |= {"dial": fact.dial, "agent": fact.agent, "counted": int(fact.counted)}
    return Line(fact.at, key, params)


Clock: TypeAlias = Callable[[Instant], str]
"""A moment as the reader wants it, in the tenant's zone."""

NameOf: TypeAlias = Callable[[str, str], str]
"""The name of an `agent` or a `queue` by its id."""


def own_id(_kind: str, id_: str) -> str:
    return id_


def render(
    lines: Iterable[Line], language: Language, clock: Clock, name_of: NameOf = own_id
) -> list[str]:
    return [f"{clock(line.at)}  {sentence(line, language, clock, name_of)}" for line in lines]


def sentence(line: Line, language: Language, clock: Clock, name_of: NameOf = own_id) -> str:
    """One line in words, without its time."""
    shown = {
        name: _show(name, value, language, clock, name_of) for name, value in line.params.items()
    }
    return TEMPLATES[line.key][language].format_map(shown)


def _show(name: str, value: Param, language: Language, clock: Clock, name_of: NameOf) -> str:
    match value:
        case None:
            return ""
        case dict():
            return _list(
                (f"{_word('excluded', key, language)} {count}" for key, count in value.items()),
                language,
            )
        case list():
            return _list((name_of("agent", one) for one in value), language)
        case int() if name.endswith("_ms"):
            return duration(value, language)
        case int() if name.endswith("_at"):
            return clock(value)
        case str() if name in ("agent", "by"):
            return name_of("agent", value)
        case str() if name == "queue":
            return name_of("queue", value)
        case str() if name in WORDS:
            return _word(name, value, language)
        case _:
            return str(value)


def _word(kind: str, value: str, language: Language) -> str:
    """An unknown code is shown as it is: a newer engine may know more reasons than this table."""
    found: Mapping[Language, str] | None = WORDS[kind].get(value)
    return value if found is None else found[language]


def _list(items: Iterable[str], language: Language) -> str:
    return LISTS[language].join(items)
