"""SIPp scenarios as text: a caller, and a telephone that is rung.

Each writes what happens to each call as a line of its log:

    EV|kind|agent or number called|caller|Call-ID|epoch seconds|detail

A receipt with `timeout` in the place of a pause lets the other side act at any moment.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from xml.sax.saxutils import escape

Log = Callable[..., str]

FOREVER_MS = 3_600_000
CROSSED_MS = 4_000
"""Who has hung up too may not answer any more."""
ANSWER_CODES = (
    300, 301, 302, 400, 401, 403, 404, 406, 408, 410, 480, 482, 483, 484, 486, 488, 491,
    500, 501, 503, 504, 600, 603, 604, 606,
)  # fmt: skip
"""Final refusals; SIPp must be told each by its number."""

SDP = """\
v=0
o=- 53655765 2353687637 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio {port} RTP/AVP 8 0{event}
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=ptime:20{event_map}
"""


def sdp(*, dtmf: bool, port: str = "[media_port]") -> str:
    """Without `dtmf` key presses are told by INFO."""
    return SDP.format(
        port=port,
        event=" 101" if dtmf else "",
        event_map="\na=rtpmap:101 telephone-event/8000" if dtmf else "",
    )


@dataclass(frozen=True)
class Answering:
    """What a telephone does when it is rung."""

    answer_after_ms: int | None = 1_000
    """None: it rings on until the other side gives up."""
    talk_ms: int = FOREVER_MS
    """Then it hangs up, unless the other side was first."""
    refuse_with: int | None = None
    """A SIP code such as 486 or 603, instead of an answer."""
    rings: bool = True
    """Else it says `100 Trying` and no more."""
    dead: bool = False
    """Says nothing at all."""
    digits: str = ""
    """Keys pressed after the answer."""
    digits_after_ms: int = 1_500
    speaks: bool = False
    """Sends sound from its answer to its end, as a living telephone does."""


def _xml(name: str, body: list[str]) -> str:
    head = f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="{name}">\n'
    return head + "\n".join(body) + "\n</scenario>\n"


def _send(text: str, *, retrans: bool = False) -> str:
    # A blank line ends the headers even where nothing follows them.
    message = "\n".join(text.strip("\n").splitlines())
    again = ' retrans="500"' if retrans else ""
    return f"<send{again}><![CDATA[\n\n{message}\n\n]]></send>"


def _log(agent: str, caller: str, kind: str, detail: str = "") -> str:
    line = escape(
        f"EV|{kind}|{agent}|{caller}|[call_id]|[timestamp]|{detail}", {'"': "&quot;"}
    )  # fmt: skip
    return f'<nop><action><log message="{line}"/></action></nop>'


def _recv(
    what: str, *, optional: bool = False, timeout_ms: int | None = None, late: str = "",
    then: str = "", rrs: bool = False, action: str = "",
) -> str:  # fmt: skip
    kind = "response" if what[0].isdigit() else "request"
    parts = [f'{kind}="{what}"']
    if optional:
        parts.append('optional="true"')
    if timeout_ms is not None:
        parts.append(f'timeout="{timeout_ms}"')
    if late:
        parts.append(f'ontimeout="{late}"')
    if then:
        parts.append(f'next="{then}"')
    if rrs:
        parts.append('rrs="true"')
    inner = f"<action>{action}</action>" if action else ""
    return f"<recv {' '.join(parts)}>{inner}</recv>"


def _label(name: str) -> str:
    return f'<label id="{name}"/>'


def _end() -> str:
    return '<nop next="end"/>'


def _find(pattern: str, header: str, names: str) -> str:
    return (
        f'<ereg regexp="{escape(pattern, {chr(34): "&quot;"})}" search_in="hdr" '
        f'header="{header}" assign_to="{names}"/>'
    )


CALLER_HEAD = """\
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}
From: "[field2]" <sip:[field0]@[local_ip]:[local_port]>;tag=[pid]c[call_number]
To: <sip:[field1]@[remote_ip]:[remote_port]>{to}
Call-ID: [call_id]
CSeq: {cseq}
Max-Forwards: 70
"""
CONTACT = "Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>\n"
CALLED = "sip:[field1]@[remote_ip]:[remote_port]"
INVITE_BRANCH = "z9hG4bK-[pid]-[call_number]-i"
NO_BODY = "Content-Length: 0\n"


def _caller_message(start: str, cseq: str, *, branch: str = "[branch]", known: bool = True) -> str:
    to = "[peer_tag_param]" if known else ""
    return f"{start} SIP/2.0\n" + CALLER_HEAD.format(branch=branch, to=to, cseq=cseq)


def caller(*, patience_ms: int, talk_ms: int) -> str:
    """Calls, waits, talks, hangs up; leaves when nobody answers within his patience.

    Fields of the injected file: his number, the number he calls, his shown name, and the port at
    which he wants to hear.
    """
    log = partial(_log, "[field1]", "[field0]")
    wait = partial(_recv, optional=True, timeout_ms=patience_ms, late="cancel")
    invite = _caller_message(f"INVITE {CALLED}", "1 INVITE", branch=INVITE_BRANCH, known=False)
    session = "Content-Type: application/sdp\nContent-Length: [len]\n\n" + sdp(
        dtmf=True, port="[field3]"
    )
    body = [
        _send(invite + CONTACT + session, retrans=True),
        log("called"),
        _label("waiting"),
        wait("100"),
        wait("180", then="rings"),
        wait("183"),
        *(wait(str(code), then=f"no{code}") for code in ANSWER_CODES),
        _recv("200", timeout_ms=patience_ms, late="cancel", rrs=True),
        *_callers_talk(talk_ms, log),
        _label("rings"),
        log("rings"),
        '<nop next="waiting"/>',
        *_callers_refusals(log),
        *_callers_leaving(log),
        _label("end"),
    ]
    return _xml("caller", body)


def _callers_talk(talk_ms: int, log: Log) -> list[str]:
    return [
        _send(_caller_message("ACK [next_url]", "1 ACK") + NO_BODY),
        log("answered"),
        _recv("BYE", timeout_ms=talk_ms, late="hang", then="peer"),
        *_hang_up(_caller_message("BYE [next_url]", "2 BYE"), log),
        _label("peer"),
        _send(_reply("200 OK")),
        log("ended_by_other"),
        _end(),
    ]


def _hang_up(bye: str, log: Log) -> list[str]:
    """The other side's BYE may meet ours half-way; SIPp would give up a call in which it did."""
    return [
        _label("hang"),
        _send(bye + NO_BODY, retrans=True),
        _recv("BYE", optional=True, then="both"),
        _recv("481", optional=True, then="hung"),
        _recv("200"),
        _label("hung"),
        log("hung_up"),
        _end(),
        _label("both"),
        _send(_reply("200 OK")),
        _recv("481", optional=True, then="hung"),
        _recv("200", timeout_ms=CROSSED_MS, late="hung", then="hung"),
    ]


