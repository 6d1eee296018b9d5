"""The watchdog's questions to a real Asterisk: who is silent is named, who is slow is not."""

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from perezvon.asterisk.ari import Address
from perezvon.asterisk.watchdog import Part, silent_parts
from tests.support.ari_proxy import AriProxy
from tests.support.asterisk import PASSWORD, Running, asterisk
from tests.support.plans import plan_of
from tests.support.ports import LOOPBACK, free_udp_port
from tests.support.sipp import until_now

pytestmark = [pytest.mark.asterisk, pytest.mark.xdist_group("watchdog")]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with asterisk(plan_of(callers_port=free_udp_port()), tmp_path_factory.mktemp("wd")) as one:
        yield one


def ask(running: Running, ari_port: int | None = None) -> set[Part]:
    address = Address(
        f"http://{LOOPBACK}:{ari_port or running.site.http_port}/ari",
        running.site.ari_user,
        PASSWORD,
        app="perezvon-t",
    )
    return set(asyncio.run(silent_parts(address, (LOOPBACK, running.sip_port))))


def test_an_asterisk_that_is_well_answers_everything_and_takes_us_for_no_stranger(
    running: Running,
) -> None:
    for _ in range(8):
        assert ask(running) == set()
    assert "No matching endpoint" not in (running.process.places.log / "messages").read_text()


def test_a_locked_registry_of_applications_is_named(running: Running) -> None:
    """What #2170 does: these two hang, all the rest works."""
    with AriProxy(running.site.http_port) as proxy:
        proxy.hold(lambda _, uri: uri == "applications" or uri.startswith("events"))
        assert ask(running, proxy.port) == {Part.APPLICATIONS, Part.SOCKET}
        proxy.release()
        assert ask(running, proxy.port) == set()


def test_an_asterisk_that_needs_nearly_two_seconds_is_slow_and_not_silent(running: Running) -> None:
    with AriProxy(running.site.http_port) as proxy:
        proxy.delay(1_800)
        assert ask(running, proxy.port) == set()


def all_stand_still(pid: int | None) -> bool:
    states = [
        task.read_text().rpartition(")")[2].split()[0]
        for task in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return bool(states) and set(states) == {"T"}


def test_a_frozen_asterisk_is_silent_altogether(running: Running) -> None:
    running.process.signal(signal.SIGSTOP)
    try:
        # A thread may run on for a moment, and answer.
        until_now(lambda: all_stand_still(running.process.pid), 5)
        assert ask(running) == set(Part)
    finally:
        running.process.signal(signal.SIGCONT)


def test_an_asterisk_that_is_not_there_is_silent_at_once(tmp_path: Path) -> None:
    with asterisk(plan_of(callers_port=free_udp_port()), tmp_path) as gone:
        gone.process.kill()
        assert ask(gone) == set(Part)
