"""The doctor asks STUN and TURN servers: a real coturn, told what the guide says; worse ones."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perezvon.bootstrap.stun import StunError, ask_stun, ask_turn
from tests.support.ports import LOOPBACK, free_udp_port
from tests.support.sipp import until_now
from tests.support.turn import SECRET, turn_server


def now_s() -> int:
    return round(time.time())


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with turn_server(tmp_path_factory.mktemp("turn"), LOOPBACK) as url:
        yield url


@contextmanager
def somebody_else(answer: bytes) -> Iterator[str]:
    """Who answers this to whatever comes."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as there:
        there.bind((LOOPBACK, 0))
        there.settimeout(10)

        def serve() -> None:
            _, peer = there.recvfrom(2_048)
            there.sendto(answer, peer)

        serving = threading.Thread(target=serve)
        serving.start()
        yield f"{LOOPBACK}:{there.getsockname()[1]}"
        serving.join()


@pytest.mark.parametrize("way", ["", "?transport=udp", "?transport=tcp"])
def test_a_server_that_knows_our_secret_is_well(turn: str, way: str) -> None:
    ask_stun(turn.replace("turn:", "stun:") + way)
    ask_turn(turn + way, SECRET, now_s())


def test_one_with_another_secret_is_told_of(turn: str) -> None:
    with pytest.raises(StunError, match="does not take our turn_secret"):
        ask_turn(turn, "another", now_s())


def test_a_name_that_is_over_is_not_taken(turn: str) -> None:
    with pytest.raises(StunError, match="does not take our turn_secret"):
        ask_turn(turn, SECRET, now_s() - 7_200)


def test_a_relay_is_given_back_at_once(tmp_path: Path) -> None:
    with turn_server(tmp_path, LOOPBACK, "--user-quota", "1") as turn:

        def is_lent() -> bool:
            try:
                ask_turn(turn, SECRET, now_s())
            except StunError:
                return False
            return True

        assert is_lent()
        # It takes coturn a second; one that is kept is taken away in ten minutes.
        until_now(is_lent, 30)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\1\1" + b"\0" * 18])
def test_what_is_no_such_server_is_told_of(answer: bytes) -> None:
    with somebody_else(answer) as host, pytest.raises(StunError, match="answers something else"):
        ask_stun(f"stun:{host}")


@pytest.mark.parametrize("way", ["", "?transport=tcp"])
def test_where_nobody_listens_is_told_of(way: str) -> None:
    with pytest.raises(StunError, match="refused"):
        ask_turn(f"turn:{LOOPBACK}:{free_udp_port()}{way}", SECRET, now_s())
