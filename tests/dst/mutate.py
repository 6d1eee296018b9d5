"""Breaks the engine one line at a time and asks whether anybody notices (`make mutate`).

A mutation that survives means a checker that does not bite. Each is made in a copy of the
package; first the seeds hunt it, then the tests of the core.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import perezvon

ROOT = Path(__file__).parents[2]
SEEDS = 120
HUNT = """
import sys
from tests.dst.runs import judge
for seed in range({first}, {last}):
    verdict = judge(seed)
    if verdict.wrongs:
        print(f"seed {{seed}}: {{verdict.wrongs[0][:120]}}")
        sys.exit(1)
"""
SAME_ANYWHERE = "from tests.dst.runs import judge\nprint([judge(s).digest for s in range(12)])"
TIMEOUT_S = 300


@dataclass(frozen=True, slots=True)
class Mutation:
    name: str
    file: str
    """Below `core`."""
    before: str
    after: str


MUTATIONS = (
    Mutation(
        "one telephone more than the step allows",
        "offer.py",
        "return k - len(call.offers)",
        "return k + 1 - len(call.offers)",
    ),
    Mutation(
        "missed, though the telephone hardly rang",
        "offer.py",
        "OfferOutcome.MISSED if self._truly_rang(offer) else OfferOutcome.RESCINDED",
        "OfferOutcome.MISSED",
    ),
    Mutation(
        "a withdrawn telephone rings on",
        "offer.py",
        "engine.let_go(offer.leg, StopRinging(offer.leg))",
        "pass",
    ),
    Mutation(
        "rung again though he refused",
        "offer.py",
        "call.refused_by.append(offer.agent)",
        "pass",
    ),
    Mutation(
        "nobody is rung in the place of one who missed",
        "offer.py",
        "                engine.calls_room.gap(call, gap_ms)\n            self.want(call)",
        "                engine.calls_room.gap(call, gap_ms)",
    ),
    Mutation(
        "the losers of the race ring on",
        "talk.py",
        "engine.offers.withdraw_all(call)",
        "pass",
    ),
    Mutation(
        "the winner is never connected",
        "talk.py",
        "engine.do(ConnectCall(call.id, call.client, offer.leg))",
        "pass",
    ),
    Mutation(
        "who reached us himself is still owed",
        "talk.py",
        "engine.callbacks.settle_person(call.person, Settlement.REACHED_US, agent)",
        "pass",
    ),
    Mutation(
        "a second missed call does not count",
        "debt.py",
        "debt.call_count += 1",
        "pass",
    ),
    Mutation(
        "long waits are waived as short",
        "ladder.py",
        "waited_ms < plan.thresholds.short_ms",
        "waited_ms < plan.thresholds.short_ms * 4",
    ),
    Mutation(
        "no pause between two attempts",
        "ladder.py",
        "calendar.next_open(max(due_at, last_attempt_at + rule.gap_ms_min))",
        "calendar.next_open(due_at)",
    ),
    Mutation(
        "a client on our line is called back",
        "callback.py",
        "if debt.due and debt.person not in self._engine.live_count:",
        "if debt.due:",
    ),
    Mutation(
        "called back at night",
        "callback.py",
        "if not calendar.is_open(engine.now):",
        "if False:",
    ),
    Mutation(
        "what must end is not told again",
        "resync.py",
        "engine.do(StopRinging(leg) if is_agents else HangUp(leg))",
        "pass",
    ),
    Mutation(
        "an audit does not mend a torn connection",
        "resync.py",
        "engine.do(ConnectCall(call.id, seen.leg, call.won.leg))",
        "pass",
    ),
    Mutation(
        "an earlier wish outlives the last word",
        "agent.py",
        "# His last word counts: a wish from before, for after the call, is void.\n"
        '        agent.wanted, agent.wanted_reason, agent.wanted_by = None, "", ""',
        "pass",
    ),
    Mutation(
        "whoever stands in the line last is served",
        "offer.py",
        "for key in pool.hungry:",
        "for key in reversed(list(pool.hungry)):",
    ),
    Mutation(
        "no order across queues",
        "offer.py",
        "if best is not None and key >= best:",
        "if best is not None:",
    ),
    Mutation(
        "a miss does not reset idleness",
        "agent.py",
        "            agent.missed_count += 1\n            agent.idle_since_at = engine.now",
        "            agent.missed_count += 1",
    ),
    Mutation(
        "a snapshot forgets that a trunk is held",
        "engine.py",
        "self.trunk_held_until = state.trunk_held_until",
        "self.trunk_held_until = {}",
    ),
    Mutation(
        "a restart of the switch is taken for a gap",
        "resync.py",
        "return started_at if before is not None else None",
        "return None",
    ),
    Mutation(
        "who was cut off in his talk is not owed",
        "talk.py",
        "engine.debts_room.owe_again(call, at)",
        "pass",
    ),
    Mutation(
        "a call-back that was cut off stays recovered",
        "talk.py",
        "engine.debts_room.reopen(call, at)",
        "pass",
    ),
    Mutation(
        "work after a call that was cut off",
        "talk.py",
        "engine.calls_room.finish(call, wraps_up=False)",
        "engine.calls_room.finish(call)",
    ),
    Mutation(
        "whom we failed waits for his ladder",
        "debt.py",
        "            self.try_at_once(debt)\n        elif debt.attempt is None:",
        "            self.schedule(debt)\n        elif debt.attempt is None:",
    ),
    Mutation(
        "whom a restart failed first is called back last",
        "restart.py",
        "key=lambda call: _place(engine, call, at))",
        "key=lambda call: _place(engine, call, at), reverse=True)",
    ),
    Mutation(
        "of those missed at one moment the text of an id decides",
        "debt.py",
        "return self.first_missed_at, self.came_at, self.id",
        "return self.first_missed_at, 0, self.id",
    ),
    Mutation(
        "an attempt that the switch broke off counts",
        "attempt.py",
        "self.made(call, AttemptOutcome.NEVER_MADE, counted=False)",
        "self.made(call, AttemptOutcome.NEVER_MADE, counted=True)",
    ),
    Mutation(
        "a call younger than the switch is lost with it",
        "restart.py",
        "return call.arrived_at < started_at or",
        "return True or",
    ),
    Mutation(
        "the end that the witness knew is forgotten in a restart",
        "restart.py",
        "        engine.leg_ended(leg, cause)",
        "        pass",
    ),
    Mutation(
        "a clock set back hides a restart from those in the fallback",
        "restart.py",
        "call.proved or call.state is CallState.FELL_BACK",
        "call.proved",
    ),
    Mutation(
        "an end that is never witnessed is no difference",
        "witness.py",
        "_differ(engine, leg, Differing(oldest.call, Difference.UNSEEN))",
        "pass",
    ),
    Mutation(
        "an arrival of which nobody heard is no difference",
        "witness.py",
        "_differ(engine, event.leg, Differing(call.id, Difference.UNHEARD, event.arrived_at))",
        "pass",
    ),
    Mutation(
        "what a restart left untold is waited for",
        "witness.py",
        "        _confirm_ended(engine, leg, in_fallback=False)",
        "        pass",
    ),
    Mutation(
        "who came to be heard of late differs for ever",
        "engine.py",
        "witness.heard_after_all(self, leg)",
        "pass",
    ),
    Mutation(
        "an engine that was away judges before it listens",
        "engine.py",
        "return self.turn_at - self.now > OVERSLEPT_MS",
        "return False",
    ),
    Mutation(
        "telephones that were silent with the switch stay out of rotation",
        "restart.py",
        "engine.devices_room.forget_silence()",
        "pass",
    ),
    Mutation(
        "who fell back as he heard the promise is out of the books",
        "witness.py",
        "not (waits or alone or call.state is CallState.CLOSING)",
        "not (waits or alone)",
    ),
    Mutation(
        "a client whom nobody took over is not owed",
        "transfer.py",
        "engine.debts_room.owe_again(call, at, MissReason.TRANSFER_NOT_TAKEN)",
        "pass",
    ),
    Mutation(
        "a client whom nobody took over is left with music",
        "transfer.py",
        "            self._return(call, transfer)",
        "            pass",
    ),
    Mutation(
        "whose turn it is is called while he is on the other line",
        "call.py",
        "self._engine.callbacks.wait_for_person(person)",
        "pass",
    ),
    Mutation(
        "who was served in the fallback after all is owed",
        "witness.py",
        "engine.callbacks.settle_person(person, Settlement.REACHED_US, agent)",
        "pass",
    ),
    Mutation(
        "the order of a set decides",
        "queue.py",
        "for id_, level in levels.items() if id_ in self._agents}",
        "for id_, level in set(levels.items()) if id_ in self._agents}",
    ),
)


class StaleMutationError(LookupError):
    """The line to break is not there any more: write the mutation anew."""


def breaks(mutation: Mutation, into: Path) -> None:
    """Make a broken copy of the package in `into`."""
    shutil.copytree(Path(perezvon.__file__).parent, into / "perezvon", dirs_exist_ok=True)
    file = into / "perezvon" / "core" / mutation.file
    text = file.read_text()
    if text.count(mutation.before) != 1:
        raise StaleMutationError(f"{mutation.name}: its line is not once in {mutation.file}")
    file.write_text(text.replace(mutation.before, mutation.after))


def caught(mutation: Mutation, seeds: int = SEEDS) -> str:
    """Say by what it was caught; empty: it survived."""
    with TemporaryDirectory(prefix="perezvon-mutation-") as directory:
        breaks(mutation, Path(directory))
        hunted = _run(directory, "1", "-c", HUNT.format(first=0, last=seeds))
        if hunted.returncode:
            return hunted.stdout.strip() or hunted.stderr.strip()[-200:]
        digests = {_run(directory, seed, "-c", SAME_ANYWHERE).stdout for seed in ("1", "2", "3")}
        if len(digests) > 1:
            return "another PYTHONHASHSEED gives other facts"
        tested = _run(directory, "1", "-m", "pytest", "-q", "-x", "tests/core")
        if tested.returncode:
            return next((x for x in tested.stdout.splitlines() if x.startswith("FAILED")), "tests")
    return ""


def _run(directory: str, hash_seed: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{directory}:{ROOT}", "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_S,
    )


def main() -> int:
    wanted = sys.argv[1:]
    survived = 0
    for mutation in MUTATIONS:
        if wanted and not any(word in mutation.name for word in wanted):
            continue
        by = caught(mutation)
        survived += not by
        print(f"{'caught  ' if by else 'SURVIVED'}  {mutation.name}: {by}", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
