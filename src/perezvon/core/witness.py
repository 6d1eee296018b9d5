"""The second witness: callers out of our sight, and whether its account and ours are the same.

Whom the switch's own queue took over, or of whom we lost sight, is decided by what the witness
(CEL, and queue_log) tells. And it tells the end of every other inbound attempt too: one of which
we never heard enters the books and is owed, and one of ours of which it never tells is shown.
The work is the same for each attempt, however many there are; one timer serves them all.
"""

from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from perezvon.core.call import BEFORE_TALK, Call, CallState
from perezvon.core.events import ArrivalWitnessed, CallArrived, EndCause
from perezvon.core.facts import (
    ArrivalConfirmed,
    CallEnded,
    CallFellBackToSwitch,
    Difference,
    MissReason,
    Settlement,
    WitnessDiffered,
)
from perezvon.core.ids import HOUR, SECOND, AgentId, CallId, Duration, Instant, LegId
from perezvon.core.reconciliation import Differing, Unwitnessed
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

WITNESS_MS: Duration = 30 * SECOND
"""How long the second witness may take to tell what became of a caller."""

UNSEEN_MS: Duration = 60 * SECOND
"""After so long an end that the second witness has not told is a difference."""

FALLBACK_MS: Duration = 4 * HOUR
"""Longest stay in the switch's own queue, the talk included."""

ENDED_LEGS_MAX = 10_000
"""Ended inbound attempts that we remember until, and after, the second witness names them."""

DEAF_MAX = 50
"""Times of deafness that are remembered: what the witness tells is minutes old at most."""

_T = TypeVar("_T")

# Out of sight.


def fell_back(engine: "Engine", leg: LegId) -> None:
    """The switch's own queue took him over: our telephones stop, he stays in the books."""
    call = engine.call_of(leg)
    if call is None:
        # We had just let him go: whoever tells that he stays has seen him come.
        _confirm_once(engine, leg, in_fallback=True)
        return
    if leg != call.client or call.state is CallState.FELL_BACK:
        return
    waits = call.state in BEFORE_TALK and not call.handed_over
    alone = call.state is CallState.TALKING and call.proved and not call.handed_over
    if not call.inbound or not (waits or alone or call.state is CallState.CLOSING):
        engine.leg_ended(leg, EndCause.LOST)
        return
    lose_sight(engine, call)
    if alone:
        engine.talks.left_alone(call)
    call.lost_as = MissReason.ABANDONED_IN_FALLBACK
    engine.timers.set(TimerKind.WITNESS, call.id, engine.now + FALLBACK_MS)
    engine.note(CallFellBackToSwitch(engine.now, call.id))


def lose_sight(engine: "Engine", call: Call) -> None:
    call.lost_as = engine.calls_room.why_left(call, EndCause.NORMAL)
    engine.calls_room.leave_line(call)
    engine.timers.cancel(TimerKind.PROMPT_ENDS, call.id)
    call.state = CallState.FELL_BACK
    engine.offers.withdraw_all(call)
    wait_for(engine, call)


def wait_for(engine: "Engine", call: Call) -> None:
    engine.timers.set(TimerKind.WITNESS, call.id, engine.now + WITNESS_MS)


def told_nothing(engine: "Engine", call: Call) -> None:
    """Nobody can tell what became of him: we owe him."""
    if engine.overslept:
        # We were away ourselves: what it told meanwhile is heard after this.
        engine.timers.set(TimerKind.WITNESS, call.id, engine.turn_at + WITNESS_MS)
    elif call.state is CallState.FELL_BACK:
        if not call.settled:
            engine.calls_room.miss(call, MissReason.SYSTEM_FAILURE)
        forget(engine, call)
    else:
        # The second witness saw his leg end, and the switch never told us.
        assert call.client is not None
        engine.leg_ended(call.client, EndCause.NORMAL)


def forget(engine: "Engine", call: Call) -> None:
    """Close a call whose leg is gone already."""
    if call.client is not None:
        engine.legs.pop(call.client, None)
    engine.calls_room.finish(call)


# What it tells.


def witnessed(engine: "Engine", event: ArrivalWitnessed) -> None:
    in_fallback = event.in_fallback or event.fallback_answered_at is not None
    if not engine.reconciliation.heard:
        engine.reconciliation.heard = True
        engine.timers.set(TimerKind.UNSEEN, "", engine.now + UNSEEN_MS)
    if event.leg in engine.ended_legs:
        if not engine.ended_legs[event.leg]:
            _served_after_all(engine, event)
        _confirm_ended(engine, event.leg, in_fallback=in_fallback)
        return
    call = engine.call_of(event.leg)
    if call is None:
        call = _enter(engine, event, in_fallback=in_fallback)
    else:
        confirm(engine, call, in_fallback=in_fallback)
    if call.state is not CallState.FELL_BACK:
        wait_for(engine, call)
        return
    if call.settled:
        _served_after_all(engine, event)
    elif event.fallback_answered_at is not None:
        agent = event.fallback_agent or AgentId("fallback")
        engine.talks.mark_answered(call, agent, event.fallback_answered_at, in_fallback=True)
        talk_ms = max(0, event.ended_at - event.fallback_answered_at)
        engine.note(CallEnded(event.ended_at, call.id, agent, talk_ms, "client"))
    else:
        reason = call.lost_as or MissReason.SYSTEM_FAILURE
        engine.calls_room.miss(call, reason, event.ended_at)
    forget(engine, call)


