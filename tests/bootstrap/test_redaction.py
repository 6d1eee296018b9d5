"""A canary number, a name and a key are nowhere in what is handed on."""

import json

import pytest

from perezvon.asterisk.sip_redaction import redacted
from perezvon.bootstrap.redaction import Redactor
from perezvon.runtime.masking import mask_numbers

NUMBER, NAME, KEY = "79161112233", "Анна Canary", "c4n4ry-k3y"
TAIL = NUMBER[-10:]

MESSAGE = "\r\n".join(
    (
        f"INVITE sip:+{NUMBER}@carrier.example;user=phone SIP/2.0",
        "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK-1",
        f'From: "{NAME}" <sip:{NUMBER}@127.0.0.1>;tag=c1;x={KEY}',
        "To: <tel:+7-495-123-45-67>",
        "Call-ID: a84b4c76e66710@h",
        "CSeq: 314159265 INVITE",
        f"P-Asserted-Identity: {NAME} <sip:{NUMBER}@carrier.example>, <tel:+{NUMBER}>",
        f"Diversion: <sip:{NUMBER}@h>;reason=no-answer",
        f"Remote-Party-ID: sip:{NUMBER}@h;party=calling",
        f'Proxy-Authorization: Digest username="{NUMBER}", response="{KEY}",',
        f'  nonce="{KEY}"',
        f"AUTHORIZATION: Digest {KEY}",
        f"X-Client: {NAME} {NUMBER}",
        f"Subject: {NAME}",
        f"Refer-To: <sip:{NUMBER}@h?Replaces={KEY}>",
        "Content-Type: application/sdp",
        "Content-Length: 1",
        "",
        "v=0",
        "o=- 53655765 2353687637 IN IP4 127.0.0.1",
        f"i={NAME}",
        f"p=+{NUMBER}",
        f"k=clear:{KEY}",
        "m=audio 26538 RTP/SAVP 8",
        f"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{KEY}",
        f"a=ice-pwd:{KEY}",
        f"a=ice-ufrag:{KEY}",
        f"a=candidate:1 1 UDP 1 10.0.0.1 9 typ host {KEY}",
        "a=rtpmap:8 PCMA/8000",
        "",
    )
)


def test_a_message_keeps_what_shows_the_ladder_and_nothing_else() -> None:
    shown = redacted(MESSAGE, with_numbers=False)
    for canary in (TAIL, "1234567", "123-45-67", NAME, "Canary", KEY):
        assert canary not in shown, shown
    for kept in (
        "INVITE sip:+7********33@carrier.example", "Call-ID: a84b4c76e66710@h",
        "CSeq: 314159265 INVITE", ";tag=c1", "branch=z9hG4bK-1", "m=audio 26538 RTP/SAVP 8",
        "a=rtpmap:8 PCMA/8000", "o=- 53655765 2353687637",
    ):  # fmt: skip
        assert kept in shown, shown


def test_who_may_see_numbers_sees_no_keys() -> None:
    shown = redacted(MESSAGE, with_numbers=True)
    assert NUMBER in shown
    assert NAME in shown
    secret = [line for line in shown.split("\r\n") if KEY in line]
    assert not [line for line in secret if not line.startswith(("From", "Refer-To", "a=cand"))]


@pytest.mark.parametrize(
    "kind", ["application/dtmf-relay", "multipart/mixed; boundary=x", "text/plain"]
)
def test_another_body_is_left_out(kind: str) -> None:
    message = f"INFO sip:h SIP/2.0\r\nContent-Type: {kind}\r\n\r\nSignal=4{NUMBER}\r\n"
    assert NUMBER not in redacted(message, with_numbers=False)


def test_no_message_is_too_strange() -> None:
    for strange in ("", "\r\n\r\n", "x", "INVITE", ": \r\n :\r\n", "SIP/2.0 200 OK\r\n\ta\r\nTo:"):
        redacted(strange, with_numbers=False)


@pytest.mark.parametrize(
    "written",
    [
        NUMBER, f"+{NUMBER}", "8" + TAIL, TAIL, "+7 (916) 111-22-33", f"PJSIP/{NUMBER}@trunk",
        f"PJSIP%2F{NUMBER}%40trunk", f"x{NUMBER}y", f"sip:%2B{NUMBER}@h",
    ],
)  # fmt: skip
def test_a_known_number_is_found_however_it_is_written(written: str) -> None:
    shown = Redactor([f"+{NUMBER}"], []).text(f"a {written} b")
    assert TAIL not in shown
    assert "111-22-33" not in shown
    assert shown.startswith("a ")
    assert shown.endswith(" b")


def test_a_tree_is_masked_down_to_the_json_within_it() -> None:
    redactor = Redactor([], [NAME])
    body = json.dumps({"variables": {"CALLERID(name)": NAME, "number": "+74951234567"}})
    tree = {
        "type": "StasisStart",
        "channel": {"id": "1795325568.0", "caller": {"name": "Стороннее Имя", "number": NUMBER}},
        "message_body": body,
        "timestamp": "2026-11-22T05:32:48.512+0000",
        "digit": "7",
        "at": 1_795_325_568_512,
        NUMBER: [NUMBER, None, True],
    }
    shown = redactor.tree(tree)
    text = json.dumps(shown, ensure_ascii=False)
    for canary in (NUMBER, "Стороннее", NAME, "4951234567"):
        assert canary not in text
    assert shown["channel"]["id"] == "1795325568.0"
    assert shown["timestamp"] == tree["timestamp"]
    assert shown["at"] == tree["at"]
    assert shown["digit"] == "*"
    assert json.loads(shown["message_body"])["variables"]["CALLERID(name)"] == "[name]"


def test_ids_are_no_numbers() -> None:
    for kept in ("1795325568.0", "t-2nqc1/1", "PJSIP/trunk-carrier-00000003", "pe602c3f9e58f3d7"):
        assert mask_numbers(kept) == kept
    assert mask_numbers("звонил +79161112233, потом 4951234567") == (
        "звонил +7********33, потом 49******67"
    )
