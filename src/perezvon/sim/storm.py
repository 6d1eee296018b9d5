"""A run under faults: the world, a bad line, an engine that crashes, a clock that jumps.

`run_until` is the safety phase, `heal` ends all faults, `settle` is the liveness phase. The same
arguments give the same run, in any process.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from random import Random

from perezvon.core.commands import Command, ConnectCall, DialClient, RingAgent
from perezvon.core.events import (
    ArrivalWitnessed,
    CallFellBack,
    EndCause,
    Event,
    LegEnded,
    LegSeen,
    PlanChanged,
    Resynced,
    TimePassed,
)
from perezvon.core.ids import MINUTE, SECOND, Duration, Instant, LegId
from perezvon.core.plan import Plan
from perezvon.sim.faults import CERTAIN, NONE, Faults, Line
from perezvon.sim.host import Check, Host
from perezvon.sim.outside import row_of
from perezvon.sim.scenario import Scenario
from perezvon.sim.world import World

CAUSE_KNOWN = 0.7
"""How often the second witness knows why a leg ended that nobody heard of."""
STEPS_MAX = 3_000_000
SAME_MS_TURNS_MAX = 20_000
"""A run that takes more turns in one millisecond than this has lost its way."""

Actor = Callable[["Storm"], None]
"""Something that happens at a moment: a fault, or a person's act."""


@dataclass(slots=True)
class Counts:
    """Faults that really happened in a run."""

    events: int = 0
    commands: int = 0
    crashes: int = 0
    torn: int = 0
    phones: int = 0
    trunks: int = 0
    jumps: int = 0
    audits: int = 0
    deaths: int = 0
    """Of the switch."""
    rows: int = 0
    """Of the second witness, lost."""

    @property
    def any(self) -> bool:
        """Whether what the engine measured may differ from the truth."""
        return bool(self.events or self.commands or self.crashes or self.jumps or self.deaths)


