"""YAML as we take it: text, whole numbers, true, false, null, lists and mappings, with lines.

Promise: whatever the text, this ends soon, in little memory, with a tree or a `Problem`. Nothing
is ever constructed from it but plain values. The rules are those of YAML 1.2, because in 1.1
`09:00` is the number 540, `no` is false and a date is an object.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import yaml

from perezvon.store.plan_reasons import Reason, sign_name

BYTES_MAX: Final = 1024 * 1024
DEPTH_MAX: Final = 24
ALIASES_MAX: Final = 100
VALUES_MAX: Final = 200_000

Scalar: TypeAlias = str | int | bool | None
Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"
Path: TypeAlias = tuple[str | int, ...]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"-?(0|[1-9][0-9]{0,17})", re.ASCII)
_WORDS: Final[dict[str, Scalar]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_TEXT = re.compile(
    r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, and where. Lines count from 1; a path such as `queues.sales.steps[0].k`."""

    line: int
    path: str
    why: Reason
    place: Path = ()
    """The same path in parts, for who has the tree and no text."""

    @property
    def reason(self) -> str:
        return self.why.text("en")


class Refusal(Exception):  # noqa: N818 - it ends the reading; what goes out is a PlanFileError
    def __init__(self, line: int, code: str, /, **params: object) -> None:
        super().__init__(code)
        self.problem = Problem(line, "", Reason(code, params))


@dataclass(slots=True)
class Node:
    """A value with the line where it (or its key) stands."""

    line: int
    content: "Scalar | list[Node] | dict[str, Node]"
    count: int = 1
    """Values within, aliases counted as if written out."""

    def value(self) -> Value:
        match self.content:
            case dict() as entries:
                return {key: node.value() for key, node in entries.items()}
            case list() as items:
                return [node.value() for node in items]
            case scalar:
                return scalar

    def line_of(self, path: Path) -> int:
        """The line of the deepest part of `path` that is written in the file.

        Parts that are not there are passed over: a default, or a short form's missing key.
        """
        node = self
        for part in path:
            match node.content, part:
                case dict() as entries, str() if part in entries:
                    node = entries[part]
                case list() as items, int() if part < len(items):
                    node = items[part]
                case _:
                    pass
        return node.line


def read(data: bytes) -> tuple[Node, list[Problem]]:
    """The tree, and keys that are there twice. Raises `Refusal` when there can be no tree."""
    if len(data) > BYTES_MAX:
        raise Refusal(1, "too_large", bytes_max=BYTES_MAX)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refusal(data.count(b"\n", 0, error.start) + 1, "not_utf8") from error
    odd = _NOT_TEXT.search(text)
    if odd is not None:
        line = text.count("\n", 0, odd.start()) + 1
        raise Refusal(line, "control_character", sign=sign_name(odd.group()))
    try:
        return _Builder(yaml.parse(text, Loader=_LOADER)).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        here = text.splitlines()[line - 1 : line]
        if here and "\t" in here[0][: len(here[0]) - len(here[0].lstrip())]:
            raise Refusal(line, "tab") from error
        what = ", ".join(part for part in (error.problem, error.context) if part)
        raise Refusal(line, "syntax", what=what) from error
    except yaml.YAMLError as error:
        raise Refusal(1, "syntax", what=str(error)) from error


class _Builder:
    """Builds from events, not by PyYAML's composer, which recurses without a limit."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, Node | None] = {}
        self._aliases = 0
        self._values = 0
        self._problems: list[Problem] = []

    def build(self) -> tuple[Node, list[Problem]]:
        self._next()
        if not isinstance(self._next(), yaml.DocumentStartEvent):
            raise Refusal(1, "empty")
        root = self._node(self._next(), 0)
        self._next()
        after = self._next()
        if isinstance(after, yaml.DocumentStartEvent):
            raise Refusal(_line(after), "documents")
        if root.content is None:
            raise Refusal(1, "empty")
        return root, self._problems

    def _next(self) -> yaml.Event:
        return next(self._events)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        line = _line(event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        assert isinstance(event, yaml.NodeEvent)
        if depth > DEPTH_MAX:
            raise Refusal(line, "too_deep", depth=DEPTH_MAX)
        tag = getattr(event, "tag", None)
        if tag is not None and tag != "!":
            raise Refusal(line, "tag", tag=str(tag)[:60])
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        self._count(1, line)
        before = self._values
        node = Node(line, None)
        match event:
            case yaml.ScalarEvent():
                node.content = _scalar(event)
            case yaml.SequenceStartEvent():
                node.content = self._items(depth)
            case _:
                assert isinstance(event, yaml.MappingStartEvent)
                node.content = self._entries(depth)
        node.count += self._values - before
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _items(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _entries(self, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise Refusal(line, "key_not_text")
            key = event.value
            node = self._node(self._next(), depth + 1)
            if key in entries:
                why = Reason("key_twice", {"key": key[:80], "line": entries[key].line})
                self._problems.append(Problem(line, key[:80], why))
                continue
            # A copy, since an alias shares its node and the key's line says more than the value's.
            entries[key] = Node(line, node.content, node.count)
        return entries

    def _alias(self, event: yaml.AliasEvent) -> Node:
        line, name = _line(event), event.anchor
        self._aliases += 1
        if self._aliases > ALIASES_MAX:
            raise Refusal(line, "alias_many", count=ALIASES_MAX)
        if name not in self._anchors:
            raise Refusal(line, "alias_unknown", name=name)
        node = self._anchors[name]
        if node is None:
            raise Refusal(line, "alias_cycle", name=name)
        self._count(node.count, line)
        return node

    def _count(self, values: int, line: int) -> None:
        self._values += values
        if self._values > VALUES_MAX:
            raise Refusal(line, "too_many_values", count=VALUES_MAX)


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    text: str = event.value
    if event.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    return int(text) if _INT.fullmatch(text) is not None else text


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    assert mark is not None
    return int(mark.line) + 1
