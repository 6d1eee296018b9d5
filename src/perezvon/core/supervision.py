"""Supervision: somebody listens to a talk, whispers to its agent, or speaks to both.

The supervisor is an agent with a telephone of ours; it rings for him and answers by itself. His
leg is no part of the call: whatever becomes of it, the talk goes on. He follows the call, from one
agent to the next, until it has none, he hangs up, or is told to stop; meanwhile nobody rings him.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.call import Call, CallState
from perezvon.core.commands import (
    HangUp,
    RingAgent,
    StopRinging,
    Supervise,
    SupervisionMode,
)
from perezvon.core.events import EndCause, LegSeen, LegState, SuperviseAsked, SuperviseEndAsked
from perezvon.core.facts import Status
from perezvon.core.ids import SECOND, AgentId, CallId, Duration, Instant, LegId
from perezvon.core.plan import DeviceKind
from perezvon.core.talk_facts import (
    SupervisionChanged,
    SupervisionEnded,
    SupervisionEndReason,
    SupervisionStarted,
)
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

RING_MS: Duration = 20 * SECOND
"""His telephone may have to be picked up by hand."""

SUPERVISORS_MAX = 3
"""Of one call."""

WITH_AGENT = frozenset({CallState.TALKING, CallState.CONSULTING})
BUSY = frozenset({Status.RINGING, Status.TALKING})


@dataclass(slots=True)
class Supervision:
    supervisor: AgentId
    call: CallId
    leg: LegId
    """The supervisor's."""
    agent: AgentId
    """With whom the client talks now."""
    agent_leg: LegId
    mode: SupervisionMode
    by: str
    asked_at: Instant
    answered_at: Instant | None = None
    count: int = 0
    """How often what he hears was set up: at the start, and with each change."""


