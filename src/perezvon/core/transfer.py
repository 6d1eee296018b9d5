"""Transfers: a client in the middle of a talk is handed over to somebody else.

Blind: his agent is free of him at once. Attended: his agent first asks, then completes or comes
back. Meanwhile the client hears music, and he is never without somebody who is to take him: not
taken, he goes back to who handed him over, else to the queue in his place by when he had come.
Should he leave while nobody is with him, or wait in vain, he is owed again: his attempt was
answered, but not by whom he was promised.
"""

from typing import TYPE_CHECKING

from perezvon.core.call import Call, CallState
from perezvon.core.commands import (
    ConnectCall,
    DialClient,
    HangUp,
    PromptKind,
    SignalRinging,
    StartMusic,
)
from perezvon.core.events import (
    EndCause,
    TransferAsked,
    TransferCancelAsked,
    TransferCompletionAsked,
)
from perezvon.core.facts import (
    CallEnded,
    CallQueued,
    MissReason,
    OfferEnded,
    OfferOutcome,
    Status,
)
from perezvon.core.ids import SECOND, CallId, Duration, Instant, LegId, QueueId, TrunkId
from perezvon.core.party import Offer, Transfer
from perezvon.core.plan import Step
from perezvon.core.talk_facts import (
    ConsultBegan,
    OfferPurpose,
    TalkHandedOver,
    TransferBegan,
    TransferFailed,
    TransferFailure,
    TransferTaken,
)
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

RING_MS: Duration = 20 * SECOND
"""Of the colleague, or of who is rung again."""
RING_OUTSIDE_MS: Duration = 40 * SECOND

BY_OUTCOME = {
    OfferOutcome.REFUSED: TransferFailure.REFUSED,
    OfferOutcome.UNREACHABLE: TransferFailure.UNREACHABLE,
}
BY_CAUSE = {
    EndCause.BUSY: TransferFailure.REFUSED,
    EndCause.REFUSED: TransferFailure.REFUSED,
    EndCause.NO_ANSWER: TransferFailure.NOT_TAKEN,
}


