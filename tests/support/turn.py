"""A TURN server (coturn) on the loopback, which relays sound for who has a signed name."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import LOOPBACK, free_port, free_udp_block
from tests.support.sipp import until_now

SECRET = "a-secret-of-tests-only"
START_S = 10


@contextmanager
def turn_server(place: Path) -> Iterator[int]:
    """Its port, for UDP and TCP."""
    program = shutil.which("turnserver")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no coturn: scripts/browser.sh installs it")
        pytest.skip("no coturn: as root, scripts/browser.sh installs it")
    port, (first, last) = free_port(), free_udp_block(100)
    log = place / "turn.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [
                program, "-n", "--listening-ip", LOOPBACK, "--relay-ip", _own_address(),
                "--listening-port", str(port), "--min-port", str(first), "--max-port", str(last),
                "--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "perezvon",
                "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers",
                "--log-file", "stdout", "--simple-log", "--pidfile", str(place / "turn.pid"),
                "--userdb", str(place / "turn.db"),
            ],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            until_now(lambda: _listens(port), START_S, lambda: log.read_text()[-2_000:])
            yield port
        finally:
            child.kill()
            child.wait()


def _own_address() -> str:
    """As Asterisk names it to the other side: not the loopback, where there is another."""
    told = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout
    return next((one for one in told.split() if "." in one), LOOPBACK)


def _listens(port: int) -> bool:
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1] == wanted for line in lines)