class Supervisions:
    """The room of the engine where talks are supervised."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine
        self._known = engine.state.supervisions

    # What a person asks.

    def take(self, event: SuperviseAsked | SuperviseEndAsked) -> None:
        if isinstance(event, SuperviseAsked):
            self._asked(event)
        elif event.supervisor in self._known:
            self._end(self._known[event.supervisor], SupervisionEndReason.ASKED)

    def _asked(self, event: SuperviseAsked) -> None:
        engine = self._engine
        call, supervisor = engine.calls.get(event.call), engine.agents.get(event.supervisor)
        known = self._known.get(event.supervisor)
        if known is not None:
            if known.call == event.call and known.mode is not event.mode:
                known.mode, known.by = event.mode, event.by
                self._changed(known)
            return
        if supervisor is None or call is None or not self._may(supervisor, call):
            return
        assert call.won is not None
        call.supervised_count += 1
        one = self._known[supervisor.id] = Supervision(
            supervisor.id,
            call.id,
            LegId(f"{call.id}/s{call.supervised_count}"),
            call.won.agent,
            call.won.leg,
            event.mode,
            event.by,
            engine.now,
        )
        supervisor.supervises = call.id
        engine.pools.refresh(supervisor)
        engine.timers.set(TimerKind.SUPERVISOR_RINGS, supervisor.id, engine.now + RING_MS)
        engine.note(
            SupervisionStarted(engine.now, call.id, supervisor.id, one.agent, one.mode, one.by)
        )
        engine.do(
            RingAgent(
                one.leg,
                call.id,
                supervisor.id,
                None,
                call.person,
                RING_MS + 5 * SECOND,
                auto=True,
                device=supervisor.device,
            )
        )

    def _may(self, supervisor: AgentState, call: Call) -> bool:
        engine = self._engine
        kind = engine.devices_room.kind(supervisor.id, supervisor.device)
        return (
            call.state in WITH_AGENT
            and call.won is not None
            and supervisor.status not in BUSY
            # A mobile's voicemail would listen to the client.
            and kind not in (None, DeviceKind.MOBILE)
            and sum(one.call == call.id for one in self._known.values()) < SUPERVISORS_MAX
        )

    def __iter__(self) -> Iterator[Supervision]:
        return iter(self._known.values())

    def of(self, supervisor: AgentId) -> Supervision | None:
        return self._known.get(supervisor)

    # What becomes of his leg.

    def legs(self) -> tuple[LegId, ...]:
        return tuple(one.leg for one in self._known.values())

    def _by_leg(self, leg: LegId) -> Supervision | None:
        return next((one for one in self._known.values() if one.leg == leg), None)

    def knows(self, leg: LegId) -> bool:
        return self._by_leg(leg) is not None

    def answered(self, leg: LegId) -> bool:
        """Whether it is one of his legs."""
        one = self._by_leg(leg)
        if one is not None and one.answered_at is None:
            engine = self._engine
            one.answered_at = engine.now
            engine.timers.cancel(TimerKind.SUPERVISOR_RINGS, one.supervisor)
            one.count = 1
            self._listen(one)
        return one is not None

    def leg_ended(self, leg: LegId, cause: EndCause) -> None:
        one = self._by_leg(leg)
        if one is not None:
            lost = cause in (EndCause.LOST, EndCause.NEVER_MADE, EndCause.WENT_SILENT)
            hung_up = SupervisionEndReason.HUNG_UP
            reason = SupervisionEndReason.LOST if lost else hung_up
            if one.answered_at is None and not lost:
                reason = SupervisionEndReason.UNANSWERED
            self._end(one, reason, gone=True)

    def rings_no_longer(self, supervisor: AgentId) -> None:
        one = self._known.get(supervisor)
        if one is not None:
            self._end(one, SupervisionEndReason.UNANSWERED)

    def seen(self, seen: LegSeen) -> bool:
        """An audit found this leg; whether it is one of theirs."""
        one = self._by_leg(seen.leg)
        if one is None:
            return False
        if seen.state is LegState.DOWN:
            # Made and never dialled: whoever was to dial it is gone.
            self._end(one, SupervisionEndReason.LOST)
        elif seen.state is LegState.UP and one.answered_at is None:
            self.answered(seen.leg)
        elif seen.state is LegState.UP:
            # What carries the sound to him may be gone.
            self._listen(one)
        return True

    # The call goes on.

    def follow(self) -> None:
        """At the end of each turn: whose call has another agent now, or none."""
        for one in list(self._known.values()):
            call = self._engine.calls.get(one.call)
            if call is None or call.won is None or one.supervisor not in self._engine.agents:
                self._end(one, SupervisionEndReason.TALK_OVER)
            elif call.state is CallState.REJOINING:
                # His agent's telephone is lost, and comes back, or he does not.
                pass
            elif call.state not in WITH_AGENT:
                self._end(one, SupervisionEndReason.TALK_OVER)
            elif call.won.leg != one.agent_leg:
                one.agent, one.agent_leg = call.won.agent, call.won.leg
                self._changed(one)

    def _changed(self, one: Supervision) -> None:
        engine = self._engine
        engine.note(
            SupervisionChanged(engine.now, one.call, one.supervisor, one.agent, one.mode, one.by)
        )
        if one.answered_at is not None:
            one.count += 1
            self._listen(one)

    def _listen(self, one: Supervision) -> None:
        self._engine.do(Supervise(one.leg, one.call, one.agent_leg, one.mode, one.count))

    def _end(self, one: Supervision, reason: SupervisionEndReason, *, gone: bool = False) -> None:
        engine = self._engine
        del self._known[one.supervisor]
        engine.timers.cancel(TimerKind.SUPERVISOR_RINGS, one.supervisor)
        if not gone:
            up = one.answered_at is not None
            engine.let_go(one.leg, HangUp(one.leg) if up else StopRinging(one.leg))
        listened_ms = 0 if one.answered_at is None else max(0, engine.now - one.answered_at)
        engine.note(SupervisionEnded(engine.now, one.call, one.supervisor, listened_ms, reason))
        agent = engine.agents.get(one.supervisor)
        if agent is not None:
            agent.supervises = None
            engine.pools.refresh(agent)
            if agent.free:
                engine.came_free(agent)
