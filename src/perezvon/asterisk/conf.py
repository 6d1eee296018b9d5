"""Writing Asterisk's configuration syntax, so that no text of the plan can break out of it.

Names that Asterisk looks up are checked against a whitelist; free text is stripped of whatever
means something; secrets are escaped. What cannot be written safely is a `PlanError`.
"""

import re
from collections.abc import Iterable

from perezvon.core.plan import PlanError

Lines = Iterable[str]

NAME_CHARS_MAX = 64
SHOWN_CHARS_MAX = 60


def name(where: str, value: str) -> str:
    """An identifier that may be a section, a channel's name or an argument of the dialplan."""
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", value) is None:
        raise PlanError(where, f"{value!r} must be Latin letters, digits, '_', '.' and '-' only")
    return value


def host(where: str, value: str) -> str:
    """A host name, an address, or a network with an optional port."""
    if re.fullmatch(r"[A-Za-z0-9_\[][A-Za-z0-9_.:\[\]/-]{0,253}", value) is None:
        raise PlanError(where, f"{value!r} is not a host or an address")
    return value


def account(where: str, value: str) -> str:
    """A user name at a carrier."""
    if re.fullmatch(r"[A-Za-z0-9_.+@-]{1,64}", value) is None:
        raise PlanError(where, f"{value!r} is not a user name of SIP")
    return value


def shown(value: str) -> str:
    """A person's or a thing's name for a display: whatever has a meaning to a parser is gone."""
    kept = "".join(
        char for char in value if char.isprintable() and char not in ';"<>[]{}()\\|$%&,=^`~#/:@'
    )
    return " ".join(kept.split())[:SHOWN_CHARS_MAX]


def secret(where: str, value: str) -> str:
    """Never shown in an error."""
    if not value or value != value.strip() or not value.isascii() or not value.isprintable():
        raise PlanError(where, "a secret is printable ASCII without blanks around it")
    return value.replace(";", "\\;")


def path(value: object) -> str:
    """A directory of ours."""
    text = str(value)
    assert text.isprintable(), text
    return text.replace(";", "\\;")


def section(title: str, **options: object) -> str:
    """One section; an option that is None is left out, a list is repeated.

    Blanks around the sign: a value that begins with `>` would be cut otherwise.
    """
    lines = [f"[{title}]"]
    for key, value in options.items():
        for one in value if isinstance(value, (list, tuple)) else (value,):
            if one is not None:
                lines.append(f"{key} = {_written(one)}")  # noqa: PERF401 - reads better
    return "\n".join(lines) + "\n"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
