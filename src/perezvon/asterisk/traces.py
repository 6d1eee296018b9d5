"""What is kept of the wire for evidence: the names of the rings, and the ear for SIP.

Asterisk sends each SIP message and RTCP report as HEP over UDP (`hep.conf`); `Capture` hears them
in a thread and puts them into a ring, those of calls only: registrations and questions for a sign
of life are of no call, and the first carry passwords' digests. Nothing of this is in a call's
way: when nobody hears, Asterisk sends into the void.
"""

import hashlib
import re
import socket
from threading import Event, Thread
from typing import Final

import msgspec

from perezvon.asterisk import hep
from perezvon.runtime.ring import Ring

TRACE: Final = "ari"
"""Ring of the engine: see `ari.Trace` for the tags."""
WIRE: Final = "wire"
"""Ring of the capture. Tags: `S` a SIP message, `R` an RTCP report."""

HOST: Final = "127.0.0.1"
HEARD_S: Final = 0.5
STOP_S: Final = 2
RECEIVE_BYTES: Final = 4 * 1024 * 1024

_CALL_ID: Final = re.compile(
    rb"^(?:Call-ID|i)[ \t]*:[ \t]*([^\r\n]{1,256})", re.IGNORECASE | re.MULTILINE
)
_METHOD: Final = re.compile(rb"^CSeq[ \t]*:[ \t]*\d+[ \t]+([A-Z]+)", re.IGNORECASE | re.MULTILINE)
OF_NO_CALL: Final = frozenset(
    {b"REGISTER", b"OPTIONS", b"SUBSCRIBE", b"NOTIFY", b"PUBLISH", b"MESSAGE"}
)


def password(ari_password: str) -> str:
    """By which Asterisk is known to the capture; other programs may send to the port too."""
    return hashlib.blake2b(b"hep", key=ari_password.encode()[:64], digest_size=16).hexdigest()


class Capture:
    """Hears until `close`. `OSError` when the port cannot be had."""

    def __init__(self, port: int, known_by: str, ring: Ring) -> None:
        self._known_by = known_by
        self._ring = ring
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
            self._socket.settimeout(HEARD_S)
            self._socket.bind((HOST, port))
        except OSError:
            self._socket.close()
            raise
        self._stopped = Event()
        self._thread = Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        self._stopped.set()
        self._thread.join(STOP_S)
        self._socket.close()

    def _run(self) -> None:
        while True:
            try:
                datagram = self._socket.recv(hep.DATAGRAM_BYTES_MAX)
            except TimeoutError:
                # What has come before the end is kept.
                if self._stopped.is_set():
                    return
                continue
            except OSError:
                return
            packet = hep.parse(datagram, self._known_by)
            if packet is not None:
                self._keep(packet)

    def _keep(self, packet: hep.Packet) -> None:
        kept = {
            "at_us": packet.at_us,
            "source": packet.source,
            "target": packet.target,
            "correlation": packet.correlation,
        }
        if packet.protocol is hep.Protocol.RTCP:
            self._ring.put("R", msgspec.json.encode({**kept, "report": _text(packet.payload)}))
            return
        call_id, method = _CALL_ID.search(packet.payload), _METHOD.search(packet.payload)
        if call_id is None or method is None or method[1].upper() in OF_NO_CALL:
            return
        kept |= {"call_id": _text(call_id[1]).strip(), "text": _text(packet.payload)}
        self._ring.put("S", msgspec.json.encode(kept))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
