"""Who was lost, left in silence or rung twice: judged at the callers' and clients' own telephones.

A kill of the switch ends every call that stands on it, and no software can bring that one back. So
whoever was on the line then counts by what follows: he has to be rung, or to be owed still. His
silence is counted until that moment.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from perezvon.core.facts import CallReceived, DebtOpened, DebtReopened, DebtSettled, Fact
from perezvon.core.ids import SECOND, DebtId, PersonId
from tests.support.silence import ENDS
from tests.support.sipp import Happening

SETTLED_S: Final = 1.0
"""A ring that began so soon after the settlement was under way already."""
HUNG_UP_S: Final = 0.5
"""An agent who hung up so shortly before the switch died had ended the talk."""

NumberOf = Callable[[PersonId], str]


@dataclass(frozen=True, slots=True)
class Story:
    """What all ends have on record. Numbers are without a plus, moments in seconds."""

    callers: Mapping[str, Sequence[Happening]]
    """By number: each calls once."""
    agents: Sequence[Happening]
    clients: Sequence[Happening]
    deaths: Sequence[float]
    """Kills of the switch."""
    facts: Sequence[Fact]
    number_of: NumberOf

    def cut_at(self, number: str) -> float | None:
        """When the switch died under him."""
        call = self.callers[number]
        end = ended_at(call)
        during = (
            death for death in self.deaths if call[0].at < death and (end is None or death < end)
        )
        return min(during, default=None)

    def before_the_cut(self, number: str) -> Sequence[Happening]:
        """His call, ended by the other side when the switch died under him."""
        call, cut_at = self.callers[number], self.cut_at(number)
        if cut_at is None:
            return call
        return [
            *(one for one in call if one.at < cut_at),
            Happening("ended_by_other", call[0].agent, number, call[0].call, cut_at, "switch"),
        ]


@dataclass(frozen=True, slots=True)
class Judgement:
    """Numbers of callers, by what became of them."""

    served: frozenset[str]
    """Talked with an agent, and the talk was not cut."""
    rung: frozenset[str]
    """Called back, whether they picked up or not."""
    owed: frozenset[str]
    """Not yet rung; their debt is open."""
    lost: frozenset[str]
    """Nothing of that."""
    unknown: frozenset[str]
    """Not in the ledger."""
    cut: frozenset[str]
    """On the line when the switch was killed."""
    cut_without_cause: frozenset[str]
    """Their talk was ended by neither side, and the switch lived."""
    rung_beyond_attempts: Counter[str] = field(default_factory=Counter)
    rung_after_settlement: Counter[str] = field(default_factory=Counter)

    @property
    def duplicates(self) -> int:
        return self.rung_beyond_attempts.total() + self.rung_after_settlement.total()


def judge(story: Story, attempts: Counter[str]) -> Judgement:
    """`attempts`: diallings on record, by number."""
    callers = frozenset(story.callers)
    rings = _by_number(story.clients, "invited", by=lambda one: one.agent)
    cuts = {number: at for number in callers if (at := story.cut_at(number)) is not None}
    talks = _by_number(story.agents, "answered", by=lambda one: one.caller)
    hung_up = _by_number(story.agents, "hung_up", by=lambda one: one.caller)
    served = frozenset(
        number for number in callers
        if _was_served(story, number, cuts.get(number), talks, hung_up)
    )  # fmt: skip
    rung = frozenset(
        number for number in callers
        if any(at > cuts.get(number, 0) for at in rings.get(number, ()))
    )  # fmt: skip
    owed = callers & _owed(story)
    known = {
        story.number_of(fact.person)
        for fact in story.facts
        if isinstance(fact, CallReceived) and fact.person is not None
    }
    return Judgement(
        served=served,
        rung=rung,
        owed=owed - served - rung,
        lost=callers - served - rung - owed,
        unknown=callers - known,
        cut=frozenset(cuts),
        cut_without_cause=frozenset(
            number for number in callers - cuts.keys() - hung_up.keys()
            if any(one.kind == "ended_by_other" for one in story.callers[number])
        ),
        rung_beyond_attempts=Counter({number: len(at) for number, at in rings.items()}) - attempts,
        rung_after_settlement=_rung_after_settlement(story, rings),
    )  # fmt: skip


def ended_at(call: Sequence[Happening]) -> float | None:
    return next((one.at for one in call if one.kind in ENDS), None)


def _was_served(
    story: Story, number: str, cut_at: float | None,
    talks: Mapping[str, list[float]], hung_up: Mapping[str, list[float]],
) -> bool:  # fmt: skip
    if number not in talks or not any(one.kind == "answered" for one in story.callers[number]):
        return False
    return cut_at is None or any(at < cut_at + HUNG_UP_S for at in hung_up.get(number, ()))


def _by_number(
    happenings: Sequence[Happening], kind: str, *, by: Callable[[Happening], str]
) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for one in happenings:
        if one.kind == kind:
            found.setdefault(by(one).removeprefix("+"), []).append(one.at)
    return found


def _owed(story: Story) -> set[str]:
    """Whose debt is open."""
    owed: dict[DebtId, str] = {}
    for fact in story.facts:
        if isinstance(fact, DebtOpened | DebtReopened):
            owed[fact.debt] = story.number_of(fact.person)
        elif isinstance(fact, DebtSettled):
            owed.pop(fact.debt, None)
    return set(owed.values())


def _rung_after_settlement(story: Story, rings: Mapping[str, list[float]]) -> Counter[str]:
    """Rings of those whom nothing was owed any more."""
    settled: dict[str, float] = {}
    spans: list[tuple[str, float, float]] = []
    for fact in story.facts:
        if isinstance(fact, DebtSettled):
            settled[story.number_of(fact.person)] = fact.at / SECOND
        elif isinstance(fact, DebtOpened | DebtReopened):
            number = story.number_of(fact.person)
            if number in settled:
                spans.append((number, settled.pop(number), fact.at / SECOND))
    spans += [(number, at, float("inf")) for number, at in settled.items()]
    return Counter(
        number
        for number, since, until in spans
        for at in rings.get(number, ())
        if since + SETTLED_S < at < until
    )
