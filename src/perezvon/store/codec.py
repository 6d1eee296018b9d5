"""Events and facts as bytes: `{"t": "LegAnswered", "leg": "…"}`, JSON in UTF-8.

The journal must be readable for years, and by eye. What cannot be read is refused with what and
where, never guessed: an unknown type, an unknown field, a missing one. A `PlanChanged` keeps its
plan's version only; the plan itself is stored once, in `store.plans`.
"""

import dataclasses
from collections.abc import Callable
from typing import Final, TypeVar, get_args

import msgspec

from perezvon.core.events import Event, PlanChanged
from perezvon.core.facts import Fact
from perezvon.core.ids import PlanVersion
from perezvon.core.plan import Plan

PlanOf = Callable[[PlanVersion], Plan]
"""Finds a stored plan; raises `LookupError` when it is not there."""

T = TypeVar("T")

EVENTS: Final[dict[str, type[Event]]] = {kind.__name__: kind for kind in get_args(Event)}
FACTS: Final[dict[str, type[Fact]]] = {kind.__name__: kind for kind in get_args(Fact)}


class CodecError(ValueError):
    """Stored bytes that this release cannot read. `where` says which."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where
        self.what = what


def encode_event(event: Event) -> bytes:
    if isinstance(event, PlanChanged):
        own = {"plan": str(event.plan.version), "by": event.by, "comment": event.comment}
        told = {key: value for key, value in own.items() if value}
        return msgspec.json.encode(_without_surrogates({"t": "PlanChanged"} | told))
    return _encode(event)


def encode_fact(fact: Fact) -> bytes:
    return _encode(fact)


def decode_event(data: bytes, plan_of: PlanOf, where: str = "event") -> Event:
    tag, fields = _open(data, where)
    if tag == PlanChanged.__name__:
        by, comment = (_word(fields, key, where) for key in ("by", "comment"))
        return PlanChanged(_plan(fields, plan_of, where), by, comment)
    return _build(_known(tag, EVENTS, where), fields, where)


def decode_fact(data: bytes, where: str = "fact") -> Fact:
    tag, fields = _open(data, where)
    return _build(_known(tag, FACTS, where), fields, where)


def _encode(value: Event | Fact) -> bytes:
    tag = type(value).__name__
    try:
        body = msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Half a surrogate pair from a caller's header must not stop the journal.
        body = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)))
    head = b'{"t":"%s"' % tag.encode()
    return head + b"}" if body == b"{}" else head + b"," + body[1:]


def _without_surrogates(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {key: _without_surrogates(item) for key, item in value.items()}
        case list() | tuple():
            return [_without_surrogates(item) for item in value]
        case _:
            return value


def _open(data: bytes, where: str) -> tuple[str, dict[str, object]]:
    try:
        fields = msgspec.json.decode(data, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise CodecError(where, f"not readable: {error}") from error
    tag = fields.pop("t", None)
    if not isinstance(tag, str):
        raise CodecError(where, "has no type")
    return tag, fields


def _known(tag: str, kinds: dict[str, type[T]], where: str) -> type[T]:
    kind = kinds.get(tag)
    if kind is None:
        raise CodecError(where, f"unknown type {tag!r}")
    return kind


def _build(kind: type[T], fields: dict[str, object], where: str) -> T:
    try:
        value = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise CodecError(where, f"{kind.__name__}: {error}") from error
    # msgspec ignores unknown fields of a dataclass; we do not: they may mean something.
    unknown = _first_unknown(fields, value, "")
    if unknown is not None:
        raise CodecError(where, f"{kind.__name__}: unknown field {unknown!r}")
    return value


def _first_unknown(raw: object, value: object, path: str) -> str | None:
    if isinstance(raw, dict) and dataclasses.is_dataclass(value):
        names = {field.name for field in dataclasses.fields(value)}
        for key, item in raw.items():
            here = f"{path}.{key}" if path else str(key)
            if key not in names:
                return here
            if (found := _first_unknown(item, getattr(value, key), here)) is not None:
                return found
    elif isinstance(raw, list) and isinstance(value, tuple):
        for number, (item, built) in enumerate(zip(raw, value, strict=True)):
            found = _first_unknown(item, built, f"{path}[{number}]")
            if found is not None:
                return found
    return None


def _word(fields: dict[str, object], key: str, where: str) -> str:
    """One that rows of older releases do not have."""
    word = fields.pop(key, "")
    if not isinstance(word, str):
        raise CodecError(where, f"PlanChanged: {key} is no text")
    return word


def _plan(fields: dict[str, object], plan_of: PlanOf, where: str) -> Plan:
    version = fields.pop("plan", None)
    if not isinstance(version, str) or fields:
        raise CodecError(where, "PlanChanged: needs `plan`, and but `by` and `comment` besides")
    try:
        return plan_of(PlanVersion(version))
    except LookupError as error:
        raise CodecError(where, f"PlanChanged: plan {version!r} is not stored") from error
