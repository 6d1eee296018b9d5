"""The small values of a plan file: identifiers, lengths of time, hours, dates, numbers, hosts.

Each is a type for the schema that parses what a person writes and refuses with a code of
`plan_reasons`; and beside it the way back, for the export.
"""

import ipaddress
import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Annotated, Final

import phonenumbers
from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from perezvon.core.calendar import zone_names, zone_of
from perezvon.core.ids import DAY, HOUR, MINUTE, SECOND, Duration
from perezvon.core.plan import Interval, PlanError
from perezvon.store.plan_reasons import GIVEN_MAX

PORT_MAX = 65_535

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED: Final = "closed"
LENGTH_MAX: Final[Duration] = 3_660 * DAY
INTERVALS_MAX: Final = 24
"""Of one day."""
RANGE_DAYS_MAX: Final = 366

_UNITS: Final = (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1))
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_LENGTH: Final = re.compile(
    r"(?=\d)(?:(\d{1,4})d)? ?(?:(\d{1,6})h)? ?(?:(\d{1,7})m(?!s))? ?(?:(\d{1,9})s)? ?"
    r"(?:(\d{1,12})ms)?",
    re.ASCII,
)
_TIME: Final = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)
_DATES: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?: ?\.\. ?(\d{4}-\d\d-\d\d))?", re.ASCII)
_ID: Final = r"[a-z0-9][a-z0-9_-]{0,31}"
_TENANT: Final = r"[a-z0-9]{1,16}"
_LOGIN: Final = r"[A-Za-z0-9_.@+~-]{1,64}"
_NUMBER: Final = r"\+?[0-9]{1,20}"
_PREFIX: Final = r"\+[0-9]{1,15}"
_E164: Final = r"\+[1-9][0-9]{6,14}"
_HOST: Final = r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*"
_SOUND: Final = r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}(/[A-Za-z0-9][A-Za-z0-9_-]{0,39}){0,3}"


def wrong(code: str, **params: object) -> PydanticCustomError:
    if "given" in params:
        params["given"] = str(params["given"])[:GIVEN_MAX]
    # Pydantic wants a literal template; ours are found by the code, in `plan_reasons`.
    return PydanticCustomError(code, "refused", params)


def as_text(value: object) -> object:
    """A bare 74951234567 is meant as text where text is wanted."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_list(value: object) -> object:
    """One may be written without the brackets, none as nothing."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def as_mapping(value: object) -> object:
    return {} if value is None else value


def _matching(pattern: str, code: str, **params: object) -> Callable[[str], str]:
    compiled = re.compile(pattern, re.ASCII)

    def check(text: str) -> str:
        if compiled.fullmatch(text) is None:
            raise wrong(code, given=text, **params)
        return text

    return check


def _line(most: int, *, breaks: str = "") -> AfterValidator:
    def check(text: str) -> str:
        if not 0 < len(text) <= most:
            raise wrong("bad_text", most=most)
        for sign in text:
            # Signs that are not seen, or that turn the direction of others, hide in a list.
            if unicodedata.category(sign) in _UNSEEN and sign not in breaks:
                raise wrong("bad_text", most=most, given=sign)
        return text

    return AfterValidator(check)


def parse_length(value: object) -> Duration:
    if isinstance(value, int) and not isinstance(value, bool):
        found = value * SECOND
    else:
        match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise wrong("bad_length", given=value)
        counts = zip(match.groups(), _UNITS, strict=True)
        found = sum(int(count) * unit for count, (_, unit) in counts if count is not None)
    if found < 0:
        raise wrong("bad_length", given=value)
    return found


def length_text(length: Duration) -> str:
    """The way back: `1h30m`, `1500ms`."""
    if length % SECOND:
        return f"{length}ms"
    parts: list[str] = []
    for name, unit in _UNITS[:-1]:
        count, length = divmod(length, unit)
        if count:
            parts.append(f"{count}{name}")
    return "".join(parts) or "0s"


