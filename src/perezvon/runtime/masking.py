"""Numbers of people, as they may be shown to whoever may not see them, and put into logs."""

import re
from typing import Final

_SHORT: Final = 8
"""Two signs at each end would tell most of a shorter one."""

_NUMBER: Final = re.compile(r"(?<![\w.+-])\+?\d{7,15}(?![\w-]|\.\d)")
"""Seven digits or more that stand by themselves. Ids have a letter, a dot or a hyphen at them."""


def mask_number(number: str) -> str:
    """`+79161234567` is shown as `+7********67`; a short one not at all."""
    if len(number) < _SHORT:
        return "*" * len(number)
    return f"{number[:2]}{'*' * (len(number) - 4)}{number[-2:]}"


def mask_numbers(text: str) -> str:
    """Whatever looks like a telephone number in a text is masked, the rest is as it was."""
    return _NUMBER.sub(lambda found: mask_number(found[0]), text)
