"""Offers: ringing agents for a call, several at once, in steps; and what each ringing came to.

One order for the whole tenant: whoever comes free is given to the first call in it that wants
him. Every change ends with no waiting caller beside an agent who is free and may take him.
"""

from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.call import RUNG_SHOWN_MAX, Call, CallState
from perezvon.core.commands import PlayPrompt, Prompt, PromptKind, RingAgent, StopRinging
from perezvon.core.events import EndCause
from perezvon.core.facts import (
    MissCause,
    MissReason,
    OfferEnded,
    OfferMade,
    OfferOutcome,
)
from perezvon.core.ids import SECOND, AgentId, CallId, Duration, LegId, PlaybackId
from perezvon.core.party import Offer
from perezvon.core.plan import RING_AT_ONCE_MAX, DeviceKind, Ranking, Step, StepMode
from perezvon.core.queue import CallKey, FreeAgents, Pool
from perezvon.core.selection import ranked
from perezvon.core.talk_facts import OfferPurpose
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

RUNNERS_UP_MAX = 10

SWITCH_RING_MARGIN_MS: Duration = 5 * SECOND
"""The switch's own bound lies beyond ours: it matters only when we are gone."""


def excluded_of(counts: dict[str, int]) -> tuple[tuple[str, int], ...]:
    """Give the counts per reason for a fact, in an order of their own."""
    return tuple((reason, count) for reason, count in sorted(counts.items()) if count)


