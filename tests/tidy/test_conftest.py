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
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, ci: str, source: str
) -> dict[str, int]:
    monkeypatch.setenv("CI", ci)
    pytester.makeconftest(CONFTEST.read_text().replace("GRACE_S = 3.0", "GRACE_S = 0.1"))
    pytester.makepyfile(source)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    return result.parseoutcomes()


SKIPS = "import pytest\ndef test_it(): pytest.skip('no switch here')"
SKIPS_ALL = "import pytest\npytest.skip('no switch', allow_module_level=True)"


def test_a_skip_is_a_failure_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _outcomes(pytester, monkeypatch, "true", SKIPS) == {"failed": 1}


def test_a_skipped_module_is_a_failure_in_ci(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _outcomes(pytester, monkeypatch, "true", SKIPS_ALL).keys() & {"error", "errors"}


def test_a_skip_is_allowed_elsewhere(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _outcomes(pytester, monkeypatch, "", SKIPS) == {"skipped": 1}


def test_a_thread_left_over_is_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import threading
        def test_it():
            threading.Thread(target=threading.Event().wait, daemon=True).start()
    """
    assert _outcomes(pytester, monkeypatch, "", source).get("errors") == 1


def test_a_child_left_over_is_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import subprocess
        KEPT = []
        def test_it():
            KEPT.append(subprocess.Popen(["sleep", "2"]))
    """
    assert _outcomes(pytester, monkeypatch, "", source).get("errors") == 1
