"""The oracle of a failing switch and of the second witness: whom they failed has an end yet.

A part of the auditor with promises of its own: who waited or talked when the switch died is owed
in that turn, at once and in his order; and the two accounts differ only where a row was lost.
"""

from typing import TYPE_CHECKING

from perezvon.core import facts as f
from perezvon.core.facts import WaiverKind
from perezvon.core.ids import MINUTE, CallId, DebtId, Instant, PersonId
from perezvon.sim.legs import Attempt
from perezvon.sim.storm import Storm
from tests.dst.books import Debt

if TYPE_CHECKING:
    from tests.dst.auditor import Auditor


class Failures:
    def __init__(self, auditor: "Auditor") -> None:
        self._all = auditor
        self._cut: list[CallId] = []
        self._cut_callbacks: list[DebtId] = []
        self._failed: list[DebtId] = []
        """Of this turn: to be tried at once."""
        self._confirmed: set[CallId] = set()
        self._differing: dict[CallId, f.Difference] = {}

    # -- the second witness

    def confirmed(self, call: CallId) -> None:
        self._want(call not in self._confirmed, f"confirmed twice: {call}")
        self._confirmed.add(call)
        self._differing.pop(call, None)

    def differed(self, call: CallId, how: f.Difference) -> None:
        self._want(call not in self._confirmed, f"confirmed, and differs: {call}")
        self._differing[call] = how

    def audit_reconciliation(self, storm: Storm) -> None:
        """Every attempt is confirmed or differs; and only what a fault took away differs."""
        books = storm.host.engine.reconciliation
        known = {*self._confirmed, *self._differing}
        # Before the second witness has spoken at all, what it leaves out is not judged.
        untold = [call for call in self._all.calls if call not in known]
        unseen = sum(how is f.Difference.UNSEEN for how in self._differing.values())
        lost = unseen + len(untold)
        self._want(lost <= storm.counts.rows, f"{unseen} unseen, {untold} not even different")
        unheard = len(self._differing) - unseen
        told = (books.unseen, books.unheard, books.witnessed)
        counted = (unseen, unheard, len(self._confirmed) + unheard)
        self._want(told == counted, f"reconciliation: facts say {counted}, the engine {told}")

    # -- cut off

    def call_was_cut(self, fact: f.CallCut) -> None:
        if fact.debt is not None:
            self._cut_callbacks.append(fact.debt)
            return
        inbound = self._all.calls.get(fact.call)
        if inbound is None:
            # An agent had dialled him by hand, and nobody is owed.
            return
        # Whose agent's telephone died waits again, and may be cut off a second time.
        talked = inbound.ends == (["owed"] if inbound.cut else ["answered"])
        nobody_to_call = inbound.person is None or self._all.waives
        self._want(talked or nobody_to_call, f"cut and did not talk: {fact.call}")
        inbound.cut = inbound.waiting = True
        inbound.tried.add(fact.agent)
        self._cut.append(fact.call)

    def reopened(self, debt: DebtId, person: PersonId) -> None:
        known = self._all.debts[debt]
        self._want(known.settled == "recovered", f"reopened and was {known.settled}: {debt}")
        handed = known.attempt_before is not None and self._all.was_handed(known.attempt_before)
        self._want(debt in self._cut_callbacks or handed, f"reopened and not cut: {debt}")
        self._want(not self._open_of(person), f"reopened beside an open one: {debt}")
        known.settled, known.counted, known.last_at = "", 0, None
        if not handed:
            self._failed.append(debt)

    def opened(self, fact: f.DebtOpened) -> None:
        if fact.reason is f.MissReason.SYSTEM_FAILURE:
            known = self._all.debts[fact.debt]
            known.failed_with, known.failed_at = fact.call, fact.at
            self._failed.append(fact.debt)

    def scheduled(self, fact: f.AttemptScheduled) -> None:
        """Whom we failed in this turn does not wait for his ladder; for opening hours he does."""
        known = self._all.debts[fact.debt]
        if fact.debt not in self._failed or known.rule is None or known.queue is None:
            return
        if known.rule.hours is None and known.queue.hours is None:
            at_once = fact.due_at is not None and fact.due_at <= fact.at
            self._want(at_once, f"we failed him and he has to wait: {fact.debt} {fact.due_at}")

    def turn_is_over(self) -> None:
        """Whoever was cut off is owed in that turn, if he has a number and no rule is against."""
        for call in self._cut:
            inbound = self._all.calls[call]
            owed = inbound.ends == ["owed"] or inbound.person is None or self._all.waives
            self._want(owed, f"cut off and not owed: {call}")
        for debt in self._cut_callbacks:
            known = self._all.debts[debt]
            fine = known.settled != "recovered" or self._open_of(known.person)
            self._want(fine, f"a call-back was cut off and its debt is settled: {debt}")
        self._cut.clear()
        self._cut_callbacks.clear()
        self._failed.clear()

    def tried(self, debt: Debt, call: CallId, storm: Storm) -> None:
        """Of those whom one failure made debts of, who came first is tried first."""
        first_time, debt.tried = not debt.tried, True
        if debt.failed_with is None or not first_time or self._all.people_act or not debt.rule:
            return
        came_at = self._all.calls[debt.failed_with].at
        for other in self._all.debts.values():
            if other.failed_with is None or other.tried or other.settled:
                continue
            alike = other.failed_at == debt.failed_at and other.queue == debt.queue
            first = self._all.calls[other.failed_with].at < came_at
            passed = alike and first and other.rule == debt.rule
            fine = not passed or _called_since(storm, other.person, debt.failed_at)
            self._want(fine, f"tried before one who came first: {call}")

    def audit_cut(self, call: CallId, attempt: Attempt) -> None:
        """The switch died while he waited or talked: he is owed, unless nobody can call him."""
        how = self._all.calls[call].ends[:1]
        if how == ["waived"]:
            unmet = self._all.waived[call] in (WaiverKind.NO_NUMBER, WaiverKind.RULE)
            self._want(unmet, f"we failed him and waived it: {call} {self._all.waived[call]}")
        elif how == ["answered"]:
            free = attempt.arrival.withheld or self._all.waives
            self._want(free, f"cut off by the switch and taken for answered: {attempt.leg}")

    def _open_of(self, person: PersonId) -> bool:
        return any(d.person == person and not d.settled for d in self._all.debts.values())

    def _want(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
        self._all.want(holds, otherwise)


def _called_since(storm: Storm, person: PersonId, since: Instant) -> bool:
    """Whether he has called again, so that he may be on the line, or was until now."""
    return any(
        attempt.arrived.caller.person == person
        and attempt.arrived_at + storm.jumped_ms >= since - MINUTE
        and attempt.cut_at is None
        for attempt in storm.world.truth.attempts.values()
    )
