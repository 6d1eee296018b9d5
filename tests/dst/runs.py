"""One seed, from its workload to the verdict of the auditor."""

from dataclasses import dataclass

from perezvon.core import invariants
from perezvon.core.ids import HOUR
from perezvon.sim.run import Digest
from perezvon.sim.storm import Counts, Storm
from tests.dst.auditor import Auditor
from tests.dst.workload import everybody_back, start_acts, workload

SETTLE_MS = 3 * HOUR


@dataclass(frozen=True, slots=True)
class Verdict:
    seed: int
    arrivals: int
    counts: Counts
    digest: str
    wrongs: tuple[str, ...]


def judge(seed: int) -> Verdict:
    """Safety: anything may fail. Then liveness: faults stop and everything must end."""
    load = workload(seed)
    storm = Storm(load.scenario, load.plan, seed, load.faults, check=invariants.check)
    auditor = Auditor(load.plan, people_act=load.people_act)
    storm.after_turn = auditor.look
    start_acts(load, storm)
    wrongs: list[str] = []
    try:
        storm.run_until(load.scenario.start + load.scenario.duration)
        storm.heal()
        everybody_back(storm)
        storm.settle(SETTLE_MS)
        auditor.finish(storm)
    except (AssertionError, LookupError, TypeError, ValueError) as error:
        # What the core raises is its own bug, whatever its kind; the seed is told with it.
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        where = f"{last.tb_frame.f_code.co_name}:{last.tb_lineno}" if last else "?"
        wrongs.append(f"{type(error).__name__} in {where}: {str(error)[:500]}")
    digest = Digest()
    digest.add(tuple(storm.host.facts))
    return Verdict(
        seed,
        len(storm.world.truth.attempts),
        storm.counts,
        digest.text(),
        (*wrongs, *auditor.wrongs),
    )


def explain(verdict: Verdict) -> str:
    lines = "\n  ".join(verdict.wrongs[:10])
    return (
        f"seed {verdict.seed}:\n  {lines}\n"
        f"reproduce: PEREZVON_DST_SEED={verdict.seed} pytest tests/dst -k one_seed"
    )
