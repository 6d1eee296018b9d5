"""The simulated switch itself: virtual time, legs, bridges, prompts. Knows nobody's habits.

`office` (agents' telephones) and `outside` (callers and clients) act through it; `world` is the
front door of all three.
"""

from collections.abc import Callable, Iterable
from heapq import heappop, heappush
from typing import Any, TypeAlias

from perezvon.core.commands import (
    ConnectCall,
    HangUp,
    PlayPrompt,
    PromptKind,
    StartMusic,
    StopRinging,
    Supervise,
)
from perezvon.core.events import (
    EndCause,
    Event,
    LegEnded,
    LegSeen,
    LegState,
    PromptEnded,
)
from perezvon.core.ids import Duration, Instant, LegId
from perezvon.sim.draws import Draws
from perezvon.sim.legs import Leg, Side, Truth

ALONE_MS: Duration = 20_000
"""Who hears nobody at the other end hangs up..."""
HOLDS_ON_MS: Duration = 90_000
"""Who put somebody on hold himself is more patient..."""
FORGETS_MS: Duration = 600_000
"""... or leaves the receiver off the hook: then only we can end it."""
FORGETS = 0.2
PROMPT_MS: dict[PromptKind, Duration] = {
    PromptKind.GREETING: 3_000,
    PromptKind.CLOSED: 4_000,
    PromptKind.PROMISE: 4_000,
    PromptKind.PRESS_ONE: 2_000,
    PromptKind.BRIEFING: 5_000,
}
CANNOT_PLAY_MS: Duration = 10

Action: TypeAlias = Callable[..., None]
TalkBegan: TypeAlias = Callable[[Leg, Leg], None]


