"""A SIP message without what is nobody's business: known things stay, the rest is left out.

Whatever a carrier or a telephone invents (a header, an attribute, a body) may hold a number, a
name or a key; so it is named here what may stay.
"""

import re
from typing import Final

from perezvon.runtime.masking import mask_number

OUT: Final = "[left out]"

CREDENTIALS: Final = frozenset(
    {
        "authorization", "proxy-authorization", "www-authenticate", "proxy-authenticate",
        "authentication-info", "proxy-authentication-info",
    }
)  # fmt: skip
"""Out whoever asks."""

PLAIN: Final = frozenset(
    {
        "via", "v", "call-id", "i", "cseq", "max-forwards", "content-type", "c", "content-length",
        "l", "user-agent", "server", "allow", "supported", "k", "require", "proxy-require",
        "unsupported", "session-expires", "x", "min-se", "expires", "min-expires", "rseq", "rack",
        "reason", "retry-after", "date", "event", "o", "subscription-state", "allow-events", "u",
        "accept", "accept-encoding", "accept-language", "timestamp",
    }
)  # fmt: skip
ADDRESSES: Final = frozenset(
    {
        "from", "f", "to", "t", "contact", "m", "p-asserted-identity", "p-preferred-identity",
        "remote-party-id", "diversion", "route", "record-route", "refer-to", "r", "referred-by",
        "b", "history-info",
    }
)  # fmt: skip
SDP_LINES: Final = frozenset("vosctmb")
SDP_ATTRIBUTES: Final = frozenset(
    {
        "rtpmap", "fmtp", "ptime", "maxptime", "sendrecv", "sendonly", "recvonly", "inactive",
        "rtcp", "rtcp-mux", "setup", "mid", "group", "connection",
    }
)  # fmt: skip
SECRET_ATTRIBUTES: Final = frozenset({"crypto", "ice-pwd", "ice-ufrag", "fingerprint", "key-mgmt"})

_USER: Final = re.compile(r"\b(sips?|tel):([^@<>;,?\s]+)(@)?", re.IGNORECASE)
_SHOWN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|^[^<"]*(?=<)')
_PARAMETER: Final = re.compile(r";(tag|transport|lr|ob|rport|received|branch)(=[^;,>\s]*)?", re.I)  # noqa: FURB167 - on one line


def redacted(message: str, *, with_numbers: bool) -> str:
    """The message as it may be shown. `with_numbers`: all but keys and passwords."""
    head, _, body = message.partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    shown = [start if with_numbers else _start(start)]
    kind, hidden = "", False
    for line in lines:
        if line[:1] in {" ", "\t"}:  # goes on from the line before
            shown.append(line if with_numbers and not hidden else f" {OUT}")
            continue
        name, _, value = line.partition(":")
        key = name.strip().lower()
        hidden = key in CREDENTIALS
        if key in {"content-type", "c"}:
            kind = value.strip().lower()
        shown.append(f"{name}: {_value(key, value.strip(), with_numbers=with_numbers)}")
    return "\r\n".join([*shown, "", _body(kind, body, with_numbers=with_numbers)])


def _start(line: str) -> str:
    if line.startswith("SIP/2.0 "):
        return line
    method, _, rest = line.partition(" ")
    return f"{method} {_users_masked(rest)}"


def _value(key: str, value: str, *, with_numbers: bool) -> str:
    if key in CREDENTIALS:
        return OUT
    if with_numbers or key in PLAIN:
        return value
    return _address(value) if key in ADDRESSES else OUT


def _address(value: str) -> str:
    """Users masked, names out, and of the parameters those that SIP itself needs."""
    uris = re.findall(r"<[^>]*>", value)
    if not uris:
        bare = value.partition(";")[0]
        return _users_masked(bare) + _parameters(value[len(bare) :])
    parts = []
    for one in _SHOWN.sub("", value).split(","):
        uri, _, after = one.partition(">")
        inside, _, parameters = uri.strip(" <").partition(";")
        kept = _parameters(f";{parameters}" if parameters else "")
        parts.append(f"<{_users_masked(inside.partition('?')[0])}{kept}>{_parameters(after)}")
    return ", ".join(parts)


def _parameters(text: str) -> str:
    return "".join(found[0] for found in _PARAMETER.finditer(text))


def _users_masked(text: str) -> str:
    """A user that is a number is masked, another is left out unless he is an id of a plan."""

    def mask(found: re.Match[str]) -> str:
        scheme, user, at = found[1], found[2], found[3] or ""
        if not at and scheme.lower() != "tel":
            return found[0]  # a host alone
        digits = sum(sign.isdigit() for sign in user)
        safe = digits < 5 and re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", user)  # noqa: PLR2004 - short
        return f"{scheme}:{user if safe else mask_number(user)}{at}"

    return _USER.sub(mask, text)


def _body(kind: str, body: str, *, with_numbers: bool) -> str:
    if not body.strip():
        return ""
    if not kind.startswith("application/sdp"):
        return body if with_numbers and "multipart" not in kind else f"{OUT}\r\n"
    return "\r\n".join(_sdp(line, with_numbers=with_numbers) for line in body.split("\r\n"))


def _sdp(line: str, *, with_numbers: bool) -> str:
    if not line:
        return line
    key, _, value = line.partition("=")
    if key == "k":
        return f"k={OUT}"
    if key == "a":
        name = value.partition(":")[0].strip().lower()
        if name in SECRET_ATTRIBUTES or (name not in SDP_ATTRIBUTES and not with_numbers):
            return f"a={name}:{OUT}"
        return line
    return line if with_numbers or key in SDP_LINES else f"{key[:1]}={OUT}"
