"""Numbers as strangers send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perezvon.asterisk.numbers import DIALABLE, clean_name, identify, to_dial
from perezvon.core.events import NumberClass
from perezvon.runtime.numbers import read
from tests.asterisk.office import MemoryDirectory


@pytest.mark.parametrize(
    "raw",
    ["+79161234567", "89161234567", "79161234567", "9161234567", "8 (916) 123-45-67",
     "+7 916 123-45-67 доб. 12", "+79161234567;ext=12", "89161234567 x12"],
)  # fmt: skip
def test_one_mobile_has_one_number_however_it_is_written(raw: str) -> None:
    number = read(raw, "RU")
    assert (number.text, number.number_class) == ("+79161234567", NumberClass.MOBILE)


@pytest.mark.parametrize(
    ("raw", "zone"),
    [("+74951112233", "Europe/Moscow"), ("8 3952 20-00-00", "Asia/Irkutsk"),
     ("+74232200000", "Asia/Vladivostok"), ("+442079460000", "Europe/London")],
)  # fmt: skip
def test_a_landlines_prefix_tells_its_zone(raw: str, zone: str) -> None:
    number = read(raw, "RU")
    assert (number.number_class, number.zone) == (NumberClass.LANDLINE, zone)


def test_a_mobile_has_no_zone() -> None:
    assert read("+79161234567", "RU").zone is None


@pytest.mark.parametrize("raw", ["101", "112", "0911", "123456789012345"])
def test_digits_that_are_nobodys_national_number_are_kept_as_they_are(raw: str) -> None:
    number = read(raw, "RU")
    assert (number.text, number.number_class) == (raw, NumberClass.UNKNOWN)


@pytest.mark.parametrize("raw", ["", " ", "anonymous", "Anonymous", "Restricted", "unavailable"])
def test_a_withheld_number_is_nobodys(raw: str) -> None:
    caller = identify(raw, "Ivan", "RU", MemoryDirectory())
    assert (caller.person, caller.number_class) == (None, NumberClass.WITHHELD)


@pytest.mark.parametrize(
    "raw",
    ["ivan", "12", "1" * 16, "+", "<script>", "500&PJSIP/x", "+7916\r\nX: y", "٣٤٥٦٧٨٩",
     "a" * 10_000, "=HYPERLINK(1)", "+7" + "9" * 5_000],
)  # fmt: skip
def test_what_is_no_number_is_a_caller_without_one(raw: str) -> None:
    caller = identify(raw, "", "RU", MemoryDirectory())
    assert (caller.person, caller.number_class) == (None, NumberClass.UNKNOWN)


@given(st.text(max_size=80))
def test_no_text_makes_reading_fail_and_what_is_read_can_be_dialled(raw: str) -> None:
    number = read(raw, "RU")
    assert not number.text or DIALABLE.fullmatch(number.text)
    assert (number.number_class is NumberClass.WITHHELD) <= (not number.text)


def test_a_name_cannot_turn_a_line_around_nor_fill_it() -> None:
    assert clean_name("Iv\u202ean\r\n\x00 ") == "Ivan"
    assert len(clean_name("x" * 10_000)) == 64


@pytest.mark.parametrize(
    ("number", "style", "dialled"),
    [
        ("+79161234567", "e164", "+79161234567"),
        ("+79161234567", "digits", "79161234567"),
        ("+79161234567", "national", "89161234567"),
        ("+442079460000", "national", "+442079460000"),
        ("112", "e164", "112"),
    ],
)
def test_a_number_is_dialled_as_its_carrier_wants_it(number: str, style: str, dialled: str) -> None:
    assert to_dial(number, style) == dialled


@pytest.mark.parametrize(
    "number", ["", "7916;x", "7916&PJSIP/x", "+7 916", "1" * 21, "12", "+", "٣٤٥"]
)
def test_nothing_else_is_dialled(number: str) -> None:
    assert to_dial(number, "e164") is None
