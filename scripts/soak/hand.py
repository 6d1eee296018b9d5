"""The hand that does harm to a whole installation, and waits until it is well again.

All from outside, as it happens in the field: signals to processes found by their pid files, fault
points switched on in a file, a plan applied at the engine's socket.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from perezvon.core.ids import SECOND
from perezvon.core.plan import Plan
from perezvon.runtime import faultpoint
from perezvon.runtime.faultpoint import Point
from perezvon.runtime.local import Refused
from perezvon.runtime.ports import Unavailable
from perezvon.store import plan_export
from scripts.soak.faults import Fault, FaultKind
from tests.support.crowd import pass_time
from tests.support.installation import Installation
from tests.support.sipp import until_now

WELL_S: Final = 90
"""Longest until calls go to the engine again."""
PID_S: Final = 30
PLAN_S: Final = 60

POINTS: Final = {
    FaultKind.COMMITS_SLOW: (Point.JOURNAL_COMMIT, "delay:{ms}"),
    FaultKind.COMMITS_FAIL: (Point.JOURNAL_COMMIT, "fail"),
    FaultKind.COMMIT_IN_DOUBT: (Point.JOURNAL_COMMITTED, "fail:1"),
    FaultKind.LOOP_SLOW: (Point.LOOP_TURN, "delay:{ms}"),
    FaultKind.LINK_SLOW: (Point.ARI_SEND, "delay:{ms}"),
    FaultKind.LINK_BROKEN: (Point.ARI_SEND, "fail"),
}
"""Where each of the faults in the engine happens, and its text there."""

KILLED: Final = {
    FaultKind.ENGINE_KILLED: "engine",
    FaultKind.SWITCH_KILLED: "asterisk",
    FaultKind.WEB_KILLED: "web",
    FaultKind.WORKER_KILLED: "worker",
}
FROZEN: Final = {FaultKind.ENGINE_FROZEN: "engine", FaultKind.SWITCH_FROZEN: "asterisk"}


@dataclass(frozen=True, slots=True)
class Done:
    """A fault that was made."""

    fault: Fault
    at: float
    """Seconds since the epoch."""
    well_s: float
    """From its beginning until calls go to the engine again."""


class Hand:
    def __init__(self, plan: Plan, root: Path, say: Callable[[str], None]) -> None:
        self._plans = (plan, _with_longer_rings(plan))
        self._file = root / "faults"
        self._file.touch()
        self._say = say
        self._begun_at = time.time()
        self._applied = 0
        self.done: list[Done] = []
        self.whole: Installation | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        """What the installation must be started with."""
        return {faultpoint.VARIABLE: f"{faultpoint.FILE}{self._file}"}

    def takes(self, whole: Installation) -> None:
        """From now on it is this one that suffers."""
        self.whole = whole
        self._begun_at = time.time()

    def make(self, fault: Fault) -> None:
        """Do it, and wait until the product is well. AssertionError when it never is."""
        assert self.whole is not None
        at = time.time()
        self._say(f"{at - self._begun_at:7.1f} s  {fault}")
        self._do(self.whole, fault)
        self._until_well(self.whole)
        self.done.append(Done(fault, at, time.time() - at))

    def deaths_of_the_switch(self) -> list[float]:
        """Seconds since the epoch."""
        return [one.at for one in self.done if one.fault.kind is FaultKind.SWITCH_KILLED]

    def _do(self, whole: Installation, fault: Fault) -> None:
        if fault.kind in KILLED:
            self._kill(whole, KILLED[fault.kind])
        elif fault.kind in FROZEN:
            self._freeze(whole, FROZEN[fault.kind], fault.length_s)
        elif fault.kind in POINTS:
            point, text = POINTS[fault.kind]
            self._file.write_text(f"{point}={text.format(ms=fault.amount_ms)}")
            pass_time(fault.length_s)
            self._file.write_text("")
        else:
            self._apply(whole)

    def _kill(self, whole: Installation, name: str) -> None:
        pid = until_pid(whole, name)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        until_now(lambda: pid_now(whole, name) not in {0, pid}, PID_S, whole.log_tail)

    def _freeze(self, whole: Installation, name: str, length_s: float) -> None:
        pid = until_pid(whole, name)
        os.kill(pid, signal.SIGSTOP)
        pass_time(length_s)
        # The watchdog may have ended it meanwhile, and its number may be another's.
        if pid_now(whole, name) == pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _apply(self, whole: Installation) -> None:
        self._applied += 1
        text = plan_export.dump(self._plans[self._applied % 2])

        def applied() -> bool:
            with contextlib.suppress(Unavailable, Refused):
                whole.ask("plan.apply", text=text, base="", force=True, by="soak")
                return True
            return False

        until_now(applied, PLAN_S, whole.log_tail)

    def _until_well(self, whole: Installation) -> None:
        until_now(whole.has_booted, WELL_S, whole.log_tail)
        until_now(lambda: bool(whole.health().get("beating")), WELL_S, whole.log_tail)


def pid_now(whole: Installation, name: str) -> int:
    """0 while its file is being written."""
    try:
        return whole.pid_of(name)
    except (OSError, ValueError):
        return 0


def until_pid(whole: Installation, name: str) -> int:
    until_now(lambda: pid_now(whole, name) > 0, PID_S, whole.log_tail)
    return whole.pid_of(name)


def _with_longer_rings(plan: Plan) -> Plan:
    """Another version of it that changes nothing for a caller who is served."""
    return replace(
        plan,
        queues=tuple(
            replace(
                queue,
                steps=tuple(replace(step, ring_ms=step.ring_ms + SECOND) for step in queue.steps),
            )
            for queue in plan.queues
        ),
    )
