"""The switch was restarted: all that it held is gone, and nobody will tell how it ended.

In the turn that learns of it everybody who waited or talked is owed, to be called back as soon as
it is permitted, in the order in which they came; the attempts of call-backs are made again; the
agents are free at once. Only what the second witness had seen end before is taken as it says.
"""

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, TypeAlias

from perezvon.core import witness
from perezvon.core.call import Call, CallState
from perezvon.core.events import EndCause, LegSeen
from perezvon.core.facts import MissReason, OfferEnded, OfferOutcome
from perezvon.core.ids import CallId, Instant, LegId

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

UNTOLD = frozenset({EndCause.LOST, EndCause.NEVER_MADE})
"""Causes that say nothing of what became of a leg."""

_WITH_AGENT = frozenset({CallState.TALKING, CallState.CONSULTING, CallState.REJOINING})

_OWED_BY_THEN = frozenset({CallState.CLOSING, CallState.FELL_BACK})
"""Of one who was handed over: he has heard the promise, or was hearing it when the fallback took
him."""

_Place: TypeAlias = tuple[Instant, Instant, CallId]


def close_all(
    engine: "Engine",
    started_at: Instant,
    gone: Collection[LegId],
    seen: Mapping[LegId, LegSeen],
    causes: Mapping[LegId, EndCause],
) -> int:
    """Close what the switch held before it was started again. Gives the number of calls."""
    told = {leg: causes[leg] for leg in gone if causes.get(leg, EndCause.LOST) not in UNTOLD}
    for leg, cause in told.items():
        engine.leg_ended(leg, cause)
    known = frozenset(gone)
    lost = [
        call
        for call in engine.calls.values()
        if _was_there(call, started_at)
        # Whom a timer of this very turn rings, the switch as it is now will be told to ring.
        and any(leg in known for leg in (*_own_legs(call), *call.offers))
        and call.client not in told
        and not any(leg in seen for leg in _own_legs(call))
    ]
    at = min(engine.now, started_at)
    for call in sorted(lost, key=lambda call: _place(engine, call, at)):
        for leg in (*_own_legs(call), *call.offers):
            # One that a timer of this very turn rings is there in a moment, and has to be stopped.
            if leg in known:
                engine.legs.pop(leg, None)
        if call.inbound:
            witness.confirm(
                engine, call, in_fallback=call.lost_as is MissReason.ABANDONED_IN_FALLBACK
            )
        _close(engine, call, at)
    witness.will_tell_no_more(engine)
    engine.devices_room.forget_silence()
    return len(lost) + len(told)


def _was_there(call: Call, started_at: Instant) -> bool:
    """An audit may be older than a call, which then has only begun; the clock may have been set
    back, so what has lasted is of before whatever it says.
    """
    return call.arrived_at < started_at or call.proved or call.state is CallState.FELL_BACK


def _own_legs(call: Call) -> tuple[LegId, ...]:
    """The legs without which there is no such call: the client's, or whose agent has it."""
    if call.client is not None:
        return (call.client,)
    return (call.won.leg,) if call.won is not None else tuple(call.offers)


def _place(engine: "Engine", call: Call, at: Instant) -> _Place:
    """His place among the debts: those of before, then those of now as they had arrived."""
    debts, owed = engine.debts, None
    if call.debt is not None:
        owed = debts.get(call.debt) or engine.recovered.get(call.id)
    elif call.person is not None and call.person in engine.debt_of:
        owed = debts[engine.debt_of[call.person]]
    if owed is None:
        return at, call.arrived_at, call.id
    return owed.first_missed_at, owed.came_at, call.id


def _close(engine: "Engine", call: Call, at: Instant) -> None:
    with_agent = call.proved and call.won is not None
    if with_agent and call.state in _WITH_AGENT:
        engine.talks.cut(call, at)
        return
    if call.state is CallState.TALKING and call.won is not None:
        won = call.won
        rescinded = OfferEnded(engine.now, call.id, won.leg, won.agent, OfferOutcome.RESCINDED, 0)
        engine.note(rescinded)
    if call.handed_over and call.state not in _OWED_BY_THEN:
        engine.transfers.broken_off(call, at)
        return
    if not call.inbound:
        engine.outgoing(call).broken_off(call)
        return
    if not call.settled:
        engine.calls_room.miss(call, MissReason.SYSTEM_FAILURE, at)
    engine.calls_room.finish(call)
