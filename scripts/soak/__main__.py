"""`make soak`: a day in the life of an installation, shortened, with faults all the time.

    python -m scripts.soak [--minutes 10] [--seed N] [--rate 3] [--record]

`perezvon up` with a real Asterisk serves callers who never stop, while faults drawn from the
printed seed harm it from outside. Whoever ends a life (a kill, a long freeze) does so in the
first two thirds only: in the last one memory is seen to grow, or not. Then it becomes quiet, and
the callers' own telephones tell what they met.

The exit status is 1 when anything that had to be zero is not; then the data folder, with all logs,
is kept and named.
"""

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from scripts.soak.faults import ENDING_A_LIFE, FaultKind, draw
from scripts.soak.hand import Hand
from scripts.soak.report import Findings, Row, rows_of, text_of
from scripts.soak.town import Town
from tests.proof.conftest import ROOT, Figures
from tests.support.crowd import pass_time

MINUTES: Final = 10.0
RATE: Final = 3.0
LIVES_END: Final = 2 / 3
"""Of the soak's length."""
LAST_S: Final = 10.0
"""Without a new fault, before the callers stop."""


def say(line: str) -> None:
    print(line, flush=True)


def harm(hand: Hand, chance: random.Random, length_s: float) -> None:
    """Faults until the length is over."""
    began_at = time.monotonic()
    phases = (
        (length_s * LIVES_END, frozenset(FaultKind)),
        (length_s - LAST_S, frozenset(FaultKind) - ENDING_A_LIFE),
    )
    for until_s, kinds in phases:
        for fault in draw(chance, of=kinds):
            left_s = began_at + until_s - time.monotonic()
            if fault.calm_s >= left_s:
                pass_time(max(0.0, left_s))
                break
            pass_time(fault.calm_s)
            hand.make(fault)
    pass_time(max(0.0, began_at + length_s - time.monotonic()))


def soak(root: Path, seed: int, length_s: float, rate: float) -> Findings:
    chance = random.Random(seed)  # noqa: S311 - faults, no secrets
    with Town(root, say, rate=rate, length_s=length_s) as town:
        harm(town.hand, chance, length_s)
        return town.findings_when_quiet()


def record(rows: list[Row], seed: int, minutes: float, rate: float) -> None:
    """docs/proof/soak.md."""
    figures = Figures(full=True)
    for row in rows:
        figures.state(row.what, row.measured, row.wanted)
    command = f"make soak MINUTES={minutes:g} RATE={rate:g} SEED={seed}"
    (ROOT / "docs" / "proof" / "soak.md").write_text(
        figures.table("soak", command), encoding="utf-8"
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--minutes", type=float, default=MINUTES)
    parser.add_argument("--seed", type=int, default=0, help="0: a new one")
    parser.add_argument("--rate", type=float, default=RATE, help="calls a second")
    parser.add_argument("--record", action="store_true", help="write docs/proof/soak.md")
    given = parser.parse_args()
    # Whoever ends us wants Asterisk and the telephones to be gone too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    seed = given.seed or random.SystemRandom().randrange(1, 1_000_000)
    say(f"SEED={seed}")
    root = Path(tempfile.mkdtemp(prefix="perezvon-soak-"))
    rows = rows_of(soak(root, seed, given.minutes * 60, given.rate))
    say(text_of(rows))
    if given.record:
        record(rows, seed, given.minutes, given.rate)
    if any(row.wrong for row in rows):
        say(f"SEED={seed}; logs and data: {root}")
        return 1
    shutil.rmtree(root, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