class Transfers:
    """The room of the engine where clients are handed over."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    # What the agent asks.

    def take(self, event: TransferAsked | TransferCompletionAsked | TransferCancelAsked) -> None:
        match event:
            case TransferAsked():
                self.asked(event)
            case TransferCompletionAsked(call, _):
                self.complete(call)
            case TransferCancelAsked(call, _):
                self.cancel(call)

    def asked(self, event: TransferAsked) -> None:
        engine = self._engine
        call = engine.calls.get(event.call)
        if call is None or call.state is not CallState.TALKING or call.won is None:
            return
        if call.won.agent != event.agent:
            return
        # Who hands a client over has talked with him.
        engine.talks.prove(call)
        engine.rejoins.drop(call)
        call.transfer_count += 1
        transfer = Transfer(
            call.transfer_count, event.agent, event.to_agent, event.to_queue, event.to_person
        )
        attended = event.attended and event.to_queue is None
        engine.note(
            TransferBegan(
                engine.now,
                call.id,
                transfer.number,
                event.agent,
                attended,
                event.to_agent,
                event.to_queue,
                event.to_person,
                event.by,
            )
        )
        obstacle = self._obstacle(transfer)
        if obstacle is not None:
            engine.note(TransferFailed(engine.now, call.id, transfer.number, obstacle))
            return
        call.transfer = transfer
        self.play_music(call)
        if attended:
            call.state = CallState.CONSULTING
            engine.do(SignalRinging(call.won.leg))
        else:
            self._let_agent_go(call)
            call.state = CallState.TRANSFERRING
        self._ring(call, transfer)

    def _obstacle(self, transfer: Transfer) -> TransferFailure | None:
        engine = self._engine
        if transfer.to_queue is not None:
            queue = engine.queue(transfer.to_queue)
            if queue is None or not engine.calendar_of(queue.hours).is_open(engine.now):
                return TransferFailure.CLOSED
        elif transfer.to_agent is not None:
            target = engine.agents.get(transfer.to_agent)
            if target is None or not target.free:
                return TransferFailure.NOT_FREE
        elif transfer.to_person is None or engine.calls_room.is_on_the_line(transfer.to_person):
            return TransferFailure.NOT_FREE
        elif not engine.plan.trunks:
            return TransferFailure.UNREACHABLE
        return None

    def _ring(self, call: Call, transfer: Transfer) -> None:
        engine = self._engine
        if transfer.to_queue is not None:
            self._line_up(call, transfer.to_queue)
        elif transfer.to_agent is not None:
            step = Step(agents=(transfer.to_agent,), k=1, ring_ms=RING_MS)
            target = engine.agents[transfer.to_agent]
            engine.offers.ring(call, target, step, purpose=OfferPurpose.TRANSFER)
        else:
            self._dial(call, transfer)

    def _dial(self, call: Call, transfer: Transfer) -> None:
        engine = self._engine
        assert transfer.to_person is not None
        call.offer_count += 1
        transfer.outside = LegId(f"{call.id}/{call.offer_count}c")
        engine.legs[transfer.outside] = call.id
        engine.calls_room.occupy(transfer.to_person)
        engine.timers.set(TimerKind.TRANSFER_RINGS, call.id, engine.now + RING_OUTSIDE_MS)
        engine.do(
            DialClient(
                transfer.outside,
                call.id,
                transfer.to_person,
                call.trunk or TrunkId(engine.plan.trunks[0].id),
                call.did,
                RING_OUTSIDE_MS + 5 * SECOND,
                call.won.leg if call.won is not None else None,
                recorded=False,
            )
        )

    def complete(self, call_id: CallId) -> None:
        """The client and who was asked talk; while it rings yet, he only is let go sooner."""
        call = self._engine.calls.get(call_id)
        if call is not None and call.state is CallState.CONSULTING:
            self._hand_over(call)

    def cancel(self, call_id: CallId) -> None:
        call = self._engine.calls.get(call_id)
        if call is not None and call.state is CallState.CONSULTING:
            self._back_to_agent(call, TransferFailure.CANCELLED)

    def agent_left(self, call: Call, cause: EndCause) -> None:
        """Who asks has hung up: that is how telephones without buttons complete it."""
        assert call.won is not None
        if cause is EndCause.WENT_SILENT:
            agent = self._engine.agents[call.won.agent]
            self._engine.devices_room.unreachable(agent, call.won.device)
        self._hand_over(call)

    def _hand_over(self, call: Call) -> None:
        engine = self._engine
        transfer = call.transfer
        assert transfer is not None
        assert call.client is not None
        taken = transfer.taken
        self._let_agent_go(call)
        if taken is not None:
            transfer.taken = None
            call.won, call.answered_at, call.proved = taken, engine.now, True
            call.state = CallState.TALKING
            engine.agents_room.count_answer(engine.agents[taken.agent], engine.now)
            engine.do(ConnectCall(call.id, call.client, taken.leg))
            self.has_an_agent(call)
        elif transfer.outside_up:
            self._talks_outside(call, transfer)
        else:
            call.state = CallState.TRANSFERRING

    def _talks_outside(self, call: Call, transfer: Transfer) -> None:
        engine = self._engine
        assert call.client is not None
        assert transfer.outside is not None
        call.state = CallState.OUTSIDE
        call.answered_at = engine.now
        engine.do(ConnectCall(call.id, call.client, transfer.outside))
        self._note_taken(call, transfer)

    def _let_agent_go(self, call: Call) -> None:
        """His part of the talk is over; he has his work after it, and the call goes on."""
        engine = self._engine
        won, answered_at = call.won, call.answered_at
        assert won is not None
        assert answered_at is not None
        talk_ms = engine.now - answered_at
        call.won, call.answered_at, call.proved = None, None, False
        call.handed_over_by = won.agent
        call.talked_ms += talk_ms
        engine.note(TalkHandedOver(engine.now, call.id, won.agent, talk_ms))
        if engine.legs.pop(won.leg, None) is not None:
            engine.let_go(won.leg, HangUp(won.leg))
        engine.agents_room.after_call(engine.agents[won.agent], engine.policy(call).wrap_up_ms)

    def play_music(self, call: Call) -> None:
        assert call.client is not None
        self._engine.do(StartMusic(call.client, self._engine.policy(call).music))

    # What becomes of it.

    def colleague_answered(self, call: Call, offer: Offer) -> None:
        """Attended: the two agents talk about the client first."""
        engine = self._engine
        transfer = call.transfer
        assert transfer is not None
        assert call.won is not None
        del call.offers[offer.leg]
        transfer.taken = offer
        ring_ms = engine.now - (offer.ringing_at or engine.now)
        ended = OfferEnded(
            engine.now, call.id, offer.leg, offer.agent, OfferOutcome.ANSWERED, ring_ms
        )
        engine.note(ended)
        engine.note(ConsultBegan(engine.now, call.id, transfer.number, call.won.agent, offer.agent))
        engine.agents_room.talk(engine.agents[offer.agent], call.id)
        engine.do(ConnectCall(call.id, offer.leg, call.won.leg))

    def outside_rings(self, call: Call) -> None:
        if call.transfer is not None:
            call.transfer.outside_rang = True

    def outside_answered(self, call: Call) -> None:
        engine = self._engine
        transfer = call.transfer
        if transfer is None or transfer.outside is None or transfer.outside_up:
            return
        engine.timers.cancel(TimerKind.TRANSFER_RINGS, call.id)
        transfer.outside_up = True
        if call.won is None:
            self._talks_outside(call, transfer)
            return
        engine.note(ConsultBegan(engine.now, call.id, transfer.number, call.won.agent, None))
        engine.do(ConnectCall(call.id, transfer.outside, call.won.leg))

    def has_an_agent(self, call: Call) -> None:
        """He talks again, with whoever it is."""
        transfer = call.transfer
        if transfer is None or call.won is None:
            return
        call.transfer = None
        if not transfer.told:
            self._note_taken(call, transfer)

    def not_taken(self, call: Call, outcome: OfferOutcome) -> None:
        """The one who was rung by name did not take him."""
        self._fails(call, BY_OUTCOME.get(outcome, TransferFailure.NOT_TAKEN))

    def outside_ended(self, call: Call, cause: EndCause) -> None:
        """The leg of the number outside is gone."""
        engine = self._engine
        transfer = call.transfer
        assert transfer is not None
        assert transfer.outside is not None
        if call.state is CallState.OUTSIDE:
            self._note_end(call, engine.now, "target")
            engine.calls_room.finish(call)
        elif transfer.outside_up:
            self._fails(call, TransferFailure.TARGET_LEFT)
        else:
            self._fails(call, BY_CAUSE.get(cause, TransferFailure.UNREACHABLE))

    def outside_rings_no_longer(self, call: Call) -> None:
        if call.transfer is not None and call.transfer.outside is not None:
            self._fails(call, TransferFailure.NOT_TAKEN)

    def colleague_left(self, call: Call) -> None:
        """Who was asked hung up before the client came to him."""
        self._back_to_agent(call, TransferFailure.TARGET_LEFT)

    def _fails(self, call: Call, why: TransferFailure) -> None:
        transfer = call.transfer
        assert transfer is not None
        if call.state is CallState.CONSULTING:
            self._back_to_agent(call, why)
        elif transfer.returning:
            self._line_up(call, call.queue)
        else:
            self._note_failed(call, why)
            self._let_target_go(call)
            self._return(call, transfer)

    def _back_to_agent(self, call: Call, why: TransferFailure) -> None:
        """Attended: he comes back to the client."""
        assert call.client is not None
        assert call.won is not None
        self._note_failed(call, why)
        self._let_target_go(call)
        call.transfer = None
        call.state = CallState.TALKING
        self._engine.do(ConnectCall(call.id, call.client, call.won.leg))

    def _return(self, call: Call, transfer: Transfer) -> None:
        """Blind: who handed him over is rung, if he has nothing else to do."""
        engine = self._engine
        agent = engine.agents.get(transfer.agent)
        transfer.returning = True
        if agent is not None and agent.status is Status.WRAP_UP:
            engine.agents_room.wrap_up_ends(agent.id)
        if agent is not None and agent.free:
            step = Step(agents=(agent.id,), k=1, ring_ms=RING_MS)
            engine.offers.ring(call, agent, step, purpose=OfferPurpose.RETURN)
        else:
            self._line_up(call, call.queue)

    def _line_up(self, call: Call, queue: QueueId) -> None:
        """To a queue, in his place by when he had come; who handed him over is rung last."""
        engine = self._engine
        transfer = call.transfer
        assert transfer is not None
        if transfer.to_queue is None:
            call.transfer = None
        if queue != call.queue:
            call.queue, call.policy = queue, engine.policy_key(queue)
            call.refused_by.clear()
        call.step = call.round = 0
        call.missed_by = [transfer.agent]
        engine.note(CallQueued(engine.now, call.id, call.queue, call.key_at))
        engine.calls_room.wait(call)

    # The client leaves, or has waited for too long.

    def client_left(self, call: Call, cause: EndCause) -> None:
        """He talked with nobody; or, while his agent asked somebody, with nobody yet."""
        engine = self._engine
        if call.state is CallState.OUTSIDE:
            self._note_end(call, engine.now, "client")
        elif call.state is CallState.CONSULTING and cause is not EndCause.LOST:
            self._note_failed(call, TransferFailure.CLIENT_LEFT)
            self._note_end(call, engine.now, "client")
        else:
            self._note_failed(call, TransferFailure.CLIENT_LEFT)
            self.lost(call, engine.now, "client")
        engine.calls_room.finish(call)

    def timed_out(self, call: Call) -> None:
        """Nobody of the queue took him within its longest wait."""
        engine = self._engine
        self._note_failed(call, TransferFailure.TIMED_OUT)
        self.lost(call, engine.now, "system")
        if call.placed:
            engine.calls_room.finish(call)
        else:
            promise = engine.policy(call).promise_prompt
            engine.calls_room.say_goodbye(call, PromptKind.PROMISE, promise)

    def broken_off(self, call: Call, at: Instant) -> None:
        """The switch failed under it."""
        self._note_failed(call, TransferFailure.BROKEN_OFF)
        self.lost(call, at, "system")
        self._engine.calls_room.finish(call, wraps_up=False)

    def lost(self, call: Call, at: Instant, ended_by: str) -> None:
        """Whom he was promised he did not get: he is owed. A call that we placed owes nothing."""
        engine = self._engine
        self._note_end(call, at, ended_by)
        if call.inbound:
            engine.debts_room.owe_again(call, at, MissReason.TRANSFER_NOT_TAKEN)
        elif call.debt is not None:
            engine.debts_room.reopen(call, at)

    def _note_end(self, call: Call, at: Instant, ended_by: str) -> None:
        agent = call.won.agent if call.won is not None else call.handed_over_by
        assert agent is not None
        talk_ms = call.talked_ms + (0 if call.answered_at is None else at - call.answered_at)
        self._engine.note(CallEnded(at, call.id, agent, max(0, talk_ms), ended_by))

    def _note_failed(self, call: Call, why: TransferFailure) -> None:
        transfer = call.transfer
        if transfer is not None and not transfer.told:
            transfer.told = True
            self._engine.note(TransferFailed(self._engine.now, call.id, transfer.number, why))

    def _note_taken(self, call: Call, transfer: Transfer) -> None:
        transfer.told = True
        agent = call.won.agent if call.won is not None else None
        self._engine.note(TransferTaken(self._engine.now, call.id, transfer.number, agent))

    # Legs.

    def drop(self, call: Call) -> None:
        """The call is over: whoever was to take it is let go."""
        self._note_failed(call, TransferFailure.BROKEN_OFF)
        self._let_target_go(call)
        call.transfer = None

    def _let_target_go(self, call: Call) -> None:
        engine = self._engine
        transfer = call.transfer
        if transfer is None:
            return
        engine.offers.withdraw_all(call)
        taken, transfer.taken = transfer.taken, None
        if taken is not None:
            if engine.legs.pop(taken.leg, None) is not None:
                engine.let_go(taken.leg, HangUp(taken.leg))
            engine.agents_room.after_call(engine.agents[taken.agent], 0)
        outside, transfer.outside = transfer.outside, None
        if outside is not None:
            engine.timers.cancel(TimerKind.TRANSFER_RINGS, call.id)
            transfer.outside_up = transfer.outside_rang = False
            if engine.legs.pop(outside, None) is not None:
                engine.let_go(outside, HangUp(outside))
            assert transfer.to_person is not None
            engine.calls_room.free_person(transfer.to_person)
