"""How much memory and how many descriptors the engine and Asterisk hold, over all their lives.

A soak ends many lives, and a young process grows for reasons of its own. So the slope is one line
per life with a common gradient (least squares, each life about its own mean), without the first
`WARM_UP_S` of each and without what follows the last call.
"""

import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Final, Self

PERIOD_S: Final = 2.0
WARM_UP_S: Final = 60.0
LIFE_SAMPLES_MIN: Final = 10
MEGABYTE: Final = 1_000_000
HOUR_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Sample:
    pid: int
    at: float
    """Seconds, monotonic."""
    resident: int
    """Bytes."""
    descriptors: int


@dataclass(frozen=True, slots=True)
class Slope:
    mb_per_hour: float
    lives: int
    observed_s: float
    """Of all those lives, after their warm-up."""

    def __str__(self) -> str:
        if not self.lives:
            return f"no life longer than its first {WARM_UP_S:.0f} s"
        return f"{self.mb_per_hour:+.1f} (lives: {self.lives}, {self.observed_s / 60:.1f} min)"


def slope_of(
    samples: Iterable[Sample], until: float = math.inf, warm_up_s: float = WARM_UP_S
) -> Slope:
    """`until`: when the callers stopped, as a quiet process gives memory back."""
    lives: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        if sample.at <= until:
            lives[sample.pid].append(sample)
    over, under, counted, observed_s = 0.0, 0.0, 0, 0.0
    for life in lives.values():
        grown = [one for one in life if one.at - life[0].at >= warm_up_s]
        if len(grown) < LIFE_SAMPLES_MIN:
            continue
        counted += 1
        observed_s += grown[-1].at - grown[0].at
        mean_at = fmean(one.at for one in grown)
        mean_resident = fmean(one.resident for one in grown)
        over += sum((one.at - mean_at) * (one.resident - mean_resident) for one in grown)
        under += sum((one.at - mean_at) ** 2 for one in grown)
    gradient = over / under if under else 0.0
    return Slope(gradient * HOUR_S / MEGABYTE, counted, observed_s)


def descriptors_of(samples: Sequence[Sample], warm_up_s: float = WARM_UP_S) -> str:
    """Of the last life: when it had warmed up, and when all was quiet; the most of all lives."""
    if not samples:
        return "never seen"
    last = [one for one in samples if one.pid == samples[-1].pid]
    grown = [one for one in last if one.at - last[0].at >= warm_up_s] or last[-1:]
    most = max(one.descriptors for one in samples)
    return f"{grown[0].descriptors} / {grown[-1].descriptors} / {most}"


def look(pid: int) -> Sample | None:
    """None of a process that is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return None
    resident = next((line for line in status.splitlines() if line.startswith("VmRSS:")), None)
    if resident is None:
        return None
    return Sample(pid, time.monotonic(), int(resident.split()[1]) * 1_024, descriptors)


class Vitals:
    """Looks every two seconds, in a thread of its own."""

    def __init__(self, pid_of: Callable[[str], int], names: Sequence[str]) -> None:
        """`pid_of` may raise OSError or ValueError while there is none."""
        self._pid_of = pid_of
        self.samples: dict[str, list[Sample]] = {name: [] for name in names}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vitals")

    def _run(self) -> None:
        while not self._over.wait(PERIOD_S):
            for name, samples in self.samples.items():
                try:
                    sample = look(self._pid_of(name))
                except (OSError, ValueError):
                    continue
                if sample is not None:
                    samples.append(sample)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()
