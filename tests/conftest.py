"""Rules that every test obeys unasked: no traffic outside, nothing left over, no skips in CI.

A test that needs the outside world, leaves a thread or a child behind, or quietly skips where
everything is installed would make the whole run worth less; so none of it depends on discipline.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Generator, Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest
from _pytest.nodeid import NodeId
from hypothesis import settings

IN_CI = os.environ.get("CI") == "true"
GRACE_S = 3.0
"""How long a thread or a child may take to end after its test."""

# Two busy cores make any limit on one example a source of flaky tests.
settings.register_profile("perezvon", deadline=None, print_blob=True, derandomize=IN_CI)
settings.load_profile("perezvon")

# Settings of whoever runs the tests are not the tests' own: a test sets those that it needs.
for _name in [name for name in os.environ if name.startswith("PEREZVON_")]:
    if not _name.startswith("PEREZVON_DST_"):  # no setting: which worlds tests/dst shall judge
        del os.environ[_name]


class OutsideTrafficError(RuntimeError):
    """A test tried to reach something that is not this machine."""


def is_loopback(host: object) -> bool:
    """Names other than localhost are refused too: resolving them is traffic already."""
    if host in ("localhost", "", None, b"localhost", b""):
        return True
    try:
        return ip_address(host.decode() if isinstance(host, bytes) else str(host)).is_loopback
    except ValueError:
        return False


def _forbid_outside(event: str, args: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"):
        sock, address = args[0], args[1]
        if not isinstance(sock, socket.socket) or not isinstance(address, tuple):
            return
        if sock.family not in (socket.AF_INET, socket.AF_INET6):
            return
        if not is_loopback(address[0]):
            message = f"{event} to {address[0]}: tests stay on this machine"
            raise OutsideTrafficError(message)
    elif event == "socket.getaddrinfo" and not is_loopback(args[0]):
        message = f"looking up {args[0]!r}: tests stay on this machine"
        raise OutsideTrafficError(message)


# An audit hook sees every socket of this process, whoever opens it, and no library can undo it.
sys.addaudithook(_forbid_outside)


def _children() -> dict[int, str]:
    """Living children of this process by id, with their command lines."""
    found: dict[int, str] = {}
    for listing in Path("/proc/self/task").glob("*/children"):
        try:
            pids = [int(word) for word in listing.read_text().split()]
        except OSError:  # that thread ended while we looked
            continue
        for pid in pids:
            try:
                state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
                command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:  # and so did that child
                continue
            # One that has ended waits to be collected. multiprocessing keeps one helper of its
            # own until this process ends.
            if state != "Z" and "multiprocessing" not in command:
                found[pid] = command
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left_over() -> Iterator[None]:
    threads_before = set(threading.enumerate())
    children_before = set(_children())
    yield
    until = time.monotonic() + GRACE_S
    for thread in set(threading.enumerate()) - threads_before:
        thread.join(max(0.0, until - time.monotonic()))
    threads = [t.name for t in set(threading.enumerate()) - threads_before]
    assert not threads, f"threads left over: {threads}"
    while (left := {p: c for p, c in _children().items() if p not in children_before}) and (
        time.monotonic() < until
    ):
        threading.Event().wait(0.02)
    assert not left, f"children left over: {left}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    excused = hasattr(report, "wasxfail") or item.get_closest_marker("samples") is not None
    if IN_CI and report.skipped and not excused:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests with a real Asterisk run one after another, on one worker, unless their file names a
    group of its own: such a long story may run beside them. More at a time would starve each
    other of the two cores, and a telephone that answers late is a failed test.
    """
    for item in items:
        if item.get_closest_marker("asterisk") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("asterisk"))
        group = item.get_closest_marker("xdist_group")
        if group is not None and config.getoption("loadgroup", default=False):
            # xdist 3.8 writes it where pytest 9.2 no longer reads the name of a test, and each
            # would run on whichever worker is free.
            item._id = NodeId.parse(f"{item.nodeid}@{group.args[0]}")
