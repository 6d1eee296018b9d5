"""One range of a file's bytes, as a player asks for it (RFC 9110): `Range: bytes=0-65535`."""

import re
from typing import Final

from perezvon.api.errors import ApiError

UNIT: Final = "bytes="
ONE: Final = re.compile(r"(\d{0,18})-(\d{0,18})")


class NoSuchRange(ApiError):  # noqa: N818 - an ApiError
    """416: none of these bytes, or more than one range, which nobody needs and costs much."""

    def __init__(self, size: int) -> None:
        super().__init__(416, "no_such_range", f"one range within {size} bytes, please", "range")
        self.headers = {"Content-Range": f"bytes */{size}"}


def asked(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and how many; None: the whole. A unit that we do not know is as good as none."""
    if header is None or not header.strip().lower().startswith(UNIT):
        return None
    one = ONE.fullmatch(header.strip()[len(UNIT) :].strip())
    if one is None or one[0] == "-":
        raise NoSuchRange(size)
    if not one[1]:
        first, last = max(0, size - int(one[2])), size - 1
    else:
        first, last = int(one[1]), min(int(one[2] or size), size - 1)
    if first > last:
        raise NoSuchRange(size)
    return first, last - first + 1