class Storm:
    def __init__(
        self, scenario: Scenario, plan: Plan, seed: int, faults: Faults, *, check: Check
    ) -> None:
        self.world = World(scenario, plan, seed, scenario.start)
        self.host = Host(plan, f"{plan.tenant}-sim", check)
        self.rng = Random(f"storm {seed}")
        self.faults = faults
        self.line = Line(faults, Random(f"line {seed}"))
        self.counts = Counts()
        self.plan = plan
        self.after_turn: Callable[[Storm], None] | None = None
        self.up = True
        self.lost_at: Instant = 0
        """When a command was lost last."""
        self.jumped_ms: Duration = 0
        """By how much lengths measured by the clock may be wrong at most."""
        self._skew: Duration = 0
        self._acts: list[tuple[Instant, int, Actor]] = []
        self._acts_count = 0
        self._late: deque[tuple[Instant, Command]] = deque()
        self._missed: list[Event] = []
        self._unknown_rows = 0
        self.linked = True
        """Whether engine and switch hear each other, when both are there."""
        self.switch_started_at: Instant = self.clock
        self._untold: list[ArrivalWitnessed] = []
        """Attempts that a death of the switch ended: told when the witness has learnt of it."""
        self._never_sent: list[LegId] = []
        self._tears = False
        """The next turn is torn: the crash falls between its journal and its commands."""
        self.world.office.same_ms = faults.same_ms
        self._every(faults.crash_every_ms, Storm._crash_somehow)
        self._every(faults.phone_gone_every_ms, Storm._phone_gone)
        self._every(faults.trunk_down_every_ms, Storm._trunk_down)
        self._every(faults.clock_jump_every_ms, Storm._clock_jump)
        self._every(faults.switch_dies_every_ms, Storm._switch_dies)
        self.at(0, Storm.audit)
        if faults.audit_every_ms:
            self.at(faults.audit_every_ms, Storm._audit_again)

    @property
    def now(self) -> Instant:
        return self.world.now

    @property
    def clock(self) -> Instant:
        """What the engine takes for the time."""
        return self.world.now + self._skew

    def at(self, delay_ms: Duration, act: Actor) -> None:
        self._acts_count += 1
        heappush(self._acts, (self.now + delay_ms, self._acts_count, act))

    def put(self, event: Event) -> None:
        """A person's act, or news of the plan."""
        if isinstance(event, PlanChanged):
            self.plan = event.plan
            self.world.learn_plan(event.plan)
        if self.up:
            self.line.put(event, self.now)
        else:
            self._missed.append(event)

    # -- phases

    def run_until(self, end_at: Instant) -> None:
        same_ms_turns, then = 0, -1
        for _ in range(STEPS_MAX):
            now = self._next_at()
            if now is None or now > end_at:
                self.world.board.now = max(self.now, end_at)
                return
            same_ms_turns = same_ms_turns + 1 if now == then else 0
            then = now
            assert same_ms_turns < SAME_MS_TURNS_MAX, "time stands still"
            self._turn(now)
        raise AssertionError("the run has no end")

    def heal(self) -> None:
        """No fault from now on; what was broken is repaired."""
        self.faults = self.line.faults = NONE
        self.world.office.same_ms = 0.0
        self._acts.clear()
        self._switch_starts()
        self._link()
        self._tell_untold()
        while self._late:
            self.world.carry_out(self._late.popleft()[1])
        for phone in self.world.office.phones.values():
            if not phone.reachable:
                self.world.office.back(phone.agent)
            for device in sorted(phone.gone):
                self.world.office.back(phone.agent, device)
        for trunk in sorted(self.world.outside.trunks_down):
            self.world.set_trunk(trunk, up=True)
        if not self.up:
            self._recover()
        self.audit()

    def settle(self, limit_ms: Duration) -> None:
        """Let everything come to its end, with an audit now and then as in production."""
        for delay in (MINUTE, 5 * MINUTE, limit_ms // 2):
            self.at(delay, Storm.audit)
        self.run_until(self.now + limit_ms)

    # -- the engine

    def crash(self) -> None:
        """The engine's process dies here and now, with all that it had not made durable."""
        if not self.up:
            return
        self.counts.crashes += 1
        self.up = False
        self._late.clear()
        for event in self.line.take_all():
            self._miss(event)
        for attempt in self.world.truth.attempts.values():
            if attempt.ended_at is None:
                attempt.disturbed = True
        self.world.outside.engine_away()
        # The mark of what was carried out may lag behind a few rows.
        self._unknown_rows += self.rng.randint(0, 3)
        self.at(self.rng.randint(200, max(self.faults.down_ms_max, 201)), Storm._recover)

    def audit(self) -> None:
        """What was under way is heard first; then the engine is shown the switch as it is."""
        if not self.up or not self.linked:
            return
        self.counts.audits += 1
        stale = self.rng.random() < self.faults.stale_audit
        legs = self._legs()
        self._hear_all()
        self._drain()
        self._hear_all()
        if self.up:
            self._show((), legs if stale else self._legs())

    def _hear_all(self) -> None:
        for event in self.line.take_all():
            if self.up:
                self._hear(event)
            else:
                self._miss(event)

    def _crash_somehow(self) -> None:
        if self.rng.random() < self.faults.torn:
            self._tears = True
        else:
            self.crash()

    def _recover(self) -> None:
        if self.up:
            return
        if not self.linked:
            self.at(SECOND, Storm._recover)
            return
        unknown = self.host.recover(self._unknown_rows)
        self._unknown_rows = 0
        self.up = True
        self.world.outside.engine_back()
        for command in unknown:
            self.world.board.intend(command)
        never = [
            command.leg
            for command in unknown
            if isinstance(command, RingAgent | DialClient) and not self._was_made(command)
        ]
        self._catch_up(never)

    def _catch_up(self, never_made: Sequence[LegId]) -> None:
        """An audit finds who fell back, and then who is there; files are read on after it."""
        missed, self._missed = self._missed, []
        for event in missed:
            if isinstance(event, CallFellBack) and self.up:
                self._hear(event)
        if self.up:
            self._show(never_made, self._legs())
        for event in missed:
            if not self.up:
                self._miss(event)
            elif not isinstance(event, CallFellBack):
                self.line.put(event, self.now)

    def _legs(self) -> tuple[LegSeen, ...]:
        """What the switch has now, and what is just being made."""
        return self.world.seen(
            command.leg for _, command in self._late if isinstance(command, RingAgent | DialClient)
        )

    def _show(self, never_made: Sequence[LegId], legs: tuple[LegSeen, ...]) -> None:
        gone = [(leg, EndCause.NEVER_MADE) for leg in (*never_made, *self._never_sent)]
        self._never_sent.clear()
        gone += [
            (end.leg, end.cause)
            for end in self.line.lost.values()
            if self.rng.random() < CAUSE_KNOWN
        ]
        self.line.lost.clear()
        self._hear(Resynced(legs, tuple(gone), self.switch_started_at))

    def _was_made(self, command: RingAgent | DialClient) -> bool:
        truth = self.world.truth
        return command.leg in truth.agent_rings or command.leg in truth.client_rings

    def _hear(self, event: Event) -> None:
        """One turn: durable, handled, carried out; a crash may fall in between."""
        self.host.append(event, self.clock)
        if self._tears and self.rng.random() < 1 / 2:
            self._tear(())
            return
        commands = self.host.handle_last().commands
        for command in commands:
            self.world.board.intend(command)
        if self._tears and commands:
            self._tear(commands[: self.rng.randrange(len(commands))])
            return
        for command in commands:
            self._send(command)
        if self.after_turn is not None:
            self.after_turn(self)

    def _tear(self, carried_out: Sequence[Command]) -> None:
        self._tears = False
        self.counts.torn += 1
        for command in carried_out:
            if self.linked:
                self.world.carry_out(command)
        self._unknown_rows = 1
        self.crash()

    def _send(self, command: Command) -> None:
        faults, rng = self.faults, self.rng
        lost = rng.random() < faults.command_lost
        if lost or not self.linked:
            self.counts.commands += lost
            self.lost_at = self.now
            self._disturb_by(command)
            self.world.board.unheard(command)
            if not self.linked and isinstance(command, RingAgent | DialClient):
                self._never_sent.append(command.leg)
            return
        late = rng.random() < faults.command_late
        if late or self._late:
            delay = rng.randint(1, faults.command_late_ms_max) if late else 0
            due_at = max(self.now + delay, self._late[-1][0] if self._late else 0)
            self._late.append((due_at, command))
            self.counts.commands += 1
            self._disturb_by(command)
            return
        self.world.carry_out(command)

    # -- one step of time

    def _next_at(self) -> Instant | None:
        moments = [self.world.next_at()]
        if self._acts:
            moments.append(self._acts[0][0])
        if self._late:
            moments.append(self._late[0][0])
        if self.up:
            deadline = self.host.engine.next_deadline()
            moments.append(self.line.next_at())
            moments.append(None if deadline is None else deadline - self._skew)
        known = [moment for moment in moments if moment is not None]
        return max(min(known), self.now) if known else None

    def _turn(self, now: Instant) -> None:
        self.world.step(now)
        self._drain()
        while self._late and self._late[0][0] <= now:
            self.world.carry_out(self._late.popleft()[1])
            self._drain()
        if self._acts and self._acts[0][0] <= now:
            heappop(self._acts)[2](self)
            self._drain()
        if not self.up:
            return
        event = self.line.take(now)
        if event is not None:
            self._hear(event)
        else:
            deadline = self.host.engine.next_deadline()
            if deadline is not None and deadline <= self.clock:
                self._hear(TimePassed())

    def _drain(self) -> None:
        """Events of the world go on their way, or are missed while the engine is down."""
        events, self.world.board.out = self.world.out, []
        for event in events:
            if self._is_heard_nowhere(event):
                self._miss(event)
            elif self._is_lost_row(event):
                self.counts.rows += 1
            elif not self.line.put(event, self.now):
                self.counts.events += 1
                self._disturb(getattr(event, "leg", None))

    def _is_heard_nowhere(self, event: Event) -> bool:
        """Without a link the engine has yet its people, and the files of the second witness."""
        return not self.up or (
            not self.linked and not isinstance(event, (ArrivalWitnessed, *CERTAIN))
        )

    def _is_lost_row(self, event: Event) -> bool:
        """A row may be lost of an attempt that is in our books: else nobody could know of it."""
        return (
            isinstance(event, ArrivalWitnessed)
            and not event.in_fallback
            and self._is_known(event.leg)
            and self.rng.random() < self.faults.row_lost
        )

    def _is_known(self, leg: LegId) -> bool:
        engine = self.host.engine
        return self.up and (leg in engine.legs or leg in engine.ended_legs)

    def _miss(self, event: Event) -> None:
        """Nobody listens. What is written down elsewhere, or is asked again, is heard later."""
        if isinstance(event, (ArrivalWitnessed, CallFellBack, *CERTAIN)):
            self._missed.append(event)
            return
        if isinstance(event, LegEnded):
            self.line.lost[event.leg] = event
        self._disturb(getattr(event, "leg", None))

    def _disturb(self, leg: LegId | None) -> None:
        attempt = self.world.attempt_of(leg) if leg is not None else None
        if attempt is not None:
            attempt.disturbed = True

    def _disturb_by(self, command: Command) -> None:
        if isinstance(command, ConnectCall):
            self._disturb(command.client)
            self._disturb(command.agent)
        else:
            self._disturb(command.leg)
        if isinstance(command, RingAgent):
            self._disturb(command.caller)

    # -- faults of the world

    def _every(self, mean_ms: Duration, act: Actor) -> None:
        if not mean_ms:
            return

        def again(storm: Storm) -> None:
            act(storm)
            storm.at(int(storm.rng.expovariate(1 / mean_ms)) + 1, again)

        self.at(int(self.rng.expovariate(1 / mean_ms)) + 1, again)

    def _audit_again(self) -> None:
        self.audit()
        self.at(self.faults.audit_every_ms, Storm._audit_again)

    def _switch_dies(self) -> None:
        """With all that is under way to it and from it; it is started again, and linked later."""
        if not self.linked:
            return
        self.counts.deaths += 1
        if self.rng.random() < self.faults.dies_together:
            self.crash()
        begun = self.world.switch_dies()
        self.linked = False
        self._late.clear()
        for event in self.line.take_all():
            if self._is_heard_nowhere(event):
                self._miss(event)
            else:
                self.line.put(event, self.now)
        if self.up:
            self.world.outside.engine_away()
        self._untold += [row_of(attempt, self.now) for attempt in begun]
        self.at(self.rng.randint(1, 6 * SECOND), Storm._switch_starts)

    def _switch_starts(self) -> None:
        if not self.world.board.dead:
            return
        self.world.switch_starts()
        self.switch_started_at = self.clock
        self.at(self.rng.randint(0, 3 * SECOND), Storm._link)
        self.at(self.rng.randint(0, 40 * SECOND), Storm._tell_untold)

    def _link(self) -> None:
        if self.linked or self.world.board.dead:
            return
        self.linked = True
        if not self.up:
            return
        self.world.outside.engine_back()
        self._catch_up(())

    def _tell_untold(self) -> None:
        """Of whom the engine knows already the witness may say nothing."""
        untold, self._untold = self._untold, []
        for row in untold:
            if not self.up:
                self._missed.append(row)
            elif not self._is_known(row.leg) or self.rng.random() < 1 / 2:
                self.line.put(row, self.now)

    def _phone_gone(self) -> None:
        office = self.world.office
        talking = [name for name, phone in office.phones.items() if phone.talks]
        # Seldom in a talk by itself, and worst there.
        often = talking if talking and self.rng.random() < 1 / 2 else list(office.phones)
        agent = self.rng.choice(often)
        phone = office.phones[agent]
        device = self.rng.choice((None, *phone.others))
        if not phone.rings(device):
            return
        self.counts.phones += 1
        mute, told = self.rng.random() < 1 / 2, self.rng.random() < 1 / 2
        office.gone(agent, mute=mute, told=told, device=device)
        self.at(self.rng.randint(5 * SECOND, 3 * MINUTE), lambda _: office.back(agent, device))

    def _trunk_down(self) -> None:
        trunks = [trunk.id for trunk in self.plan.trunks]
        if not trunks:
            return
        trunk = self.rng.choice(trunks)
        self.counts.trunks += 1
        self.world.set_trunk(trunk, up=False)
        delay = self.rng.randint(10 * SECOND, 2 * MINUTE)
        self.at(delay, lambda storm: storm.world.set_trunk(trunk, up=True))

    def _clock_jump(self) -> None:
        self.counts.jumps += 1
        jump_ms = self.rng.choice((-5, -1, 1, 5, 60)) * SECOND
        self.jumped_ms += abs(jump_ms)
        self._skew += jump_ms
