"""Numbers and names out of what is handed to strangers: those known of a call, wherever they
stand, and whatever looks like a number.
"""

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from perezvon.asterisk import sip_redaction
from perezvon.runtime.masking import mask_number, mask_numbers

NAME: Final = "[name]"
NAME_MIN: Final = 3
"""A shorter one would be found in every second word."""
DIGITS_MIN: Final = 7
TAIL: Final = 10
"""Digits of a number without what differs: +7, 8 or nothing before them."""

OWN_NAMES: Final = frozenset({"caller", "connected"})
"""In ARI: objects of a name and a number."""
PRESSED: Final = "digit"
"""A key that a caller pressed may be a digit of his card."""
IDS: Final = frozenset(
    {
        "id", "timestamp", "creationtime", "asterisk_id", "protocol_id", "request_id",
        "transaction_id", "call", "debt", "leg", "offer", "person", "hash_prev", "plan",
    }
)  # fmt: skip


class Redactor:
    """`numbers` and `names`: those known. `with_numbers`: only keys and passwords are out."""

    def __init__(
        self, numbers: Iterable[str], names: Iterable[str], *, with_numbers: bool = False
    ) -> None:
        self.with_numbers = with_numbers
        digits = {re.sub(r"\D", "", number) for number in numbers}
        tails = {one[-TAIL:] for one in digits if len(one) >= DIGITS_MIN}
        between = r"[\s().-]{0,3}"
        # With what may stand before the last ten, however they are written.
        before = rf"(?:\+?\d{{1,3}}{between})?"
        self._numbers = _either(before + between.join(tail) for tail in tails)
        shown = {name.strip() for name in names}
        long = sorted((name for name in shown if len(name) >= NAME_MIN), key=len, reverse=True)
        self._names = _either(re.escape(name) for name in long)

    def text(self, text: str) -> str:
        """Any text: known names and numbers, and whatever looks like a number."""
        return text if self.with_numbers else mask_numbers(self.known(text))

    def known(self, text: str) -> str:
        """Only what is known of this call: for texts whose ids are made of digits."""
        if self.with_numbers:
            return text
        if self._names is not None:
            text = self._names.sub(NAME, text)
        if self._numbers is not None:
            text = self._numbers.sub(lambda found: mask_number(found[0].strip()), text)
        return text

    def sip(self, message: str) -> str:
        shown = sip_redaction.redacted(message, with_numbers=self.with_numbers)
        return self.known(shown)

    def tree(self, value: Any, key: str = "") -> Any:  # noqa: ANN401 - any JSON
        """JSON, also where a text of it is JSON again."""
        if self.with_numbers:
            return value
        match value:
            case dict() if key in OWN_NAMES and {"name", "number"} & value.keys():
                return {
                    "name": NAME if value.get("name") else "",
                    "number": mask_number(str(value.get("number") or "")),
                }
            case dict():
                return {self.text(str(k)): self.tree(item, str(k)) for k, item in value.items()}
            case list() | tuple():
                return [self.tree(item, key) for item in value]
            case str() if key == PRESSED:
                return "*"
            case str() if key in IDS:
                return self.known(value)
            case str() if value[:1] in {"{", "["}:
                try:
                    inner = json.loads(value)
                except (ValueError, RecursionError):
                    return self.text(value)
                return json.dumps(self.tree(inner, key), ensure_ascii=False)
            case str():
                return self.text(value)
            case _:
                return value


def _either(patterns: Iterable[str]) -> re.Pattern[str] | None:
    joined = "|".join(patterns)
    return re.compile(joined) if joined else None
