"""What happened when in a call, stage by stage: a fold over its facts, to be drawn as bars.

A call and each of its call-backs are parts of their own: seconds within hours could not be drawn
on one scale. Pure; who is called what, and what is open still, is the reader's business.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from perezvon.core import facts as f
from perezvon.core.ids import Instant
from perezvon.core.talk_facts import (
    AgentLost,
    AgentRejoined,
    CallPlaced,
    ConsultBegan,
    OfferPurpose,
    PlacedCallAnswered,
    TalkHandedOver,
    TransferBegan,
    TransferFailed,
    TransferTaken,
)

PARTS_MAX = 50
SPANS_MAX = 500


class PartKind(StrEnum):
    CALL = "call"
    CALLBACK = "callback"
    PLACED = "placed"


class Stage(StrEnum):
    """Of the client's line: greeting to transfer. Of an agent's: ringing to wrap-up."""

    GREETING = "greeting"
    WAITING = "waiting"
    FALLBACK = "fallback"
    DIALLING = "dialling"
    """We call him, and he has not answered yet."""
    TRANSFER = "transfer"
    """He hears music while he is handed over."""
    RINGING = "ringing"
    TALK = "talk"
    CONSULT = "consult"
    """Two of us speak about him."""
    LOST = "lost"
    """His telephone fell silent in mid-talk."""
    WRAP_UP = "wrap_up"


OF_CLIENT = frozenset(
    {Stage.GREETING, Stage.WAITING, Stage.FALLBACK, Stage.DIALLING, Stage.TRANSFER}
)


@dataclass(slots=True)
class Span:
    stage: Stage
    from_at: Instant
    agent: str | None = None
    """Whose line it is; None: the client's, and of a talk: somebody's outside."""
    to_at: Instant | None = None
    outcome: str | None = None
    step: int | None = None
    """Of a queue's steps, from 1 on."""
    ring_ms: int | None = None
    queue: str | None = None
    offer: str | None = None


@dataclass(slots=True)
class Part:
    call: str
    kind: PartKind
    from_at: Instant
    to_at: Instant | None = None
    dial: int | None = None
    outcome: str | None = None
    spans: list[Span] = field(default_factory=list)

    def begin(self, span: Span) -> None:
        if len(self.spans) < SPANS_MAX:
            self.spans.append(span)

    def end(
        self, at: Instant, *stages: Stage, agent: str | None = None, outcome: str | None = None
    ) -> None:
        """Those of these stages that are open; of one agent, where he is named."""
        for span in self.spans:
            if span.to_at is None and span.stage in stages and agent in {None, span.agent}:
                span.to_at = at
                span.outcome = outcome

    def finish(self, at: Instant, outcome: str | None = None) -> None:
        self.end(at, *(stage for stage in Stage if stage is not Stage.WRAP_UP))
        self.to_at = at
        self.outcome = outcome


def timeline(facts: Iterable[f.Fact]) -> list[Part]:
    """In order of their beginnings. A stage that nobody saw the end of has none."""
    fold = _Fold()
    for fact in facts:
        fold.take(fact)
    for part in fold.parts.values():
        part.spans = [span for span in part.spans if span.to_at != span.from_at or span.outcome]
    return list(fold.parts.values())


class _Fold:
    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self._of_attempt: dict[tuple[str, int], str] = {}

    def take(self, fact: f.Fact) -> None:
        if isinstance(fact, f.ClientDialled | f.AttemptMade):
            call = self._of_attempt.get((fact.debt, fact.dial))
        else:
            self._begin(fact)
            call = getattr(fact, "call", None)
        part = self.parts.get(call or "")
        if part is not None:
            _on_its_way(part, fact)
            _of_agents(part, fact)
            _handed_over(part, fact)

    def _begin(self, fact: f.Fact) -> None:
        match fact:
            case f.CallReceived():
                part = Part(fact.call, PartKind.CALL, fact.at)
                part.begin(Span(Stage.GREETING, fact.at))
            case f.AttemptStarted():
                part = Part(fact.call, PartKind.CALLBACK, fact.at, dial=fact.dial)
                self._of_attempt[fact.debt, fact.dial] = fact.call
            case CallPlaced():
                part = Part(fact.call, PartKind.PLACED, fact.at)
            case _:
                return
        if len(self.parts) < PARTS_MAX:
            self.parts.setdefault(part.call, part)


