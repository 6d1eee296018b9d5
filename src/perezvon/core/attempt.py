"""Attempts: one dialling of a call-back, from the agent's telephone to what came of it.

Agent first: he is rung, hears whom he calls back, and only then the client's telephone rings.
Client first: he is rung, and waits like any caller for whoever comes free. Each attempt ends once,
and says whether it used up a step of the ladder.
"""

from itertools import islice
from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.calendar import clock_text
from perezvon.core.call import Call, CallState
from perezvon.core.commands import DialClient, Prompt, PromptKind, StartMusic
from perezvon.core.debt import Debt
from perezvon.core.dial import OUTCOMES
from perezvon.core.events import EndCause
from perezvon.core.facts import (
    AttemptMade,
    AttemptOutcome,
    ClientDialled,
    OfferOutcome,
    Settlement,
)
from perezvon.core.ids import MINUTE, AgentId, LegId, TrunkId
from perezvon.core.offer import RUNNERS_UP_MAX, excluded_of
from perezvon.core.party import Offer
from perezvon.core.plan import Step
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

NOT_COUNTED = frozenset({AttemptOutcome.TRUNK_FAILED, AttemptOutcome.NEVER_MADE})


class Attempts:
    """The room of the engine where clients are dialled."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def ring(self, call: Call, debt: Debt, agent: AgentState) -> None:
        engine = self._engine
        pool = engine.callbacks.pool_of(debt)
        step = engine.callbacks.step_of(debt)
        rule = engine.debts_room.rule(debt)
        engine.last_rung[pool.key] = agent.id
        others = [
            other.id for other in engine.callbacks.ranked_for(debt, pool) if other.id != agent.id
        ]
        excluded = excluded_of(pool.excluded)
        ringing = Step(
            groups=step.groups,
            agents=step.agents,
            k=1,
            ring_ms=rule.ring_agent_ms,
            ranking=step.ranking,
        )
        engine.offers.ring(
            call,
            agent,
            ringing,
            runners_up=tuple(others[:RUNNERS_UP_MAX]),
            excluded=excluded,
        )

    def clock_of(self, call: Call) -> str:
        """When the call was missed, for the agent's telephone; empty for an inbound call."""
        if call.debt is None or call.debt not in self._engine.debts:
            return ""
        debt = self._engine.debts[call.debt]
        return clock_text(debt.missed_at - debt.waited_ms, self._engine.plan.zone)

    def agent_did_not_take(self, call: Call, agent: AgentId, outcome: OfferOutcome) -> None:
        debt = self._debt(call)
        if call.dialled_by is not None:
            # He had asked for it himself; the ladder goes on as if he had not.
            self.over(call, AttemptOutcome.CANCELLED, counted=False)
            self._engine.debts_room.schedule(debt)
            return
        if outcome in (OfferOutcome.MISSED, OfferOutcome.REFUSED):
            debt.barred.append(agent)
        # Live callers are asked first; then the next one is rung for it, or nobody.
        self._engine.may_be_tried(debt.id)

    def ring_next(self, call: Call, debt: Debt) -> None:
        """Go on with an attempt whose agent did not take it."""
        engine = self._engine
        pool = engine.callbacks.pool_of(debt)
        order = (
            engine.callbacks.ranked_for(debt, pool) if engine.callbacks.slack(debt, pool) else []
        )
        if order:
            self.ring(call, debt, order[0])
            return
        barred = list(debt.barred)
        self.over(call, AttemptOutcome.CANCELLED, counted=False)
        if barred:
            # Those who are there did not want it: not at once again, but soon.
            gap_ms = max(MINUTE, engine.debts_room.rule(debt).gap_ms_min)
            engine.debts_room.try_at(debt, engine.now + gap_ms)
        else:
            debt.due = True
            engine.callbacks.stand(debt)

    def agent_ready(self, call: Call, offer: Offer) -> None:
        """The agent has picked up: he hears whom he calls back, then the client is dialled."""
        engine = self._engine
        debt = self._debt(call)
        del call.offers[offer.leg]
        call.won = offer
        engine.agents_room.talk(engine.agents[offer.agent], call.id)
        if engine.debts_room.rule(debt).briefing and call.dialled_by is None:
            call.state = CallState.BRIEFING
            engine.calls_room.play(
                call,
                offer.leg,
                Prompt(PromptKind.BRIEFING, clock=self.clock_of(call), waited_ms=debt.waited_ms),
            )
        else:
            self.dial_client(call)

    def dial_client(self, call: Call) -> None:
        engine = self._engine
        debt = self._debt(call)
        rule = engine.debts_room.rule(debt)
        call.state = CallState.DIALLING
        call.client = LegId(f"{call.id}c")
        engine.legs[call.client] = call.id
        agent_leg = call.won.leg if call.won is not None else None
        agent = call.won.agent if call.won is not None else None
        engine.note(ClientDialled(engine.now, debt.id, debt.dial, call.client, agent))
        engine.timers.set(TimerKind.CLIENT_RINGS, call.id, engine.now + rule.ring_client_ms)
        engine.do(
            DialClient(
                call.client,
                call.id,
                debt.person,
                call.trunk or TrunkId(""),
                debt.did,
                rule.ring_client_ms + 5_000,
                agent_leg,
            )
        )

    def client_rings(self, call: Call) -> None:
        if not call.client_rang:
            call.client_rang = True
            self._engine.trunks.carried(call)

    def client_answered(self, call: Call) -> None:
        engine = self._engine
        if call.state is not CallState.DIALLING or call.client is None:
            return
        engine.timers.cancel(TimerKind.CLIENT_RINGS, call.id)
        call.picked_up = True
        self.client_rings(call)
        if call.won is not None:
            offer = call.won
            call.offers[offer.leg] = offer
            engine.talks.connect(call, offer)
        else:
            engine.do(StartMusic(call.client, engine.policy(call).music))
            engine.client_first.pop(call.id, None)
            engine.calls_room.wait(call)

    def client_rings_no_longer(self, call: Call) -> None:
        """Our time for ringing the client is over."""
        if call.state is CallState.DIALLING:
            # A carrier that never said a word has not asked him.
            self.client_failed(
                call, EndCause.NO_ANSWER if call.client_rang else EndCause.TRUNK_FAILED
            )

    def client_failed(self, call: Call, cause: EndCause) -> None:
        """The client's leg ended before an answer."""
        engine = self._engine
        outcome = OUTCOMES.get(cause, AttemptOutcome.NO_ANSWER)
        if cause is EndCause.LOST and not call.client_rang:
            outcome = AttemptOutcome.TRUNK_FAILED
        debt = self._debt(call)
        if outcome is AttemptOutcome.TRUNK_FAILED:
            self._trunk_failed(call, debt)
            return
        counted = outcome not in NOT_COUNTED
        self.over(call, outcome, counted=counted)
        if counted:
            engine.trunks.carried(call)
            engine.debts_room.schedule(debt)
        else:
            engine.debts_room.try_at(debt, engine.now)

    def _trunk_failed(self, call: Call, debt: Debt) -> None:
        engine = self._engine
        counted = engine.trunks.failed(call, debt)
        self.over(call, AttemptOutcome.TRUNK_FAILED, counted=counted)
        if counted:
            engine.debts_room.schedule(debt)
        else:
            engine.trunks.put_behind(call.trunk, debt)

    def agent_left_before(self, call: Call) -> None:
        """The agent hung up in the briefing or while the client's telephone rang."""
        engine = self._engine
        debt = self._debt(call)
        counted = call.client_rang
        assert call.won is not None
        barred = call.won.agent
        self.over(call, AttemptOutcome.CANCELLED, counted=counted)
        if counted:
            engine.debts_room.schedule(debt)
        else:
            gap_ms = engine.debts_room.rule(debt).gap_ms_min
            engine.debts_room.try_at(debt, engine.now + gap_ms)
            debt.barred.append(barred)

    def client_was_not_served(self, call: Call) -> None:
        """Client first: he answered, and no agent came in time. The attempt counts."""
        debt = self._open_debt(call)
        if debt is not None:
            self.made(call, AttemptOutcome.LEFT_WAITING, counted=True)
            self._engine.debts_room.schedule(debt)

    def broken_off(self, call: Call) -> None:
        """The switch failed under it: our fault, so it uses up no step and is made again."""
        engine = self._engine
        debt = self._open_debt(call)
        if debt is not None:
            self.made(call, AttemptOutcome.NEVER_MADE, counted=False)
            engine.debts_room.try_at_once(debt)
        engine.calls_room.finish(call)

    def reached(self, call: Call) -> None:
        """They talk: the debt is recovered."""
        debt = self._open_debt(call)
        assert call.won is not None
        if debt is not None:
            self.made(call, AttemptOutcome.REACHED, counted=True)
            self._engine.debts_room.settle(debt, Settlement.RECOVERED, call.won.agent)
            self._engine.recovered[call.id] = debt

    def over(self, call: Call, outcome: AttemptOutcome, *, counted: bool) -> None:
        """The attempt came to nothing: hang up what is left of it."""
        engine = self._engine
        self.made(call, outcome, counted=counted)
        engine.calls_room.finish(call)

    def _open_debt(self, call: Call) -> Debt | None:
        """Give the debt whose attempt this call still is; None when it was settled meanwhile."""
        debt = self._engine.debts.get(call.debt) if call.debt is not None else None
        return debt if debt is not None and debt.attempt == call.id else None

    def made(self, call: Call, outcome: AttemptOutcome, *, counted: bool) -> None:
        engine = self._engine
        debt = self._debt(call)
        assert debt.attempt == call.id
        promised = engine.client_first.pop(call.id, None)
        if promised is not None:
            # Somebody whom it was to want is free for the next.
            for free in islice(engine.callbacks.pool_of(debt).free, 1):
                engine.came_free(free)
        debt.attempt = None
        engine.trunks.over(call)
        if counted:
            engine.debts_room.count_attempt(debt)
        agent = call.won.agent if call.won is not None else None
        engine.note(AttemptMade(engine.now, debt.id, debt.dial, outcome, agent, counted))

    def _debt(self, call: Call) -> Debt:
        assert call.debt is not None
        return self._engine.debts[call.debt]
