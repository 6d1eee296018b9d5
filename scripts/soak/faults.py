"""What may go wrong during a soak, drawn from its seed: which kind, after how much calm, how long.

Pure, so that a seed tells the same story again. The story is endless; how much of it is played is
the runner's business.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FaultKind(StrEnum):
    ENGINE_KILLED = "engine killed"
    ENGINE_FROZEN = "engine frozen"
    SWITCH_KILLED = "switch killed"
    SWITCH_FROZEN = "switch frozen"
    COMMITS_SLOW = "commits slow"
    COMMITS_FAIL = "commits fail"
    COMMIT_IN_DOUBT = "commit in doubt"
    LOOP_SLOW = "loop slow"
    LINK_SLOW = "link slow"
    LINK_BROKEN = "link broken"
    WEB_KILLED = "web killed"
    WORKER_KILLED = "worker killed"
    PLAN_APPLIED = "plan applied"


@dataclass(frozen=True, slots=True)
class Fault:
    kind: FaultKind
    calm_s: float
    """From when the one before was over."""
    length_s: float = 0
    """0: it takes no time, or all the time that the product needs."""
    amount_ms: int = 0
    """Of what is slow."""

    def __str__(self) -> str:
        parts = [self.kind.value]
        if self.amount_ms:
            parts.append(f"by {self.amount_ms} ms")
        if self.length_s:
            parts.append(f"for {self.length_s:.1f} s")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class _Bounds:
    """How often a kind comes, and within what its length and its amount are drawn."""

    weight: int
    length_s: tuple[float, float] = (0, 0)
    amount_ms: tuple[int, int] = (0, 0)


BOUNDS: Final = {
    FaultKind.ENGINE_KILLED: _Bounds(6),
    # The watchdog ends one that stands still for 6 s or so: both sides of it.
    FaultKind.ENGINE_FROZEN: _Bounds(4, (1, 20)),
    FaultKind.SWITCH_KILLED: _Bounds(2),
    # Nobody can play music to a caller while the switch stands still.
    FaultKind.SWITCH_FROZEN: _Bounds(1, (0.5, 3)),
    FaultKind.COMMITS_SLOW: _Bounds(2, (3, 12), (50, 2_000)),
    FaultKind.COMMITS_FAIL: _Bounds(1, (1, 8)),
    FaultKind.COMMIT_IN_DOUBT: _Bounds(1, (2, 2)),
    FaultKind.LOOP_SLOW: _Bounds(1, (3, 10), (10, 300)),
    # Requests leave one after another: this is their number a second too.
    FaultKind.LINK_SLOW: _Bounds(1, (3, 10), (5, 60)),
    FaultKind.LINK_BROKEN: _Bounds(2, (0.2, 2)),
    FaultKind.WEB_KILLED: _Bounds(1),
    FaultKind.WORKER_KILLED: _Bounds(1),
    FaultKind.PLAN_APPLIED: _Bounds(2),
}

CALM_MEAN_S: Final = 20.0
CALM_MIN_S: Final = 4.0
CALM_MAX_S: Final = 60.0
AT_ONCE: Final = 0.15
"""Of so many faults the next one comes while the product is still busy with it."""
AT_ONCE_S: Final = (0.1, 3.0)

ENDING_A_LIFE: Final = frozenset(
    {FaultKind.ENGINE_KILLED, FaultKind.ENGINE_FROZEN, FaultKind.SWITCH_KILLED}
)
"""After these a process begins anew, and what it leaked before is not seen."""


def draw(chance: random.Random, *, of: frozenset[FaultKind] = frozenset()) -> Iterator[Fault]:
    """Faults without end; of these kinds only, if any are named."""
    kinds = [kind for kind in FaultKind if not of or kind in of]
    weights = [BOUNDS[kind].weight for kind in kinds]
    while True:
        (kind,) = chance.choices(kinds, weights)
        bounds = BOUNDS[kind]
        if chance.random() < AT_ONCE:
            calm_s = chance.uniform(*AT_ONCE_S)
        else:
            calm_s = CALM_MIN_S + chance.expovariate(1 / (CALM_MEAN_S - CALM_MIN_S))
            calm_s = min(calm_s, CALM_MAX_S)
        yield Fault(
            kind, calm_s, chance.uniform(*bounds.length_s), chance.randint(*bounds.amount_ms)
        )
