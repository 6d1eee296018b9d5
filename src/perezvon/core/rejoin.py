"""Rejoining: an agent whose softphone was lost in mid-talk (a page loaded anew) talks on.

The talk lives in the switch. He asks for it with his new telephone, which is rung and answers by
itself; its leg takes the place of the old one. Should the old leg be found dead first, the client
hears music for a while; then it is as with any telephone that died: he is owed, and waits.
"""

from typing import TYPE_CHECKING

from perezvon.core.call import Call, CallState
from perezvon.core.commands import ConnectCall, HangUp, RingAgent, StartMusic, StopRinging
from perezvon.core.events import EndCause
from perezvon.core.facts import (
    Status,
)
from perezvon.core.ids import SECOND, AgentId, Duration
from perezvon.core.plan import DeviceKind
from perezvon.core.talk_facts import (
    AgentLost,
    AgentRejoined,
)
from perezvon.core.timers import TimerKind

if TYPE_CHECKING:
    from perezvon.core.engine import Engine

RING_MS: Duration = 10 * SECOND
GRACE_MS: Duration = 15 * SECOND
"""How long the client hears music for an agent who may come back."""


class Rejoins:
    """The room of the engine where lost agents come back to their talks."""

    def __init__(self, engine: "Engine") -> None:
        self._engine = engine

    def asked(self, agent_id: AgentId) -> None:
        engine = self._engine
        agent = engine.agents.get(agent_id)
        if agent is None or agent.status is not Status.TALKING or agent.call is None:
            return
        call = engine.calls[agent.call]
        there = call.state in (CallState.TALKING, CallState.REJOINING)
        if not there or call.won is None or call.won.agent != agent_id:
            return
        # Who comes back to a talk has had one.
        engine.talks.prove(call)
        self._let_go(call)
        leg = call.rejoin = engine.offers.next_leg(call)
        # The one that he has chosen by now: his desk may have lost its page for good.
        call.rejoin_device = agent.device
        engine.legs[leg] = call.id
        engine.timers.set(TimerKind.REJOIN_RINGS, call.id, engine.now + RING_MS)
        bound_ms = RING_MS + 5 * SECOND
        engine.do(
            RingAgent(
                leg,
                call.id,
                agent_id,
                call.client,
                call.person,
                bound_ms,
                auto=True,
                device=agent.device,
            )
        )

    def may_come_back(self, call: Call, cause: EndCause) -> bool:
        """Whether the talk goes on without its agent: his page is on its way, or may be.

        A leg that he hung up is over, in a browser too; only silence is no word of his.
        """
        assert call.won is not None
        if call.rejoin is not None:
            return True
        kind = self._engine.devices_room.kind(call.won.agent, call.won.device)
        return cause is EndCause.WENT_SILENT and kind is DeviceKind.WEBRTC

    def wait_for(self, call: Call) -> None:
        engine = self._engine
        assert call.client is not None
        assert call.won is not None
        call.state = CallState.REJOINING
        engine.timers.set(TimerKind.REJOIN_ENDS, call.id, engine.now + GRACE_MS)
        engine.do(StartMusic(call.client, engine.policy(call).music))
        engine.note(AgentLost(engine.now, call.id, call.won.agent))

    def answered(self, call: Call) -> None:
        """His new leg takes the place of the old one."""
        engine = self._engine
        leg, call.rejoin = call.rejoin, None
        assert leg is not None
        assert call.client is not None
        assert call.won is not None
        engine.timers.cancel(TimerKind.REJOIN_RINGS, call.id)
        engine.timers.cancel(TimerKind.REJOIN_ENDS, call.id)
        if engine.legs.pop(call.won.leg, None) is not None:
            engine.let_go(call.won.leg, HangUp(call.won.leg))
        call.won.leg, call.won.device = leg, call.rejoin_device
        call.state = CallState.TALKING
        engine.do(ConnectCall(call.id, call.client, leg))
        engine.note(AgentRejoined(engine.now, call.id, call.won.agent, leg))

    def leg_ended(self, call: Call) -> None:
        """The new leg came to nothing: he may ask again, while the client waits for him."""
        call.rejoin = None
        self._engine.timers.cancel(TimerKind.REJOIN_RINGS, call.id)

    def rings_no_longer(self, call: Call) -> None:
        self._let_go(call)

    def not_back(self, call: Call) -> None:
        """He has not come back in time."""
        if call.state is CallState.REJOINING:
            self._let_go(call)
            self._engine.talks.telephone_died(call)

    def drop(self, call: Call) -> None:
        self._engine.timers.cancel(TimerKind.REJOIN_ENDS, call.id)
        self._let_go(call)

    def _let_go(self, call: Call) -> None:
        engine = self._engine
        leg, call.rejoin = call.rejoin, None
        engine.timers.cancel(TimerKind.REJOIN_RINGS, call.id)
        if leg is not None and engine.legs.pop(leg, None) is not None:
            engine.let_go(leg, StopRinging(leg))
