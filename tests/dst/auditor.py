"""The oracle: folds the facts by itself and compares them with the truth of the world.

It never looks into the engine, and shares no code with it. What faults make undecidable for one
caller (`Attempt.disturbed`) is excused for him alone; that he has an end is never excused.
"""

import re
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from perezvon.core import facts as f
from perezvon.core import talk_facts as t
from perezvon.core.facts import Fact, OfferOutcome, Status, WaiverKind
from perezvon.core.ids import (
    MINUTE,
    SECOND,
    AgentId,
    CallId,
    DebtId,
    GroupId,
    Instant,
    LegId,
    PersonId,
)
from perezvon.core.plan import Plan, Queue, Ranking, StepMode
from perezvon.sim.legs import Leg, Side
from perezvon.sim.storm import Storm
from tests.dst.books import Debt, Inbound, Offer, people_of
from tests.dst.failures import Failures
from tests.dst.handing import Handing

PROVED_MS = 2_000
"""A talk of this length is one, by the plan's threshold."""
NOBODY_TALKED_MS = 500
"""Below it nobody talked; in between a caller's own hang-up decides."""
STUCK_MS = 20 * MINUTE
LETS_GO_MS = 3 * MINUTE
"""Whom the engine told to end is gone by then: after a lost command the next audit sees to it."""
AUDITED_MS = 65 * SECOND
"""An audit comes each minute, and after each recovery."""
SLACK_MS = 300
OUTSIDE = re.compile(r".+c\d+/[1-9]\d*c|.+/\d+/\d+c")
"""Legs to numbers outside to which a client was to be handed over."""
WRONGS_MAX = 50
"""The network between the telephone and us."""


