"""From two WAVs of the switch to one stereo MP3: the agent on the left, the client on the right.

Read in blocks, so that a talk of hours takes no more memory than one of seconds. What was written
is read again and counted: the WAVs are removed on the strength of it.
"""

import os
import struct
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Self

import lameenc  # type: ignore[import-not-found] # it has no types

from perezvon.core.ids import Duration

HEADER_BYTES: Final = 44
"""Of a WAV of the switch in which nothing was recorded."""
RATES: Final = (8_000, 16_000)
LENGTH_S_MAX: Final = 24 * 3_600
BLOCK_S: Final = 10
KBITS: Final = 32
"""A second for both sides: 14 MB an hour."""
QUALITY: Final = 5
"""Of LAME: 0 is best, 9 fastest. Measured: 400 times faster than the talk; 2 takes three times as
long and is no better to hear at this rate."""
PEAKS_MAX: Final = 1_000
PEAKS_A_SECOND: Final = 10
DELAY_SAMPLES_MAX: Final = 4 * 1_152
"""What the coder puts before and behind."""


class NoSound(ValueError):  # noqa: N818 - says what is
    """Not a recording as the switch makes them: says why."""


@dataclass(frozen=True, slots=True)
class Wav:
    """Where the samples of a side are: 16 bits, one side."""

    path: Path
    rate: int
    offset: int
    length: int
    """Of the samples, in bytes."""


@dataclass(frozen=True, slots=True)
class Encoded:
    duration_ms: Duration
    size: int
    agent_peaks: bytes
    """The loudest of each stretch, 0 to 255; `PEAKS_MAX` at most."""
    client_peaks: bytes


def read_wav(path: Path) -> Wav:
    """`NoSound` unless it is one. A header that was never finished (the switch was killed) is
    taken for what it should have been.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(12)
        if len(head) < 12 or head[:4] != b"RIFF" or head[8:] != b"WAVE":  # noqa: PLR2004
            raise NoSound("not a WAV")
        rate = 0
        for _ in range(8):
            name, length = struct.unpack("<4sI", _exactly(file, 8))
            if name == b"fmt ":
                kind, sides, rate, _, _, bits = struct.unpack("<HHIIHH", _exactly(file, 16))
                if (kind, sides, bits) != (1, 1, 16) or rate not in RATES:
                    raise NoSound(f"format {kind}, {sides} sides, {rate} Hz, {bits} bits")
                file.seek(max(0, length - 16), os.SEEK_CUR)
            elif name == b"data":
                rest = size - file.tell()
                length = length if 0 < length <= rest else rest
                if not rate or length > LENGTH_S_MAX * rate * 2:
                    raise NoSound("without a format, or longer than a day")
                return Wav(path, rate, file.tell(), length - length % 2)
            else:
                file.seek(length, os.SEEK_CUR)
    raise NoSound("no samples in the first chunks")


def _exactly(file: BinaryIO, count: int) -> bytes:
    read = file.read(count)
    if len(read) < count:
        raise NoSound("it ends within its header")
    return read


def encode(agent: Wav | None, client: Wav | None, target: BinaryIO) -> Encoded:
    """A side that is missing is silent, the shorter one too when it is over."""
    sides = [wav for wav in (agent, client) if wav is not None]
    rate = sides[0].rate
    if any(wav.rate != rate for wav in sides):
        raise NoSound("the two sides have different rates")
    encoder = lameenc.Encoder()
    encoder.silence()
    encoder.set_in_sample_rate(rate)
    encoder.set_out_sample_rate(rate)
    encoder.set_bit_rate(KBITS)
    encoder.set_channels(2)
    encoder.set_quality(QUALITY)
    peaks: tuple[list[int], list[int]] = ([], [])
    samples = 0
    with ExitStack() as files:
        left, right = (files.enter_context(_Samples(wav)) for wav in (agent, client))
        while True:
            both = (left.block(rate * BLOCK_S), right.block(rate * BLOCK_S))
            count = max(len(side) for side in both)
            if not count:
                break
            stereo = array("h", bytes(4 * count))
            for place, side in enumerate(both):
                side.frombytes(bytes(2 * (count - len(side))))
                stereo[place::2] = side
                peaks[place].extend(_peaks(side, rate // PEAKS_A_SECOND))
            samples += count
            target.write(encoder.encode(stereo.tobytes()))
        target.write(encoder.flush())
    target.flush()
    duration_ms = samples * 1_000 // rate
    return Encoded(duration_ms, target.tell(), *(_drawn(side) for side in peaks))


class _Samples:
    """The samples of a side, block by block; none of a side that is missing."""

    def __init__(self, wav: Wav | None) -> None:
        self._left = 0 if wav is None else wav.length
        self._file = None if wav is None else wav.path.open("rb")
        if wav is not None and self._file is not None:
            self._file.seek(wav.offset)

    def block(self, count: int) -> "array[int]":
        read = b""
        if self._file is not None:
            read = self._file.read(min(2 * count, self._left))
            self._left -= len(read)
        # A file that became shorter meanwhile may end in half a sample.
        return array("h", read[: len(read) - len(read) % 2])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


def _peaks(samples: "array[int]", each: int) -> Iterator[int]:
    for at in range(0, len(samples), each):
        part = samples[at : at + each]
        highest, lowest = max(part), min(part)
        yield min(255, max(highest, -lowest) >> 7)


def _drawn(peaks: list[int]) -> bytes:
    """As many as are drawn at most, each the loudest of its stretch."""
    each = -(-len(peaks) // PEAKS_MAX) or 1
    return bytes(max(peaks[at : at + each]) for at in range(0, len(peaks), each))


BITRATES: Final = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""kbit/s of layer III by index; of MPEG-1, and of the lower rates of MPEG-2 and 2.5."""
MPEG_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000)} | {
    0: (11_025, 12_000, 8_000)
}


def duration_of_mp3(path: Path) -> Duration:
    """Counted frame by frame. `NoSound` when anything else is between them, or is missing."""
    samples, rate = 0, 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        at = 0
        while at < size:
            file.seek(at)
            length, of_frame, rate = _frame(file.read(4))
            at += length
            samples += of_frame
        if at != size or not rate:
            raise NoSound("an MP3 that ends within a frame")
    return samples * 1_000 // rate


def _frame(head: bytes) -> tuple[int, int, int]:
    """Its bytes, its samples, their rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:  # noqa: PLR2004 - of the format
        raise NoSound("not a frame of MP3")
    version, rate_index, bit_index = head[1] >> 3 & 3, head[2] >> 2 & 3, head[2] >> 4
    if version not in MPEG_RATES or rate_index > 2 or not 0 < bit_index < 15:  # noqa: PLR2004
        raise NoSound("not a frame of MP3")
    rate = MPEG_RATES[version][rate_index]
    is_first = version == 3  # noqa: PLR2004 - MPEG-1
    samples = 1_152 if is_first else 576
    bits = BITRATES[is_first][bit_index] * 1_000
    return samples // 8 * bits // rate + (head[2] >> 1 & 1), samples, rate


def check(path: Path, made: Encoded) -> None:
    """What lies on the disk is what was made; `NoSound` when not."""
    size = path.stat().st_size
    duration_ms = duration_of_mp3(path)
    more_ms = DELAY_SAMPLES_MAX * 1_000 // min(RATES)
    if size != made.size or not 0 <= duration_ms - made.duration_ms <= more_ms:
        raise NoSound(f"{duration_ms} ms in {size} bytes, instead of {made.duration_ms} ms")
