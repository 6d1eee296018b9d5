"""A TURN server (coturn) on this machine, which relays sound for who has a signed name."""

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
from tests.tidy import documents
from tests.tidy.tree import ROOT, text

SECRET = "a-secret-of-tests-only"
START_S = 10
PORTS = 100
"""So many talks at once."""


@contextmanager
def turn_server(place: Path, host: str | None = None, *options: str) -> Iterator[str]:
    """Its URL. It is told what the guide says, and is where browsers of tests are: on the network,
    if this machine has one, unless `host` says otherwise. `options` come on top.
    """
    program = shutil.which("turnserver")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no coturn: scripts/browser.sh installs it")
        pytest.skip("no coturn: as root, scripts/browser.sh installs it")
    port = free_port()
    host = host or next((one for one in own_addresses() if "." in one), LOOPBACK)
    configuration = place / "turnserver.conf"
    configuration.write_text(_of_the_guide(host, port))
    log = place / "turn.log"
    with log.open("wb") as out:
        child = subprocess.Popen(
            [
                program, "-c", str(configuration), "--listening-ip", host, "--relay-ip", host,
                "--no-tls", "--no-dtls", "--allow-loopback-peers", *options,
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


def _of_the_guide(host: str, port: int) -> str:
    """Its example, at other addresses and ports."""
    shown = dict(documents.FENCE.findall(text(ROOT / "docs" / "network.md")))["coturn"]
    first, last = free_udp_block(PORTS)
    ours = {
        "listening-port": port,
        "external-ip": host,
        "min-port": first,
        "max-port": last,
        "static-auth-secret": SECRET,
        "realm": "perezvon",
        "allowed-peer-ip": host,
    }
    lines = [line.partition("=")[0] for line in shown.splitlines()]
    assert set(ours) <= set(lines), "the guide says all that we change"
    return "".join(
        f"{key}={ours[key]}\n" if key in ours else f"{line}\n"
        for key, line in zip(lines, shown.splitlines(), strict=True)
    )


def _listens(host: str, port: int) -> bool:
    wanted = f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}"
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(line.split()[1] == wanted for line in lines)
