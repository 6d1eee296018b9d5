"""What must never happen, as assertions over the engine's state at rest (between two turns).

`check` is complete and linear: tests call it after each step. `check_lightly` costs the same
whatever the crowd: it runs in production after each turn, and a failure stops admission (the
guard takes callers over) instead of guessing.
"""

from collections import Counter

from perezvon.core.call import Call, CallState
from perezvon.core.engine import Engine
from perezvon.core.events import ChosenStatus
from perezvon.core.facts import Status
from perezvon.core.ids import AgentId
from perezvon.core.timers import TimerKind


def check_lightly(engine: Engine) -> None:
    ledger = engine.ledger
    assert ledger.balanced, ledger
    assert ledger.debts_open == len(engine.debts) == len(engine.debt_of), ledger
    assert ledger.in_progress <= len(engine.calls), ledger
    assert engine.reconciliation.balanced, engine.reconciliation


def check(engine: Engine) -> None:
    check_lightly(engine)
    _check_ledger(engine)
    _check_agents(engine)
    _check_calls(engine)
    _check_debts(engine)
    _check_supervisions(engine)
    _check_reconciliation(engine)
    _check_nobody_waits_beside_a_free_agent(engine)


def _check_ledger(engine: Engine) -> None:
    in_progress = sum(1 for call in engine.calls.values() if call.inbound and not call.settled)
    assert engine.ledger.in_progress == in_progress, (engine.ledger, in_progress)
    owed = sum(debt.call_count for debt in engine.debts.values())
    assert engine.ledger.open == owed, (engine.ledger, owed)


def _check_agents(engine: Engine) -> None:
    """One agent, one call; every status that nobody chose has a way out."""
    busy: Counter[AgentId] = Counter()
    for call in engine.calls.values():
        busy.update(offer.agent for offer in call.offers.values())
        if call.won is not None:
            busy[call.won.agent] += 1
        if call.transfer is not None and call.transfer.taken is not None:
            busy[call.transfer.taken.agent] += 1
    for agent in engine.agents.values():
        count = busy[agent.id]
        match agent.status:
            case Status.RINGING:
                assert count == 1, (agent, "rings for nobody, or for two")
                assert agent.offer is not None, agent
                assert engine.timers.has(TimerKind.OFFER_ENDS, agent.offer) or engine.timers.has(
                    TimerKind.PRESS_ONE, agent.offer
                ), (agent, "rings for ever")
            case Status.TALKING:
                assert count == 1, (agent, "talks with nobody, or with two")
            case Status.WRAP_UP:
                assert count == 0, (agent, "has a call in wrap-up")
                assert engine.timers.has(TimerKind.WRAP_UP_ENDS, agent.id), (agent, "for ever")
            case _:
                assert count == 0, (agent, "has a call and should not")
        if agent.status not in (Status.TALKING, Status.WRAP_UP, Status.RINGING):
            assert agent.wanted in (None, ChosenStatus.AVAILABLE), (agent, "a wish not taken")


def _check_calls(engine: Engine) -> None:
    live: Counter[str] = Counter()
    for call in engine.calls.values():
        if call.client is not None and call.state is not CallState.FELL_BACK:
            assert engine.legs.get(call.client) == call.id, (call, "its leg is unknown")
        for leg in call.offers:
            assert engine.legs.get(leg) == call.id, (call, leg)
        if call.debt is None and call.person is not None:
            live[call.person] += 1
        if call.transfer is not None and call.transfer.outside is not None:
            assert call.transfer.to_person is not None, call
            live[call.transfer.to_person] += 1
        _check_way_out(engine, call)
    assert dict(live) == engine.live_count, (live, engine.live_count)
    for leg, call_id in engine.legs.items():
        assert call_id in engine.calls, (leg, "belongs to a call that is over")


