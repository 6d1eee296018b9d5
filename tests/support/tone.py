"""Tones that tell who is heard: made, sent as a microphone or by RTP, and recognised.

    with Ear(440) as ear:                         # a caller's end: `Call(..., ear=ear.port)`
        ...
        assert ear.hears(700)

A tone comes and goes twice a second: one that stands still is noise to a browser, and taken out.
"""

import math
import socket
import struct
import threading
import time
import wave
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import LOOPBACK

RATE = 8_000
PACKET = 160
"""Samples of a packet: 20 ms."""
PART_S = 0.25
"""So long there is a tone, and so long there is none."""
LOUD = 8_000
PCMA, KEY = 8, 101
KEYS = "0123456789*#"
KEPT = 100
"""Packets that an ear remembers: two seconds."""


def tone(hertz: float, seconds: float = 2 * PART_S, rate: int = RATE) -> list[int]:
    """Samples of 16 bits; they may be repeated without a click."""
    loud = int(PART_S * rate)
    return [
        int(LOUD * math.sin(2 * math.pi * hertz * place / rate)) if place % (2 * loud) < loud else 0
        for place in range(int(seconds * rate))
    ]


def write_wave(path: Path, hertz: float, rate: int = 48_000) -> Path:
    """As a browser takes it for its microphone."""
    samples = tone(hertz, 8 * PART_S, rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return path


def share(samples: list[int], hertz: float, rate: int = RATE) -> float:
    """How much of the power is this tone's, by Goertzel: 1 when it is all there is."""
    power = sum(sample * sample for sample in samples)
    if not power:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    found = last * last + before * before - turn * last * before
    return 2 * found / (power * len(samples))


def to_alaw(sample: int) -> int:
    """G.711."""
    sign, size = (0x80, sample) if sample >= 0 else (0, -sample - 1)
    size = min(size, 32_767) >> 4
    segment = max(0, size.bit_length() - 5)
    low = (size >> 1 if segment == 0 else size >> segment) & 0x0F
    return (sign | segment << 4 | low) ^ 0x55


def from_alaw(byte: int) -> int:
    byte ^= 0x55
    segment, low = (byte >> 4) & 7, byte & 0x0F
    size = (low << 4) + 8 if segment == 0 else ((low << 4) + 0x108) << (segment - 1)
    return size if byte & 0x80 else -size


DECODED = [from_alaw(byte) for byte in range(256)]


class Ear:
    """A caller's end of the sound: hears what comes, and speaks to where it came from."""

    def __init__(self, hertz: float) -> None:
        self.hertz = hertz
        self._payload = bytes(map(to_alaw, tone(hertz)))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._socket.settimeout(PACKET / RATE)
        self.port: int = self._socket.getsockname()[1]
        self.received = 0
        self.sent = 0
        self.keys = ""
        """What was pressed on the other side's keypad."""
        self._key_at: bytes = b""
        self._heard: deque[bytes] = deque(maxlen=KEPT)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._live, name="Ear")

    def hears(self, hertz: float) -> bool:
        """Whether the last two seconds had this tone in them."""
        parts = list(self._heard)
        groups = [b"".join(parts[at : at + 5]) for at in range(0, len(parts) - 4, 5)]
        return any(share([DECODED[byte] for byte in one], hertz) > 0.5 for one in groups)

    def forget(self) -> None:
        """What was heard so far counts no more."""
        self._heard.clear()

    def _live(self) -> None:
        # Asterisk is where its first packet came from; it learns us by our SDP.
        peer: tuple[str, int] | None = None
        send_at = time.monotonic()
        while not self._stopped.is_set():
            try:
                data, peer = self._socket.recvfrom(2_048)
                if data[1] & 0x7F == PCMA:
                    self.received += 1
                    self._heard.append(data[12:])
                elif data[1] & 0x7F == KEY and data[4:8] != self._key_at:
                    # Each press is told in several packets of one time.
                    self._key_at = data[4:8]
                    self.keys += KEYS[data[12]]
            except TimeoutError:
                pass
            while peer is not None and time.monotonic() >= send_at:
                send_at = max(send_at + PACKET / RATE, time.monotonic() - 0.2)
                self._speak(peer)

    def _speak(self, peer: tuple[str, int]) -> None:
        at = self.sent * PACKET
        head = struct.pack(">BBHII", 0x80, PCMA, self.sent & 0xFFFF, at & 0xFFFFFFFF, 1)
        place = at % len(self._payload)
        self._socket.sendto(head + self._payload[place : place + PACKET], peer)
        self.sent += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._stopped.set()
        self._thread.join()
        self._socket.close()
