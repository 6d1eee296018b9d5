"""HEP version 3, by which Asterisk hands out copies of SIP messages and RTCP reports.

A datagram is `HEP3`, its length, and chunks of (vendor, type, length, value). It comes from the
loopback, where any program may send: whatever is malformed is None, never a failure.
"""

import hmac
import ipaddress
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

MAGIC: Final = b"HEP3"
HEADER: Final = struct.Struct(">HHH")
CHUNKS_MAX: Final = 64
"""Asterisk sends fourteen."""
DATAGRAM_BYTES_MAX: Final = 65_535

GENERIC: Final = 0
"""The vendor whose types are these."""


class Chunk(IntEnum):
    SOURCE_4, TARGET_4, SOURCE_6, TARGET_6 = 0x03, 0x04, 0x05, 0x06
    SOURCE_PORT, TARGET_PORT = 0x07, 0x08
    SECONDS, MICROSECONDS = 0x09, 0x0A
    PROTOCOL = 0x0B
    PASSWORD = 0x0E
    PAYLOAD = 0x0F
    CORRELATION = 0x11


class Protocol(IntEnum):
    SIP = 1
    RTCP = 5
    """As JSON."""


LENGTHS: Final = {
    Chunk.SOURCE_4: 4, Chunk.TARGET_4: 4, Chunk.SOURCE_6: 16, Chunk.TARGET_6: 16,
    Chunk.SOURCE_PORT: 2, Chunk.TARGET_PORT: 2, Chunk.SECONDS: 4, Chunk.MICROSECONDS: 4,
    Chunk.PROTOCOL: 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Packet:
    at_us: int
    source: str
    """Host and port, `127.0.0.1:5060`."""
    target: str
    protocol: Protocol
    correlation: str
    """Call-ID."""
    payload: bytes


def parse(datagram: bytes, password: str) -> Packet | None:
    """None for what is not whole, not of a protocol of ours, or without the password."""
    chunks = _chunks(datagram)
    if chunks is None or not hmac.compare_digest(
        chunks.get(Chunk.PASSWORD, b""), password.encode()
    ):
        return None
    try:
        protocol = Protocol(_number(chunks, Chunk.PROTOCOL))
        source = _address(chunks, Chunk.SOURCE_4, Chunk.SOURCE_6, Chunk.SOURCE_PORT)
        target = _address(chunks, Chunk.TARGET_4, Chunk.TARGET_6, Chunk.TARGET_PORT)
        at_us = _number(chunks, Chunk.SECONDS) * 1_000_000 + _number(chunks, Chunk.MICROSECONDS)
        payload = chunks[Chunk.PAYLOAD]
    except (KeyError, ValueError):
        return None
    correlation = chunks.get(Chunk.CORRELATION, b"").decode("utf-8", "replace")
    return Packet(at_us, source, target, protocol, correlation, payload)


def _chunks(datagram: bytes) -> dict[int, bytes] | None:
    """By type; None when the lengths do not agree."""
    if len(datagram) < HEADER.size or datagram[:4] != MAGIC:
        return None
    if int.from_bytes(datagram[4:6]) != len(datagram):
        return None
    chunks: dict[int, bytes] = {}
    at = HEADER.size
    while at < len(datagram):
        if len(datagram) - at < HEADER.size or len(chunks) >= CHUNKS_MAX:
            return None
        vendor, kind, length = HEADER.unpack_from(datagram, at)
        if length < HEADER.size or at + length > len(datagram):
            return None
        if vendor == GENERIC:
            chunks[kind] = datagram[at + HEADER.size : at + length]
        at += length
    if any(kind in chunks and len(chunks[kind]) != length for kind, length in LENGTHS.items()):
        return None
    return chunks


def _number(chunks: dict[int, bytes], kind: Chunk) -> int:
    return int.from_bytes(chunks[kind])


def _address(chunks: dict[int, bytes], four: Chunk, six: Chunk, port: Chunk) -> str:
    host = chunks.get(four)
    if host is not None:
        return f"{ipaddress.IPv4Address(host)}:{_number(chunks, port)}"
    return f"[{ipaddress.IPv6Address(chunks[six])}]:{_number(chunks, port)}"
