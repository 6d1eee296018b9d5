"""Copies of SIP: a packet is understood whole or not at all, and only calls are kept."""

import json
import random
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from perezvon.asterisk.hep import CHUNKS_MAX, Protocol, parse
from perezvon.asterisk.traces import WIRE, Capture
from perezvon.runtime import ring
from tests.support.sipp import until_now

SECRET = "known-by"
INVITE = b"INVITE sip:1@h SIP/2.0\r\nCall-ID: c1@h\r\nCSeq: 1 INVITE\r\n\r\n"


def chunk(kind: int, value: bytes, vendor: int = 0) -> bytes:
    return struct.pack(">HHH", vendor, kind, len(value) + 6) + value


def packet(
    payload: bytes = INVITE, *, protocol: int = 1, secret: str = SECRET, more: bytes = b""
) -> bytes:
    body = b"".join(
        (
            chunk(0x03, bytes((127, 0, 0, 1))),
            chunk(0x04, bytes((10, 0, 0, 2))),
            chunk(0x07, struct.pack(">H", 5060)),
            chunk(0x08, struct.pack(">H", 5062)),
            chunk(0x09, struct.pack(">I", 1_795_325_568)),
            chunk(0x0A, struct.pack(">I", 224_001)),
            chunk(0x0B, bytes((protocol,))),
            chunk(0x0E, secret.encode()),
            chunk(0x11, b"c1@h"),
            more,
            chunk(0x0F, payload),
        )
    )
    return b"HEP3" + struct.pack(">H", len(body) + 6) + body


def test_a_packet_says_who_sent_what_to_whom_and_when() -> None:
    found = parse(packet(), SECRET)
    assert found is not None
    assert (found.source, found.target) == ("127.0.0.1:5060", "10.0.0.2:5062")
    assert found.at_us == 1_795_325_568_224_001
    assert found.protocol is Protocol.SIP
    assert found.correlation == "c1@h"
    assert found.payload == INVITE


@pytest.mark.parametrize(
    "datagram",
    [
        b"",
        b"HEP3",
        b"HEP2" + packet()[4:],
        packet()[:-1],
        packet() + b"x",
        packet(secret="another"),
        packet(protocol=99),
        packet(more=chunk(0x07, b"\x01")),
        packet(more=b"\x00\x00\x00\x2f\x00\x00"),
        packet(more=b"".join(chunk(kind, b"") for kind in range(100, 101 + CHUNKS_MAX))),
    ],
    ids=[
        "empty", "no length", "another version", "cut", "too long", "no password",
        "unknown protocol", "short port", "chunk of no length", "too many chunks",
    ],
)  # fmt: skip
def test_what_is_malformed_is_left_out(datagram: bytes) -> None:
    assert parse(datagram, SECRET) is None


def test_no_noise_is_a_failure() -> None:
    chance = random.Random(9)
    whole = packet()
    for _ in range(5_000):
        spoilt = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        parse(bytes(spoilt[: chance.randrange(len(spoilt) + 1)]), SECRET)


@contextmanager
def capturing(folder: Path) -> Iterator[socket.socket]:
    kept = ring.Ring(folder, WIRE, bytes_max=1_000_000)
    capture = Capture(0, SECRET, kept)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", capture.port))
        try:
            yield sender
        finally:
            capture.close()
            kept.close()


def heard(folder: Path) -> list[ring.Entry]:
    return list(ring.read(folder, WIRE, 0, 1 << 62))


def test_messages_of_calls_are_kept_and_registrations_are_not(tmp_path: Path) -> None:
    register = INVITE.replace(b"INVITE", b"REGISTER") + b"Authorization: Digest canary"
    with capturing(tmp_path) as sender:
        for one in (register, INVITE.replace(b"INVITE", b"OPTIONS"), b"\r\n", INVITE):
            sender.send(packet(one))
        sender.send(packet(b'{"report_blocks":[]}', protocol=5))
        until_now(lambda: len(heard(tmp_path)) >= 2, 10)
    entries = heard(tmp_path)
    assert [entry.tag for entry in entries] == ["S", "R"]
    assert json.loads(entries[0].data)["call_id"] == "c1@h"
    assert json.loads(entries[0].data)["text"] == INVITE.decode()
    assert not any(b"canary" in path.read_bytes() for path in tmp_path.iterdir())
