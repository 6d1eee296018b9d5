"""What a page may say to the switch."""

import pytest

from perezvon.api.sip_gate import MESSAGE_LENGTH_MAX, NotAllowed, check, is_registration

TELEPHONES = ("anna", "anna~webrtc")


def sip(
    start: str,
    *,
    sender: str = '"Anna" <sip:anna@perezvon.invalid>;tag=a1',
    to: str = "<sip:anna@perezvon.invalid>",
    more: tuple[str, ...] = (),
) -> str:
    lines = [start, f"From: {sender}", f"To: {to}", "Call-ID: 1", "CSeq: 1 X", *more]
    return "\r\n".join((*lines, "", "body\r\nFrom: <sip:boris@x>"))


REGISTER = "REGISTER sip:perezvon.invalid SIP/2.0"
BYE = "BYE sip:asterisk@127.0.0.1:5060;transport=ws SIP/2.0"
INVITE = "INVITE sip:asterisk@127.0.0.1 SIP/2.0"
ECHO = "INVITE sip:*43@perezvon.invalid SIP/2.0"


@pytest.mark.parametrize(
    "message",
    [
        sip(REGISTER),
        sip(REGISTER, sender="<sip:anna~webrtc@x>;tag=1", to="<sip:anna~webrtc@x>"),
        sip(BYE, to="<sip:+79161234567@x>;tag=2"),
        sip(BYE, sender="sip:anna@x;tag=1", to="<sip:asterisk@x>;tag=2"),
        sip(BYE, sender='"\\"<sip:boris@x>" <sip:anna@x>;tag=1', to="<sip:asterisk@x>;tag=2"),
        sip(INVITE, to="<sip:+79161234567@x>;tag=2"),
        sip(ECHO, to="<sip:*43@perezvon.invalid>"),
        sip("SIP/2.0 200 OK", sender="<sip:+79161234567@x>;tag=2"),
        "\r\n",
    ],
)
def test_a_telephone_may_register_answer_and_work_on_its_own_calls(message: str) -> None:
    check(message, TELEPHONES)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "hello",
        "\r\n\r\n",
        sip("GET / HTTP/1.1"),
        sip("REFER sip:boris@x SIP/2.0"),
        sip("MESSAGE sip:boris@x SIP/2.0"),
        sip("SUBSCRIBE sip:boris@x SIP/2.0"),
        sip("SIP/2.0 999 Odd"),
        sip(f"{REGISTER}\r\nX"),
        sip(REGISTER, sender="<sip:boris@perezvon.invalid>;tag=1"),
        sip(REGISTER, sender='"sip:anna@x" <sip:boris@x>;tag=1'),
        sip(REGISTER, sender="<sip:anna@x>, <sip:boris@x>"),
        sip(REGISTER, sender="<sip:ANNA@x>"),
        sip(REGISTER, sender="<sip:%61nna@x>"),
        sip(REGISTER, sender="anna"),
        sip(REGISTER, to="<sip:boris@perezvon.invalid>"),
        sip(REGISTER, more=("From: <sip:boris@x>",)),
        sip(REGISTER, more=("f: <sip:boris@x>",)),
        sip(REGISTER, more=("X: 1", " From: <sip:boris@x>")),
        sip(REGISTER, more=("From : <sip:boris@x>",)),
        sip(REGISTER, more=("Contact: *", "Expires: 0")),
        sip(REGISTER).replace("From:", "Via:"),
        sip(INVITE, to="<sip:+79161234567@x>"),
        sip("INVITE sip:+79161234567@x SIP/2.0", to="<sip:*43@x>"),
        sip("INVITE sip:*43@x SIP/2.0", sender="<sip:trunk-carrier@x>;tag=1", to="<sip:*43@x>"),
        sip(REGISTER, more=(f"X: {'x' * MESSAGE_LENGTH_MAX}",)),
    ],
)
def test_nobody_speaks_for_another_and_calls_are_begun_by_the_api(message: str) -> None:
    with pytest.raises(NotAllowed):
        check(message, TELEPHONES)


def test_a_telephone_that_leaves_is_no_registration() -> None:
    stays = ("Contact: <sip:anna@page.invalid;transport=ws>;expires=120", "Expires: 120")
    leaves = ("Contact: <sip:anna@page.invalid;transport=ws>;expires=0", "Expires: 0")
    assert is_registration(sip(REGISTER, more=stays))
    assert is_registration(sip(REGISTER))
    assert not is_registration(sip(REGISTER, more=leaves))
    assert not is_registration(sip(BYE))
