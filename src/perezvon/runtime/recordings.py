"""How the files of a recording are called, so that a leg's are found again by its id.

The switch writes three WAVs for the leg of each client, beginning when he is put through: who may
be heard there (client), who is to be heard (agent), and both. A worker makes one MP3 of them. All
are named by the client's leg, so that a talk that was handed over is still one recording.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from perezvon.core.ids import SECOND, Duration, Instant

MIXED: Final = ".wav"
CLIENT: Final = "-c.wav"
AGENT: Final = "-a.wav"

WAV: Final = re.compile(r"([0-9A-Za-z_]{1,100})(\.wav|-c\.wav|-a\.wav)")
FILES_MAX: Final = 20_000
"""Looked at in one pass; what is beyond has its turn when these are gone."""


def stem_of(leg: str) -> str:
    """What the names of a leg's files begin with: letters and digits, so that it is a name for any
    file system, dialplan and URL. (The dialplan does the same with `FILTER(0-9A-Za-z,…)`.)
    """
    return re.sub(r"[^0-9A-Za-z_]", "", leg.replace("/", "_"))


@dataclass(frozen=True, slots=True)
class Take:
    """The WAVs of one leg, as they lie there now."""

    stem: str
    changed_at: Instant
    sizes: Mapping[str, int]
    """By the end of the name; those that are there."""


def takes(folder: Path) -> list[Take]:
    """The one that has rested longest first."""
    found: dict[str, dict[str, int]] = {}
    changed_at: dict[str, Instant] = {}
    try:
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                named = WAV.fullmatch(entry.name)
                if count >= FILES_MAX:
                    break
                if named is None or not entry.is_file(follow_symlinks=False):
                    continue
                there = entry.stat(follow_symlinks=False)
                stem = named[1]
                found.setdefault(stem, {})[named[2]] = there.st_size
                at = there.st_mtime_ns // 1_000_000
                changed_at[stem] = max(changed_at.get(stem, 0), at)
    except FileNotFoundError:
        return []
    made = [Take(stem, changed_at[stem], sizes) for stem, sizes in found.items()]
    return sorted(made, key=lambda take: (take.changed_at, take.stem))


WAITING_MS: Final[Duration] = 60 * SECOND


@dataclass(frozen=True, slots=True)
class Backlog:
    """Recordings that wait to be dealt with."""

    waiting: int
    oldest_ms: Duration


def at_rest(folder: Path, now: Instant) -> Backlog:
    """Takes that have not changed for a minute: the talk is over, or the client hears music."""
    ages = [now - take.changed_at for take in takes(folder)]
    resting = [age for age in ages if age >= WAITING_MS]
    return Backlog(len(resting), max(resting, default=0))
