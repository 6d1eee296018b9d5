"""A private Asterisk for a test: free ports, its own directory, gone at the end.

    with asterisk(plan, tmp_path) as running:
        running.cli("core show channels")

Needs no network when the cache holds an Asterisk already; the first run on a machine brings one.
"""

import asyncio
import functools
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from perezvon.asterisk import install, provision
from perezvon.asterisk.process import AsteriskProcess, directories
from perezvon.core.plan import Plan
from tests.support.loops import run
from tests.support.ports import free_port, free_udp_block, free_udp_port

PASSWORD = "a-password-for-tests-only"
"""Of ARI, and of every telephone whose secret a test does not name."""


@functools.cache
def pbx() -> install.Pbx:
    """The Asterisk of this machine; brought when there is none. Skips where none can be had."""
    try:
        return install.ensure(None, install.default_cache())
    except install.AsteriskMissing as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


def sipp() -> tuple[str, ...]:
    """The command of SIPp."""
    command = pbx().sipp
    if command is None:
        pytest.skip("no SIPp beside this Asterisk")
    return command


@dataclass(frozen=True)
class Running:
    """An Asterisk that has booted."""

    process: AsteriskProcess
    site: provision.Site
    plan: Plan
    secrets: Mapping[str, str]

    @property
    def sip_port(self) -> int:
        return self.site.sip_port

    @property
    def ari_url(self) -> str:
        return f"http://{self.site.http_host}:{self.site.http_port}/ari"

    def cli(self, command: str) -> str:
        """For tests outside an event loop."""
        return run(self.process.cli(command))

    def set_heartbeat(self, epoch_s: int) -> None:
        """What an engine does each second."""
        name = provision.heartbeat_variable(self.plan.tenant)
        self.cli(f"dialplan set global {name} {epoch_s}")

    def cel_rows(self) -> list[str]:
        try:
            return self.process.places.cel.read_text().splitlines()
        except FileNotFoundError:
            return []


def secrets_of(plan: Plan) -> dict[str, str]:
    """One password for all whose secret has a name, or who are a secret's name themselves."""
    names = [agent.secret or agent.id for agent in plan.agents]
    names += [trunk.secret for trunk in plan.trunks if trunk.secret]
    return dict.fromkeys(names, PASSWORD)


def make_site(root: Path, **changes: Any) -> provision.Site:  # noqa: ANN401 - fields of Site
    """A site on free ports. `changes` are fields of `provision.Site`."""
    values: dict[str, Any] = {
        "pbx": pbx(),
        "places": directories(root / "asterisk"),
        "sip_port": free_udp_port(),
        "http_port": free_port(socket.SOCK_STREAM),
        "ari_password": PASSWORD,
        # The telephones of most tests are dumb.
        "rtp_timeout_s": 0,
        "rtp_ports": free_udp_block(2_000),
        "qualify_trunk_s": 0,
    }
    return provision.Site(**values | changes)


def prepare(
    plan: Plan,
    root: Path,
    *,
    secrets: Mapping[str, str] | None = None,
    **changes: Any,  # noqa: ANN401 - fields of Site
) -> Running:
    """Written down, not started yet."""
    site = make_site(root, **changes)
    known = secrets_of(plan) if secrets is None else secrets
    # Not politely: a test run that is killed must leave nothing, whatever Asterisk is doing.
    process = AsteriskProcess(site.pbx, site.places, death_signal=signal.SIGKILL)
    process.write(provision.files(plan, site, known))
    return Running(process, site, plan, known)


@asynccontextmanager
async def asterisk_running(
    plan: Plan,
    root: Path,
    *,
    secrets: Mapping[str, str] | None = None,
    **changes: Any,  # noqa: ANN401 - fields of Site
) -> AsyncIterator[Running]:
    """For tests that have an event loop already."""
    running = prepare(plan, root, secrets=secrets, **changes)
    try:
        await running.process.start(promises=provision.promises(running.site))
        yield running
    finally:
        await running.process.stop()


@contextmanager
def asterisk(
    plan: Plan,
    root: Path,
    *,
    secrets: Mapping[str, str] | None = None,
    **changes: Any,  # noqa: ANN401 - fields of Site
) -> Iterator[Running]:
    """For tests and fixtures without an event loop."""
    running = prepare(plan, root, secrets=secrets, **changes)
    try:
        asyncio.run(running.process.start(promises=provision.promises(running.site)))
        yield running
    finally:
        run(running.process.stop())
