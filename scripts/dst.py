"""`make dst`: judge as many simulated worlds as there is time for, on all cores.

    python -m scripts.dst 1000          seeds 0 to 999
    python -m scripts.dst 7,11,42       these

The first failures are told in full, with the command that plays each one again; the exit status
is 1 when there was any. The worlds and their judge are those of `tests/dst`.
"""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from rich.progress import track

from tests.dst.runs import Verdict, explain, judge

FAILURES_TOLD = 10
SEEDS_MAX = 1_000_000


def seeds_of(text: str) -> Sequence[int]:
    if "," in text:
        return [int(word) for word in text.split(",") if word.strip()]
    return range(min(int(text), SEEDS_MAX))


def main(text: str) -> int:
    seeds = seeds_of(text)
    failed: list[Verdict] = []
    arrivals = 0
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        verdicts = pool.map(judge, seeds, chunksize=5)
        for verdict in track(verdicts, "worlds", total=len(seeds)):
            arrivals += verdict.arrivals
            if verdict.wrongs:
                failed.append(verdict)
                if len(failed) <= FAILURES_TOLD:
                    print(explain(verdict), flush=True)
    print(f"{arrivals} calls in {len(seeds)} worlds")
    print(f"{len(seeds) - len(failed)} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "1000"))
