"""What the switch has, held against what we believe: an audit, after a gap in what we heard.

Recovery after a crash and after a lost socket is this one path. A client whom we do not know is
adopted, never hung up; a caller of whom we lost sight is decided by the second witness
(`witness.py`), unless the switch itself was restarted (`restart.py`).
"""

from typing import TYPE_CHECKING

from perezvon.core import restart, witness
from perezvon.core.call import BEFORE_TALK, Call, CallState
from perezvon.core.commands import AnswerCall, ConnectCall, HangUp, StartMusic, StopRinging
from perezvon.core.events import EndCause, LegSeen, LegState, Resynced
from perezvon.core.facts import OfferOutcome, SwitchResynced
from perezvon.core.ids import Instant, LegId
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine


def resynced(engine: "Engine", event: Resynced, audited: tuple[LegId, ...]) -> None:
    """Compare; `audited` are the legs that we knew of before the turn of this audit."""
    seen = {each.leg: each for each in event.legs}
    causes = dict(event.gone)
    # A list, not a set difference: a set has no order, and every run must take the same one.
    gone = [leg for leg in audited if leg not in seen]
    witness.was_deaf(engine, event.deaf_since)
    started_at = _restarted(engine, event.switch_started_at)
    ended = 0
    if started_at is not None:
        ended = restart.close_all(engine, started_at, gone, seen, causes)
    for leg in gone:
        if engine.supervisions.knows(leg):
            engine.do(StopRinging(leg))
            engine.leg_ended(leg, causes.get(leg, EndCause.LOST))
            continue
        call = engine.call_of(leg)
        if call is None or call.state is CallState.FELL_BACK:
            continue
        ended += 1
        waits = call.state in BEFORE_TALK and not call.handed_over
        if leg == call.client and call.inbound and waits:
            witness.lose_sight(engine, call)
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


def _restarted(engine: "Engine", started_at: Instant | None) -> Instant | None:
    """When the switch was started again, if it was since the last audit that told."""
    before = engine.state.switch_started_at
    if started_at is None or started_at == before:
        return None
    engine.state.switch_started_at = started_at
    return started_at if before is not None else None


def _look_at(engine: "Engine", seen: LegSeen) -> bool:
    """Compare one leg with what we believe. True when it was adopted."""
    if seen.leg in engine.state.ending:
        return False
    if engine.supervisions.seen(seen):
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
    if call.transfer is not None and seen.leg == call.transfer.outside:
        _reconcile_outside(engine, call, seen)
        return
    if seen.leg == call.rejoin:
        if seen.state is LegState.UP:
            engine.rejoins.answered(call)
        return
    if call.state is CallState.CONSULTING and call.won is not None and seen.leg == call.won.leg:
        _reconcile_consult(engine, call, seen)
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


def _reconcile_outside(engine: "Engine", call: Call, seen: LegSeen) -> None:
    match seen.state:
        case LegState.UP:
            engine.transfers.outside_answered(call)
        case LegState.RINGING:
            engine.transfers.outside_rings(call)
        case LegState.DOWN:
            engine.transfers.outside_rings_no_longer(call)


def _reconcile_consult(engine: "Engine", call: Call, seen: LegSeen) -> None:
    """Who asks is to hear who is asked."""
    transfer = call.transfer
    assert transfer is not None
    asked = transfer.taken.leg if transfer.taken is not None else transfer.outside
    if transfer.answered and asked is not None and seen.bridged_with != asked:
        engine.do(ConnectCall(call.id, asked, seen.leg))


def _reconcile_client(engine: "Engine", call: Call, seen: LegSeen) -> None:
    match call.state:
        case CallState.TALKING if call.won is not None and seen.bridged_with != call.won.leg:
            engine.do(ConnectCall(call.id, seen.leg, call.won.leg))
        case CallState.WAITING if call.picked_up:
            if seen.state is not LegState.UP:
                engine.do(AnswerCall(seen.leg))
            engine.do(StartMusic(seen.leg, engine.policy(call).music))
        case CallState.FELL_BACK if call.settled:
            engine.calls_room.finish(call)
        case CallState.FELL_BACK:
            engine.timers.cancel(TimerKind.WITNESS, call.id)
            engine.calls_room.greeted(call)
        case CallState.TRANSFERRING | CallState.CONSULTING | CallState.REJOINING:
            engine.transfers.play_music(call)
        case CallState.OUTSIDE if call.transfer is not None:
            outside = call.transfer.outside
            if outside is not None and seen.bridged_with != outside:
                engine.do(ConnectCall(call.id, seen.leg, outside))
        case CallState.DIALLING if seen.state is LegState.UP:
            engine.outgoing(call).client_answered(call)
        case CallState.DIALLING if seen.state is LegState.RINGING:
            engine.outgoing(call).client_rings(call)
        case CallState.DIALLING:
            engine.outgoing(call).client_failed(call, EndCause.NEVER_MADE)
        case _:
            pass
