"""A plan as the file that it could have been read from: only what differs from the defaults."""

import dataclasses
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any

import yaml

from perezvon.core.plan import (
    Agent,
    CallbackRule,
    Did,
    Group,
    Holiday,
    Hours,
    Interval,
    Ladder,
    Plan,
    Queue,
    Shift,
)
from perezvon.store.plan_values import (
    RANGE_DAYS_MAX,
    days_text,
    interval_text,
    intervals_text,
    length_text,
)

_WIDTH = 100


def dump(plan: Plan) -> str:
    """YAML that `plan_file.parse` reads back as the same plan."""
    content: dict[str, Any] = {
        "tenant": plan.tenant,
        "zone": plan.zone,
        "language": plan.language,
        "country": plan.country,
        "hours": {hours.id: _hours(hours) for hours in plan.hours},
        "holidays": _holidays(plan.holidays),
        "trunks": {trunk.id: _own(trunk) for trunk in plan.trunks},
        "projects": {project.id: _named(project) for project in plan.projects},
        "agents": {agent.id: _agent(agent) for agent in plan.agents},
        "groups": {group.id: _group(group) for group in plan.groups},
        "queues": {queue.id: _queue(queue) for queue in plan.queues},
        "default_queue": plan.default_queue,
        "numbers": {did.number: _number(did) for did in plan.dids},
        "shifts": {shift.id: _shift(shift) for shift in plan.shifts},
        "thresholds": _own(plan.thresholds),
    }
    content = {key: value for key, value in content.items() if value not in (None, {})}
    rules = next(field for field in dataclasses.fields(Plan) if field.name == "callback_rules")
    if plan.callback_rules != rules.default:
        content["callback"] = [_rule(rule) for rule in plan.callback_rules]
    text = yaml.dump(
        content,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=None,
    )
    return f"# Plan of Perezvon, version {plan.version}\n{text}"


class _Dumper(yaml.SafeDumper):
    """Without aliases: nobody wants to read `*id001`."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True


def _own(noun: Any, *left_out: str) -> dict[str, Any]:  # noqa: ANN401 - any of the plan's nouns
    """What differs from the core's defaults, under the file's keys."""
    content: dict[str, Any] = {}
    for field in dataclasses.fields(noun):
        value = getattr(noun, field.name)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if field.name in {"id", *left_out} or value == default:
            continue
        content[field.name.replace("_ms", "")] = _plain(value, is_length="_ms" in field.name)
    return content


def _plain(value: Any, *, is_length: bool) -> Any:  # noqa: ANN401 - any value of the plan's
    match value:
        case StrEnum():
            return value.value
        case tuple():
            return [_plain(item, is_length=is_length) for item in value]
        case int() if is_length:
            return length_text(value)
        case _:
            return value


def _named(noun: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the nouns with a name
    return _own(noun, *(["name"] if noun.name == noun.id else []))


def _agent(agent: Agent) -> dict[str, Any]:
    content = _named(agent)
    others = content.pop("others", None)
    return content if others is None else content | {"devices": others}


def _hours(hours: Hours) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for intervals, days in groupby(range(7), key=lambda day: hours.week[day]):
        run = list(days)
        if intervals:
            content[days_text(run)] = intervals_text(intervals)
    return content if hours.holidays else content | {"holidays": False}


def _holidays(holidays: tuple[Holiday, ...]) -> dict[str, str]:
    runs: list[tuple[list[str], tuple[Interval, ...]]] = []
    for holiday in holidays:
        days, intervals = runs[-1] if runs else ([], ())
        follows = bool(days) and _next(days[-1]) == holiday.date and intervals == holiday.open
        if follows and len(days) < RANGE_DAYS_MAX:
            days.append(holiday.date)
        else:
            runs.append(([holiday.date], holiday.open))
    return {
        days[0] if len(days) == 1 else f"{days[0]}..{days[-1]}": intervals_text(intervals)
        for days, intervals in runs
    }


def _next(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


def _group(group: Group) -> dict[str, Any]:
    members = [
        member.agent if member.level == 1 else {"agent": member.agent, "level": member.level}
        for member in group.members
    ]
    content = _named(group)
    return content | {"members": members}


def _queue(queue: Queue) -> dict[str, Any]:
    return _named(queue) | {"steps": [_own(step) for step in queue.steps]}


def _number(did: Did) -> Any:  # noqa: ANN401 - the short form, or a mapping
    content = _own(did, "number")
    return did.queue if len(content) == 1 else content


def _rule(rule: CallbackRule) -> dict[str, Any]:
    ladder: dict[str, Any] = {}
    if rule.ladder != Ladder():
        ladder["ladder"] = [length_text(offset) for offset in rule.ladder.offsets_ms]
    return {"id": rule.id} | _own(rule, "ladder") | ladder


def _shift(shift: Shift) -> dict[str, Any]:
    content = _named(shift)
    del content["interval"]
    return content | {"days": days_text(shift.days), "hours": interval_text(shift.interval)}
