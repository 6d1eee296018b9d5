"""A log line is JSON, says whose it is, and has nobody's number in it."""

import json
import subprocess
import sys

PROGRAM = """
import logging
import threading
import structlog
from perezvon.bootstrap import logs

logs.configure("engine", "info")
logs.bind(tenant="acme")
log = structlog.get_logger("x")
log.info("called", call="t-1c1", to="+79161112233", many=["79161112233", {"k": "79161112233"}])
logging.getLogger("y").warning("leg of 79161112233", extra={"leg": "1795325568.0"})
thread = threading.Thread(target=lambda: log.info("of a thread", seq=1234567890))
thread.start()
thread.join()
try:
    raise ValueError("no number 79161112233")
except ValueError:
    log.exception("failed")
    logging.getLogger("y").exception("failed too")
"""


def test_every_line_has_process_and_tenant_and_no_number() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert len(lines) == 5
    assert {line["process"] for line in lines} == {"engine"}
    assert {line["tenant"] for line in lines} == {"acme"}
    assert "9161112233" not in done.stderr
    assert lines[0]["to"] == "+7********33"
    assert lines[0]["call"] == "t-1c1"
    assert lines[1]["leg"] == "1795325568.0"
    assert lines[2]["seq"] == 1234567890
    assert "ValueError: no number 79*******33" in lines[3]["exception"]
    assert "79*******33" in lines[4]["exception"]
