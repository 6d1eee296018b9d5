"""What the engine holds: a thousand real callers who wait, and nobody to answer them.

python -m bench.memory [CALLERS]
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench._report import Figure, report
from perezvon.core.ids import HOUR, SECOND, GroupId, QueueId
from perezvon.core.plan import Queue, Step, Trunk
from tests.support.asterisk import asterisk
from tests.support.engine import EngineProcess
from tests.support.plans import CARRIER, NUMBER, plan_of
from tests.support.ports import free_udp_block, free_udp_port
from tests.support.sipp import Call, Caller, until_now

CALLERS = 1_000
RATE = 40
LIMIT_MB = 150


def rss_mb(pid: int | None, what: str = "VmRSS") -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1_024
    raise AssertionError(what)


def main(callers: int) -> None:
    port = free_udp_port()
    queue = Queue(
        QueueId("sales"), "Sales", (Step(groups=(GroupId("all"),)),), answer_first=False,
        length_max=2 * callers, wait_ms_max=HOUR,
    )  # fmt: skip
    plan = plan_of(
        callers_port=port, queues=(queue,), trunks=(Trunk(CARRIER, "127.0.0.1", port),)
    )  # fmt: skip
    calls = [Call(f"7916{n:07}", NUMBER) for n in range(callers)]
    rows: list[dict[str, Figure]] = []
    with TemporaryDirectory(prefix="perezvon-bench-") as folder:
        root = Path(folder)
        with (
            asterisk(plan, root, rtp_ports=free_udp_block(2 * callers + 100)) as running,
            EngineProcess(running, root) as engine,
        ):
            rows.append({"waiting": 0, "engine, MB": rss_mb(engine.pid), "limit, MB": LIMIT_MB})
            with Caller(
                running, calls, root, port=port, rate=RATE, patience_ms=600 * SECOND
            ) as phones:
                until_now(
                    lambda: engine.ledger()["in_progress"] == callers,
                    callers / RATE + 60,
                    phones.trouble,
                )
                rows.append(
                    {
                        "waiting": callers,
                        "engine, MB": rss_mb(engine.pid, "VmHWM"),
                        "limit, MB": LIMIT_MB,
                    }
                )
    report("memory", "memory of the engine", rows)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CALLERS)