def _callers_ack() -> str:
    """Of a refusal: within the INVITE's own transaction."""
    return _send(_caller_message(f"ACK {CALLED}", "1 ACK", branch=INVITE_BRANCH) + NO_BODY)


def _callers_refusals(log: Log) -> list[str]:
    return [
        part
        for code in ANSWER_CODES
        for part in (_label(f"no{code}"), _callers_ack(), log("refused", str(code)), _end())
    ]


def _callers_leaving(log: Log) -> list[str]:
    cancel = _caller_message(f"CANCEL {CALLED}", "1 CANCEL", branch=INVITE_BRANCH, known=False)
    return [
        _label("cancel"),
        _send(cancel + NO_BODY, retrans=True),
        _recv("200", optional=True),
        _recv("487", timeout_ms=4_000, late="crossed"),
        _callers_ack(),
        log("left"),
        _end(),
        # The answer met our CANCEL half-way.
        _label("crossed"),
        log("left", "crossed"),
    ]


def _reply(status: str, *, tag: bool = False, extra: str = "", cseq: str = "[last_CSeq:]") -> str:
    to = "[last_To:];tag=[pid]p[call_number]" if tag else "[last_To:]"
    return (
        f"SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n{to}\n[last_Call-ID:]\n{cseq}\n"
        + (extra or NO_BODY)
    )  # fmt: skip


VOICE = "voice.alaw"
"""In the folder of the process: a second of sound, said again and again."""
SPEAK = f'<nop><action><exec rtp_stream="{VOICE},-1,8,PCMA/8000"/></action></nop>'
PHONE_CONTACT = "Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n"
INVITE_CSEQ = "CSeq: [$cseq]"