class Switchboard:
    """`out` holds the events since they were last taken, oldest first."""

    def __init__(self, start_at: Instant, draws: Draws) -> None:
        self.now = start_at
        self._draws = draws
        self.start_at = start_at
        self.out: list[Event] = []
        self.legs: dict[LegId, Leg] = {}
        """Those that exist now, in order of making."""
        self.truth = Truth()
        self.on_gone: dict[Side, Callable[[Leg, Leg | None], None]] = {}
        """Called with a leg that ended and the one it talked with."""
        self.on_talk: TalkBegan = _nobody_cares
        self.dead = False
        """The switch has died and is not started again: nobody gets through, nothing works."""
        self._unmade_to_end: set[LegId] = set()
        self._heap: list[tuple[Instant, int, Action, tuple[Any, ...]]] = []
        self._count = 0

    def next_at(self) -> Instant | None:
        return self._heap[0][0] if self._heap else None

    def step(self, until: Instant) -> None:
        """Do what is due until `until`, or until there is an event in `out`."""
        heap = self._heap
        while heap and heap[0][0] <= until:
            due_at, _, action, args = heappop(heap)
            self.now = max(self.now, due_at)
            action(*args)
            if self.out:
                return
        self.now = max(self.now, until)

    def after(self, delay_ms: Duration, action: Action, *args: object) -> None:
        self._count += 1
        heappush(self._heap, (self.now + delay_ms, self._count, action, args))

    def later(self, delay_ms: Duration, event: Event) -> None:
        self.after(delay_ms, self._say, event)

    def _say(self, event: Event) -> None:
        # Looked up when it is said: who takes the events may put a new list in place.
        self.out.append(event)

    # -- legs

    def make(self, leg: Leg) -> None:
        if leg.id in self._unmade_to_end:
            leg.asked_to_end_at = self.now
        self.legs[leg.id] = leg

    def end(self, leg: Leg, cause: EndCause) -> None:
        """The leg is gone; the engine hears of it unless the fallback queue had it."""
        if leg.gone_at is not None:
            return
        leg.gone_at = self.now
        self.legs.pop(leg.id, None)
        other = self._part(leg)
        if not leg.in_fallback:
            self.out.append(LegEnded(leg.id, cause))
        self.on_gone[leg.side](leg, other)
        if other is not None:
            self.after(self.hangs_on(other, ALONE_MS), self._left_alone, other)

    def lose_all(self) -> None:
        """The switch dies with every leg. No end of any is told; the people notice."""
        self.dead = True
        legs = list(self.legs.values())
        self.legs.clear()
        for leg in legs:
            leg.gone_at = self.now
            self._part(leg)
        for leg in legs:
            self.on_gone[leg.side](leg, None)

    def hangs_on(self, leg: Leg, usual_ms: Duration) -> Duration:
        """How long somebody stays on a line that is silent."""
        return FORGETS_MS if self._draws.one("forgets", leg.id) < FORGETS else usual_ms

    def refuse(self, leg: LegId, cause: EndCause, delay_ms: Duration) -> None:
        """A leg that cannot be made: nothing but its end is heard."""
        self.later(delay_ms, LegEnded(leg, cause))

    def seen(self, in_flight: Iterable[LegId] = ()) -> tuple[LegSeen, ...]:
        """What an audit finds: every leg of ours, and those just being made."""
        found = [
            LegSeen(
                leg.id,
                _state(leg),
                leg.bridged.id if leg.bridged else None,
                leg.attempt.arrived if leg.side is Side.CALLER and leg.attempt else None,
            )
            for leg in self.legs.values()
            if not leg.in_fallback
        ]
        found += [LegSeen(leg, LegState.DOWN) for leg in in_flight if leg not in self.legs]
        return tuple(found)

    # -- commands that concern any leg

    def play_prompt(self, command: PlayPrompt) -> Leg | None:
        leg = self.legs.get(command.leg)
        ended = PromptEnded(command.leg, command.playback)
        if leg is None or leg.in_fallback:
            self.later(CANNOT_PLAY_MS, ended)
            return None
        self.later(PROMPT_MS[command.prompt.kind], ended)
        return leg

    def hang_up(self, command: HangUp | StopRinging) -> None:
        leg = self.legs.get(command.leg)
        if leg is None or leg.in_fallback:
            return
        # Also of two who answer the one who is sent away: his leg was up.
        self.end(leg, EndCause.CANCELLED if leg.up_at is None else EndCause.NORMAL)

    def start_music(self, command: StartMusic) -> None:
        """Alone: whoever he talked with hears him no more, and waits for what comes."""
        leg = self.legs.get(command.leg)
        if leg is None or leg.in_fallback:
            return
        other = self._part(leg)
        if other is not None:
            self.after(self.hangs_on(other, HOLDS_ON_MS), self._left_alone, other)

    def connect_call(self, command: ConnectCall) -> None:
        client, agent = self.legs.get(command.client), self.legs.get(command.agent)
        for leg, leg_id in ((client, command.client), (agent, command.agent)):
            if leg is None or leg.in_fallback:
                self.out.append(LegEnded(leg_id, EndCause.LOST))
        if client is None or agent is None or client.in_fallback:
            return
        if client.bridged is agent:
            return
        self._note_wrong_bridge(client, agent)
        for leg in (client, agent):
            self._part(leg)
            leg.up_at = leg.up_at or self.now
            leg.bridged_at = self.now
            leg.held = False
        client.bridged, agent.bridged = agent, client
        self.on_talk(client, agent)

    def supervise(self, command: Supervise) -> None:
        """He hears the talk; who hears him makes no difference to how it goes."""
        leg, agent = self.legs.get(command.leg), self.legs.get(command.agent)
        if leg is None or leg.up_at is None:
            return
        if leg.bridged is not None:
            self.wrong(f"a supervisor who talks himself: {leg.id}")
        leg.hears = None if agent is None else agent.id

    def intend(self, command: object) -> None:
        """The engine decided this, whatever becomes of the command itself."""
        if isinstance(command, StopRinging | HangUp):
            leg = self.legs.get(command.leg)
            if leg is not None:
                leg.asked_to_end_at = leg.asked_to_end_at or self.now
                other = leg.bridged
                if other is not None and self.truth.keep and _is_a_cut(leg, other):
                    self.truth.cut_off.append((self.now, leg, other))
            else:
                # The command that makes it may still be under way.
                self._unmade_to_end.add(command.leg)
        elif isinstance(command, StartMusic) and command.leg in self.legs:
            self.legs[command.leg].held = True

    def unheard(self, command: object) -> None:
        """The command was lost: the time in which it should work counts from now."""
        if isinstance(command, StopRinging | HangUp):
            leg = self.legs.get(command.leg)
            if leg is not None:
                leg.asked_to_end_at = self.now

    def wrong(self, what: str) -> None:
        self.truth.wrongs.append(f"{self.now}: {what}")

    def _note_wrong_bridge(self, client: Leg, agent: Leg) -> None:
        if _keeps(client):
            assert client.bridged is not None
            self.wrong(f"two agents to one caller: {client.id} {client.bridged.id} {agent.id}")
        if _keeps(agent):
            self.wrong(f"an agent with two callers: {agent.id}")

    def _part(self, leg: Leg) -> Leg | None:
        other = leg.bridged
        if other is None:
            return None
        self._note_talk(leg, other)
        leg.bridged = other.bridged = None
        return other

    def _note_talk(self, *both: Leg) -> None:
        truth = self.truth
        talk_ms = self.now - (both[0].bridged_at or self.now)
        truth.talk_ms += talk_ms
        for client in both:
            if client.side is Side.CALLER and client.attempt is not None:
                client.attempt.talked_ms = max(client.attempt.talked_ms, talk_ms)
            elif client.side is Side.CLIENT:
                truth.recovered[client.who] = max(truth.recovered.get(client.who, 0), talk_ms)

    def _left_alone(self, leg: Leg) -> None:
        if leg.live and leg.bridged is None:
            self.end(leg, EndCause.NORMAL)


def _is_a_cut(leg: Leg, other: Leg) -> bool:
    """Not when the client hears music by now, when two agents had talked about him, or when
    nobody listens at this leg any more.
    """
    return not (leg.deaf or other.held or leg.side is other.side is Side.AGENT)


def _keeps(leg: Leg) -> bool:
    """Whether somebody is with him whom the engine has not sent away."""
    other = leg.bridged
    if other is None or not other.live or other.asked_to_end:
        return False
    return not (leg.held or other.held)


def _state(leg: Leg) -> LegState:
    if leg.up_at is not None:
        return LegState.UP
    ringing = leg.rang_at is not None or leg.side is Side.CALLER
    return LegState.RINGING if ringing else LegState.DOWN


def _nobody_cares(_: Leg, __: Leg) -> None:
    """Before the world is put together."""
