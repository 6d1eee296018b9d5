"""The simulated world: callers, clients, telephones, a carrier and a switch, in virtual time.

Promises: it plays the same story for the same scenario and seed whatever the engine decides
(common random numbers); it takes commands and gives events as the real switch does; it never
looks into the engine. Who drives it calls `next_at` and `step`, and takes the events from `out`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from perezvon.core.commands import (
    AnswerCall,
    Command,
    ConnectCall,
    DialClient,
    HangUp,
    PlayPrompt,
    RingAgent,
    SignalRinging,
    StartMusic,
    StopRinging,
    Supervise,
)
from perezvon.core.events import Event, LegSeen, TrunkChanged
from perezvon.core.ids import Instant, LegId, TrunkId
from perezvon.core.plan import Plan
from perezvon.sim.draws import Draws
from perezvon.sim.legs import Attempt, Truth
from perezvon.sim.office import Office
from perezvon.sim.outside import Outside
from perezvon.sim.people import Arrival, Callers
from perezvon.sim.scenario import Scenario
from perezvon.sim.switchboard import Switchboard


class World:
    def __init__(self, scenario: Scenario, plan: Plan, seed: int, start_at: Instant) -> None:
        draws = Draws(seed)
        callers = Callers(scenario, draws)
        self.board = Switchboard(start_at, draws)
        self.office = Office(self.board, scenario, draws)
        self.outside = Outside(self.board, self.office, callers, draws)
        self.callers = callers
        self._arrivals = callers.arrivals()
        self._do: dict[type[Command], Callable[[Any], object]] = {
            AnswerCall: self.outside.answer_call,
            SignalRinging: _heard_only,
            StartMusic: self.outside.put_on_hold,
            PlayPrompt: self.office.hears,
            RingAgent: self.office.ring_agent,
            StopRinging: self.board.hang_up,
            DialClient: self.outside.dial_client,
            ConnectCall: self.board.connect_call,
            Supervise: self.board.supervise,
            HangUp: self.board.hang_up,
        }
        self.learn_plan(plan)
        for trunk in plan.trunks:
            self.board.out.append(TrunkChanged(trunk.id, up=True))
        self.office.open()
        self._expect_next()

    @property
    def now(self) -> Instant:
        return self.board.now

    @property
    def out(self) -> list[Event]:
        return self.board.out

    @property
    def truth(self) -> Truth:
        return self.board.truth

    def next_at(self) -> Instant | None:
        return self.board.next_at()

    def step(self, until: Instant) -> None:
        """Do what is due until `until`, or until there is an event in `out`."""
        self.board.step(until)

    def carry_out(self, command: Command) -> None:
        if self.board.dead:
            self.board.unheard(command)
            return
        self._do[type(command)](command)

    def learn_plan(self, plan: Plan) -> None:
        self.office.learn_plan(plan)
        self.outside.learn_plan(plan)

    def seen(self, in_flight: Iterable[LegId] = ()) -> tuple[LegSeen, ...]:
        return self.board.seen(in_flight)

    def set_trunk(self, trunk: TrunkId, *, up: bool) -> None:
        if up:
            self.outside.trunks_down.discard(trunk)
        else:
            self.outside.trunks_down.add(trunk)
        self.out.append(TrunkChanged(trunk, up))

    def switch_dies(self) -> list[Attempt]:
        """Every leg is gone at once. Gives the inbound attempts whose ends are written nowhere."""
        return self.outside.switch_dies()

    def switch_starts(self) -> None:
        self.board.dead = False

    def attempt_of(self, leg_id: LegId) -> Attempt | None:
        """The inbound attempt that a leg belongs to, or was to serve."""
        attempt = self.truth.attempts.get(leg_id)
        if attempt is None:
            leg = self.truth.agent_rings.get(leg_id)
            attempt = leg.attempt if leg else None
        return attempt

    def _expect_next(self) -> None:
        """One arrival at a time: a day may hold a million."""
        arrival = next(self._arrivals, None)
        if arrival is not None:
            delay = max(0, arrival.at_ms + self.board.start_at - self.now)
            self.board.after(delay, self._arrives, arrival)

    def _arrives(self, arrival: Arrival) -> None:
        self._expect_next()
        self.outside.arrives(arrival)


def _heard_only(_: Command) -> None:
    """The caller hears it; nothing comes of it."""
