"""A plan as the file that it could have been read from: only what differs from the defaults."""

import dataclasses
from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Any, Final, TypeAlias

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

Tree: TypeAlias = dict[str, Any]
"""A plan file's content: text, whole numbers, true, false, null, lists and mappings."""

_WIDTH = 100


def dump(plan: Plan) -> str:
    """YAML that `plan_file.parse` reads back as the same plan."""
    return f"# Plan of Perezvon, version {plan.version}\n{text_of(_Writer(short=True).tree(plan))}"


def tree(plan: Plan) -> Tree:
    """The file's content with each noun written out as a mapping, for forms."""
    return _Writer().tree(plan)


def whole_tree(plan: Plan) -> Tree:
    """The same with all defaults, so that two plans can be compared by what they mean."""
    return _Writer(whole=True).tree(plan)


def text_of(content: Mapping[str, Any]) -> str:
    text: str = yaml.dump(
        dict(content),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
        default_flow_style=None,
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Without aliases: nobody wants to read `*id001`."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 - PyYAML's signature
        return True


_RULES: Final = next(field for field in dataclasses.fields(Plan) if field.name == "callback_rules")


@dataclasses.dataclass(frozen=True, slots=True)
class _Writer:
    short: bool = False
    """Short forms, as a person writes them."""
    whole: bool = False
    """Defaults too."""

    def tree(self, plan: Plan) -> Tree:
        content: Tree = {
            "tenant": plan.tenant,
            "zone": plan.zone,
            "language": plan.language,
            "country": plan.country,
            "hours": {hours.id: self._hours(hours) for hours in plan.hours},
            "holidays": _holidays(plan.holidays),
            "trunks": {trunk.id: self._own(trunk) for trunk in plan.trunks},
            "projects": {project.id: self._named(project) for project in plan.projects},
            "agents": {agent.id: self._agent(agent) for agent in plan.agents},
            "groups": {group.id: self._group(group) for group in plan.groups},
            "queues": {queue.id: self._queue(queue) for queue in plan.queues},
            "default_queue": plan.default_queue,
            "numbers": {did.number: self._number(did) for did in plan.dids},
            "shifts": {shift.id: self._shift(shift) for shift in plan.shifts},
            "thresholds": self._own(plan.thresholds),
            "dialling": self._own(plan.dialling),
            "targets": self._own(plan.targets),
        }
        content = {key: value for key, value in content.items() if value not in (None, {})}
        if self.whole or plan.callback_rules != _RULES.default:
            content["callback"] = [self._rule(rule) for rule in plan.callback_rules]
        return content

    def _own(self, noun: Any, *left_out: str) -> Tree:  # noqa: ANN401 - any of the plan's nouns
        """What differs from the core's defaults, under the file's keys."""
        content: Tree = {}
        for field in dataclasses.fields(noun):
            value = getattr(noun, field.name)
            default = field.default
            if field.default_factory is not dataclasses.MISSING:
                default = field.default_factory()
            if field.name in {"id", *left_out} or (value == default and not self.whole):
                continue
            content[field.name.replace("_ms", "")] = _plain(value, is_length="_ms" in field.name)
        return content

    def _named(self, noun: Any) -> Tree:  # noqa: ANN401 - any of the nouns with a name
        implied = noun.name == noun.id and not self.whole
        return self._own(noun, *(["name"] if implied else []))

    def _agent(self, agent: Agent) -> Tree:
        content = self._named(agent)
        others = content.pop("others", None)
        return content if others is None else content | {"devices": others}

    def _hours(self, hours: Hours) -> Tree:
        content: Tree = {}
        for intervals, days in groupby(range(7), key=lambda day: hours.week[day]):
            run = list(days)
            if intervals:
                content[days_text(run)] = intervals_text(intervals)
        told = self.whole or not hours.holidays
        return content | {"holidays": hours.holidays} if told else content

    def _group(self, group: Group) -> Tree:
        members = [
            member.agent
            if self.short and member.level == 1
            else {"agent": member.agent} | self._own(member, "agent")
            for member in group.members
        ]
        return self._named(group) | {"members": members}

    def _queue(self, queue: Queue) -> Tree:
        return self._named(queue) | {"steps": [self._own(step) for step in queue.steps]}

    def _number(self, did: Did) -> Any:  # noqa: ANN401 - the short form, or a mapping
        content = self._own(did, "number")
        return did.queue if self.short and len(content) == 1 else content

    def _rule(self, rule: CallbackRule) -> Tree:
        ladder: Tree = {}
        if self.whole or rule.ladder != Ladder():
            ladder["ladder"] = [length_text(offset) for offset in rule.ladder.offsets_ms]
        return {"id": rule.id} | self._own(rule, "ladder") | ladder

    def _shift(self, shift: Shift) -> Tree:
        content = self._named(shift)
        del content["interval"]
        return content | {"days": days_text(shift.days), "hours": interval_text(shift.interval)}


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
