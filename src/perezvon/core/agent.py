"""Agents: their statuses, what may follow what, and how they come free.

One table says which status may follow which; `AgentState.move` applies it. Every status that is
not chosen by a person has an exit: a timer (wrap-up, ringing) or the end of a leg (talking).
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from perezvon.core.calendar import day_of
from perezvon.core.events import AgentStatusSet, ChosenStatus
from perezvon.core.facts import AgentStatusChanged, OfferOutcome, Status
from perezvon.core.ids import AgentId, CallId, Duration, GroupId, Instant, LegId
from perezvon.core.plan import DeviceKind, Plan
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

_S = Status
TRANSITIONS: dict[Status, frozenset[Status]] = {
    _S.SIGNED_OUT: frozenset({_S.AVAILABLE, _S.PAUSED}),
    _S.AVAILABLE: frozenset({_S.RINGING, _S.PAUSED, _S.SIGNED_OUT}),
    _S.RINGING: frozenset({_S.AVAILABLE, _S.TALKING, _S.PAUSED, _S.SIGNED_OUT}),
    _S.TALKING: frozenset({_S.WRAP_UP, _S.AVAILABLE, _S.PAUSED, _S.SIGNED_OUT}),
    _S.WRAP_UP: frozenset({_S.AVAILABLE, _S.PAUSED, _S.SIGNED_OUT}),
    _S.PAUSED: frozenset({_S.AVAILABLE, _S.SIGNED_OUT}),
}

PAUSED_FOR_MISSES = "missed_calls"
"""Reason of the pause that the engine gives who lets calls ring."""


@dataclass(slots=True)
class AgentState:
    id: AgentId
    status: Status = Status.SIGNED_OUT
    since: Instant = 0
    reason: str = ""
    reachable: bool = True
    """His own telephone."""
    idle_since_at: Instant = 0
    """A miss resets it, so that an absent agent does not stay first for ever."""
    last_answered_at: Instant = 0
    seen_at: Instant = 0
    """When he was last surely at his telephone."""
    answered_today: int = 0
    day: str = ""
    missed_in_row: int = 0
    offered_count: int = 0
    missed_count: int = 0
    offer: LegId | None = None
    call: CallId | None = None
    """Whose offer rings, or with whom he talks, or after whom he wraps up."""
    wanted: ChosenStatus | None = None
    """Chosen while he was busy; takes effect when the call is over."""
    wanted_reason: str = ""
    wanted_by: str = ""
    device: DeviceKind | None = None
    """Chosen to ring instead of his own."""
    unreachable: list[DeviceKind] = field(default_factory=list)
    """Of his other devices."""
    supervises: CallId | None = None
    """Whose talk he hears, or is rung to hear; nobody else rings him then."""
    loans: dict[GroupId, Instant] = field(default_factory=dict)
    """Groups that have him besides his own, and until when."""

    @property
    def free(self) -> bool:
        return not self.exclusion()

    @property
    def reachable_now(self) -> bool:
        """The chosen one."""
        return self.reachable if self.device is None else self.device not in self.unreachable

    def know(self, device: DeviceKind | None, *, reachable: bool) -> None:
        if device is None:
            self.reachable = reachable
        elif reachable != (device not in self.unreachable):
            (self.unreachable.remove if reachable else self.unreachable.append)(device)

    def move(self, status: Status) -> None:
        assert status in TRANSITIONS[self.status], (self.id, self.status, status)
        self.status = status

    def exclusion(self) -> str:
        """Why he cannot be rung now, in the words of `OfferMade.excluded`; empty: he can."""
        if self.status is not Status.AVAILABLE:
            return self.status.value
        if self.supervises is not None:
            return "supervising"
        return "" if self.reachable_now else "unreachable"


class Agents:
    """The room of the engine where statuses change."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def take_plan(self, plan: Plan) -> None:
        """Agents new in the plan start signed out; those gone from it leave when not busy."""
        agents = self._engine.agents
        known = {agent.id for agent in plan.agents}
        for agent in plan.agents:
            if agent.id not in agents:
                agents[agent.id] = AgentState(agent.id, since=self._engine.now)
        for state in list(agents.values()):
            if state.id not in known:
                self.set_status(
                    AgentStatusSet(state.id, ChosenStatus.SIGNED_OUT, "left_the_plan", "plan")
                )
                if state.status is Status.SIGNED_OUT:
                    agents.pop(state.id, None)

    def set_status(self, event: AgentStatusSet) -> None:
        agent = self._engine.agents.get(event.agent)
        if agent is None:
            return
        if agent.id not in self._engine.devices and event.status is not ChosenStatus.SIGNED_OUT:
            # He has left the plan: when his talk is over he goes, whatever he wishes.
            return
        if agent.status in (Status.TALKING, Status.RINGING):
            agent.wanted = event.status
            agent.wanted_reason, agent.wanted_by = event.reason, event.by
            if agent.status is Status.RINGING and event.status is not ChosenStatus.AVAILABLE:
                self._engine.offers.withdraw_from(agent, OfferOutcome.RESCINDED)
            return
        # His last word counts: a wish from before, for after the call, is void.
        agent.wanted, agent.wanted_reason, agent.wanted_by = None, "", ""
        self._change(agent, Status(event.status.value), event.reason, event.by)

    def ring(self, agent: AgentState, call: CallId, offer: LegId) -> None:
        agent.move(Status.RINGING)
        agent.since = self._engine.now
        agent.call, agent.offer = call, offer
        agent.offered_count += 1
        self._engine.pools.refresh(agent)

    def leave_for_own(self, agent: AgentState) -> None:
        """He dials somebody himself, maybe out of a pause or his work after a call. What he had
        chosen comes after it.
        """
        wanted, reason, by = agent.wanted, agent.wanted_reason, agent.wanted_by
        if agent.status is Status.PAUSED:
            wanted, reason, by = ChosenStatus.PAUSED, agent.reason, agent.id
        agent.wanted, agent.wanted_reason, agent.wanted_by = None, "", ""
        self._change(agent, Status.AVAILABLE, "", agent.id)
        agent.wanted, agent.wanted_reason, agent.wanted_by = wanted, reason, by

    def talk(self, agent: AgentState, call: CallId) -> None:
        agent.offer = None
        agent.call = call
        agent.missed_in_row = 0
        agent.seen_at = self._engine.now
        self._set(agent, Status.TALKING, "", "", call)

    def count_answer(self, agent: AgentState, answered_at: Instant) -> None:
        today = day_of(answered_at, self._engine.plan.zone)
        if agent.day != today:
            agent.day, agent.answered_today = today, 0
        agent.answered_today += 1
        agent.last_answered_at = answered_at

    def after_offer(
        self, agent: AgentState, outcome: OfferOutcome, pause_after: int | None
    ) -> None:
        """His telephone has stopped ringing and he did not get the call."""
        engine = self._engine
        agent.offer = agent.call = None
        if outcome is OfferOutcome.MISSED:
            agent.missed_in_row += 1
            agent.missed_count += 1
            agent.idle_since_at = engine.now
            if pause_after is not None and agent.missed_in_row >= pause_after:
                agent.missed_in_row = 0
                agent.wanted = agent.wanted or ChosenStatus.PAUSED
                agent.wanted_reason = agent.wanted_reason or PAUSED_FOR_MISSES
                agent.wanted_by = agent.wanted_by or "system"
        elif outcome is OfferOutcome.REFUSED:
            agent.seen_at = engine.now
            agent.missed_in_row = 0
        if agent.wanted is not None:
            self._take_wanted(agent)
            return
        agent.move(Status.AVAILABLE)
        agent.since = engine.now
        engine.pools.refresh(agent)

    def after_call(self, agent: AgentState, wrap_up_ms: Duration) -> None:
        """The talk is over: work after the call, then what he chose, or free again."""
        engine = self._engine
        agent.seen_at = engine.now
        if wrap_up_ms:
            self._set(agent, Status.WRAP_UP, "", "", agent.call)
            engine.timers.set(TimerKind.WRAP_UP_ENDS, agent.id, engine.now + wrap_up_ms)
        else:
            self.wrap_up_ends(agent.id)

    def wrap_up_ends(self, agent_id: AgentId) -> None:
        agent = self._engine.agents.get(agent_id)
        if agent is None:
            return
        agent.call = agent.offer = None
        if agent.wanted is not None:
            self._take_wanted(agent)
        else:
            self._change(agent, Status.AVAILABLE, "", "")

    def _take_wanted(self, agent: AgentState) -> None:
        assert agent.wanted is not None
        status, reason, by = Status(agent.wanted.value), agent.wanted_reason, agent.wanted_by
        agent.wanted, agent.wanted_reason, agent.wanted_by = None, "", ""
        agent.call = agent.offer = None
        self._change(agent, status, reason, by)

    def _change(self, agent: AgentState, status: Status, reason: str, by: str) -> None:
        engine = self._engine
        if agent.status is status:
            agent.reason = reason
            return
        if agent.status is Status.WRAP_UP:
            engine.timers.cancel(TimerKind.WRAP_UP_ENDS, agent.id)
            agent.call = None
        if status is Status.AVAILABLE:
            if agent.status in (Status.PAUSED, Status.SIGNED_OUT):
                agent.missed_in_row = 0
                agent.seen_at = engine.now
            agent.idle_since_at = engine.now
        self._set(agent, status, reason, by, None)
        if agent.free:
            engine.came_free(agent)

    def _set(
        self, agent: AgentState, status: Status, reason: str, by: str, call: CallId | None
    ) -> None:
        engine = self._engine
        if agent.status is status:
            return
        agent.move(status)
        agent.since, agent.reason = engine.now, reason
        engine.note(AgentStatusChanged(engine.now, agent.id, status, reason, by, call))
        engine.pools.refresh(agent)
        if status is Status.SIGNED_OUT and agent.id not in engine.devices:
            # He has left the plan; now he has nothing to do any more either.
            engine.agents.pop(agent.id, None)
