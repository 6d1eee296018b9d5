"""A telephone number as people or lines write it, made into the one way in which we spell it.

Never fails: whatever a stranger puts into his From, or into a field of a page, becomes a number or
the absence of one. Who is a person is found by this spelling.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, timezone

from perezvon.core.events import NumberClass

RAW_CHARS_MAX = 64
"""Longer is nobody's number."""

DIGITS_MIN, DIGITS_MAX = 3, 15
"""E.164 has fifteen at most; an internal number three at least."""

WITHHELD = frozenset({"", "anonymous", "withheld", "restricted", "private", "unavailable",
                      "unknown", "hidden", "blocked"})  # fmt: skip

SHAPE = re.compile(r"(\+?[0-9][0-9 ().\-/]{1,40}?) *(?:(?:;? *ext|доб|x|#|,|;).*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Number:
    text: str
    """E.164 where it is a number of a country's plan, else the digits as they came; empty when
    there is none."""
    number_class: NumberClass
    zone: str | None = None


@lru_cache(maxsize=10_000)
def read(raw: str, country: str) -> Number:
    """`country` is the region for national numbers, ISO 3166."""
    raw = raw.strip()
    if raw.lower() in WITHHELD:
        return Number("", NumberClass.WITHHELD)
    shape = SHAPE.fullmatch(raw) if len(raw) <= RAW_CHARS_MAX else None
    if shape is None:
        return Number("", NumberClass.UNKNOWN)
    try:
        parsed = phonenumbers.parse(shape[1], country)
    except phonenumbers.NumberParseException:
        return _as_it_came(shape[1])
    if not phonenumbers.is_valid_number(parsed):
        return _as_it_came(shape[1])
    kind = _class_of(parsed)
    return Number(
        phonenumbers.format_number(parsed, PhoneNumberFormat.E164),
        kind,
        _zone_of(parsed) if kind is NumberClass.LANDLINE else None,
    )


def _as_it_came(text: str) -> Number:
    plus = "+" if text.startswith("+") else ""
    digits = re.sub(r"[^0-9]", "", text)
    if DIGITS_MIN <= len(digits) <= DIGITS_MAX:
        return Number(plus + digits, NumberClass.UNKNOWN)
    return Number("", NumberClass.UNKNOWN)


def _class_of(parsed: phonenumbers.PhoneNumber) -> NumberClass:
    match phonenumbers.number_type(parsed):
        case PhoneNumberType.MOBILE:
            return NumberClass.MOBILE
        case PhoneNumberType.FIXED_LINE:
            return NumberClass.LANDLINE
        case _:
            return NumberClass.UNKNOWN


def _zone_of(parsed: phonenumbers.PhoneNumber) -> str | None:
    """Only when the prefix leaves no choice: a wrong zone means a call in the night."""
    zones = timezone.time_zones_for_geographical_number(parsed)
    if len(zones) != 1 or zones[0] == timezone.UNKNOWN_TIMEZONE:
        return None
    return str(zones[0])