def between(least: Duration, most: Duration = LENGTH_MAX) -> AfterValidator:
    def check(found: Duration) -> Duration:
        if found < least:
            raise wrong("too_small", least=length_text(least))
        if found > most:
            raise wrong("too_big", most=length_text(most))
        return found

    return AfterValidator(check)


def _zone(name: str) -> str:
    try:
        return zone_of(name).key
    except PlanError:
        raise wrong("bad_zone", given=name, word=name, known=zone_names()) from None


def _country(code: str) -> str:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise wrong("bad_country", given=code)
    return code


def _minute(text: str) -> int:
    match = _TIME.fullmatch(text)
    if match is None:
        raise wrong("bad_time", given=text)
    return 24 * 60 if match[1] is None else int(match[1]) * 60 + int(match[2])


def parse_interval(value: object) -> Interval:
    if isinstance(value, Interval):
        return value
    halves = re.split(r"\s*[-–]\s*", value.strip()) if isinstance(value, str) else []
    if len(halves) != 2:  # noqa: PLR2004 - from and to
        raise wrong("bad_interval", given=value)
    interval = Interval(_minute(halves[0]), _minute(halves[1]))
    if interval.to_minute <= interval.from_minute:
        raise wrong("ends_before", given=value)
    return interval


def interval_text(interval: Interval) -> str:
    return "-".join(
        f"{minute // 60:02d}:{minute % 60:02d}"
        for minute in (interval.from_minute, interval.to_minute)
    )


def parse_intervals(value: object) -> tuple[Interval, ...]:
    if value == CLOSED:
        return ()
    items = value if isinstance(value, list) else str(value).split(",")
    if not 0 < len(items) <= INTERVALS_MAX:
        raise wrong("too_many", most=INTERVALS_MAX) if items else wrong("bad_interval", given="[]")
    found = sorted(map(parse_interval, items), key=lambda interval: interval.from_minute)
    for one, after in itertools.pairwise(found):
        if after.from_minute < one.to_minute:
            raise wrong("overlap", first=interval_text(one), second=interval_text(after))
    return tuple(found)


def intervals_text(intervals: Iterable[Interval]) -> str:
    return ", ".join(map(interval_text, intervals)) or CLOSED


