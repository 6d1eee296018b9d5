"""The rules of `tests/conftest.py` bite."""

import socket
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).parents[1] / "conftest.py"


def test_a_connection_to_the_outside_is_refused() -> None:
    with (
        socket.socket() as sock,
        pytest.raises(RuntimeError, match="stay on this machine"),
    ):
        sock.connect(("192.0.2.1", 80))


def test_a_datagram_to_the_outside_is_refused() -> None:
    with (
        socket.socket(type=socket.SOCK_DGRAM) as sock,
        pytest.raises(RuntimeError, match="stay on this machine"),
    ):
        sock.sendto(b"x", ("192.0.2.1", 5060))


def test_a_name_of_the_outside_is_not_even_looked_up() -> None:
    with pytest.raises(RuntimeError, match="stay on this machine"):
        socket.getaddrinfo("example.invalid", 80)


def test_traffic_inside_this_machine_goes_on() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        client.sendall(b"x")
        peer, _ = server.accept()
        with peer:
            assert peer.recv(1) == b"x"


def _outcomes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, **sources: str
) -> dict[str, int]:
    monkeypatch.setenv("CI", ci)
    pytester.makeconftest(CONFTEST.read_text().replace("GRACE_S = 3.0", "GRACE_S = 0.1"))
    pytester.makepyfile(**{f"test_{name}": source for name, source in sources.items()})
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--continue-on-collection-errors")
    return run.parseoutcomes()


SKIPS = "import pytest\ndef test_it(): pytest.skip('no switch here')"
SKIPS_ALL = "import pytest\npytest.skip('no switch', allow_module_level=True)"
LEAVES_A_THREAD = """
    import threading
    def test_it():
        threading.Thread(target=threading.Event().wait, daemon=True).start()
"""
LEAVES_A_CHILD = """
    import subprocess
    KEPT = []
    def test_it():
        KEPT.append(subprocess.Popen(["sleep", "2"]))
"""


def test_a_skip_of_a_test_or_of_a_module_is_a_failure_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes = _outcomes(pytester, monkeypatch, "true", it=SKIPS, all=SKIPS_ALL)
    assert outcomes == {"failed": 1, "errors": 1}


def test_a_skip_is_allowed_elsewhere_and_what_is_left_over_is_not(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"it": SKIPS, "all": SKIPS_ALL, "thread": LEAVES_A_THREAD, "child": LEAVES_A_CHILD}
    outcomes = _outcomes(pytester, monkeypatch, "", **files)
    assert outcomes == {"skipped": 2, "passed": 2, "errors": 2}


GROUPED = """
    import os
    import pytest
    pytestmark = pytest.mark.xdist_group("one")
    @pytest.mark.parametrize("name", ["a", "b[1]", "c@d", "e"])
    def test_it(name):
        with open(os.environ["WORKERS"], "a") as seen:
            seen.write(os.environ["PYTEST_XDIST_WORKER"] + " ")
"""


def test_a_group_runs_on_one_worker(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = tmp_path / "workers"
    monkeypatch.setenv("WORKERS", str(seen))
    monkeypatch.setenv("CI", "")
    pytester.makeconftest(CONFTEST.read_text())
    pytester.makeini("[pytest]\nmarkers = asterisk: a real one")
    pytester.makepyfile(GROUPED)
    options = ("-n", "2", "--dist", "loadgroup")
    run = pytester.runpytest_subprocess("-p", "no:cacheprovider", *options)
    assert run.parseoutcomes() == {"passed": 4}
    assert len(set(seen.read_text().split())) == 1
