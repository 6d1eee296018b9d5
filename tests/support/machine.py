"""What the machine was like while something was measured on it: a figure alone says little.

    machine = Machine()
    ...
    machine.words()     # 2 cores, Python 3.11.7, 12 % of its time taken by others

A virtual machine may be given its processors late; what was *stolen* so looks, from within, like
a program that stands still. And each commit waits for the disk, whose own time is `sync_ms`.
"""

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from tempfile import NamedTemporaryFile
from time import perf_counter

STOLEN = 7
"""Its place among the counts of /proc/stat: user, nice, system, idle, iowait, irq, softirq, …"""

SYNCS = 200
BLOCK = bytes(4096)


def _ticks() -> list[int]:
    """Of all cores since the start of the machine, by kind."""
    return [int(count) for count in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]


@dataclass(slots=True)
class Machine:
    """Counts from its making on."""

    _before: list[int] = field(default_factory=_ticks)

    def stolen(self) -> float:
        """The share (0–1) of the processors' time that others took meanwhile."""
        spent = [now - before for now, before in zip(_ticks(), self._before, strict=True)]
        return spent[STOLEN] / max(sum(spent), 1)

    def words(self) -> str:
        stolen = f"{self.stolen():.0%}".replace("%", " %")
        cores = f"{os.cpu_count()} cores, Python {platform.python_version()}"
        return f"{cores}, {stolen} of its time taken by others"


def sync_ms(folder: Path) -> tuple[float, float]:
    """Median and p99 of writing 4 KiB through to the disk of this folder."""
    took = []
    with NamedTemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            began = perf_counter()
            os.write(file.fileno(), BLOCK)
            os.fdatasync(file.fileno())
            took.append((perf_counter() - began) * 1_000)
    cuts = quantiles(took, n=100)
    return cuts[49], cuts[98]
