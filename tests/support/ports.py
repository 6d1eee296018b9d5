"""Free ports on the loopback, so that runs beside one another never meet.

Below those that the system gives to whoever asks for any: a program that a test starts a while
later would find its port taken by a browser's sound.
"""

import itertools
import os
import random
import socket

LOOPBACK = "127.0.0.1"
BLOCKS, SINGLE = (10_000, 24_000), (24_000, 32_000)
"""No port lies within a block of another call: settings refuse one within the sound's."""
WORKERS = 8
"""Of one run, each with single ports of its own."""

_SIZE = (SINGLE[1] - SINGLE[0]) // WORKERS
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
_TURNS = itertools.count(random.randrange(_SIZE))


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody has at this moment. One that was given, and may not be in use yet, comes
    again last.
    """
    for turn in itertools.islice(_TURNS, 100):
        port = SINGLE[0] + _WORKER * _SIZE + turn % _SIZE
        if _is_free(port, kind):
            return port
    raise AssertionError("no free port")


def free_udp_port() -> int:
    return free_port(socket.SOCK_DGRAM)


def free_udp_block(size: int) -> tuple[int, int]:
    """First and last of so many neighbouring ports, of which some were tried."""
    for _ in range(100):
        first = random.randrange(BLOCKS[0], BLOCKS[1] - size, 2)
        if all(_is_free(port) for port in range(first, first + size, max(1, size // 50))):
            return first, first + size - 1
    raise AssertionError("no free block of ports")


def _is_free(port: int, kind: socket.SocketKind = socket.SOCK_DGRAM) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
