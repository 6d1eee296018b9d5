"""A carrier in the test's own loop, well or ill: it answers, refuses or says nothing, by method.

carrier.answers["REGISTER"] = 403       # refused
carrier.answers["INVITE"] = SILENT
...
assert carrier.count("INVITE") == 1     # repeats of one request count once
"""

import time

from tests.asterisk.phone import Phone, Sip, parse

SILENT = 0


class Carrier(Phone):
    """Clients behind it are telephones: who is called rings, and answers if told to."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: dict[str, int] = {}
        """Status by method; a method that is not here is served well."""
        self.grants_s = 40
        """How long a registration holds; the switch renews it ten seconds before."""
        self.heard: list[tuple[float, Sip]] = []
        """All requests, each with the monotonic time of its arrival; a repeat is not noted."""
        self._branches: set[str] = set()

    def count(self, method: str, since: float = 0.0) -> int:
        return sum(1 for at, sip in self.heard if sip.method == method and at >= since)

    def datagram_received(self, data: bytes, peer: tuple[str, int]) -> None:
        if not data.strip():
            return
        sip = parse(data)
        if not sip.status:
            key = f"{sip.vias[0]} {sip.method}"
            if key not in self._branches:
                self._branches.add(key)
                self.heard.append((time.monotonic(), sip))
            status = self.answers.get(sip.method)
            if status == SILENT:
                return
            if status is not None or sip.method == "REGISTER":
                self._answer(sip, status or 200, peer)
                return
        super().datagram_received(data, peer)

    def _answer(self, sip: Sip, status: int, peer: tuple[str, int]) -> None:
        lines = [
            f"SIP/2.0 {status} Said",
            *(f"Via: {via}" for via in sip.vias),
            f"From: {sip.headers['from']}",
            f"To: {sip.headers['to']};tag=carrier",
            f"Call-ID: {sip.headers['call-id']}",
            f"CSeq: {sip.headers['cseq']}",
        ]
        if sip.method == "REGISTER" and status == 200:
            lines += [f"Contact: {sip.headers['contact']}", f"Expires: {self.grants_s}"]
        self._send(lines, "", peer, "")
