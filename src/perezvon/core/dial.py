"""Dialling by hand: an agent calls somebody, from his own telephone to what came of it.

Whom we owe is called as an attempt of his debt, with this agent fixed, so that a talk recovers it.
Anybody else is a placed call: no inbound attempt, nothing owed. Either way the agent's telephone
rings first, and answers by itself if it can. How an attempt goes on is `attempt.py`.
"""

from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.call import Call, CallState
from perezvon.core.commands import DialClient
from perezvon.core.debt import Debt
from perezvon.core.events import DialAsked, EndCause
from perezvon.core.facts import (
    AttemptOutcome,
    OfferOutcome,
    PlacedCallFailed,
    Settlement,
    Status,
)
from perezvon.core.ids import SECOND, AgentId, CallId, Duration, LegId, TrunkId
from perezvon.core.party import Offer
from perezvon.core.plan import CallbackOrder, Did, Step
from perezvon.core.talk_facts import (
    CallPlaced,
    DialRefusal,
    DialRefused,
    OfferPurpose,
    PlacedCallAnswered,
)
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

RING_OWN_MS: Duration = 15 * SECOND
"""His own telephone."""
RING_CLIENT_MS: Duration = 45 * SECOND
"""He hears it ring, and hangs up sooner if he likes."""

OUTCOMES = {
    EndCause.BUSY: AttemptOutcome.BUSY,
    EndCause.REFUSED: AttemptOutcome.BUSY,
    EndCause.BAD_NUMBER: AttemptOutcome.BAD_NUMBER,
    EndCause.TRUNK_FAILED: AttemptOutcome.TRUNK_FAILED,
    EndCause.UNREACHABLE: AttemptOutcome.TRUNK_FAILED,
    EndCause.NEVER_MADE: AttemptOutcome.NEVER_MADE,
}
"""What the end of a client's leg says of having dialled him."""

MAY_DIAL = frozenset({Status.AVAILABLE, Status.PAUSED, Status.WRAP_UP})