def _enter(engine: "Engine", event: ArrivalWitnessed, *, in_fallback: bool) -> Call:
    """It never reached us: the guard sent him to the fallback, or nobody was there to listen."""
    arrival = CallArrived(event.leg, event.did, event.caller)
    call = engine.calls_room.receive(arrival, event.arrived_at)
    call.state = CallState.FELL_BACK
    if in_fallback:
        call.lost_as = MissReason.ABANDONED_IN_FALLBACK
        engine.note(CallFellBackToSwitch(event.arrived_at, call.id))
        confirm(engine, call, in_fallback=True)
    elif engine.reconciliation.was_deaf(event.arrived_at):
        confirm(engine, call, in_fallback=True)
    else:
        call.witnessed = True
        _differ(engine, event.leg, Differing(call.id, Difference.UNHEARD, event.arrived_at))
    return call


def _served_after_all(engine: "Engine", event: ArrivalWitnessed) -> None:
    """He had an end in our books when the fallback gave him somebody: he is not owed for it."""
    person, agent = event.caller.person, event.fallback_agent or AgentId("fallback")
    debt = engine.debt_of.get(person) if person is not None else None
    if person is None or debt is None or event.fallback_answered_at is None:
        return
    if event.ended_at > engine.debts[debt].missed_at:
        engine.callbacks.settle_person(person, Settlement.REACHED_US, agent)


# Two accounts.


def confirm(engine: "Engine", call: Call, *, in_fallback: bool) -> None:
    """An attempt that goes on for us yet: the other account has its end already."""
    if not call.witnessed:
        call.witnessed = True
        _confirm(engine, call.id, in_fallback=in_fallback)


def _confirm_ended(engine: "Engine", leg: LegId, *, in_fallback: bool) -> None:
    engine.ended_legs[leg] = True
    _confirm_once(engine, leg, in_fallback=in_fallback)


def _confirm_once(engine: "Engine", leg: LegId, *, in_fallback: bool) -> None:
    books = engine.reconciliation
    waits = books.unwitnessed.pop(leg, None)
    differing = books.differing.get(leg)
    if waits is not None:
        _confirm(engine, waits.call, in_fallback=in_fallback)
    elif differing is not None and differing.how is Difference.UNSEEN:
        books.take_back(leg)
        _confirm(engine, differing.call, in_fallback=in_fallback)


def _confirm(engine: "Engine", call: CallId, *, in_fallback: bool) -> None:
    engine.reconciliation.confirm(in_fallback=in_fallback)
    engine.note(ArrivalConfirmed(engine.now, call, in_fallback))


def _differ(engine: "Engine", leg: LegId, differing: Differing) -> None:
    engine.reconciliation.differ(leg, differing, ENDED_LEGS_MAX)
    engine.note(WitnessDiffered(engine.now, differing.call, differing.how))


def was_deaf(engine: "Engine", since: Instant | None) -> None:
    """Nobody listened from then until now: who came and left meanwhile was the guard's."""
    if since is None or since > engine.now:
        return
    books = engine.reconciliation
    books.deaf = [*books.deaf[1 - DEAF_MAX :], (since, engine.now)]
    # The witness may have been quicker than the new link.
    for leg, one in list(books.differing.items()):
        if one.how is Difference.UNHEARD and since <= one.arrived_at:
            books.take_back(leg)
            _confirm(engine, one.call, in_fallback=True)


def heard_after_all(engine: "Engine", leg: LegId) -> None:
    """An arrival may be told by the switch after its end was told by the second witness."""
    books = engine.reconciliation
    differing = books.differing.get(leg)
    if differing is not None and differing.how is Difference.UNHEARD:
        books.take_back(leg)
        _confirm(engine, differing.call, in_fallback=False)


def remember_ended(engine: "Engine", call: Call) -> None:
    """An inbound attempt has ended for us: the second witness is to tell of it too."""
    assert call.client is not None
    leg = call.client
    _put(engine.ended_legs, leg, call.witnessed)
    if call.witnessed:
        return
    books = engine.reconciliation
    _put(books.unwitnessed, leg, Unwitnessed(call.id, engine.now))
    if books.heard:
        _watch(engine)
        return
    for old, ended in list(islice(books.unwitnessed.items(), 2)):
        # Perhaps there is no witness at all: nothing is kept for it longer than needed.
        if ended.ended_at + UNSEEN_MS < engine.now:
            del books.unwitnessed[old]


def _put(legs: dict[LegId, _T], leg: LegId, what: _T) -> None:
    """Put it last, and drop the oldest when there are too many."""
    legs[leg] = what
    while len(legs) > ENDED_LEGS_MAX:
        del legs[next(iter(legs))]


def _watch(engine: "Engine") -> None:
    """One timer, for the oldest: those behind it are looked at when it has its answer."""
    unwitnessed = engine.reconciliation.unwitnessed
    if unwitnessed and not engine.timers.has(TimerKind.UNSEEN, ""):
        oldest = next(iter(unwitnessed.values()))
        engine.timers.set(TimerKind.UNSEEN, "", oldest.ended_at + UNSEEN_MS)


def unseen(engine: "Engine") -> None:
    """The time is over in which the oldest ends should have been told."""
    if engine.overslept:
        engine.timers.set(TimerKind.UNSEEN, "", engine.turn_at + UNSEEN_MS)
        return
    unwitnessed = engine.reconciliation.unwitnessed
    while unwitnessed:
        leg, oldest = next(iter(unwitnessed.items()))
        if oldest.ended_at + UNSEEN_MS > engine.now:
            break
        del unwitnessed[leg]
        _differ(engine, leg, Differing(oldest.call, Difference.UNSEEN))
    _watch(engine)


def will_tell_no_more(engine: "Engine") -> None:
    """The switch died: of what ended just before, the last rows may have died with it; and whom
    we had let go it may have held to the last.
    """
    books = engine.reconciliation
    held = [leg for leg in engine.state.ending if leg in books.differing]
    for leg in (*books.unwitnessed, *held):
        _confirm_ended(engine, leg, in_fallback=False)
