"""Talks: an agent and a client connected, from the first answer to the last hang-up.

A talk has to be proved: an answer that drops at once gives the caller his place back, and a
caller who hung up as the agent took it has not been answered.
"""

from typing import TYPE_CHECKING

from perezvon.core.call import Call, CallState
from perezvon.core.commands import ConnectCall, HangUp, StartMusic
from perezvon.core.events import EndCause
from perezvon.core.facts import (
    CallAnswered,
    CallCut,
    CallEnded,
    MissReason,
    OfferEnded,
    OfferOutcome,
    Settlement,
)
from perezvon.core.ids import AgentId, Duration, Instant
from perezvon.core.ledger import Standing
from perezvon.core.party import Offer
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

ABANDONED_AT_ANSWER_MS: Duration = 500
"""A caller who leaves so soon after the answer hung up as the agent took it: nobody talked."""


class Talks:
    """The room of the engine where people talk."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def connect(self, call: Call, offer: Offer) -> None:
        """The first answer in the engine's order: journalled with this turn, then bridged."""
        engine = self._engine
        assert call.client is not None
        del call.offers[offer.leg]
        engine.calls_room.leave_line(call)
        call.state = CallState.TALKING
        call.won = offer
        call.answered_at = engine.now
        call.playback = None
        engine.timers.cancel(TimerKind.PROMPT_ENDS, call.id)
        engine.calls_room.pick_up(call)
        engine.do(ConnectCall(call.id, call.client, offer.leg))
        engine.agents_room.talk(engine.agents[offer.agent], call.id)
        engine.timers.set(
            TimerKind.TALK_PROVED, call.id, engine.now + engine.plan.thresholds.dropped_at_answer_ms
        )
        engine.offers.withdraw_all(call)
        engine.transfers.has_an_agent(call)

    def take_from(self, attempt: Call, call: Call) -> Offer | None:
        """An agent who is on the line already, and waits for this very client who calls."""
        taken = attempt.won
        if taken is not None:
            attempt.won = None
            self._engine.legs[taken.leg] = call.id
        return taken

    def give(self, call: Call, taken: Offer) -> None:
        self._engine.calls_room.pick_up(call)
        call.offers[taken.leg] = taken
        self.connect(call, taken)

    def prove(self, call: Call) -> None:
        """The talk lasted: now the attempt is answered, or the debt recovered."""
        engine = self._engine
        if call.proved or call.won is None or call.answered_at is None:
            return
        call.proved = True
        engine.timers.cancel(TimerKind.TALK_PROVED, call.id)
        offer = call.won
        engine.note(
            OfferEnded(
                engine.now,
                call.id,
                offer.leg,
                offer.agent,
                OfferOutcome.ANSWERED,
                (offer.won_at or 0) - (offer.ringing_at or offer.won_at or 0),
            )
        )
        agent = engine.agents.get(offer.agent)
        if agent is not None:
            engine.agents_room.count_answer(agent, call.answered_at)
        if call.handed_over:
            return
        if call.inbound:
            self.mark_answered(call, offer.agent, call.answered_at)
        else:
            engine.outgoing(call).reached(call)

    def mark_answered(
        self, call: Call, agent: AgentId, answered_at: Instant, *, in_fallback: bool = False
    ) -> None:
        engine = self._engine
        if call.was_cut:
            call.reached_us = call.person in engine.debt_of
        else:
            call.settled = True
            engine.ledger.move(Standing.IN_PROGRESS, Standing.ANSWERED)
            engine.note(
                CallAnswered(
                    answered_at,
                    call.id,
                    agent,
                    call.queue,
                    answered_at - call.arrived_at,
                    in_fallback,
                )
            )
        if call.person is not None:
            engine.callbacks.settle_person(call.person, Settlement.REACHED_US, agent)

    def agent_left(self, call: Call, cause: EndCause) -> None:
        """The agent's leg of a talk is gone."""
        engine = self._engine
        assert call.won is not None
        if cause is EndCause.WENT_SILENT:
            won = call.won
            engine.devices_room.unreachable(engine.agents[won.agent], won.device)
        if call.proved and engine.rejoins.may_come_back(call, cause):
            engine.rejoins.wait_for(call)
            return
        if cause is EndCause.WENT_SILENT and call.proved:
            self.telephone_died(call)
            return
        if call.proved:
            self._end(call, "agent")
            return
        offer = call.won
        engine.legs.pop(offer.leg, None)
        engine.timers.cancel(TimerKind.TALK_PROVED, call.id)
        engine.note(
            OfferEnded(
                engine.now, call.id, offer.leg, offer.agent, OfferOutcome.DROPPED_AT_ANSWER, 0
            )
        )
        self._wait_again(call, offer.agent)

    def telephone_died(self, call: Call) -> None:
        """The caller has not hung up, and has not done either: he is owed, and keeps his place."""
        assert call.won is not None
        if not call.inbound:
            self.cut(call, self._engine.now)
            return
        agent = call.won.agent
        self._note_cut(call, self._engine.now)
        self._owe_until_served(call)
        self._wait_again(call, agent)

    def left_alone(self, call: Call) -> None:
        """The switch's own queue has a caller whom we thought in a talk: nobody is with him."""
        engine, offer = self._engine, call.won
        assert offer is not None
        self._note_cut(call, engine.now)
        self._owe_until_served(call)
        call.won, call.answered_at = None, None
        if engine.legs.pop(offer.leg, None) is not None:
            engine.let_go(offer.leg, HangUp(offer.leg))
        agent = engine.agents.get(offer.agent)
        if agent is not None and agent.call == call.id:
            engine.agents_room.after_call(agent, 0)

    def _owe_until_served(self, call: Call) -> None:
        call.was_cut, call.reached_us, call.proved = True, False, False
        call.handed_over_by = None

    def _wait_again(self, call: Call, agent: AgentId) -> None:
        """He keeps his place: the key has not changed. The line first, then the agent's work."""
        engine = self._engine
        call.won, call.answered_at = None, None
        call.missed_by.append(agent)
        assert call.client is not None
        engine.do(StartMusic(call.client, engine.policy(call).music))
        engine.calls_room.wait(call)
        engine.agents_room.after_call(engine.agents[agent], 0)

    def client_left(self, call: Call, cause: EndCause) -> None:
        engine = self._engine
        assert call.answered_at is not None
        assert call.won is not None
        nobody_talked = (
            cause is EndCause.LOST or engine.now - call.answered_at <= ABANDONED_AT_ANSWER_MS
        )
        if not call.proved and nobody_talked:
            offer = call.won
            engine.timers.cancel(TimerKind.TALK_PROVED, call.id)
            engine.note(
                OfferEnded(engine.now, call.id, offer.leg, offer.agent, OfferOutcome.RESCINDED, 0)
            )
            if call.handed_over:
                engine.transfers.lost(call, engine.now, "client")
            elif call.inbound:
                engine.calls_room.miss(call, MissReason.CALLER_ABANDONED_AT_ANSWER)
            else:
                engine.outgoing(call).client_was_not_served(call)
            engine.calls_room.finish(call)
            return
        self.prove(call)
        self._end(call, "client")

    def cut(self, call: Call, at: Instant) -> None:
        """The switch failed under a talk, at `at` the latest: whom we can call back is owed."""
        self._note_cut(call, at)
        # He had no work after it: he is wanted for those who were cut off.
        self._engine.calls_room.finish(call, wraps_up=False)

    def _note_cut(self, call: Call, at: Instant) -> None:
        engine = self._engine
        assert call.won is not None
        assert call.answered_at is not None
        agent, talk_ms = call.won.agent, call.talked_ms + max(0, at - call.answered_at)
        engine.note(CallEnded(at, call.id, agent, talk_ms, "system"))
        engine.note(CallCut(at, call.id, agent, talk_ms, call.debt))
        if call.inbound:
            engine.debts_room.owe_again(call, at)
        else:
            engine.debts_room.reopen(call, at)

    def _end(self, call: Call, ended_by: str) -> None:
        engine = self._engine
        assert call.won is not None
        assert call.answered_at is not None
        talk_ms = call.talked_ms + engine.now - call.answered_at
        engine.note(CallEnded(engine.now, call.id, call.won.agent, talk_ms, ended_by))
        engine.calls_room.finish(call)