class Dials:
    """The room of the engine where agents dial by hand. Placed calls have the doors that an
    attempt has (`Attempts`), see `Engine.outgoing`.
    """

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def asked(self, event: DialAsked) -> None:
        engine = self._engine
        agent = engine.agents.get(event.agent)
        debt_id = engine.debt_of.get(event.person)
        debt = engine.debts[debt_id] if debt_id is not None else None
        refusal = self._refusal(agent, event, debt)
        if refusal is not None or agent is None:
            reason = refusal or DialRefusal.AGENT_BUSY
            engine.note(DialRefused(engine.now, event.agent, event.person, reason, event.by))
            return
        engine.agents_room.leave_for_own(agent)
        if debt is None:
            call = self._place(event)
        else:
            engine.timers.cancel(TimerKind.DEBT_TRY, debt.id)
            call = engine.callbacks.begin(debt, CallbackOrder.AGENT_FIRST)
        call.dialled_by = agent.id
        step = Step(agents=(agent.id,), k=1, ring_ms=RING_OWN_MS)
        engine.offers.ring(call, agent, step, purpose=OfferPurpose.DIAL)

    def _refusal(
        self, agent: AgentState | None, event: DialAsked, debt: Debt | None
    ) -> DialRefusal | None:
        engine = self._engine
        if agent is None or agent.status not in MAY_DIAL or agent.supervises is not None:
            return DialRefusal.AGENT_BUSY
        if not agent.reachable_now:
            return DialRefusal.TELEPHONE_AWAY
        if engine.calls_room.is_on_the_line(event.person):
            return DialRefusal.ON_THE_LINE
        if debt is None:
            return None if self._trunk(self.line_of(event)) else DialRefusal.NO_TRUNK
        rule = engine.debts_room.rule(debt)
        calendar = engine.calendar_of(rule.hours or engine.debts_room.policy(debt).hours)
        return None if calendar.is_open(engine.now) else DialRefusal.OUT_OF_HOURS

    def line_of(self, event: DialAsked) -> Did | None:
        """Our number that he sees: the one asked for, else one of the agent's queue, else any."""
        engine = self._engine
        asked = engine.dids.get(event.did.removeprefix("+")) if event.did is not None else None
        if asked is not None:
            return asked
        queues = {queue.id: queue for queue in engine.plan.queues}
        for did in engine.plan.dids:
            pools = (engine.pools.of(step) for step in queues[did.queue].steps)
            if any(event.agent in pool.levels for pool in pools):
                return did
        return engine.plan.dids[0] if engine.plan.dids else None

    def _trunk(self, did: Did | None) -> TrunkId | None:
        if did is not None and did.trunk is not None:
            return did.trunk
        trunks = self._engine.plan.trunks
        return trunks[0].id if trunks else None

    def _place(self, event: DialAsked) -> Call:
        engine = self._engine
        did = self.line_of(event)
        trunk = self._trunk(did)
        assert trunk is not None
        queue = did.queue if did is not None else engine.default_queue
        engine.state.call_count += 1
        call = Call(
            id=CallId(f"{engine.era}c{engine.state.call_count}"),
            policy=engine.policy_key(queue),
            queue=queue,
            plan=engine.plan.version,
            did=did.number if did is not None else "",
            trunk=trunk,
            person=event.person,
            number_class=event.number_class,
            zone=None,
            arrived_at=engine.now,
            key_at=engine.now,
            state=CallState.RINGING_AGENT,
            settled=True,
            order=CallbackOrder.AGENT_FIRST.value,
            placed=True,
        )
        engine.calls[call.id] = call
        engine.calls_room.occupy(event.person)
        engine.state.placed[event.person] = call.id
        engine.note(
            CallPlaced(
                engine.now,
                call.id,
                event.agent,
                event.person,
                event.number_class,
                queue,
                call.did,
                trunk,
                call.plan,
                client_leg(call),
                event.by,
            )
        )
        return call

    def client_calls(self, call: Call) -> bool:
        """Whom an agent is dialling calls himself: his call wins. True when it has that agent."""
        engine = self._engine
        placed = engine.state.placed.get(call.person) if call.person is not None else None
        if placed is None:
            return False
        dialled = engine.calls[placed]
        if dialled.state not in (CallState.RINGING_AGENT, CallState.DIALLING):
            return False
        taken = engine.talks.take_from(dialled, call)
        self._failed(dialled, AttemptOutcome.CANCELLED)
        if taken is None:
            return False
        engine.talks.give(call, taken)
        return True

    # What becomes of a placed call.

    def agent_did_not_take(self, call: Call, agent: AgentId, outcome: OfferOutcome) -> None:
        del agent, outcome
        self._failed(call, AttemptOutcome.CANCELLED)

    def agent_ready(self, call: Call, offer: Offer) -> None:
        del call.offers[offer.leg]
        call.won = offer
        self._engine.agents_room.talk(self._engine.agents[offer.agent], call.id)
        self.dial_client(call)

    def agent_left_before(self, call: Call) -> None:
        self._failed(call, AttemptOutcome.CANCELLED)

    def dial_client(self, call: Call) -> None:
        engine = self._engine
        assert call.person is not None
        assert call.trunk is not None
        assert call.won is not None
        call.state = CallState.DIALLING
        call.client = client_leg(call)
        engine.legs[call.client] = call.id
        engine.timers.set(TimerKind.CLIENT_RINGS, call.id, engine.now + RING_CLIENT_MS)
        engine.do(
            DialClient(
                call.client,
                call.id,
                call.person,
                call.trunk,
                call.did,
                RING_CLIENT_MS + 5 * SECOND,
                call.won.leg,
            )
        )

    def client_rings(self, call: Call) -> None:
        if not call.client_rang:
            call.client_rang = True
            self._engine.trunks.carried(call)

    def client_answered(self, call: Call) -> None:
        if call.state is not CallState.DIALLING:
            return
        self._engine.timers.cancel(TimerKind.CLIENT_RINGS, call.id)
        call.picked_up = True
        self.client_rings(call)
        assert call.won is not None
        self._engine.talks.give(call, call.won)

    def client_rings_no_longer(self, call: Call) -> None:
        if call.state is CallState.DIALLING:
            self.client_failed(call, EndCause.NO_ANSWER)

    def client_failed(self, call: Call, cause: EndCause) -> None:
        self._failed(call, OUTCOMES.get(cause, AttemptOutcome.NO_ANSWER))

    def client_was_not_served(self, call: Call) -> None:
        """The agent was gone as he answered, and nobody else came in time."""
        self._note_failed(call, AttemptOutcome.LEFT_WAITING)

    def broken_off(self, call: Call) -> None:
        self._failed(call, AttemptOutcome.NEVER_MADE)

    def reached(self, call: Call) -> None:
        """They talk. Should he be owed since: he has been reached."""
        engine = self._engine
        assert call.won is not None
        assert call.answered_at is not None
        wait_ms = call.answered_at - call.arrived_at
        engine.note(PlacedCallAnswered(engine.now, call.id, call.won.agent, wait_ms))
        if call.person is not None:
            engine.callbacks.settle_person(call.person, Settlement.RECOVERED, call.won.agent)

    def _failed(self, call: Call, outcome: AttemptOutcome) -> None:
        self._note_failed(call, outcome)
        self._engine.calls_room.finish(call)

    def _note_failed(self, call: Call, outcome: AttemptOutcome) -> None:
        assert call.dialled_by is not None
        self._engine.note(PlacedCallFailed(self._engine.now, call.id, call.dialled_by, outcome))


def client_leg(call: Call) -> LegId:
    return LegId(f"{call.id}/0c")
