"""Asks a STUN or TURN server what a browser would ask it: is it there, does it take our secret?

As little of RFC 8489 and RFC 8656 as that takes. It blocks: to be called in a thread.
"""

import contextlib
import hashlib
import hmac
import os
import re
import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from perezvon.api.phone import turn_password

WAIT_S: Final = 2
TRIES: Final = 2
"""A datagram may be lost."""
NAME_S: Final = 60
MESSAGE_BYTES_MAX: Final = 2_048
HEADER: Final = struct.Struct("!HHI12s")
COOKIE: Final = 0x2112A442
BINDING, ALLOCATE, REFRESH = 0x0001, 0x0003, 0x0004
SUCCESS: Final = 0x0100
USERNAME, INTEGRITY, ERROR, LIFETIME = 0x0006, 0x0008, 0x0009, 0x000D
REALM, NONCE, TRANSPORT = 0x0014, 0x0015, 0x0019
UNAUTHORISED: Final = 401
UDP: Final = b"\x11\0\0\0"
INTEGRITY_BYTES: Final = 24
_PORT, _TLS_PORT = 3_478, 5_349
_URL: Final = re.compile(
    r"(stun|turn)(s?):(?:\[([^]]+)\]|([^:?]+))(?::(\d+))?(?:\?transport=(\w+))?"
)

Attributes: TypeAlias = Mapping[int, bytes]


class StunError(Exception):
    """Why a browser would get no help there."""


def ask_stun(url: str) -> None:
    """`StunError` unless it says how we are seen."""
    with _connection(url) as ask:
        kind, _ = ask(BINDING, {})
    if kind != BINDING | SUCCESS:
        raise StunError("refuses to say how it sees us")


def ask_turn(url: str, secret: str, now_s: int) -> None:
    """`StunError` unless it lends us a relay, which is given back at once."""
    with _connection(url) as ask:
        kind, told = ask(ALLOCATE, {TRANSPORT: UDP})
        if REALM not in told or NONCE not in told:
            answer = "lends to anybody, without a secret" if kind & SUCCESS else "is no TURN server"
            raise StunError(answer)
        name = f"{now_s + NAME_S}:doctor"
        key = _key(name, told[REALM], turn_password(secret, name))
        signed = {USERNAME: name.encode(), REALM: told[REALM], NONCE: told[NONCE]}
        kind, told = ask(ALLOCATE, {TRANSPORT: UDP, **signed}, key)
        if kind != ALLOCATE | SUCCESS:
            code = _code(told)
            reason = "does not take our turn_secret" if code == UNAUTHORISED else f"error {code}"
            raise StunError(reason)
        ask(REFRESH, {LIFETIME: b"\0\0\0\0", **signed}, key)


class _Asker:
    def __init__(self, peer: socket.socket, *, stream: bool) -> None:
        self._peer = peer
        self._stream = stream

    def __call__(
        self, kind: int, attributes: Attributes, key: bytes = b""
    ) -> tuple[int, dict[int, bytes]]:
        """What is answered, and of which kind."""
        transaction = os.urandom(12)
        question = _message(kind, transaction, attributes, key)
        for _ in range(1 if self._stream else TRIES):
            self._peer.sendall(question)
            with contextlib.suppress(TimeoutError):
                return _read(self._receive(), transaction)
        raise StunError("does not answer")

    def _receive(self) -> bytes:
        if not self._stream:
            return self._peer.recv(MESSAGE_BYTES_MAX)
        head = self._exactly(HEADER.size)
        return head + self._exactly(min(HEADER.unpack(head)[1], MESSAGE_BYTES_MAX))

    def _exactly(self, count: int) -> bytes:
        content = b""
        while len(content) < count:
            part = self._peer.recv(count - len(content))
            if not part:
                raise StunError("hangs up")
            content += part
        return content


@contextlib.contextmanager
def _connection(url: str) -> Iterator[_Asker]:
    found = _URL.fullmatch(url)
    assert found is not None, "settings let no other through"
    _, encrypted, in_brackets, plain, port, way = found.groups()
    host = in_brackets or plain
    stream = bool(encrypted) or way == "tcp"
    kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
    try:
        address = (host, int(port or (_TLS_PORT if encrypted else _PORT)))
        family, _, _, _, where = socket.getaddrinfo(*address, type=kind)[0]
        with contextlib.ExitStack() as stack:
            peer = stack.enter_context(socket.socket(family, kind))
            peer.settimeout(WAIT_S)
            peer.connect(where)
            if encrypted:
                trust = ssl.create_default_context()
                peer = stack.enter_context(trust.wrap_socket(peer, server_hostname=host))
            yield _Asker(peer, stream=stream)
    except TimeoutError as error:
        raise StunError("does not answer") from error
    except OSError as error:
        raise StunError(error.strerror or str(error)) from error


def _message(kind: int, transaction: bytes, attributes: Attributes, key: bytes) -> bytes:
    body = b"".join(_attribute(number, value) for number, value in attributes.items())
    if key:
        # What is signed counts the signature in its length already.
        head = HEADER.pack(kind, len(body) + INTEGRITY_BYTES, COOKIE, transaction)
        body += _attribute(INTEGRITY, hmac.new(key, head + body, hashlib.sha1).digest())
    return HEADER.pack(kind, len(body), COOKIE, transaction) + body


def _attribute(number: int, value: bytes) -> bytes:
    return struct.pack("!HH", number, len(value)) + value + b"\0" * (-len(value) % 4)


def _read(message: bytes, transaction: bytes) -> tuple[int, dict[int, bytes]]:
    if len(message) < HEADER.size:
        raise StunError("answers something else")
    kind, _, cookie, whose = HEADER.unpack_from(message)
    if cookie != COOKIE or whose != transaction:
        raise StunError("answers something else")
    told, place = {}, HEADER.size
    while place + 4 <= len(message):
        number, length = struct.unpack_from("!HH", message, place)
        told[number] = message[place + 4 : place + 4 + length]
        place += 4 + length + (-length % 4)
    return kind, told


def _code(told: Attributes) -> int:
    error = told.get(ERROR, b"\0\0\0\0")
    return error[2] * 100 + error[3] if len(error) >= 4 else 0  # noqa: PLR2004 - of its head


def _key(name: str, realm: bytes, password: str) -> bytes:
    whole = name.encode() + b":" + realm + b":" + password.encode()
    return hashlib.md5(whole, usedforsecurity=False).digest()
