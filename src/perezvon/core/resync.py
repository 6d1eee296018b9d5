"""What others saw while we looked away: an audit of the switch, the fallback, the second witness.

Recovery after a crash and after a lost socket is this one path. A client whom we do not know is
adopted, never hung up; a caller of whom we lost sight is decided by the second witness (CEL), and
only without one is he a system failure.
"""

from typing import TYPE_CHECKING

from perezvon.core.call import Call, CallState
from perezvon.core.commands import AnswerCall, ConnectCall, HangUp, StartMusic, StopRinging
from perezvon.core.events import (
    ArrivalWitnessed,
    CallArrived,
    EndCause,
    LegSeen,
    LegState,
    Resynced,
)
from perezvon.core.facts import (
    CallEnded,
    CallFellBackToSwitch,
    MissReason,
    OfferOutcome,
    SwitchResynced,
)
from perezvon.core.ids import HOUR, SECOND, AgentId, Duration, LegId
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

WITNESS_MS: Duration = 30 * SECOND
"""How long the second witness may take to tell what became of a caller."""

FALLBACK_MS: Duration = 4 * HOUR
"""Longest stay in the switch's own queue, the talk included."""

BEFORE_TALK = frozenset({CallState.GREETING, CallState.WAITING})


def resynced(engine: "Engine", event: Resynced, audited: tuple[LegId, ...]) -> None:
    """Compare; `audited` are the legs that we knew of before the turn of this audit."""
    seen = {each.leg: each for each in event.legs}
    causes = dict(event.gone)
    ended = 0
    # A list, not a set difference: a set has no order, and every run must take the same one.
    for leg in [leg for leg in audited if leg not in seen]:
        call = engine.call_of(leg)
        if call is None or call.state is CallState.FELL_BACK:
            continue
        ended += 1
        if leg == call.client and call.inbound and call.state in BEFORE_TALK:
            _lose_sight(engine, call)
            continue
        if leg not in causes and not (call.inbound and leg == call.client):
            # Should the audit be older than the leg: nobody may be rung by two.
            engine.do(HangUp(leg) if leg == call.client else StopRinging(leg))
        engine.leg_ended(leg, causes.get(leg, EndCause.LOST))
    for leg, is_agents in list(engine.state.ending.items()):
        if leg not in seen:
            del engine.state.ending[leg]
        else:
            engine.do(StopRinging(leg) if is_agents else HangUp(leg))
    adopted = sum(_look_at(engine, each) for each in event.legs)
    kept = len(event.legs) - adopted
    engine.note(SwitchResynced(engine.now, kept, adopted, ended))


def _look_at(engine: "Engine", seen: LegSeen) -> bool:
    """Compare one leg with what we believe. True when it was adopted."""
    if seen.leg in engine.state.ending:
        return False
    call = engine.call_of(seen.leg)
    if call is not None:
        _reconcile(engine, call, seen)
        return False
    if seen.inbound is None:
        engine.do(StopRinging(seen.leg))
        return False
    if seen.leg in engine.ended_legs:
        # An audit older than his end. Should he be there after all, nobody refreshes his
        # dead-man, and the switch's own queue takes him over.
        return False
    engine.calls_room.arrive(seen.inbound)
    return True


def _reconcile(engine: "Engine", call: Call, seen: LegSeen) -> None:
    if seen.leg == call.client:
        _reconcile_client(engine, call, seen)
        return
    offer = call.offers.get(seen.leg)
    if offer is None:
        return
    match seen.state:
        case LegState.UP:
            engine.offers.answered(call, seen.leg)
        case LegState.RINGING:
            engine.offers.ringing(call, seen.leg)
        case LegState.DOWN:
            # Made and never dialled: whoever was to dial it is gone.
            engine.offers.end(call, offer, OfferOutcome.RESCINDED)