def parse_days(text: str) -> tuple[int, ...]:
    """`mon`, `mon-fri`, `sat,sun`; over the end of the week, too: `sat-mon`."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise wrong("bad_days", given=text)
        start, end = DAYS.index(first), DAYS.index(last or first)
        found += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    for day in found:
        if found.count(day) > 1:
            raise wrong("day_twice", day=DAYS[day])
    return tuple(found)


def days_text(days: Iterable[int]) -> str:
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] + 1 == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    names = ("-".join(DAYS[day] for day in dict.fromkeys((run[0], run[-1]))) for run in runs)
    return ",".join(names)


def _day_list(value: object) -> tuple[int, ...]:
    if isinstance(value, list) and all(isinstance(part, str) for part in value) and value:
        value = ",".join(value)
    if not isinstance(value, str):
        raise wrong("bad_days", given=value)
    return parse_days(value)


def parse_dates(text: str) -> tuple[str, ...]:
    """`2026-01-01`, or a range with both its ends: `2026-01-01..2026-01-08`."""
    match = _DATES.fullmatch(text)
    if match is None:
        raise wrong("bad_date", given=text)
    try:
        start = date.fromisoformat(match[1])
        end = date.fromisoformat(match[2] or match[1])
    except ValueError:
        raise wrong("bad_date", given=text) from None
    if end < start:
        raise wrong("dates_reversed", given=text)
    count = (end - start).days + 1
    if count > RANGE_DAYS_MAX:
        raise wrong("too_many", most=RANGE_DAYS_MAX)
    return tuple((start + timedelta(days=day)).isoformat() for day in range(count))


def _host(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return _matching(_HOST, "bad_host")(text)


def _network(text: str) -> str:
    """An address, a network, or an address with the one port that calls come from."""
    host, colon, port = text.partition(":")
    with_port = (
        bool(colon)
        and "." in host
        and port.isascii()
        and port.isdecimal()
        and 0 < int(port) <= PORT_MAX
    )
    try:
        ipaddress.ip_network(host if with_port else text)
    except ValueError:
        raise wrong("bad_address", given=text) from None
    return text


def _keep(check: Callable[[str], object]) -> Callable[[str], str]:
    """Check a key now; it is parsed when the plan is made."""

    def checked(text: str) -> str:
        check(text)
        return text

    return checked


Id = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_matching(_ID, "bad_id", rule="id")),
    Field(json_schema_extra={"pattern": f"^{_ID}$"}),
]
Tenant = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_matching(_TENANT, "bad_id", rule="tenant")),
    Field(json_schema_extra={"pattern": f"^{_TENANT}$"}),
]
Secret = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_matching(_LOGIN, "bad_id", rule="secret")),
    Field(json_schema_extra={"pattern": f"^{_LOGIN}$"}),
]
Number = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_matching(_NUMBER, "bad_number")),
    Field(json_schema_extra={"pattern": f"^{_NUMBER}$"}),
]
Prefix = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_matching(_PREFIX, "bad_number")),
    Field(json_schema_extra={"pattern": f"^{_PREFIX}$"}),
]
"""The beginning of an E.164 number."""
Mobile = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_matching(_E164, "bad_e164")),
    Field(json_schema_extra={"pattern": f"^{_E164}$"}),
]
Sound = Annotated[
    str,
    BeforeValidator(as_text),
    AfterValidator(_matching(_SOUND, "bad_sound")),
    Field(json_schema_extra={"pattern": f"^{_SOUND}$"}),
]
Name = Annotated[str, BeforeValidator(as_text), _line(80)]
Phrase = Annotated[str, BeforeValidator(as_text), _line(200)]
Script = Annotated[str, BeforeValidator(as_text), _line(10_000, breaks="\n\t")]
Length = Annotated[
    int,
    BeforeValidator(parse_length),
    between(0),
    WithJsonSchema({"type": ["string", "integer"], "description": "10s, 5m, 1h30m, or seconds"}),
]
Ids = Annotated[list[Id], BeforeValidator(as_list, json_schema_input_type=list[Id] | Id)]
Names = Annotated[list[Name], BeforeValidator(as_list, json_schema_input_type=list[Name] | Name)]
Phrases = Annotated[
    list[Phrase], BeforeValidator(as_list, json_schema_input_type=list[Phrase] | Phrase)
]
Lengths = Annotated[
    list[Length], BeforeValidator(as_list, json_schema_input_type=list[Length] | Length)
]
Whole = Annotated[int, Strict()]
Flag = Annotated[bool, Strict()]
Zone = Annotated[str, AfterValidator(_zone)]
Country = Annotated[str, AfterValidator(_country)]
Host = Annotated[str, BeforeValidator(as_text), AfterValidator(_host)]
Network = Annotated[str, BeforeValidator(as_text), AfterValidator(_network)]
Networks = Annotated[
    list[Network], BeforeValidator(as_list, json_schema_input_type=list[Network] | Network)
]
DateKey = Annotated[str, AfterValidator(_keep(parse_dates))]
DaysKey = Annotated[str, AfterValidator(_keep(parse_days))]
_HOURS_SCHEMA = {
    "type": ["string", "array"],
    "items": {"type": "string"},
    "description": "09:00-18:00; several by commas or as a list; or closed",
}
Intervals = Annotated[
    tuple[Interval, ...], BeforeValidator(parse_intervals), WithJsonSchema(_HOURS_SCHEMA)
]
OneInterval = Annotated[
    Interval,
    BeforeValidator(parse_interval),
    WithJsonSchema({"type": "string", "description": "09:00-18:00"}),
]
DayList = Annotated[
    tuple[int, ...],
    BeforeValidator(_day_list),
    WithJsonSchema(
        {"type": ["string", "array"], "items": {"enum": list(DAYS)}, "description": "mon-fri"}
    ),
]
