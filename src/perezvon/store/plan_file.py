"""The plan file: YAML that people write, to and from the core's `Plan`.

Promise: `parse` gives a valid plan with its version, or tells everything that is wrong with it at
once (`PlanFileError`), each with line, path and reason; `parse(dump(plan)) == plan` for every plan
that a file can express. The format is described in `docs/plan.md`.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from perezvon.core.ids import PlanVersion, RuleId
from perezvon.core.plan import (
    Agent,
    CallbackRule,
    Dialling,
    Did,
    Group,
    Holiday,
    Hours,
    Ladder,
    Member,
    Plan,
    PlanError,
    Project,
    Queue,
    Shift,
    Step,
    Targets,
    Thresholds,
    Trunk,
)
from perezvon.store.plan_export import dump, text_of, tree
from perezvon.store.plan_links import links_of
from perezvon.store.plan_reasons import Reason
from perezvon.store.plan_schema import (
    AgentFile,
    CallbackFile,
    GroupFile,
    HoursFile,
    MemberFile,
    Noun,
    NumberFile,
    PlanFile,
    ProjectFile,
    QueueFile,
    ShiftFile,
    StepFile,
    TrunkFile,
)
from perezvon.store.plan_values import parse_dates
from perezvon.store.plan_yaml import BYTES_MAX, DEPTH_MAX, Node, Path, Problem, Refusal, read
from perezvon.store.plans import with_version

__all__ = ["PlanFileError", "Problem", "dump", "json_schema", "load", "parse", "parse_tree"]

PROBLEMS_MAX: Final = 50
"""More than anyone mends before trying again."""

PRUNINGS_MAX: Final = 6
"""A missing key makes its mapping wrong, that its list, and so on outwards."""

_PART_MAX: Final = 60
_NOUNS: Final[dict[str, type[Noun]]] = {
    "agents": AgentFile,
    "callback": CallbackFile,
    "groups": GroupFile,
    "hours": HoursFile,
    "numbers": NumberFile,
    "projects": ProjectFile,
    "queues": QueueFile,
    "shifts": ShiftFile,
    "trunks": TrunkFile,
}
_SHAPES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown_key",
    "model_type": "not_mapping",
    "dict_type": "not_mapping",
    "list_type": "not_list",
    "string_type": "not_text",
    "int_type": "not_whole",
    "bool_type": "not_flag",
}
_LIMITS: Final = {
    # pydantic's type: ours, its parameter, ours
    "greater_than_equal": ("too_small", "ge", "least"),
    "less_than_equal": ("too_big", "le", "most"),
    "too_short": ("too_few", "min_length", "least"),
    "too_long": ("too_many", "max_length", "most"),
    "enum": ("choice", "expected", "expected"),
    "literal_error": ("choice", "expected", "expected"),
}

_Core = TypeVar("_Core")


class PlanFileError(Exception):
    """The customer can mend it; nothing of the file was taken."""

    def __init__(self, name: str, problems: Sequence[Problem]) -> None:
        self.name = name
        self.count = len(problems)
        ordered = sorted(problems, key=lambda problem: problem.line)
        self.problems = tuple(ordered[:PROBLEMS_MAX])
        super().__init__(self.text("en"))

    def text(self, language: str) -> str:
        """One line for each problem: `file:line: path: reason`."""
        lines = []
        for problem in self.problems:
            parts = [f"{self.name}:{problem.line}", problem.path, problem.why.text(language)]
            lines.append(": ".join(part for part in parts if part))
        if self.count > len(self.problems):
            rest = self.count - len(self.problems)
            lines.append(f"… ещё {rest}" if language == "ru" else f"… and {rest} more")
        return "\n".join(lines)


def load(path: FilePath) -> Plan:
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        why = Reason("unreadable", {"what": error.strerror or str(error)})
        raise PlanFileError(str(path), [Problem(1, "", why)]) from error
    return _parse(data, str(path))


def parse(text: str, name: str = "plan") -> Plan:
    """`name` is what messages call the file."""
    # A lone surrogate cannot be written to a file; here it is refused as one is.
    return _parse(text.encode("utf-8", "surrogatepass"), name)


def parse_tree(content: Mapping[str, Any], like: Plan | None = None) -> tuple[Plan, str]:
    """The plan of a file's content, and its text. Where `like` has the same names, they keep its
    order: a program that sends a tree need not keep that of its keys.
    """
    if _depth(content) > DEPTH_MAX:
        raise PlanFileError("plan", [Problem(1, "", Reason("too_deep", {"depth": DEPTH_MAX}))])
    text = text_of(content if like is None else _ordered(content, tree(like)))
    plan = parse(text)
    return plan, dump(plan)


def _depth(value: object) -> int:
    """Of lists and mappings; no more than needed to know that it is too deep."""
    level, depth = [value], 0
    while level and depth <= DEPTH_MAX:
        depth += 1
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


def _ordered(content: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    ordered: dict[str, Any] = {}
    for section, value in content.items():
        known = like.get(section)
        if isinstance(value, dict) and isinstance(known, dict):
            names = dict.fromkeys([*(name for name in known if name in value), *value])
            ordered[section] = {name: value[name] for name in names}
        else:
            ordered[section] = value
    return ordered


def json_schema() -> dict[str, Any]:
    """For editors: JSON Schema of the file."""
    schema = PlanFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema


def _parse(data: bytes, name: str) -> Plan:
    try:
        node, problems = read(data)
    except Refusal as refusal:
        raise PlanFileError(name, [refusal.problem]) from refusal
    written = node.value()
    if not isinstance(written, dict):
        raise PlanFileError(name, [Problem(node.line, "", Reason("not_mapping"))])
    file, details = _validate(node)
    shapes = [_path(detail) for detail in details]
    for path, detail in zip(shapes, details, strict=True):
        problems.append(_problem(node, path, _reason(detail, path)))
    for path, why in links_of(file, written) if file is not None else ():
        # What misses a part that is wrong in itself is no news.
        if not any(shape[: len(path)] == path for shape in shapes):
            problems.append(_problem(node, path, why))
    if problems:
        raise PlanFileError(name, problems)
    assert file is not None
    try:
        return with_version(_plan(file))
    except PlanError as error:
        path = _path_of(error.where, file)
        why = Reason("other", {"what": error.what})
        found = Problem(node.line_of(path), error.where, why, path)
        raise PlanFileError(name, [found]) from error


def _validate(node: Node) -> tuple[PlanFile | None, list[Any]]:
    """The file's content, and pydantic's details of what is wrong with its shape.

    With something wrong there still is a content if possible, without the wrong parts, so that
    a name of nothing can be told in the same breath.
    """
    try:
        return PlanFile.model_validate(node.value()), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    return _rest(node, details), list(details)


def _rest(node: Node, details: Iterable[Any]) -> PlanFile | None:
    """What is left without the wrong parts: first each alone, then all that misses them."""
    whole = node.value()
    assert isinstance(whole, dict)
    for _ in range(PRUNINGS_MAX):
        for detail in details:
            _prune(whole, _path(detail))
        whole.setdefault("zone", "UTC")
        try:
            return PlanFile.model_validate(whole)
        except ValidationError as error:
            details = error.errors(include_url=False)
    return None


def _prune(whole: dict[str, Any], path: Path) -> None:
    """Take out the nearest key. Never an item of a list: the others would move up."""
    holder, key, here = whole, path[0], whole
    for part in path:
        if isinstance(here, dict) and part in here:
            holder, key = here, part
            here = here[str(part)]
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
    holder.pop(str(key), None)


def _path(detail: Any) -> Path:  # noqa: ANN401 - pydantic's own dictionary
    return tuple(part for part in detail["loc"] if part != "[key]")


def _reason(detail: Any, path: Path) -> Reason:  # noqa: ANN401 - pydantic's own dictionary
    kind: str = detail["type"]
    context: dict[str, Any] = detail.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(path[-1])
        return Reason("unknown_key", {"word": key, "known": _keys_at(path), "given": key})
    if kind in _SHAPES:
        return Reason(_SHAPES[kind])
    if kind in _LIMITS:
        code, theirs, ours = _LIMITS[kind]
        given = context[theirs]
        return Reason(code, {ours: given.replace(" or ", ", ") if code == "choice" else given})
    if detail["msg"] == "refused":
        return Reason(kind, context)
    return Reason("other", {"what": detail["msg"]})


def _keys_at(path: Path) -> list[str]:
    """The keys that could stand where a wrong one does."""
    noun: type[Noun] = PlanFile
    if len(path) > 1:
        noun = _NOUNS.get(str(path[0]), PlanFile)
    if "steps" in path[:-1]:
        noun = StepFile
    if "members" in path[:-1]:
        noun = MemberFile
    return [field.alias or name for name, field in noun.model_fields.items()]


def _problem(node: Node, path: Path, why: Reason) -> Problem:
    # The days of opening hours are gathered under a key that no file has.
    gathered = len(path) > 2 and path[0] == "hours" and path[2] == "days"  # noqa: PLR2004 - its place
    place = (*path[:2], *path[3:]) if gathered else path
    cut = tuple(part[:_PART_MAX] if isinstance(part, str) else part for part in place)
    return Problem(node.line_of(path), _text(cut), why, cut)


def _text(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def _path_of(where: str, file: PlanFile) -> Path:
    """A path of the core (`queues.sales.steps[0].k`) as a path of the file."""
    parts: list[str | int] = []
    for part in where.replace("[", ".[").split("."):
        is_index = part.startswith("[") and part[1:-1].isdigit()
        parts.append(int(part[1:-1]) if is_index else part)
    if parts[0] == "callback" and len(parts) > 1:
        ids = [rule.id for rule in file.callback]
        if parts[1] in ids:
            parts[1] = ids.index(str(parts[1]))
    return tuple(parts)


def _make(core: type[_Core], noun: Noun, **own: Any) -> _Core:  # noqa: ANN401 - fields of all kinds
    """Fields of the same name (units aside) from the file; what is not written, by the core."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(core):  # type: ignore[arg-type]
        key = field.name.replace("_ms", "")
        if key not in type(noun).model_fields or field.name in own:
            continue
        value = getattr(noun, key)
        if value is None and field.default == "":
            continue
        values[field.name] = tuple(value) if isinstance(value, list) else value
    return core(**values, **own)


