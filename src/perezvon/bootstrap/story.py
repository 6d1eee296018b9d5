"""What happens, told in plain words from the facts: one line for each thing that a person notices.

Pure: facts in, lines out. It also knows whether the whole story was seen: an answer, a miss, its
debt, and the call-back that settled it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from perezvon.bootstrap.words import STORY, Language, say_as
from perezvon.core import facts as f
from perezvon.core.ids import SECOND, AgentId, CallId, DebtId, Duration, Instant, PersonId

REMEMBERED_MAX: Final = 10_000
"""Calls and debts whose person we keep in mind."""

NumberOf = Callable[[PersonId], str | None]


@dataclass(frozen=True, slots=True)
class Seen:
    """Which parts of the story were told."""

    answered: bool = False
    missed: bool = False
    owed: bool = False
    recovered: bool = False

    @property
    def whole(self) -> bool:
        return self.answered and self.missed and self.owed and self.recovered


class Story:
    """Give it the facts in order; it gives the lines."""

    def __init__(
        self, names: Mapping[AgentId, str], number_of: NumberOf, zone: str, language: Language
    ) -> None:
        self._names = names
        self._number_of = number_of
        self._zone = ZoneInfo(zone)
        self._language: Language = language
        self._person: OrderedDict[str, PersonId | None] = OrderedDict()
        self._callbacks: set[CallId] = set()
        self.answered = self.missed = self.owed = self.recovered = 0

    @property
    def seen(self) -> Seen:
        return Seen(self.answered > 0, self.missed > 0, self.owed > 0, self.recovered > 0)

    def tell(self, facts: Iterable[f.Fact]) -> list[str]:
        """The lines of these facts. Telephones that ring for one caller are told in one line."""
        lines: list[str] = []
        ringing: dict[CallId, f.OfferMade] = {}
        rung: dict[CallId, list[str]] = {}
        for fact in facts:
            if isinstance(fact, f.OfferMade):
                ringing.setdefault(fact.call, fact)
                rung.setdefault(fact.call, []).append(self._name(fact.agent))
                continue
            lines += self._ringing(ringing, rung)
            lines += self._one(fact)
        return lines + self._ringing(ringing, rung)

    def ledger(self, at: Instant, counts: Mapping[str, int], *, balanced: bool) -> str:
        verdict = self._say("balanced" if balanced else "unbalanced")
        return self._line(at, "ledger", **counts, verdict=verdict)

    def _ringing(
        self, ringing: dict[CallId, f.OfferMade], rung: dict[CallId, list[str]]
    ) -> list[str]:
        lines = [
            self._line(
                offer.at,
                "rings_callback" if offer.debt else "rings",
                who=self._who(offer.call),
                agents=", ".join(rung[call]),
            )
            for call, offer in ringing.items()
        ]
        ringing.clear()
        rung.clear()
        return lines

    def _one(self, fact: f.Fact) -> list[str]:
        match fact:
            case f.CallReceived(at=at, call=call, person=person):
                self._remember(call, person)
                return [self._line(at, "calls", who=self._who(call))]
            case f.CallAnswered(at=at, call=call, agent=agent, wait_ms=wait_ms):
                self.answered += 1
                return self._about(
                    at, "answered", call, agent=self._name(agent), wait=_seconds(wait_ms)
                )
            case f.OfferEnded(
                at=at, agent=agent, outcome=f.OfferOutcome.MISSED, ring_ms=ring_ms, call=call
            ):
                return self._about(
                    at, "let_ring", call, agent=self._name(agent), ring=_seconds(ring_ms)
                )
            case f.CallMissed(at=at, call=call, waited_ms=waited_ms):
                self.missed += 1
                return self._about(at, "missed", call, wait=_seconds(waited_ms))
            case f.CallWaived(at=at, call=call):
                return self._about(at, "waived", call)
            case f.CallEnded(at=at, call=call, agent=agent, talk_ms=talk_ms):
                return self._about(
                    at, "ended", call, agent=self._name(agent), talk=_seconds(talk_ms)
                )
            case f.CallFellBackToSwitch(at=at, call=call):
                return self._about(at, "fell_back", call)
            case _:
                return self._of_debt(fact)

    def _of_debt(self, fact: f.Fact) -> list[str]:
        match fact:
            case f.DebtOpened(at=at, debt=debt, person=person, owner=owner, due_at=due_at):
                self.owed += 1
                self._remember(debt, person)
                owner_name = self._name(owner) if owner else self._say("nobody")
                return self._about(
                    at, "owed", debt, owner=owner_name, due=self._clock(due_at, "%H:%M")
                )
            case f.AttemptScheduled(at=at, debt=debt, due_at=due_at) if due_at is not None:
                return self._about(at, "scheduled", debt, due=self._clock(due_at))
            case f.AttemptStarted(at=at, debt=debt, call=call):
                self._remember(call, self._person.get(debt))
                return self._about(at, "callback", debt)
            case f.ClientDialled(at=at, debt=debt, agent=agent):
                name = self._name(agent) if agent else self._say("nobody")
                return self._about(at, "dialled", debt, agent=name)
            case f.AttemptMade(at=at, debt=debt, outcome=outcome) if (
                outcome is not f.AttemptOutcome.REACHED
            ):
                return self._about(at, "not_reached", debt, why=self._say(outcome.value))
            case f.DebtSettled(at=at, debt=debt, how=how, by=by):
                self.recovered += how is f.Settlement.RECOVERED
                name = self._names.get(AgentId(by), by)
                return self._about(at, f"settled_{how.value}", debt, by=name)
            case _:
                return []

    def _about(
        self, at: Instant, key: str, subject: CallId | DebtId, **values: object
    ) -> list[str]:
        return [self._line(at, key, who=self._who(subject), **values)]

    def _line(self, at: Instant, key: str, **values: object) -> str:
        return f"{self._clock(at)}  {self._say(key, **values)}"

    def _say(self, key: str, **values: object) -> str:
        return say_as(STORY, key, self._language, **values)

    def _clock(self, at: Instant, form: str = "%H:%M:%S") -> str:
        return datetime.fromtimestamp(at / SECOND, self._zone).strftime(form)

    def _name(self, agent: AgentId) -> str:
        return self._names.get(agent, agent)

    def _remember(self, subject: str, person: PersonId | None) -> None:
        self._person[subject] = person
        while len(self._person) > REMEMBERED_MAX:
            self._person.popitem(last=False)

    def _who(self, subject: str) -> str:
        person = self._person.get(subject)
        number = self._number_of(person) if person is not None else None
        return _spaced(number) if number else self._say("withheld")


def _seconds(length_ms: Duration) -> int:
    return round(length_ms / SECOND)


def _spaced(number: str) -> str:
    """+79161110003 as people read it: +7 916 111-00-03."""
    if len(number) == 12 and number.startswith("+7"):  # noqa: PLR2004 - the length of such a one
        return f"+7 {number[2:5]} {number[5:8]}-{number[8:10]}-{number[10:]}"
    return number