class Offers:
    """The room of the engine where calls and agents are matched."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    # Matching.

    def step_of(self, call: Call) -> Step:
        steps = self._engine.policy(call).steps
        return steps[min(call.step, len(steps) - 1)]

    def _wanted(self, call: Call, step: Step) -> int:
        """How many more telephones may ring for him now."""
        if call.state is not CallState.WAITING or call.in_gap:
            return 0
        k = RING_AT_ONCE_MAX if step.ranking is Ranking.ALL else step.k
        if step.mode is StepMode.ADD:
            mine = [o for o in call.offers.values() if o.step_count == call.step_count]
            return k - len(mine)
        return k - len(call.offers)

    def _candidates(self, call: Call, pool: Pool) -> FreeAgents | list[AgentState]:
        """Free agents of the pool who are not barred for this call, longest idle first.

        Who missed it is barred until everyone else was tried: until nobody fresh is free and
        nobody fresh is ringing.
        """
        if not call.missed_by and not call.refused_by:
            return pool.free
        able = [agent for agent in pool.free if agent.id not in call.refused_by]
        fresh = [agent for agent in able if agent.id not in call.missed_by]
        if fresh or call.offers:
            return fresh
        return able

    def wants_more(self, call: Call) -> bool:
        """Whether more telephones should ring for him than do."""
        return self._wanted(call, self.step_of(call)) > 0

    def somebody_for(self, call: Call) -> bool:
        return bool(self._candidates(call, self._engine.pools.of(self.step_of(call))))

    def want(self, call: Call) -> None:
        """Stand in the line if more telephones should ring; the end of the turn gives them."""
        if self.wants_more(call):
            self._stand(call, self._engine.pools.of(self.step_of(call)))
            self._engine.wants(call)
        else:
            self.leave_hungry(call)

    def match(self, freed: list[AgentState], wanting: list[CallId]) -> None:
        """Give out those who came free in this turn, and serve those who began to want.

        Nobody else can be concerned: before the turn no caller stood beside a free agent. The
        first in the order of the tenant is served first, whatever made him or the agent known.
        """
        engine = self._engine
        served: set[CallKey] = set()
        while (best := self._best(freed, wanting, served)) is not None:
            key, agent = best
            if agent is not None:
                engine.callbacks.start_aged(agent, key)
                if not agent.free:
                    continue
            served.add(key)
            self._fill(engine.calls[key[2]])
        for agent in freed:
            if agent.free:
                engine.callbacks.give_work(agent)

    def _best(
        self, freed: list[AgentState], wanting: list[CallId], served: set[CallKey]
    ) -> tuple[CallKey, AgentState | None] | None:
        """The first call that can be served, and the agent who came free for it, if one did."""
        best: CallKey | None = None
        whose: AgentState | None = None
        for agent in freed:
            key = self._first_wanting(agent, served) if agent.free else None
            if key is not None and (best is None or key < best):
                best, whose = key, agent
        for call_id in wanting:
            call = self._engine.calls.get(call_id)
            if call is None or not self.wants_more(call) or not self.somebody_for(call):
                continue
            key = self._key(call)
            if key not in served and (best is None or key < best):
                best, whose = key, None
        return (best, whose) if best is not None else None

    def _fill(self, call: Call) -> None:
        """Ring as many as the step asks for; what is missing keeps the call in the line."""
        engine = self._engine
        step = self.step_of(call)
        pool = engine.pools.of(step)
        candidates = self._candidates(call, pool)
        if candidates:
            self._choose(call, step, pool, candidates, self._wanted(call, step))
        if self._wanted(call, step) <= 0:
            self.leave_hungry(call)

    def _choose(
        self,
        call: Call,
        step: Step,
        pool: Pool,
        candidates: FreeAgents | list[AgentState],
        wanted: int,
    ) -> None:
        engine = self._engine
        if call.missed_by and any(agent.id in call.missed_by for agent in candidates):
            call.missed_by.clear()
        counts = pool.excluded | {
            "missed_this_call": len(call.missed_by),
            "refused_this_call": len(call.refused_by),
        }
        order = ranked(
            step.ranking,
            candidates,
            at_most=wanted + RUNNERS_UP_MAX,
            pool=pool,
            call=call.id,
            now=engine.now,
            last_rung=engine.last_rung.get(pool.key),
            today=engine.today(),
        )
        chosen, others = order[:wanted], order[wanted:]
        runners_up = tuple(agent.id for agent in others)
        for agent in chosen:
            self.ring(call, agent, step, runners_up=runners_up, excluded=excluded_of(counts))
            engine.last_rung[pool.key] = agent.id

    def ring(
        self,
        call: Call,
        agent: AgentState,
        step: Step,
        *,
        runners_up: tuple[AgentId, ...] = (),
        excluded: tuple[tuple[str, int], ...] = (),
        purpose: OfferPurpose = OfferPurpose.LINE,
    ) -> None:
        engine = self._engine
        now = engine.now
        leg = self.next_leg(call)
        ring_ms = self._ring_ms(call, step)
        call.offers[leg] = Offer(leg, agent.id, now, ring_ms, call.step_count, device=agent.device)
        if len(call.rung) < RUNG_SHOWN_MAX:
            call.rung.append(agent.id)
        engine.legs[leg] = call.id
        engine.agents_room.ring(agent, call.id, leg)
        engine.timers.set(TimerKind.OFFER_ENDS, leg, now + ring_ms)
        sign_ms = engine.plan.thresholds.unreachable_ms
        if sign_ms < ring_ms:
            engine.timers.set(TimerKind.OFFER_SIGN, leg, now + sign_ms)
        engine.do(
            RingAgent(
                leg,
                call.id,
                agent.id,
                call.client,
                call.person,
                ring_ms + SWITCH_RING_MARGIN_MS,
                engine.attempts.clock_of(call) if purpose is OfferPurpose.LINE else "",
                auto=purpose is OfferPurpose.DIAL,
                device=agent.device,
            )
        )
        engine.note(
            OfferMade(
                now,
                call.id,
                leg,
                agent.id,
                call.queue,
                call.step,
                step.ranking,
                runners_up,
                excluded,
                call.debt,
                purpose,
            )
        )

    def next_leg(self, call: Call) -> LegId:
        """An id for another leg of an agent."""
        call.offer_count += 1
        mark = "/" if call.debt is None else "a"
        return LegId(f"{call.id}{mark}{call.offer_count}")

    def _ring_ms(self, call: Call, step: Step) -> Duration:
        if step.mode is StepMode.REPLACE or call.state is not CallState.WAITING:
            return step.ring_ms
        # Added telephones ring on until the round of steps is over.
        return sum(later.ring_ms for later in self._engine.policy(call).steps[call.step :])

    # The line of those who want more telephones.

    def _key(self, call: Call) -> CallKey:
        return call.key(self._engine.policy(call).tier)

    def _stand(self, call: Call, pool: Pool) -> None:
        if call.line == pool.key:
            return
        self.leave_hungry(call)
        call.line = pool.key
        pool.hungry.add(self._key(call))

    def leave_hungry(self, call: Call) -> None:
        if call.line is not None:
            self._engine.pools.by_key(call.line).hungry.remove(self._key(call))
            call.line = None

    def refill(self) -> None:
        """Fill the lines again after the pools were rebuilt. Nobody is rung by this."""
        for call in self._engine.calls.values():
            call.line = None
            step = self.step_of(call)
            if self._wanted(call, step) > 0:
                self._stand(call, self._engine.pools.of(step))

    def _first_wanting(self, agent: AgentState, tried: set[CallKey]) -> CallKey | None:
        best: CallKey | None = None
        for pool in self._engine.pools.of_agent(agent.id):
            for key in pool.hungry:
                if best is not None and key >= best:
                    break
                call = self._engine.calls[key[2]]
                barred = agent.id in call.refused_by or (agent.id in call.missed_by and call.offers)
                if key not in tried and not barred:
                    best = key
                    break
        return best

    # What came of a ringing.

    def ringing(self, call: Call, leg: LegId) -> None:
        offer = call.offers.get(leg)
        if offer is not None and offer.ringing_at is None:
            offer.ringing_at = self._engine.now
            self._engine.timers.cancel(TimerKind.OFFER_SIGN, leg)

    def answered(self, call: Call, leg: LegId) -> None:
        engine = self._engine
        offer = call.offers.get(leg)
        if offer is None or offer.answered:
            return
        engine.timers.cancel(TimerKind.OFFER_SIGN, leg)
        if offer.ringing_at is None:
            offer.ringing_at = engine.now
        if engine.devices_room.kind(offer.agent, offer.device) is DeviceKind.MOBILE:
            offer.answered = True
            engine.timers.cancel(TimerKind.OFFER_ENDS, leg)
            engine.timers.set(
                TimerKind.PRESS_ONE, leg, engine.now + engine.plan.thresholds.press_one_ms
            )
            engine.do(PlayPrompt(leg, PlaybackId(f"{leg}/p1"), Prompt(PromptKind.PRESS_ONE)))
            return
        self._win(call, offer)

    def pressed(self, call: Call, leg: LegId, digit: str) -> None:
        offer = call.offers.get(leg)
        if offer is not None and offer.answered and digit == "1":
            self._engine.timers.cancel(TimerKind.PRESS_ONE, leg)
            self._win(call, offer)

    def _win(self, call: Call, offer: Offer) -> None:
        self._engine.timers.cancel(TimerKind.OFFER_ENDS, offer.leg)
        offer.won_at = self._engine.now
        match call.state:
            case CallState.RINGING_AGENT:
                self._engine.outgoing(call).agent_ready(call, offer)
            case CallState.CONSULTING:
                self._engine.transfers.colleague_answered(call, offer)
            case _:
                self._engine.talks.connect(call, offer)

    def ring_time_is_over(self, leg: LegId) -> None:
        call, offer = self._find(leg)
        if call is not None and offer is not None:
            outcome = OfferOutcome.MISSED if self._truly_rang(offer) else OfferOutcome.RESCINDED
            if outcome is OfferOutcome.RESCINDED:
                # It rang too late to be a miss, and long enough for others to have their turn.
                call.missed_by.append(offer.agent)
            self.end(call, offer, outcome)

    def no_sign(self, leg: LegId) -> None:
        call, offer = self._find(leg)
        if call is not None and offer is not None:
            self.end(call, offer, OfferOutcome.UNREACHABLE)

    def one_not_pressed(self, leg: LegId) -> None:
        """It was his voicemail, or he did not want to: for the call it is a miss."""
        call, offer = self._find(leg)
        if call is not None and offer is not None:
            self.end(call, offer, OfferOutcome.MISSED)

    def leg_ended(self, call: Call, offer: Offer, cause: EndCause) -> None:
        """The agent's leg ended by itself, before he had the call."""
        self._engine.legs.pop(offer.leg, None)
        self.end(call, offer, self._outcome(offer, cause))

    def _outcome(self, offer: Offer, cause: EndCause) -> OfferOutcome:
        if offer.answered:
            return OfferOutcome.MISSED
        match cause:
            case EndCause.UNREACHABLE | EndCause.TRUNK_FAILED | EndCause.BAD_NUMBER:
                return OfferOutcome.UNREACHABLE
            case EndCause.CANCELLED | EndCause.LOST | EndCause.NEVER_MADE:
                return OfferOutcome.RESCINDED
            case EndCause.NO_ANSWER if offer.ringing_at is None:
                return OfferOutcome.UNREACHABLE
            case EndCause.NO_ANSWER if self._truly_rang(offer):
                return OfferOutcome.MISSED
            case _:
                return OfferOutcome.REFUSED

    def _truly_rang(self, offer: Offer) -> bool:
        if offer.ringing_at is None:
            return False
        share = self._engine.plan.thresholds.missed_share_percent
        return (self._engine.now - offer.ringing_at) * 100 >= offer.ring_ms * share

    def _find(self, leg: LegId) -> tuple[Call | None, Offer | None]:
        call = self._engine.call_of(leg)
        return call, call.offers.get(leg) if call is not None else None

    def end(self, call: Call, offer: Offer, outcome: OfferOutcome) -> None:
        """Close one offer, ring others in its place, and give the agent other work."""
        engine = self._engine
        if outcome is OfferOutcome.MISSED and call.state is CallState.RINGING_AGENT:
            # His own dialling is no call that he missed.
            outcome = OfferOutcome.RESCINDED if call.dialled_by is not None else outcome
        agent = self._close(call, offer, outcome)
        if outcome is OfferOutcome.MISSED:
            call.missed_by.append(offer.agent)
        elif outcome is OfferOutcome.REFUSED:
            call.refused_by.append(offer.agent)
        if call.state is CallState.RINGING_AGENT:
            engine.outgoing(call).agent_did_not_take(call, offer.agent, outcome)
        elif call.state in (CallState.TRANSFERRING, CallState.CONSULTING):
            engine.transfers.not_taken(call, outcome)
        elif call.state is CallState.WAITING:
            gap_ms = engine.policy(call).gap_ms
            if outcome is OfferOutcome.MISSED and gap_ms:
                engine.calls_room.gap(call, gap_ms)
            self.want(call)
        if agent is not None:
            engine.came_free(agent)

    def withdraw_from(self, agent: AgentState, outcome: OfferOutcome) -> None:
        """The agent is taken off his offer (he went on a break, his telephone is gone)."""
        if agent.offer is not None:
            call, offer = self._find(agent.offer)
            if call is not None and offer is not None:
                self.end(call, offer, outcome)

    def withdraw_all(self, call: Call) -> None:
        """No telephone rings for this call any longer."""
        for offer in list(call.offers.values()):
            agent = self._close(call, offer, OfferOutcome.RESCINDED)
            if agent is not None:
                self._engine.came_free(agent)

    def _close(self, call: Call, offer: Offer, outcome: OfferOutcome) -> AgentState | None:
        engine = self._engine
        del call.offers[offer.leg]
        for kind in (TimerKind.OFFER_ENDS, TimerKind.OFFER_SIGN, TimerKind.PRESS_ONE):
            engine.timers.cancel(kind, offer.leg)
        if engine.legs.pop(offer.leg, None) is not None:
            engine.let_go(offer.leg, StopRinging(offer.leg))
        ring_ms = 0 if offer.ringing_at is None else engine.now - offer.ringing_at
        engine.note(OfferEnded(engine.now, call.id, offer.leg, offer.agent, outcome, ring_ms))
        agent = engine.agents.get(offer.agent)
        if agent is None:
            return None
        if outcome is OfferOutcome.UNREACHABLE:
            engine.devices_room.unreachable(agent, offer.device)
        engine.agents_room.after_offer(agent, outcome, engine.policy(call).pause_after_misses)
        return agent

    def miss_cause(self, call: Call, reason: MissReason) -> MissCause:
        """Tell who could have answered at this moment."""
        if reason is MissReason.AFTER_HOURS:
            return MissCause.CLOSED
        if reason is MissReason.SYSTEM_FAILURE:
            return MissCause.FAULT
        pool = self._engine.pools.of(self.step_of(call))
        if pool.present_count <= 0:
            return MissCause.NOBODY_THERE
        ringing = pool.excluded.get("ringing", 0)
        return MissCause.UNANSWERED if pool.free or ringing else MissCause.OVERLOADED
