"""ARI hangs (#2170): new callers reach the fallback, the watchdog restarts Asterisk, all is told.

The lock-up is the real one: a stranger's client provokes it on the Asterisk of a whole
installation, within a bounded time. From the first question on that our application was never
answered the clock runs. Meanwhile callers come; who got stuck in `Stasis()` is owed.
"""

import math
import time
from pathlib import Path

import pytest

from perezvon.asterisk.watchdog import Part
from tests.proof.conftest import Figures
from tests.support.asterisk import pbx
from tests.support.installation import Installation
from tests.support.lock_up import lock_up
from tests.support.plans import NUMBER, plan_of
from tests.support.ports import free_udp_port
from tests.support.scenarios import Answering
from tests.support.sipp import Call, Caller, Phone, until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("hang")]

AGENTS = tuple(f"agent-{n:02}" for n in range(1, 13))
RATE, CALLS = 4, 40
PROVOKE_S = 60
FALLBACK_S_MAX = 5
BACK_S_MAX = 30
PROMPT_S = 5
"""Who is in the fallback is picked up at once; who got into a locked Asterisk, after his dead-man
(12 s) or never."""

QUIET_S = 120


def test_a_hung_ari_costs_new_callers_five_seconds_and_is_over_in_thirty(
    figures: Figures, tmp_path: Path
) -> None:
    port = free_udp_port()
    times = 5 if figures.full else 1
    with Installation(plan_of(AGENTS, callers_port=port), tmp_path) as whole:
        for turn in range(times):
            _hang_once(figures, whole, port, tmp_path / str(turn))
        status, ledger = whole.told_ledger()
        in_cel = whole.arrivals_in_cel()
    assert status == 0
    assert ledger["arrivals"] == len(in_cel) == times * CALLS
    figures.state("arrivals: ledger / CEL", f"{ledger['arrivals']} / {len(in_cel)}", "equal")
    figures.state("ledger", "balanced" if ledger["balanced"] else "OUT OF BALANCE", "balanced")


def _hang_once(figures: Figures, whole: Installation, port: int, place: Path) -> None:
    calls = [Call(f"7916{n:07}", NUMBER) for n in range(CALLS)]
    callers = Caller(
        whole.running, calls, place, port=port, rate=RATE, talk_ms=1_000, patience_ms=60_000
    )
    seen: dict[str, str] = {}
    with Phone(whole.running, AGENTS, Answering(answer_after_ms=200), place):
        whole.sign_in(*AGENTS)
        before = whole.pid_of("asterisk")
        hung_at = lock_up(whole.running, PROVOKE_S)
        if hung_at is None:
            pytest.skip(f"Asterisk {pbx().version} did not lock up in {PROVOKE_S} s")
        with callers:
            _until_told(whole, "switch_hung", seen)
            until_now(lambda: whole.pid_of("asterisk") != before, BACK_S_MAX, whole.log_tail)
            until_now(lambda: bool(whole.health().get("beating")), BACK_S_MAX, whole.log_tail)
            back_s = time.monotonic() - hung_at
            until_now(lambda: len(callers.by_call()) == CALLS, QUIET_S, callers.trouble)
        until_now(lambda: whole.ledger()["in_progress"] == 0, QUIET_S, whole.log_tail)
    until_now(lambda: "switch_hung" not in whole.alerts(), BACK_S_MAX, whole.log_tail)
    fallback_s = _fallback_after_s(callers, hung_at)
    assert fallback_s <= FALLBACK_S_MAX
    assert back_s <= BACK_S_MAX
    assert Part.APPLICATIONS in seen["switch_hung"]
    assert Part.CHANNELS not in seen["switch_hung"]
    figures.state("hang → new callers are in the fallback, s", f"{fallback_s:.1f}", FALLBACK_S_MAX)
    figures.state("hang → restarted, heartbeat of the engine, s", f"{back_s:.1f}", BACK_S_MAX)
    figures.state("the alert", seen["switch_hung"], "names what was silent")


def _until_told(whole: Installation, kind: str, seen: dict[str, str]) -> None:
    def told() -> bool:
        seen.update(whole.alerts())
        return kind in seen

    until_now(told, BACK_S_MAX, whole.log_tail)


def _fallback_after_s(callers: Caller, hung_at: float) -> float:
    """When the last one called who was not picked up at once, in seconds after the hang."""
    to_monotonic = time.monotonic() - time.time()
    last = 0.0
    for happenings in callers.by_call().values():
        at = {one.kind: one.at for one in happenings}
        if at.get("answered", math.inf) - at["called"] > PROMPT_S:
            last = max(last, at["called"] + to_monotonic - hung_at)
    return last
