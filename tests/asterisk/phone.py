"""A telephone in the test's own loop: enough SIP over UDP to ring, answer, refuse, call, hang up.

Unlike a SIPp scenario it does what the test tells it, at the moment it tells it, and keeps every
message it got. It is deaf and mute unless it is given a sound.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tests.asterisk.sound import Sound
from tests.support.patience import PATIENCE

T = TypeVar("T")

SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP {codecs}\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
)
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact"}


@dataclass
class Sip:
    """One message. Header names are lower case; a header's first value counts."""

    start: str
    headers: dict[str, str]
    vias: list[str]
    body: str = ""

    @property
    def method(self) -> str:
        return self.start.split(" ", 1)[0]

    @property
    def status(self) -> int:
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/2.0") else 0


def parse(data: bytes) -> Sip:
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    headers: dict[str, str] = {}
    vias: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        key = COMPACT.get(name.strip().lower(), name.strip().lower())
        if key == "via":
            vias.append(value.strip())
        headers.setdefault(key, value.strip())
    return Sip(start, headers, vias, body)


@dataclass
class Dialog:
    """One call as this telephone sees it."""

    phone: "Phone"
    peer: tuple[str, int]
    call_id: str
    ours: str
    theirs: str
    target: str
    invite: Sip | None = None
    """Set when we are the called one."""
    heard: list[Sip] = field(default_factory=list)
    answered: bool = False
    ended: bool = False
    reason: str = ""
    """The Reason header of the first that ended it."""
    reasons: dict[str, str] = field(default_factory=dict)
    """The Reason header of the CANCEL and of the BYE that came, empty without one."""
    answered_at: float = 0.0
    """When our 200 OK was sent, or theirs came; monotonic seconds."""
    branch: str = ""
    seq: int = 1

    def ring(self) -> None:
        self._respond(180, "Ringing")

    def answer(self) -> None:
        self.answered = True
        self._respond(200, "OK", sdp=True)
        if self.phone.sound is not None and self.invite is not None:
            self.phone.sound.talk_to(self.invite.body)
        self.answered_at = time.monotonic()

    def refuse(self, status: int) -> None:
        self.ended = True
        self._respond(status, "No")

    def hang_up(self) -> None:
        self.ended = True
        self.seq += 1
        self.phone.request(self, "BYE", self.seq)

    def press(self, digit: str) -> None:
        """By INFO, as telephones do that have no telephone events in their sound."""
        self.seq += 1
        body = f"Signal={digit}\r\nDuration=160\r\n"
        self.phone.request(self, "INFO", self.seq, body=body, kind="application/dtmf-relay")

    def refer(self, to: str) -> None:
        """Ask for a blind transfer."""
        self.seq += 1
        self.phone.request(self, "REFER", self.seq, headers=(f"Refer-To: <sip:{to}>",))

    def cancel(self) -> None:
        self.phone.request(self, "CANCEL", 1, branch=self.branch)

    async def status(self, status: int) -> Sip:
        """Wait for such an answer to our INVITE."""
        return await until(
            lambda: next((sip for sip in self.heard if sip.status == status), None),
        )

    def _respond(self, status: int, text: str, *, sdp: bool = False) -> None:
        assert self.invite is not None, "we called"
        self.phone.respond(self, self.invite, status, text, sdp=sdp)