def _on_its_way(part: Part, fact: f.Fact) -> None:
    match fact:
        case f.CallQueued():
            part.end(fact.at, Stage.GREETING, Stage.WAITING)
            part.begin(Span(Stage.WAITING, fact.at, queue=fact.queue))
        case f.CallFellBackToSwitch():
            part.end(fact.at, Stage.GREETING, Stage.WAITING)
            part.begin(Span(Stage.FALLBACK, fact.at))
        case f.CallAnswered():
            part.end(fact.at, Stage.GREETING, Stage.WAITING, Stage.FALLBACK, Stage.TRANSFER)
            part.begin(Span(Stage.TALK, fact.at, fact.agent))
        case f.CallMissed():
            part.finish(fact.at, fact.reason.value)
        case f.CallEnded():
            _begin_talk_earlier(part, fact.at - fact.talk_ms)
            part.finish(fact.at, fact.ended_by)
        case f.ClientDialled():
            part.begin(Span(Stage.DIALLING, fact.at))
        case f.AttemptMade() if fact.outcome is f.AttemptOutcome.REACHED:
            part.end(fact.at, Stage.DIALLING, Stage.WAITING, outcome=fact.outcome.value)
            part.begin(Span(Stage.TALK, fact.at, fact.agent))
        case f.AttemptMade():
            part.end(fact.at, Stage.DIALLING, outcome=fact.outcome.value)
            part.finish(fact.at, fact.outcome.value)
        case PlacedCallAnswered():
            part.end(fact.at, Stage.DIALLING)
            part.begin(Span(Stage.TALK, fact.at, fact.agent))
        case f.PlacedCallFailed():
            part.end(fact.at, Stage.DIALLING, outcome=fact.outcome.value)
            part.finish(fact.at, fact.outcome.value)
        case _:
            pass


def _begin_talk_earlier(part: Part, at: Instant) -> None:
    """That a call-back is a talk is told some seconds after it began; its length says when."""
    talks = [span for span in part.spans if span.stage is Stage.TALK]
    if part.kind is not PartKind.CALLBACK or len(talks) != 1:
        return
    for span in part.spans:
        if span.stage is Stage.DIALLING and span.to_at == talks[0].from_at:
            span.to_at = max(span.from_at, min(at, talks[0].from_at))
    talks[0].from_at = min(at, talks[0].from_at)


def _of_agents(part: Part, fact: f.Fact) -> None:
    match fact:
        case f.OfferMade():
            step = fact.step + 1 if fact.purpose is OfferPurpose.LINE else None
            part.begin(Span(Stage.RINGING, fact.at, fact.agent, step=step, offer=fact.offer))
        case f.OfferEnded():
            for span in part.spans:
                if span.offer == fact.offer and span.outcome is None:
                    span.to_at = fact.at
                    span.outcome, span.ring_ms = fact.outcome.value, fact.ring_ms
                    if fact.outcome is f.OfferOutcome.ANSWERED:
                        # Whether it is a talk, and so an answer, is known a while after he took it.
                        span.to_at = min(fact.at, span.from_at + fact.ring_ms)
            is_his_own = part.kind is PartKind.PLACED and len(part.spans) == 1
            if is_his_own and fact.outcome is f.OfferOutcome.ANSWERED:
                part.begin(Span(Stage.DIALLING, fact.at))
        case f.AgentStatusChanged():
            if fact.status is f.Status.WRAP_UP:
                part.begin(Span(Stage.WRAP_UP, fact.at, fact.agent))
        case AgentLost():
            part.begin(Span(Stage.LOST, fact.at, fact.agent))
        case AgentRejoined():
            part.end(fact.at, Stage.LOST, agent=fact.agent)
        case _:
            pass


def _handed_over(part: Part, fact: f.Fact) -> None:
    match fact:
        case TransferBegan():
            part.begin(Span(Stage.TRANSFER, fact.at, queue=fact.to_queue))
        case ConsultBegan():
            part.begin(Span(Stage.CONSULT, fact.at, fact.with_agent))
        case TalkHandedOver():
            part.end(fact.at, Stage.TALK, Stage.LOST, agent=fact.agent)
        case TransferTaken():
            part.end(fact.at, Stage.TRANSFER, Stage.CONSULT)
            part.begin(Span(Stage.TALK, fact.at, fact.agent))
        case TransferFailed():
            part.end(fact.at, Stage.TRANSFER, Stage.CONSULT, outcome=fact.reason.value)
        case _:
            pass