def _check_way_out(engine: Engine, call: Call) -> None:
    """No state without an exit timer, or a leg whose end ends it."""
    timers = engine.timers
    match call.state:
        case CallState.GREETING | CallState.CLOSING | CallState.BRIEFING:
            assert timers.has(TimerKind.PROMPT_ENDS, call.id), (call, "prompt for ever")
        case CallState.FELL_BACK:
            assert timers.has(TimerKind.WITNESS, call.id), (call, "out of sight for ever")
        case CallState.RINGING_AGENT:
            assert len(call.offers) == 1, (call, "rings nobody")
        case CallState.DIALLING:
            assert timers.has(TimerKind.CLIENT_RINGS, call.id), (call, "dials for ever")
        case CallState.TALKING:
            assert call.won is not None, call
            assert call.proved or timers.has(TimerKind.TALK_PROVED, call.id), call
        case CallState.TRANSFERRING | CallState.CONSULTING | CallState.OUTSIDE:
            _check_transfer(engine, call)
        case CallState.REJOINING:
            assert timers.has(TimerKind.REJOIN_ENDS, call.id), (call, "waits for ever")
        case CallState.WAITING:
            queue = engine.policy(call)
            bounded = queue.wait_ms_max is None or timers.has(TimerKind.WAIT_ENDS, call.id)
            assert bounded, (call, "waits for ever")


def _check_transfer(engine: Engine, call: Call) -> None:
    """Somebody is with the client, is asked about him, or is rung for so long."""
    transfer = call.transfer
    assert transfer is not None, (call, "is handed over to nobody")
    assert (call.state is CallState.CONSULTING) == (call.won is not None), call
    rung = bool(call.offers) or engine.timers.has(TimerKind.TRANSFER_RINGS, call.id)
    assert rung != transfer.answered, (call, "hears music for ever")
    assert transfer.outside is None or engine.legs.get(transfer.outside) == call.id, call
    if call.state is CallState.TRANSFERRING:
        assert not transfer.answered, (call, "hears music, though he was taken")


def _check_debts(engine: Engine) -> None:
    """Each debt has an owner, a due time and a next step; one attempt a person at most."""
    attempts = {call.id: call for call in engine.calls.values() if call.debt is not None}
    for debt in engine.debts.values():
        assert engine.debt_of[debt.person] == debt.id, debt
        assert debt.owner is not None or not engine.plan.agents, (debt, "nobody owns it")
        assert debt.overdue or engine.timers.has(TimerKind.DEBT_DEADLINE, debt.id), debt
        if debt.attempt is not None:
            assert debt.attempt in attempts, (debt, "its attempt is gone")
        else:
            tried = engine.timers.has(TimerKind.DEBT_TRY, debt.id)
            assert debt.due or debt.next_at is None or tried, (debt, "never tried again")
    for call_id, debt in engine.recovered.items():
        assert engine.calls[call_id].debt == debt.id, (debt, "recovered by another's talk")
        assert debt.id not in engine.debts, (debt, "recovered and owed")


def _check_supervisions(engine: Engine) -> None:
    """Whoever supervises hears an agent who talks, and has no call of his own."""
    for supervisor, one in engine.state.supervisions.items():
        agent, call = engine.agents[supervisor], engine.calls[one.call]
        assert agent.supervises == one.call, (agent, one)
        assert agent.status not in (Status.RINGING, Status.TALKING), (agent, one)
        assert one.leg not in engine.legs, (one, "is a leg of the call")
        assert call.won is not None, (call, one)
        assert one.answered_at is not None or engine.timers.has(
            TimerKind.SUPERVISOR_RINGS, supervisor
        ), (one, "rings for ever")
    for agent in engine.agents.values():
        assert agent.supervises is None or agent.id in engine.state.supervisions, agent


def _check_reconciliation(engine: Engine) -> None:
    """What the second witness has still to tell is waited for, and by nobody for ever."""
    books = engine.reconciliation
    if books.unwitnessed:
        waits = engine.timers.has(TimerKind.UNSEEN, "")
        assert waits or not books.heard, (books, "waits for the witness for ever")
    for leg in books.unwitnessed:
        assert engine.ended_legs.get(leg) is False, (leg, "told, and waited for")


def _check_nobody_waits_beside_a_free_agent(engine: Engine) -> None:
    for call in engine.calls.values():
        if call.state is not CallState.WAITING:
            assert call.line is None, (call, "stands in a line and does not wait")
            continue
        wants = engine.offers.wants_more(call)
        assert (call.line is not None) == wants, (call, "its line is not as it should be")
        assert not wants or not engine.offers.somebody_for(call), (call, "beside a free agent")