class Phone(asyncio.DatagramProtocol):
    """Rings by itself; the test answers, refuses or waits."""

    def __init__(self) -> None:
        self.answers_at_once = False
        self.refuses_with = 0
        self.is_silent = False
        """Gives no sign of life at all."""
        self.calls: list[Dialog] = []
        """Those that came in, in order."""
        self.port = 0
        self.sound: Sound | None = None
        """Without it, it is deaf and mute."""
        self._dialogs: dict[str, Dialog] = {}
        self._count = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def open(self, port: int = 0) -> "Phone":
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=("127.0.0.1", port)
        )
        self.port = self._transport.get_extra_info("sockname")[1]
        return self

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        if self.sound is not None:
            self.sound.close()

    def call(
        self, number: str, port: int, *, caller: str = "+79161234567", name: str = ""
    ) -> Dialog:
        """Send an INVITE to Asterisk at `port`."""
        self._count += 1
        dialog = Dialog(
            phone=self,
            peer=("127.0.0.1", port),
            call_id=f"{secrets.token_hex(8)}@test",
            ours=f'"{name}" <sip:{caller}@127.0.0.1:{self.port}>;tag=c{self._count}',
            theirs=f"<sip:{number}@127.0.0.1:{port}>",
            target=f"sip:{number}@127.0.0.1:{port}",
        )
        dialog.branch = f"z9hG4bK{secrets.token_hex(8)}"
        self._dialogs[dialog.call_id] = dialog
        self.request(dialog, "INVITE", 1, branch=dialog.branch)
        return dialog

    async def next_call(self) -> Dialog:
        """The newest call that came in and has not ended."""
        return await until(lambda: next((d for d in reversed(self.calls) if not d.ended), None))

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if self.is_silent or not data.strip():
            return
        sip = parse(data)
        dialog = self._dialogs.get(sip.headers.get("call-id", ""))
        if sip.status:
            self._hear_answer(sip, dialog)
        elif sip.method == "INVITE":
            self._ring(sip, dialog, peer)
        elif sip.method != "ACK":
            self._obey(sip, dialog, peer)

    def request(
        self,
        dialog: Dialog,
        method: str,
        seq: int,
        *,
        branch: str = "",
        body: str = "",
        kind: str = "application/sdp",
        headers: tuple[str, ...] = (),
    ) -> None:
        self._count += 1
        branch = branch or f"z9hG4bK{secrets.token_hex(8)}"
        body = self._sdp() if method == "INVITE" else body
        lines = [
            f"{method} {dialog.target} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch}",
            "Max-Forwards: 70",
            f"From: {dialog.ours}",
            f"To: {dialog.theirs}",
            f"Call-ID: {dialog.call_id}",
            f"CSeq: {seq} {method}",
            f"Contact: <sip:test@127.0.0.1:{self.port}>",
            *headers,
        ]
        self._send(lines, body, dialog.peer, kind)

    def respond(self, dialog: Dialog, sip: Sip, status: int, text: str, *, sdp: bool) -> None:
        to = sip.headers["to"]
        lines = [
            f"SIP/2.0 {status} {text}",
            *(f"Via: {via}" for via in sip.vias),
            f"From: {sip.headers['from']}",
            f"To: {to if 'tag=' in to else f'{to};tag=p{self.port}'}",
            f"Call-ID: {sip.headers['call-id']}",
            f"CSeq: {sip.headers['cseq']}",
            f"Contact: <sip:test@127.0.0.1:{self.port}>",
        ]
        self._send(lines, self._sdp() if sdp else "", dialog.peer, "application/sdp")

    def _ring(self, sip: Sip, dialog: Dialog | None, peer: tuple[str, int]) -> None:
        if dialog is not None:  # a repeated or a re-INVITE
            if dialog.answered:
                self.respond(dialog, sip, 200, "OK", sdp=True)
            return
        dialog = Dialog(
            phone=self,
            peer=peer,
            call_id=sip.headers["call-id"],
            ours=f"{sip.headers['to']};tag=p{self.port}",
            theirs=sip.headers["from"],
            target=sip.headers["contact"].strip("<>").split(">")[0],
            invite=sip,
        )
        self._dialogs[dialog.call_id] = dialog
        self.calls.append(dialog)
        if self.refuses_with:
            dialog.refuse(self.refuses_with)
            return
        dialog.ring()
        if self.answers_at_once:
            dialog.answer()

    def _obey(self, sip: Sip, dialog: Dialog | None, peer: tuple[str, int]) -> None:
        shown = dialog or Dialog(self, peer, "", "", "", "")
        self.respond(shown, sip, 200, "OK", sdp=False)
        if dialog is None or sip.method not in {"CANCEL", "BYE"}:
            return
        dialog.ended = True
        dialog.reason = dialog.reason or sip.headers.get("reason", "")
        dialog.reasons.setdefault(sip.method, sip.headers.get("reason", ""))
        if sip.method == "CANCEL" and dialog.invite is not None and not dialog.answered:
            self.respond(dialog, dialog.invite, 487, "Request Terminated", sdp=False)

    def _hear_answer(self, sip: Sip, dialog: Dialog | None) -> None:
        if dialog is None:
            return
        dialog.heard.append(sip)
        if "INVITE" not in sip.headers["cseq"] or sip.status < 200:
            return
        dialog.theirs = sip.headers["to"]
        if sip.status < 300:
            dialog.answered = True
            dialog.answered_at = dialog.answered_at or time.monotonic()
            dialog.target = sip.headers["contact"].strip("<>").split(">")[0]
            self.request(dialog, "ACK", 1)
            if self.sound is not None:
                self.sound.talk_to(sip.body)
        else:
            dialog.ended = True
            self.request(dialog, "ACK", 1, branch=dialog.branch)

    def _sdp(self) -> str:
        if self.sound is None:
            return SDP.format(port=9, codecs="0 8")
        return SDP.format(port=self.sound.port, codecs="0")

    def _send(self, lines: list[str], body: str, peer: tuple[str, int], kind: str) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if body:
            lines.append(f"Content-Type: {kind}")
        lines.append(f"Content-Length: {len(body)}")
        self._transport.sendto(("\r\n".join([*lines, "", ""]) + body).encode(), peer)


async def until(found: Callable[[], T | None], within_ms: int = 5_000) -> T:
    """Wait until `found` gives something true."""
    async with asyncio.timeout(within_ms / 1000 * PATIENCE):
        while not (value := found()):
            await asyncio.sleep(0.01)
        return value
