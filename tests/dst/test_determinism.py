"""The same seed gives the same facts: in any process, and through any snapshot."""

import os
import subprocess
import sys

from perezvon.core import snapshot
from perezvon.core.engine import Engine
from perezvon.core.facts import Fact
from perezvon.core.ids import MINUTE
from perezvon.sim.run import Digest
from perezvon.sim.world import World
from tests.dst.runs import judge
from tests.dst.workload import workload

SEEDS = (3, 17, 42, 56, 101, 139)
PRINT_DIGESTS = f"from tests.dst.runs import judge\nfor s in {SEEDS}: print(judge(s).digest)"


def digests_in_a_process(hash_seed: str) -> list[str]:
    found = subprocess.run(
        [sys.executable, "-c", PRINT_DIGESTS],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return found.stdout.split()


def test_facts_do_not_depend_on_the_order_of_sets() -> None:
    """The same seed twice in one process proves nothing: sets keep their order there."""
    here = [judge(seed).digest for seed in SEEDS]
    assert digests_in_a_process("1") == here
    assert digests_in_a_process("2") == here


def test_a_snapshot_in_mid_run_changes_nothing() -> None:
    for seed in SEEDS:
        whole = play(seed, restore_every=None)
        assert play(seed, restore_every=1) == whole, seed
        assert play(seed, restore_every=37) == whole, seed


def play(seed: int, restore_every: int | None) -> str:
    """Run without faults, taking the engine out of a snapshot again and again."""
    load = workload(seed)
    world = World(load.scenario, load.plan, seed, load.scenario.start)
    engine = Engine(era="dst-sim", plan=load.plan)
    end_at = load.scenario.start + load.scenario.duration + 20 * MINUTE
    facts: list[Fact] = []
    turns = 0
    while True:
        if world.out:
            step = engine.handle(world.out.pop(0), world.now)
        else:
            world_at, engine_at = world.next_at(), engine.next_deadline()
            if engine_at is not None and (world_at is None or engine_at < world_at):
                world.board.now = max(world.now, engine_at)
                step = engine.advance(world.now)
            elif world_at is None:
                break
            else:
                world.step(world_at)
                continue
        if world.now > end_at:
            break
        facts += step.facts
        for command in step.commands:
            world.carry_out(command)
        turns += 1
        if restore_every is not None and turns % restore_every == 0:
            engine = snapshot.restore(snapshot.take(engine), load.plan)
    digest = Digest()
    digest.add(tuple(facts))
    return digest.text()
