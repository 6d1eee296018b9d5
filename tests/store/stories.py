"""Made-up facts that fit together, and what the ledger must say of them, counted apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from perezvon.core.events import Event, LegAnswered, NumberClass
from perezvon.core.facts import (
    AgentStatusChanged,
    ArrivalConfirmed,
    AttemptMade,
    AttemptOutcome,
    AttemptScheduled,
    AttemptStarted,
    CallAnswered,
    CallCut,
    CallEnded,
    CallMissed,
    CallOwed,
    CallQueued,
    CallReceived,
    CallWaived,
    ClientDialled,
    DebtOpened,
    DebtReopened,
    DebtSettled,
    Difference,
    Fact,
    MissCause,
    MissReason,
    OfferEnded,
    OfferMade,
    OfferOutcome,
    Settlement,
    Status,
    WaiverKind,
    WitnessDiffered,
)
from perezvon.core.ids import (
    AgentId,
    CallId,
    DebtId,
    GroupId,
    LegId,
    PersonId,
    PlanVersion,
    QueueId,
    RuleId,
    TenantId,
)
from perezvon.core.plan import Agent, CallbackOrder, Group, Member, Plan, Queue, Ranking, Step
from perezvon.runtime.ports import Batch, Row, StoredFact

ANN = AgentId("ann")
SALES = QueueId("sales")
DEFAULT = RuleId("default")


def small_plan(name: str = "Sales") -> Plan:
    return Plan(
        version=PlanVersion(""),
        tenant=TenantId("t"),
        zone="Europe/Moscow",
        queues=(Queue(SALES, name, (Step(groups=(GroupId("all"),)),)),),
        agents=(Agent(ANN, "Анна"),),
        groups=(Group(GroupId("all"), "All", (Member(ANN),)),),
    )


def rows(first: int, last: int, event: Event | None = None) -> list[Row]:
    answered = event or LegAnswered(LegId("leg"))
    return [Row(seq, 1_000 + seq, answered) for seq in range(first, last + 1)]


def batches(facts: Sequence[Fact], first: int = 1, turn: int = 4) -> list[Batch]:
    """As the engine commits them: the facts of a turn with the rows of the next."""
    made: list[Batch] = []
    seq = first
    for start in range(0, len(facts), turn):
        stored = [StoredFact(seq, n, fact) for n, fact in enumerate(facts[start : start + turn])]
        made.append(Batch(rows(seq, seq)))
        made.append(Batch([], stored, carried_out=seq))
        seq += 1
    return made


@dataclass
class Story:
    """A day of calls, told in facts. `standing` is kept by other means than the store's."""

    rng: Random
    now: int = 1_000_000
    era: str = "t-abc"
    facts: list[Fact] = field(default_factory=list)
    standing: dict[CallId, str] = field(default_factory=dict)
    debts: dict[PersonId, tuple[DebtId, list[CallId]]] = field(default_factory=dict)
    dials: Counter[DebtId] = field(default_factory=Counter)
    debt_count: int = 0
    witnessed: dict[CallId, str] = field(default_factory=dict)
    """How the second witness's account of an attempt is to ours."""

    def tell(self, step_count: int) -> "Story":
        steps = (
            self.answered, self.missed, self.missed, self.waived, self.dialled, self.waiting,
            self.cut, self.witness, self.witness,
        )  # fmt: skip
        for _ in range(step_count):
            self.now += self.rng.randrange(1, 5_000)
            self.rng.choice(steps)()
        return self

    def arrive(self, person: PersonId | None = None) -> tuple[CallId, PersonId]:
        call = CallId(f"{self.era}c{len(self.standing) + 1}")
        person = person or PersonId(f"p{self.rng.randrange(12)}")
        self.facts += [
            CallReceived(
                self.now,
                call,
                LegId(f"leg-{call}"),
                "74950000000",
                SALES,
                person,
                NumberClass.MOBILE,
                None,
                PlanVersion("v1"),
                known_number=True,
            ),
            CallQueued(self.now, call, SALES, self.now),
        ]
        self.standing[call] = "in_progress"
        return call, person

    def waiting(self) -> None:
        self.arrive()

    def answered(self) -> None:
        call, person = self.arrive()
        self.offer(call, OfferOutcome.ANSWERED)
        self.facts.append(CallAnswered(self.now + 900, call, ANN, SALES, 900))
        self.standing[call] = "answered"
        if person in self.debts:
            self.settle(person, Settlement.REACHED_US)
        self.facts.append(CallEnded(self.now + 60_900, call, ANN, 60_000, "client"))

    def cut(self) -> None:
        """The switch fails in a talk. Whom nobody can call back was answered all the same."""
        call, person = self.arrive()
        self.offer(call, OfferOutcome.ANSWERED)
        self.facts += [
            CallAnswered(self.now + 900, call, ANN, SALES, 900),
            CallEnded(self.now + 5_900, call, ANN, 5_000, "system"),
            CallCut(self.now + 5_900, call, ANN, 5_000, None),
        ]
        if self.rng.random() < 0.3:
            self.standing[call] = "answered"
        else:
            self.owe(call, person, MissReason.SYSTEM_FAILURE)

    def witness(self) -> None:
        """The other account of some attempt: it agrees, or not, or not until later."""
        if not self.standing:
            return
        call = self.rng.choice(sorted(self.standing))
        known = self.witnessed.get(call)
        if known in ("journal", "fallback"):
            return
        word = self.rng.choice(("journal", "journal", "fallback", "unheard", "unseen"))
        if word in ("journal", "fallback"):
            self.facts.append(ArrivalConfirmed(self.now, call, in_fallback=word == "fallback"))
        elif known is None:
            self.facts.append(WitnessDiffered(self.now, call, Difference(word)))
        else:
            return
        self.witnessed[call] = word

    def waived(self) -> None:
        call, _person = self.arrive()
        self.facts += [
            CallMissed(self.now, call, MissReason.LEFT_WAITING, MissCause.OVERLOADED, 1_000, ()),
            CallWaived(self.now, call, WaiverKind.SHORT, None),
        ]
        self.standing[call] = "waived"

    def missed(self, person: PersonId | None = None) -> DebtId:
        call, person = self.arrive(person)
        self.offer(call, OfferOutcome.MISSED)
        self.facts.append(
            CallMissed(self.now, call, MissReason.LEFT_RINGING, MissCause.UNANSWERED, 9_000, (ANN,))
        )
        return self.owe(call, person, MissReason.LEFT_RINGING)

    def owe(self, call: CallId, person: PersonId, reason: MissReason) -> DebtId:
        if person not in self.debts:
            self.debt_count += 1
            debt = DebtId(f"{self.era}d{self.debt_count}")
            self.debts[person] = (debt, [])
            self.facts.append(
                DebtOpened(
                    self.now,
                    debt,
                    person,
                    call,
                    SALES,
                    reason,
                    DEFAULT,
                    ANN,
                    self.now + 86_400_000,
                    PlanVersion("v1"),
                )
            )
        debt, calls = self.debts[person]
        calls.append(call)
        self.facts += [
            CallOwed(self.now, call, debt),
            AttemptScheduled(self.now, debt, self.now, 0),
        ]
        self.standing[call] = "open"
        return debt

    def offer(self, call: CallId, outcome: OfferOutcome) -> None:
        offer = LegId(f"{call}/1")
        self.facts += [
            AgentStatusChanged(self.now, ANN, Status.RINGING, "", "", call),
            OfferMade(
                self.now, call, offer, ANN, SALES, 0, Ranking.LONGEST_IDLE, (), (("talking", 2),)
            ),
            OfferEnded(self.now + 900, call, offer, ANN, outcome, 900),
        ]

    def dialled(self) -> None:
        """An attempt at somebody whom we owe: it reaches him, or it does not."""
        if not self.debts:
            return
        person = self.rng.choice(sorted(self.debts))
        debt, _calls = self.debts[person]
        self.dials[debt] += 1
        dial = self.dials[debt]
        call = CallId(f"{self.era}b{self.debt_count}-{debt}-{dial}")
        self.facts += [
            AttemptStarted(self.now, debt, call, dial, CallbackOrder.AGENT_FIRST, 0),
            ClientDialled(self.now, debt, dial, LegId(f"{debt}/{dial}c"), ANN),
        ]
        outcome = self.rng.choice(list(AttemptOutcome))
        counted = outcome not in (AttemptOutcome.TRUNK_FAILED, AttemptOutcome.NEVER_MADE)
        self.facts.append(AttemptMade(self.now, debt, dial, outcome, ANN, counted))
        if outcome is AttemptOutcome.REACHED:
            under = self.debts[person][1]
            self.settle(person, Settlement.RECOVERED)
            is_cut = self.rng.random() < 0.3
            ended_by = "system" if is_cut else "agent"
            self.facts.append(CallEnded(self.now + 30_000, call, ANN, 30_000, ended_by))
            if is_cut:
                self.reopen(call, debt, person, under)
        elif outcome is AttemptOutcome.BAD_NUMBER:
            self.settle(person, Settlement.WAIVED, WaiverKind.PERSON)

    def reopen(self, call: CallId, debt: DebtId, person: PersonId, under: list[CallId]) -> None:
        at, due_at = self.now + 30_000, self.now + 86_400_000
        self.facts += [
            CallCut(at, call, ANN, 30_000, debt),
            DebtReopened(at, debt, person, ANN, due_at, len(under)),
            AttemptScheduled(at, debt, at, 0),
        ]
        self.debts[person] = (debt, under)
        for one in under:
            self.standing[one] = "open"

    def settle(self, person: PersonId, how: Settlement, waiver: WaiverKind | None = None) -> None:
        debt, calls = self.debts.pop(person)
        self.facts.append(DebtSettled(self.now, debt, person, how, len(calls), ANN, waiver))
        for call in calls:
            self.standing[call] = how.value

    def ledger(self) -> dict[str, object]:
        states = Counter(self.standing.values())
        names = ("in_progress", "answered", "recovered", "reached_us", "waived", "open")
        return {
            "arrivals": len(self.standing),
            **{name: states[name] for name in names},
            "debts_open": len(self.debts),
            "balanced": True,
            "reconciliation": self.reconciliation(),
        }

    def reconciliation(self) -> dict[str, object]:
        words = Counter(self.witnessed.values())
        # Story calls are numbered in the order of their arrival.
        order = list(self.standing)
        first = min((order.index(call) for call in self.witnessed), default=len(order))
        return {
            "has_witness": bool(self.witnessed),
            "cel_arrivals": words["journal"] + words["fallback"] + words["unheard"],
            "journal_calls": words["journal"] + words["unseen"],
            "fallback_calls": words["fallback"],
            "unheard": words["unheard"],
            "unseen": words["unseen"],
            "awaited": sum(call not in self.witnessed for call in order[first:]),
            "difference": words["unheard"] + words["unseen"],
        }
