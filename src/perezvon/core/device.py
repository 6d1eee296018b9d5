"""Devices: which of an agent's telephones rings for him, and whether it can be reached.

He has one of his own and may choose another of the plan's instead; offers go to the chosen one
alone. What we hear of the others is kept for when he chooses them.
"""

from typing import TYPE_CHECKING

from perezvon.core.agent import AgentState
from perezvon.core.events import DeviceChanged, DeviceChosen
from perezvon.core.facts import AgentDeviceChosen, AgentReachableChanged, OfferOutcome, Status
from perezvon.core.ids import SECOND, AgentId, Duration
from perezvon.core.plan import DeviceKind
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

REACHABLE_AGAIN_MS: Duration = 30 * SECOND
"""A telephone that gave no sign is tried again after this, should no news of it come."""


class Devices:
    """The room of the engine where telephones are known. A device of None is an agent's own."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def kind(self, agent: AgentId, device: DeviceKind | None) -> DeviceKind | None:
        """What it is. None when the plan does not have him any more."""
        known = self._engine.devices.get(agent)
        return known.device if known is not None and device is None else device

    def take(self, event: DeviceChanged | DeviceChosen) -> None:
        if isinstance(event, DeviceChosen):
            self._choose(event)
        else:
            self._changed(event)

    # Choosing.

    def _choose(self, event: DeviceChosen) -> None:
        agent, known = self._engine.agents.get(event.agent), self._engine.devices.get(event.agent)
        if agent is None or known is None or event.device not in known.devices:
            return
        device = None if event.device is known.device else event.device
        if device != agent.device:
            self._switch(agent, device, event.device, event.by)

    def take_plan(self) -> None:
        """Whoever chose a device that the new plan does not have for him, is at his own again."""
        for agent in list(self._engine.agents.values()):
            known = self._engine.devices.get(agent.id)
            if known is None:
                continue
            chosen = agent.device
            if chosen is known.device:
                # It has become his own: what we know of it is true still.
                agent.reachable, agent.device = agent.reachable_now, None
            elif chosen is not None and chosen not in known.others:
                self._switch(agent, None, known.device, "plan")
            agent.unreachable = [kind for kind in agent.unreachable if kind in known.others]

    def _switch(
        self, agent: AgentState, device: DeviceKind | None, kind: DeviceKind, by: str
    ) -> None:
        """A telephone that rings now stops; the call rings the new one, as any that is free."""
        engine = self._engine
        if engine.timers.has(TimerKind.REACHABLE_AGAIN, agent.id):
            # No news but a guess, and nobody will correct it while the other one is chosen.
            self._mark(agent, reachable=True)
        before = agent.reachable_now
        agent.device = device
        engine.note(AgentDeviceChosen(engine.now, agent.id, kind, by))
        self._tell(agent, before)
        if agent.status is Status.RINGING:
            engine.offers.withdraw_from(agent, OfferOutcome.RESCINDED)

    # Reachability.

    def _changed(self, event: DeviceChanged) -> None:
        agent, known = self._engine.agents.get(event.agent), self._engine.devices.get(event.agent)
        if agent is None:
            return
        own = event.device is None or (known is not None and event.device is known.device)
        if own:
            device = None
        elif known is not None and event.device in known.others:
            device = event.device
        else:
            return
        if device != agent.device:
            agent.know(device, reachable=event.reachable)
            return
        self._mark(agent, reachable=event.reachable)
        if not event.reachable and agent.status is Status.RINGING:
            # The telephone vanished under an offer: others must ring at once.
            self._engine.offers.withdraw_from(agent, OfferOutcome.UNREACHABLE)
        # Now there is news: no trying in the dark until there is other.
        self._engine.timers.cancel(TimerKind.REACHABLE_AGAIN, agent.id)

    def unreachable(self, agent: AgentState, device: DeviceKind | None) -> None:
        """The telephone gave no sign: out of rotation until it does, or for half a minute."""
        if device != agent.device:
            return
        self._mark(agent, reachable=False)
        self._engine.timers.set(
            TimerKind.REACHABLE_AGAIN, agent.id, self._engine.now + REACHABLE_AGAIN_MS
        )

    def reachable_again(self, agent_id: AgentId) -> None:
        agent = self._engine.agents.get(agent_id)
        if agent is not None:
            self._mark(agent, reachable=True)

    def forget_silence(self) -> None:
        """It was the switch that gave no sign: whose telephone was silent is tried again."""
        for agent in list(self._engine.agents.values()):
            if self._engine.timers.has(TimerKind.REACHABLE_AGAIN, agent.id):
                self._mark(agent, reachable=True)

    def _mark(self, agent: AgentState, *, reachable: bool) -> None:
        """Of the chosen one."""
        before = agent.reachable_now
        if before == reachable:
            return
        agent.know(agent.device, reachable=reachable)
        self._engine.timers.cancel(TimerKind.REACHABLE_AGAIN, agent.id)
        self._tell(agent, before)

    def _tell(self, agent: AgentState, before: bool) -> None:  # noqa: FBT001 - a value
        engine = self._engine
        if agent.reachable_now == before:
            return
        engine.note(AgentReachableChanged(engine.now, agent.id, agent.reachable_now))
        engine.pools.refresh(agent)
        if agent.free:
            engine.came_free(agent)
