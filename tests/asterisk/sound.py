"""The sound of a test's telephone: sends a tone over RTP, and tells which tones it hears."""

import asyncio
import math
import struct
from collections import deque

RATE = 8_000
FRAME = 160
"""Samples of 20 ms."""

HEARD_FRAMES = 15
"""So many of the newest frames are listened to: 0.3 s."""

LOUD = 6_000
HEARD_SHARE = 0.1
"""A tone is heard when its strength is a tenth of what we send at least; noise of the codec is a
hundredth of it.
"""


class Sound(asyncio.DatagramProtocol):
    """`hz` 0: silence is sent. None: nothing is sent at all."""

    def __init__(self, hz: int | None = 0) -> None:
        self.hz = hz
        self.port = 0
        self.frames: deque[bytes] = deque(maxlen=HEARD_FRAMES)
        self.heard_count = 0
        self._to: tuple[str, int] | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> "Sound":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", 0)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        self._task = asyncio.create_task(self._send())
        return self

    def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.close()

    def talk_to(self, sdp: str) -> None:
        """Where the other side wants its sound, in its own words."""
        for line in sdp.splitlines():
            if line.startswith("m=audio "):
                self._to = ("127.0.0.1", int(line.split()[1]))

    def datagram_received(self, data: bytes, _: tuple[str, int]) -> None:
        if len(data) == 12 + FRAME and data[1] & 0x7F == 0:
            self.frames.append(data[12:])
            self.heard_count += 1

    def strength(self, hz: int) -> float:
        """How loud this tone is in what was heard last, as a share of how loud we send ours."""
        samples = [_LINEAR[byte] for frame in self.frames for byte in frame]
        if len(samples) < HEARD_FRAMES * FRAME:
            return 0.0
        factor = 2 * math.cos(2 * math.pi * hz / RATE)
        last = before = 0.0
        for sample in samples:
            last, before = sample + factor * last - before, last
        power = last * last + before * before - factor * last * before
        return math.sqrt(max(0.0, power)) / (len(samples) / 2) / LOUD

    def hears(self, hz: int) -> bool:
        return self.strength(hz) >= HEARD_SHARE

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        began_at, count = loop.time(), 0
        while True:
            if self._to is not None and self._transport is not None and self.hz is not None:
                head = struct.pack("!BBHII", 0x80, 0, count & 0xFFFF, count * FRAME, 0x7E57)
                self._transport.sendto(head + self._frame(count), self._to)
            count += 1
            await asyncio.sleep(max(0.0, began_at + count * FRAME / RATE - loop.time()))

    def _frame(self, count: int) -> bytes:
        step = 2 * math.pi * (self.hz or 0) / RATE
        first = count * FRAME
        return bytes(_ulaw(round(LOUD * math.sin(step * (first + at)))) for at in range(FRAME))


def _linear(byte: int) -> int:
    """G.711, as in its tables."""
    inverted = ~byte & 0xFF
    size = (((inverted & 0x0F) << 3) + 0x84) << ((inverted & 0x70) >> 4)
    return (0x84 - size) if inverted & 0x80 else (size - 0x84)


_LINEAR = [_linear(byte) for byte in range(256)]


def _ulaw(sample: int) -> int:
    size = min(abs(sample) + 0x84, 0x7FFF)
    exponent = size.bit_length() - 8
    mantissa = (size >> (exponent + 3)) & 0x0F
    return ~((0x80 if sample < 0 else 0) | (exponent << 4) | mantissa) & 0xFF
