"""A switch for a machine without Asterisk: the simulated world, played in real time.

Implements `runtime.ports.Switch` (sim may not import it). The world lives in the engine's process
and dies with it, so after a restart nobody is on the line: the first `Resynced` says so, and the
ledger shows it. No guard is needed either: without the engine there are no callers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from time import monotonic_ns, time_ns

from perezvon.core.commands import Command, DialClient, RingAgent
from perezvon.core.events import EndCause, Event, Resynced
from perezvon.core.ids import DAY, SECOND, Duration, Instant, LegId, PersonId
from perezvon.core.plan import Plan
from perezvon.sim.people import Arrival
from perezvon.sim.scenario import Scenario, Stream
from perezvon.sim.world import World

CALLS_PER_HOUR = 60
"""Of each number, where no scenario was given."""
ENDLESS_MS: Duration = 365 * DAY
EVENTS_A_TURN_MAX = 1_000
"""Handed over at once; then the event loop has its turn."""


class SimulatedSwitch:
    """Callers and telephones of the scenario; without one, a quiet stream to every number."""

    def __init__(
        self,
        scenario: Scenario | None = None,
        *,
        seed: int = 1,
        person_of: Callable[[str], PersonId] | None = None,
    ) -> None:
        self._scenario = scenario
        self._seed = seed
        self._person_of = person_of
        self._plan: Plan | None = None
        self._world: World | None = None
        self._sink: Callable[[Event], None] | None = None
        self._expected: list[LegId] = []
        self._alarm = asyncio.Event()
        self._playing: asyncio.Task[None] | None = None
        self._epoch_ns = time_ns() - monotonic_ns()

    # The port.

    async def start(self, sink: Callable[[Event], None]) -> None:
        """The plan must be known by now."""
        assert self._plan is not None
        scenario = self._scenario or quiet(self._plan)
        endless = scenario.model_copy(update={"duration": ENDLESS_MS})
        self._world = World(endless, self._plan, self._seed, self._now())
        self._world.outside.person_of = self._person_of
        self._world.truth.keep = False
        self._sink = sink
        self._resync()
        self._playing = asyncio.create_task(self._play(), name="simulated switch")

    def carry_out(self, commands: Iterable[Command]) -> None:
        world = self._world
        if world is None:
            return
        self._catch_up(world)
        for command in commands:
            world.carry_out(command)
        self._alarm.set()

    def learn_plan(self, plan: Plan) -> None:
        self._plan = plan
        if self._world is not None:
            self._world.learn_plan(plan)

    @property
    def linked(self) -> bool:
        return True

    def expect(self, commands: Iterable[Command]) -> None:
        self._expected += [c.leg for c in commands if isinstance(c, RingAgent | DialClient)]

    def protect(self, waiting: Iterable[LegId], talking: Iterable[LegId]) -> None:
        """Nobody to protect: the callers are gone when the engine is."""

    async def heartbeat(self, proof: Callable[[], Awaitable[None]]) -> bool:
        try:
            await proof()
        except Exception:  # noqa: BLE001 - whatever kept the commit from succeeding: no beat
            return False
        return self._playing is not None and not self._playing.done()

    async def stop(self) -> None:
        playing, self._playing = self._playing, None
        if playing is not None:
            playing.cancel()
            with suppress(asyncio.CancelledError):
                await playing

    # For tests, and whoever wants to act in the world.

    @property
    def world(self) -> World:
        assert self._world is not None
        return self._world

    def call_in(self, arrival: Arrival) -> LegId | None:
        """Somebody calls now, as `arrival` says (its `at_ms` is not looked at)."""
        self._catch_up(self.world)
        leg = self.world.outside.arrives(arrival)
        self._alarm.set()
        return leg

    def hang_up(self, leg: LegId) -> None:
        """The party at this leg hangs up."""
        self._catch_up(self.world)
        self.world.outside.hangs_up(leg)
        self._alarm.set()

    # Time.

    def _now(self) -> Instant:
        return (self._epoch_ns + monotonic_ns()) // 1_000_000

    def _catch_up(self, world: World) -> None:
        """Bring the world's clock up to now; what is due waits for its turn in `_play`."""
        due_at = world.next_at()
        now = self._now()
        world.board.now = max(world.now, now if due_at is None else min(now, due_at))

    async def _play(self) -> None:
        world = self.world
        while True:
            for _ in range(EVENTS_A_TURN_MAX):
                self._tell(world)
                due_at = world.next_at()
                if due_at is None or due_at > self._now():
                    break
                world.step(self._now())
            self._tell(world)
            await self._until_next(world)

    async def _until_next(self, world: World) -> None:
        self._alarm.clear()
        if world.out:
            await asyncio.sleep(0)
            return
        due_at = world.next_at()
        wait_s = None if due_at is None else max(0, due_at - self._now()) / SECOND
        with suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._alarm.wait()

    def _tell(self, world: World) -> None:
        assert self._sink is not None
        events, world.board.out = world.out, []
        for event in events:
            self._sink(event)

    def _resync(self) -> None:
        """The audit of a new link. No other is needed: nothing is lost on this one."""
        assert self._sink is not None
        legs = self.world.seen()
        there = {seen.leg for seen in legs}
        gone = tuple((leg, EndCause.NEVER_MADE) for leg in self._expected if leg not in there)
        self._expected.clear()
        self._sink(Resynced(legs, gone))


def quiet(plan: Plan) -> Scenario:
    """A caller a minute for every number of the plan, and people as they are by default."""
    streams = tuple(
        Stream(id=f"number-{place}", did=did.number, per_hour=CALLS_PER_HOUR)
        for place, did in enumerate(plan.dids)
    )
    nobody = () if streams else (Stream(did="0000", per_hour=CALLS_PER_HOUR),)
    return Scenario(name="quiet", duration=0, arrivals=streams or nobody)
