"""REGISTER with a password, as a telephone does, from the very port that SIPp then listens on."""

import hashlib
import re
import secrets
import socket

from tests.support.ports import LOOPBACK

ANSWER_S = 3
TRIES = 3
OK = 200
UNAUTHORIZED = 401


def register(
    server: tuple[str, int], local_port: int, user: str, password: str, *, expires: int = 3_600
) -> int:
    """The final code: 200 when the telephone is known from now on. `expires` 0 forgets it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        line.bind((LOOPBACK, local_port))
        line.settimeout(ANSWER_S / TRIES)
        call = secrets.token_hex(8)
        code, answer = _ask(line, server, user, call, 1, expires, "")
        if code == UNAUTHORIZED:
            proof = _digest(answer, server, user, password)
            code, _ = _ask(line, server, user, call, 2, expires, proof)
        return code


def _ask(
    line: socket.socket, server: tuple[str, int], user: str, call: str, cseq: int, expires: int,
    proof: str,
) -> tuple[int, str]:  # fmt: skip
    host, port = line.getsockname()
    text = (
        f"REGISTER sip:{server[0]}:{server[1]} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{call}{cseq};rport\r\n"
        f"From: <sip:{user}@{server[0]}>;tag={call}\r\nTo: <sip:{user}@{server[0]}>\r\n"
        f"Call-ID: {call}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n"
        f"Contact: <sip:{user}@{host}:{port}>\r\nExpires: {expires}\r\n"
        f"{proof}Content-Length: 0\r\n\r\n"
    ).encode()
    for _ in range(TRIES):
        line.sendto(text, server)
        try:
            while True:
                answer = line.recv(65_536).decode(errors="replace")
                found = re.match(r"SIP/2.0 (\d{3})", answer)
                if found and f"\r\nCSeq: {cseq} " in answer and found[1] != "100":
                    return int(found[1]), answer
        except TimeoutError:
            continue
    return 408, ""


def _digest(answer: str, server: tuple[str, int], user: str, password: str) -> str:
    def part(name: str) -> str:
        found = re.search(rf'{name}="?([^",\r\n]+)"?', answer)
        return found[1] if found else ""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce, opaque = part("realm"), part("nonce"), part("opaque")
    uri, count, own = f"sip:{server[0]}:{server[1]}", "00000001", secrets.token_hex(4)
    first, second = md5(f"{user}:{realm}:{password}"), md5(f"REGISTER:{uri}")
    proof = md5(f"{first}:{nonce}:{count}:{own}:auth:{second}")
    return (
        f'Authorization: Digest username="{user}", realm="{realm}", nonce="{nonce}", '
        f'uri="{uri}", response="{proof}", algorithm=MD5, qop=auth, nc={count}, '
        f'cnonce="{own}", opaque="{opaque}"\r\n'
    )