def phone(how: Answering) -> str:
    """Rung by INVITE; answers OPTIONS too, as a telephone must to be thought alive."""
    log = partial(_log, "[$agent]", "[$caller]")
    from_invite = (
        _find("sip:([^@;>]*)", "To:", "whole1,agent")
        + _find("sip:([^@;>]*)", "From:", "whole2,caller")
        + _find("[0-9]+ INVITE", "CSeq:", "cseq")
        + _find("[^ ].*", "From:", "from")
        + _find("[^ ].*", "To:", "to")
        + _find("sip:[^>]*", "Contact:", "uri")
    )
    body = [
        # Its own dialogue, so that its reply cannot be taken for one to an INVITE.
        _recv("OPTIONS", optional=True, then="options"),
        _recv("INVITE", action=from_invite),
        log("invited"),
    ]
    if not how.dead:
        body.append(_send(_reply("100 Trying")))
    if how.rings and not how.dead:
        body += [
            _send(_reply("180 Ringing", tag=True, extra=PHONE_CONTACT + NO_BODY)),
            log("rings"),
        ]
    wait_ms = FOREVER_MS if how.answer_after_ms is None else how.answer_after_ms
    if how.dead:
        wait_ms = FOREVER_MS
    reason = _find('text="([^"]*)"', "Reason:", "late,reason")
    body += [
        _recv("CANCEL", timeout_ms=max(1, wait_ms), late="due", then="cancelled", action=reason),
        _label("due"),
    ]
    body += _refusal(how, log) if how.refuse_with is not None else _talk(how, log)
    body += [
        _label("cancelled"),
        _send(_reply("200 OK", tag=True)),
        _send(_reply("487 Request Terminated", tag=True, cseq=INVITE_CSEQ), retrans=True),
        log("cancelled", "[$reason]"),
        _recv("ACK", timeout_ms=4_000, late="end", then="end"),
        _label("options"),
        _send(_reply("200 OK", tag=True, extra="Accept: application/sdp\n" + NO_BODY)),
        _label("end"),
        '<Reference variables="whole1,whole2,from,to,uri,cseq,reason,late"/>',
    ]
    return _xml("phone", body)


def _refusal(how: Answering, log: Log) -> list[str]:
    return [
        _send(_reply(f"{how.refuse_with} Refused", tag=True), retrans=True),
        _recv("CANCEL", optional=True),
        _recv("ACK", timeout_ms=8_000, late="refused"),
        _label("refused"),
        log("refused", str(how.refuse_with)),
        _end(),
    ]


def _talk(how: Answering, log: Log) -> list[str]:
    reason = _find('text="([^"]*)"', "Reason:", "late,reason")
    port = "[rtpstream_audio_port]" if how.speaks else "[media_port]"
    answer = PHONE_CONTACT + "Content-Type: application/sdp\nContent-Length: [len]\n\n"
    session = sdp(dtmf=not how.digits, port=port)
    body = [
        _send(_reply("200 OK", tag=True, extra=answer + session), retrans=True),
        # It may have met our answer half-way; the other side then ends the talk with BYE.
        _recv("CANCEL", optional=True),
        _recv("ACK", timeout_ms=8_000, late="talk"),
        _label("talk"),
        log("answered"),
        *([SPEAK] if how.speaks else []),
    ]
    for place, digit in enumerate(how.digits):
        body += [
            _recv("BYE", timeout_ms=how.digits_after_ms, late=f"press{place}", then="bye",
                  action=reason),
            _label(f"press{place}"),
            _send(_phone_message("INFO", place + 1) + DIGIT.format(digit=digit), retrans=True),
            _recv("200"),
            log("pressed", digit),
        ]  # fmt: skip
    return [
        *body,
        _recv("BYE", timeout_ms=how.talk_ms, late="hang", then="bye", action=reason),
        *_hang_up(_phone_message("BYE", 50), log),
        _label("bye"),
        _send(_reply("200 OK")),
        log("ended_by_other", "[$reason]"),
        _end(),
    ]


DIGIT = """\
Content-Type: application/dtmf-relay
Content-Length: [len]

Signal={digit}
Duration=160
"""


def _phone_message(method: str, cseq: int) -> str:
    return f"""\
{method} [$uri] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: [$to];tag=[pid]p[call_number]
To: [$from]
Call-ID: [call_id]
CSeq: {cseq} {method}
Max-Forwards: 70
{PHONE_CONTACT}"""