def _plan(file: PlanFile) -> Plan:
    return _make(
        Plan,
        file,
        version=PlanVersion(""),
        agents=tuple(_agent(name, agent, file) for name, agent in file.agents.items()),
        groups=tuple(_group(name, group) for name, group in file.groups.items()),
        queues=tuple(_queue(name, queue) for name, queue in file.queues.items()),
        dids=tuple(_make(Did, did, number=number) for number, did in file.numbers.items()),
        trunks=tuple(_trunk(name, trunk) for name, trunk in file.trunks.items()),
        hours=tuple(
            _make(Hours, hours, id=name, week=hours.week()) for name, hours in file.hours.items()
        ),
        holidays=tuple(
            Holiday(day, open=intervals)
            for dates, intervals in file.holidays.items()
            for day in parse_dates(dates)
        ),
        callback_rules=tuple(
            _make(CallbackRule, rule, id=RuleId(rule.id), ladder=Ladder(tuple(rule.ladder)))
            for rule in file.callback
        ),
        projects=tuple(
            _make(Project, project, id=name, name=project.name or name)
            for name, project in file.projects.items()
        ),
        shifts=tuple(
            _make(Shift, shift, id=name, name=shift.name or name, interval=shift.hours)
            for name, shift in file.shifts.items()
        ),
        thresholds=_make(Thresholds, file.thresholds),
        dialling=_make(Dialling, file.dialling),
        targets=_make(Targets, file.targets),
    )


def _agent(name: str, agent: AgentFile, file: PlanFile) -> Agent:
    trunk = agent.trunk
    if trunk is None and agent.number is not None and len(file.trunks) == 1:
        trunk = next(iter(file.trunks))
    others = tuple(agent.devices)
    return _make(Agent, agent, id=name, name=agent.name or name, trunk=trunk, others=others)


def _group(name: str, group: GroupFile) -> Group:
    members = tuple(_make(Member, member) for member in group.members)
    return _make(Group, group, id=name, name=group.name or name, members=members)


def _queue(name: str, queue: QueueFile) -> Queue:
    steps = tuple(_make(Step, step) for step in queue.steps)
    return _make(Queue, queue, id=name, name=queue.name or name, steps=steps)


def _trunk(name: str, trunk: TrunkFile) -> Trunk:
    return _make(Trunk, trunk, id=name, register=trunk.register_)