class Auditor:
    """Give it the storm after each turn; `finish` compares the end with the truth."""

    def __init__(self, plan: Plan, *, people_act: bool) -> None:
        self.people_act = people_act
        self.wrongs: list[str] = []
        self.calls: dict[CallId, Inbound] = {}
        self.by_leg: dict[LegId, CallId] = {}
        self.debts: dict[DebtId, Debt] = {}
        self.waived: dict[CallId, WaiverKind] = {}
        self.offers: dict[LegId, Offer] = {}
        self.status: dict[AgentId, tuple[Status, Instant]] = {}
        """And since when."""
        self.idle_since: dict[AgentId, Instant] = {}
        self.talks: dict[AgentId, CallId] = {}
        self.unreachable: set[AgentId] = set()
        self.lent: set[tuple[AgentId, GroupId]] = set()
        self.supervising: set[AgentId] = set()
        self.attempting: dict[PersonId, DebtId] = {}
        self._plan = plan
        self._seen = 0
        self._now = 0
        self._there: Mapping[LegId, Leg] = {}
        self._reached: list[PersonId | None] = []
        self._missed: list[tuple[LegId, Instant]] = []
        self._failures = Failures(self)
        self._handing = Handing(self)
        self._storm: Storm | None = None

    @property
    def plan(self) -> Plan:
        return self._plan

    def was_handed(self, call: CallId) -> bool:
        return self._handing.was_handed(call)

    @property
    def waives(self) -> bool:
        """Whether any rule owes nothing to some."""
        return any(rule.waive for rule in self._plan.callback_rules)

    def look(self, storm: Storm) -> None:
        facts = storm.host.facts
        self._now = storm.now - storm.world.board.start_at
        self._there = storm.world.board.legs
        self._storm = storm
        if self._seen == len(facts):
            return
        for index in range(self._seen, len(facts)):
            self._fold(facts[index])
        self._seen = len(facts)
        for person in self._reached:
            owed = [d for d, debt in self.debts.items() if debt.person == person]
            left = [d for d in owed if not self.debts[d].settled]
            self.want(person is None or not left, f"he talked with us and is owed: {left}")
        self._reached.clear()
        self._failures.turn_is_over()
        self._handing.turn_is_over()
        if storm.plan is not self._plan:
            self._plan = storm.plan
        self._nobody_waits_beside_a_free_agent()
        self._no_telephone_rings_in_vain(storm)
        self._nobody_talks_to_silence(storm)

    # -- the fold

    def _fold(self, fact: Fact) -> None:
        match fact:
            case f.CallReceived():
                self._received(fact)
            case f.CallQueued(call=call, key_at=key_at):
                if call in self.calls:
                    self.calls[call].waiting = True
                    self.calls[call].key_at = key_at
                    self._handing.queued(fact)
            case f.OfferMade():
                self._offered(fact)
            case f.OfferEnded():
                self._offer_ended(fact)
            case f.CallAnswered(call=call):
                self._end(call, "answered")
                self._reached.append(self.calls[call].person)
            case f.CallMissed(call=call, reason=reason):
                self.calls[call].waiting = False
                self.calls[call].missed_as = reason
            case f.CallCut():
                self._failures.call_was_cut(fact)
                if fact.call in self.calls:
                    # Should his answer have been told in this very turn.
                    person = self.calls[fact.call].person
                    self._reached = [other for other in self._reached if other != person]
            case f.ArrivalConfirmed(call=call):
                self._failures.confirmed(call)
            case f.WitnessDiffered(call=call, how=how):
                self._failures.differed(call, how)
            case f.CallWaived(call=call, kind=kind):
                self._end(call, "waived")
                self.waived[call] = kind
            case f.CallOwed(call=call, debt=debt):
                self._owed(call, debt)
            case f.CallFellBackToSwitch(call=call):
                self.calls[call].waiting = False
            case f.AgentStatusChanged():
                self._status(fact)
            case f.AgentReachableChanged(agent=agent, reachable=reachable):
                (self.unreachable.discard if reachable else self.unreachable.add)(agent)
            case t.SupervisionStarted(supervisor=agent):
                self.supervising.add(agent)
            case t.SupervisionEnded(supervisor=agent):
                self.supervising.remove(agent)
            case f.LoanBegan(agent=agent, group=group):
                self.want(fact.until_at > fact.at, f"over before it began: {fact}")
                self.lent.add((agent, group))
            case f.LoanEnded(agent=agent, group=group):
                self.lent.remove((agent, group))
            case _:
                self._handing.fold(fact)
                self._fold_debt(fact)

    def _fold_debt(self, fact: Fact) -> None:
        match fact:
            case f.DebtOpened(debt=debt, person=person, owner=owner):
                open_ones = [d for d in self.debts.values() if d.person == person and not d.settled]
                self.want(not open_ones, f"two open debts to one person: {debt}")
                self.want(owner is not None, f"a debt without an owner: {debt}")
                self.want(fact.due_at > fact.at, f"a debt without a due time: {debt}")
                rule = next((r for r in self._plan.callback_rules if r.id == fact.rule), None)
                queue = self.calls[fact.call].queue
                self.debts[debt] = Debt(person, owner, rule, queue)
                self._failures.opened(fact)
            case f.DebtReopened(debt=debt, person=person):
                self._failures.reopened(debt, person)
            case f.AttemptScheduled():
                self._failures.scheduled(fact)
            case f.DebtSettled(debt=debt, how=how):
                self.want(not self.debts[debt].settled, f"settled twice: {debt}")
                self.debts[debt].settled = how.value
            case f.AttemptStarted(debt=debt, call=call):
                known = self.debts[debt]
                self.want(not known.settled, f"an attempt for a settled debt: {call}")
                self.want(known.person not in self.attempting, f"two attempts at once: {call}")
                self.attempting[known.person] = debt
                known.attempt = call
                self._permitted(fact, known)
                assert self._storm is not None
                self._failures.tried(known, call, self._storm)
            case f.AttemptMade(debt=debt):
                known = self.debts[debt]
                self.want(known.attempt is not None, f"an attempt ended twice: {debt}")
                known.attempt, known.attempt_before = None, known.attempt
                self.attempting.pop(known.person, None)
                if fact.counted:
                    known.counted += 1
                    known.last_at = fact.at
            case f.ClientDialled(debt=debt, leg=leg):
                self.want(not self.debts[debt].settled, f"dialled for a settled debt: {leg}")
            case _:
                pass

    def _received(self, fact: f.CallReceived) -> None:
        self.want(fact.leg not in self.by_leg, f"one attempt entered twice: {fact.leg}")
        queue = next((q for q in self._plan.queues if q.id == fact.queue), None)
        if fact.plan != self._plan.version:
            queue = None
        self.by_leg[fact.leg] = fact.call
        self.calls[fact.call] = Inbound(fact.leg, fact.person, queue, fact.at)

    def _offered(self, fact: f.OfferMade) -> None:
        twice = [leg for leg, offer in self.offers.items() if offer.agent == fact.agent]
        self.want(not twice, f"an agent is offered two calls: {fact.offer} {twice}")
        status, _ = self.status.get(fact.agent, (None, 0))
        fine = status is Status.AVAILABLE and fact.agent not in self.supervising
        self.want(fine, f"offered to one who is {status}, or supervises: {fact.offer}")
        self.offers[fact.offer] = Offer(fact.call, fact.agent, fact.at, fact.step)
        if fact.ranking is Ranking.LONGEST_IDLE and fact.runners_up and fact.debt is None:
            idle_at = self.idle_since.get(fact.agent, 0)
            first = min(self.idle_since.get(other, 0) for other in fact.runners_up)
            self.want(idle_at <= first, f"one idle for longer is passed over: {fact.offer}")
        inbound = self.calls.get(fact.call)
        if inbound is None or fact.purpose is not t.OfferPurpose.LINE:
            return
        inbound.tried.add(fact.agent)
        self.want(fact.agent not in inbound.refused, f"rung though he refused: {fact.offer}")
        queue = inbound.queue
        if queue is None or queue not in self._plan.queues:
            return
        self._nobody_is_overtaken(fact, inbound, queue)
        step = queue.steps[fact.step]
        fits = fact.agent in people_of(step, self._plan, self.lent)
        self.want(fits, f"rung and not of this step: {fact.offer} {fact.agent}")
        if all(s.mode is StepMode.REPLACE and s.ranking is not Ranking.ALL for s in queue.steps):
            count = sum(offer.call == fact.call for offer in self.offers.values())
            most = max(s.k for s in queue.steps)
            self.want(count <= most, f"{count} telephones ring, {most} may: {fact.call}")

    def _nobody_is_overtaken(self, fact: f.OfferMade, inbound: Inbound, queue: Queue) -> None:
        """One order for all queues: an agent goes to the first who wants him."""
        for call, other in self.calls.items():
            theirs = other.queue
            # Without a key: he had an agent at once, and was never queued.
            if not self._waits(other) or not (theirs and other.key_at and _is_certain(theirs)):
                continue
            if (theirs.tier, other.key_at) >= (queue.tier, inbound.key_at):
                continue
            step = theirs.steps[0]
            count = sum(offer.call == call for offer in self.offers.values())
            wants = count < step.k and fact.agent not in other.tried
            passed = wants and fact.agent in people_of(step, self._plan, self.lent)
            self.want(not passed, f"overtaken: {call} by {fact.offer}")

    def _permitted(self, fact: f.AttemptStarted, debt: Debt) -> None:
        """Within hours; unless a person asked for it, not too often and not too soon."""
        if debt.rule is None or debt.queue is None:
            return
        hours = debt.rule.hours or debt.queue.hours
        week = next((h.week for h in self._plan.hours if h.id == hours), None)
        if week is not None:
            local = datetime.fromtimestamp(fact.at / 1_000, ZoneInfo(self._plan.zone))
            minute = local.hour * 60 + local.minute
            fits = any(i.from_minute <= minute < i.to_minute for i in week[local.weekday()])
            self.want(fits, f"called back out of hours: {fact.call}")
        if self.people_act or debt.rule not in self._plan.callback_rules:
            return
        few = debt.counted < debt.rule.attempts_max
        self.want(few, f"attempt {debt.counted + 1} of {debt.rule.attempts_max}: {fact.call}")
        if debt.last_at is not None:
            gap_ms = fact.at - debt.last_at
            self.want(gap_ms >= debt.rule.gap_ms_min, f"again after {gap_ms} ms: {fact.call}")

    def _offer_ended(self, fact: f.OfferEnded) -> None:
        offer = self.offers.pop(fact.offer, None)
        if offer is None:
            # Won offers leave the ringing ones when he begins to talk, and end here.
            ended_after_talk = (OfferOutcome.ANSWERED, OfferOutcome.DROPPED_AT_ANSWER)
            fine = fact.outcome in ended_after_talk or fact.outcome is OfferOutcome.RESCINDED
            self.want(fine, f"an offer ended that was not: {fact.offer} {fact.outcome}")
        if fact.outcome is OfferOutcome.DROPPED_AT_ANSWER and fact.call in self.calls:
            self.calls[fact.call].waiting = True
            self.calls[fact.call].tried.add(fact.agent)
        if fact.outcome is OfferOutcome.REFUSED and fact.call in self.calls:
            self.calls[fact.call].refused.add(fact.agent)
        if fact.outcome is OfferOutcome.MISSED:
            # Else one who is absent would stay first for ever.
            self.idle_since[fact.agent] = fact.at
            self._missed.append((fact.offer, fact.at))

    def _status(self, fact: f.AgentStatusChanged) -> None:
        agent, status, call = fact.agent, fact.status, fact.call
        self.status[agent] = status, fact.at
        if status is Status.AVAILABLE:
            self.idle_since[agent] = fact.at
        if status is Status.TALKING and call is not None:
            self.talks[agent] = call
            both = [who for who, other in self.talks.items() if other == call]
            alone = len(both) == 1 or self._handing.consults(call)
            self.want(alone, f"two agents with one caller: {call} {both}")
            for leg in [leg for leg, o in self.offers.items() if o.agent == agent]:
                del self.offers[leg]
            if call in self.calls:
                self.calls[call].waiting = False
        else:
            self.talks.pop(agent, None)

    def _owed(self, call: CallId, debt: DebtId) -> None:
        inbound = self.calls[call]
        if inbound.cut or inbound.handed:
            inbound.ends.clear()
        self._end(call, "owed")
        inbound.debt = debt
        if inbound.cut or inbound.missed_as is f.MissReason.SYSTEM_FAILURE:
            # He called, and we failed him: no pause is kept since the last attempt.
            self.debts[debt].last_at = None

    def _end(self, call: CallId, how: str) -> None:
        inbound = self.calls[call]
        inbound.ends.append(how)
        inbound.waiting = False
        self.want(len(inbound.ends) == 1, f"an attempt ended twice: {call} {inbound.ends}")

    # -- at rest

    def _waits(self, inbound: Inbound) -> bool:
        """Whether he waits as the facts say, and is really there."""
        leg = self._there.get(inbound.leg)
        return inbound.waiting and leg is not None and not leg.in_fallback

    def _nobody_waits_beside_a_free_agent(self) -> None:
        waiting = [(call, inbound) for call, inbound in self.calls.items() if self._waits(inbound)]
        if not waiting:
            return
        ringing = {one.agent for one in self.offers.values()} | self.unreachable | self.supervising
        free = {
            agent
            for agent, (status, _) in self.status.items()
            if status is Status.AVAILABLE and agent not in ringing
        }
        if not free:
            return
        by_call = Counter(offer.call for offer in self.offers.values())
        for call, inbound in waiting:
            queue = inbound.queue
            if queue is None or not _is_certain(queue):
                continue
            step = queue.steps[0]
            if by_call[call] >= step.k:
                continue
            able = (free & people_of(step, self._plan, self.lent)) - inbound.tried
            self.want(not able, f"waits beside a free agent: {call} {sorted(able)}")

    def _no_telephone_rings_in_vain(self, storm: Storm) -> None:
        for leg in storm.world.board.legs.values():
            if leg.asked_to_end_at is not None and not leg.in_fallback:
                over = storm.up and storm.now - leg.asked_to_end_at > LETS_GO_MS
                self.want(not over, f"told to end and still there: {leg.id}")
            attempt = leg.attempt
            if leg.side is not Side.AGENT or attempt is None or leg.asked_to_end:
                continue
            gone = attempt.ended_at is not None and attempt.ended_at < storm.now
            rings_on = gone and not attempt.disturbed and leg.up_at is None
            self.want(not rings_on, f"rings for a caller who is gone: {leg.id}")

    def _nobody_talks_to_silence(self, storm: Storm) -> None:
        """Two whom the engine connected hear each other, at the latest after an audit."""
        there = storm.world.board.legs
        for agent, call in self.talks.items():
            leg = there.get(self.calls[call].leg) if call in self.calls else None
            if self._handing.hears_music(call):
                continue
            if leg is None or leg.in_fallback or leg.bridged is not None or not storm.up:
                continue
            phone = storm.world.office.phones[agent]
            if not any(other.up_at and other.attempt is leg.attempt for other in phone.legs):
                continue
            since = self.status[agent][1]
            mended = storm.now - storm.lost_at > AUDITED_MS
            silent = mended and storm.clock - since > 2 * AUDITED_MS
            self.want(not silent, f"connected and hears nobody: {leg.id} {agent}")

    # -- the end

    def finish(self, storm: Storm) -> None:
        self.look(storm)
        truth, ledger = storm.world.truth, storm.host.engine.ledger
        self.wrongs += truth.wrongs
        self.want(ledger.balanced, f"the ledger does not balance: {ledger}")
        self.want(ledger.in_progress == 0, f"not settled: {ledger}")
        self.want(
            ledger.arrivals == len(truth.attempts),
            f"{len(truth.attempts)} came, {ledger.arrivals} are in the books",
        )
        self._count_ledger(storm)
        unfinished = self._handing.unfinished()
        self.want(not unfinished, f"handed over, and to nobody: {unfinished}")
        for _, cut, other in truth.cut_off:
            if OUTSIDE.fullmatch(cut.id) or OUTSIDE.fullmatch(other.id):
                # An agent asked somebody outside, and let him go or left him to the client.
                continue
            blind = storm.counts.any if cut.attempt is None else cut.attempt.disturbed
            self.want(blind, f"cut off in the middle of a talk: {cut.id}")
        for leg in truth.attempts:
            self._audit_attempt(storm, leg)
        for leg_id, at in self._missed:
            self._audit_missed(storm, leg_id, at)
        self._failures.audit_reconciliation(storm)
        for leg, count in truth.client_rings.items():
            self.want(count == 1, f"a client's telephone rang {count} times in one attempt: {leg}")
        self._everything_is_quiet(storm)

    def _count_ledger(self, storm: Storm) -> None:
        """The ledger's columns, counted from the facts alone."""
        ledger = storm.host.engine.ledger
        standing: Counter[str] = Counter()
        for inbound in self.calls.values():
            end = inbound.ends[0] if inbound.ends else "in_progress"
            if end == "owed" and inbound.debt is not None:
                end = self.debts[inbound.debt].settled or "open"
            standing[end] += 1
        for column in ("answered", "recovered", "reached_us", "waived", "open", "in_progress"):
            counted, kept = standing[column], getattr(ledger, column)
            self.want(counted == kept, f"{column}: facts say {counted}, the ledger {kept}")
        owed = sum(not debt.settled for debt in self.debts.values())
        self.want(owed == ledger.debts_open, f"debts: facts {owed}, ledger {ledger.debts_open}")

    def _audit_attempt(self, storm: Storm, leg: LegId) -> None:
        attempt = storm.world.truth.attempts[leg]
        self.want(attempt.ended_at is not None, f"a caller is still on the line: {leg}")
        call = self.by_leg.get(leg)
        if call is None:
            self.wrongs.append(f"an attempt is not in the books: {leg}")
            return
        ends = self.calls[call].ends
        self.want(len(ends) == 1, f"an attempt has {len(ends)} ends: {leg}")
        if attempt.cut_at is not None:
            self._failures.audit_cut(call, attempt)
            return
        if self.calls[call].cut:
            truly = attempt.silenced or attempt.disturbed
            self.want(truly, f"told as cut off, and was not: {leg}")
            return
        if attempt.disturbed or not ends or self.calls[call].handed:
            return
        kind = self.waived.get(call)
        if kind is WaiverKind.NO_NUMBER:
            self.want(attempt.arrival.withheld, f"has a number and is waived for none: {leg}")
        elif kind is WaiverKind.SHORT:
            stayed_ms = (attempt.ended_at or 0) - attempt.arrived_at
            short_ms = self._plan.thresholds.short_ms + SLACK_MS + storm.jumped_ms
            self.want(stayed_ms < short_ms, f"waived as short after {stayed_ms} ms: {leg}")
        surely_ms = PROVED_MS + SLACK_MS + storm.jumped_ms
        if attempt.fallback_answered_at is not None or attempt.talked_ms > surely_ms:
            self.want(ends == ["answered"], f"talked {attempt.talked_ms} ms and {ends}: {leg}")
        elif attempt.talked_ms + storm.jumped_ms <= NOBODY_TALKED_MS or not attempt.talks:
            self.want(ends != ["answered"], f"talked with nobody and answered: {leg}")

    def _audit_missed(self, storm: Storm, leg_id: LegId, at: Instant) -> None:
        """Nobody misses a call whose telephone did not ring, or not for long enough."""
        leg = storm.world.truth.agent_rings.get(leg_id)
        if leg is None or leg.rang_at is None:
            self.wrongs.append(f"missed, and the telephone never rang: {leg_id}")
            return
        if storm.counts.any or leg.up_at is not None:
            return
        rang_ms = (leg.gone_at or at) - leg.rang_at
        least = (leg.ring_ms - 5_000) * 0.8 - SLACK_MS
        self.want(rang_ms >= least, f"missed after {rang_ms} ms of ringing: {leg_id}")

    def _everything_is_quiet(self, storm: Storm) -> None:
        """Call-backs may go on for days; but nothing may be older than any of them lasts."""
        now = storm.now
        legs = [leg.id for leg in storm.world.board.legs.values() if leg.made_at < now - STUCK_MS]
        self.want(not legs, f"legs are left: {legs}")
        old = [leg for leg, o in self.offers.items() if o.made_at < storm.clock - STUCK_MS]
        self.want(not old, f"telephones ring on: {old}")
        busy = {
            agent: status.value
            for agent, (status, since) in self.status.items()
            if status in (Status.TALKING, Status.WRAP_UP, Status.RINGING)
            and since < storm.clock - STUCK_MS
        }
        self.want(not busy, f"agents are stuck: {busy}")

    def want(self, holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
        if not holds and len(self.wrongs) < WRONGS_MAX:
            self.wrongs.append(f"{self._now}: {otherwise}")


def _is_certain(queue: Queue) -> bool:
    """Whether the facts tell how many telephones its callers want: else nothing is asked."""
    step = queue.steps[0]
    one = len(queue.steps) == 1 and step.mode is StepMode.REPLACE and not queue.gap_ms
    return one and step.ranking is not Ranking.ALL
