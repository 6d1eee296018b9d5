"""Ports of this machine: whether one is free, and which ones are."""

import socket

RTP_PORTS = 200
"""Of one private Asterisk: 100 legs at once."""
TRIES_MAX = 200


class PortTaken(Exception):  # noqa: N818 - the condition, as a person would call it
    """Somebody else listens there. `setting` is the key that chooses another one."""

    def __init__(self, port: int, setting: str) -> None:
        super().__init__(f"port {port} is taken: set PEREZVON_{setting.upper()}")
        self.port = port
        self.setting = setting


def is_free(port: int, host: str = "127.0.0.1", *, udp: bool = False) -> bool:
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if not udp:
            # A port whose last connection has just ended is free, as servers take it.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(*, udp: bool = False, hosts: tuple[str, ...] = ("127.0.0.1",)) -> int:
    """One that nobody has now, on all these addresses. Take it soon."""
    kind = socket.SOCK_DGRAM if udp else socket.SOCK_STREAM
    for _ in range(TRIES_MAX):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind((hosts[0], 0))
            port = int(probe.getsockname()[1])
            if all(is_free(port, host, udp=udp) for host in hosts[1:]):
                return port
    raise OSError("no free port on this machine")


def free_range(first: int, last: int, *, size: int = RTP_PORTS) -> int:
    """The start of `size` UDP ports between these of which the first and the last are free."""
    for start in range(first, last - size, size):
        if is_free(start, udp=True) and is_free(start + size - 1, udp=True):
            return start
    raise OSError(f"no {size} free UDP ports between {first} and {last}")
