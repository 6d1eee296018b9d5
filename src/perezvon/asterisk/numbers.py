"""Telephone numbers as they come from a line, and as a carrier wants them dialled.

How a number is spelt is said by `runtime.numbers`.
"""

import re

import phonenumbers
from phonenumbers import PhoneNumberType

from perezvon.core.events import Caller
from perezvon.core.plan import Plan
from perezvon.runtime.numbers import Number, read
from perezvon.runtime.ports import Directory

NAME_CHARS_MAX = 64

COSTLY = frozenset({PhoneNumberType.PREMIUM_RATE, PhoneNumberType.SHARED_COST})

DIALABLE = re.compile(r"\+?[0-9]{3,20}")


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
