"""What a browser may say to the switch: pure, one message at a time.

Promise: what passes is a request that names the asker's own telephone as its sender, of a kind
that a telephone of ours needs, or an answer. Numbers are dialled through the API, where they are
checked and recorded: the only call that a browser makes by itself is the one that tests its sound.
"""

import re
from collections.abc import Collection
from typing import Final

METHODS: Final = frozenset(
    ("REGISTER", "INVITE", "ACK", "BYE", "CANCEL", "INFO", "UPDATE", "OPTIONS", "PRACK")
)
MESSAGE_LENGTH_MAX: Final = 32_768
"""A page's offer of sound, with a candidate for each network of its machine, takes a tenth."""

SIGN_OF_LIFE: Final = "\r\n"
"""The switch asks for one from time to time, and the page answers by it (RFC 5626)."""

ECHO: Final = "*43"
"""Plays back what it hears (`asterisk.dialplan`)."""

_REQUEST: Final = re.compile(r"([A-Z]{3,20}) sips?:([^\s]{1,500}) SIP/2\.0")
_ANSWER: Final = re.compile(r"SIP/2\.0 [1-6]\d\d [^\r\n]*")
_HEADER: Final = re.compile(r"([A-Za-z0-9.!%*_+`'~-]+)[ \t]*:[ \t]*([^\r\n]*)")
_BRACKETED: Final = re.compile(
    r'(?:"(?:[^"\\]|\\.)*"[ \t]*|[^<>"@:;,]*)<sips?:([^\s@<>:;?]+)@[^\s@<>,]+>(?:[ \t]*;[^<>,]*)?'
)
_BARE: Final = re.compile(r"sips?:([^\s@<>:;?]+)@[^\s@<>,?]+")
_TAG: Final = re.compile(r";[ \t]*tag[ \t]*=", re.IGNORECASE)


class NotAllowed(Exception):  # noqa: N818 - says what it is
    """The message must not reach the switch; the text says why, and repeats nothing of it."""


def check(message: str, telephones: Collection[str]) -> None:
    """Raise `NotAllowed` unless this may be said by who has these telephones."""
    if len(message) > MESSAGE_LENGTH_MAX:
        raise NotAllowed("too long")
    if message == SIGN_OF_LIFE:
        return
    start, headers = _parse(message)
    if _ANSWER.fullmatch(start):
        return
    request = _REQUEST.fullmatch(start)
    if request is None:
        raise NotAllowed("neither a request nor an answer")
    method, target = request.groups()
    if method not in METHODS:
        raise NotAllowed("not a request that a telephone needs")
    if _user(_only(headers, "from")) not in telephones:
        raise NotAllowed("another telephone's name")
    to = _only(headers, "to")
    if method == "REGISTER":
        if _user(to) not in telephones:
            raise NotAllowed("another telephone's registration")
        if "*" in headers.get("contact", []):
            raise NotAllowed("the registration of all pages")
    begins_a_call = method == "INVITE" and _TAG.search(to) is None
    if begins_a_call and target.partition("@")[0] != ECHO:
        raise NotAllowed("a call that the API has to begin")


def is_registration(message: str) -> bool:
    """Of a telephone that wants calls, not of one that leaves."""
    if not message.startswith("REGISTER "):
        return False
    _, headers = _parse(message)
    leaving = headers.get("expires") == ["0"] or all(
        re.search(r";[ \t]*expires=0\b", contact) for contact in headers.get("contact", ["-"])
    )
    return not leaving


def _parse(message: str) -> tuple[str, dict[str, list[str]]]:
    head = message.partition("\r\n\r\n")[0]
    start, *lines = head.split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            # Folded lines too: two readers could see two messages.
            raise NotAllowed("a header that cannot be read")
        name = header[1].lower()
        headers.setdefault({"f": "from", "t": "to", "m": "contact"}.get(name, name), []).append(
            header[2].strip()
        )
    return start, headers


def _only(headers: dict[str, list[str]], name: str) -> str:
    values = headers.get(name, [])
    if len(values) != 1:
        raise NotAllowed(f"needs one header {name.title()}")
    return values[0]


def _user(value: str) -> str:
    found = _BRACKETED.fullmatch(value) or _BARE.fullmatch(_TAG.split(value)[0].rstrip(" \t"))
    if found is None:
        raise NotAllowed("an address that cannot be read")
    return found[1]