def _reconcile_client(engine: "Engine", call: Call, seen: LegSeen) -> None:
    match call.state:
        case CallState.TALKING if call.won is not None and seen.bridged_with != call.won.leg:
            engine.do(ConnectCall(call.id, seen.leg, call.won.leg))
        case CallState.WAITING if call.picked_up:
            if seen.state is not LegState.UP:
                engine.do(AnswerCall(seen.leg))
            engine.do(StartMusic(seen.leg, engine.policy(call).music))
        case CallState.FELL_BACK:
            engine.timers.cancel(TimerKind.WITNESS, call.id)
            engine.calls_room.greeted(call)
        case CallState.DIALLING if seen.state is LegState.UP:
            engine.attempts.client_answered(call)
        case CallState.DIALLING if seen.state is LegState.RINGING:
            call.client_rang = True
        case CallState.DIALLING:
            engine.attempts.client_failed(call, EndCause.NEVER_MADE)
        case _:
            pass


def fell_back(engine: "Engine", leg: LegId) -> None:
    """The switch's own queue took him over: our telephones stop, he stays in the books."""
    call = engine.call_of(leg)
    if call is None or leg != call.client or call.state is CallState.FELL_BACK:
        return
    if not call.inbound or call.state not in BEFORE_TALK:
        engine.leg_ended(leg, EndCause.LOST)
        return
    _lose_sight(engine, call)
    call.lost_as = MissReason.ABANDONED_IN_FALLBACK
    engine.timers.set(TimerKind.WITNESS, call.id, engine.now + FALLBACK_MS)
    engine.note(CallFellBackToSwitch(engine.now, call.id))


def _lose_sight(engine: "Engine", call: Call) -> None:
    call.lost_as = engine.calls_room.why_left(call, EndCause.NORMAL)
    engine.calls_room.leave_line(call)
    engine.timers.cancel(TimerKind.PROMPT_ENDS, call.id)
    call.state = CallState.FELL_BACK
    engine.offers.withdraw_all(call)
    await_witness(engine, call)


def await_witness(engine: "Engine", call: Call) -> None:
    engine.timers.set(TimerKind.WITNESS, call.id, engine.now + WITNESS_MS)


def no_witness(engine: "Engine", call: Call) -> None:
    """Nobody can tell what became of him: we owe him."""
    if call.state is CallState.FELL_BACK:
        engine.calls_room.miss(call, MissReason.SYSTEM_FAILURE)
        _forget(engine, call)
    else:
        # The second witness saw his leg end, and the switch never told us.
        assert call.client is not None
        engine.leg_ended(call.client, EndCause.NORMAL)


def witnessed(engine: "Engine", event: ArrivalWitnessed) -> None:
    if event.leg in engine.ended_legs:
        engine.ended_legs[event.leg] = True
        return
    call = engine.call_of(event.leg)
    if call is None:
        # It never reached us: the guard sent him to the fallback, or we were not there.
        arrival = CallArrived(event.leg, event.did, event.caller)
        call = engine.calls_room.receive(arrival, event.arrived_at)
        call.state = CallState.FELL_BACK
        call.lost_as = MissReason.ABANDONED_IN_FALLBACK
    if call.state is not CallState.FELL_BACK:
        await_witness(engine, call)
        return
    if event.fallback_answered_at is not None:
        agent = event.fallback_agent or AgentId("fallback")
        engine.talks.mark_answered(call, agent, event.fallback_answered_at, in_fallback=True)
        talk_ms = max(0, event.ended_at - event.fallback_answered_at)
        engine.note(CallEnded(event.ended_at, call.id, agent, talk_ms, "client"))
    else:
        reason = call.lost_as or MissReason.SYSTEM_FAILURE
        engine.calls_room.miss(call, reason, event.ended_at)
    _forget(engine, call)
    engine.ended_legs[event.leg] = True


def _forget(engine: "Engine", call: Call) -> None:
    """Close a call whose leg is gone already."""
    if call.client is not None:
        engine.legs.pop(call.client, None)
    engine.calls_room.finish(call)
