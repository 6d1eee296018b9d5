"""What differs between two plans, in the words of the plan file: noun, id, key, before and after.

Defaults are compared too, as what they mean: a key that is written out with its default differs
from nothing. Members of a group are told by name and not by their place; call-back rules by
their ids, and their order by itself, since the first that matches wins.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from perezvon.core.plan import Plan
from perezvon.store.plan_export import whole_tree

Value: TypeAlias = Any
"""Of a tree."""


class ChangeKind(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    kind: ChangeKind
    noun: str
    """A key of the top, such as `queues` or `zone`."""
    id: str
    """Which one; empty for what the plan has one of."""
    path: tuple[str | int, ...]
    """Of the key within; empty: the noun as a whole."""
    before: Value
    after: Value


_MAPPINGS: Final = (
    "hours", "holidays", "trunks", "projects", "agents", "groups", "queues", "numbers", "shifts"
)  # fmt: skip
_ORDER: Final = "order"
_ABSENT: Final = object()


def changes(before: Plan, after: Plan) -> tuple[Change, ...]:
    """In the order of the file."""
    old, new = whole_tree(before), whole_tree(after)
    found: list[Change] = []
    for noun in dict.fromkeys([*old, *new]):
        if noun in _MAPPINGS:
            found += _entries(noun, old.get(noun, {}), new.get(noun, {}))
        elif noun == "callback":
            found += _rules(old[noun], new[noun])
        elif noun == "thresholds":
            found += _within(noun, "", (), old.get(noun, {}), new.get(noun, {}))
        else:
            found += _value(noun, "", (), old.get(noun), new.get(noun))
    return tuple(found)


def _entries(noun: str, old: Mapping[str, Value], new: Mapping[str, Value]) -> Iterator[Change]:
    for id_ in dict.fromkeys([*old, *new]):
        if id_ not in new:
            yield Change(ChangeKind.REMOVED, noun, id_, (), old[id_], None)
        elif id_ not in old:
            yield Change(ChangeKind.ADDED, noun, id_, (), None, new[id_])
        else:
            yield from _within(noun, id_, (), old[id_], new[id_])


def _rules(old: list[Value], new: list[Value]) -> Iterator[Change]:
    was, is_ = ({rule["id"]: rule for rule in rules} for rules in (old, new))
    yield from _entries("callback", was, is_)
    stayed = [id_ for id_ in was if id_ in is_]
    now = [id_ for id_ in is_ if id_ in was]
    if stayed != now:
        yield Change(ChangeKind.CHANGED, "callback", "", (_ORDER,), stayed, now)


def _within(
    noun: str, id_: str, path: tuple[str | int, ...], old: Value, new: Value
) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            here = (*path, key)
            if key == "members" and noun == "groups":
                yield from _members(noun, id_, here, old[key], new[key])
            elif key == "steps" and noun == "queues":
                yield from _steps(noun, id_, here, old[key], new[key])
            else:
                yield from _value(noun, id_, here, old.get(key, _ABSENT), new.get(key, _ABSENT))
    else:
        yield from _value(noun, id_, path, old, new)


def _value(
    noun: str, id_: str, path: tuple[str | int, ...], old: Value, new: Value
) -> Iterator[Change]:
    if old == new:
        return
    kind = ChangeKind.CHANGED
    if old is _ABSENT:
        kind, old = ChangeKind.ADDED, None
    elif new is _ABSENT:
        kind, new = ChangeKind.REMOVED, None
    yield Change(kind, noun, id_, path, old, new)


def _members(
    noun: str, id_: str, path: tuple[str | int, ...], old: list[Value], new: list[Value]
) -> Iterator[Change]:
    was, is_ = ({member["agent"]: member for member in members} for members in (old, new))
    for agent in dict.fromkeys([*was, *is_]):
        levels = (each[agent]["level"] if agent in each else _ABSENT for each in (was, is_))
        yield from _value(noun, id_, (*path, agent), *levels)


def _steps(
    noun: str, id_: str, path: tuple[str | int, ...], old: list[Value], new: list[Value]
) -> Iterator[Change]:
    for at in range(max(len(old), len(new))):
        here = (*path, at)
        if at >= len(new):
            yield Change(ChangeKind.REMOVED, noun, id_, here, old[at], None)
        elif at >= len(old):
            yield Change(ChangeKind.ADDED, noun, id_, here, None, new[at])
        else:
            yield from _within(noun, id_, here, old[at], new[at])
