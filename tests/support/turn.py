"""A TURN server (coturn) on the loopback, which relays sound for who has a signed name."""

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perezvon.bootstrap.addresses import own_addresses
from tests.support.ports import LOOPBACK, free_port, free_udp_block
from tests.support.sipp import until_now

SECRET = "a-secret-of-tests-only"
START_S = 10


@contextmanager
def turn_server(place: Path) -> Iterator[str]:
    """Its URL. It is where browsers of tests are: on the network, if this machine has one."""
    program = shutil.which("turnserver")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no coturn: scripts/browser.sh installs it")
        pytest.skip("no coturn: as root, scripts/browser.sh installs it")
    port, (first, last) = free_port(), free_udp_block(100)
    host = next((one for one in own_addresses() if "." in one), LOOPBACK)
    log = place / "turn.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [
                program, "-n", "--listening-ip", host, "--relay-ip", host,
                "--listening-port", str(port), "--min-port", str(first), "--max-port", str(last),
                "--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "perezvon",
                "--no-tls", "--no-dtls", "--no-cli", "--allow-loopback-peers",
                "--log-file", "stdout", "--simple-log", "--pidfile", str(place / "turn.pid"),
                "--userdb", str(place / "turn.db"),
            ],
            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            until_now(lambda: _listens(host, port), START_S, lambda: log.read_text()[-2_000:])
            yield f"turn:{host}:{port}"
        finally:
            child.kill()
            child.wait()


def _listens(host: str, port: int) -> bool:
    wanted = f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}"
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1] == wanted for line in lines)
