"""Telephone numbers as they come from a line, made into what the core and the store can use.

Never fails: whatever a stranger puts into his From becomes a number, or the absence of one.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType, timezone

from perezvon.core.events import Caller, NumberClass
from perezvon.core.plan import Plan
from perezvon.runtime.ports import Directory

RAW_CHARS_MAX = 64
"""Longer is nobody's number."""

NAME_CHARS_MAX = 64

COSTLY = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})

DIGITS_MIN, DIGITS_MAX = 3, 15
"""E.164 has fifteen at most; an internal number three at least."""

WITHHELD = frozenset({"", "anonymous", "withheld", "restricted", "private", "unavailable",
                      "unknown", "hidden", "blocked"})  # fmt: skip

SHAPE = re.compile(r"(\+?[0-9][0-9 ().\-/]{1,40}?) *(?:(?:;? *ext|доб|x|#|,|;).*)?", re.IGNORECASE)
DIALABLE = re.compile(r"\+?[0-9]{3,20}")


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


class NotDialled(ValueError):  # noqa: N818 - what becomes of the number
    """A number that an agent may not dial, and why, in a code and in words."""

    def __init__(self, code: str, why: str) -> None:
        super().__init__(why)
        self.code = code


def to_call(raw: str, plan: Plan) -> Number:
    """A number that somebody has typed or clicked, if the plan lets it be dialled by hand."""
    number = read(raw, plan.country)
    if not number.text.startswith("+"):
        raise NotDialled("bad_number", "this is no number that can be dialled")
    own = {did.number.removeprefix("+") for did in plan.dids}
    if number.text.removeprefix("+") in own:
        raise NotDialled("own_number", "this number is ours")
    if not number.text.startswith(plan.dialling.prefixes):
        parsed = phonenumbers.parse(number.text)
        countries = plan.dialling.countries or (plan.country,)
        foreign = phonenumbers.region_code_for_number(parsed) not in countries
        if foreign or phonenumbers.number_type(parsed) in COSTLY:
            raise NotDialled("not_permitted", "the plan does not permit this number")
    return number


def identify(raw: str, name: str, country: str, directory: Directory) -> Caller:
    """Who calls, without his number and his name, which stay in the directory."""
    number = read(raw, country)
    if not number.text:
        return Caller(None, number.number_class)
    person = directory.person_of(number.text, clean_name(name))
    return Caller(person, number.number_class, number.zone)


def clean_name(name: str) -> str:
    """What a stranger calls himself: nothing in it can turn a line of text around."""
    return "".join(char for char in name if char.isprintable()).strip()[:NAME_CHARS_MAX]


def to_dial(number: str, number_format: str) -> str | None:
    """As the carrier wants it (`Trunk.number_format`); None when it cannot be dialled safely."""
    if DIALABLE.fullmatch(number) is None:
        return None
    if not number.startswith("+"):
        return number
    digits = number[1:]
    match number_format:
        case "digits":
            return digits
        case "national" if digits.startswith("7"):
            return f"8{digits[1:]}"
        case _:
            return number


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
