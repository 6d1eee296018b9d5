"""Free ports on the loopback, so that runs beside one another never meet."""

import random
import socket

LOOPBACK = "127.0.0.1"


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody has at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


def free_udp_port() -> int:
    return free_port(socket.SOCK_DGRAM)


def free_udp_block(size: int) -> tuple[int, int]:
    """First and last of so many neighbouring ports, of which some were tried."""
    for _ in range(100):
        first = random.randrange(10_000, 32_000 - size, 2)
        if all(_is_free(port) for port in range(first, first + size, max(1, size // 50))):
            return first, first + size - 1
    raise AssertionError("no free block of ports")


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
