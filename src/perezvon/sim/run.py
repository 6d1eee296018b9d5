"""One run of a scenario through the production engine, without faults, as fast as it goes.

The twin and the comparisons are made of these; runs under faults are `sim.storm`.
"""

from dataclasses import dataclass
from hashlib import blake2b
from time import perf_counter

from perezvon.core.engine import Engine
from perezvon.core.facts import CallAnswered, CallMissed, CallReceived, Fact
from perezvon.core.ids import HOUR, Duration, Instant
from perezvon.core.plan import Plan
from perezvon.sim.scenario import Scenario
from perezvon.sim.world import World

SETTLE_MS: Duration = 2 * HOUR
"""After the last arrival: talks end, call-backs are tried."""


@dataclass(frozen=True, slots=True)
class Result:
    """Figures of a run. Shares are of inbound attempts, or of clients where it says so."""

    arrivals: int
    answered: int
    missed: int
    asa_ms: float
    """Mean wait of those answered."""
    clients: int
    clients_lost: int
    """Called, and never talked with anybody, call-backs and redials included."""
    talk_ms: Duration
    agents: int
    elapsed_ms: Duration
    """Simulated, until the last arrival was settled."""
    took_s: float
    """Real time."""
    digest: str
    """Of all facts; empty when it was not asked for."""

    @property
    def missed_share(self) -> float:
        return self.missed / self.arrivals if self.arrivals else 0.0

    @property
    def lost_share(self) -> float:
        return self.clients_lost / self.clients if self.clients else 0.0

    @property
    def occupancy(self) -> float:
        there_ms = self.agents * self.elapsed_ms
        return self.talk_ms / there_ms if there_ms else 0.0

    @property
    def calls_per_s(self) -> float:
        return self.arrivals / self.took_s if self.took_s else 0.0


class Digest:
    """Of facts in order: equal digests mean equal runs, in any process."""

    __slots__ = ("_hash", "count")

    def __init__(self) -> None:
        self._hash = blake2b(digest_size=16)
        self.count = 0

    def add(self, facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            self._hash.update(repr(fact).encode())
            self.count += 1

    def text(self) -> str:
        return f"{self.count}:{self._hash.hexdigest()}"


@dataclass(slots=True)
class _Tally:
    received: int = 0
    answered: int = 0
    missed: int = 0
    waited_ms: int = 0

    def add(self, facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            if isinstance(fact, CallReceived):
                self.received += 1
            elif isinstance(fact, CallAnswered):
                self.answered += 1
                self.waited_ms += fact.wait_ms
            elif isinstance(fact, CallMissed):
                self.missed += 1


def run(scenario: Scenario, plan: Plan, seed: int, *, digest: bool = False) -> Result:
    """Play the scenario to its end and give its figures."""
    began = perf_counter()
    world = World(scenario, plan, seed, scenario.start)
    world.truth.keep = False
    world.outside.witness = False
    engine = Engine(era=f"{plan.tenant}-sim", plan=plan)
    tally = _Tally()
    hashed = Digest() if digest else None
    _play(world, engine, scenario.start + scenario.duration + SETTLE_MS, tally, hashed)
    clients = [client for client in world.truth.clients.values() if client.called]
    return Result(
        arrivals=tally.received,
        answered=tally.answered,
        missed=tally.missed,
        asa_ms=tally.waited_ms / tally.answered if tally.answered else 0.0,
        clients=len(clients),
        clients_lost=sum(not client.talked for client in clients),
        talk_ms=world.truth.talk_ms,
        agents=len(plan.agents),
        elapsed_ms=scenario.duration,
        took_s=perf_counter() - began,
        digest=hashed.text() if hashed else "",
    )


def _play(
    world: World, engine: Engine, end_at: Instant, tally: _Tally, hashed: Digest | None
) -> None:
    board, carry_out = world.board, world.carry_out
    while True:
        out = board.out
        if out:
            # What a turn commands may end in events at once: they are heard after the others.
            event = out.pop(0)
            step = engine.handle(event, board.now)
        else:
            world_at, engine_at = board.next_at(), engine.next_deadline()
            if engine_at is not None and (world_at is None or engine_at < world_at):
                if engine_at > end_at:
                    return
                board.now = max(board.now, engine_at)
                step = engine.advance(board.now)
            elif world_at is None or world_at > end_at:
                return
            else:
                board.step(world_at)
                continue
        for command in step.commands:
            carry_out(command)
        if step.facts:
            tally.add(step.facts)
            if hashed is not None:
                hashed.add(step.facts)
